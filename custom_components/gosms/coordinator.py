"""Coordinators: one for the messages of an account, and one for each of its phones."""

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

# The interval at which the app on the phone reports.
_PHONE_INTERVAL: Final = timedelta(minutes=5)

# Seconds. At the time of the next poll, the last known report of an online phone is at most ten minutes old (two
# intervals), plus a minute for delays.
_OFFLINE_AFTER: Final = 11 * 60


class GoSmsCoordinator(DataUpdateCoordinator[MessagePage]):
    """Polls the newest messages of the account.

    Attributes:
        on_page: called with each page, before the entities are updated.
    """

    config_entry: ConfigEntry[Any]

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], client: GoSmsClient) -> None:
        """Start with an empty page, since entities exist before the first poll."""
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
        self._next_poll_allowed = float("-inf")
        self.data = MessagePage()

    async def async_poll(self) -> MessagePage | None:
        """Poll now, update the sensors and return the page.

        Returns None if the poll failed, or if the service asked for a pause that is not over yet.
        """
        if self.hass.loop.time() < self._next_poll_allowed:
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
            self._next_poll_allowed = self.hass.loop.time() + (err.retry_after or 0)
            raise
        self.on_page(page)
        return page


class GoSmsPhoneCoordinator(DataUpdateCoordinator[Phone]):
    """Polls one phone. Each phone has its own coordinator, so that a deleted one does not affect the others.

    Attributes:
        online: whether the phone reported recently, or None if it is not known yet.
    """

    config_entry: ConfigEntry[Any]

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry[Any], client: GoSmsClient, phone: ConfigSubentry
    ) -> None:
        """Start with a phone without details, since entities exist before the first poll."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name="GoSMS.ru phone",
            update_interval=_PHONE_INTERVAL,
            always_update=False,
        )
        self._client = client
        self._phone = phone
        self._unsub_timer: CALLBACK_TYPE | None = None
        self.async_reset()

    @callback
    def async_reset(self) -> None:
        """Forget everything about the phone: it is another one. The entities keep their states until the next poll."""
        self._cancel_timer()
        self.online: bool | None = None
        self.data = Phone(id=self.device_id)

    @property
    def device_id(self) -> str:
        """Return the GoSMS id of the phone."""
        device_id: str = self._phone.data[CONF_DEVICE_ID]
        return device_id

    @property
    def can_send(self) -> bool | None:
        """Return whether the phone can send, or None if it is not known."""
        if not self.last_update_success or self.online is None or self.data.is_active is None:
            return None
        return self.online and self.data.is_active

    async def async_set_active(self, *, active: bool) -> None:
        """Allow the phone to send, or forbid it. The change is shown at once, then confirmed by a refresh.

        Raises:
            HomeAssistantError: GoSMS refused, or did not respond. Translated.
        """
        device_id = self.device_id
        try:
            with action_errors(self.hass):
                await self._client.set_phone_active(device_id, active=active)
            # It may have become another one meanwhile.
            if device_id == self.device_id:
                self.data = replace(self.data, is_active=active)
                self.async_update_listeners()
        finally:
            await self.async_request_refresh()

    @override
    async def async_shutdown(self) -> None:
        """Stop polling, and cancel the timer."""
        self._cancel_timer()
        await super().async_shutdown()

    @override
    async def _async_update_data(self) -> Phone:
        """Fetch the state of the phone."""
        with update_errors():
            while True:
                phone = await self._client.phone_info(device_id := self.device_id)
                # It may have become another one meanwhile.
                if device_id == self.device_id:
                    return phone

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Update whether the phone is online, and schedule the time from which it no longer is."""
        self._cancel_timer()
        if not self.last_update_success or self._shutdown_requested:
            return
        remaining = self._seconds_until_offline()
        self._set_online(online=None if remaining is None else remaining > 0)
        if remaining is not None and remaining > 0:
            self._unsub_timer = async_call_later(self.hass, remaining, self._handle_offline)

    def _seconds_until_offline(self) -> float | None:
        """Return the seconds until the last report is too old, or None if the phone never reported.

        By the service's clock, which also timed the report, if it is known.
        """
        if self.data.last_online is None:
            return None
        now = self._client.server_time or dt_util.utcnow().timestamp()
        return self.data.last_online.timestamp() + _OFFLINE_AFTER - now

    @callback
    def _handle_offline(self, _now: datetime) -> None:
        """Handle that the last report is too old."""
        self._unsub_timer = None
        self._set_online(online=False)

    def _set_online(self, *, online: bool | None) -> None:
        """Set whether the phone is online, and update the entities if that changed."""
        if online is not self.online:
            self.online = online
            self.async_update_listeners()

    def _cancel_timer(self) -> None:
        """Cancel the timer, if there is one."""
        if self._unsub_timer:
            self._unsub_timer()
            self._unsub_timer = None
