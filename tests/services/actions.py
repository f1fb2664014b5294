"""Performs the actions as a script does."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError


async def perform_action(hass: HomeAssistant, action: str, **data: Any) -> Any:
    """Return the response of an action."""
    return await hass.services.async_call("gosms", action, data, blocking=True, return_response=True)


async def send_sms(hass: HomeAssistant, **data: Any) -> Any:
    """Send, and return the messages in the response."""
    return (await perform_action(hass, "send_sms", **{"message": "Water leak!", **data}))["messages"]


async def send_sms_without_response(hass: HomeAssistant, **data: Any) -> None:
    """Send without a response, so that a failure raises an error."""
    await hass.services.async_call("gosms", "send_sms", {"message": "Water leak!", **data}, blocking=True)


def placeholders(error: HomeAssistantError) -> dict[str, str]:
    """Return the placeholders of an error."""
    return error.translation_placeholders or {}
