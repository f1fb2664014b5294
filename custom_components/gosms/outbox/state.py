"""The states of messages and their parts, and the events about them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from ..api import MessageStatus


class State(StrEnum):
    """The state of a message. The final states are also event types."""

    QUEUED = "queued"
    """No request for the next part is in progress, and none can have been accepted."""
    SENDING = "sending"
    """A request for the next part may be in progress."""
    UNKNOWN = "unknown"
    """It is unknown whether the service has the next part, which must be looked up before it is sent."""
    ACCEPTED = "accepted"
    """The service has all parts."""
    SENT = "sent"
    """The phone has sent all parts."""
    DELIVERED = "delivered"
    SEND_FAILED = "send_failed"
    DELIVERY_FAILED = "delivery_failed"
    REFUSED = "refused"
    """The service refused it."""
    EXPIRED = "expired"
    """It was certainly not sent, or not completely, and it is too late now."""
    UNCONFIRMED = "unconfirmed"
    """There is no proof that it was sent, and none that it was not."""
    CANCELLED = "cancelled"
    """It was canceled before any part was sent."""

    @property
    def is_final(self) -> bool:
        """Return whether no other state can follow."""
        return not TRANSITIONS[self]

    @property
    def is_failure(self) -> bool:
        """Return whether the message is finished and was not delivered."""
        return self.is_final and self is not State.DELIVERED

    @property
    def is_tracked(self) -> bool:
        """Return whether the service has the message and it is not finished."""
        return self is State.ACCEPTED or self is State.SENT


# The final states that the service reports. It may correct them later.
REPORTED_ENDS: Final = frozenset({State.DELIVERED, State.SEND_FAILED, State.DELIVERY_FAILED})
_ENDS: Final = REPORTED_ENDS | {State.UNCONFIRMED}

# All states that may follow a state; docs/architecture.md has the diagram.
TRANSITIONS: Final[Mapping[State, frozenset[State]]] = {
    **dict.fromkeys(State, frozenset()),
    State.QUEUED: frozenset({State.SENDING, State.UNKNOWN, State.EXPIRED, State.CANCELLED}),
    State.SENDING: frozenset({State.QUEUED, State.UNKNOWN, State.ACCEPTED, State.REFUSED, State.EXPIRED}),
    State.UNKNOWN: frozenset({State.QUEUED, State.ACCEPTED, State.EXPIRED, State.UNCONFIRMED, State.CANCELLED}),
    State.ACCEPTED: frozenset({State.SENT, *_ENDS}),
    State.SENT: _ENDS,
}

# An event of a message in transit; it does not change the state.
DELIVERY_TIMEOUT: Final = "delivery_timeout"

# All event types: those in transit, then the final ones, of which every message has exactly one.
EVENT_TYPES: Final = (
    State.QUEUED.value,
    State.ACCEPTED.value,
    State.SENT.value,
    DELIVERY_TIMEOUT,
    *(state.value for state in State if state.is_final),
)


_FAILURES: Final = {
    MessageStatus.SEND_FAILED: State.SEND_FAILED,
    MessageStatus.DELIVERY_FAILED: State.DELIVERY_FAILED,
}


class IllegalTransitionError(Exception):
    """A message can't change in this way in its current state."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageEvent:
    """An event of a message.

    Attributes:
        type: one of EVENT_TYPES.
        seconds: since the service had all parts of the message, or None before that.
    """

    type: str
    seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageStep:
    """An event of a message, with its time.

    Attributes:
        type: one of EVENT_TYPES.
        time: when it happened.
    """

    type: str
    time: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of a message, sent as one message of the service.

    Attributes:
        text: 1 to 300 characters that the service accepts. Omitted from repr.
        id: the id that the service assigned, or None before it is accepted.
        status: the latest status that the service reported, or None before it is accepted.
    """

    text: str = field(repr=False)
    id: str | None = None
    status: MessageStatus | None = None

    def with_status(self, status: MessageStatus | None) -> Part:
        """Return the part with a later status; a final status stays, and a status never goes back."""
        if status is None or self.status is None or self.status.is_final or status <= self.status:
            return self
        return replace(self, status=status)


def state_of(parts: Iterable[Part]) -> State:
    """Return the state of an accepted message, given the statuses of its parts."""
    statuses = [part.status for part in parts if part.status is not None]
    if failed := [_FAILURES[status] for status in statuses if status in _FAILURES]:
        return failed[0]
    lowest = min(statuses)
    if lowest is MessageStatus.DELIVERED:
        return State.DELIVERED
    return State.SENT if lowest >= MessageStatus.SENT else State.ACCEPTED
