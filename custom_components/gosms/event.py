"""Event entities: the events of messages that Home Assistant sends."""

from typing import Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import GoSmsEntity, async_add_for_recipients
from .outbox import EVENT_TYPES, MessageEvent, OutgoingMessage, State
from .runtime_data import GoSmsConfigEntry
from .subentries import find_phone

PARALLEL_UPDATES = 0

_MESSAGE: Final = EventEntityDescription(key="message", translation_key="message", event_types=list(EVENT_TYPES))

_FAILURES: Final = frozenset(state.value for state in State if state.is_final and state is not State.DELIVERED)


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the event entities."""
    async_add_entities([GoSmsEventEntity(hass, entry)])
    entry.async_on_unload(
        async_add_for_recipients(
            hass, entry, async_add_entities, lambda recipient: [GoSmsEventEntity(hass, entry, recipient)]
        )
    )


class GoSmsEventEntity(GoSmsEntity, EventEntity):
    """Fires the events of an account's messages, or of those to one recipient. Always available."""

    # Keep texts and numbers, and what identifies a person or a message, out of the database.
    _unrecorded_attributes = frozenset({"message_ids", "phone_number", "recipient", "message", "tag", "phone"})

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, recipient: ConfigSubentry | None = None) -> None:
        """Initialize the entity of the account, or of a recipient."""
        super().__init__(hass, entry, _MESSAGE, recipient)
        self._entry = entry
        self._recipient_id = recipient.subentry_id if recipient else None

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the events of the outbox."""
        await super().async_added_to_hass()
        self.async_on_remove(self._entry.runtime_data.outbox.async_add_event_listener(self._async_handle_event))

    @callback
    def _async_handle_event(self, message: OutgoingMessage, event: MessageEvent) -> None:
        """Fire the event of a message that belongs to this entity."""
        if self._recipient_id not in (None, message.recipient):
            return
        recipient = self._entry.subentries.get(message.recipient or "")
        self._trigger_event(
            event.type,
            {
                "message_ids": list(message.ids),
                "phone_number": message.phone_number,
                "recipient": recipient.title if recipient else None,
                "message": message.text,
                "tag": message.tag,
                "seconds": event.seconds,
                "attempts": message.attempts,
                "phone": self._phone_name(message.device_id),
                # A failure without a reason is its own reason.
                "error": message.error or (event.type if event.type in _FAILURES else None),
            },
        )
        self.async_write_ha_state()

    def _phone_name(self, device_id: str | None) -> str | None:
        """Return the name of a message's phone, its id if it is not configured, or None if GoSMS chooses the phone."""
        phone = find_phone(self._entry, device_id)
        return phone.title if phone else device_id
