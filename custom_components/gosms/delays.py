"""Repairs for messages that have waited for too long: for the service, or for a phone."""

from collections.abc import Iterable
from typing import Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .coordinator import GoSmsPhoneCoordinator
from .issues import PHONE_OUT_OF_TOUCH, SERVICE_UNREACHABLE, async_clear, async_get_problems, async_raise
from .outbox import OutgoingMessage, State
from .runtime_data import GoSmsConfigEntry
from .subentries import phones

# Seconds that a message may wait for the service.
_MAX_WAIT: Final = 5 * 60

# Seconds between two looks, and before the first one: by then the service has been polled.
_INTERVAL: Final = 60


class DelayMonitor:
    """Looks every minute at the messages on their way. While there are none and all is well, it does nothing."""

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
        """Make the monitor of an account that is loaded."""
        self._hass = hass
        self._entry = entry
        self._data = entry.runtime_data
        self._unsub_timer: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Begin to look; returns how to stop it."""
        unsubscribe = self._data.outbox.async_add_message_listener(self._async_schedule)
        self._async_schedule()

        @callback
        def async_stop() -> None:
            unsubscribe()
            self._cancel_timer()

        return async_stop

    @callback
    def _async_schedule(self, _messages: Iterable[OutgoingMessage] = ()) -> None:
        """Look again in a minute if there is anything to look at."""
        if self._unsub_timer is None and (self._data.outbox.messages or self._is_open):
            self._unsub_timer = async_call_later(self._hass, _INTERVAL, self._async_look)

    @property
    def _is_open(self) -> bool:
        """Return whether one of the repairs is open."""
        return not {SERVICE_UNREACHABLE, PHONE_OUT_OF_TOUCH}.isdisjoint(async_get_problems(self._hass, self._entry))

    @callback
    def _async_look(self, _now: object) -> None:
        """Raise or clear the repairs."""
        self._unsub_timer = None
        self._judge_service()
        late = [
            message
            for message in self._data.outbox.messages
            if message.state is State.ACCEPTED and message.timeout_reported
        ]
        for phone in phones(self._entry):
            # One that was just added is polled first.
            if coordinator := self._data.phone_coordinators.get(phone.subentry_id):
                self._judge_phone(phone, coordinator, late)
        self._async_schedule()

    def _judge_service(self) -> None:
        """Judge by the messages that wait for the service; without one, a good poll is the proof."""
        since = self._hass.loop.time() - _MAX_WAIT
        if any(each.is_waiting_for_retry and each.created <= since for each in self._data.outbox.messages):
            async_raise(self._hass, self._entry, SERVICE_UNREACHABLE)
        elif self._data.coordinator.last_update_success:
            async_clear(self._hass, self._entry, SERVICE_UNREACHABLE)

    def _judge_phone(
        self, phone: ConfigSubentry, coordinator: GoSmsPhoneCoordinator, late: list[OutgoingMessage]
    ) -> None:
        """Judge by the late messages that wait for a phone, or for any phone while none can send."""
        is_none_fit = all(each.can_send is False for each in self._data.phone_coordinators.values())
        is_awaited = any(
            message.device_id == coordinator.device_id or (message.device_id is None and is_none_fit)
            for message in late
        )
        if not is_awaited or coordinator.can_send:
            async_clear(self._hass, self._entry, PHONE_OUT_OF_TOUCH, phone)
        elif coordinator.can_send is False and (last_seen := coordinator.data.last_online):
            placeholders = {"last_seen": f"{dt_util.as_local(last_seen):%Y-%m-%d %H:%M}"}
            async_raise(self._hass, self._entry, PHONE_OUT_OF_TOUCH, phone=phone, placeholders=placeholders)

    def _cancel_timer(self) -> None:
        """Cancel the timer, if there is one."""
        if self._unsub_timer:
            self._unsub_timer()
