"""The way out for every message."""

from .outbox import Outbox

__all__ = ["Outbox"]
