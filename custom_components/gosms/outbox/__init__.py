"""The way out for every message."""

from .message import MessageEvent, OutgoingMessage, Part
from .outbox import Outbox
from .publisher import EventPublisher
from .request import Recipient, SendRequest, SendResult
from .state import EVENT_TYPES, State
from .storage import SqliteStorage
from .store import MessageStore

__all__ = [
    "EVENT_TYPES",
    "EventPublisher",
    "MessageEvent",
    "MessageStore",
    "Outbox",
    "OutgoingMessage",
    "Part",
    "Recipient",
    "SendRequest",
    "SendResult",
    "SqliteStorage",
    "State",
]
