"""GoSMS.ru for Home Assistant: SMS through the user's own Android phones."""

import asyncio
from functools import partial
from typing import Final

from homeassistant.const import CONF_API_TOKEN, CONF_URL, Platform
from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .coordinator import GoSmsCoordinator, GoSmsPhoneCoordinator
from .device import account_device, async_update_phone_device
from .issues import IssueManager, async_clear_all as async_clear_all_issues
from .notify_actions import async_setup_notify_actions
from .outbox import MessageEvent, Outbox, OutgoingMessage, State
from .runtime_data import GoSmsConfigEntry, GoSmsData, async_create_client
from .services import async_setup_services
from .subentries import phones

CONFIG_SCHEMA: Final = cv.config_entry_only_config_schema(DOMAIN)

_PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.NOTIFY,
    Platform.SENSOR,
    Platform.SWITCH,
]


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Register the actions. They exist without an account too, so that automations can be validated."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: GoSmsConfigEntry) -> bool:
    """Set up an account.

    It needs no network: a message to a missing notify entity is lost without an error, so neither an outage of the
    service nor a rejected token may keep the entities from being added. The first poll runs once they are.
    """
    client = async_create_client(hass, entry.data[CONF_API_TOKEN], entry.data[CONF_URL])
    client.on_request_done = IssueManager(hass, entry).async_handle_outcome
    coordinator = GoSmsCoordinator(hass, entry, client)
    phone_coordinators = {
        phone.subentry_id: GoSmsPhoneCoordinator(hass, entry, client, phone) for phone in phones(entry)
    }

    def can_send(device_id: str) -> bool | None:
        """Return whether a phone can send, or None if it is not known."""
        return next((phone.can_send for phone in phone_coordinators.values() if phone.device_id == device_id), None)

    outbox = Outbox(hass, entry, client, coordinator.async_poll, can_send)
    await outbox.async_load()
    entry.runtime_data = GoSmsData(
        client=client, coordinator=coordinator, phone_coordinators=phone_coordinators, outbox=outbox
    )
    # The devices of the subentries refer to this one, so it must exist before any platform is set up.
    dr.async_get(hass).async_get_or_create(config_entry_id=entry.entry_id, **account_device(entry))
    await hass.config_entries.async_forward_entry_setups(entry, _PLATFORMS)
    async_setup_notify_actions(hass, entry)
    entry.async_on_unload(entry.add_update_listener(_async_reload))
    outbox.async_start()
    coordinator.on_page = outbox.async_apply
    # A coordinator without listeners does not poll, and all entities may be disabled.
    entry.async_on_unload(coordinator.async_add_listener(lambda: None))
    _async_track_phones(hass, entry)
    # Close the outbox before the network shuts down, so that its request can end and accepted messages are on disk.
    entry.async_on_unload(hass.async_add_shutdown_job(HassJob(outbox.async_close)))
    for refresh in (coordinator.async_refresh, *(phone.async_refresh for phone in phone_coordinators.values())):
        first_poll = entry.async_create_task(hass, refresh(), "GoSMS.ru first poll")
        # An unload must not wait for a service that does not respond.
        entry.async_on_unload(partial(_cancel, first_poll))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: GoSmsConfigEntry) -> bool:
    """Unload an account."""
    outbox = entry.runtime_data.outbox
    # Events would be lost while the entities are being removed. The next run publishes them.
    outbox.async_pause_events()
    unloaded = await hass.config_entries.async_unload_platforms(entry, _PLATFORMS)
    if unloaded:
        await outbox.async_unload()
    else:
        outbox.async_resume_events()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Remove the repairs and the stored messages of an account."""
    async_clear_all_issues(hass, entry)
    await Outbox.async_remove(hass, entry.entry_id)


async def _async_reload(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Reload an account after a change of its data, options or subentries."""
    hass.config_entries.async_schedule_reload(entry.entry_id)


@callback
def _async_track_phones(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Keep the devices of the phones up to date, and refresh a phone after it failed to send."""
    coordinators = entry.runtime_data.phone_coordinators
    for subentry_id, phone in coordinators.items():
        update_device = partial(async_update_phone_device, hass, entry, entry.subentries[subentry_id])
        entry.async_on_unload(phone.async_add_listener(update_device))

    @callback
    def async_refresh_failed_phone(message: OutgoingMessage, event: MessageEvent) -> None:
        """Refresh the phone that a failed message was sent with."""
        for phone in coordinators.values():
            if event.type in {State.REFUSED, State.SEND_FAILED} and phone.device_id == message.device_id:
                entry.async_create_background_task(hass, phone.async_request_refresh(), "GoSMS.ru phone refresh")

    entry.async_on_unload(entry.runtime_data.outbox.async_add_event_listener(async_refresh_failed_phone))


@callback
def _cancel(task: asyncio.Task[None]) -> None:
    """Cancel a task. An unload callback must return None, which `Task.cancel` does not."""
    task.cancel()
