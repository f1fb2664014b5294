"""What the accounts of one Home Assistant know of each other."""

from unittest.mock import Mock

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.outbox.account import STORES, Account
from custom_components.gosms.outbox.store import MessageStore


@pytest.mark.parametrize(
    ("state", "disabled_by", "are_known"),
    [
        (ConfigEntryState.NOT_LOADED, None, False),
        (ConfigEntryState.SETUP_IN_PROGRESS, None, False),
        # It will not be loaded soon, and must not hold the others back.
        (ConfigEntryState.SETUP_ERROR, None, True),
        (ConfigEntryState.NOT_LOADED, ConfigEntryDisabler.USER, True),
    ],
)
async def test_ids_are_known_once_every_account_is_loaded(
    hass: HomeAssistant, state: ConfigEntryState, disabled_by: ConfigEntryDisabler | None, *, are_known: bool
) -> None:
    store: MessageStore = Mock(MessageStore)
    entry, other = (MockConfigEntry(domain="gosms", disabled_by=disabled_by, state=state) for _ in range(2))
    for each in (entry, other):
        each.add_to_hass(hass)
    stores = hass.data[STORES] = {entry.entry_id: store}
    account = Account(hass=hass, entry=entry, client=Mock(), store=store, poll=Mock(), can_send=Mock())
    assert account.knows_all_ids() is are_known
    stores[other.entry_id] = store
    assert account.knows_all_ids()
