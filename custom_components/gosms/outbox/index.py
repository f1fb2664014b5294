"""An index of messages."""

from .fingerprint import Fingerprint
from .message import OutgoingMessage


class MessageIndex:
    """Finds messages by their keys, by the service's ids, and by the call that they belong to.

    Attributes:
        messages: the messages by their keys, in the order in which they were added.
    """

    def __init__(self) -> None:
        """Initialize an empty index."""
        self.messages: dict[str, OutgoingMessage] = {}
        self._ids: set[str] = set()
        # The keys of messages, by the key of their fingerprint. After a day, another call may use the same key.
        self._calls: dict[str, dict[str, None]] = {}

    def has_id(self, message_id: str) -> bool:
        """Return whether one of the messages has this id of the service."""
        return message_id in self._ids

    def of_call(self, fingerprint: Fingerprint) -> list[OutgoingMessage]:
        """Return the messages whose fingerprint has the same key."""
        return [self.messages[key] for key in self._calls.get(fingerprint.key, ())]

    def add(self, message: OutgoingMessage) -> None:
        """Add a message, or replace it by its next state."""
        self.messages[message.key] = message
        self._ids.update(message.ids)
        if message.fingerprint:
            self._calls.setdefault(message.fingerprint.key, {})[message.key] = None

    def remove(self, key: str) -> OutgoingMessage:
        """Remove and return a message."""
        message = self.messages.pop(key)
        self._ids.difference_update(message.ids)
        if message.fingerprint:
            of_call = self._calls[message.fingerprint.key]
            del of_call[key]
            if not of_call:
                del self._calls[message.fingerprint.key]
        return message
