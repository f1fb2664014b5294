"""The way out for every message."""

from . import journal
from .message import EVENT_TYPES, MessageEvent, OutgoingMessage, State
from .outbox import Outbox
from .publisher import EventPublisher
from .request import Recipient, SendRequest, SendResult
from .store import OutboxStore

__all__ = [
    "EVENT_TYPES",
    "EventPublisher",
    "MessageEvent",
    "Outbox",
    "OutboxStore",
    "OutgoingMessage",
    "Recipient",
    "SendRequest",
    "SendResult",
    "State",
    "journal",
]
