"""What the service's pages mean for the messages under way."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from custom_components.gosms.api import Message, MessagePage, MessageStatus
from custom_components.gosms.outbox import reconciler, tracker
from custom_components.gosms.outbox.message import OutgoingMessage, State
from tests.outbox.world import World

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
    """A message as the service tells of it."""
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


def follow(message: OutgoingMessage, *told: Message, now: float = 101.0) -> OutgoingMessage:
    """Follow a message with a delivery time-out of ten minutes."""
    return tracker.apply_statuses(message, told, now, 600.0)


def events(message: OutgoingMessage) -> list[str]:
    """What is to be told of a message."""
    return [occurrence.type for occurrence in message.pending_events]


def test_each_message_of_a_page_is_told_apart_by_its_id() -> None:
    message = follow(UNDER_WAY, seen("b", 3), seen("a", 2), seen("c", 5))
    assert events(message) == ["sent"]


@pytest.mark.parametrize("told", [(), (seen("b", 4),), (seen("a", 0),), (seen("a", None),), (seen("a", 42),)])
def test_nothing_new_changes_nothing(told: tuple[Message, ...]) -> None:
    assert follow(UNDER_WAY, *told) is UNDER_WAY


def test_a_missing_delivery_is_told_once_when_it_is_due() -> None:
    assert follow(UNDER_WAY, now=699.9) is UNDER_WAY

    late = follow(UNDER_WAY, now=700.0)
    assert (late.state, events(late)) == (State.ACCEPTED, ["delivery_timeout"])
    assert follow(late, now=800.0) is late
    assert events(follow(late, seen("a", 4), now=900.0)) == ["delivery_timeout", "delivered"]


def test_a_delivery_that_is_seen_too_late_was_not_missed() -> None:
    assert events(follow(UNDER_WAY, seen("a", 4), now=5000.0)) == ["delivered"]


def test_silence_ends_after_72_hours() -> None:
    silent = replace(UNDER_WAY, timeout_reported=True)
    assert follow(silent, now=100.0 + 72 * HOUR - 1) is silent
    assert events(follow(silent, now=100.0 + 72 * HOUR)) == ["unconfirmed"]
    assert events(follow(silent, seen("a", 4), now=100.0 + 72 * HOUR)) == ["delivered"]


def test_a_house_that_was_dark_for_days_learns_of_both_the_time_out_and_the_end() -> None:
    assert events(follow(UNDER_WAY, now=100.0 + 73 * HOUR)) == ["delivery_timeout", "unconfirmed"]


def test_a_message_that_the_service_does_not_have_is_left_alone() -> None:
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
def test_a_message_is_missed_if_a_page_asked_for_later_does_not_tell_of_it(
    accepted: float, page: list[Message], missing: list[str]
) -> None:
    message = replace(UNDER_WAY, accepted=accepted)
    assert tracker.missing_ids([message], MessagePage(messages=tuple(page)), 100.1) == missing


def test_the_oldest_are_asked_for_first_and_parts_that_ended_not_at_all() -> None:
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
def test_polls_grow_rarer_with_the_age_of_the_youngest_message(ages: list[float], pause: float) -> None:
    messages = [replace(UNDER_WAY, accepted=10_000.0 - age) for age in ages]
    assert tracker.poll_delay([*messages], 10_000.0) == pytest.approx(pause)


def find(*page: Message, text: str = "Leak!", claimed: tuple[str, ...] = ()) -> str | None:
    """Look for a message in doubt on a page of a search."""
    message = replace(IN_DOUBT, text=text, parts=(text,))
    return reconciler.find_part(message, MessagePage(messages=page), earliest=ATTEMPTED, claimed=claimed)


def test_a_message_in_doubt_is_found_by_number_and_text() -> None:
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
def test_another_message_is_not_taken_for_it(other: Message) -> None:
    assert find(other) is None


def test_a_message_that_belongs_to_another_one_is_not_taken_again() -> None:
    assert find(seen("a"), claimed=("a",)) is None
    assert find(seen("b"), seen("a"), claimed=("a",)) == "b"


def test_of_several_that_it_can_be_the_oldest_is_it() -> None:
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
def test_white_space_that_the_service_tidied_up_does_not_hide_a_message(asked: str, stored: str) -> None:
    assert find(seen("a", text=stored), text=asked) == "a"


def test_a_message_without_a_time_is_taken_for_it_rather_than_sent_twice() -> None:
    assert find(seen("a", created=None)) == "a"


def test_the_part_that_is_in_doubt_is_looked_for() -> None:
    message = replace(
        IN_DOUBT, parts=("(1/2) Leak", "(2/2) here"), ids=("a",), statuses=(MessageStatus.WAITING,), attempts=2
    )
    page = MessagePage(messages=(seen("b", text="(2/2) here"), seen("a", text="(1/2) Leak")))
    assert reconciler.find_part(message, page, earliest=ATTEMPTED, claimed=["a"]) == "b"


def test_messages_without_an_end_do_not_keep_a_later_one_from_being_asked_for() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        for number in range(12):
            world.send(0, f"Number {number}")
        world.pass_time(5)
        for number in range(100):
            world.account.add_message(message=f"Of others {number}", phone_number="79990000000")
        newest = next(message for message in world.account.messages if message.message == "Number 11")
        world.account.set_status(newest.id, 4)
        world.pass_time(60)
    assert [told.types[-1] for told in world.told.values()].count("delivered") == 1


def test_a_mistake_while_a_poll_is_shown_does_not_end_the_tracking(caplog: pytest.LogCaptureFixture) -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.send(0, "Leak!")
        world.pass_time(1)
        # Such as an entity that can't write its state.
        world.looking_fails = ValueError("a mistake")
        world.pass_time(20)
        world.looking_fails = None
        world.account.set_status(world.account.messages[0].id, 4)
        world.pass_time(30)
    assert [told.types for told in world.told.values()] == [["accepted", "delivered"]]
    assert "Unexpected error while following messages" in caplog.text
