"""How many SMS the phones of an account sent: those of messages from here, and of others as far as they are seen.

Pure: times are Unix seconds.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

from homeassistant.util.json import JsonObjectType

from ..api import Message
from ..billing import SegmentCounts
from ..text import count_segments

# Seconds in which the service may list a message after younger ones.
_LAG: Final = 300.0

# Seconds. What is older belongs to no billing month any more.
_MAX_AGE: Final = 32 * 24 * 60 * 60.0

_SEEN: Final = "seen"
_SLOT: Final = "segments."


class Usage:
    """Counts each message of the service once.

    Attributes:
        counts: what was counted.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.counts = SegmentCounts()
        # When the newest message was created that the service listed, and the ids that it lists.
        self._newest = 0.0
        self._listed: dict[str, float] = {}
        # The names of records that the disk does not have.
        self._changed: set[str] = set()

    @property
    def is_counted(self) -> bool:
        """Return whether there is a count that the disk does not have."""
        return any(name != _SEEN for name in self._changed)

    def load(self, meta: Mapping[str, JsonObjectType]) -> None:
        """Take up what an earlier run counted."""
        for name, record in cast("Mapping[str, dict[str, Any]]", meta).items():
            if name.startswith(_SLOT):
                self.counts.put(record["quarter"], record["count"])
        seen = cast("dict[str, Any]", meta.get(_SEEN, {}))
        self._newest, self._listed = seen.get("newest", 0.0), dict(seen.get("ids", {}))

    def count(self, message_id: str, text: str, now: float) -> None:
        """Count a part that the service has accepted from here, unless it was taken for that of somebody else."""
        if message_id not in self._listed:
            self._add(now, text)

    def count_others(self, listed: Iterable[Message], is_own: Callable[[str], bool], now: float) -> None:
        """Count the messages on a page of the newest ones that were not sent from here and not counted before."""
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
        """Return the records that the disk does not have, for a transaction."""
        changed, self._changed = self._changed, set()
        return {name: self._record(name) for name in changed}

    def put_back(self, names: Iterable[str]) -> None:
        """Note that the disk did not take records."""
        self._changed.update(names)

    def _add(self, time: float, text: str) -> None:
        """Count a message."""
        slot = self.counts.add(time, count_segments(text))
        self._changed.add(f"{_SLOT}{slot}")

    def _record(self, name: str) -> object:
        """Return a record as it is to be stored."""
        if name == _SEEN:
            since = self._newest - _LAG
            return {"newest": self._newest, "ids": {key: time for key, time in self._listed.items() if time > since}}
        quarter, count = self.counts[int(name.removeprefix(_SLOT))]
        return {"quarter": quarter, "count": count}
