"""Binary sensors of the phones, and one that tells if the account waits for the user."""

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

from .entity import GoSmsEntity, GoSmsPhoneDescription, GoSmsPhoneEntity
from .issues import async_open_issues
from .runtime_data import GoSmsConfigEntry
from .subentries import phones

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
    async_add_entities([GoSmsProblemSensor(hass, entry)])
    for phone in phones(entry):
        async_add_entities(
            (GoSmsPhoneBinarySensor(hass, entry, description, phone) for description in _PHONE),
            config_subentry_id=phone.subentry_id,
        )


class GoSmsProblemSensor(GoSmsEntity, BinarySensorEntity):
    """Tells if a repair of the account is open, or a new token is asked for. Always available."""

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
        """Make the sensor."""
        super().__init__(hass, entry, _PROBLEM)
        self._entry = entry
        self._reason: list[str] = []

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen; the state is written for the first time after this."""
        self._reason = async_open_issues(self.hass, self._entry)
        self.async_on_remove(self.hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, self._async_look))

    @property
    @override
    def is_on(self) -> bool:
        """Tell if there is a problem."""
        return bool(self._reason)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, list[str]]:
        """Return what the problem is."""
        return {"reason": self._reason}

    @callback
    def _async_look(self, _event: Event[ir.EventIssueRegistryUpdatedData]) -> None:
        """Write the state if it is another one."""
        reason = async_open_issues(self.hass, self._entry)
        if reason != self._reason:
            self._reason = reason
            self.async_write_ha_state()


class GoSmsPhoneBinarySensor(GoSmsPhoneEntity[bool | None], BinarySensorEntity):
    """Shows something of a phone that is so or not."""

    entity_description: GoSmsPhoneBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return what the description makes of the phone."""
        return self.value
