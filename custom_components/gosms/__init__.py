"""GoSMS.ru for Home Assistant: SMS through the user's own Android phones."""

from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_TOKEN, CONF_URL, Platform
from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.typing import ConfigType

from .card import async_remove_card, async_setup_card
from .const import DOMAIN
from .coordinator import GoSmsCoordinator, GoSmsPhoneCoordinator
from .delays import DelayMonitor
from .device import async_update_account_device
from .issues import IssueManager, async_clear_all as async_clear_all_issues
from .notify_actions import async_remove_notify_actions, async_setup_notify_actions
from .outbox import MessageEvent, Outbox, OutgoingMessage, State
from .plan import async_watch_plan, plan_usage
from .runtime_data import (
    NOTIFY_ENTITIES,
    SUBENTRY_READY,
    GoSmsConfigEntry,
    GoSmsData,
    async_create_client,
    async_run,
    async_use_token,
)
from .services import async_setup_services
from .subentries import phones, recipients
from .updates import async_follow_entry, async_start_phone
from .websocket import async_setup_websocket

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
    """Register the actions and the websocket command.

    The actions exist without an account too, so that automations can be validated.
    """
    async_setup_services(hass)
    async_setup_websocket(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: GoSmsConfigEntry) -> bool:
    """Set up an account.

    It needs no network: a message to a missing notify entity is lost without an error, so neither an outage of the
    service nor a rejected token may keep the entities from being added. The first poll runs once they are.
    """
    client = async_create_client(hass, entry.data[CONF_API_TOKEN], entry.data[CONF_URL])
    client.on_request_done = IssueManager(hass, entry, lambda: plan_usage(entry).renews).async_handle_outcome
    coordinator = GoSmsCoordinator(hass, entry, client)
    phone_coordinators: dict[str, GoSmsPhoneCoordinator] = {}

    def can_send(device_id: str) -> bool | None:
        """Return whether a phone can send, or None if it is not known."""
        return next((phone.can_send for phone in phone_coordinators.values() if phone.device_id == device_id), None)

    outbox = Outbox(hass, entry, client, coordinator.async_poll, can_send)
    await outbox.async_load()
    entry.runtime_data = GoSmsData(
        client=client, coordinator=coordinator, phone_coordinators=phone_coordinators, outbox=outbox
    )
    try:
        await _async_start(hass, entry)
    except BaseException:
        await _async_close(hass, entry)
        raise
    return True


async def _async_start(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Add the entities of an account, and begin to send and to poll."""
    coordinator, outbox = entry.runtime_data.coordinator, entry.runtime_data.outbox
    # The entry may have changed while the outbox was loaded.
    async_use_token(hass, entry)
    entry.async_on_unload(async_follow_entry(hass, entry))
    # The devices of the subentries refer to this one, so it must exist before any platform is set up.
    async_update_account_device(hass, entry)
    await _async_set_up_platforms(hass, entry)
    async_setup_notify_actions(hass, entry)
    outbox.async_start()
    coordinator.on_page = outbox.async_apply
    _async_refresh_failed_phones(hass, entry)
    _async_refresh_phones_after_outage(hass, entry)
    async_setup_card(hass)
    entry.async_on_unload(async_watch_plan(hass, entry))
    entry.async_on_unload(DelayMonitor(hass, entry).async_start())
    # Close the outbox before the network shuts down, so that its request can end and accepted messages are on disk.
    entry.async_on_unload(hass.async_add_shutdown_job(HassJob(outbox.async_close)))
    async_run(hass, entry, coordinator.async_refresh(), "GoSMS.ru first poll")
    for phone in phones(entry):
        async_start_phone(hass, entry, phone)


async def async_unload_entry(hass: HomeAssistant, entry: GoSmsConfigEntry) -> bool:
    """Unload an account."""
    outbox = entry.runtime_data.outbox
    # An entity that is gone takes no message and reports no event: first everything that is running ends.
    await outbox.async_pause()
    unloaded = await hass.config_entries.async_unload_platforms(entry, _without_notify())
    if unloaded:
        await _async_close(hass, entry)
    else:
        outbox.async_resume()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Remove the repairs and the stored messages of an account."""
    async_clear_all_issues(hass, entry)
    await Outbox.async_remove(hass, entry.entry_id)
    await async_remove_card(hass)


async def _async_set_up_platforms(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Set up the platforms, but not the notify entities if the account is being reloaded: they stayed."""
    if entry.entry_id not in hass.data.get(NOTIFY_ENTITIES, {}):
        await hass.config_entries.async_forward_entry_setups(entry, _PLATFORMS)
        return
    # Recipients that were added during the reload have no notify entity yet. Only the notify platform listens now.
    for recipient in recipients(entry):
        async_dispatcher_send(hass, SUBENTRY_READY.format(entry.entry_id), recipient)
    await hass.config_entries.async_forward_entry_setups(entry, _without_notify())


async def _async_close(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Close the outbox of an account, and remove its notify entities unless it is being reloaded."""
    await entry.runtime_data.outbox.async_unload()
    # A request of an action may end after the account was unloaded. It must raise no repair then.
    entry.runtime_data.client.on_request_done = None
    hass.async_create_task(_async_unload_notify_entities(hass, entry), "GoSMS.ru notify entities")


async def _async_unload_notify_entities(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Remove the notify entities, unless the account was loaded again: a message to a missing entity would be lost."""
    async with entry.setup_lock:
        if entry.state is ConfigEntryState.LOADED:
            return
        if async_remove := hass.data.get(NOTIFY_ENTITIES, {}).pop(entry.entry_id, None):
            async_remove_notify_actions(hass, entry)
            await async_remove()


def _without_notify() -> list[Platform]:
    """Return the platforms whose entities are removed at each unload."""
    return [platform for platform in _PLATFORMS if platform is not Platform.NOTIFY]


@callback
def _async_refresh_failed_phones(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Refresh a phone after it failed to send."""
    coordinators = entry.runtime_data.phone_coordinators

    @callback
    def async_refresh_failed_phone(message: OutgoingMessage, event: MessageEvent) -> None:
        """Refresh the phone that a failed message was sent with."""
        if event.type not in {State.REFUSED, State.SEND_FAILED}:
            return
        for phone in coordinators.values():
            if phone.device_id == message.device_id:
                entry.async_create_background_task(hass, phone.async_request_refresh(), "GoSMS.ru phone refresh")

    entry.async_on_unload(entry.runtime_data.outbox.async_add_event_listener(async_refresh_failed_phone))


@callback
def _async_refresh_phones_after_outage(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Refresh the phones as soon as the service is back: their own polls are five minutes apart."""
    data = entry.runtime_data
    was_available = True

    @callback
    def async_refresh_phones() -> None:
        """Refresh the phones whose last poll failed."""
        nonlocal was_available
        is_available = data.coordinator.last_update_success
        if is_available and not was_available:
            for phone in data.phone_coordinators.values():
                if not phone.last_update_success:
                    entry.async_create_background_task(hass, phone.async_request_refresh(), "GoSMS.ru phone refresh")
        was_available = is_available

    # A coordinator without listeners does not poll, and all entities may be disabled.
    entry.async_on_unload(data.coordinator.async_add_listener(async_refresh_phones))
