"""The faults that corrupt a response of the service: each changes the JSON objects in it."""

from collections.abc import Callable
import json
from typing import Final

from .faults import Fault
from .wire import JsonObject

type Corruption = Callable[[JsonObject], JsonObject]

_UNKNOWN_STATUS: Final = 42
# Fields of a message that a client must not require.
_OPTIONAL_FIELDS: Final = ("callback_id", "device_id", "message_status", "to_sim")


def empty_lists(found: JsonObject) -> JsonObject:
    """Remove all items of each list."""
    return {key: [] if isinstance(value, list) else value for key, value in found.items()}


def _null_lists(found: JsonObject) -> JsonObject:
    return {key: None if isinstance(value, list) else value for key, value in found.items()}


def _flatten_lists(found: JsonObject) -> JsonObject:
    return {key: json.dumps(value) if isinstance(value, list) else value for key, value in found.items()}


def _number_the_id(found: JsonObject) -> JsonObject:
    return {key: int(str(value), 16) if key == "id" else value for key, value in found.items()}


def _malform_the_id(found: JsonObject) -> JsonObject:
    return {key: f"{value}\n<script>" if key == "id" else value for key, value in found.items()}


def _uppercase_the_id(found: JsonObject) -> JsonObject:
    return {key: str(value).upper() if key == "id" else value for key, value in found.items()}


def _drop_fields(found: JsonObject) -> JsonObject:
    # Only for messages: the id of a phone is not optional.
    dropped = _OPTIONAL_FIELDS if "message" in found else ()
    return {key: value for key, value in found.items() if key not in dropped}


def _change_status(found: JsonObject) -> JsonObject:
    return {**found, "status": _UNKNOWN_STATUS} if "status" in found else found


CORRUPTIONS: Final[dict[Fault, Corruption]] = {
    Fault.ID_AS_NUMBER: _number_the_id,
    Fault.MALFORMED_ID: _malform_the_id,
    Fault.UPPERCASE_ID: _uppercase_the_id,
    Fault.EMPTY_LIST: empty_lists,
    Fault.LIST_AS_NULL: _null_lists,
    Fault.LIST_AS_TEXT: _flatten_lists,
    Fault.MISSING_FIELDS: _drop_fields,
    Fault.UNKNOWN_STATUS: _change_status,
}
