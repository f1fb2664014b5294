"""When messages are sent: rate limits, disk failures, kills at critical moments."""

from unittest.mock import Mock, patch

import pytest

from custom_components.gosms.api import GoSmsApiError, RateLimiter
from custom_components.gosms.outbox.dispatcher import Dispatcher
from tests.common import MUM
from tests.outbox.fake_service import REPEATED_ID, SLOW
from tests.outbox.simulation import Simulation


def test_the_longest_pause_of_concurrent_failures_applies() -> None:
    simulation = Simulation()
    with simulation.patched():
        simulation.start()
        simulation.faults = ["no connection", "come back later"]
        simulation.send(0, "Leak!")
        simulation.send(0, "Fire!")
        simulation.advance_time(85)
        assert simulation.accepted == []
        simulation.advance_time(20)
    assert sorted(simulation.accepted) == [(MUM, "Fire!"), (MUM, "Leak!")]


def test_retries_back_off_even_if_retry_after_is_zero() -> None:
    simulation = Simulation()
    with simulation.patched():
        simulation.start()
        simulation.faults = ["come back at once"] * 100
        simulation.send(0, "Leak!")
        simulation.advance_time(60)
        assert 100 - len(simulation.faults) <= 8


def test_retry_after_is_capped_at_ten_minutes() -> None:
    simulation = Simulation(queue_expiry=60)
    with simulation.patched():
        simulation.start()
        simulation.faults = ["come back in a year"]
        simulation.send(0, "Leak!")
        simulation.advance_time(590)
        assert simulation.accepted == []
        simulation.advance_time(20)
    assert simulation.accepted == [(MUM, "Leak!")]


def test_a_full_disk_does_not_begin_a_request_twice() -> None:
    with Simulation().running() as simulation:
        simulation.disk.is_full = True
        for _ in range(2):
            simulation.send(0, "Leak!")
        simulation.advance_time(0.06)
        simulation.faults = ["no connection"]
        simulation.send(0, "Leak!")
        tries = simulation.disk.tries
        simulation.advance_time(30)
        # Nothing is written again and again while nothing changes.
        assert simulation.disk.tries - tries < 20
    assert simulation.accepted == [(MUM, "Leak!")] * 2
    assert simulation.mistakes == []


@pytest.mark.parametrize("point", range(1, 12))
def test_what_a_caller_is_told_is_true_after_a_kill(point: int) -> None:
    with Simulation().running() as simulation:
        simulation.faults = ["refused"]
        simulation.send(0, "Leak!")
        simulation.kill(point)
        simulation.start(downtime=5)
        simulation.advance_time(120)
    told = [call.error for call in simulation.calls]
    # Whoever was told that it was refused can rely on it; if nobody was told, it may be sent.
    assert (told, len(simulation.accepted)) in [([None], 1), (["quota_reached"], 0), ([None], 0)]
    assert all(len({*types} & {"refused", "accepted"}) == 1 for types in simulation.event_types)


def test_a_message_whose_commit_failed_and_is_on_disk_is_sent_once() -> None:
    with Simulation().running() as simulation:
        simulation.disk.is_unsynced = True
        simulation.send(0, "Leak!")
        simulation.advance_time(5)
        simulation.kill(1)
        simulation.disk.is_unsynced = False
        simulation.start(downtime=5)
        simulation.advance_time(120)
    assert simulation.accepted == [(MUM, "Leak!")]


def test_sending_resumes_after_an_outage_of_several_days() -> None:
    simulation = Simulation(queue_expiry=1440)
    with simulation.patched():
        simulation.start()
        simulation.is_offline = True
        for day in range(2):
            simulation.send(0, f"Day {day}")
            simulation.advance_time(24 * 3600 - 60)
        simulation.is_offline = False
        simulation.advance_time(120)
    assert simulation.accepted == [(MUM, "Day 1")]
    assert simulation.violations == []


def test_100_queued_messages_are_sent_in_15_seconds_within_the_rate_limit() -> None:
    simulation = Simulation()
    simulation.account.rate_limit = 10
    simulation.account.rate_clock = simulation.server_clock
    simulation.rate_limiter = RateLimiter()
    with simulation.patched():
        simulation.start()
        simulation.is_offline = True
        for number in range(100):
            simulation.send(number % 2, f"Number {number}")
        simulation.advance_time(120)
        assert [call.done for call in simulation.calls] == [True] * 100
        simulation.is_offline = False
        simulation.advance_time(80)
    assert len(simulation.accepted) == 100
    # Not one of them came too fast, or it would have come again.
    assert len(simulation.request_times) == 100
    assert simulation.request_times[-1] - simulation.request_times[0] <= 15
    assert simulation.violations == []


def test_a_duplicate_of_an_unknown_outcome_waits_while_the_disk_is_full() -> None:
    simulation = Simulation()
    with simulation.patched():
        simulation.start()
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        simulation.disk.is_full = True
        simulation.send(0, "Leak!")
        simulation.advance_time(10)
    assert simulation.accepted == [(MUM, "Leak!")] * 2
    assert [call.error for call in simulation.calls] == [None, None]


def test_a_saved_message_stays_queued_if_the_disk_fails_afterwards() -> None:
    simulation = Simulation()
    with simulation.patched():
        simulation.start()
        simulation.is_offline = True
        simulation.send(0, "Fire!")
        simulation.advance_time(10)
        simulation.send(0, "Leak!")
        simulation.advance_time(0.015)
        simulation.disk.is_full = True
        simulation.advance_time(1)
        assert [call.done for call in simulation.calls] == [True, True]
        simulation.kill(1)
        simulation.disk.is_full = simulation.is_offline = False
        simulation.start()
        simulation.advance_time(60)
    assert sorted(simulation.accepted) == [(MUM, "Fire!"), (MUM, "Leak!")]
    assert [call.error for call in simulation.calls] == [None, None]


def test_saved_messages_stay_queued_if_network_and_disk_fail_together() -> None:
    with Simulation().running() as simulation:
        for number in range(12):
            simulation.send(number % 2, f"Number {number}")
        simulation.advance_time(0.025)
        assert len(simulation.on_disk()) == 12
        simulation.is_offline = simulation.disk.is_full = True
        simulation.advance_time(1)
        assert [call.done for call in simulation.calls] == [True] * 12
        simulation.is_offline = simulation.disk.is_full = False
        simulation.advance_time(120)
    assert sorted(simulation.accepted) == sorted((call.number, call.parts[0]) for call in simulation.calls)
    assert [call.error for call in simulation.calls] == [None] * 12


@pytest.mark.parametrize(
    ("point", "state", "told"), [(3, "sending", ["queued", "unconfirmed"]), (2, None, None)], ids=["durable", "not yet"]
)
def test_a_message_that_cannot_be_queued_is_not_sent_by_the_next_run(
    point: int, state: str | None, told: list[str] | None
) -> None:
    with Simulation().running() as simulation:
        simulation.send(0, "Leak!", expire_after=0)
        simulation.kill(point)
        assert [record["state"] for record in simulation.on_disk().values()] == [*filter(None, [state])]
        simulation.start(downtime=3600)
        simulation.advance_time(60)
    assert simulation.accepted == []
    assert simulation.event_types == [*filter(None, [told])]


@pytest.mark.parametrize(("disk_is_full", "error"), [(False, None), (True, "cannot_connect")])
def test_at_shutdown_a_caller_learns_whether_its_message_was_saved(
    disk_is_full: bool,
    error: str | None,
) -> None:
    simulation = Simulation()
    with simulation.patched(), patch("custom_components.gosms.outbox.dispatcher._MAX_CONCURRENT", 0):
        simulation.start()
        simulation.disk.is_full = disk_is_full
        simulation.send(0, "Leak!")
        simulation.advance_time(0.001)
        simulation.stop()
    assert [(call.done, call.error) for call in simulation.calls] == [(True, error)]
    assert len(simulation.on_disk()) == (error is None)


def test_unloading_expires_the_remaining_parts_if_they_cannot_be_queued() -> None:
    with Simulation(queue_expiry=0).running() as simulation:
        simulation.send(0, "Fire!", "Leak!")
        simulation.advance_time(0.05)
        simulation.stop()
    assert simulation.accepted == [(MUM, "Fire!")]
    assert [(call.done, call.error) for call in simulation.calls] == [(True, "cannot_connect")]
    assert simulation.event_types == [["expired"]]


@pytest.mark.parametrize("queue_expiry", [10, 0])
def test_a_mistake_in_the_choice_of_a_phone_holds_no_message_back(
    caplog: pytest.LogCaptureFixture, queue_expiry: int
) -> None:
    simulation = Simulation(queue_expiry)
    # Nothing that is known leads here: this stands for a mistake in what is known of the phones.
    simulation.can_send = Mock(side_effect=KeyError("phone"))
    with simulation.patched():
        simulation.start()
        simulation.send(0, "Leak!", phone_id=next(iter(simulation.account.phones)))
        simulation.send(0, "Fire!")
        simulation.advance_time(0.5)
    assert sorted(simulation.accepted) == [(MUM, "Fire!"), (MUM, "Leak!")]
    assert [(call.done, call.error) for call in simulation.calls] == [(True, None)] * 2
    assert "Unexpected error while choosing a phone" in caplog.text


@pytest.mark.parametrize("method", ["_handle_acceptance", "_handle_failure"])
def test_a_mistake_after_a_request_does_not_leave_its_outcome_open(
    caplog: pytest.LogCaptureFixture, method: str
) -> None:
    simulation = Simulation()
    # Nothing that is known leads here: this stands for a mistake in what is done with an answer.
    mistakes = iter([KeyError("id")])
    original = getattr(Dispatcher, method)

    def fail_once(*arguments: object) -> None:
        for mistake in mistakes:
            raise mistake
        original(*arguments)

    with simulation.patched(), patch.object(Dispatcher, method, fail_once):
        simulation.start()
        simulation.faults = ["cut after" if method == "_handle_failure" else ""]
        simulation.send(0, "Leak!")
        simulation.advance_time(5)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert simulation.event_types == [["queued", "accepted"]]
    assert "Unexpected error while sending" in caplog.text


def test_a_message_is_on_disk_when_its_caller_times_out() -> None:
    with Simulation().running() as simulation:
        # As many attempts as there may be at a time.
        simulation.faults = [SLOW] * 8
        for number in range(8):
            simulation.send(1, f"Fire {number}!")
        simulation.send(0, "Leak!", timeout=2)
        simulation.advance_time(3)
        assert simulation.calls[-1].done
        assert "Leak!" in {record["text"] for record in simulation.on_disk().values()}


def test_an_id_that_a_message_of_another_account_has_is_not_taken_over() -> None:
    simulation = Simulation(accounts=2)
    with simulation.patched():
        simulation.start()
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
        simulation.faults = [REPEATED_ID]
        simulation.send(0, "Fire!", account=1)
        simulation.advance_time(60)
    assert simulation.accepted == [(MUM, "Leak!"), (MUM, "Fire!")]
    assert [types[:2] for types in simulation.event_types] == [
        ["accepted", "delivery_timeout"],
        ["queued", "accepted"],
    ]
    assert len({each.message.ids for each in simulation.events.values()}) == 2


@pytest.mark.parametrize(("fault", "taken"), [("cut after", 2), ("cut before", 1), (SLOW, 2)])
def test_a_message_that_may_not_be_queued_waits_for_its_twin(fault: str, taken: int) -> None:
    simulation = Simulation(queue_expiry=0)
    with simulation.patched():
        simulation.start()
        simulation.faults = [fault]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.3)
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        assert not simulation.calls[1].done
        simulation.advance_time(40)
    assert simulation.accepted == [(MUM, "Leak!")] * taken
    assert (simulation.calls[1].done, simulation.calls[1].error) == (True, None)
    assert simulation.violations == []


def test_a_message_that_may_not_be_queued_waits_a_minute_for_its_twin() -> None:
    simulation = Simulation(queue_expiry=0)
    with simulation.patched():
        simulation.start()
        simulation.faults = ["cut after"]
        simulation.lookup_error = GoSmsApiError(500)
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
        simulation.send(0, "Leak!")
        simulation.advance_time(59)
        assert [call.done for call in simulation.calls] == [True, False]
        simulation.advance_time(2)
        assert [call.error for call in simulation.calls] == ["not_confirmed", "cannot_connect"]
        simulation.lookup_error = None
        simulation.advance_time(200)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert simulation.violations == []


def test_a_message_that_may_not_be_queued_does_not_outlast_its_caller() -> None:
    simulation = Simulation(queue_expiry=0)
    with simulation.patched():
        simulation.start()
        simulation.faults = ["cut after"]
        simulation.lookup_error = GoSmsApiError(500)
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
        simulation.send(0, "Leak!", timeout=5)
        simulation.advance_time(6)
        assert [call.error for call in simulation.calls] == ["not_confirmed", "cannot_connect"]
        simulation.lookup_error = None
        simulation.advance_time(200)
    assert simulation.accepted == [(MUM, "Leak!")]


def test_a_message_that_waits_for_its_twin_ends_with_the_account() -> None:
    simulation = Simulation(queue_expiry=0)
    with simulation.patched():
        simulation.start()
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        simulation.send(0, "Leak!")
        simulation.advance_time(0.1)
        simulation.stop()
        assert [(call.done, call.error) for call in simulation.calls] == [
            (True, "not_confirmed"),
            (True, "cannot_connect"),
        ]
        simulation.start()
        simulation.advance_time(200)
    assert simulation.accepted == [(MUM, "Leak!")]


def test_a_message_that_waits_for_its_twin_is_not_sent_by_the_next_run() -> None:
    simulation = Simulation(queue_expiry=0)
    with simulation.patched():
        simulation.start()
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        simulation.send(0, "Leak!")
        simulation.advance_time(0.1)
        assert len(simulation.on_disk()) == 2
        simulation.kill_if_running()
        simulation.start()
        simulation.advance_time(200)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert sorted(types[-1] for types in simulation.event_types) == ["delivery_timeout", "expired"]


def test_a_message_that_may_not_be_queued_keeps_no_pause_after_its_twin() -> None:
    with Simulation(queue_expiry=0).running() as simulation:
        simulation.faults = ["come back later"]
        simulation.send(0, "Leak!")
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert [call.error for call in simulation.calls] == ["too_many_requests", None]
