"""Sensors of the account, of its recipients and of its phones."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..entity import async_add_for_phones, async_add_for_recipients
from ..runtime_data import GoSmsConfigEntry
from .account import ACCOUNT_SENSORS, OUTBOX_SENSORS, GoSmsOutboxSensor, GoSmsSensor
from .last_message import GoSmsLastMessageSensor
from .phone import PHONE_SENSORS, GoSmsPhoneSensor
from .plan import async_set_up_plan
from .recipient import GoSmsRecipientSensor

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors."""
    async_add_entities(GoSmsSensor(hass, entry, description) for description in ACCOUNT_SENSORS)
    async_add_entities(GoSmsOutboxSensor(hass, entry, description) for description in OUTBOX_SENSORS)
    async_add_entities([GoSmsLastMessageSensor(hass, entry)])
    async_set_up_plan(hass, entry, async_add_entities)
    entry.async_on_unload(
        async_add_for_recipients(
            hass, entry, async_add_entities, lambda recipient: [GoSmsRecipientSensor(hass, entry, recipient)]
        )
    )
    async_add_for_phones(
        hass,
        entry,
        async_add_entities,
        lambda phone: (GoSmsPhoneSensor(hass, entry, description, phone) for description in PHONE_SENSORS),
    )
