"""The history of finished messages."""

from dataclasses import replace
from datetime import date

import pytest

from custom_components.gosms.api import MessageStatus
from custom_components.gosms.outbox.history import History
from custom_components.gosms.outbox.message import OutgoingMessage, State

MONDAY = date(2026, 11, 23)
TUESDAY = date(2026, 11, 24)
HOUR = 60 * 60


def ended(key: str = "the key", state: State = State.DELIVERED, *, accepted: float | None = 0.0) -> OutgoingMessage:
    """Return a message in a final state."""
    return OutgoingMessage(
        key=key,
        phone_number="79123456789",
        text="Leak!",
        parts=("Leak!",),
        created=0.0,
        expires=60.0,
        state=state,
        ids=(f"id of {key}",),
        statuses=(MessageStatus.WAITING,),
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
    ledger = History()
    ledger.add(ended(state=state), 9.0, MONDAY)
    assert ledger.today(MONDAY) == counters


def test_counters_start_at_zero_each_day() -> None:
    ledger = History()
    assert ledger.today(MONDAY) == (0, 0)

    ledger.add(ended("one"), 1.0, MONDAY)
    ledger.add(ended("two", State.REFUSED), 2.0, MONDAY)
    assert ledger.today(MONDAY) == (1, 1)
    assert ledger.today(TUESDAY) == (0, 0)

    ledger.add(ended("three"), 3.0, TUESDAY)
    assert ledger.today(TUESDAY) == (1, 0)


def test_a_failed_message_keeps_the_last_delivery_time() -> None:
    ledger = History()
    ledger.add(ended("one", accepted=2.0), 9.5004, MONDAY)
    ledger.add(ended("two", State.DELIVERY_FAILED), 100.0, MONDAY)
    assert ledger.delivery_time == 7.5


def test_ids_stay_claimed_for_one_day() -> None:
    ledger = History()
    ledger.add(ended("one"), 0.0, MONDAY)
    ledger.add(ended("two"), 24 * HOUR - 1, MONDAY)
    assert ledger.claimed == {"id of one", "id of two"}

    ledger.add(ended("three"), 24 * HOUR, TUESDAY)
    assert ledger.claimed == {"id of two", "id of three"}


def test_every_part_of_a_long_message_stays_claimed() -> None:
    ledger = History()
    ledger.add(replace(ended(), ids=("a", "b")), 1.0, MONDAY)
    assert ledger.claimed == {"a", "b"}


def test_only_the_newest_1000_messages_are_kept_but_all_are_counted() -> None:
    ledger = History()
    for number in range(1005):
        ledger.add(ended(str(number)), number, MONDAY)
    assert [each.key for each in ledger.ended] == [str(number) for number in range(5, 1005)]
    assert ledger.today(MONDAY) == (1005, 0)


def test_history_contains_neither_number_nor_text() -> None:
    ledger = History()
    ledger.add(ended(), 1.0, MONDAY)
    assert "79123456789" not in repr(ledger)
    assert "Leak" not in repr(ledger)
