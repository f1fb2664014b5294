"""The effect of the service's pages on messages in transit."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from custom_components.gosms.api import Message, MessagePage, MessageStatus
from custom_components.gosms.outbox import reconciler, tracker
from custom_components.gosms.outbox.message import OutgoingMessage, State
from tests.outbox.simulation import Simulation

NUMBER: Final = "79123456789"
HOUR: Final = 60 * 60

# By the service's clock.
ATTEMPTED: Final = 1_800_000_000.0

UNDER_WAY: Final = OutgoingMessage(
    key="the key",
    phone_number=NUMBER,
    text="Leak!",
    parts=("Leak!",),
    created=0.0,
    expires=60.0,
    state=State.ACCEPTED,
    attempts=1,
    ids=("a",),
    statuses=(MessageStatus.WAITING,),
    accepted=100.0,
)
IN_DOUBT: Final = replace(UNDER_WAY, state=State.UNKNOWN, ids=(), statuses=(), accepted=None)


def seen(
    message_id: str = "a",
    status: int | None = 0,
    *,
    number: str = NUMBER,
    text: str = "Leak!",
    created: float | None = ATTEMPTED,
) -> Message:
    """Return a message of the service."""
    return Message(
        id=message_id,
        phone_number=number,
        text=text,
        status_code=status,
        device_id=None,
        sim=None,
        callback_id=None,
        created=None if created is None else datetime.fromtimestamp(created, UTC),
    )


def follow(message: OutgoingMessage, *reported: Message, now: float = 101.0) -> OutgoingMessage:
    """Apply reported messages, with a delivery timeout of ten minutes."""
    return tracker.apply_statuses(message, reported, now, 600.0)


def events(message: OutgoingMessage) -> list[str]:
    """Return the types of the pending events of a message."""
    return [occurrence.type for occurrence in message.pending_events]


def test_messages_on_a_page_are_matched_by_id() -> None:
    message = follow(UNDER_WAY, seen("b", 3), seen("a", 2), seen("c", 5))
    assert events(message) == ["sent"]


@pytest.mark.parametrize("reported", [(), (seen("b", 4),), (seen("a", 0),), (seen("a", None),), (seen("a", 42),)])
def test_a_page_without_news_leaves_the_message_unchanged(reported: tuple[Message, ...]) -> None:
    assert follow(UNDER_WAY, *reported) is UNDER_WAY


def test_delivery_timeout_is_reported_once_when_due() -> None:
    assert follow(UNDER_WAY, now=699.9) is UNDER_WAY

    late = follow(UNDER_WAY, now=700.0)
    assert (late.state, events(late)) == (State.ACCEPTED, ["delivery_timeout"])
    assert follow(late, now=800.0) is late
    assert events(follow(late, seen("a", 4), now=900.0)) == ["delivery_timeout", "delivered"]


def test_a_delivery_seen_late_is_not_reported_as_a_timeout() -> None:
    assert events(follow(UNDER_WAY, seen("a", 4), now=5000.0)) == ["delivered"]


def test_a_message_without_updates_ends_unconfirmed_after_72_hours() -> None:
    silent = replace(UNDER_WAY, timeout_reported=True)
    assert follow(silent, now=100.0 + 72 * HOUR - 1) is silent
    assert events(follow(silent, now=100.0 + 72 * HOUR)) == ["unconfirmed"]
    assert events(follow(silent, seen("a", 4), now=100.0 + 72 * HOUR)) == ["delivered"]


def test_timeout_and_end_are_both_reported_after_days_offline() -> None:
    assert events(follow(UNDER_WAY, now=100.0 + 73 * HOUR)) == ["delivery_timeout", "unconfirmed"]


def test_a_message_with_an_unknown_outcome_is_not_tracked() -> None:
    assert follow(IN_DOUBT, seen("a", 4), now=1e6) is IN_DOUBT


@pytest.mark.parametrize(
    ("accepted", "page", "missing"),
    [
        (100.0, [], ["a"]),
        (100.0, [seen("b")], ["a"]),
        (100.0, [seen("a")], []),
        (100.1, [], []),
        (200.0, [], []),
    ],
    ids=["empty page", "off the page", "on it", "accepted in the same moment", "accepted after it"],
)
def test_a_message_is_missing_if_a_later_page_does_not_list_it(
    accepted: float, page: list[Message], missing: list[str]
) -> None:
    message = replace(UNDER_WAY, accepted=accepted)
    assert tracker.missing_ids([message], MessagePage(messages=tuple(page)), 100.1) == missing


def test_missing_ids_are_oldest_first_without_finished_parts() -> None:
    old = replace(
        UNDER_WAY,
        ids=("a", "b", "c"),
        statuses=(MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.WAITING),
    )
    new = replace(UNDER_WAY, ids=("d",))
    assert tracker.missing_ids([old, new, IN_DOUBT], MessagePage(), 200.0) == ["a", "c", "d"]


@pytest.mark.parametrize(
    ("ages", "pause"),
    [([0.0], 5.0), ([50.0], 5.0), ([100.0], 10.0), ([600.0], 59.0), ([72.0 * HOUR], 59.0), ([4000.0, 80.0], 8.0)],
)
def test_poll_delay_grows_with_the_age_of_the_newest_message(ages: list[float], pause: float) -> None:
    messages = [replace(UNDER_WAY, accepted=10_000.0 - age) for age in ages]
    assert tracker.poll_delay([*messages], 10_000.0) == pytest.approx(pause)


def find(*page: Message, text: str = "Leak!", claimed: tuple[str, ...] = ()) -> str | None:
    """Look up a message with an unknown outcome on a page of a search."""
    message = replace(IN_DOUBT, text=text, parts=(text,))
    return reconciler.find_part(message, MessagePage(messages=page), earliest=ATTEMPTED, claimed=claimed)


def test_a_message_is_found_by_number_and_text() -> None:
    assert find(seen("b", text="Fire!"), seen("a"), seen("c", number="79991112233")) == "a"


@pytest.mark.parametrize(
    "other",
    [
        seen(number="79123456780"),
        seen(number=NUMBER + "0"),
        seen(text="Leak"),
        seen(text="leak!"),
        seen(text="Leak! Leak!"),
        seen(text=""),
        seen(created=ATTEMPTED - 1),
    ],
    ids=["number", "longer number", "shorter text", "case", "longer text", "no text", "older"],
)
def test_a_different_message_is_not_matched(other: Message) -> None:
    assert find(other) is None


def test_a_claimed_message_is_not_matched_again() -> None:
    assert find(seen("a"), claimed=("a",)) is None
    assert find(seen("b"), seen("a"), claimed=("a",)) == "b"


def test_the_oldest_of_several_matches_is_chosen() -> None:
    page = [seen("c", created=ATTEMPTED + 9), seen("b", created=ATTEMPTED + 1), seen("a", created=ATTEMPTED)]
    assert find(*page) == "a"


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ("Alarm\nLeak!", "Alarm Leak!"),
        ("Alarm\nLeak!", "Alarm\r\nLeak!"),
        ("Leak  here ", "Leak here"),
        ("Leak here", "\nLeak here\n"),
    ],
)
def test_normalized_whitespace_does_not_prevent_a_match(asked: str, stored: str) -> None:
    assert find(seen("a", text=stored), text=asked) == "a"


def test_a_message_without_a_time_is_matched() -> None:
    assert find(seen("a", created=None)) == "a"


def test_the_part_with_the_unknown_outcome_is_matched() -> None:
    message = replace(
        IN_DOUBT, parts=("(1/2) Leak", "(2/2) here"), ids=("a",), statuses=(MessageStatus.WAITING,), attempts=2
    )
    page = MessagePage(messages=(seen("b", text="(2/2) here"), seen("a", text="(1/2) Leak")))
    assert reconciler.find_part(message, page, earliest=ATTEMPTED, claimed=["a"]) == "b"


def test_messages_that_never_end_do_not_block_fetching_later_ones() -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        for number in range(12):
            simulation.send(0, f"Number {number}")
        simulation.advance_time(5)
        for number in range(100):
            simulation.account.add_message(message=f"Of others {number}", phone_number="79990000000")
        newest = next(message for message in simulation.account.messages if message.message == "Number 11")
        simulation.account.set_status(newest.id, 4)
        simulation.advance_time(60)
    assert [reported.types[-1] for reported in simulation.events.values()].count("delivered") == 1


def test_an_unexpected_error_during_a_poll_does_not_stop_tracking(caplog: pytest.LogCaptureFixture) -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
        # Such as an entity that can't write its state.
        simulation.lookup_error = ValueError("a mistake")
        simulation.advance_time(20)
        simulation.lookup_error = None
        simulation.account.set_status(simulation.account.messages[0].id, 4)
        simulation.advance_time(30)
    assert [reported.types for reported in simulation.events.values()] == [["accepted", "delivered"]]
    assert "Unexpected error while following messages" in caplog.text
