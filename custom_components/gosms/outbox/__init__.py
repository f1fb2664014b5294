"""The way out for every message."""

from .message import EVENT_TYPES, Occurrence, OutgoingMessage, State
from .outbox import Outbox
from .store import OutboxStore

__all__ = ["EVENT_TYPES", "Occurrence", "Outbox", "OutboxStore", "OutgoingMessage", "State"]
