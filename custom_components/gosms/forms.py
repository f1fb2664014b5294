"""Fields and validation that the flows share: ids of phones and webhooks, and the choice of a phone."""

from collections.abc import Iterable
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import CONF_DEVICE_ID
from homeassistant.helpers.selector import (
    SelectOptionDict,
    Selector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from .api import ErrorCode, GoSmsApiError, GoSmsClient, GoSmsError, parse_vendor_id
from .errors import form_error
from .runtime_data import GoSmsConfigEntry
from .subentries import phones

# Errors that the id itself causes.
_DEVICE_ERRORS: Final = frozenset({"invalid_device_id", "unknown_device"})


def normalize_vendor_id(typed: str) -> str:
    """Return the id of a phone or a webhook in the vendor's notation."""
    return typed.strip().lower()


def is_vendor_id(typed: str) -> bool:
    """Return whether a text can be the id of a phone or a webhook."""
    return parse_vendor_id(typed) is not None


async def async_validate_phone(client: GoSmsClient, device_id: str) -> tuple[str, dict[str, str]]:
    """Return the name of a phone, and the form's errors if the phone can't be used.

    The name is the id if GoSMS has no name, or if the token has no permission to view phones, which is not an error.
    """
    if not is_vendor_id(device_id):
        return device_id, {CONF_DEVICE_ID: "invalid_device_id"}
    try:
        phone = await client.phone_info(device_id)
    except GoSmsError as err:
        if isinstance(err, GoSmsApiError) and err.code == ErrorCode.NO_VIEW_PHONES_PERMISSION:
            return device_id, {}
        error = form_error(err)
        return device_id, {CONF_DEVICE_ID if error in _DEVICE_ERRORS else "base": error}
    return phone.name or device_id, {}


def device_id_selector(entry: GoSmsConfigEntry) -> Selector[Any]:
    """Return a field for the id of a phone, with a choice of other phones that sent messages recently."""
    configured = {phone.unique_id for phone in phones(entry)}
    messages = entry.runtime_data.coordinator.data.messages if entry.state is ConfigEntryState.LOADED else ()
    if recent := {message.device_id for message in messages if message.device_id} - configured:
        choices = SelectSelectorConfig(options=sorted(recent), custom_value=True, mode=SelectSelectorMode.DROPDOWN)
        return SelectSelector(choices)
    return TextSelector()


def phone_selector(choices: Iterable[ConfigSubentry]) -> SelectSelector:
    """Return a field to choose one of the account's phones."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[SelectOptionDict(value=phone.subentry_id, label=phone.title) for phone in choices],
            mode=SelectSelectorMode.DROPDOWN,
        )
    )
