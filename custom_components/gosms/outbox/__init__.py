"""The outbox: every message is sent through it."""

from .message import OutgoingMessage
from .outbox import Outbox
from .publisher import EventPublisher
from .request import Recipient, SendRequest, SendResult
from .state import DELIVERY_TIMEOUT, EVENT_TYPES, MessageEvent, Part, State
from .storage import SqliteStorage
from .store import MessageStore

__all__ = [
    "DELIVERY_TIMEOUT",
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
