"""Resolution of the account that an action uses."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import ServiceCall, callback
from homeassistant.helpers.service import async_get_config_entry

from ..const import DOMAIN
from ..errors import Failure, account_not_loaded, invalid_input, several_accounts
from ..runtime_data import GoSmsConfigEntry


@callback
def async_get_entry(call: ServiceCall) -> GoSmsConfigEntry:
    """Return the entry of the account that a call names, or of the only account, loaded or not.

    An account that is not loaded counts too. Otherwise a call without an account would use another one while the first
    one has a problem.

    Raises:
        ServiceValidationError: the account does not exist, or there are several to choose from. Translated.
    """
    entry_id = call.data.get(ATTR_CONFIG_ENTRY_ID)
    entries: list[GoSmsConfigEntry] = call.hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=entry_id is not None
    )
    if entry_id is not None:
        entries = [entry for entry in entries if entry.entry_id == entry_id]
    if len(entries) > 1:
        raise several_accounts()
    # Without an account, this raises Home Assistant's own error.
    return entries[0] if entries else async_get_config_entry(call.hass, DOMAIN, entry_id)


@callback
def async_get_loaded_entry(call: ServiceCall) -> GoSmsConfigEntry:
    """Return the entry of the account that a call names, or of the only account.

    Raises:
        ServiceValidationError: see `async_get_entry`, or the account is not loaded. Translated.
    """
    entry = async_get_entry(call)
    if failure := async_entry_failure(entry):
        raise invalid_input(failure.key, failure.placeholders)
    return entry


@callback
def async_entry_failure(entry: GoSmsConfigEntry) -> Failure | None:
    """Return why an account can't be used, or None."""
    return None if entry.state is ConfigEntryState.LOADED else account_not_loaded(entry.title)
