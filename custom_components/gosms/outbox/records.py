"""Messages from their records on disk. Writing these is the JSON library's business."""

from collections.abc import Iterable
from dataclasses import replace
import logging
from typing import Any, cast

from homeassistant.util.json import JsonObjectType

from ..api import MessageStatus
from ..errors import Failure
from .fingerprint import Fingerprint
from .message import OutgoingMessage
from .state import MessageEvent, MessageStep, Part, State

_LOGGER = logging.getLogger(__name__)


def load_messages(records: Iterable[JsonObjectType]) -> list[OutgoingMessage]:
    """Return the messages of those records that are of this version; times are stored times."""
    messages: list[OutgoingMessage] = []
    for record in records:
        try:
            messages.append(load_message(record))
        except KeyError, TypeError, ValueError:
            _LOGGER.debug("A stored record is none of this version")
    return messages


def load_message(record: JsonObjectType) -> OutgoingMessage:
    """Return a message from its record.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    fields = cast("dict[str, Any]", record)
    fingerprint, failure = fields["fingerprint"], fields["failure"]
    return OutgoingMessage(
        **{
            **fields,
            "state": State(fields["state"]),
            "parts": tuple(_part(part) for part in fields["parts"]),
            "fingerprint": Fingerprint(**fingerprint) if fingerprint else None,
            "failure": Failure(**failure) if failure else None,
            "steps": tuple(MessageStep(**step) for step in fields.get("steps", ())),
            "pending_events": tuple(MessageEvent(**event) for event in fields["pending_events"]),
        }
    )


def _part(fields: dict[str, Any]) -> Part:
    """Return a part from its record."""
    status = fields["status"]
    return replace(Part(**fields), status=None if status is None else MessageStatus(status))
