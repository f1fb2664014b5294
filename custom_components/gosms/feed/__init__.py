"""What the card shows of an account, as one user may see it."""

from .feed import Feed, View
from .messages import Row
from .texts import async_load_texts

__all__ = ["Feed", "Row", "View", "async_load_texts"]
