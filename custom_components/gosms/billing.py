"""The billing month, and how many SMS were sent in it. Pure: dates and times are arguments."""

from calendar import monthrange
from datetime import date
from typing import Final

# Seconds that are counted together. In every time zone a day begins at a multiple of them, so a month can be summed up
# even after the time zone was changed.
_QUARTER: Final = 15 * 60

# The longest month, and a day on both sides for the time zones.
_MAX_QUARTERS: Final = 33 * 24 * 4


def billing_month(today: date, billing_day: int) -> tuple[date, date]:
    """Return the first day of the billing month that a day is in, and that of the next one.

    In a calendar month without the billing day, the last day takes its place.
    """
    begin = _billing_date(today.year, today.month, billing_day)
    if today >= begin:
        return begin, _billing_date(today.year, today.month + 1, billing_day)
    return _billing_date(today.year, today.month - 1, billing_day), begin


def _billing_date(year: int, month: int, billing_day: int) -> date:
    """Return the billing day in a month. Month 0 is the December before, month 13 the January after."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(billing_day, monthrange(year, month)[1]))


class SegmentCounts:
    """How many SMS phones sent in each quarter of an hour of the last 33 days.

    A ring of slots: a quarter uses the slot of the one 33 days before.

    Attributes:
        added: how many SMS were added so far, whenever they were sent.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        # Quarters since 1970, and what was sent in them.
        self._slots: dict[int, tuple[int, int]] = {}
        self.added = 0

    def __getitem__(self, slot: int) -> tuple[int, int]:
        """Return the quarter in a slot, counted since 1970, and how many SMS were sent in it."""
        return self._slots[slot]

    def put(self, quarter: int, count: int) -> None:
        """Set how many SMS were sent in a quarter, counted since 1970."""
        self._slots[quarter % _MAX_QUARTERS] = quarter, count

    def add(self, time: float, segments: int) -> int:
        """Count SMS that were sent at a time, in Unix seconds, not more than 33 days ago; return their slot."""
        quarter = int(time // _QUARTER)
        slot = quarter % _MAX_QUARTERS
        before, count = self._slots.get(slot, (quarter, 0))
        if quarter >= before:
            self.added += segments
            self.put(quarter, segments + (count if quarter == before else 0))
        return slot

    def since(self, time: float) -> int:
        """Return how many SMS were sent from a time on, in Unix seconds."""
        first = time // _QUARTER
        return sum(count for quarter, count in self._slots.values() if quarter >= first)
