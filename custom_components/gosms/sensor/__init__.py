"""Sensors of the account, of its recipients and of its phones."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..runtime_data import GoSmsConfigEntry
from ..subentries import phones, recipients
from .account import ACCOUNT, OUTBOX, GoSmsOutboxSensor, GoSmsSensor
from .phone import PHONE, GoSmsPhoneSensor
from .recipient import GoSmsRecipientSensor

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors."""
    async_add_entities(GoSmsSensor(hass, entry, description) for description in ACCOUNT)
    async_add_entities(GoSmsOutboxSensor(hass, entry, description) for description in OUTBOX)
    for recipient in recipients(entry):
        async_add_entities([GoSmsRecipientSensor(hass, entry, recipient)], config_subentry_id=recipient.subentry_id)
    for phone in phones(entry):
        async_add_entities(
            (GoSmsPhoneSensor(hass, entry, description, phone) for description in PHONE),
            config_subentry_id=phone.subentry_id,
        )
