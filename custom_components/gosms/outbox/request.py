"""A request to send a text, and the result for each of its numbers."""

from dataclasses import dataclass, field

from ..errors import Failure
from .message import OutgoingMessage
from .state import State


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """A phone number, digits only, and the id of the recipient's subentry, or None."""

    phone_number: str = field(repr=False)
    recipient: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SendRequest:
    """One text to one or more numbers. See `OutgoingMessage` for the fields that are not described here.

    Attributes:
        to: the recipients, at least one, each number once.
        parts: the text as it is sent: one or more parts of 1 to 300 characters that the service accepts.
        expire_after: seconds for which the messages may be queued during an outage, 0 to not queue them, or None for
            the value in the options.
        idempotency_key: a call with the same key within 24 hours is a repetition of this one; None if it can't be
            repeated.
        wait_for: the state that the caller waits for: `accepted` for the first result (accepted, queued or finished),
            `sent` or `delivered`.
        timeout: maximum seconds to wait, or None for no limit.
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
        """Return whether a message is in the state that the caller waits for, or can no longer reach it."""
        if self.wait_for is State.ACCEPTED:
            return message.has_first_result
        return message.state is self.wait_for or message.state.is_final


@dataclass(frozen=True, kw_only=True, slots=True)
class SendResult:
    """The result for one number.

    Attributes:
        status: the status shown to users, or None if there is no message.
        message_ids: the ids that the service assigned to the parts, in order.
        failure: what went wrong, or None.
    """

    status: str | None = None
    message_ids: tuple[str, ...] = ()
    failure: Failure | None = None

    @classmethod
    def of(cls, admitted: OutgoingMessage | Failure) -> SendResult:
        """Return the result for a message, or for the failure to create one."""
        if isinstance(admitted, Failure):
            return cls(failure=admitted)
        state, failure = admitted.state, admitted.failure
        if failure is None and state.is_failure:
            failure = Failure(key=state.value)
        return cls(status=admitted.status, message_ids=admitted.ids, failure=failure)
