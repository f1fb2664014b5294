"""An outgoing message and everything that may happen to it.

Pure: time comes in as seconds of a clock that runs evenly and never jumps, such as the event loop's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf
from typing import Any, Final

from ..api import MessageStatus
from ..errors import Failure


class State(StrEnum):
    """Where a message is on its way. The final states are also the names of their events."""

    QUEUED = "queued"
    """No request of it is under way, and none is that may have been accepted."""
    SENDING = "sending"
    """A request of it may be under way."""
    UNKNOWN = "unknown"
    """A request of it ended without a word on whether the service took it."""
    ACCEPTED = "accepted"
    """The service has all of it."""
    SENT = "sent"
    """The phone has sent all of it."""
    DELIVERED = "delivered"
    SEND_FAILED = "send_failed"
    DELIVERY_FAILED = "delivery_failed"
    REFUSED = "refused"
    """The service said no."""
    EXPIRED = "expired"
    """It is certain that it was not sent, at least not all of it, and it is too late for it."""
    UNCONFIRMED = "unconfirmed"
    """Nothing proves that it was sent, nothing proves that it was not."""

    @property
    def is_final(self) -> bool:
        """Tell if nothing can follow."""
        return not TRANSITIONS[self]

    @property
    def is_tracked(self) -> bool:
        """Tell if the service has the message and its end is awaited."""
        return self in {State.ACCEPTED, State.SENT}


_ENDS: Final = frozenset({State.DELIVERED, State.SEND_FAILED, State.DELIVERY_FAILED, State.UNCONFIRMED})

# Everything that may follow a state; docs/architecture.md draws it.
TRANSITIONS: Final[Mapping[State, frozenset[State]]] = {
    State.QUEUED: frozenset({State.SENDING, State.EXPIRED}),
    State.SENDING: frozenset({State.QUEUED, State.UNKNOWN, State.ACCEPTED, State.REFUSED, State.EXPIRED}),
    State.UNKNOWN: frozenset({State.QUEUED, State.ACCEPTED, State.UNCONFIRMED}),
    State.ACCEPTED: frozenset({State.SENT, *_ENDS}),
    State.SENT: _ENDS,
    State.DELIVERED: frozenset(),
    State.SEND_FAILED: frozenset(),
    State.DELIVERY_FAILED: frozenset(),
    State.REFUSED: frozenset(),
    State.EXPIRED: frozenset(),
    State.UNCONFIRMED: frozenset(),
}

# Seconds that a message which may not be queued waits for its turn. It takes half as long to look for one whose outcome
# is unknown.
_PATIENCE: Final = 60.0

# Told while a message is still on its way; it changes no state.
DELIVERY_TIMEOUT: Final = "delivery_timeout"

# All that is told of messages: on the way, then exactly one of the rest.
EVENT_TYPES: Final = (
    State.QUEUED.value,
    State.ACCEPTED.value,
    State.SENT.value,
    DELIVERY_TIMEOUT,
    *(state.value for state in State if state.is_final),
)


class IllegalTransitionError(Exception):
    """A change that cannot happen to a message in its state."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageEvent:
    """Something to tell of a message.

    Attributes:
        type: one of EVENT_TYPES.
        seconds: since the service had all of the message, or None before that.
    """

    type: str
    seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fingerprint:
    """What a repeated call is known again by: keyed digests, of which nobody learns a key, a text or a number.

    Attributes:
        key: of the key that the caller gave to the call.
        content: of everything that the call sends, and of all its numbers.
        index: which of its numbers, counted from 0 in their order, so that no digest of a lone number is needed.
    """

    key: str
    content: str
    index: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OutgoingMessage:
    """One text to one number, in one part or several.

    Attributes:
        key: names the message here; the service does not know it.
        phone_number: the receiver, digits only. Not shown by repr.
        text: what was asked to be sent. Not shown by repr.
        parts: the texts that are sent one after the other, at least one. Not shown by repr.
        recipient: the id of the subentry that the message is for, or None.
        tag: what the caller wants to know the message by, or None.
        phone_id: the GoSMS id of the phone that the caller asked for, or None for the one that the settings name.
        sim: the SIM card that the caller asked for, in the words of a phone's settings, or None for what these say.
        fingerprint: what a repetition of its call is known by, or None if that is another call.
        created: when it was asked for.
        expires: from when on nothing of it is sent any more.
        state: where it is.
        attempts: requests begun.
        last_attempt: when the last request for the next part began, or None before the first one.
        last_attempt_server_time: when the last request began, in Unix seconds by the service's clock, or by this
            machine's if that was not known yet; None before the first request.
        device_id: the phone that the last request named, or None for any.
        ids: the ids that the service gave to the parts, in their order.
        statuses: the newest status of each of these ids.
        accepted: when the service had all parts, or None.
        queued_reported: whether it was told that the message waits.
        timeout_reported: whether a missing delivery was told.
        failure: what went wrong, or None.
        pending_events: what happened and was not told yet, oldest first.
    """

    key: str
    phone_number: str = field(repr=False)
    text: str = field(repr=False)
    parts: tuple[str, ...] = field(repr=False)
    recipient: str | None = None
    tag: str | None = None
    phone_id: str | None = None
    sim: str | None = None
    fingerprint: Fingerprint | None = None
    created: float
    expires: float
    state: State = State.QUEUED
    attempts: int = 0
    last_attempt: float | None = None
    last_attempt_server_time: float | None = None
    device_id: str | None = None
    ids: tuple[str, ...] = ()
    statuses: tuple[MessageStatus, ...] = ()
    accepted: float | None = None
    queued_reported: bool = False
    timeout_reported: bool = False
    failure: Failure | None = None
    pending_events: tuple[MessageEvent, ...] = ()

    @property
    def part(self) -> str:
        """Return the text that is sent next, or whose fate is unknown."""
        return self.parts[len(self.ids)]

    @property
    def status(self) -> str:
        """Return the state as people are shown it: in the service's words once it has the message."""
        if self.state is State.ACCEPTED:
            return min(self.statuses).name.lower()
        if self.state in {State.SENDING, State.UNKNOWN}:
            return State.QUEUED.value
        return self.state.value

    @property
    def error(self) -> str | None:
        """Return the key of what went wrong, or None."""
        return self.failure.key if self.failure else None

    @property
    def can_be_queued(self) -> bool:
        """Tell if it may be sent later than at once."""
        return self.expires > self.created

    @property
    def counts_towards_limit(self) -> bool:
        """Tell if it is one of those that the hourly limit counts: accepted, queued, or about to be one of them."""
        return self.queued_reported or bool(self.ids) or not self.state.is_final

    def has_reached(self, state: State) -> bool:
        """Tell if it is in a state, or its end is known."""
        return self.state is state or self.state.is_final

    @property
    def is_waiting_for_retry(self) -> bool:
        """Tell if the service does not have all of it, and not because it is on its way there for the first time."""
        return self.queued_reported and not self.state.is_tracked and not self.state.is_final

    @property
    def deadline(self) -> float:
        """Return from when on the next part must not wait any longer, if there is such a time.

        A message that may not be queued still gets one attempt for each part. The first one may have to wait for a
        message with the same text to the same number that is on its way, but no longer than a caller would.
        """
        if self.can_be_queued or self.last_attempt is not None:
            return self.expires
        return inf if self.ids else self.created + _PATIENCE

    def is_expired(self, now: float) -> bool:
        """Return whether a queued message must not wait any longer."""
        return self.state is State.QUEUED and now >= self.deadline

    def start_attempt(self, now: float, *, server_time: float | None, device_id: str | None) -> OutgoingMessage:
        """Begin a request of the next part."""
        return _change(
            self,
            State.SENDING,
            attempts=self.attempts + 1,
            last_attempt=now,
            last_attempt_server_time=server_time,
            device_id=device_id,
        )

    def mark_accepted(self, message_id: str, now: float) -> OutgoingMessage:
        """Take note that the service has the part: it said so, or the part was found there."""
        ids, statuses = (*self.ids, message_id), (*self.statuses, MessageStatus.WAITING)
        if len(ids) < len(self.parts):
            return _change(self, State.QUEUED, ids=ids, statuses=statuses, failure=None, last_attempt=None)
        return _change(self, State.ACCEPTED, now, ids=ids, statuses=statuses, failure=None, accepted=now)

    def requeue(self, failure: Failure, now: float) -> OutgoingMessage:
        """Take note that the part was certainly not sent, and may be later."""
        if now >= self.expires:
            return self.expire(failure, now)
        return _change(self, State.QUEUED).report_queued()

    def undo_attempt(self) -> OutgoingMessage:
        """Take note that the request did not leave after all."""
        return _change(self, State.QUEUED, attempts=self.attempts - 1)

    def disable_retry(self) -> OutgoingMessage:
        """Let no part have more than one request: the one that is about to leave, or that comes."""
        return replace(self, expires=self.created)

    def mark_unknown(self, failure: Failure | None, now: float) -> OutgoingMessage:
        """Take note that nobody knows what became of the part; it is a failure where it can't be sent again."""
        lost = _change(self, State.UNKNOWN).report_queued()
        return replace(lost, failure=failure) if now >= self.expires else lost

    def report_queued(self) -> OutgoingMessage:
        """Tell that the message waits, the first time that it does."""
        if self.queued_reported:
            return self
        return replace(
            self,
            queued_reported=True,
            pending_events=(*self.pending_events, MessageEvent(type=State.QUEUED.value, seconds=None)),
        )

    def mark_not_found(self, now: float) -> OutgoingMessage:
        """Take note that the service certainly does not have the part."""
        return _change(self, State.UNCONFIRMED, now) if now >= self.expires else _change(self, State.QUEUED)

    def refuse(self, failure: Failure, now: float) -> OutgoingMessage:
        """Take note that the service said no."""
        return _change(self, State.REFUSED, now, failure=self._of_part(failure))

    def expire(self, failure: Failure | None, now: float) -> OutgoingMessage:
        """Give up a message that waited too long, or that had to wait and might not."""
        return _change(self, State.EXPIRED, now, failure=failure and self._of_part(failure))

    def _of_part(self, failure: Failure) -> Failure:
        """Return a failure that names the part, if parts before it were accepted."""
        return replace(failure, part=len(self.ids) + 1, parts=len(self.parts)) if self.ids else failure

    def mark_unconfirmed(self, now: float) -> OutgoingMessage:
        """Stop waiting for proof."""
        return _change(self, State.UNCONFIRMED, now)

    def apply_statuses(self, statuses: Mapping[str, MessageStatus], now: float) -> OutgoingMessage:
        """Take over what the service tells of the parts; a status never goes back."""
        newest = tuple(
            max(known, statuses.get(message_id, known)) if not known.is_final else known
            for message_id, known in zip(self.ids, self.statuses, strict=True)
        )
        if newest == self.statuses:
            return self
        if failed := [status for status in newest if status in _FAILURES]:
            return _change(self, _FAILURES[failed[0]], now, statuses=newest)
        lowest = min(newest)
        if lowest is MessageStatus.DELIVERED:
            return _change(self, State.DELIVERED, now, statuses=newest)
        if lowest >= MessageStatus.SENT and self.state is not State.SENT:
            return _change(self, State.SENT, now, statuses=newest)
        return replace(self, statuses=newest)

    def report_delivery_timeout(self, now: float) -> OutgoingMessage:
        """Take note that the delivery takes long; the message is followed all the same."""
        if not self.state.is_tracked or self.timeout_reported:
            raise IllegalTransitionError
        return replace(
            self,
            timeout_reported=True,
            pending_events=(*self.pending_events, _occurrence(DELIVERY_TIMEOUT, self.accepted, now)),
        )

    def pop_event(self) -> OutgoingMessage:
        """Take note that the first of what happened was told."""
        return replace(self, pending_events=self.pending_events[1:])


def _change(
    message: OutgoingMessage,
    state: State,
    now: float | None = None,
    *,
    accepted: float | None = None,
    **changes: Any,  # noqa: ANN401  # What `replace` takes.
) -> OutgoingMessage:
    """Change the state of a message, and fields with it; with a time, tell it too."""
    if state not in TRANSITIONS[message.state]:
        raise IllegalTransitionError(f"{message.state} to {state}")
    accepted = message.accepted if accepted is None else accepted
    pending_events = (
        message.pending_events if now is None else (*message.pending_events, _occurrence(state.value, accepted, now))
    )
    return replace(message, state=state, accepted=accepted, pending_events=pending_events, **changes)


def _occurrence(kind: str, accepted: float | None, now: float) -> MessageEvent:
    """Return something to tell of a message that the service has had since then, if it has it."""
    return MessageEvent(type=kind, seconds=None if accepted is None else round(now - accepted, 3))


_FAILURES: Final = {
    MessageStatus.SEND_FAILED: State.SEND_FAILED,
    MessageStatus.DELIVERY_FAILED: State.DELIVERY_FAILED,
}
