"""An outgoing message and everything that may happen to it.

Pure: time comes in as seconds of a clock that runs evenly and never jumps, such as the event loop's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Final

from ..api import MessageStatus
from ..errors import Failure
from .fingerprint import Fingerprint
from .state import (
    DELIVERY_TIMEOUT,
    TRANSITIONS,
    IllegalTransitionError,
    MessageEvent,
    MessageStep,
    Part,
    State,
    state_of,
)

# Seconds that a message which may not be queued waits for its turn. It takes half as long to look for one whose outcome
# is unknown.
_MAX_TURN: Final = 60.0

# The fields that are times of the clock.
TIMES: Final = ("created", "expires", "last_attempt", "accepted", "finished")


@dataclass(frozen=True, kw_only=True, slots=True)
class OutgoingMessage:
    """One text to one number, in one part or several. Number, text and parts are not shown by repr.

    Attributes:
        key: names the message here; the service does not know it.
        phone_number: digits only; empty once it is not to be remembered any more, as are the texts.
        text: what was asked to be sent; `parts` are sent, one after the other.
        recipient: the id of the subentry that the message is for, or None.
        tag: what the caller wants to recognize the message by, or None.
        phone_id: the GoSMS id of the phone that the caller asked for, or None for the one that the settings name.
        sim: the SIM card that the caller asked for, in the words of a phone's settings, or None for what these say.
        fingerprint: what a repetition of its call is recognized by, or None if that is another call.
        expires: from when on nothing of it is sent any more.
        attempts: requests begun; that for the next part began at `last_attempt`, and named the phone `device_id`.
        wall_time: what the wall clock told then, or when it was asked for, in Unix seconds; it may be wrong.
        is_restored: whether an earlier run left it unsent. The file may be a restored backup, so that any part may have
            been sent meanwhile.
        accepted: when the service had all parts, or None.
        finished: when it went to the history, or None.
        pending_events: what happened and was not reported yet, oldest first, after `reported_events` that were.
        steps: all of that with its time.
    """

    key: str
    phone_number: str = field(repr=False)
    text: str = field(repr=False)
    parts: tuple[Part, ...] = field(repr=False)
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
    wall_time: float | None = None
    is_restored: bool = False
    device_id: str | None = None
    accepted: float | None = None
    finished: float | None = None
    queued_reported: bool = False
    timeout_reported: bool = False
    failure: Failure | None = None
    pending_events: tuple[MessageEvent, ...] = ()
    reported_events: int = 0
    steps: tuple[MessageStep, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of the parts that the service has, in their order."""
        return tuple(part.id for part in self.parts if part.id is not None)

    @property
    def next_part(self) -> str:
        """Return the text that is sent next, or whose outcome is unknown."""
        return next(part.text for part in self.parts if part.id is None)

    @property
    def content(self) -> tuple[str, str]:
        """Return what is sent next to whom: of two messages for which it is the same, one waits for the other."""
        return self.phone_number, self.next_part

    @property
    def status(self) -> str:
        """Return the state as people are shown it: in the service's words once it has the message."""
        if self.state is State.ACCEPTED:
            return min(part.status for part in self.parts if part.status is not None).key
        if self.state in {State.SENDING, State.UNKNOWN}:
            return State.QUEUED.value
        return self.state.value

    @property
    def error(self) -> str | None:
        """Return the key of what went wrong, or None."""
        return self.failure.key if self.failure else None

    @property
    def can_be_queued(self) -> bool:
        """Return whether it may be sent later than at once."""
        return self.expires > self.created

    @property
    def counts_towards_limit(self) -> bool:
        """Return whether the hourly limit counts it: it was accepted or queued, or is about to be."""
        return self.queued_reported or self.parts[0].id is not None or not self.state.is_final

    @property
    def is_waiting_for_retry(self) -> bool:
        """Return whether it waits, and not because it is on its way to the service for the first time."""
        return self.queued_reported and not self.state.is_tracked and not self.state.is_final

    @property
    def has_first_result(self) -> bool:
        """Return whether its caller can be told something: it is accepted, waits, or has ended."""
        is_waiting = self.queued_reported and (self.can_be_queued or self.state is State.UNKNOWN)
        return is_waiting or self.state.is_tracked or self.state.is_final

    @property
    def was_left_queued(self) -> bool:
        """Return whether an earlier run left it without a request in progress, as far as its file tells."""
        return self.is_restored and self.last_attempt is None

    @property
    def shown(self) -> tuple[object, ...]:
        """Return what people see of it: not whether a request is in progress."""
        state = State.QUEUED if self.state is State.SENDING else self.state
        return state, self.parts, self.failure, self.queued_reported, self.timeout_reported

    @property
    def can_be_cancelled(self) -> bool:
        """Return whether it can be canceled: according to its stored record, no request may have arrived."""
        return (self.state is State.QUEUED or (self.state is State.UNKNOWN and self.was_left_queued)) and not self.ids

    @property
    def deadline(self) -> float:
        """Return from when on the next part must not wait any longer, if there is such a time.

        A message that may not be queued still gets one attempt for each part. The first one may have to wait for a
        message with the same text to the same number that is on its way, but no longer than a caller would.
        """
        if self.can_be_queued or self.last_attempt is not None:
            return self.expires
        return inf if self.ids else self.created + _MAX_TURN

    def is_expired(self, now: float) -> bool:
        """Return whether it has been queued for too long."""
        return self.state is State.QUEUED and now >= self.deadline

    def start_attempt(self, now: float, *, device_id: str | None, wall_time: float | None = None) -> OutgoingMessage:
        """Begin a request for the next part."""
        attempts = self.attempts + 1
        return _change(
            self, State.SENDING, attempts=attempts, last_attempt=now, wall_time=wall_time, device_id=device_id
        )

    def mark_accepted(self, message_id: str, now: float) -> OutgoingMessage:
        """Note that the service has the part: it said so, or the part was found there."""
        index = len(self.ids)
        if index == len(self.parts):
            raise IllegalTransitionError("the service has all of it")
        accepted = replace(self.parts[index], id=message_id, status=MessageStatus.WAITING)
        parts = (*self.parts[:index], accepted, *self.parts[index + 1 :])
        if index + 1 == len(parts):
            return _change(self, State.ACCEPTED, now, parts=parts, failure=None, accepted=now, is_restored=False)
        following = _change(self, State.QUEUED, parts=parts, failure=None, last_attempt=None)
        # Of a restored message the next part may have been sent as well.
        return following.mark_unknown(None, now) if self.is_restored else following

    def requeue(self, failure: Failure, now: float) -> OutgoingMessage:
        """Note that the part was certainly not sent, and may be later."""
        if now >= self.expires:
            return self.expire(failure, now)
        return _change(self, State.QUEUED).report_queued()

    def undo_attempt(self) -> OutgoingMessage:
        """Note that the request did not begin after all."""
        return _change(self, State.QUEUED, attempts=self.attempts - 1)

    def disable_retry(self) -> OutgoingMessage:
        """Disable retries: each remaining part gets at most one request."""
        return replace(self, expires=self.created) if self.can_be_queued else self

    def mark_unknown(self, failure: Failure | None, now: float) -> OutgoingMessage:
        """Note that nobody knows the outcome for the part; it is a failure where it can't be sent again."""
        unknown = _change(self, State.UNKNOWN).report_queued()
        return replace(unknown, failure=failure) if now >= self.expires else unknown

    def mark_restored(self) -> OutgoingMessage:
        """Note that an earlier run left it unsent, so that it is looked for before it is sent."""
        if self.state is State.UNKNOWN:
            return replace(self, is_restored=True)
        last_attempt = None if self.state is State.QUEUED else self.last_attempt
        return _change(self, State.UNKNOWN, is_restored=True, last_attempt=last_attempt).report_queued()

    def report_queued(self) -> OutgoingMessage:
        """Report that the message waits, the first time that it does."""
        if self.queued_reported:
            return self
        event = MessageEvent(type=State.QUEUED.value, seconds=None)
        return replace(self, queued_reported=True, pending_events=(*self.pending_events, event))

    def mark_not_found(self, now: float) -> OutgoingMessage:
        """Note that the service certainly does not have the part."""
        if now < self.expires:
            return _change(self, State.QUEUED, is_restored=False)
        return self.expire(None, now) if self.was_left_queued else self.mark_unconfirmed(now)

    def refuse(self, failure: Failure, now: float) -> OutgoingMessage:
        """Note that the service said no."""
        return _change(self, State.REFUSED, now, failure=self._of_part(failure))

    def expire(self, failure: Failure | None, now: float) -> OutgoingMessage:
        """Give up a message that waited too long, or that could not be sent and may not be queued."""
        return _change(self, State.EXPIRED, now, failure=failure and self._of_part(failure))

    def _of_part(self, failure: Failure) -> Failure:
        """Return a failure that names the part, if parts before it were accepted."""
        return replace(failure, part=len(self.ids) + 1, parts=len(self.parts)) if self.ids else failure

    def mark_unconfirmed(self, now: float) -> OutgoingMessage:
        """Stop waiting for a proof."""
        return _change(self, State.UNCONFIRMED, now)

    def cancel(self, now: float) -> OutgoingMessage:
        """Cancel it."""
        if not self.can_be_cancelled:
            raise IllegalTransitionError("it may have been sent")
        return _change(self, State.CANCELLED, now)

    def apply_statuses(self, statuses: Mapping[str, MessageStatus], now: float) -> OutgoingMessage:
        """Apply what the service tells of the parts; a status never goes back."""
        parts = tuple(part.with_status(statuses.get(part.id or "")) for part in self.parts)
        if parts == self.parts:
            return self
        state = state_of(parts)
        if state is self.state or state is State.ACCEPTED:
            return replace(self, parts=parts)
        return _change(self, state, now, parts=parts)

    def report_delivery_timeout(self, now: float) -> OutgoingMessage:
        """Report that the delivery takes long; the message is followed all the same."""
        if not self.state.is_tracked or self.timeout_reported:
            raise IllegalTransitionError
        event = _event(DELIVERY_TIMEOUT, self.accepted, now)
        return replace(self, timeout_reported=True, pending_events=(*self.pending_events, event))

    def pop_events(self, count: int) -> OutgoingMessage:
        """Note that the first events were reported."""
        events = self.pending_events[count:]
        return replace(self, pending_events=events, reported_events=self.reported_events + count)

    def add_steps(self, now: float) -> OutgoingMessage:
        """Note that what happened since the last step happened now."""
        if not (count := self.reported_events + len(self.pending_events) - len(self.steps)):
            return self
        steps = (MessageStep(type=event.type, time=now) for event in self.pending_events[-count:])
        return replace(self, steps=(*self.steps, *steps))

    def shift(self, seconds: float) -> OutgoingMessage:
        """Return the message as it is if everything that happened to it is so many seconds longer ago."""
        times: dict[str, Any] = {name: getattr(self, name) for name in TIMES}
        steps = tuple(replace(step, time=step.time - seconds) for step in self.steps)
        return replace(self, **{name: time - seconds for name, time in times.items() if time is not None}, steps=steps)

    def finish(self, now: float) -> OutgoingMessage:
        """Return it as it goes to the history."""
        return replace(self, finished=now)

    def strip(self) -> OutgoingMessage:
        """Return what has to be remembered of it: neither texts nor numbers."""
        parts = tuple(replace(part, text="") for part in self.parts)
        return replace(self, phone_number="", text="", parts=parts, tag=None, steps=())


def _change(
    message: OutgoingMessage,
    state: State,
    now: float | None = None,
    *,
    accepted: float | None = None,
    **changes: Any,  # noqa: ANN401  # What `replace` takes.
) -> OutgoingMessage:
    """Change the state of a message, and fields with it; with a time, report it too."""
    if state not in TRANSITIONS[message.state]:
        raise IllegalTransitionError(f"{message.state} to {state}")
    accepted = message.accepted if accepted is None else accepted
    events = message.pending_events if now is None else (*message.pending_events, _event(state.value, accepted, now))
    return replace(message, state=state, accepted=accepted, pending_events=events, **changes)


def _event(kind: str, accepted: float | None, now: float) -> MessageEvent:
    """Return something to report of a message that the service has had since then, if it has it."""
    return MessageEvent(type=kind, seconds=None if accepted is None else round(now - accepted, 3))
