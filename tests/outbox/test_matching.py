"""What counts as the same message, and what as a proof of absence."""

from dataclasses import replace
from functools import partial
from typing import Final

import pytest

from custom_components.gosms.api import Message, MessageStatus
from custom_components.gosms.outbox.matching import SearchResults, comparable_texts
from custom_components.gosms.outbox.state import Part, State
from tests.common import MUM
from tests.outbox.messages import listed_message, queued_message

# By the service's clock.
ATTEMPTED: Final = 1_800_000_000.0

IN_DOUBT: Final = queued_message(state=State.UNKNOWN, attempts=1)


# A message that the service lists since the attempt.
seen = partial(listed_message, created=ATTEMPTED)


def find(*page: Message, text: str = "Leak!", claimed: tuple[str, ...] = ()) -> str | None:
    """Look up a message with an unknown outcome on a page of a search."""
    message = replace(IN_DOUBT, text=text, parts=(Part(text=text),))
    return SearchResults(page, MUM).find_part(message, (ATTEMPTED, ATTEMPTED + 100), claimed.__contains__)


def test_a_message_is_found_by_number_and_text() -> None:
    assert find(seen("b", text="Fire!"), seen("a"), seen("c", number="79991112233")) == "a"


@pytest.mark.parametrize(
    "other",
    [
        seen(number="79123456780"),
        seen(text="Leak"),
        seen(text="Leak! Leak!"),
        seen(text=""),
        seen(created=ATTEMPTED - 1),
        seen(created=ATTEMPTED + 101),
    ],
    ids=["number", "shorter text", "longer text", "no text", "older", "newer"],
)
def test_a_different_message_is_not_matched(other: Message) -> None:
    assert find(other) is None


def test_a_claimed_message_is_not_matched_again() -> None:
    assert find(seen("a"), claimed=("a",)) is None
    assert find(seen("b"), seen("a"), claimed=("a",)) == "b"


def test_the_oldest_of_several_matches_is_chosen() -> None:
    page = [seen("c", created=ATTEMPTED + 9), seen("b", created=ATTEMPTED + 1), seen("a", created=ATTEMPTED)]
    assert find(*page) == "a"


LONG: Final = "Leak in the cellar, " * 15


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ("Alarm\nLeak!", "Alarm Leak!"),
        ("Alarm\nLeak!", "Alarm\r\nLeak!"),
        ("Leak  here ", "Leak here"),
        ("Leak here", "\nLeak here\n"),
        ("Leak!", "LEAK!"),
        ('"Leak" & fire', "&quot;Leak&quot; &amp; fire"),
        ("«Leak»", '"Leak"'),
        ("the house's", "the house’s"),
        ("Ёлка горит", "Елка горит"),
        ("Leak — now", "Leak - now"),
        ("é", "e\u0301"),
        (LONG, LONG[:160]),
        (LONG, LONG[:159]),
        ("Leak!    " * 30, ("Leak!    " * 30)[:160]),
    ],
)
def test_a_text_that_people_would_call_the_same_is_matched(asked: str, stored: str) -> None:
    assert find(seen("a", text=stored), text=asked) == "a"


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ("Leak in room 1", "Leak in room 2"),
        ("Leak!", "Leak"),
        (LONG, LONG[:80]),
        (LONG[:80], LONG),
        (LONG, LONG[:159] + "x"),
    ],
)
def test_a_text_that_says_something_else_is_another_message(asked: str, stored: str) -> None:
    assert find(seen("a", text=stored), text=asked) is None


@pytest.mark.parametrize("number", [f"8{MUM[1:]}", MUM[1:]])
def test_another_form_of_a_number_is_the_same_number(number: str) -> None:
    assert find(seen("a", number=number)) == "a"


def test_a_short_number_is_compared_as_a_whole() -> None:
    listed = [seen(number=number) for number in ("900", "7900", "9001", "900900")]
    assert [message.phone_number for _, message in comparable_texts(listed, "900")] == ["900"]


def test_a_message_without_a_time_is_matched() -> None:
    assert find(seen("a", created=None)) == "a"


def test_the_part_with_the_unknown_outcome_is_matched() -> None:
    first = Part(text="(1/2) Leak", id="a", status=MessageStatus.WAITING)
    message = replace(IN_DOUBT, parts=(first, Part(text="(2/2) here")), attempts=2)
    listed = seen("b", text="(2/2) here"), seen("a", text="(1/2) Leak")
    assert SearchResults(listed, MUM).find_part(message, (ATTEMPTED, ATTEMPTED), {"a"}.__contains__) == "b"


@pytest.mark.parametrize(
    "hidden",
    [seen("a", number=""), seen("a", text=""), seen("a", text=" ")],
    ids=["number", "text", "blank"],
)
@pytest.mark.parametrize(
    ("created", "claimed", "is_proof"),
    [
        (ATTEMPTED + 1, (), False),
        (None, (), False),
        (ATTEMPTED - 1, (), True),
        (ATTEMPTED + 101, (), True),
        (ATTEMPTED + 1, ("a",), True),
    ],
    ids=["new", "without a time", "older", "newer", "claimed"],
)
def test_a_message_without_number_or_text_may_be_the_one(
    hidden: Message, created: float | None, claimed: tuple[str, ...], *, is_proof: bool
) -> None:
    hidden = replace(hidden, created=seen(created=created).created)
    results = SearchResults([seen("b", text="Fire!"), hidden], MUM)
    assert results.prove_absence((ATTEMPTED, ATTEMPTED + 100), claimed.__contains__) is is_proof
