"""Sensors of the account, of its recipients and of its phones."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..runtime_data import GoSmsConfigEntry
from ..subentries import phones, recipients
from .account import ACCOUNT_SENSORS, OUTBOX_SENSORS, GoSmsOutboxSensor, GoSmsSensor
from .last_message import GoSmsLastMessageSensor
from .phone import PHONE_SENSORS, GoSmsPhoneSensor
from .recipient import GoSmsRecipientSensor

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors."""
    async_add_entities(GoSmsSensor(hass, entry, description) for description in ACCOUNT_SENSORS)
    async_add_entities(GoSmsOutboxSensor(hass, entry, description) for description in OUTBOX_SENSORS)
    async_add_entities([GoSmsLastMessageSensor(hass, entry)])
    for recipient in recipients(entry):
        async_add_entities([GoSmsRecipientSensor(hass, entry, recipient)], config_subentry_id=recipient.subentry_id)
    for phone in phones(entry):
        async_add_entities(
            (GoSmsPhoneSensor(hass, entry, description, phone) for description in PHONE_SENSORS),
            config_subentry_id=phone.subentry_id,
        )
