"""Changes of an account's entry, applied in place: only what changed comes, goes or is renamed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState, ConfigSubentry
from homeassistant.const import CONF_DEVICE_ID
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .const import SUBENTRY_PHONE
from .coordinator import GoSmsPhoneCoordinator
from .device import async_update_account_device, async_update_subentry_device
from .issues import async_update_issues
from .runtime_data import SUBENTRY_READY, UPDATED, GoSmsConfigEntry, async_run, async_use_token

# In other states the account is being unloaded, and the next setup sees the changes.
_ACTIVE: Final = frozenset({ConfigEntryState.SETUP_IN_PROGRESS, ConfigEntryState.LOADED})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Applied:
    """An entry as it was applied. Home Assistant changes a subentry itself, so its parts are kept."""

    title: str
    data: Mapping[str, Any]
    subentries: Mapping[str, tuple[str, Mapping[str, Any]]]

    @classmethod
    def of(cls, entry: GoSmsConfigEntry) -> Self:
        """Return an entry as it is now."""
        subentries = {key: (subentry.title, subentry.data) for key, subentry in entry.subentries.items()}
        return cls(title=entry.title, data=entry.data, subentries=subentries)


@callback
def async_follow_entry(hass: HomeAssistant, entry: GoSmsConfigEntry) -> CALLBACK_TYPE:
    """Apply what changes in an entry from now on; returns how to stop it.

    Nothing is done for a changed option but to send the signal `UPDATED`: options are read when they are used.
    """
    applied = _Applied.of(entry)

    async def async_update(_hass: HomeAssistant, _entry: GoSmsConfigEntry) -> None:
        nonlocal applied
        if entry.state in _ACTIVE:
            before, applied = applied, _Applied.of(entry)
            _async_apply(hass, entry, before, applied)

    return entry.add_update_listener(async_update)


@callback
def async_start_phone(hass: HomeAssistant, entry: GoSmsConfigEntry, phone: ConfigSubentry) -> None:
    """Poll a phone from now on, and keep its device up to date. Its entities are added after the first poll."""
    phones = entry.runtime_data.phone_coordinators
    coordinator = phones[phone.subentry_id] = GoSmsPhoneCoordinator(hass, entry, entry.runtime_data.client, phone)

    @callback
    def async_update_device() -> None:
        if phones.get(phone.subentry_id) is coordinator:
            async_update_subentry_device(hass, entry, phone)

    async def async_first_poll() -> None:
        await coordinator.async_refresh()
        if phones.get(phone.subentry_id) is coordinator:
            async_dispatcher_send(hass, SUBENTRY_READY.format(entry.entry_id), phone)

    # A coordinator without listeners does not poll, and all entities may be disabled.
    entry.async_on_unload(coordinator.async_add_listener(async_update_device))
    async_run(hass, entry, async_first_poll(), "GoSMS.ru first poll of a phone")


@callback
def async_try_again(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Poll everything and send what is queued, since the user fixed something. Reload an entry that is not loaded."""
    if entry.state in _ACTIVE:
        entry.runtime_data.outbox.async_retry_now()
        async_run(hass, entry, _async_poll_all(hass, entry), "GoSMS.ru poll after a change")
    else:
        hass.config_entries.async_schedule_reload(entry.entry_id)


@callback
def _async_apply(hass: HomeAssistant, entry: GoSmsConfigEntry, before: _Applied, after: _Applied) -> None:
    """Apply the difference. Nothing is awaited here, so that changes are applied in their order."""
    is_setup = entry.state is ConfigEntryState.SETUP_IN_PROGRESS
    if after.data != before.data:
        async_use_token(hass, entry)
        async_try_again(hass, entry)
    if after.title != before.title:
        async_update_account_device(hass, entry)
    for subentry_id in before.subentries.keys() - after.subentries.keys():
        _async_remove(hass, entry, subentry_id)
    for subentry_id, present in after.subentries.items():
        subentry, known = entry.subentries[subentry_id], before.subentries.get(subentry_id)
        if is_setup and subentry.subentry_type == SUBENTRY_PHONE:
            # The setup starts all phones at its end.
            continue
        if known is None:
            _async_add(hass, entry, subentry)
        elif known != present:
            async_update_subentry_device(hass, entry, subentry)
            _, data = known
            _async_change(hass, entry, subentry, data)
    async_update_issues(hass, entry)
    entry.runtime_data.outbox.async_prune_history()
    async_dispatcher_send(hass, UPDATED.format(entry.entry_id))


@callback
def _async_add(hass: HomeAssistant, entry: GoSmsConfigEntry, subentry: ConfigSubentry) -> None:
    """Add a new recipient or phone."""
    if subentry.subentry_type == SUBENTRY_PHONE:
        async_start_phone(hass, entry, subentry)
    else:
        async_dispatcher_send(hass, SUBENTRY_READY.format(entry.entry_id), subentry)


@callback
def _async_remove(hass: HomeAssistant, entry: GoSmsConfigEntry, subentry_id: str) -> None:
    """Stop polling a phone. Home Assistant itself removes the device and the entities of a subentry after this."""
    if coordinator := entry.runtime_data.phone_coordinators.pop(subentry_id, None):
        entry.async_create_task(hass, coordinator.async_shutdown(), "GoSMS.ru end of a phone")


@callback
def _async_change(
    hass: HomeAssistant, entry: GoSmsConfigEntry, subentry: ConfigSubentry, before: Mapping[str, Any]
) -> None:
    """Poll a phone that became another one. All other data of a subentry is read when it is used."""
    if subentry.data.get(CONF_DEVICE_ID) != before.get(CONF_DEVICE_ID):
        coordinator = entry.runtime_data.phone_coordinators[subentry.subentry_id]
        coordinator.async_reset()
        async_run(hass, entry, coordinator.async_refresh(), "GoSMS.ru poll of another phone")


async def _async_poll_all(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Poll everything. If the token is accepted, end the request for another one."""
    data = entry.runtime_data
    await asyncio.gather(
        data.coordinator.async_refresh(), *(phone.async_refresh() for phone in data.phone_coordinators.values())
    )
    if data.coordinator.last_update_success:
        for flow in list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})):
            hass.config_entries.flow.async_abort(flow["flow_id"])
