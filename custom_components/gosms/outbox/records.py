"""Deserialization of messages. The JSON library serializes them."""

from collections.abc import Iterable
from dataclasses import fields as fields_of
import logging
from typing import Any, cast

from homeassistant.util.json import JsonObjectType

from ..api import MessageStatus
from ..errors import Failure
from .fingerprint import Fingerprint
from .message import TIMES, OutgoingMessage
from .state import MessageEvent, MessageStep, Part, State

_LOGGER = logging.getLogger(__name__)


def load_messages(records: Iterable[JsonObjectType], offset: float) -> list[OutgoingMessage]:
    """Return the messages from those records that this version can read; see `load_message`."""
    messages: list[OutgoingMessage] = []
    for record in records:
        try:
            messages.append(load_message(record, offset))
        except KeyError, TypeError, ValueError:
            _LOGGER.debug("Skipping a stored record that is not of this version")
    return messages


def load_message(record: JsonObjectType, offset: float = 0.0) -> OutgoingMessage:
    """Return a message from its record, whose stored times are this many seconds later than the clock's.

    Raises:
        KeyError, TypeError, ValueError: the record is not of this version.
    """
    fields = cast("dict[str, Any]", record)
    fingerprint, failure = fields["fingerprint"], fields["failure"]
    return OutgoingMessage(
        **{
            **fields,
            **{name: time - offset for name in TIMES if (time := fields[name]) is not None},
            "state": State(fields["state"]),
            "parts": tuple(_part(part) for part in fields["parts"]),
            "fingerprint": Fingerprint(**fingerprint) if fingerprint else None,
            "failure": Failure(**failure) if failure else None,
            "steps": tuple(MessageStep(**{**step, "time": step["time"] - offset}) for step in fields.get("steps", ())),
            "pending_events": tuple(MessageEvent(**event) for event in fields["pending_events"]),
        }
    )


def load_value[T](kind: type[T], record: JsonObjectType) -> T:
    """Return a value from its record, without fields that a newer version added.

    A message with such a field is not read: it may not be sent without what the field asks for.
    """
    names = {each.name for each in fields_of(cast("Any", kind))}
    return kind(**{name: value for name, value in record.items() if name in names})


def _part(fields: dict[str, Any]) -> Part:
    """Return a part from its record."""
    status = fields["status"]
    return Part(**{**fields, "status": None if status is None else MessageStatus(status)})
