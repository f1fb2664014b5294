"""Where a message can be on its way, and what is told of it there."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


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
    """It was taken back before any of it left."""

    @property
    def is_final(self) -> bool:
        """Return whether nothing can follow."""
        return not TRANSITIONS[self]

    @property
    def is_tracked(self) -> bool:
        """Return whether the service has the message and its end is awaited."""
        return self in {State.ACCEPTED, State.SENT}


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


class IllegalTransitionError(Exception):
    """A change that cannot happen to a message in its state."""
