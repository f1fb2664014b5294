"""The sensor of a recipient."""

from collections.abc import Collection
from typing import Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.restore_state import RestoreEntity
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from ..const import CONF_PHONE_NUMBER
from ..coordinator import GoSmsCoordinator
from ..entity import GoSmsEntity
from ..outbox import OutgoingMessage, State
from ..runtime_data import UPDATED, GoSmsConfigEntry
from .account import STATUSES
from .recipient_status import RecipientStatus

# Statuses that GoSMS does not have, of messages that Home Assistant sends.
_OWN_STATUSES: Final = [
    state.value for state in State if (state is State.QUEUED or state.is_final) and state.value not in STATUSES
]

_RECIPIENT: Final = SensorEntityDescription(
    key="last_message_status",
    translation_key="last_message_status",
    device_class=SensorDeviceClass.ENUM,
    options=[*STATUSES, *_OWN_STATUSES],
)


class GoSmsRecipientSensor(GoSmsEntity, CoordinatorEntity[GoSmsCoordinator], SensorEntity, RestoreEntity):
    """Shows the status of the newest message to one recipient, whoever sent it."""

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, recipient: ConfigSubentry) -> None:
        """Initialize the sensor of this recipient."""
        CoordinatorEntity.__init__(self, entry.runtime_data.coordinator)
        GoSmsEntity.__init__(self, hass, entry, _RECIPIENT, recipient)
        self._outbox = entry.runtime_data.outbox
        self._status = RecipientStatus(recipient)
        self._recipient = recipient
        self._number = recipient.data[CONF_PHONE_NUMBER]
        self._updated = UPDATED.format(entry.entry_id)

    @override
    async def async_added_to_hass(self) -> None:
        """Restore the status, and follow the messages."""
        await super().async_added_to_hass()
        stored = await self.async_get_last_extra_data()
        own = self._own([*self._outbox.history, *self._outbox.messages])
        self._status.restore(stored.as_dict() if stored else {}, own, self.coordinator.data)
        self.async_on_remove(self._outbox.async_add_message_listener(self._async_update))
        self.async_on_remove(async_dispatcher_connect(self.hass, self._updated, self._async_handle_number))

    @property
    @override
    def extra_restore_state_data(self) -> RecipientStatus:
        """Return the data to restore."""
        return self._status

    @property
    @override
    def available(self) -> bool:
        """Return whether the status is known: in an outage, only if the service can't have a newer one."""
        return super().available or not self._status.needs_service(self.coordinator.data)

    @property
    @override
    def native_value(self) -> str | None:
        """Return the status of the newest message."""
        return self._status.newest(self.coordinator.data)

    @callback
    def _async_update(self, messages: Collection[OutgoingMessage]) -> None:
        """Update the status by messages that changed."""
        own = self._own(messages)
        for message in own:
            self._status.update(message, self.coordinator.data)
        if own:
            self._async_write_if_changed(self.available, self.native_value)

    def _own(self, messages: Collection[OutgoingMessage]) -> list[OutgoingMessage]:
        """Return those messages that are for this recipient."""
        return [message for message in messages if message.recipient == self._recipient.subentry_id]

    @callback
    def _async_handle_number(self) -> None:
        """Forget the messages if the recipient has another number."""
        if (number := self._recipient.data[CONF_PHONE_NUMBER]) != self._number:
            self._number = number
            self._status.reset(self.hass.loop.time())
            self._async_write_if_changed(self.available, self.native_value)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state if it changed."""
        self._async_write_if_changed(self.available, self.native_value)
