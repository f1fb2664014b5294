"""The way out for every message."""

from .call import Addressee, Call, Result
from .message import EVENT_TYPES, Occurrence, OutgoingMessage, State
from .outbox import Outbox
from .store import OutboxStore

__all__ = [
    "EVENT_TYPES",
    "Addressee",
    "Call",
    "Occurrence",
    "Outbox",
    "OutboxStore",
    "OutgoingMessage",
    "Result",
    "State",
]
