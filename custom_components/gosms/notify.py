"""Notify entities: one for each recipient."""

from contextlib import suppress
from functools import partial
from typing import Final, override

# Newer versions do not list the feature in __all__, but 2026.8 has it nowhere else.
from homeassistant.components.notify import (  # type: ignore[attr-defined]
    NotifyEntity,
    NotifyEntityDescription,
    NotifyEntityFeature,
    async_unload_entry,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import GoSmsEntity, async_add_for_recipients
from .runtime_data import NOTIFY_ENTITIES, SENT, GoSmsConfigEntry
from .sending import async_send_to_recipient

# Messages need not wait for each other here: the client limits the rate of requests.
PARALLEL_UPDATES = 0

_SMS: Final = NotifyEntityDescription(key="sms", translation_key="sms", name=None)


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the notify entities. They stay while the account is reloaded, and wait for the end of it."""
    present: set[str] = set()

    def create(recipient: ConfigSubentry) -> list[GoSmsNotifyEntity]:
        if recipient.subentry_id in present:
            return []
        present.add(recipient.subentry_id)
        entity = GoSmsNotifyEntity(hass, entry, recipient)
        entity.async_on_remove(partial(present.discard, recipient.subentry_id))
        return [entity]

    stop = async_add_for_recipients(hass, entry, async_add_entities, create)

    async def async_remove() -> None:
        stop()
        # `async_unload_platforms` does nothing once the account is not loaded, so ask the component itself.
        # Home Assistant 2026.8 raises an error if the entities are gone already, as after `rest.reload`.
        with suppress(ValueError):
            await async_unload_entry(hass, entry)

    hass.data.setdefault(NOTIFY_ENTITIES, {})[entry.entry_id] = async_remove


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
    async def async_added_to_hass(self) -> None:
        """Record the time of messages that an action or the button sent."""
        await super().async_added_to_hass()
        signal = SENT.format(self._recipient.subentry_id)
        self.async_on_remove(async_dispatcher_connect(self.hass, signal, self._async_record_notification))

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Send an SMS. The title is put before the text, on a line of its own."""
        await async_send_to_recipient(self.hass, self._entry, self._recipient, message, title)
