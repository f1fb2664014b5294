"""What is counted of messages from here, and of those of others."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from homeassistant.helpers.json import json_bytes
from homeassistant.util.json import json_loads_object

from custom_components.gosms.api import Message
from custom_components.gosms.outbox.usage import Usage
from tests.outbox.messages import listed_message

NOW: Final = 1_790_000_000.0
DAY: Final = 24 * 60 * 60.0


def listed(name: str, *, ago: float = 0.0, text: str = "Leak!") -> Message:
    """Return a message as the service lists it."""
    return listed_message(name, text=text, created=NOW - ago)


def nobody(_message_id: str) -> bool:
    """Return that no message was sent from here."""
    return False


def restarted(usage: Usage, stored: dict[str, Any]) -> Usage:
    """Return what the next run takes up, given what was on disk before."""
    stored |= {name: json_loads_object(json_bytes(record)) for name, record in usage.take_changes().items()}
    following = Usage()
    following.load(stored)
    return following


def total(usage: Usage) -> int:
    """Return all that was counted."""
    return usage.counts.since(0)


def test_each_listed_message_is_counted_once() -> None:
    usage = Usage()
    usage.count_others([listed("b"), listed("a", ago=3600, text="я" * 71)], nobody, NOW)
    assert (total(usage), usage.counts.since(NOW - 30)) == (3, 1)
    usage.count_others([listed("c"), listed("b"), listed("a", ago=3600)], nobody, NOW)
    assert total(usage) == 4


def test_a_page_without_messages_is_a_page_too() -> None:
    stored: dict[str, Any] = {}
    usage = Usage()
    usage.count_others([listed("a")], nobody, NOW)
    usage = restarted(usage, stored)
    usage.count_others((), nobody, NOW)
    assert not restarted(usage, stored).take_changes()
    assert stored["seen"]["ids"] == {}


def test_what_was_sent_from_here_is_counted_when_it_is_accepted() -> None:
    usage = Usage()
    usage.count("own", "Leak!", NOW)
    usage.count_others([listed("own")], {"own"}.__contains__, NOW)
    assert total(usage) == 1


def test_what_is_listed_before_its_acceptance_is_known_is_counted_once() -> None:
    usage = Usage()
    usage.count_others([listed("own")], nobody, NOW)
    usage.count("own", "Leak!", NOW)
    assert total(usage) == 1


def test_what_comes_back_to_the_list_is_not_counted_again() -> None:
    usage = Usage()
    usage.count_others([listed("new"), listed("old", ago=3600)], nobody, NOW)
    usage.count_others([listed("newer"), listed("new")], nobody, NOW)
    # Two were deleted, so the page has room again.
    usage.count_others([listed("old", ago=3600), listed("older", ago=7200)], nobody, NOW)
    assert total(usage) == 3


def test_a_message_that_is_listed_late_is_counted() -> None:
    usage = Usage()
    usage.count_others([listed("new")], nobody, NOW)
    usage.count_others([listed("new"), listed("late", ago=200)], nobody, NOW)
    assert total(usage) == 2


def test_messages_of_an_earlier_month_are_not_counted() -> None:
    usage = Usage()
    usage.count_others([listed("old", ago=32 * DAY)], nobody, NOW)
    assert total(usage) == 0


def test_a_message_without_a_time_counts_as_new() -> None:
    usage = Usage()
    usage.count_others([replace(listed("timeless"), created=None)], nobody, NOW)
    assert usage.counts.since(NOW - 900) == 1


def test_a_wrong_time_of_one_message_does_not_stop_the_count() -> None:
    usage = Usage()
    usage.count_others([listed("wrong", ago=-3650 * DAY)], nobody, NOW)
    usage.count_others([listed("wrong", ago=-3650 * DAY), listed("right", ago=-60)], nobody, NOW + 60)
    assert usage.counts.since(NOW) == 2


def test_a_restart_counts_nothing_again() -> None:
    stored: dict[str, Any] = {}
    usage = Usage()
    page = [listed("b"), listed("own"), listed("a", ago=3600)]
    usage.count("own", "Leak!", NOW)
    usage.count_others(page, {"own"}.__contains__, NOW)
    following = restarted(usage, stored)
    assert total(following) == 3
    # After a day nobody remembers that it was sent from here.
    following.count_others(page, nobody, NOW + DAY)
    assert total(following) == 3
    assert not following.is_counted


def test_what_the_disk_did_not_take_is_written_later() -> None:
    usage = Usage()
    usage.count("own", "Leak!", NOW)
    assert usage.is_counted
    changes: Mapping[str, object] = usage.take_changes()
    assert (len(changes), usage.is_counted) == (1, False)
    usage.put_back(changes)
    assert usage.take_changes() == changes


def test_a_page_without_news_changes_nothing() -> None:
    usage = Usage()
    usage.count_others([listed("a")], nobody, NOW)
    usage.take_changes()
    usage.count_others([listed("a")], nobody, NOW + 60)
    assert usage.take_changes() == {}
