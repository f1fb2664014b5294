"""Accounts that are unloaded, removed and backed up, and what their callers are told."""

from typing import Final

import pytest

from custom_components.gosms.errors import Failure
from custom_components.gosms.outbox import SendResult, State
from custom_components.gosms.outbox.message import OutgoingMessage
from tests.common import MUM
from tests.outbox.fake_service import SLOW
from tests.outbox.messages import queued_message
from tests.outbox.simulation import Simulation

QUEUED: Final = queued_message()


@pytest.mark.parametrize("commit_time", [0.01, 0.5])
def test_whoever_waits_while_the_account_is_removed_gets_an_error(commit_time: float) -> None:
    with Simulation().running() as simulation:
        simulation.disk.commit_time = commit_time
        for number in range(12):
            simulation.send(0, f"Number {number}")
        simulation.advance_time(0.005)
        run = simulation.current_run()
        run.loop.run_until_complete(run.remove(0))
        simulation.advance_time(1)
        results = [call.result for call in simulation.calls]
        assert simulation.disk.files == {}
    told = [result.failure.key if result and result.failure else None for result in results]
    # Nobody is told `queued` of what is gone.
    assert told.count("account_removed") == 12 - len(simulation.accepted)
    assert all(result and (result.failure or result.message_ids) for result in results)


def test_a_caller_whose_time_is_up_during_a_removal_gets_an_error() -> None:
    with Simulation().running() as simulation:
        simulation.faults = [SLOW, "too many requests"]
        simulation.send(0, "Leak!")
        simulation.send(1, "Leak!", wait_for=State.DELIVERED, timeout=2.0)
        simulation.advance_time(0.5)
        run = simulation.current_run()
        # It waits for the slow request.
        run.loop.run_until_complete(run.remove(0))
        simulation.advance_time(1)
        accepted, queued = (call.result for call in simulation.calls)
    assert accepted
    assert accepted.status == "waiting"
    assert queued
    assert queued.failure == Failure(key="account_removed")


def test_files_that_cannot_be_removed_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with Simulation().running() as simulation:
        simulation.disk.is_full = True
        run = simulation.current_run()
        run.loop.run_until_complete(run.remove(0))
    assert "can't be removed: OSError" in caplog.text


def test_a_backup_begins_and_ends_with_the_storage() -> None:
    simulation = Simulation()
    with simulation.patched():
        simulation.start()
        run = simulation.current_run()
        run.loop.run_until_complete(run.outbox.async_begin_backup())
        assert run.storages[0].is_in_backup
        run.outbox.async_end_backup()
        assert not run.storages[0].is_in_backup


@pytest.mark.parametrize("fault", ["", "too many requests"])
def test_a_phone_that_is_passed_over_is_logged_once(caplog: pytest.LogCaptureFixture, fault: str) -> None:
    simulation = Simulation()
    chosen, other = "6654a4e8f1527149588c89f2", "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"
    for device_id in (chosen, other):
        simulation.add_phone(device_id)
    simulation.can_send = {chosen: False, other: True}.get
    with simulation.running():
        simulation.faults = [fault]
        simulation.send(0, "Leak!", phone_id=chosen)
        simulation.advance_time(10)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert caplog.text.count("A message is sent with any phone") == 1


@pytest.mark.parametrize(
    ("wait_for", "timeout", "status"),
    [
        (State.ACCEPTED, None, "waiting"),
        (State.SENT, None, "sent"),
        (State.DELIVERED, None, "delivered"),
        (State.SENT, 1, "waiting"),
        (State.DELIVERED, 13, "sent"),
    ],
)
def test_a_caller_waits_for_what_it_asked_for(wait_for: State, timeout: float | None, status: str) -> None:
    with Simulation().running() as simulation:
        simulation.send(0, "Leak!", wait_for=wait_for, timeout=timeout)
        for reported in (2, 4):
            simulation.advance_time(7)
            simulation.account.set_status(simulation.account.messages[0].id, reported)
        simulation.advance_time(10)
    (call,) = simulation.calls
    assert call.result is not None
    assert (call.result.status, call.error) == (status, None)


@pytest.mark.parametrize(
    ("of", "result"),
    [
        (Failure(key="queue_full"), SendResult(failure=Failure(key="queue_full"))),
        (QUEUED, SendResult(status="queued")),
        (QUEUED.expire(None, 60.0), SendResult(status="expired", failure=Failure(key="expired"))),
        (
            QUEUED.expire(Failure(key="cannot_connect"), 60.0),
            SendResult(status="expired", failure=Failure(key="cannot_connect")),
        ),
    ],
)
def test_a_result_tells_what_has_become_of_a_message(of: OutgoingMessage | Failure, result: SendResult) -> None:
    assert SendResult.of(of) == result
