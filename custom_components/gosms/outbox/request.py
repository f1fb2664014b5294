"""What a call asks for, and what has become of it: values."""

from dataclasses import dataclass, field

from ..errors import Failure
from .message import OutgoingMessage
from .state import State


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """Who a message is for: a number, digits only, and the id of the subentry with it, or None."""

    phone_number: str = field(repr=False)
    recipient: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SendRequest:
    """One text to one number or several. What is not explained here is said of `OutgoingMessage`.

    Attributes:
        to: who gets it, each number once, at least one.
        parts: the text as it is sent: one part or several, each of 1 to 300 characters that the service allows.
        expire_after: seconds that the messages may wait for an outage to end, 0 for none, or None for what the options
            say.
        idempotency_key: makes a call with the same key within 24 hours a repetition of this one, or None.
        wait_for: how far the messages have to get: `accepted` is a first word (accepted, queued, or over), `sent` and
            `delivered` the states of these names.
        timeout: seconds to wait at the most, or None for as long as it takes.
    """

    to: tuple[Recipient, ...]
    text: str = field(repr=False)
    parts: tuple[str, ...] = field(repr=False)
    tag: str | None = None
    phone_id: str | None = None
    sim: str | None = None
    expire_after: float | None = None
    idempotency_key: str | None = field(default=None, repr=False)
    wait_for: State = State.ACCEPTED
    timeout: float | None = None

    def is_answered_by(self, message: OutgoingMessage) -> bool:
        """Return whether a message has got so far that the caller need not wait any longer."""
        if self.wait_for is State.ACCEPTED:
            return message.has_first_result
        return message.state is self.wait_for or message.state.is_final


@dataclass(frozen=True, kw_only=True, slots=True)
class SendResult:
    """What has become of the message to one number.

    Attributes:
        status: as people are shown it, or None if there is no message.
        message_ids: the ids that the service gave to its parts, in their order.
        failure: what went wrong, or None.
    """

    status: str | None = None
    message_ids: tuple[str, ...] = ()
    failure: Failure | None = None

    @classmethod
    def of(cls, admitted: OutgoingMessage | Failure) -> SendResult:
        """Return how it stands with a message, or with what did not become one."""
        if isinstance(admitted, Failure):
            return cls(failure=admitted)
        state, failure = admitted.state, admitted.failure
        if failure is None and state.is_final and state is not State.DELIVERED:
            failure = Failure(key=state.value)
        return cls(status=admitted.status, message_ids=admitted.ids, failure=failure)
