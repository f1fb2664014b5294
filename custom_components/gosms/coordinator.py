"""The polls: of the account's messages, and of each phone that sends them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_DEVICE_ID
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .api import GoSmsClient, MessagePage, Phone
from .const import POLL_INTERVAL
from .errors import action_errors, update_errors

_LOGGER = logging.getLogger(__name__)

# As often as the app on the phone reports.
_PHONE_INTERVAL: Final = timedelta(minutes=5)

# Seconds. Between two polls the newest report that is known is at most two reports old: ten minutes, and a bit for the
# time that everything takes.
_OFFLINE_AFTER: Final = 11 * 60


class GoSmsCoordinator(DataUpdateCoordinator[MessagePage]):
    """Polls the newest messages of the account."""

    config_entry: ConfigEntry[Any]

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], client: GoSmsClient) -> None:
        """Start with an empty page: entities exist before the first poll."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name="GoSMS.ru messages",
            update_interval=timedelta(seconds=POLL_INTERVAL),
            always_update=False,
        )
        self.on_page: Callable[[MessagePage], None] = lambda _page: None
        self._client = client
        self._not_before = float("-inf")
        self.data = MessagePage()

    async def async_poll(self) -> MessagePage | None:
        """Poll now, and let the sensors learn of it too.

        None if that failed, or if the service asked for a pause that is not over: it was asked for by the poll before.
        """
        if self.hass.loop.time() < self._not_before:
            return None
        await self.async_refresh()
        return self.data if self.last_update_success else None

    @override
    async def _async_update_data(self) -> MessagePage:
        """Fetch the newest messages."""
        try:
            with update_errors():
                page = await self._client.list()
        except UpdateFailed as err:
            self._not_before = self.hass.loop.time() + (err.retry_after or 0)
            raise
        self.on_page(page)
        return page


class GoSmsPhoneCoordinator(DataUpdateCoordinator[Phone]):
    """Polls one phone: each has its own, so that one that was deleted takes no other along.

    Attributes:
        device_id: what GoSMS knows the phone by.
        online: whether the phone was in touch lately, or None as long as nothing is known of it.
    """

    config_entry: ConfigEntry[Any]

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry[Any], client: GoSmsClient, phone: ConfigSubentry
    ) -> None:
        """Start with a phone of which nothing is known: entities exist before the first poll."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name="GoSMS.ru phone",
            update_interval=_PHONE_INTERVAL,
            always_update=False,
        )
        self._client = client
        self._cancel_timer: CALLBACK_TYPE | None = None
        self.device_id: str = phone.data[CONF_DEVICE_ID]
        self.online: bool | None = None
        self.data = Phone(id=self.device_id)

    @property
    def can_send(self) -> bool | None:
        """Tell if the phone is known to be able to send (True) or unable (False); None if it is not known."""
        if not self.last_update_success or self.online is None or self.data.is_active is None:
            return None
        return self.online and self.data.is_active

    async def async_set_active(self, *, active: bool) -> None:
        """Let the phone send, or not; it shows at once, and GoSMS is asked whether it took it.

        Raises:
            HomeAssistantError: GoSMS refused it, or did not answer. Translated.
        """
        try:
            with action_errors(self.hass):
                await self._client.set_phone_active(self.device_id, active=active)
            self.data = replace(self.data, is_active=active)
            self.async_update_listeners()
        finally:
            await self.async_request_refresh()

    @override
    async def async_shutdown(self) -> None:
        """Stop to poll and to judge."""
        self._stop_timer()
        await super().async_shutdown()

    @override
    async def _async_update_data(self) -> Phone:
        """Fetch what GoSMS knows of the phone."""
        with update_errors():
            return await self._client.phone_info(self.device_id)

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Judge whether the phone is in touch, and plan to judge again when it no longer would be."""
        self._stop_timer()
        if not self.last_update_success or self._shutdown_requested:
            return
        left = self._seconds_in_touch()
        self._set_online(online=None if left is None else left > 0)
        if left is not None and left > 0:
            self._cancel_timer = async_call_later(self.hass, left, self._handle_offline)

    def _seconds_in_touch(self) -> float | None:
        """Return for how long the last report counts, by the clock of the service, which wrote its time."""
        if self.data.last_online is None:
            return None
        now = self._client.server_time or dt_util.utcnow().timestamp()
        return self.data.last_online.timestamp() + _OFFLINE_AFTER - now

    @callback
    def _handle_offline(self, _now: datetime) -> None:
        """Take note that the last report is too long ago."""
        self._cancel_timer = None
        self._set_online(online=False)

    def _set_online(self, *, online: bool | None) -> None:
        """Take note whether the phone is in touch."""
        if online is not self.online:
            self.online = online
            self.async_update_listeners()

    def _stop_timer(self) -> None:
        """Do not judge again."""
        if self._cancel_timer:
            self._cancel_timer()
            self._cancel_timer = None
