"""When messages leave, and when they do not: pauses, a disk that fails, runs that end at a bad moment."""

from unittest.mock import Mock, patch

import pytest

from custom_components.gosms.api import GoSmsApiError, RateLimiter
from custom_components.gosms.outbox.routing import Route
from tests.outbox.world import QUEUE, REPEATED_ID, SLOW, World
from tests.service import MUM


def test_the_longest_pause_that_any_of_several_messages_was_asked_for_counts() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.faults = ["no connection", "come back later"]
        world.send(0, "Leak!")
        world.send(0, "Fire!")
        world.pass_time(85)
        assert world.taken == []
        world.pass_time(20)
    assert sorted(world.taken) == [(MUM, "Fire!"), (MUM, "Leak!")]


def test_a_service_that_can_be_asked_again_at_once_is_asked_more_and_more_rarely() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.faults = ["come back at once"] * 100
        world.send(0, "Leak!")
        world.pass_time(60)
        assert 100 - len(world.faults) <= 8


def test_a_service_that_is_not_to_be_asked_for_a_year_is_asked_after_ten_minutes() -> None:
    world = World(queue_expiry=60)
    with world.rules():
        world.start()
        world.faults = ["come back in a year"]
        world.send(0, "Leak!")
        world.pass_time(590)
        assert world.taken == []
        world.pass_time(20)
    assert world.taken == [(MUM, "Leak!")]


def test_an_outage_of_days_ends_like_any_other() -> None:
    world = World(queue_expiry=1440)
    with world.rules():
        world.start()
        world.line_is_dead = True
        for day in range(2):
            world.send(0, f"Day {day}")
            world.pass_time(24 * 3600 - 60)
        world.line_is_dead = False
        world.pass_time(120)
    assert world.taken == [(MUM, "Day 1")]
    assert world.troubles == []


def test_a_hundred_messages_of_an_outage_leave_within_fifteen_seconds_at_the_permitted_pace() -> None:
    world = World(queue_expiry=10)
    world.account.rate_limit = 10
    world.account.rate_clock = world.server_clock
    world.rate_limiter = RateLimiter()
    with world.rules():
        world.start()
        world.line_is_dead = True
        for number in range(100):
            world.send(number % 2, f"Number {number}")
        world.pass_time(120)
        assert [call.done for call in world.calls] == [True] * 100
        world.line_is_dead = False
        world.pass_time(80)
    assert len(world.taken) == 100
    # Not one of them came too fast, or it would have come again.
    assert len(world.arrived) == 100
    assert world.arrived[-1] - world.arrived[0] <= 15
    assert world.troubles == []


def test_a_twin_of_a_message_in_doubt_does_not_leave_although_the_disk_can_not_hold_it() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.faults = ["cut after"]
        world.send(0, "Leak!")
        world.pass_time(0.5)
        world.disk_is_full = True
        world.send(0, "Leak!")
        world.pass_time(10)
    assert world.taken == [(MUM, "Leak!")]
    assert [call.error for call in world.calls] == [None, "cannot_connect"]


def test_a_message_that_reached_the_disk_waits_there_when_the_disk_fails_a_moment_later() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.line_is_dead = True
        world.send(0, "Fire!")
        world.pass_time(10)
        world.send(0, "Leak!")
        world.pass_time(0.015)
        world.disk_is_full = True
        world.pass_time(1)
        assert [call.done for call in world.calls] == [True, True]
        world.kill(1)
        world.disk_is_full = world.line_is_dead = False
        world.start()
        world.pass_time(60)
    assert sorted(world.taken) == [(MUM, "Fire!"), (MUM, "Leak!")]
    assert [call.error for call in world.calls] == [None, None]


def test_messages_on_disk_whose_turn_did_not_come_wait_there_when_line_and_disk_fail_together() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        for number in range(12):
            world.send(number % 2, f"Number {number}")
        world.pass_time(0.025)
        assert len(world.on_disk()) == 12
        world.line_is_dead = world.disk_is_full = True
        world.pass_time(1)
        assert [call.done for call in world.calls] == [True] * 12
        world.line_is_dead = world.disk_is_full = False
        world.pass_time(120)
    assert sorted(world.taken) == sorted((call.number, call.parts[0]) for call in world.calls)
    assert [call.error for call in world.calls] == [None] * 12


@pytest.mark.parametrize(("state", "told"), [("sending", ["queued", "unconfirmed"]), ("queued", ["expired"])])
def test_a_message_that_may_not_wait_is_not_sent_by_the_next_run(state: str, told: list[str]) -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.send(0, "Leak!", expire_after=0)
        # It is on disk once, before its request.
        world.kill(2)
        assert len(world.on_disk()) == 1
        # A write that others asked for may have come before it was about to leave.
        world.files[QUEUE] = world.files[QUEUE].replace(b'"sending"', f'"{state}"'.encode())
        world.start(downtime=3600)
        world.pass_time(60)
    assert world.taken == []
    assert [each.types for each in world.told.values()] == [told]


@pytest.mark.parametrize(("disk_is_full", "error"), [(False, None), (True, "cannot_connect")])
def test_the_caller_of_a_message_whose_turn_did_not_come_before_the_end_learns_if_it_is_kept(
    disk_is_full: bool,
    error: str | None,
) -> None:
    world = World(queue_expiry=10)
    with world.rules(), patch("custom_components.gosms.outbox.dispatcher._MAX_CONCURRENT", 0):
        world.start()
        world.disk_is_full = disk_is_full
        world.send(0, "Leak!")
        world.pass_time(0.001)
        world.stop()
    assert [(call.done, call.error) for call in world.calls] == [(True, error)]
    assert len(world.on_disk()) == (error is None)


def test_the_rest_of_a_message_that_may_not_wait_is_given_up_when_its_account_is_unloaded() -> None:
    world = World(queue_expiry=0)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.send(0, "Fire!", "Leak!")
        world.pass_time(0.05)
        world.stop()
    assert world.taken == [(MUM, "Fire!")]
    assert [(call.done, call.error) for call in world.calls] == [(True, "cannot_connect")]
    assert [told.types for told in world.told.values()] == [["expired"]]


@pytest.mark.parametrize(("queue_expiry", "error", "taken"), [(10, None, [(MUM, "Leak!")]), (0, "cannot_connect", [])])
def test_a_mistake_before_the_request_is_answered_and_not_repeated_without_a_pause(
    caplog: pytest.LogCaptureFixture, queue_expiry: int, error: str | None, taken: list[tuple[str, str]]
) -> None:
    world = World(queue_expiry)
    with world.rules():
        world.start()
        # Nothing that is known leads here: this stands for a mistake in the choice of the phone.
        route = Mock(side_effect=[KeyError("sim"), Route()])
        with patch.object(world.living().outbox._dispatcher, "_route", route):
            world.send(0, "Leak!")
            world.pass_time(0.4)
            assert [(call.done, call.error) for call in world.calls] == [(True, error)]
            assert route.call_count == 1
            world.pass_time(5)
    assert world.taken == taken
    assert "Unexpected error while sending" in caplog.text


def test_a_mistake_after_the_acceptance_does_not_send_a_message_again(caplog: pytest.LogCaptureFixture) -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        with patch.object(world.living().outbox._dispatcher, "_resolve", side_effect=RuntimeError):
            world.send(0, "Leak!")
            world.pass_time(1)
        world.pass_time(30)
    assert world.taken == [(MUM, "Leak!")]
    assert [told.types for told in world.told.values()] == [["accepted"]]
    assert "Unexpected error while sending" in caplog.text


def test_who_is_told_that_a_message_is_queued_when_his_time_is_up_can_rely_on_the_file() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        # As many attempts as there may be at a time.
        world.faults = [SLOW] * 8
        for number in range(8):
            world.send(1, f"Fire {number}!")
        world.send(0, "Leak!", timeout=2)
        world.pass_time(3)
        assert world.calls[-1].done
        assert "Leak!" in {record["text"] for record in world.on_disk().values()}


def test_an_id_that_a_message_of_another_account_has_is_not_taken_over() -> None:
    world = World(queue_expiry=10, accounts=2)
    with world.rules():
        world.start()
        world.send(0, "Leak!")
        world.pass_time(1)
        world.faults = [REPEATED_ID]
        world.send(0, "Fire!", account=1)
        world.pass_time(60)
    assert world.taken == [(MUM, "Leak!"), (MUM, "Fire!")]
    assert [told.types[:2] for told in world.told.values()] == [
        ["accepted", "delivery_timeout"],
        ["queued", "accepted"],
    ]
    assert len({told.message.ids for told in world.told.values()}) == 2


@pytest.mark.parametrize(("fault", "taken"), [("cut after", 2), ("cut before", 1), (SLOW, 2)])
def test_a_message_that_may_not_be_queued_waits_for_its_twin(fault: str, taken: int) -> None:
    world = World(queue_expiry=0)
    with world.rules():
        world.start()
        world.faults = [fault]
        world.send(0, "Leak!")
        world.pass_time(0.3)
        world.send(0, "Leak!")
        world.pass_time(0.5)
        assert not world.calls[1].done
        world.pass_time(40)
    assert world.taken == [(MUM, "Leak!")] * taken
    assert (world.calls[1].done, world.calls[1].error) == (True, None)
    assert world.troubles == []


def test_a_message_that_may_not_be_queued_waits_a_minute_for_its_twin() -> None:
    world = World(queue_expiry=0)
    with world.rules():
        world.start()
        world.faults = ["cut after"]
        world.looking_fails = GoSmsApiError(500)
        world.send(0, "Leak!")
        world.pass_time(1)
        world.send(0, "Leak!")
        world.pass_time(59)
        assert [call.done for call in world.calls] == [True, False]
        world.pass_time(2)
        assert [call.error for call in world.calls] == ["not_confirmed", "cannot_connect"]
        world.looking_fails = None
        world.pass_time(200)
    assert world.taken == [(MUM, "Leak!")]
    assert world.troubles == []


def test_a_message_that_may_not_be_queued_does_not_outlast_its_caller() -> None:
    world = World(queue_expiry=0)
    with world.rules():
        world.start()
        world.faults = ["cut after"]
        world.looking_fails = GoSmsApiError(500)
        world.send(0, "Leak!")
        world.pass_time(1)
        world.send(0, "Leak!", timeout=5)
        world.pass_time(6)
        assert [call.error for call in world.calls] == ["not_confirmed", "cannot_connect"]
        world.looking_fails = None
        world.pass_time(200)
    assert world.taken == [(MUM, "Leak!")]


def test_a_message_that_waits_for_its_twin_ends_with_the_account() -> None:
    world = World(queue_expiry=0)
    with world.rules():
        world.start()
        world.faults = ["cut after"]
        world.send(0, "Leak!")
        world.pass_time(0.5)
        world.send(0, "Leak!")
        world.pass_time(0.1)
        world.stop()
        assert [(call.done, call.error) for call in world.calls] == [(True, "not_confirmed"), (True, "cannot_connect")]
        world.start()
        world.pass_time(200)
    assert world.taken == [(MUM, "Leak!")]


def test_a_message_that_waits_for_its_twin_is_not_sent_by_the_next_run() -> None:
    world = World(queue_expiry=0)
    with world.rules():
        world.start()
        world.faults = ["cut after"]
        world.send(0, "Leak!")
        world.pass_time(0.5)
        world.send(0, "Leak!")
        world.pass_time(0.1)
        assert len(world.on_disk()) == 2
        world.stop_dead()
        world.start()
        world.pass_time(200)
    assert world.taken == [(MUM, "Leak!")]
    assert sorted(told.types[-1] for told in world.told.values()) == ["delivery_timeout", "expired"]


def test_a_message_that_may_not_be_queued_keeps_no_pause_after_its_twin() -> None:
    world = World(queue_expiry=0)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.faults = ["come back later"]
        world.send(0, "Leak!")
        world.send(0, "Leak!")
        world.pass_time(1)
    assert world.taken == [(MUM, "Leak!")]
    assert [call.error for call in world.calls] == ["too_many_requests", None]
