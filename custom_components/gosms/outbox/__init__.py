"""The way out for every message."""

from .message import EVENT_TYPES, MessageEvent, OutgoingMessage, State
from .outbox import Outbox
from .request import Recipient, SendRequest, SendResult
from .store import OutboxStore

__all__ = [
    "EVENT_TYPES",
    "MessageEvent",
    "Outbox",
    "OutboxStore",
    "OutgoingMessage",
    "Recipient",
    "SendRequest",
    "SendResult",
    "State",
]
