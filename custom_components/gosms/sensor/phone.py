"""Sensors of a phone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import MAX_LENGTH_STATE_STATE, PERCENTAGE, EntityCategory
from homeassistant.helpers.typing import StateType

from ..coordinator import GoSmsPhoneCoordinator
from ..entity import GoSmsPhoneDescription, GoSmsPhoneEntity

# The vendor's numbers for a choice of the SIM card that names no slot.
_SIM_CHOICES: Final = {-2: "default", -1: "random"}


@dataclass(frozen=True, kw_only=True)
class GoSmsPhoneSensorDescription(GoSmsPhoneDescription[StateType | datetime], SensorEntityDescription):
    """Describes a sensor of a phone."""


def _sim(phone: GoSmsPhoneCoordinator) -> str | None:
    """Return the name of the SIM card that the phone sends with, or how it chooses one."""
    slot = phone.data.sim
    if slot is None or slot in _SIM_CHOICES:
        return None if slot is None else _SIM_CHOICES[slot]
    name = next((sim.name for sim in phone.data.sims if sim.slot == slot), None)
    return name[:MAX_LENGTH_STATE_STATE] if name else f"SIM {slot + 1}"


PHONE_SENSORS: Final = (
    GoSmsPhoneSensorDescription(
        key="battery",
        translation_key="battery",
        device_class=SensorDeviceClass.BATTERY,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda phone: phone.data.battery,
    ),
    GoSmsPhoneSensorDescription(
        key="last_seen",
        translation_key="last_seen",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda phone: phone.data.last_online,
    ),
    GoSmsPhoneSensorDescription(
        key="sim",
        translation_key="sim",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_sim,
    ),
)


class GoSmsPhoneSensor(GoSmsPhoneEntity[StateType | datetime], SensorEntity):
    """Shows a value of a phone."""

    entity_description: GoSmsPhoneSensorDescription

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return the value."""
        return self.value
