"""When messages are sent: rate limits, disk failures, kills at critical moments."""

from unittest.mock import Mock, patch

import pytest

from custom_components.gosms.api import GoSmsApiError, RateLimiter
from custom_components.gosms.outbox.routing import Route
from tests.common import MUM
from tests.outbox.simulation import QUEUE, REPEATED_ID, SLOW, Simulation


def test_the_longest_pause_of_concurrent_failures_applies() -> None:
    simulation = Simulation(queue_expiry=10)
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
    simulation = Simulation(queue_expiry=10)
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
    simulation = Simulation(queue_expiry=10)
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


def test_a_duplicate_of_an_unknown_outcome_fails_while_the_disk_is_full() -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        simulation.disk_is_full = True
        simulation.send(0, "Leak!")
        simulation.advance_time(10)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert [call.error for call in simulation.calls] == [None, "cannot_connect"]


def test_a_saved_message_stays_queued_if_the_disk_fails_afterwards() -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.is_offline = True
        simulation.send(0, "Fire!")
        simulation.advance_time(10)
        simulation.send(0, "Leak!")
        simulation.advance_time(0.015)
        simulation.disk_is_full = True
        simulation.advance_time(1)
        assert [call.done for call in simulation.calls] == [True, True]
        simulation.kill(1)
        simulation.disk_is_full = simulation.is_offline = False
        simulation.start()
        simulation.advance_time(60)
    assert sorted(simulation.accepted) == [(MUM, "Fire!"), (MUM, "Leak!")]
    assert [call.error for call in simulation.calls] == [None, None]


def test_saved_messages_stay_queued_if_network_and_disk_fail_together() -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        for number in range(12):
            simulation.send(number % 2, f"Number {number}")
        simulation.advance_time(0.025)
        assert len(simulation.on_disk()) == 12
        simulation.is_offline = simulation.disk_is_full = True
        simulation.advance_time(1)
        assert [call.done for call in simulation.calls] == [True] * 12
        simulation.is_offline = simulation.disk_is_full = False
        simulation.advance_time(120)
    assert sorted(simulation.accepted) == sorted((call.number, call.parts[0]) for call in simulation.calls)
    assert [call.error for call in simulation.calls] == [None] * 12


@pytest.mark.parametrize(("state", "told"), [("sending", ["queued", "unconfirmed"]), ("queued", ["expired"])])
def test_a_message_that_cannot_be_queued_is_not_sent_by_the_next_run(state: str, told: list[str]) -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.send(0, "Leak!", expire_after=0)
        # It is on disk once, before its request.
        simulation.kill(2)
        assert len(simulation.on_disk()) == 1
        # A write that others asked for may have come before it was about to leave.
        simulation.files[QUEUE] = simulation.files[QUEUE].replace(b'"sending"', f'"{state}"'.encode())
        simulation.start(downtime=3600)
        simulation.advance_time(60)
    assert simulation.accepted == []
    assert [each.types for each in simulation.events.values()] == [told]


@pytest.mark.parametrize(("disk_is_full", "error"), [(False, None), (True, "cannot_connect")])
def test_at_shutdown_a_caller_learns_whether_its_message_was_saved(
    disk_is_full: bool,
    error: str | None,
) -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched(), patch("custom_components.gosms.outbox.dispatcher._MAX_CONCURRENT", 0):
        simulation.start()
        simulation.disk_is_full = disk_is_full
        simulation.send(0, "Leak!")
        simulation.advance_time(0.001)
        simulation.stop()
    assert [(call.done, call.error) for call in simulation.calls] == [(True, error)]
    assert len(simulation.on_disk()) == (error is None)


def test_unloading_expires_the_remaining_parts_if_they_cannot_be_queued() -> None:
    simulation = Simulation(queue_expiry=0)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.send(0, "Fire!", "Leak!")
        simulation.advance_time(0.05)
        simulation.stop()
    assert simulation.accepted == [(MUM, "Fire!")]
    assert [(call.done, call.error) for call in simulation.calls] == [(True, "cannot_connect")]
    assert [message.types for message in simulation.events.values()] == [["expired"]]


@pytest.mark.parametrize(("queue_expiry", "error", "taken"), [(10, None, [(MUM, "Leak!")]), (0, "cannot_connect", [])])
def test_an_unexpected_error_before_a_request_is_not_retried_immediately(
    caplog: pytest.LogCaptureFixture, queue_expiry: int, error: str | None, taken: list[tuple[str, str]]
) -> None:
    simulation = Simulation(queue_expiry)
    with simulation.patched():
        simulation.start()
        # Nothing that is known leads here: this stands for a mistake in the choice of the phone.
        route = Mock(side_effect=[KeyError("sim"), Route()])
        with patch.object(simulation.current_run().outbox._dispatcher, "_route", route):
            simulation.send(0, "Leak!")
            simulation.advance_time(0.4)
            assert [(call.done, call.error) for call in simulation.calls] == [(True, error)]
            assert route.call_count == 1
            simulation.advance_time(5)
    assert simulation.accepted == taken
    assert "Unexpected error while sending" in caplog.text


def test_an_unexpected_error_after_acceptance_does_not_resend(caplog: pytest.LogCaptureFixture) -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        with patch.object(simulation.current_run().outbox._dispatcher, "_resolve", side_effect=RuntimeError):
            simulation.send(0, "Leak!")
            simulation.advance_time(1)
        simulation.advance_time(30)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert [message.types for message in simulation.events.values()] == [["accepted"]]
    assert "Unexpected error while sending" in caplog.text


def test_a_message_is_on_disk_when_its_caller_times_out() -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        # As many attempts as there may be at a time.
        simulation.faults = [SLOW] * 8
        for number in range(8):
            simulation.send(1, f"Fire {number}!")
        simulation.send(0, "Leak!", timeout=2)
        simulation.advance_time(3)
        assert simulation.calls[-1].done
        assert "Leak!" in {record["text"] for record in simulation.on_disk().values()}


def test_an_id_that_a_message_of_another_account_has_is_not_taken_over() -> None:
    simulation = Simulation(queue_expiry=10, accounts=2)
    with simulation.patched():
        simulation.start()
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
        simulation.faults = [REPEATED_ID]
        simulation.send(0, "Fire!", account=1)
        simulation.advance_time(60)
    assert simulation.accepted == [(MUM, "Leak!"), (MUM, "Fire!")]
    assert [message.types[:2] for message in simulation.events.values()] == [
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
    assert sorted(message.types[-1] for message in simulation.events.values()) == ["delivery_timeout", "expired"]


def test_a_message_that_may_not_be_queued_keeps_no_pause_after_its_twin() -> None:
    simulation = Simulation(queue_expiry=0)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.faults = ["come back later"]
        simulation.send(0, "Leak!")
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert [call.error for call in simulation.calls] == ["too_many_requests", None]
