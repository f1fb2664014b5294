"""What all entities share: their names, their unique ids and the devices that they belong to."""

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription

from .const import CONTROL_PANEL_URL, DOMAIN
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


def account_device(entry: GoSmsConfigEntry) -> DeviceInfo:
    """Return the device that stands for the account."""
    return DeviceInfo(
        configuration_url=CONTROL_PANEL_URL,
        entry_type=DeviceEntryType.SERVICE,
        identifiers={(DOMAIN, entry.entry_id)},
        manufacturer="GoSMS.ru",
        name=entry.title,
    )


def subentry_device(hass: HomeAssistant, entry: GoSmsConfigEntry, subentry: ConfigSubentry) -> DeviceInfo:
    """Return the device that stands for a recipient or a phone, which hangs on the account's."""
    return DeviceInfo(
        entry_type=DeviceEntryType.SERVICE,
        identifiers={(DOMAIN, f"{entry.entry_id}_{subentry.subentry_id}")},
        manufacturer="GoSMS.ru",
        name=subentry.title,
        via_device_id=dr.async_get_device_id_by_identifier(
            hass, (DOMAIN, entry.entry_id), config_entry_id=entry.entry_id
        ),
    )
