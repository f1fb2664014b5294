"""What is remembered of messages that ended: neither texts nor numbers. Pure: time comes in, as for messages."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from ..errors import Failure
from .message import Fingerprint, OutgoingMessage, State

# Seconds in which a repeated call is recognized, and in which the ids of the service belong to a message that ended.
RETENTION: Final = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedMessage:
    """A message that ended.

    Attributes:
        key: what it was named by while it was on its way.
        finished: when its end was seen.
        ids: the ids that the service gave to its parts.
        state: how it ended.
        created: when it was asked for.
        counts_towards_limit: whether the hourly limit counts it.
        recipient: the id of the subentry that it was for, or None.
        failure: what went wrong, or None.
        fingerprint: what a repetition of its call is recognized by, or None if that is another call.
    """

    key: str
    finished: float
    ids: tuple[str, ...]
    state: State
    created: float
    counts_towards_limit: bool
    recipient: str | None = None
    failure: Failure | None = None
    fingerprint: Fingerprint | None = None

    @property
    def status(self) -> str:
        """Return how it ended, as people are shown it."""
        return self.state.value

    def shift(self, seconds: float) -> FinishedMessage:
        """Return it as if everything was so many seconds longer ago."""
        return replace(self, finished=self.finished - seconds, created=self.created - seconds)


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
        """Return the counters with one more message."""
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


@dataclass(kw_only=True, slots=True)
class History:
    """The messages that ended within the retention, and how many of them today.

    Attributes:
        counters: see there.
    """

    counters: Counters = field(default_factory=Counters)
    _finished: dict[str, FinishedMessage] = field(default_factory=dict)
    # By the key of the call's fingerprint and their own: after a day the same call may be made again.
    _of_call: dict[str, dict[str, FinishedMessage]] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._finished)

    def __contains__(self, key: object) -> bool:
        return key in self._finished

    def __iter__(self) -> Iterator[FinishedMessage]:
        return iter(self._finished.values())

    def __reversed__(self) -> Iterator[FinishedMessage]:
        return reversed(self._finished.values())

    def get(self, key: str) -> FinishedMessage | None:
        """Return a message that ended, or None if it is not remembered."""
        return self._finished.get(key)

    def has_id(self, message_id: str) -> bool:
        """Return whether an id of the service belongs to a message that ended."""
        return message_id in self._ids

    def of_call(self, fingerprint: Fingerprint) -> Iterable[FinishedMessage]:
        """Return the messages of the call with the key of a fingerprint."""
        return self._of_call.get(fingerprint.key, {}).values()

    def finish(self, message: OutgoingMessage, now: float, today: date) -> FinishedMessage:
        """Remember and count a message that ended."""
        finished = FinishedMessage(
            key=message.key,
            finished=now,
            ids=message.ids,
            state=message.state,
            created=message.created,
            counts_towards_limit=message.counts_towards_limit,
            recipient=message.recipient,
            failure=message.failure,
            fingerprint=message.fingerprint,
        )
        self.remember([finished])
        self.counters = self.counters.count(message, now, today)
        return finished

    def remember(self, finished: Iterable[FinishedMessage]) -> None:
        """Add messages that ended, oldest first."""
        for each in finished:
            self._finished[each.key] = each
            self._ids.update(each.ids)
            if each.fingerprint:
                self._of_call.setdefault(each.fingerprint.key, {})[each.key] = each

    def forget(self, now: float) -> None:
        """Forget what ended too long ago."""
        while self._finished:
            key, oldest = next(iter(self._finished.items()))
            if now - oldest.finished < RETENTION:
                return
            del self._finished[key]
            self._ids.difference_update(oldest.ids)
            if oldest.fingerprint:
                of_call = self._of_call[oldest.fingerprint.key]
                del of_call[key]
                if not of_call:
                    del self._of_call[oldest.fingerprint.key]

    def shift(self, seconds: float, *, until: float) -> None:
        """Let everything before a time be so many seconds longer ago."""
        self.remember([each.shift(seconds) for each in self._finished.values() if each.finished < until])
