"""How messages and the ledger stand in the files: times as ages, and what an earlier release wrote is understood."""

from collections.abc import Callable
from dataclasses import asdict, fields as fields_of
from datetime import date
from typing import Any, Final

import voluptuous as vol

from ..api import MessageStatus
from ..errors import Failure
from .ledger import Ended, Ledger
from .message import EVENT_TYPES, Fingerprint, Occurrence, OutgoingMessage, State

_NUMBER: Final = vol.Any(int, float)
_TEXT_OR_NONE: Final = vol.Any(None, str)
_INTEGER_OR_NONE: Final = vol.Any(None, int)
_NUMBER_OR_NONE: Final = vol.Any(None, int, float)

QUEUE: Final = vol.Schema(
    {vol.Required("saved"): _NUMBER, vol.Optional("secret"): str, vol.Required("messages"): list},
    extra=vol.ALLOW_EXTRA,
)

_FAILURE: Final = vol.Schema(
    {
        vol.Required("key"): str,
        vol.Required("code"): _INTEGER_OR_NONE,
        vol.Required("placeholders"): {str: str},
        vol.Required("part"): _INTEGER_OR_NONE,
        vol.Required("parts"): _INTEGER_OR_NONE,
    },
    extra=vol.REMOVE_EXTRA,
)

_FINGERPRINT: Final = vol.Schema(
    {vol.Required("key"): str, vol.Required("content"): str, vol.Required("place"): int}, extra=vol.REMOVE_EXTRA
)

# What is optional in these files was not in those of the first release.
_ENDED: Final = vol.Schema(
    {
        vol.Required("age"): _NUMBER,
        vol.Required("key"): str,
        vol.Required("ids"): [str],
        vol.Optional("state", default=None): vol.Any(None, vol.Coerce(State)),
        vol.Optional("created", default=None): _NUMBER_OR_NONE,
        vol.Optional("counts", default=False): bool,
        vol.Optional("failure", default=None): vol.Any(None, _FAILURE),
        vol.Optional("fingerprint", default=None): vol.Any(None, _FINGERPRINT),
    },
    extra=vol.REMOVE_EXTRA,
)

_LEDGER: Final = vol.Schema(
    {
        vol.Required("saved"): _NUMBER,
        vol.Required("ended"): [_ENDED],
        vol.Required("day"): vol.Any(None, vol.All(str, date.fromisoformat)),
        vol.Required("delivered"): int,
        vol.Required("failed"): int,
        vol.Required("delivery_time"): _NUMBER_OR_NONE,
    },
    extra=vol.ALLOW_EXTRA,
)

_MESSAGE: Final = vol.Schema(
    {
        vol.Required("key"): str,
        vol.Required("phone_number"): str,
        vol.Required("text"): str,
        vol.Required("parts"): vol.All([str], vol.Length(min=1)),
        vol.Required("recipient"): _TEXT_OR_NONE,
        vol.Required("tag"): _TEXT_OR_NONE,
        vol.Optional("sender", default=None): _TEXT_OR_NONE,
        vol.Optional("sim", default=None): _TEXT_OR_NONE,
        vol.Optional("fingerprint", default=None): vol.Any(None, _FINGERPRINT),
        vol.Required("created"): _NUMBER,
        vol.Required("expires"): _NUMBER,
        vol.Required("state"): vol.Coerce(State),
        vol.Required("attempts"): int,
        vol.Required("attempted"): _NUMBER_OR_NONE,
        vol.Required("attempted_server"): _NUMBER_OR_NONE,
        vol.Required("device_id"): _TEXT_OR_NONE,
        vol.Required("ids"): [str],
        vol.Required("statuses"): [vol.Coerce(MessageStatus)],
        vol.Required("accepted"): _NUMBER_OR_NONE,
        vol.Required("held"): bool,
        vol.Required("timed_out"): bool,
        # The first release knew no more of a failure than its key, as "error".
        vol.Optional("error", default=None): _TEXT_OR_NONE,
        vol.Optional("failure", default=None): vol.Any(None, _FAILURE),
        vol.Required("untold"): [{vol.Required("type"): vol.In(EVENT_TYPES), vol.Required("seconds"): _NUMBER_OR_NONE}],
    },
    extra=vol.REMOVE_EXTRA,
)

_FIELDS: Final = tuple(field.name for field in fields_of(OutgoingMessage))

# The fields that are times, on disk as ages.
_TIMES: Final = ("created", "expires", "attempted", "accepted")


def pack_message(message: OutgoingMessage, now: float) -> dict[str, Any]:
    """Return a message as it stands in the file: a thousand of them are written at a time, so it must be quick."""
    record: dict[str, Any] = {name: getattr(message, name) for name in _FIELDS}
    record["untold"] = [{"type": each.type, "seconds": each.seconds} for each in message.untold]
    for name in ("failure", "fingerprint"):
        if record[name] is not None:
            record[name] = asdict(record[name])
    for name in _TIMES:
        if record[name] is not None:
            record[name] = now - record[name]
    return record


def unpack_message(record: object, then: float) -> OutgoingMessage:
    """Return a message from the file, which was written at a time of this run's clock.

    Raises:
        vol.Invalid: a field is missing or of another kind.
        ValueError: the fields contradict each other.
    """
    fields: dict[str, Any] = _MESSAGE(record)
    for name in _TIMES:
        if fields[name] is not None:
            fields[name] = then - fields[name]
    for name in ("parts", "ids", "statuses"):
        fields[name] = tuple(fields[name])
    fields["untold"] = tuple(Occurrence(**occurrence) for occurrence in fields["untold"])
    error = fields.pop("error")
    fields["failure"] = Failure(key=error) if error else _unpack_failure(fields["failure"])
    fields["fingerprint"] = _unpack_fingerprint(fields["fingerprint"])
    message = OutgoingMessage(**fields)
    complete = len(message.ids) == len(message.parts)
    if len(message.ids) != len(message.statuses) or len(message.ids) > len(message.parts):
        raise ValueError
    if message.state.is_tracked != (complete and not message.state.is_final) or complete != (
        message.accepted is not None
    ):
        raise ValueError
    return message


def _unpack_failure(fields: dict[str, Any] | None) -> Failure | None:
    """Return a failure from the file."""
    return Failure(**fields) if fields else None


def _unpack_fingerprint(fields: dict[str, Any] | None) -> Fingerprint | None:
    """Return a fingerprint from the file."""
    return Fingerprint(**fields) if fields else None


def _unpack_ended(fields: dict[str, Any], then: float) -> Ended:
    """Return a message that ended from the file, which was written at a time of this run's clock."""
    return Ended(
        key=fields["key"],
        time=then - fields["age"],
        ids=tuple(fields["ids"]),
        state=fields["state"],
        created=None if fields["created"] is None else then - fields["created"],
        counts=fields["counts"],
        failure=_unpack_failure(fields["failure"]),
        fingerprint=_unpack_fingerprint(fields["fingerprint"]),
    )


def unpack_ledger(data: object, time_of: Callable[[float], float]) -> Ledger:
    """Return the ledger from the file; `time_of` tells when by this run's clock it was written, given its own word.

    Raises:
        vol.Invalid: a field is missing or of another kind.
    """
    fields: dict[str, Any] = _LEDGER(data)
    then = time_of(fields["saved"])
    return Ledger(
        ended=[_unpack_ended(ended, then) for ended in fields["ended"]],
        day=fields["day"],
        delivered=fields["delivered"],
        failed=fields["failed"],
        delivery_time=fields["delivery_time"],
    )


def pack_ledger(ledger: Ledger, now: float) -> dict[str, Any]:
    """Return the ledger as it stands in the file."""
    return {
        "ended": [_pack_ended(ended, now) for ended in ledger.ended],
        "day": ledger.day and ledger.day.isoformat(),
        "delivered": ledger.delivered,
        "failed": ledger.failed,
        "delivery_time": ledger.delivery_time,
    }


def _pack_ended(ended: Ended, now: float) -> dict[str, Any]:
    """Return a message that ended as it stands in the file: a thousand of them are written at a time."""
    record: dict[str, Any] = {"key": ended.key, "age": now - ended.time, "ids": ended.ids, "state": ended.state}
    if ended.created is not None:
        record["created"] = now - ended.created
    if ended.counts:
        record["counts"] = True
    if ended.failure:
        record["failure"] = asdict(ended.failure)
    if ended.fingerprint:
        record["fingerprint"] = asdict(ended.fingerprint)
    return record
