"""The actions that read and delete messages, and the preview of a text."""

from typing import Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from ..api import PAGE_SIZE, Message, parse_message_id
from ..errors import action_errors, invalid_message_id, not_deleted
from ..preparation import prepare_text
from .accounts import async_get_loaded_entry
from .fields import SHORT_TEXT, SHORT_TEXTS, ActionSchema
from .permissions import async_require_account_control, async_require_account_read

_LIMIT: Final = "limit"
_MESSAGE: Final = "message"
_MESSAGE_ID: Final = "message_id"
_PAGE: Final = "page"
_SEARCH: Final = "search"
_TITLE: Final = "title"

# More than any account has, and as in the form.
_MAX_PAGE: Final = 1_000_000


def _validate_message_id(value: str) -> str:
    """Return the id of a message, or raise without a request if it is not valid.

    Raises:
        ServiceValidationError: it is not valid. Translated.
    """
    if (message_id := parse_message_id(value.strip())) is None:
        raise invalid_message_id()
    return message_id


def _to_response(message: Message) -> JsonObjectType:
    """Return a message in the form of a response."""
    return {
        "id": message.id,
        "phone_number": message.phone_number,
        "message": message.text,
        "status": message.status_name,
        "status_code": message.status_code,
        "phone": message.device_id,
        "sim": message.sim,
        "callback_id": message.callback_id,
        "created": message.created.isoformat() if message.created else None,
    }


GET_MESSAGES_SCHEMA: Final = ActionSchema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY_ID): SHORT_TEXT,
        vol.Optional(_LIMIT, default=10): vol.All(vol.Coerce(int), vol.Range(min=1, max=PAGE_SIZE)),
        vol.Optional(_PAGE, default=1): vol.All(vol.Coerce(int), vol.Range(min=1, max=_MAX_PAGE)),
        vol.Optional(_SEARCH): SHORT_TEXT,
    }
)


async def async_get_messages(call: ServiceCall) -> ServiceResponse:
    """Return a page of the account's messages, newest first."""
    limit, page_number = call.data[_LIMIT], call.data[_PAGE]
    entry = async_get_loaded_entry(call)
    await async_require_account_read(call, entry)
    with action_errors(call.hass):
        page = await entry.runtime_data.client.list(limit=limit, page=page_number, search=call.data.get(_SEARCH))
    return {
        "total": page.total,
        "page": page_number,
        "limit": limit,
        "messages": [_to_response(message) for message in page.messages],
    }


GET_MESSAGE_SCHEMA: Final = ActionSchema(
    {vol.Optional(ATTR_CONFIG_ENTRY_ID): SHORT_TEXT, vol.Required(_MESSAGE_ID): SHORT_TEXT}
)


async def async_get_message(call: ServiceCall) -> ServiceResponse:
    """Return one message."""
    message_id = _validate_message_id(call.data[_MESSAGE_ID])
    entry = async_get_loaded_entry(call)
    await async_require_account_read(call, entry)
    with action_errors(call.hass):
        return _to_response(await entry.runtime_data.client.get(message_id))


DELETE_MESSAGE_SCHEMA: Final = ActionSchema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY_ID): SHORT_TEXT,
        vol.Required(_MESSAGE_ID): vol.All(SHORT_TEXTS, vol.Length(min=1)),
    }
)


async def async_delete_message(call: ServiceCall) -> None:
    """Delete messages from the server. Messages that can't be deleted are named in one error at the end."""
    message_ids = list(dict.fromkeys(map(_validate_message_id, call.data[_MESSAGE_ID])))
    entry = async_get_loaded_entry(call)
    await async_require_account_control(call, entry)
    errors: list[tuple[str, HomeAssistantError]] = []
    for message_id in message_ids:
        try:
            with action_errors(call.hass):
                await entry.runtime_data.client.delete(message_id)
        except HomeAssistantError as err:
            errors.append((message_id, err))
    if len(errors) < len(message_ids):
        await entry.runtime_data.coordinator.async_request_refresh()
    if errors:
        raise errors[0][1] if len(message_ids) == 1 else not_deleted(call.hass, errors)


PREVIEW_SCHEMA: Final = ActionSchema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY_ID): SHORT_TEXT,
        vol.Required(_MESSAGE): cv.string,
        vol.Optional(_TITLE): cv.string,
    }
)


async def async_preview(call: ServiceCall) -> ServiceResponse:
    """Return a text as it would be sent. Nothing is sent."""
    prepared = prepare_text(async_get_loaded_entry(call), call.data[_MESSAGE], call.data.get(_TITLE))
    return {
        "text": prepared.text,
        "parts": list(prepared.parts),
        "characters": prepared.characters,
        "segments": prepared.segments,
        "encoding": prepared.encoding,
        "replaced": dict(prepared.replaced),
    }
