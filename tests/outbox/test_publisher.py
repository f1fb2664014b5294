"""Events are fired after the change is on disk, so that no event has to be corrected."""

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
import pytest

from custom_components.gosms.outbox import EventPublisher, MessageEvent, MessageStore, OutgoingMessage
from custom_components.gosms.outbox.clock import Clock
from simulator import Status
from tests.outbox.fake_storage import FakeDisk, FakeStorage
from tests.outbox.simulation import Simulation


def test_events_are_on_disk_before_they_are_published() -> None:
    simulation = Simulation()
    saved: dict[str, bool] = {}

    def hear(message: OutgoingMessage, event: MessageEvent) -> None:
        pending_events = simulation.on_disk()[message.key]["pending_events"]
        saved[event.type] = event.type in [each["type"] for each in pending_events]

    with simulation.running():
        simulation.current_run().outbox.async_add_event_listener(hear)
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(5)
        simulation.account.set_status(simulation.account.messages[0].id, Status.SENT)
        simulation.advance_time(10)
        simulation.account.set_status(simulation.account.messages[0].id, Status.DELIVERED)
        simulation.advance_time(10)
    assert saved == {"queued": True, "accepted": True, "sent": True, "delivered": True}


@pytest.mark.parametrize("commit_time", [0.01, 0.5])
@pytest.mark.parametrize("messages", [3, 40])
def test_a_kill_would_repeat_the_events_of_one_commit(messages: int, commit_time: float) -> None:
    simulation = Simulation()
    simulation.disk.commit_time = commit_time
    with simulation.running():
        simulation.is_offline = True
        for number in range(messages):
            simulation.send(0, f"Number {number}")
        simulation.advance_time(10)
        simulation.is_offline = False
        simulation.advance_time(200)
        for message in simulation.account.messages:
            simulation.account.set_status(message.id, Status.DELIVERED)
        simulation.advance_time(100)
    assert simulation.event_types == [["queued", "accepted", "delivery_timeout", "delivered"]] * messages
    assert simulation.violations == []


def test_events_that_come_while_many_are_marked_wait_for_that() -> None:
    simulation = Simulation()
    simulation.disk.commit_time = 0.5
    with simulation.running():
        simulation.is_offline = True
        for number in range(30):
            simulation.send(0, f"Number {number}")
        for number in range(10):
            simulation.advance_time(0.6)
            simulation.send(1, f"Number {number}")
        simulation.advance_time(10)
    assert simulation.event_types == [["queued"]] * 40
    assert simulation.violations == []


def test_on_a_slow_disk_many_events_are_published_with_few_commits() -> None:
    simulation = Simulation()
    simulation.disk.commit_time = 0.5
    with simulation.running():
        for number in range(40):
            simulation.send(0, f"Number {number}")
        simulation.advance_time(20)
        assert simulation.event_types == [["accepted"]] * 40
        for message in simulation.account.messages:
            simulation.account.set_status(message.id, Status.DELIVERED)
        before = simulation.disk.commits
        simulation.advance_time(7)
    assert simulation.event_types == [["accepted", "delivered"]] * 40
    assert simulation.disk.commits - before <= 6


@pytest.mark.parametrize("point", range(1, 5))
def test_an_event_that_a_kill_repeats_is_published_again(point: int) -> None:
    with Simulation().running() as simulation:
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
        simulation.account.set_status(simulation.account.messages[0].id, Status.DELIVERED)
        run = simulation.current_run()
        run.outbox.async_add_event_listener(lambda _message, _event: setattr(run, "points_left", point))
        simulation.advance_time(10)
        simulation.start(downtime=5)
        simulation.advance_time(10)
    (types,) = simulation.event_types
    assert types[:2] == ["accepted", "delivered"]
    # The first three points come before the commit after it.
    assert types[2:] == ["delivered"] * (point < 3)
    assert simulation.violations == []


def test_events_of_a_pause_are_published_after_it() -> None:
    with Simulation().running() as simulation:
        run = simulation.current_run()
        run.loop.run_until_complete(run.outbox.async_pause())
        simulation.send(0, "Leak!")
        simulation.advance_time(5)
        assert (simulation.events, simulation.calls[0].done) == ({}, False)
        run.outbox.async_resume()
        simulation.advance_time(1)
    assert simulation.event_types == [["queued", "accepted"]]
    assert simulation.calls[0].done


def test_what_is_reported_during_a_commit_is_not_reported_after_it() -> None:
    simulation = Simulation()
    simulation.disk.commit_time = 0.5
    with simulation.running():
        run = simulation.current_run()
        run.loop.run_until_complete(run.outbox.async_pause())
        # Nothing is reported before Home Assistant has started.
        run.hass.set_state(CoreState.starting)
        run.outbox.async_resume()
        simulation.send(0, "Leak!")
        simulation.advance_time(2)
        simulation.account.set_status(simulation.account.messages[0].id, Status.PROCESSING)
        # A poll changes the message without an event, and the disk takes its time.
        run.loop.run_until_complete(run.polls["the_account"]())
        assert simulation.events == {}
        run.hass.set_state(CoreState.running)
        run.hass.bus.async_fire_internal(EVENT_HOMEASSISTANT_STARTED)
        simulation.advance_time(2)
    assert simulation.event_types == [["accepted"]]
    assert simulation.violations == []


async def test_closing_during_startup_removes_the_start_listener(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    async def pass_point() -> None:
        """Pass a point."""

    hass.set_state(CoreState.starting)
    storage = FakeStorage(FakeDisk(), "the_account", pass_point=pass_point)
    publisher = EventPublisher(hass, MessageStore(hass, storage, Clock(hass.loop.time)))
    publisher.async_start()
    publisher.async_resume()
    publisher.async_pause()
    await publisher.async_close()
    assert "Unable to remove" not in caplog.text
