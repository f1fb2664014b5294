"""The history of finished messages. Pure: time is passed in, as for messages."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from .index import MessageIndex
from .message import OutgoingMessage
from .state import State

# Seconds for which a repeated call is recognized, and for which finished messages keep their claim to the service's
# ids.
RETENTION: Final = 24 * 60 * 60

# Older messages are kept in memory only while there are no more than this in total.
_MAX_OLD: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Counters:
    """What the sensors show about finished messages.

    Attributes:
        day: the local day that is counted, as ISO 8601, or None if nothing was counted yet.
        delivered: messages whose delivery was seen on this day.
        failed: messages that were seen to finish in another way on this day.
        delivery_time: seconds from acceptance to delivery for the last delivered message, or None.
    """

    day: str | None = None
    delivered: int = 0
    failed: int = 0
    delivery_time: float | None = None

    def count(self, message: OutgoingMessage, now: float, today: date) -> Counters:
        """Return the counters with one more message. A canceled message does not count."""
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
        """Return the numbers of delivered and of failed messages on this day."""
        return (self.delivered, self.failed) if self.day == today.isoformat() else (0, 0)


class History(MessageIndex):
    """The finished messages, in the order in which they finished, and their counters.

    Attributes:
        counters: what the sensors show about them.
        keep: seconds for which messages are kept with text and number. Without these, each is kept for RETENTION.
    """

    def __init__(self) -> None:
        """Initialize an empty history."""
        super().__init__()
        self.counters = Counters()
        self.keep = 0.0

    @property
    def retention(self) -> float:
        """Return the seconds after which a message is forgotten completely."""
        return max(self.keep, RETENTION)

    @property
    def oldest(self) -> float | None:
        """Return when the oldest message that is kept with its text finished, or None."""
        return next((each.finished for each in self if each.text), None) if self.keep else None

    def __len__(self) -> int:
        return len(self.messages)

    def __iter__(self) -> Iterator[OutgoingMessage]:
        return iter(self.messages.values())

    def finish(self, message: OutgoingMessage, now: float, today: date) -> OutgoingMessage:
        """Add and count a finished message; return it as it is kept."""
        finished = message.finish(now)
        finished = finished if self.keep else finished.strip()
        self.add(finished)
        self.counters = self.counters.count(message, now, today)
        return finished

    def remember(self, finished: Iterable[OutgoingMessage]) -> None:
        """Add finished messages, oldest first."""
        for each in finished:
            self.add(each)

    def forget(self, now: float) -> bool:
        """Forget messages that finished too long ago, and return whether there were any."""
        count = len(self)
        while self.messages:
            oldest = next(iter(self))
            age = now - (oldest.finished or 0.0)
            if age < RETENTION or (age < self.keep and len(self) <= _MAX_OLD):
                break
            self.remove(oldest.key)
        return len(self) < count

    def strip(self) -> list[OutgoingMessage]:
        """Remove texts and numbers if they are not to be kept; return the messages that changed."""
        stripped = [] if self.keep else [each.strip() for each in self if each.text]
        self.remember(stripped)
        return stripped

    def shift(self, seconds: float, *, until: float) -> None:
        """Move all messages that finished before a time this many seconds into the past."""
        self.remember([each.shift(seconds) for each in self if (each.finished or 0.0) < until])
