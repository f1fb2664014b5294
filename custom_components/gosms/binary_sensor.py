"""Binary sensors of the phones."""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.binary_sensor import (  # type: ignore[attr-defined]  # 2026.8 has it nowhere else.
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import SUBENTRY_PHONE
from .entity import GoSmsPhoneDescription, GoSmsPhoneEntity
from .runtime_data import GoSmsConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class GoSmsPhoneBinarySensorDescription(GoSmsPhoneDescription[bool | None], BinarySensorEntityDescription):
    """Describes a binary sensor of a phone."""


_PHONE: Final = (
    GoSmsPhoneBinarySensorDescription(
        key="charging",
        translation_key="charging",
        device_class=BinarySensorDeviceClass.BATTERY_CHARGING,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda phone: phone.data.is_charging,
    ),
    GoSmsPhoneBinarySensorDescription(
        key="online",
        translation_key="online",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda phone: phone.online,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the binary sensors."""
    for phone in entry.get_subentries_of_type(SUBENTRY_PHONE):
        async_add_entities(
            (GoSmsPhoneBinarySensor(hass, entry, description, phone) for description in _PHONE),
            config_subentry_id=phone.subentry_id,
        )


class GoSmsPhoneBinarySensor(GoSmsPhoneEntity[bool | None], BinarySensorEntity):
    """Shows something of a phone that is so or not."""

    entity_description: GoSmsPhoneBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return what the description makes of the phone."""
        return self.value
