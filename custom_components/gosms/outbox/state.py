"""Where a message and its parts can be on their way, and what is told of that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from ..api import MessageStatus


class State(StrEnum):
    """Where a message is on its way. The final states are also the names of their events."""

    QUEUED = "queued"
    """No request of it is in progress, and none is that may have been accepted."""
    SENDING = "sending"
    """A request of it may be in progress."""
    UNKNOWN = "unknown"
    """Nobody knows whether the service has the next part: it has to be looked for before it is sent."""
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
    CANCELLED = "cancelled"
    """It was canceled before any part was sent."""

    @property
    def is_final(self) -> bool:
        """Return whether nothing can follow."""
        return not TRANSITIONS[self]

    @property
    def is_tracked(self) -> bool:
        """Return whether the service has the message and its end is awaited."""
        return self is State.ACCEPTED or self is State.SENT


_ENDS: Final = frozenset({State.DELIVERED, State.SEND_FAILED, State.DELIVERY_FAILED, State.UNCONFIRMED})

# Everything that may follow a state; docs/architecture.md draws it.
TRANSITIONS: Final[Mapping[State, frozenset[State]]] = {
    **dict.fromkeys(State, frozenset()),
    State.QUEUED: frozenset({State.SENDING, State.UNKNOWN, State.EXPIRED, State.CANCELLED}),
    State.SENDING: frozenset({State.QUEUED, State.UNKNOWN, State.ACCEPTED, State.REFUSED, State.EXPIRED}),
    State.UNKNOWN: frozenset({State.QUEUED, State.ACCEPTED, State.EXPIRED, State.UNCONFIRMED, State.CANCELLED}),
    State.ACCEPTED: frozenset({State.SENT, *_ENDS}),
    State.SENT: _ENDS,
}

# Reported while a message is still on its way; it changes no state.
DELIVERY_TIMEOUT: Final = "delivery_timeout"

# All event types: on the way, then exactly one of the rest.
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
    """A change that cannot happen to a message in its state."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageEvent:
    """Something to report of a message.

    Attributes:
        type: one of EVENT_TYPES.
        seconds: since the service had all of the message, or None before that.
    """

    type: str
    seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageStep:
    """Something that happened to a message.

    Attributes:
        type: one of EVENT_TYPES.
        time: when it happened.
    """

    type: str
    time: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A piece of a message that is sent as one message of the service.

    Attributes:
        text: 1 to 300 characters that the service accepts. Not shown by repr.
        id: the id that the service gave to it, or None before it is accepted.
        status: the newest status that the service told, or None before it is accepted.
    """

    text: str = field(repr=False)
    id: str | None = None
    status: MessageStatus | None = None

    def with_status(self, status: MessageStatus | None) -> Part:
        """Return the part with a newer status; a final one stays, and none goes back."""
        if status is None or self.status is None or self.status.is_final or status <= self.status:
            return self
        return replace(self, status=status)


def state_of(parts: Iterable[Part]) -> State:
    """Return the state of a message that the service has, by what it tells of the parts."""
    statuses = [part.status for part in parts if part.status is not None]
    if failed := [_FAILURES[status] for status in statuses if status in _FAILURES]:
        return failed[0]
    lowest = min(statuses)
    if lowest is MessageStatus.DELIVERED:
        return State.DELIVERED
    return State.SENT if lowest >= MessageStatus.SENT else State.ACCEPTED
