"""The messages of one account in memory, and what can be looked up in them without going through all."""

from .history import FinishedMessage, History
from .message import Fingerprint, OutgoingMessage


class Messages:
    """The messages of one account.

    Attributes:
        messages: those that have not been archived, oldest first, as they are now.
        unsent: those of them of which the service does not have every part, oldest first.
        tracked: those that the service has and whose end is awaited, in the order of their acceptance.
        saved: those that have not been archived, as people may be told of them.
        unreported: those of them with something to report, or that have to be archived.
        history: what is remembered of those that ended.
    """

    def __init__(self) -> None:
        """Start without messages."""
        self.messages: dict[str, OutgoingMessage] = {}
        self.unsent: dict[str, OutgoingMessage] = {}
        self.tracked: dict[str, OutgoingMessage] = {}
        self.saved: dict[str, OutgoingMessage] = {}
        self.unreported: dict[str, OutgoingMessage] = {}
        self.history = History()
        self._ids: set[str] = set()
        self._calls: dict[str, dict[str, None]] = {}

    def latest(self, message: OutgoingMessage) -> OutgoingMessage | FinishedMessage:
        """Return what people may be told of a message by now."""
        key = message.key
        return self.saved.get(key) or self.history.get(key) or self.messages.get(key, message)

    def of_call(self, fingerprint: Fingerprint) -> list[OutgoingMessage | FinishedMessage]:
        """Return the messages of the call with the key of a fingerprint."""
        active = [self.messages[key] for key in self._calls.get(fingerprint.key, ())]
        return [*self.history.of_call(fingerprint), *active]

    def is_claimed(self, message_id: str) -> bool:
        """Return whether an id of the service belongs to a message."""
        return message_id in self._ids or self.history.has_id(message_id)

    def _mark_saved(self, message: OutgoingMessage) -> None:
        """Note that people may be told of a message as it is here."""
        self.saved[message.key] = message
        if message.pending_events or message.state.is_final:
            self.unreported[message.key] = message

    def _index(self, message: OutgoingMessage) -> None:
        """Put a message where it belongs."""
        key = message.key
        self.messages[key] = message
        self._ids.update(message.ids)
        if message.fingerprint:
            self._calls.setdefault(message.fingerprint.key, {})[key] = None
        for place, belongs_there in (
            (self.unsent, not (message.state.is_tracked or message.state.is_final)),
            (self.tracked, message.state.is_tracked),
        ):
            if belongs_there:
                place[key] = message
            else:
                place.pop(key, None)

    def _remove(self, key: str) -> OutgoingMessage:
        """Remove a message, and return it."""
        message = self.messages.pop(key)
        self._ids.difference_update(message.ids)
        if message.fingerprint:
            of_call = self._calls[message.fingerprint.key]
            del of_call[key]
            if not of_call:
                del self._calls[message.fingerprint.key]
        del self.saved[key]
        self.unreported.pop(key, None)
        return message
