"""System health: whether the service can be reached, and how many messages are pending."""

import asyncio
from collections.abc import Iterable
from typing import Any

from homeassistant.components.system_health import SystemHealthRegistration, async_check_can_reach_url
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant, callback

from .api import DEFAULT_URL
from .const import DOMAIN
from .runtime_data import GoSmsConfigEntry


@callback
def async_register(_hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register the system health information."""
    register.async_register_info(_async_info, f"/config/integrations/integration/{DOMAIN}")


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the information. `can_reach_server` is a coroutine, whose result the page shows later."""
    accounts = hass.config_entries.async_entries(DOMAIN)
    loaded: list[GoSmsConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    outboxes = [account.runtime_data.outbox for account in loaded]
    return {
        "can_reach_server": _async_check_reachable(
            hass, {account.data[CONF_URL] for account in accounts} or {DEFAULT_URL}
        ),
        "accounts": len(accounts),
        "queued_messages": sum(outbox.queued for outbox in outboxes),
        "messages_in_transit": sum(outbox.in_transit for outbox in outboxes),
    }


async def _async_check_reachable(hass: HomeAssistant, urls: Iterable[str]) -> str | dict[str, str]:
    """Check whether each address can be reached, without a token. Return "ok" or the first failure."""
    results = await asyncio.gather(*(async_check_can_reach_url(hass, url) for url in urls))
    return next((result for result in results if result != "ok"), "ok")
