"""The dashboard card: serves its file, and keeps it among the dashboard resources as long as there is an account.

It is a resource, never an extra module of the frontend (`add_extra_js_url`): those are missing while the app's service
worker serves an older page, and they race with the registry of custom elements. Where resources are kept in YAML the
user adds the line; docs/card.md has it.
"""

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Final

from homeassistant.components.http.server import StaticPathConfig
from homeassistant.components.lovelace.const import CONF_RESOURCE_TYPE_WS, DOMAIN as LOVELACE_DOMAIN, LOVELACE_DATA
from homeassistant.components.lovelace.resources import ResourceStorageCollection
from homeassistant.const import CONF_ID, CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.setup import async_when_setup
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

_FILE: Final = Path(__file__).parent / "frontend" / "gosms-card.js"
_PATH: Final = f"/{DOMAIN}/{_FILE.name}"


class _Card:
    """The card in one run of Home Assistant."""

    def __init__(self) -> None:
        """Initialize the card, which is not served yet."""
        # Accounts are set up and removed at the same time.
        self.lock = asyncio.Lock()
        # The address with the hash of the file, once the file is served.
        self.url: str | None = None
        # Whether it is added as soon as the dashboards are set up.
        self.is_awaited = False


_CARD: HassKey[_Card] = HassKey(f"{DOMAIN}_card")


@callback
def async_setup_card(hass: HomeAssistant) -> None:
    """Add the card to the dashboard resources as soon as Home Assistant has them; the caller does not wait."""
    card = hass.data.setdefault(_CARD, _Card())
    # Several accounts, and reloads, wait once.
    if not card.is_awaited:
        card.is_awaited = True
        async_when_setup(hass, LOVELACE_DOMAIN, _async_add)


async def async_remove_card(hass: HomeAssistant) -> None:
    """Remove the card from the dashboard resources, unless there is another account."""
    async with hass.data.setdefault(_CARD, _Card()).lock:
        await _async_update_resources(hass, None)


async def _async_add(hass: HomeAssistant, _component: str) -> None:
    """Serve the file, and add it to the dashboard resources."""
    card = hass.data[_CARD]
    card.is_awaited = False
    async with card.lock:
        if card.url is None:
            # A path can be registered only once in a run.
            digest = await hass.async_add_executor_job(_digest)
            await hass.http.async_register_static_paths([StaticPathConfig(_PATH, str(_FILE))])
            card.url = f"{_PATH}?v={digest}"
        await _async_update_resources(hass, card.url)


def _digest() -> str:
    """Return a part of the file's hash. It changes the address with each version, so that browsers load the new one."""
    return sha256(_FILE.read_bytes()).hexdigest()[:12]


async def _async_update_resources(hass: HomeAssistant, url: str | None) -> None:
    """List the card once among the resources while there is an account, and otherwise not at all.

    Without an address, nothing is added or changed.
    """
    lovelace = hass.data.get(LOVELACE_DATA)
    if lovelace is None or not isinstance(resources := lovelace.resources, ResourceStorageCollection):
        return
    # The items are loaded when they are first needed; this call loads them.
    await resources.async_get_info()
    own = [item for item in resources.async_items() if item[CONF_URL].partition("?")[0] == _PATH]
    has_account = bool(hass.config_entries.async_entries(DOMAIN))
    for item in own[1:] if has_account else own:
        await resources.async_delete_item(item[CONF_ID])
    if not has_account or url is None:
        return
    if not own:
        await resources.async_create_item({CONF_RESOURCE_TYPE_WS: "module", CONF_URL: url})
    elif own[0][CONF_URL] != url:
        await resources.async_update_item(own[0][CONF_ID], {CONF_URL: url})
