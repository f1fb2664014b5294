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
from .issues import IssueManager, async_remove as async_remove_issues
from .outbox import MessageEvent, Outbox, OutgoingMessage, State
from .runtime_data import GoSmsConfigEntry, GoSmsData, async_create_client
from .services import async_setup_services
from .subentries import phones

CONFIG_SCHEMA: Final = cv.config_entry_only_config_schema(DOMAIN)

_PLATFORMS: Final = [Platform.BINARY_SENSOR, Platform.EVENT, Platform.NOTIFY, Platform.SENSOR, Platform.SWITCH]


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Register the actions: they are there without an account too, so that an automation can be checked."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: GoSmsConfigEntry) -> bool:
    """Set up an account.

    No network is needed: a notify entity that is not there loses its message without an error, so a service that is
    down, or a token that was refused, must not keep the entities away. The first poll runs once they are there.
    """
    client = async_create_client(hass, entry.data[CONF_API_TOKEN], entry.data[CONF_URL])
    client.on_request_done = IssueManager(hass, entry).async_handle_outcome
    coordinator = GoSmsCoordinator(hass, entry, client)
    phone_coordinators = {
        phone.subentry_id: GoSmsPhoneCoordinator(hass, entry, client, phone) for phone in phones(entry)
    }

    def can_send(device_id: str) -> bool | None:
        """Tell what is known of a phone's ability to send."""
        return next((phone.can_send for phone in phone_coordinators.values() if phone.device_id == device_id), None)

    outbox = Outbox(hass, entry, client, coordinator.async_poll, can_send)
    await outbox.async_load()
    entry.runtime_data = GoSmsData(client=client, coordinator=coordinator, phones=phone_coordinators, outbox=outbox)
    # The devices of the subentries hang on this one, so it must be there before any platform.
    dr.async_get(hass).async_get_or_create(config_entry_id=entry.entry_id, **account_device(entry))
    await hass.config_entries.async_forward_entry_setups(entry, _PLATFORMS)
    entry.async_on_unload(entry.add_update_listener(_async_reload))
    outbox.async_start()

    coordinator.on_page = outbox.async_apply
    # A coordinator without listeners does not poll, and all entities may be disabled.
    entry.async_on_unload(coordinator.async_add_listener(lambda: None))
    _look_after_phones(hass, entry)
    # Before the network goes: what was accepted is on disk then, and the running request has ended.
    entry.async_on_unload(hass.async_add_shutdown_job(HassJob(outbox.async_close)))
    for refresh in (coordinator.async_refresh, *(phone.async_refresh for phone in phone_coordinators.values())):
        first_poll = entry.async_create_task(hass, refresh(), "GoSMS.ru first poll")
        # An unload does not wait for a service that is silent.
        entry.async_on_unload(partial(_give_up, first_poll))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: GoSmsConfigEntry) -> bool:
    """Take an account down."""
    outbox = entry.runtime_data.outbox
    # What happens while the entities go away would be told to nobody; the next run tells it.
    outbox.async_pause_events()
    unloaded = await hass.config_entries.async_unload_platforms(entry, _PLATFORMS)
    if unloaded:
        await outbox.async_unload()
    else:
        outbox.async_resume_events()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Remove what an account leaves behind: its repairs, and what it has on disk."""
    async_remove_issues(hass, entry)
    await Outbox.async_remove(hass, entry.entry_id)


async def _async_reload(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Take up changed settings and subentries."""
    hass.config_entries.async_schedule_reload(entry.entry_id)


@callback
def _look_after_phones(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Keep the devices of the phones up to date, and ask how a phone fares that failed to send."""
    coordinators = entry.runtime_data.phones
    for subentry_id, phone in coordinators.items():
        describe = partial(async_update_phone_device, hass, entry, entry.subentries[subentry_id])
        entry.async_on_unload(phone.async_add_listener(describe))

    @callback
    def async_ask(message: OutgoingMessage, occurrence: MessageEvent) -> None:
        """Ask about the phone that a failed message was sent with."""
        for phone in coordinators.values():
            if occurrence.type in {State.REFUSED, State.SEND_FAILED} and phone.device_id == message.device_id:
                entry.async_create_background_task(hass, phone.async_request_refresh(), "GoSMS.ru look at a phone")

    entry.async_on_unload(entry.runtime_data.outbox.async_add_event_listener(async_ask))


@callback
def _give_up(task: asyncio.Task[None]) -> None:
    """Do not wait for a task any more."""
    task.cancel()
