"""What is remembered of messages that ended. Pure: time comes in, as for messages."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from .index import MessageIndex
from .message import OutgoingMessage
from .state import State

# Seconds in which a repeated call is recognized, and in which the ids of the service belong to a message that ended.
RETENTION: Final = 24 * 60 * 60

# Messages that are kept in memory for longer than that.
_MAX_OLD: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Counters:
    """What the sensors tell of messages that ended.

    Attributes:
        day: the local day that is counted, as ISO 8601, or None if nothing was counted yet.
        delivered: messages whose delivery was seen on this day.
        failed: messages whose other end was seen on this day.
        delivery_time: seconds from acceptance to delivery of the message that was delivered last, or None.
    """

    day: str | None = None
    delivered: int = 0
    failed: int = 0
    delivery_time: float | None = None

    def count(self, message: OutgoingMessage, now: float, today: date) -> Counters:
        """Return the counters with one more message. A canceled one has not failed."""
        if message.state is State.CANCELLED:
            return self
        delivered, failed = self.on(today)
        if message.state is not State.DELIVERED:
            failed, delivery_time = failed + 1, self.delivery_time
        else:
            delivered += 1
            delivery_time = None if message.accepted is None else round(now - message.accepted, 3)
        return Counters(day=today.isoformat(), delivered=delivered, failed=failed, delivery_time=delivery_time)

    def on(self, today: date) -> tuple[int, int]:
        """Return how many messages were delivered, and how many failed, on this day."""
        return (self.delivered, self.failed) if self.day == today.isoformat() else (0, 0)


class History(MessageIndex):
    """The messages that ended, in the order of their ends, and how many of them today.

    Attributes:
        counters: what the sensors tell of them.
        keep: seconds for which they are remembered with text and number. All of them are for the retention without.
    """

    def __init__(self) -> None:
        """Start without messages."""
        super().__init__()
        self.counters = Counters()
        self.keep = 0.0

    @property
    def retention(self) -> float:
        """Return the seconds after which nothing of a message is remembered."""
        return max(self.keep, RETENTION)

    @property
    def oldest(self) -> float | None:
        """Return when the oldest message ended that is remembered with its text, or None."""
        return next((each.finished for each in self if each.text), None) if self.keep else None

    def __len__(self) -> int:
        return len(self.messages)

    def __iter__(self) -> Iterator[OutgoingMessage]:
        return iter(self.messages.values())

    def finish(self, message: OutgoingMessage, now: float, today: date) -> OutgoingMessage:
        """Remember and count a message that ended; return what is remembered."""
        finished = message.finish(now)
        finished = finished if self.keep else finished.strip()
        self.add(finished)
        self.counters = self.counters.count(message, now, today)
        return finished

    def remember(self, finished: Iterable[OutgoingMessage]) -> None:
        """Add messages that ended, oldest first."""
        for each in finished:
            self.add(each)

    def forget(self, now: float) -> bool:
        """Forget what ended too long ago, and return whether there was any."""
        count = len(self)
        while self.messages:
            oldest = next(iter(self))
            age = now - (oldest.finished or 0.0)
            if age < RETENTION or (age < self.keep and len(self) <= _MAX_OLD):
                break
            self.remove(oldest.key)
        return len(self) < count

    def strip(self) -> list[OutgoingMessage]:
        """Forget texts and numbers, if they are not kept; return those that changed."""
        stripped = [] if self.keep else [each.strip() for each in self if each.text]
        self.remember(stripped)
        return stripped

    def shift(self, seconds: float, *, until: float) -> None:
        """Let everything before a time be so many seconds longer ago."""
        self.remember([each.shift(seconds) for each in self if (each.finished or 0.0) < until])
