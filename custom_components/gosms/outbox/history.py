"""What is remembered of messages that ended: neither texts nor numbers. Pure: time comes in, as for messages."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from ..errors import Failure
from .message import Fingerprint, OutgoingMessage, State

# Messages, the newest; seconds. More of the past is not needed, and the file must not grow with the years.
_SIZE: Final = 1000
_AGE: Final = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedMessage:
    """A message that ended.

    Attributes:
        key: what it was named by while it was on its way.
        time: when its end was seen.
        ids: the ids that the service gave to its parts.
        state: how it ended; the first release did not write it down.
        created: when it was asked for; likewise.
        counts_towards_limit: whether the hourly limit counts it.
        failure: what went wrong, or None.
        fingerprint: what a repetition of its call is known by, or None if that is another call.
    """

    key: str
    time: float
    ids: tuple[str, ...]
    state: State | None = None
    created: float | None = None
    counts_towards_limit: bool = False
    failure: Failure | None = None
    fingerprint: Fingerprint | None = None

    @property
    def status(self) -> str | None:
        """Return how it ended, as people are shown it."""
        return self.state and self.state.value


@dataclass(kw_only=True, slots=True)
class History:
    """The messages that ended lately, and how many of them today.

    Attributes:
        ended: oldest first.
        day: the local day that the counters are of, or None if nothing was counted yet.
        delivered: messages whose delivery was seen on this day.
        failed: messages whose other end was seen on this day.
        delivery_time: seconds from acceptance to delivery of the message that was delivered last, or None.
    """

    ended: list[FinishedMessage] = field(default_factory=list)
    day: date | None = None
    delivered: int = 0
    failed: int = 0
    delivery_time: float | None = None

    @property
    def claimed(self) -> set[str]:
        """Return the ids that belong to messages that ended."""
        return {message_id for ended in self.ended for message_id in ended.ids}

    def today(self, today: date) -> tuple[int, int]:
        """Return how many messages were delivered, and how many failed, on this day."""
        return (self.delivered, self.failed) if self.day == today else (0, 0)

    def add(self, message: OutgoingMessage, now: float, today: date) -> FinishedMessage:
        """Remember and count a message that ended, and forget what is too long ago; returns what is remembered."""
        ended = FinishedMessage(
            key=message.key,
            time=now,
            ids=message.ids,
            state=message.state,
            created=message.created,
            counts_towards_limit=message.counts_towards_limit,
            failure=message.failure,
            fingerprint=message.fingerprint,
        )
        self.ended.append(ended)
        self.forget(now)
        self.delivered, self.failed = self.today(today)
        self.day = today
        if message.state is State.DELIVERED:
            self.delivered += 1
            self.delivery_time = None if message.accepted is None else round(now - message.accepted, 3)
        else:
            self.failed += 1
        return ended

    def forget(self, now: float) -> None:
        """Forget what is too long ago."""
        self.ended = [ended for ended in self.ended if now - ended.time < _AGE][-_SIZE:]
