"""Devices: one for the account, and one for each recipient and phone."""

from collections.abc import Container

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo

from .const import CONF_PHONE_NUMBER, CONTROL_PANEL_URL, DOMAIN, SUBENTRY_PHONE
from .coordinator import GoSmsPhoneCoordinator
from .phone_number import ending
from .runtime_data import GoSmsConfigEntry


def account_device(entry: GoSmsConfigEntry) -> DeviceInfo:
    """Return the device of the account."""
    return DeviceInfo(
        configuration_url=CONTROL_PANEL_URL,
        entry_type=DeviceEntryType.SERVICE,
        identifiers={(DOMAIN, entry.entry_id)},
        manufacturer="GoSMS.ru",
        name=entry.title,
    )


def subentry_device(hass: HomeAssistant, entry: GoSmsConfigEntry, subentry: ConfigSubentry) -> DeviceInfo:
    """Return the device of a recipient or a phone, which is connected through the account's device."""
    device = DeviceInfo(
        identifiers={_identifier(entry, subentry)},
        name=subentry.title,
        via_device_id=dr.async_get_device_id_by_identifier(
            hass, (DOMAIN, entry.entry_id), config_entry_id=entry.entry_id
        ),
    )
    # From Home Assistant 2026.11 on, DeviceInfo is no longer a dictionary, but it still has `update`.
    if subentry.subentry_type == SUBENTRY_PHONE:
        device.update(_phone_details(entry.runtime_data.phone_coordinators[subentry.subentry_id]))
    else:
        number = ending(subentry.data[CONF_PHONE_NUMBER])
        device.update(DeviceInfo(entry_type=DeviceEntryType.SERVICE, model=number))
    return device


def subentry_of_device(entry: GoSmsConfigEntry, identifiers: Container[tuple[str, str]]) -> ConfigSubentry | None:
    """Return the recipient or the phone whose device has these identifiers, or None."""
    return next((each for each in entry.subentries.values() if _identifier(entry, each) in identifiers), None)


@callback
def async_update_account_device(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Create or update the device of an account."""
    dr.async_get(hass).async_get_or_create(config_entry_id=entry.entry_id, **account_device(entry))


@callback
def async_update_subentry_device(hass: HomeAssistant, entry: GoSmsConfigEntry, subentry: ConfigSubentry) -> None:
    """Create or update the device of a recipient or a phone, with the details that GoSMS reports of a phone."""
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        config_subentry_id=subentry.subentry_id,
        **subentry_device(hass, entry, subentry),
    )


def _identifier(entry: GoSmsConfigEntry, subentry: ConfigSubentry) -> tuple[str, str]:
    """Return the identifier of a subentry's device."""
    return DOMAIN, f"{entry.entry_id}_{subentry.subentry_id}"


def _phone_details(phone: GoSmsPhoneCoordinator) -> DeviceInfo:
    """Return the details that GoSMS reports of a phone. A missing detail leaves the device as it was."""
    device = DeviceInfo(configuration_url=f"{CONTROL_PANEL_URL}/devices")
    if phone.data.model:
        device["model"] = phone.data.model
    if phone.data.name:
        device["model_id"] = phone.data.name
    return device
