"""GoSMS.ru for Home Assistant: SMS through the user's own Android phones."""

from typing import Final

from homeassistant.const import CONF_API_TOKEN, CONF_URL, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, device_registry as dr

from .const import DOMAIN
from .coordinator import GoSmsCoordinator
from .entity import account_device
from .outbox import Outbox
from .runtime_data import GoSmsConfigEntry, GoSmsData, async_create_client

CONFIG_SCHEMA: Final = cv.config_entry_only_config_schema(DOMAIN)

_PLATFORMS: Final = [Platform.NOTIFY, Platform.SENSOR]


async def async_setup_entry(hass: HomeAssistant, entry: GoSmsConfigEntry) -> bool:
    """Set up an account.

    No network is needed: a notify entity that is not there loses its message without an error, so a service that is
    down, or a token that was refused, must not keep the entities away. The first poll runs once they are there.
    """
    client = async_create_client(hass, entry.data[CONF_API_TOKEN], entry.data[CONF_URL])
    coordinator = GoSmsCoordinator(hass, entry, client)

    @callback
    def async_show_status() -> None:
        """Poll soon, without keeping the sender waiting for it."""
        entry.async_create_task(hass, coordinator.async_request_refresh(), "GoSMS.ru poll after a send")

    entry.runtime_data = GoSmsData(
        client=client,
        coordinator=coordinator,
        outbox=Outbox(hass, entry, client, async_show_status),
    )
    # The devices of the subentries hang on this one, so it must be there before any platform.
    dr.async_get(hass).async_get_or_create(config_entry_id=entry.entry_id, **account_device(entry))
    await hass.config_entries.async_forward_entry_setups(entry, _PLATFORMS)
    entry.async_on_unload(entry.add_update_listener(_async_reload))
    first_poll = entry.async_create_task(hass, coordinator.async_refresh(), "GoSMS.ru first poll")

    @callback
    def async_give_up_first_poll() -> None:
        """Do not keep an unload waiting for a service that is silent."""
        first_poll.cancel()

    entry.async_on_unload(async_give_up_first_poll)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: GoSmsConfigEntry) -> bool:
    """Take an account down."""
    return await hass.config_entries.async_unload_platforms(entry, _PLATFORMS)


async def _async_reload(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Take up changed settings and subentries."""
    hass.config_entries.async_schedule_reload(entry.entry_id)
