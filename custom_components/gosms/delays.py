"""Repairs for messages that have waited for too long: for the service, or for a phone."""

from collections.abc import Iterable
from datetime import datetime
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

# Seconds between two checks, and before the first one: by then the service has been polled.
_INTERVAL: Final = 60


class DelayMonitor:
    """Checks the messages in transit every minute, as long as there are any, or one of the repairs is open."""

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
        """Make the monitor of an account that is loaded."""
        self._hass = hass
        self._entry = entry
        self._data = entry.runtime_data
        self._unsub_timer: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Start to check; returns how to stop it."""
        unsubscribe = self._data.outbox.async_add_message_listener(self._async_schedule)
        self._async_schedule()

        @callback
        def async_stop() -> None:
            unsubscribe()
            if self._unsub_timer:
                self._unsub_timer()

        return async_stop

    @callback
    def _async_schedule(self, _messages: Iterable[OutgoingMessage] = ()) -> None:
        """Check again in a minute if there is anything to check."""
        if self._unsub_timer is None and (self._data.outbox.messages or self._is_repair_open):
            self._unsub_timer = async_call_later(self._hass, _INTERVAL, self._async_check)

    @property
    def _is_repair_open(self) -> bool:
        """Return whether one of the repairs is open."""
        return not {SERVICE_UNREACHABLE, PHONE_OUT_OF_TOUCH}.isdisjoint(async_get_problems(self._hass, self._entry))

    @callback
    def _async_check(self, _now: datetime) -> None:
        """Raise or clear the repairs."""
        self._unsub_timer = None
        self._check_service()
        self._check_phones()
        self._async_schedule()

    def _check_service(self) -> None:
        """Raise the repair if a message has waited for too long; clear it if none has, and the last poll succeeded."""
        since = self._hass.loop.time() - _MAX_WAIT
        if any(each.is_waiting_for_retry and each.created <= since for each in self._data.outbox.messages):
            async_raise(self._hass, self._entry, SERVICE_UNREACHABLE)
        elif self._data.coordinator.last_update_success:
            async_clear(self._hass, self._entry, SERVICE_UNREACHABLE)

    def _check_phones(self) -> None:
        """Raise or clear the repair of each phone, by the messages whose delivery is overdue."""
        coordinators = self._data.phone_coordinators
        # The phones of the overdue messages. None is any phone: such a message waits for each of them if none can send.
        awaited = {
            message.device_id
            for message in self._data.outbox.messages
            if message.state is State.ACCEPTED and message.timeout_reported
        }
        can_none_send = all(each.can_send is False for each in coordinators.values())
        for phone in phones(self._entry):
            # A phone that was just added is polled first.
            if coordinator := coordinators.get(phone.subentry_id):
                is_awaited = coordinator.device_id in awaited or (None in awaited and can_none_send)
                self._check_phone(phone, coordinator, is_awaited=is_awaited)

    def _check_phone(self, phone: ConfigSubentry, coordinator: GoSmsPhoneCoordinator, *, is_awaited: bool) -> None:
        """Raise the repair if the phone is awaited and can't send; clear it if it can, or is not awaited."""
        if not is_awaited or coordinator.can_send:
            async_clear(self._hass, self._entry, PHONE_OUT_OF_TOUCH, phone)
        elif coordinator.can_send is False and (last_seen := coordinator.data.last_online):
            placeholders = {"last_seen": f"{dt_util.as_local(last_seen):%Y-%m-%d %H:%M}"}
            async_raise(self._hass, self._entry, PHONE_OUT_OF_TOUCH, phone=phone, placeholders=placeholders)
