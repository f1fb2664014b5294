"""Notify entities: one for each recipient."""

from typing import Final, override

# Newer versions do not list the feature in __all__, but 2026.8 has it nowhere else.
from homeassistant.components.notify import NotifyEntity, NotifyEntityDescription, NotifyEntityFeature  # type: ignore[attr-defined]
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import GoSmsEntity
from .runtime_data import GoSmsConfigEntry
from .sending import async_send_to_recipient
from .subentries import recipients

# Messages need not wait for each other here: the client limits the rate of requests.
PARALLEL_UPDATES = 0

_SMS: Final = NotifyEntityDescription(key="sms", translation_key="sms", name=None)


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the notify entities."""
    for recipient in recipients(entry):
        async_add_entities([GoSmsNotifyEntity(hass, entry, recipient)], config_subentry_id=recipient.subentry_id)


class GoSmsNotifyEntity(GoSmsEntity, NotifyEntity):
    """Sends an SMS to a recipient.

    It is always available, since Home Assistant skips an unavailable notify entity without an error, and the message
    would be lost silently.
    """

    _attr_supported_features = NotifyEntityFeature.TITLE

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, recipient: ConfigSubentry) -> None:
        """Initialize the entity of this recipient."""
        super().__init__(hass, entry, _SMS, recipient)
        self._entry = entry
        self._recipient = recipient

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Send an SMS. The title is put before the text, on a line of its own."""
        await async_send_to_recipient(self.hass, self._entry, self._recipient, message, title)
