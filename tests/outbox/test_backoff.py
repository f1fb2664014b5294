"""The pauses between attempts."""

import random

import pytest

from custom_components.gosms.outbox.backoff import MAX_PAUSE, Backoff


@pytest.fixture(autouse=True)
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pauses be as long as they can be."""
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)


def after(*failures: float) -> Backoff:
    """Return a back-off after failures at these times."""
    backoff = Backoff()
    for now in failures:
        backoff.fail(now)
    return backoff


def test_there_is_no_pause_before_the_first_failure() -> None:
    assert not after().is_active
    assert after().due < 0


@pytest.mark.parametrize(
    ("failures", "pause"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (2000, 60)]
)
def test_the_pause_doubles_up_to_a_minute(failures: int, pause: float) -> None:
    backoff = after(*(100.0 * number for number in range(failures)))
    assert backoff.due - 100.0 * (failures - 1) == pause
    assert pause <= MAX_PAUSE


def test_attempts_that_fail_together_count_once() -> None:
    backoff = after(0.0, 0.1, 0.9)
    assert (backoff.failures, backoff.due) == (1, 1.0)


@pytest.mark.parametrize(
    ("asked", "due"), [(0.0, 1.0), (0.5, 1.0), (90.0, 90.0), (600.0, 600.0), (31_536_000.0, 600.0)]
)
def test_a_requested_pause_is_kept_for_ten_minutes_at_the_most(asked: float, due: float) -> None:
    backoff = Backoff()
    backoff.fail(0.0, asked)
    assert backoff.due == due


def test_the_longest_of_several_requested_pauses_counts() -> None:
    backoff = Backoff()
    for asked in (90.0, 30.0):
        backoff.fail(0.0, asked)
    assert backoff.due == 90.0


def test_a_success_ends_a_pause_but_no_requested_one() -> None:
    backoff = after(0.0, 2.0)
    backoff.succeed(2.5)
    assert not backoff.is_active

    backoff.fail(3.0, 40.0)
    backoff.succeed(4.0)
    assert (backoff.is_active, backoff.due) == (True, 43.0)
    backoff.succeed(43.0)
    assert not backoff.is_active


def test_a_new_message_shortens_a_pause_but_no_requested_one() -> None:
    backoff = after(*(100.0 * number for number in range(7)))
    backoff.bring_forward(605.0)
    backoff.bring_forward(650.0)
    assert backoff.due == 605.0

    backoff.fail(606.0, 90.0)
    backoff.bring_forward(610.0)
    assert backoff.due == 696.0


def test_a_failure_after_a_requested_pause_doubles_the_pause_again() -> None:
    backoff = Backoff()
    backoff.fail(0.0, 40.0)
    backoff.fail(40.0)
    assert (backoff.failures, backoff.due) == (2, 42.0)
    backoff.bring_forward(41.0)
    assert backoff.due == 41.0
