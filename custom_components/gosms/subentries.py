"""The subentries of an account: phones and recipients."""

from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_DEVICE_ID

from .const import CONF_PHONE_NUMBER, SUBENTRY_PHONE, SUBENTRY_RECIPIENT


def phones(entry: ConfigEntry[Any]) -> list[ConfigSubentry]:
    """Return the phones of an account."""
    return list(entry.get_subentries_of_type(SUBENTRY_PHONE))


def recipients(entry: ConfigEntry[Any]) -> list[ConfigSubentry]:
    """Return the recipients of an account."""
    return list(entry.get_subentries_of_type(SUBENTRY_RECIPIENT))


def find_phone(entry: ConfigEntry[Any], device_id: str | None) -> ConfigSubentry | None:
    """Return the phone with this GoSMS id, or None if there is none, or no id."""
    return next((phone for phone in phones(entry) if phone.data[CONF_DEVICE_ID] == device_id), None)


def find_recipient(entry: ConfigEntry[Any], phone_number: str) -> ConfigSubentry | None:
    """Return the recipient with this number, in digits, or None."""
    return next((each for each in recipients(entry) if each.data[CONF_PHONE_NUMBER] == phone_number), None)
