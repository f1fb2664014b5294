"""Events are fired after the change is on disk, so that no event has to be corrected."""

from homeassistant.core import CoreState, HomeAssistant
import pytest

from custom_components.gosms.outbox import MessageEvent, OutboxStore, OutgoingMessage
from custom_components.gosms.outbox.publisher import EventPublisher
from tests.outbox.simulation import Simulation


def test_events_are_on_disk_before_they_are_published() -> None:
    simulation = Simulation(queue_expiry=10)
    saved: dict[str, bool] = {}

    def hear(message: OutgoingMessage, occurrence: MessageEvent) -> None:
        pending_events = simulation.on_disk()[message.key]["pending_events"]
        saved[occurrence.type] = occurrence.type in [each["type"] for each in pending_events]

    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.current_run().outbox.async_add_event_listener(hear)
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(5)
        simulation.account.set_status(simulation.account.messages[0].id, 2)
        simulation.advance_time(10)
        simulation.account.set_status(simulation.account.messages[0].id, 4)
        simulation.advance_time(10)
    assert saved == {"queued": True, "accepted": True, "sent": True, "delivered": True}


def test_at_most_one_event_is_published_again_after_a_kill() -> None:
    simulation = Simulation(queue_expiry=10)
    told: list[int] = []

    def hear(_message: OutgoingMessage, _occurrence: MessageEvent) -> None:
        told.append(sum(len(record["pending_events"]) for record in simulation.on_disk().values()))

    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.is_offline = True
        for text in ("Leak!", "Fire!", "Frost!"):
            simulation.send(0, text)
        simulation.current_run().outbox.async_add_event_listener(hear)
        simulation.advance_time(5)
    # The first finds out that the line is dead, and the others wait at once: before each is told, the file knows of
    # those that were told before it.
    assert told == [1, 2, 1]


def test_pending_events_are_marked_before_new_ones_are_published() -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.is_offline = True
        simulation.send(0, "Leak!")
        simulation.advance_time(12)
        # The next probe leaves before it is told that its message waits.
        for text in ("Fire!", "Frost!"):
            simulation.send(1, text)
        simulation.advance_time(1)
    assert [message.types for message in simulation.events.values()] == [["queued"]] * 3
    assert simulation.violations == []


async def test_closing_during_startup_removes_the_start_listener(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    hass.set_state(CoreState.starting)
    teller = EventPublisher(hass, OutboxStore(hass, "the_account"))
    teller.async_start()
    teller.async_pause_events()
    await teller.async_close()
    assert "Unable to remove" not in caplog.text
