"""Binary sensors: the states of the phones, and whether the account needs the user's attention."""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.binary_sensor import (  # type: ignore[attr-defined]  # 2026.8 has it nowhere else.
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import GoSmsEntity, GoSmsPhoneDescription, GoSmsPhoneEntity, async_add_for_phones
from .issues import async_get_problems
from .runtime_data import GoSmsConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class GoSmsPhoneBinarySensorDescription(GoSmsPhoneDescription[bool | None], BinarySensorEntityDescription):
    """Describes a binary sensor of a phone."""


_PROBLEM: Final = BinarySensorEntityDescription(
    key="problem",
    translation_key="problem",
    device_class=BinarySensorDeviceClass.PROBLEM,
    entity_category=EntityCategory.DIAGNOSTIC,
)

_PHONE_SENSORS: Final = (
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
    async_add_entities([GoSmsProblemSensor(hass, entry)])
    async_add_for_phones(
        hass,
        entry,
        async_add_entities,
        lambda phone: (GoSmsPhoneBinarySensor(hass, entry, description, phone) for description in _PHONE_SENSORS),
    )


class GoSmsProblemSensor(GoSmsEntity, BinarySensorEntity):
    """Shows whether a repair of the account is open or a new token is needed. Always available."""

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
        """Initialize the sensor."""
        super().__init__(hass, entry, _PROBLEM)
        self._entry = entry
        self._reason: list[str] = []

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the issue registry. The first state is written after this."""
        self._reason = async_get_problems(self.hass, self._entry)
        self.async_on_remove(self.hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, self._async_update))

    @property
    @override
    def is_on(self) -> bool:
        """Return whether there is a problem."""
        return bool(self._reason)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, list[str]]:
        """Return the problems."""
        return {"reason": self._reason}

    @callback
    def _async_update(self, _event: Event[ir.EventIssueRegistryUpdatedData]) -> None:
        """Write the state if it changed."""
        self._reason = async_get_problems(self.hass, self._entry)
        self._async_write_if_changed(self._reason)


class GoSmsPhoneBinarySensor(GoSmsPhoneEntity[bool | None], BinarySensorEntity):
    """Shows a value of a phone that is either true or false."""

    entity_description: GoSmsPhoneBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return the value."""
        return self.value
