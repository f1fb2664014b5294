"""Which account an action means."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import ServiceCall, callback
from homeassistant.helpers.service import async_get_config_entry

from ..const import DOMAIN
from ..errors import Failure, account_not_loaded, invalid_input, several_accounts
from ..runtime_data import GoSmsConfigEntry


@callback
def async_account(call: ServiceCall) -> GoSmsConfigEntry:
    """Return the account that a call names, or the only one that is set up, loaded or not.

    An account that is not loaded counts too: otherwise a call that names none would go through another account as
    long as the first one has a problem.

    Raises:
        ServiceValidationError: there is no such account, or there are several to choose from. Translated.
    """
    entry_id = call.data.get(ATTR_CONFIG_ENTRY_ID)
    accounts: list[GoSmsConfigEntry] = call.hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=entry_id is not None
    )
    if entry_id is not None:
        accounts = [account for account in accounts if account.entry_id == entry_id]
    if len(accounts) > 1:
        raise several_accounts()
    # Where there is none, Home Assistant's own error says so.
    return accounts[0] if accounts else async_get_config_entry(call.hass, DOMAIN, entry_id)


@callback
def async_loaded_account(call: ServiceCall) -> GoSmsConfigEntry:
    """Return the account that a call names, or the only one that is set up.

    Raises:
        ServiceValidationError: see `async_account`, or it is not loaded. Translated.
    """
    account = async_account(call)
    if failure := async_failure_of(account):
        raise invalid_input(failure.key, failure.placeholders)
    return account


@callback
def async_failure_of(account: GoSmsConfigEntry) -> Failure | None:
    """Return why an account can't be used, or None."""
    return None if account.state is ConfigEntryState.LOADED else account_not_loaded(account.title)
