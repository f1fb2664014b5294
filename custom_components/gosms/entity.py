"""What all entities share: their names, their unique ids and the devices that they belong to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .coordinator import GoSmsPhoneCoordinator
from .device import account_device, subentry_device
from .runtime_data import GoSmsConfigEntry


class GoSmsEntity(Entity):
    """An entity of the account, or of one of its subentries."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self,
        hass: HomeAssistant,
        entry: GoSmsConfigEntry,
        description: EntityDescription,
        subentry: ConfigSubentry | None = None,
    ) -> None:
        """Make the entity; the device of the account must be there already."""
        self.entity_description = description
        if subentry is None:
            self._attr_unique_id = f"{entry.entry_id}_{description.key}"
            self._attr_device_info = account_device(entry)
        else:
            self._attr_unique_id = f"{entry.entry_id}_{subentry.subentry_id}_{description.key}"
            self._attr_device_info = subentry_device(hass, entry, subentry)


@dataclass(frozen=True, kw_only=True)
class GoSmsPhoneDescription[T](EntityDescription):
    """Describes an entity of a phone: its value from what is known of the phone."""

    value_fn: Callable[[GoSmsPhoneCoordinator], T]


class GoSmsPhoneEntity[T](GoSmsEntity, CoordinatorEntity[GoSmsPhoneCoordinator]):
    """An entity of a phone. It is written when what it shows has changed, not with each report of the phone."""

    entity_description: GoSmsPhoneDescription[T]

    def __init__(
        self,
        hass: HomeAssistant,
        entry: GoSmsConfigEntry,
        description: GoSmsPhoneDescription[T],
        phone: ConfigSubentry,
    ) -> None:
        """Make the entity of this phone."""
        CoordinatorEntity.__init__(self, entry.runtime_data.phones[phone.subentry_id])
        GoSmsEntity.__init__(self, hass, entry, description, phone)
        self._shown: tuple[bool, T] | None = None

    @property
    def value(self) -> T:
        """Return what the description makes of the phone."""
        return self.entity_description.value_fn(self.coordinator)

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen; the state is written for the first time after this."""
        await super().async_added_to_hass()
        self._shown = self.available, self.value

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state if it is another one."""
        shown = self.available, self.value
        if shown != self._shown:
            self._shown = shown
            self.async_write_ha_state()
