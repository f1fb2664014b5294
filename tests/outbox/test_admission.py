"""Limits and idempotency."""

from unittest.mock import patch

from homeassistant.exceptions import ServiceValidationError
import pytest

from custom_components.gosms.outbox import Recipient, SendRequest
from simulator import Status
from tests.common import DAD, MUM
from tests.outbox.simulation import Simulation

HOUR = 60 * 60


def limited(limit: int) -> Simulation:
    """Return a simulation with a limit of messages in an hour."""
    simulation = Simulation(queue_expiry=60)
    entry = simulation.entries[0]
    object.__setattr__(entry, "options", {**entry.options, "hourly_limit": limit})
    return simulation


@pytest.mark.parametrize("end", [4, None])
def test_the_hourly_limit_counts_the_last_60_minutes(end: int | None) -> None:
    simulation = limited(3)
    simulation.phone_status = end
    with simulation.patched():
        simulation.start()
        for _ in range(5):
            simulation.advance_time(60)
            simulation.send(0, "Leak!")
        simulation.advance_time(60)
        assert [call.error for call in simulation.calls] == [None] * 3 + ["hourly_limit"] * 2
        # The first one was asked for an hour ago, the second one not yet.
        simulation.advance_time(HOUR - 5 * 60 + 30)
        simulation.send(0, "Leak!")
        simulation.send(0, "Fire!")
        simulation.advance_time(10)
    assert [call.error for call in simulation.calls[5:]] == [None, "hourly_limit"]
    assert len(simulation.accepted) == 4


def test_what_was_refused_does_not_count_towards_the_limit() -> None:
    simulation = limited(1)
    with simulation.running():
        simulation.faults = ["refused"]
        for _ in range(3):
            simulation.send(0, "Leak!")
            simulation.advance_time(1)
    assert [call.error for call in simulation.calls] == ["quota_reached", None, "hourly_limit"]


def test_a_call_beyond_the_limit_is_sent_when_it_is_made_again() -> None:
    simulation = limited(1)
    with simulation.patched():
        simulation.start()
        simulation.send(0, "Fire!")
        for seconds in (3700, 1, 60):
            simulation.send(0, "Leak!", key="leak")
            simulation.advance_time(seconds)
    assert [call.error for call in simulation.calls] == [None, "hourly_limit", None, None]
    assert simulation.accepted == [(MUM, "Fire!"), (MUM, "Leak!")]


@pytest.mark.parametrize("others", [10, 1005])
@pytest.mark.parametrize("restarts", [False, True])
def test_a_call_is_recognized_for_a_day_however_many_came_in_between(others: int, *, restarts: bool) -> None:
    simulation = Simulation(queue_expiry=60)
    simulation.phone_status = Status.DELIVERED
    with simulation.running():
        simulation.send(0, "Leak!", key="leak")
        for number in range(others):
            simulation.send(1, f"Number {number}")
            simulation.advance_time(0.2)
        simulation.advance_time(23 * HOUR)
        for _ in range(restarts):
            simulation.stop()
            simulation.start(60, reboots=True)
        simulation.send(0, "Leak!", key="leak")
        simulation.advance_time(60)
        assert simulation.accepted.count((MUM, "Leak!")) == 1
        first, last = simulation.calls[0].result, simulation.calls[-1].result
        assert first is not None
        assert last is not None
        assert (last.status, last.message_ids) == ("delivered", first.message_ids)

        simulation.advance_time(HOUR)
        simulation.send(0, "Leak!", key="leak")
        simulation.advance_time(60)
    assert simulation.accepted.count((MUM, "Leak!")) == 2


def test_a_call_made_again_after_a_day_is_recognized_by_its_newer_message() -> None:
    simulation = Simulation(queue_expiry=60)
    simulation.phone_status = Status.SENT
    with simulation.running():
        simulation.send(0, "Leak!", key="leak")
        simulation.advance_time(25 * HOUR)
        simulation.send(0, "Leak!", key="leak")
        simulation.advance_time(60)
        # The first one ends only now.
        simulation.account.set_status(simulation.account.messages[-1].id, Status.DELIVERED)
        simulation.advance_time(HOUR)
        simulation.send(0, "Leak!", key="leak")
        simulation.advance_time(60)
    assert simulation.accepted == [(MUM, "Leak!")] * 2


def test_the_same_key_with_another_content_is_an_error() -> None:
    with Simulation(queue_expiry=60).running() as simulation:
        simulation.send(0, "Leak!", key="leak")
        simulation.advance_time(1)
        other = SendRequest(to=(Recipient(phone_number=MUM),), text="Fire!", parts=("Fire!",), idempotency_key="leak")
        with pytest.raises(ServiceValidationError) as error:
            simulation.current_run().outbox.async_check(other)
    assert error.value.translation_key == "idempotency_conflict"


def test_a_call_to_several_numbers_is_recognized_in_any_order() -> None:
    simulation = Simulation(queue_expiry=60)
    with simulation.patched():
        simulation.start()
        run = simulation.current_run()
        for numbers in ((MUM, DAD), (DAD, MUM)):
            to = tuple(Recipient(phone_number=number) for number in numbers)
            request = SendRequest(to=to, text="Leak!", parts=("Leak!",), idempotency_key="leak")
            with patch("custom_components.gosms.outbox.admission.ulid_now", side_effect=["one", "two"]):
                results = run.loop.run_until_complete(run.outbox.async_send(request))
            assert [result.status for result in results] == ["waiting", "waiting"]
    assert sorted(simulation.accepted) == [(MUM, "Leak!"), (DAD, "Leak!")]


def test_a_full_queue_takes_no_more_messages() -> None:
    with Simulation(queue_expiry=60).running() as simulation:
        simulation.is_offline = True
        for number in range(1010):
            simulation.send(0, f"Number {number}")
        simulation.advance_time(10)
        errors = [call.error for call in simulation.calls]
        assert (errors.count(None), errors.count("queue_full")) == (1000, 10)
        simulation.is_offline = False
        simulation.advance_time(300)
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
    assert simulation.calls[-1].error is None
    assert len(simulation.accepted) == 1001


def test_an_unloaded_account_takes_no_messages() -> None:
    with Simulation(queue_expiry=60).running() as simulation:
        run = simulation.current_run()
        run.loop.run_until_complete(run.outbox.async_unload())
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
    assert [call.error for call in simulation.calls] == ["cannot_connect"]
    assert simulation.on_disk() == {}
