"""What lives with a config entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.hass_dict import HassKey

from .api import GoSmsClient, RateLimiter
from .coordinator import GoSmsCoordinator, GoSmsPhoneCoordinator
from .outbox import Outbox

type GoSmsConfigEntry = ConfigEntry[GoSmsData]

# The vendor counts requests for each account, so all clients with one token and address keep one pace, also those
# of a config flow and of a second entry. A pace goes with the last client that holds it.
_RATE_LIMITERS: HassKey[WeakValueDictionary[tuple[str, str], RateLimiter]] = HassKey("gosms_rate_limiters")


@dataclass(frozen=True, kw_only=True, slots=True)
class GoSmsData:
    """The living parts of an account; its phones by the ids of their subentries."""

    client: GoSmsClient
    coordinator: GoSmsCoordinator
    phones: Mapping[str, GoSmsPhoneCoordinator]
    outbox: Outbox


@callback
def async_create_client(hass: HomeAssistant, token: str, url: str) -> GoSmsClient:
    """Make a client with Home Assistant's session."""
    rate_limiters = hass.data.setdefault(_RATE_LIMITERS, WeakValueDictionary())
    rate_limiter = rate_limiters.setdefault((url, token), RateLimiter())
    return GoSmsClient(async_get_clientsession(hass), token, url=url, rate_limiter=rate_limiter)
