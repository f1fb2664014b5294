"""Messages as the storage keeps them, and back. Writing is the JSON library's business; times are stored times."""

from dataclasses import replace
from typing import Any, cast

from homeassistant.util.json import JsonObjectType

from ..api import MessageStatus
from ..errors import Failure
from .history import FinishedMessage
from .message import Fingerprint, MessageEvent, OutgoingMessage, Part, State


def load_message(record: JsonObjectType) -> OutgoingMessage:
    """Return a message from its record.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    fields = cast("dict[str, Any]", record)
    return OutgoingMessage(
        **{
            **fields,
            "state": State(fields["state"]),
            "parts": tuple(_part(part) for part in fields["parts"]),
            "fingerprint": _fingerprint(fields["fingerprint"]),
            "failure": _failure(fields["failure"]),
            "pending_events": tuple(MessageEvent(**event) for event in fields["pending_events"]),
        }
    )


def load_finished(record: JsonObjectType) -> FinishedMessage:
    """Return a message that ended from its record.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    fields = cast("dict[str, Any]", record)
    return FinishedMessage(
        **{
            **fields,
            "state": State(fields["state"]),
            "ids": tuple(fields["ids"]),
            "fingerprint": _fingerprint(fields["fingerprint"]),
            "failure": _failure(fields["failure"]),
        }
    )


def _part(fields: dict[str, Any]) -> Part:
    """Return a part from its record."""
    status = fields["status"]
    return replace(Part(**fields), status=None if status is None else MessageStatus(status))


def _fingerprint(fields: dict[str, Any] | None) -> Fingerprint | None:
    """Return a fingerprint from its record."""
    return Fingerprint(**fields) if fields else None


def _failure(fields: dict[str, Any] | None) -> Failure | None:
    """Return a failure from its record."""
    return Failure(**fields) if fields else None
