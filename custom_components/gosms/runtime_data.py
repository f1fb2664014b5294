"""What lives with a config entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.hass_dict import HassKey

from .api import GoSmsClient, Pace
from .coordinator import GoSmsCoordinator, GoSmsPhoneCoordinator
from .outbox import Outbox

type GoSmsConfigEntry = ConfigEntry[GoSmsData]

# The vendor counts requests for each account, so all clients with one token and address keep one pace, also those
# of a config flow and of a second entry. A pace goes with the last client that holds it.
_PACES: HassKey[WeakValueDictionary[tuple[str, str], Pace]] = HassKey("gosms_paces")


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
    paces = hass.data.setdefault(_PACES, WeakValueDictionary())
    pace = paces.setdefault((url, token), Pace())
    return GoSmsClient(async_get_clientsession(hass), token, url=url, pace=pace)
