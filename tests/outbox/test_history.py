"""The history of finished messages."""

from dataclasses import asdict, replace
from datetime import date

import pytest

from custom_components.gosms.api import MessageStatus
from custom_components.gosms.outbox.fingerprint import Fingerprint
from custom_components.gosms.outbox.history import History
from custom_components.gosms.outbox.message import OutgoingMessage
from custom_components.gosms.outbox.state import Part, State
from tests.outbox.messages import queued_message

MONDAY = date(2026, 11, 23)
TUESDAY = date(2026, 11, 24)
HOUR = 60 * 60


def ended(key: str = "the key", state: State = State.DELIVERED, *, accepted: float | None = 0.0) -> OutgoingMessage:
    """Return a message in a final state."""
    return queued_message(
        key,
        state=state,
        tag="Leak!",
        parts=(Part(text="Leak!", id=f"id of {key}", status=MessageStatus.WAITING),),
        accepted=accepted,
    )


@pytest.mark.parametrize(
    ("state", "counters"),
    [
        (State.DELIVERED, (1, 0)),
        (State.SEND_FAILED, (0, 1)),
        (State.DELIVERY_FAILED, (0, 1)),
        (State.REFUSED, (0, 1)),
        (State.EXPIRED, (0, 1)),
        (State.UNCONFIRMED, (0, 1)),
    ],
)
def test_a_message_is_counted_by_its_final_state(state: State, counters: tuple[int, int]) -> None:
    history = History()
    history.finish(ended(state=state), 9.0, MONDAY)
    assert history.counters.on(MONDAY) == counters


def test_a_message_that_was_taken_back_is_neither_delivered_nor_failed() -> None:
    history = History()
    history.finish(ended(state=State.CANCELLED), 9.0, MONDAY)
    assert history.counters.on(MONDAY) == (0, 0)


def test_with_a_history_texts_stay_as_long_as_it_says() -> None:
    history = History()
    history.keep = 3 * 24 * HOUR
    finished = history.finish(ended(), 100.0, MONDAY)
    assert (finished.text, finished.phone_number, finished.finished) == ("Leak!", "79123456789", 100.0)
    assert not history.forget(100.0 + history.keep - 1)
    assert history.forget(100.0 + history.keep)
    assert len(history) == 0


def test_the_oldest_text_tells_when_there_is_something_to_forget() -> None:
    history = History()
    history.keep = 3 * 24 * HOUR
    history.finish(ended("one"), 100.0, MONDAY)
    history.finish(ended("two"), 200.0, MONDAY)
    assert history.oldest == 100.0


def test_of_a_large_history_the_newest_thousand_stay_in_memory() -> None:
    history = History()
    history.keep = 30 * 24 * HOUR
    for number in range(1500):
        history.finish(ended(str(number)), float(number), MONDAY)
    assert not history.forget(23 * HOUR)
    assert len(history) == 1500
    assert history.forget(25 * HOUR)
    assert next(iter(history.messages)) == "500"


def test_texts_that_are_not_kept_any_more_are_forgotten_at_once() -> None:
    history = History()
    history.keep = 7 * 24 * HOUR
    history.finish(ended(), 100.0, MONDAY)
    assert history.strip() == []
    history.keep = 0.0
    [stripped] = history.strip()
    assert (stripped.text, stripped.phone_number, stripped.tag, stripped.parts[0].text) == ("", "", None, "")
    assert history.has_id("id of the key")
    assert history.strip() == []
    assert history.oldest is None


def test_counters_start_at_zero_each_day() -> None:
    history = History()
    assert history.counters.on(MONDAY) == (0, 0)

    history.finish(ended("one"), 1.0, MONDAY)
    history.finish(ended("two", State.REFUSED), 2.0, MONDAY)
    assert history.counters.on(MONDAY) == (1, 1)
    assert history.counters.on(TUESDAY) == (0, 0)

    history.finish(ended("three"), 3.0, TUESDAY)
    assert history.counters.on(TUESDAY) == (1, 0)


def test_a_failed_message_keeps_the_last_delivery_time() -> None:
    history = History()
    history.finish(ended("one", accepted=2.0), 9.5004, MONDAY)
    history.finish(ended("two", State.DELIVERY_FAILED), 100.0, MONDAY)
    assert history.counters.delivery_time == 7.5


def test_ids_stay_claimed_for_one_day() -> None:
    history = History()
    history.finish(ended("one"), 0.0, MONDAY)
    history.finish(ended("two"), 24 * HOUR - 1, MONDAY)
    history.forget(24 * HOUR - 1)
    assert (history.has_id("id of one"), history.has_id("id of two")) == (True, True)

    history.forget(24 * HOUR)
    assert (history.has_id("id of one"), history.has_id("id of two")) == (False, True)
    assert ("one" in history.messages, "two" in history.messages, len(history)) == (False, True, 1)
    history.forget(48 * HOUR)
    assert len(history) == 0


def test_every_part_of_a_long_message_stays_claimed() -> None:
    history = History()
    parts = tuple(Part(text=key, id=key, status=MessageStatus.SENT) for key in "ab")
    history.finish(replace(ended(), parts=parts), 1.0, MONDAY)
    assert history.has_id("a")
    assert history.has_id("b")


def test_the_messages_of_a_call_are_remembered_for_one_day() -> None:
    history = History()
    calls = {
        "one": Fingerprint(key="call", content="of both", index=0),
        "two": Fingerprint(key="call", content="", index=1),
    }
    for number, (key, fingerprint) in enumerate(calls.items()):
        history.finish(replace(ended(key), fingerprint=fingerprint), number * HOUR, MONDAY)
    assert [each.key for each in history.of_call(calls["one"])] == ["one", "two"]
    history.forget(24 * HOUR)
    assert [each.key for each in history.of_call(calls["one"])] == ["two"]
    history.forget(25 * HOUR)
    assert [*history.of_call(calls["one"])] == []


def test_a_call_that_was_made_again_is_remembered_by_its_newer_message() -> None:
    history = History()
    fingerprint = Fingerprint(key="call", content="the same", index=0)
    for number in range(2):
        history.finish(replace(ended(str(number)), fingerprint=fingerprint), number * 24 * HOUR, MONDAY)
    history.forget(24 * HOUR)
    assert [each.key for each in history.of_call(fingerprint)] == ["1"]


def test_10000_messages_are_remembered_and_counted() -> None:
    history = History()
    for number in range(10_000):
        history.finish(ended(str(number)), number, MONDAY)
        history.forget(number)
    assert len(history) == 10_000
    assert [each.key for each in history][:2] == ["0", "1"]
    assert next(reversed(history.messages)) == "9999"
    assert history.counters.on(MONDAY) == (10_000, 0)


def test_only_what_ended_before_a_time_grows_older() -> None:
    history = History()
    for key, finished in (("one", 10.0), ("two", 20.0)):
        history.finish(ended(key), finished, MONDAY)
    history.shift(5.0, until=15.0)
    assert [(each.finished, each.created) for each in history] == [(5.0, -5.0), (20.0, 0.0)]


def test_what_ended_is_shown_by_its_state() -> None:
    history = History()
    history.finish(ended(state=State.EXPIRED), 1.0, MONDAY)
    assert history.messages["the key"].status == "expired"


def test_history_contains_neither_number_nor_text() -> None:
    history = History()
    history.finish(ended(), 1.0, MONDAY)
    (message,) = history
    assert "79123456789" not in str(asdict(message))
    assert "Leak" not in str(asdict(message))
