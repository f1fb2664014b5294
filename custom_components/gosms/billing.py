"""What is counted for the bill: SMS in a billing month. Pure: dates and times come in."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Final

# Seconds that are counted together. Days begin at a multiple of it in every time zone, so that a month can be summed
# also after the time zone was changed.
QUARTER: Final = 15 * 60

# Seconds after which nothing belongs to a month any more: the longest one, and a day for the time zones.
_MAX_AGE: Final = 33 * 24 * 60 * 60


def billing_month(today: date, billing_day: int) -> tuple[date, date]:
    """Return the first day of the billing month that a day is in, and that of the next one.

    In a calendar month without the billing day, the last day takes its place.
    """
    begin = _billing_date(today.year, today.month, billing_day)
    if today >= begin:
        return begin, _billing_date(today.year, today.month + 1, billing_day)
    return _billing_date(today.year, today.month - 1, billing_day), begin


def _billing_date(year: int, month: int, billing_day: int) -> date:
    """Return the billing day in a month, which may be that after December or before January."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(billing_day, monthrange(year, month)[1]))


class SegmentCounts:
    """How many SMS phones sent in each quarter of an hour of the last 33 days."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        """Take up what was counted, by the number of the quarter since 1970."""
        self._counts = dict(counts or {})

    def __getitem__(self, quarter: int) -> int:
        """Return what was counted in a quarter."""
        return self._counts.get(quarter, 0)

    def add(self, time: float, segments: int) -> set[int]:
        """Count SMS that were sent at a time, in Unix seconds; return the quarters that changed."""
        quarter = int(time // QUARTER)
        self._counts[quarter] = self[quarter] + segments
        outdated = {each for each in self._counts if each < (time - _MAX_AGE) // QUARTER}
        for each in outdated:
            del self._counts[each]
        return {quarter, *outdated}

    def since(self, time: float) -> int:
        """Return how many SMS were sent from a time on, in Unix seconds."""
        return sum(count for quarter, count in self._counts.items() if quarter >= time // QUARTER)
