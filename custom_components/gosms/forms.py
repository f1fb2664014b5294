"""Fields and checks that the flows share: ids of phones and webhooks, and the choice of a phone."""

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

# The errors that the id itself is to blame for.
_DEVICE_ERRORS: Final = frozenset({"invalid_device_id", "unknown_device"})


def normalize_vendor_id(typed: str) -> str:
    """Return the id of a phone or a webhook as the vendor writes it."""
    return typed.strip().lower()


def is_vendor_id(typed: str) -> bool:
    """Return whether this can be the id of a phone or a webhook."""
    return parse_vendor_id(typed) is not None


async def async_check_phone(client: GoSmsClient, device_id: str) -> tuple[str, dict[str, str]]:
    """Return what GoSMS calls a phone, and a form's errors if the phone can't be used.

    The name is the id itself where GoSMS has none, or where the token may not see phones, which is no error.
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
    """Return a field for the id of a phone; phones that sent something recently can be chosen."""
    configured = {phone.unique_id for phone in phones(entry)}
    messages = entry.runtime_data.coordinator.data.messages if entry.state is ConfigEntryState.LOADED else ()
    if seen := {message.device_id for message in messages if message.device_id} - configured:
        choices = SelectSelectorConfig(options=sorted(seen), custom_value=True, mode=SelectSelectorMode.DROPDOWN)
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
