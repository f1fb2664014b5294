"""Counts the SMS that the phones of an account sent: those sent from here, and others as far as they are listed.

Pure: times are Unix seconds.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, cast

from homeassistant.util.json import JsonObjectType

from ..api import Message
from ..billing import SegmentCounts
from ..text import count_segments

# Seconds by which a message may be listed later than newer ones.
_LAG: Final = 300.0

# Seconds. Older messages do not belong to the current billing month.
_MAX_AGE: Final = 32 * 24 * 60 * 60.0

_SEEN: Final = "seen"
_SLOT: Final = "segments."


class Usage:
    """Counts each message of the service once.

    Attributes:
        counts: the counted SMS.
    """

    def __init__(self) -> None:
        """Initialize without counts."""
        self.counts = SegmentCounts()
        # When the newest message listed by the service was created, and the ids that it lists, with their times.
        self._newest = 0.0
        self._listed: dict[str, float] = {}
        # The page that was counted last.
        self._page: Collection[Message] | None = None
        # The names of records that are not on disk yet.
        self._changed: set[str] = set()

    @property
    def is_counted(self) -> bool:
        """Return whether there is a count that is not on disk yet."""
        return any(name != _SEEN for name in self._changed)

    def load(self, meta: Mapping[str, JsonObjectType]) -> None:
        """Load what an earlier run counted."""
        for name, record in cast("Mapping[str, dict[str, Any]]", meta).items():
            if name.startswith(_SLOT):
                self.counts.put(record["quarter"], record["count"])
        seen = cast("dict[str, Any]", meta.get(_SEEN, {}))
        self._newest, self._listed = seen.get("newest", 0.0), dict(seen.get("ids", {}))

    def count(self, message_id: str, text: str, now: float) -> None:
        """Count a part that the service has accepted from here, unless it was already counted as one of others."""
        if message_id not in self._listed:
            self._add(now, text)

    def count_others(self, listed: Collection[Message], is_own: Callable[[str], bool], now: float) -> None:
        """Count the messages on a page of the newest ones that were not sent from here and not counted before."""
        if listed is self._page:
            # Nearly every poll returns the same page again.
            return
        self._page = listed
        times = {each.id: now if each.created is None else each.created.timestamp() for each in listed}
        for each in listed:
            time = times[each.id]
            is_new = each.id not in self._listed and time > max(self._newest - _LAG, now - _MAX_AGE)
            if is_new and not is_own(each.id):
                self._add(time, each.text)
        newest = max([self._newest, *(time for time in times.values() if time <= now)])
        if times.keys() != self._listed.keys() or newest != self._newest:
            self._newest, self._listed = newest, times
            self._changed.add(_SEEN)

    def take_changes(self) -> dict[str, object]:
        """Return the records that are not on disk yet, for a transaction."""
        changed, self._changed = self._changed, set()
        return {name: self._record(name) for name in changed}

    def put_back(self, names: Iterable[str]) -> None:
        """Mark records as not on disk again, after a commit failed."""
        self._changed.update(names)

    def _add(self, time: float, text: str) -> None:
        """Count a message."""
        slot = self.counts.add(time, count_segments(text))
        self._changed.add(f"{_SLOT}{slot}")

    def _record(self, name: str) -> object:
        """Return a record as it is stored."""
        if name == _SEEN:
            since = self._newest - _LAG
            return {"newest": self._newest, "ids": {key: time for key, time in self._listed.items() if time > since}}
        quarter, count = self.counts[int(name.removeprefix(_SLOT))]
        return {"quarter": quarter, "count": count}
