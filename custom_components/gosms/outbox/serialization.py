"""How messages and the ledger stand in the files: times as ages, and what an earlier release wrote is understood."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, field, fields as fields_of
from datetime import date
from typing import Any, Final

from homeassistant.helpers.json import json_bytes
import voluptuous as vol

from ..api import MessageStatus
from ..errors import Failure
from .history import FinishedMessage, History
from .journal import Line
from .message import EVENT_TYPES, Fingerprint, MessageEvent, OutgoingMessage, State

_NUMBER: Final = vol.Any(int, float)
_TEXT_OR_NONE: Final = vol.Any(None, str)
_INTEGER_OR_NONE: Final = vol.Any(None, int)
_NUMBER_OR_NONE: Final = vol.Any(None, int, float)

_QUEUE: Final = vol.Schema(
    {
        vol.Required("saved"): _NUMBER,
        vol.Optional("clock", default=0.0): _NUMBER,
        vol.Optional("secret"): str,
        vol.Required("messages"): list,
        vol.Optional("gone", default=list): [str],
    },
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
    {vol.Required("key"): str, vol.Required("content"): str, vol.Required("index"): int}, extra=vol.REMOVE_EXTRA
)

# What is optional in these files was not in those of the first release.
_ENDED: Final = vol.Schema(
    {
        vol.Required("age"): _NUMBER,
        vol.Required("key"): str,
        vol.Required("ids"): [str],
        vol.Optional("state", default=None): vol.Any(None, vol.Coerce(State)),
        vol.Optional("created", default=None): _NUMBER_OR_NONE,
        vol.Optional("counts_towards_limit", default=False): bool,
        vol.Optional("failure", default=None): vol.Any(None, _FAILURE),
        vol.Optional("fingerprint", default=None): vol.Any(None, _FINGERPRINT),
    },
    extra=vol.REMOVE_EXTRA,
)

_LEDGER: Final = vol.Schema(
    {
        vol.Required("saved"): _NUMBER,
        vol.Optional("clock", default=0.0): _NUMBER,
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
        vol.Optional("phone_id", default=None): _TEXT_OR_NONE,
        vol.Optional("sim", default=None): _TEXT_OR_NONE,
        vol.Optional("fingerprint", default=None): vol.Any(None, _FINGERPRINT),
        vol.Required("created"): _NUMBER,
        vol.Required("expires"): _NUMBER,
        vol.Required("state"): vol.Coerce(State),
        vol.Required("attempts"): int,
        vol.Required("last_attempt"): _NUMBER_OR_NONE,
        vol.Required("last_attempt_server_time"): _NUMBER_OR_NONE,
        vol.Required("device_id"): _TEXT_OR_NONE,
        vol.Required("ids"): [str],
        vol.Required("statuses"): [vol.Coerce(MessageStatus)],
        vol.Required("accepted"): _NUMBER_OR_NONE,
        vol.Required("queued_reported"): bool,
        vol.Required("timeout_reported"): bool,
        # The first release knew no more of a failure than its key, as "error".
        vol.Optional("error", default=None): _TEXT_OR_NONE,
        vol.Optional("failure", default=None): vol.Any(None, _FAILURE),
        vol.Required("pending_events"): [
            {vol.Required("type"): vol.In(EVENT_TYPES), vol.Required("seconds"): _NUMBER_OR_NONE}
        ],
    },
    extra=vol.REMOVE_EXTRA,
)

_FIELDS: Final = tuple(field.name for field in fields_of(OutgoingMessage))

# The fields that are times, on disk as ages.
_TIMES: Final = ("created", "expires", "last_attempt", "accepted")


type _TimeOf = Callable[[float], float]


@dataclass(kw_only=True, slots=True)
class Queue:
    """What the file of the messages says.

    Attributes:
        messages: by their keys, oldest first.
        secret: what fingerprints are made with, or None if it does not say.
        damaged: what of it can't be read. Not to be logged.
    """

    messages: dict[str, OutgoingMessage] = field(default_factory=dict)
    secret: str | None = None
    damaged: list[bytes] = field(default_factory=list)


def dump_queue(
    messages: Collection[OutgoingMessage], gone: Collection[str], now: float, *, saved: float, secret: str | None
) -> dict[str, Any]:
    """Return messages, and the keys of those that went to the ledger, as they stand in the file.

    It is written at `saved` by the wall clock and `now` by the run's; the secret stands in the first record alone.
    """
    packed = [dump_message(message, now) for message in messages]
    record: dict[str, Any] = {"saved": saved, "clock": now, "messages": packed}
    if gone:
        record["gone"] = gone
    if secret is not None:
        record["secret"] = secret
    return record


def load_queue(lines: Iterable[Line], time_of: _TimeOf) -> Queue:
    """Return what the file says; `time_of` tells when by this run's clock it was written, given its own word.

    What can't be read may have told of any message before it that a request was about to leave. So those that waited
    are taken for messages whose request was under way: they are looked for before they are sent.
    """
    queue = Queue()
    then = saved = 0.0
    for raw, fields in _read(lines, _QUEUE, time_of):
        if fields is None:
            queue.damaged.append(raw)
            queue.messages = _doubt(queue.messages, then, saved)
            continue
        found, damaged = _load_messages(fields["messages"], fields["then"])
        if damaged:
            queue.damaged += damaged
            queue.messages = _doubt(queue.messages, then, saved)
        queue.messages |= found
        for key in fields["gone"]:
            queue.messages.pop(key, None)
        queue.secret = fields.get("secret", queue.secret)
        then, saved = fields["then"], fields["saved"]
    return queue


def _read(lines: Iterable[Line], schema: vol.Schema, time_of: _TimeOf) -> list[tuple[bytes, dict[str, Any] | None]]:
    """Return the lines, and what each says or None; `then` is when it was written, by this run's clock.

    All lines are of one run, whose first write replaced the file, and say the time by that run's clock. So the wall
    clock, which may have been set meanwhile, has to tell only how long ago the last of them was written.
    """
    read: list[tuple[bytes, dict[str, Any] | None]] = []
    for line in lines:
        try:
            read.append((line.raw, schema(line.record)))
        except vol.Invalid:
            read.append((line.raw, None))
    valid = [fields for _, fields in read if fields is not None]
    for fields in valid:
        fields["then"] = time_of(valid[-1]["saved"]) - (valid[-1]["clock"] - fields["clock"])
    return read


def _doubt(messages: dict[str, OutgoingMessage], then: float, saved: float) -> dict[str, OutgoingMessage]:
    """Take every message that waited for one whose request was under way."""
    return {
        key: message.start_attempt(then, server_time=saved, device_id=message.device_id)
        if message.state is State.QUEUED
        else message
        for key, message in messages.items()
    }


def _load_messages(records: list[object], then: float) -> tuple[dict[str, OutgoingMessage], list[bytes]]:
    """Return the messages of a line by their keys, and what is damaged."""
    messages: dict[str, OutgoingMessage] = {}
    damaged: list[bytes] = []
    for record in records:
        try:
            message = load_message(record, then)
        except vol.Invalid, ValueError:
            damaged.append(json_bytes(record))
        else:
            messages[message.key] = message
    return messages, damaged


def dump_message(message: OutgoingMessage, now: float) -> dict[str, Any]:
    """Return a message as it stands in the file: a thousand of them are written at a time, so it must be quick."""
    record: dict[str, Any] = {name: getattr(message, name) for name in _FIELDS}
    record["pending_events"] = [{"type": each.type, "seconds": each.seconds} for each in message.pending_events]
    for name in ("failure", "fingerprint"):
        if record[name] is not None:
            record[name] = asdict(record[name])
    for name in _TIMES:
        if record[name] is not None:
            record[name] = now - record[name]
    return record


def load_message(record: object, then: float) -> OutgoingMessage:
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
    fields["pending_events"] = tuple(MessageEvent(**occurrence) for occurrence in fields["pending_events"])
    error = fields.pop("error")
    fields["failure"] = Failure(key=error) if error else _load_failure(fields["failure"])
    fields["fingerprint"] = _load_fingerprint(fields["fingerprint"])
    message = OutgoingMessage(**fields)
    complete = len(message.ids) == len(message.parts)
    if len(message.ids) != len(message.statuses) or len(message.ids) > len(message.parts):
        raise ValueError
    if message.state.is_tracked != (complete and not message.state.is_final) or complete != (
        message.accepted is not None
    ):
        raise ValueError
    return message


def _load_failure(fields: dict[str, Any] | None) -> Failure | None:
    """Return a failure from the file."""
    return Failure(**fields) if fields else None


def _load_fingerprint(fields: dict[str, Any] | None) -> Fingerprint | None:
    """Return a fingerprint from the file."""
    return Fingerprint(**fields) if fields else None


def _load_finished(fields: dict[str, Any], then: float) -> FinishedMessage:
    """Return a message that ended from the file, which was written at a time of this run's clock."""
    return FinishedMessage(
        key=fields["key"],
        time=then - fields["age"],
        ids=tuple(fields["ids"]),
        state=fields["state"],
        created=None if fields["created"] is None else then - fields["created"],
        counts_towards_limit=fields["counts_towards_limit"],
        failure=_load_failure(fields["failure"]),
        fingerprint=_load_fingerprint(fields["fingerprint"]),
    )


def load_history(lines: Iterable[Line], time_of: _TimeOf) -> tuple[History, list[bytes]]:
    """Return what the file of the ledger says, and what of it can't be read; for `time_of` see `load_queue`."""
    ledger = History()
    damaged: list[bytes] = []
    for raw, fields in _read(lines, _LEDGER, time_of):
        if fields is None:
            damaged.append(raw)
            continue
        ledger.ended += [_load_finished(ended, fields["then"]) for ended in fields["ended"]]
        ledger.day, ledger.delivered, ledger.failed = fields["day"], fields["delivered"], fields["failed"]
        ledger.delivery_time = fields["delivery_time"]
    return ledger, damaged


def dump_history(ledger: History, now: float, *, saved: float) -> dict[str, Any]:
    """Return a ledger, or what is new in it with its counters, as it stands in the file; for times see `dump_queue`."""
    return {
        "saved": saved,
        "clock": now,
        "ended": [_dump_finished(ended, now) for ended in ledger.ended],
        "day": ledger.day and ledger.day.isoformat(),
        "delivered": ledger.delivered,
        "failed": ledger.failed,
        "delivery_time": ledger.delivery_time,
    }


def _dump_finished(ended: FinishedMessage, now: float) -> dict[str, Any]:
    """Return a message that ended as it stands in the file: a thousand of them are written at a time."""
    record: dict[str, Any] = {"key": ended.key, "age": now - ended.time, "ids": ended.ids, "state": ended.state}
    if ended.created is not None:
        record["created"] = now - ended.created
    if ended.counts_towards_limit:
        record["counts_towards_limit"] = True
    if ended.failure:
        record["failure"] = asdict(ended.failure)
    if ended.fingerprint:
        record["fingerprint"] = asdict(ended.fingerprint)
    return record
