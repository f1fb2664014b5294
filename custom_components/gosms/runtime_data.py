"""The runtime data of a config entry."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Final
from weakref import WeakValueDictionary

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigSubentry
from homeassistant.const import CONF_API_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.signal_type import SignalTypeFormat

from .api import GoSmsClient, RateLimiter
from .coordinator import GoSmsCoordinator, GoSmsPhoneCoordinator
from .outbox import Outbox

type GoSmsConfigEntry = ConfigEntry[GoSmsData]

# The vendor counts requests by account, so all clients with the same token and address share a rate limiter, also
# those of a config flow and of a second entry. It is removed with the last client that uses it.
_RATE_LIMITERS: HassKey[WeakValueDictionary[tuple[str, str], RateLimiter]] = HassKey("gosms_rate_limiters")

# Sent when the entities of a subentry can be added: of a recipient as soon as there is one, of a phone after its first
# poll, so that their first states are real.
SUBENTRY_READY: Final[SignalTypeFormat[ConfigSubentry]] = SignalTypeFormat("gosms_subentry_ready_{}")

# Sent with the id of a recipient's subentry when a message was sent to it by another way than its notify entity.
SENT: Final[SignalTypeFormat[()]] = SignalTypeFormat("gosms_sent_{}")

# Sent when a change of an entry, such as a new name of a recipient, has been applied.
UPDATED: Final[SignalTypeFormat[()]] = SignalTypeFormat("gosms_updated_{}")

# Functions that remove the notify entities of an entry, by entry id. These entities outlive a reload, since Home
# Assistant silently drops a message to a missing entity.
NOTIFY_ENTITIES: HassKey[dict[str, Callable[[], Awaitable[None]]]] = HassKey("gosms_notify_entities")


@dataclass(frozen=True, kw_only=True, slots=True)
class GoSmsData:
    """The runtime data of a config entry. The keys of `phone_coordinators` are subentry ids."""

    client: GoSmsClient
    coordinator: GoSmsCoordinator
    phone_coordinators: dict[str, GoSmsPhoneCoordinator]
    outbox: Outbox


@callback
def async_create_client(hass: HomeAssistant, token: str, url: str) -> GoSmsClient:
    """Return a client that uses Home Assistant's session."""
    return GoSmsClient(async_get_clientsession(hass), token, url=url, rate_limiter=_rate_limiter(hass, token, url))


@callback
def async_use_token(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Let the client of an account use the token and the address of its entry."""
    token, url = entry.data[CONF_API_TOKEN], entry.data[CONF_URL]
    entry.runtime_data.client.use(token, url=url, rate_limiter=_rate_limiter(hass, token, url))


@callback
def async_run(hass: HomeAssistant, entry: GoSmsConfigEntry, target: Coroutine[None, None, None], name: str) -> None:
    """Run something that uses the network. Neither an unload of the account nor the start of Home Assistant waits."""
    create = entry.async_create_task if hass.is_running else entry.async_create_background_task
    entry.async_on_unload(partial(_cancel, create(hass, target, name)))


async def async_wait_for_reload(entry: GoSmsConfigEntry) -> None:
    """Return once no setup or unload of an account is in progress."""
    if entry.state in {ConfigEntryState.SETUP_IN_PROGRESS, ConfigEntryState.UNLOAD_IN_PROGRESS}:
        async with entry.setup_lock:
            return


def _rate_limiter(hass: HomeAssistant, token: str, url: str) -> RateLimiter:
    """Return the rate limiter of a token."""
    return hass.data.setdefault(_RATE_LIMITERS, WeakValueDictionary()).setdefault((url, token), RateLimiter())


@callback
def _cancel(task: asyncio.Task[None]) -> None:
    """Cancel a task. An unload callback must return None, which `Task.cancel` does not."""
    task.cancel()
