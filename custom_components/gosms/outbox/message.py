"""An outgoing message and its transitions.

Pure: times are passed in, as seconds of a monotonic clock such as the event loop's.
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
    REPORTED_ENDS,
    TRANSITIONS,
    IllegalTransitionError,
    MessageEvent,
    MessageStep,
    Part,
    State,
    state_of,
)

# Maximum seconds that a message that may not be queued waits for its first attempt. Settling an unknown outcome takes
# half as long.
_MAX_TURN: Final = 60.0

# The fields that hold times of the clock.
TIMES: Final = ("created", "expires", "last_attempt", "accepted", "finished")


@dataclass(frozen=True, kw_only=True, slots=True)
class OutgoingMessage:
    """One text to one number, in one or more parts. Its repr omits the number and all texts.

    Attributes:
        key: identifies the message here; the service does not know it.
        phone_number: digits only. Empty once it must no longer be kept, like the texts.
        text: the text that was requested; its `parts` are sent one after the other.
        recipient: the id of the recipient's subentry, or None.
        tag: the caller's tag to recognize the message by, or None.
        phone_id: the GoSMS id of the phone that the caller selected, or None for the phone from the settings.
        sim: the SIM card that the caller selected, as in a phone's settings, or None for the one set there.
        fingerprint: recognizes repetitions of the call; None if it can't be repeated.
        expires: when it is too late to send anything of it; see `deadline`.
        attempts: number of requests started. The request for the next part started at `last_attempt`, for the phone
            `device_id`.
        wall_time: the wall clock at the start of the last attempt, or at creation, in Unix seconds; it may be wrong.
        is_restored: whether an earlier run left it unsent. The file may be a restored backup, so any part may have been
            sent since.
        accepted: when the service had accepted all parts, or None.
        finished: when it was moved to the history, or None.
        pending_events: events that are not published yet, oldest first.
        reported_events: number of events published before those.
        steps: all events with their times.
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
        """Return the service's ids of the accepted parts, in order."""
        return tuple(part.id for part in self.parts if part.id is not None)

    @property
    def next_part(self) -> str:
        """Return the text of the next part to send, or of the part whose outcome is unknown."""
        return next(part.text for part in self.parts if part.id is None)

    @property
    def content(self) -> tuple[str, str]:
        """Return the number and the next part. A message waits for another one for which both are the same."""
        return self.phone_number, self.next_part

    @property
    def status(self) -> str:
        """Return the status shown to users: once the message is accepted, the one reported by the service."""
        if self.state is State.ACCEPTED:
            return min(part.status for part in self.parts if part.status is not None).key
        if self.state in {State.SENDING, State.UNKNOWN}:
            return State.QUEUED.value
        return self.state.value

    @property
    def error(self) -> str | None:
        """Return the key of the failure, or None."""
        return self.failure.key if self.failure else None

    @property
    def can_be_queued(self) -> bool:
        """Return whether it may be queued for a later attempt."""
        return self.expires > self.created

    @property
    def counts_towards_limit(self) -> bool:
        """Return whether it counts towards the hourly limit: it was accepted or queued, or still may be."""
        return self.queued_reported or self.parts[0].id is not None or not self.state.is_final

    @property
    def is_waiting_for_retry(self) -> bool:
        """Return whether it was reported as queued, and is neither accepted nor finished."""
        return self.queued_reported and not self.state.is_tracked and not self.state.is_final

    @property
    def has_first_result(self) -> bool:
        """Return whether there is a first result for its caller: it is accepted, queued or finished."""
        is_waiting = self.queued_reported and (self.can_be_queued or self.state is State.UNKNOWN)
        return is_waiting or self.state.is_tracked or self.state.is_final

    @property
    def was_left_queued(self) -> bool:
        """Return whether an earlier run left it queued, without a request in progress, as far as its record shows."""
        return self.is_restored and self.last_attempt is None

    @property
    def shown(self) -> tuple[object, ...]:
        """Return what users see of it, which does not include whether a request is in progress."""
        state = State.QUEUED if self.state is State.SENDING else self.state
        return state, self.parts, self.failure, self.queued_reported, self.timeout_reported

    @property
    def can_be_cancelled(self) -> bool:
        """Return whether it can be canceled: according to its record, no request can have reached the service."""
        return (self.state is State.QUEUED or (self.state is State.UNKNOWN and self.was_left_queued)) and not self.ids

    @property
    def deadline(self) -> float:
        """Return the time until which the next part may stay queued, or infinity.

        A message that may not be queued still gets one attempt for each part. The first one may have to wait for
        another message with the same text to the same number, but no longer than a caller would wait.
        """
        if self.can_be_queued or self.last_attempt is not None:
            return self.expires
        return inf if self.ids else self.created + _MAX_TURN

    def is_expired(self, now: float) -> bool:
        """Return whether it has been queued for too long."""
        return self.state is State.QUEUED and now >= self.deadline

    def start_attempt(self, now: float, *, device_id: str | None, wall_time: float | None = None) -> OutgoingMessage:
        """Start a request for the next part."""
        attempts = self.attempts + 1
        return _change(
            self, State.SENDING, attempts=attempts, last_attempt=now, wall_time=wall_time, device_id=device_id
        )

    def mark_accepted(self, message_id: str, now: float) -> OutgoingMessage:
        """Record that the service has the part: it returned the id, or a look-up found it."""
        index = len(self.ids)
        if index == len(self.parts):
            raise IllegalTransitionError("the service has all of it")
        accepted = replace(self.parts[index], id=message_id, status=MessageStatus.WAITING)
        parts = (*self.parts[:index], accepted, *self.parts[index + 1 :])
        if index + 1 == len(parts):
            return _change(self, State.ACCEPTED, now, parts=parts, failure=None, accepted=now, is_restored=False)
        following = _change(self, State.QUEUED, parts=parts, failure=None, last_attempt=None)
        # The next part of a restored message may have been sent as well.
        return following.mark_unknown(None, now) if self.is_restored else following

    def requeue(self, failure: Failure, now: float) -> OutgoingMessage:
        """Queue a part that was certainly not sent, or expire the message if it is too late."""
        if now >= self.expires:
            return self.expire(failure, now)
        return _change(self, State.QUEUED).report_queued()

    def undo_attempt(self) -> OutgoingMessage:
        """Undo an attempt whose request was not started."""
        return _change(self, State.QUEUED, attempts=self.attempts - 1)

    def disable_retry(self) -> OutgoingMessage:
        """Disable retries: each remaining part gets at most one request."""
        return replace(self, expires=self.created) if self.can_be_queued else self

    def mark_unknown(self, failure: Failure | None, now: float) -> OutgoingMessage:
        """Record that the outcome for the part is unknown; keep the failure if it is too late to send it again."""
        unknown = _change(self, State.UNKNOWN).report_queued()
        return replace(unknown, failure=failure) if now >= self.expires else unknown

    def mark_restored(self) -> OutgoingMessage:
        """Record that an earlier run left it unsent, so that it is looked up before it is sent."""
        if self.state is State.UNKNOWN:
            return replace(self, is_restored=True)
        last_attempt = None if self.state is State.QUEUED else self.last_attempt
        return _change(self, State.UNKNOWN, is_restored=True, last_attempt=last_attempt).report_queued()

    def report_queued(self) -> OutgoingMessage:
        """Add the `queued` event, once."""
        if self.queued_reported:
            return self
        event = MessageEvent(type=State.QUEUED.value, seconds=None)
        return replace(self, queued_reported=True, pending_events=(*self.pending_events, event))

    def mark_not_found(self, now: float) -> OutgoingMessage:
        """Record that the service certainly does not have the part."""
        if now < self.expires:
            return _change(self, State.QUEUED, is_restored=False)
        return self.expire(None, now) if self.was_left_queued else self.mark_unconfirmed(now)

    def refuse(self, failure: Failure, now: float) -> OutgoingMessage:
        """Record that the service refused it."""
        return _change(self, State.REFUSED, now, failure=self._of_part(failure))

    def expire(self, failure: Failure | None, now: float) -> OutgoingMessage:
        """Expire a message that was queued for too long, or that could not be sent and may not be queued."""
        return _change(self, State.EXPIRED, now, failure=failure and self._of_part(failure))

    def _of_part(self, failure: Failure) -> Failure:
        """Return the failure with the number of the part, if earlier parts were accepted."""
        return replace(failure, part=len(self.ids) + 1, parts=len(self.parts)) if self.ids else failure

    def mark_unconfirmed(self, now: float) -> OutgoingMessage:
        """Stop waiting for proof of the outcome."""
        return _change(self, State.UNCONFIRMED, now)

    def cancel(self, now: float) -> OutgoingMessage:
        """Cancel it before any of it is sent."""
        if not self.can_be_cancelled:
            raise IllegalTransitionError("it may have been sent")
        return _change(self, State.CANCELLED, now)

    def apply_statuses(self, statuses: Mapping[str, MessageStatus], now: float) -> OutgoingMessage:
        """Apply the statuses that the service reports for the parts; a status never goes back."""
        parts = tuple(part.with_status(statuses.get(part.id or "")) for part in self.parts)
        if parts == self.parts:
            return self
        state = state_of(parts)
        if state is self.state or state is State.ACCEPTED:
            return replace(self, parts=parts)
        return _change(self, state, now, parts=parts)

    def correct(self, statuses: Mapping[str, MessageStatus]) -> OutgoingMessage:
        """Return a finished message with the statuses that the service shows now: it may have corrected the end.

        For display only: no event follows the final one.
        """
        if self.state not in REPORTED_ENDS or not statuses.keys() >= set(self.ids):
            return self
        parts = tuple(replace(part, status=statuses[part.id or ""]) for part in self.parts)
        state = state_of(parts)
        if self.state is State.DELIVERED and state not in REPORTED_ENDS:
            # A reader that lags behind is no correction.
            return self
        return replace(self, parts=parts, state=state)

    def report_delivery_timeout(self, now: float) -> OutgoingMessage:
        """Add the event that the delivery takes too long; the message is still tracked."""
        if not self.state.is_tracked or self.timeout_reported:
            raise IllegalTransitionError
        event = _event(DELIVERY_TIMEOUT, self.accepted, now)
        return replace(self, timeout_reported=True, pending_events=(*self.pending_events, event))

    def pop_events(self, count: int) -> OutgoingMessage:
        """Remove the first pending events, which have been published."""
        events = self.pending_events[count:]
        return replace(self, pending_events=events, reported_events=self.reported_events + count)

    def add_steps(self, now: float) -> OutgoingMessage:
        """Add the events since the last step as steps of this time."""
        if not (count := self.reported_events + len(self.pending_events) - len(self.steps)):
            return self
        steps = (MessageStep(type=event.type, time=now) for event in self.pending_events[-count:])
        return replace(self, steps=(*self.steps, *steps))

    def shift(self, seconds: float) -> OutgoingMessage:
        """Return the message with all its times moved this many seconds into the past."""
        times: dict[str, Any] = {name: getattr(self, name) for name in TIMES}
        steps = tuple(replace(step, time=step.time - seconds) for step in self.steps)
        return replace(self, **{name: time - seconds for name, time in times.items() if time is not None}, steps=steps)

    def finish(self, now: float) -> OutgoingMessage:
        """Return the message as it is added to the history."""
        return replace(self, finished=now)

    def strip(self) -> OutgoingMessage:
        """Return the message without its number, texts, tag and steps."""
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
    """Return the message in another state, with other fields changed; if `now` is given, add an event."""
    if state not in TRANSITIONS[message.state]:
        raise IllegalTransitionError(f"{message.state} to {state}")
    accepted = message.accepted if accepted is None else accepted
    events = message.pending_events if now is None else (*message.pending_events, _event(state.value, accepted, now))
    return replace(message, state=state, accepted=accepted, pending_events=events, **changes)


def _event(kind: str, accepted: float | None, now: float) -> MessageEvent:
    """Return an event with the seconds since acceptance, or None before that."""
    return MessageEvent(type=kind, seconds=None if accepted is None else round(now - accepted, 3))
