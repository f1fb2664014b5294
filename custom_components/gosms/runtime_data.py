"""The runtime data of a config entry."""

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

# The vendor counts requests by account, so all clients with the same token and address share a rate limiter, also
# those of a config flow and of a second entry. It is removed with the last client that uses it.
_RATE_LIMITERS: HassKey[WeakValueDictionary[tuple[str, str], RateLimiter]] = HassKey("gosms_rate_limiters")


@dataclass(frozen=True, kw_only=True, slots=True)
class GoSmsData:
    """The runtime data of a config entry. The keys of `phone_coordinators` are subentry ids."""

    client: GoSmsClient
    coordinator: GoSmsCoordinator
    phone_coordinators: Mapping[str, GoSmsPhoneCoordinator]
    outbox: Outbox


@callback
def async_create_client(hass: HomeAssistant, token: str, url: str) -> GoSmsClient:
    """Return a client that uses Home Assistant's session."""
    rate_limiters = hass.data.setdefault(_RATE_LIMITERS, WeakValueDictionary())
    rate_limiter = rate_limiters.setdefault((url, token), RateLimiter())
    return GoSmsClient(async_get_clientsession(hass), token, url=url, rate_limiter=rate_limiter)
