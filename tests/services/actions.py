"""Running the actions as a script does."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError


async def ask(hass: HomeAssistant, action: str, **data: Any) -> Any:
    """Return the response of an action."""
    return await hass.services.async_call("gosms", action, data, blocking=True, return_response=True)


async def send_sms(hass: HomeAssistant, **data: Any) -> Any:
    """Send, and return what the response tells of the messages."""
    return (await ask(hass, "send_sms", **{"message": "Water leak!", **data}))["messages"]


async def send_sms_without_response(hass: HomeAssistant, **data: Any) -> None:
    """Send, and let what fails be an error."""
    await hass.services.async_call("gosms", "send_sms", {"message": "Water leak!", **data}, blocking=True)


def placeholders(error: HomeAssistantError) -> dict[str, str]:
    """Return what the text of an error is filled with."""
    return error.translation_placeholders or {}
