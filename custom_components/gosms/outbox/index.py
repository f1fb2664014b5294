"""Messages by what they are looked up by."""

from .fingerprint import Fingerprint
from .message import OutgoingMessage


class MessageIndex:
    """Messages, found by their keys, by the service's ids, and by the call that they belong to.

    Attributes:
        messages: by their keys, in the order in which they came.
    """

    def __init__(self) -> None:
        """Start without messages."""
        self.messages: dict[str, OutgoingMessage] = {}
        self._ids: set[str] = set()
        # By the key of the call's fingerprint: after a day the same call may be made again.
        self._calls: dict[str, dict[str, None]] = {}

    def has_id(self, message_id: str) -> bool:
        """Return whether an id of the service belongs to one of the messages."""
        return message_id in self._ids

    def of_call(self, fingerprint: Fingerprint) -> list[OutgoingMessage]:
        """Return the messages of the call with the key of a fingerprint."""
        return [self.messages[key] for key in self._calls.get(fingerprint.key, ())]

    def add(self, message: OutgoingMessage) -> None:
        """Add a message, or the next state of one."""
        self.messages[message.key] = message
        self._ids.update(message.ids)
        if message.fingerprint:
            self._calls.setdefault(message.fingerprint.key, {})[message.key] = None

    def remove(self, key: str) -> OutgoingMessage:
        """Remove a message, and return it."""
        message = self.messages.pop(key)
        self._ids.difference_update(message.ids)
        if message.fingerprint:
            of_call = self._calls[message.fingerprint.key]
            del of_call[key]
            if not of_call:
                del self._calls[message.fingerprint.key]
        return message
