"""The actions of the integration."""

from homeassistant.core import HomeAssistant, SupportsResponse, callback

from ..const import DOMAIN
from .cancel import CANCEL_MESSAGES_SCHEMA, async_cancel_messages
from .messages import (
    DELETE_MESSAGE_SCHEMA,
    GET_MESSAGE_SCHEMA,
    GET_MESSAGES_SCHEMA,
    PREVIEW_SCHEMA,
    async_delete_message,
    async_get_message,
    async_get_messages,
    async_preview,
)
from .send import SEND_SMS_SCHEMA, async_send_sms


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, handler, schema, response in (
        ("cancel_messages", async_cancel_messages, CANCEL_MESSAGES_SCHEMA, SupportsResponse.OPTIONAL),
        ("delete_message", async_delete_message, DELETE_MESSAGE_SCHEMA, SupportsResponse.NONE),
        ("get_message", async_get_message, GET_MESSAGE_SCHEMA, SupportsResponse.ONLY),
        ("get_messages", async_get_messages, GET_MESSAGES_SCHEMA, SupportsResponse.ONLY),
        ("preview", async_preview, PREVIEW_SCHEMA, SupportsResponse.ONLY),
        ("send_sms", async_send_sms, SEND_SMS_SCHEMA, SupportsResponse.OPTIONAL),
    ):
        hass.services.async_register(DOMAIN, name, handler, schema, response)
