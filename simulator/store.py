"""The messages of an account, newest first, with fast paging regardless of their number."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from typing import overload, override

from .models import Message


def _order(message: Message) -> tuple[float, int]:
    return message.created, message.sequence


class MessageStore(Sequence[Message]):
    """A sequence of messages, newest first; of messages of the same time, the last stored one comes first."""

    def __init__(self) -> None:
        """Create an empty store."""
        # Oldest first, so that new messages are appended and the first page is at the end.
        self._oldest_first: list[Message] = []
        self._by_id: dict[str, Message] = {}

    @override
    def __len__(self) -> int:
        return len(self._oldest_first)

    @overload
    def __getitem__(self, index: int) -> Message: ...

    @overload
    def __getitem__(self, index: slice) -> list[Message]: ...

    @override
    def __getitem__(self, index: int | slice) -> Message | list[Message]:
        if isinstance(index, slice):
            return [self._oldest_first[~position] for position in range(*index.indices(len(self)))]
        return self._oldest_first[~index]

    @override
    def __iter__(self) -> Iterator[Message]:
        return reversed(self._oldest_first)

    def find(self, message_id: str) -> Message | None:
        """Return the message with this id, or None."""
        return self._by_id.get(message_id)

    def add(self, message: Message) -> None:
        """Insert a message by its time."""
        self._by_id[message.id] = message
        if self._oldest_first and _order(message) < _order(self._oldest_first[-1]):
            insort(self._oldest_first, message, key=_order)
        else:
            self._oldest_first.append(message)

    def remove(self, message: Message) -> None:
        """Remove a message."""
        del self._by_id[message.id]
        del self._oldest_first[bisect_left(self._oldest_first, _order(message), key=_order)]
