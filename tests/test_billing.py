"""The billing month, and the SMS that are counted in it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.gosms.billing import SegmentCounts, billing_month

DAY = 86400


@pytest.mark.parametrize(
    ("today", "billing_day", "begin", "end"),
    [
        ("2026-11-26", 1, "2026-11-01", "2026-12-01"),
        ("2026-11-01", 1, "2026-11-01", "2026-12-01"),
        ("2026-12-31", 1, "2026-12-01", "2027-01-01"),
        ("2026-11-27", 28, "2026-10-28", "2026-11-28"),
        ("2026-11-28", 28, "2026-11-28", "2026-12-28"),
        ("2027-01-05", 28, "2026-12-28", "2027-01-28"),
        ("2027-02-27", 31, "2027-01-31", "2027-02-28"),
        ("2027-02-28", 31, "2027-02-28", "2027-03-31"),
        ("2028-02-28", 30, "2028-01-30", "2028-02-29"),
    ],
)
def test_a_billing_month_begins_on_the_billing_day_or_the_last_one(
    today: str, billing_day: int, begin: str, end: str
) -> None:
    found = billing_month(date.fromisoformat(today), billing_day)
    assert found == (date.fromisoformat(begin), date.fromisoformat(end))


@given(day=st.dates(date(2001, 1, 1), date(2100, 1, 1)), billing_day=st.integers(1, 31))
def test_billing_months_follow_each_other_without_a_gap(day: date, billing_day: int) -> None:
    begin, end = billing_month(day, billing_day)
    assert begin <= day < end
    assert billing_month(end, billing_day)[0] == end
    assert billing_month(begin - timedelta(days=1), billing_day)[1] == begin


def test_what_was_sent_since_a_moment_is_summed() -> None:
    counts = SegmentCounts()
    assert counts.add(1000.0, 2) == counts.add(1799.0, 1) == 1
    assert counts.add(1800.0, 5) == 2
    assert (counts[1], counts[2]) == ((1, 3), (2, 5))
    assert [counts.since(time) for time in (0.0, 900.0, 1800.0, 2700.0)] == [8, 8, 5, 0]


def test_what_is_33_days_old_makes_room() -> None:
    counts = SegmentCounts()
    counts.put(1, 7)
    counts.put(2, 1)
    assert counts.add(33 * DAY + 900.0, 2) == 1
    assert (counts[1], counts.since(0)) == ((33 * 96 + 1, 2), 3)
    # What comes late for that takes no room.
    counts.add(900.0, 5)
    assert counts.since(0) == 3


@given(
    zone=st.sampled_from(["Asia/Kathmandu", "Asia/Kolkata", "Pacific/Chatham", "America/St_Johns", "Europe/Moscow"]),
    sent=st.lists(st.integers(0, 60 * DAY), max_size=20),
    day=st.integers(30, 60),
)
def test_a_day_begins_between_two_quarters_in_every_time_zone(zone: str, sent: list[int], day: int) -> None:
    began = datetime(2026, 9, 1, tzinfo=UTC).timestamp()
    counts = SegmentCounts()
    for time in sorted(sent):
        counts.add(began + time, 1)
    midnight = datetime(2026, 9, 1, tzinfo=ZoneInfo(zone)) + timedelta(days=day)
    assert counts.since(midnight.timestamp()) == sum(began + time >= midnight.timestamp() for time in sent)
