"""When something is told: after it is on disk, so that nothing that was told can turn out otherwise."""

from homeassistant.core import CoreState, HomeAssistant
import pytest

from custom_components.gosms.outbox import MessageEvent, OutboxStore, OutgoingMessage
from custom_components.gosms.outbox.publisher import EventPublisher
from tests.outbox.world import World


def test_what_happened_is_on_disk_before_it_is_told() -> None:
    world = World(queue_expiry=10)
    saved: dict[str, bool] = {}

    def hear(message: OutgoingMessage, occurrence: MessageEvent) -> None:
        pending_events = world.on_disk()[message.key]["pending_events"]
        saved[occurrence.type] = occurrence.type in [each["type"] for each in pending_events]

    with world.rules():
        world.start()
        world.pass_time(1)
        world.living().outbox.async_add_event_listener(hear)
        world.faults = ["cut after"]
        world.send(0, "Leak!")
        world.pass_time(5)
        world.account.set_status(world.account.messages[0].id, 2)
        world.pass_time(10)
        world.account.set_status(world.account.messages[0].id, 4)
        world.pass_time(10)
    assert saved == {"queued": True, "accepted": True, "sent": True, "delivered": True}


def test_no_more_than_one_thing_was_told_and_is_told_again_after_a_kill() -> None:
    world = World(queue_expiry=10)
    told: list[int] = []

    def hear(_message: OutgoingMessage, _occurrence: MessageEvent) -> None:
        told.append(sum(len(record["pending_events"]) for record in world.on_disk().values()))

    with world.rules():
        world.start()
        world.pass_time(1)
        world.line_is_dead = True
        for text in ("Leak!", "Fire!", "Frost!"):
            world.send(0, text)
        world.living().outbox.async_add_event_listener(hear)
        world.pass_time(5)
    # The first finds out that the line is dead, and the others wait at once: before each is told, the file knows of
    # those that were told before it.
    assert told == [1, 2, 1]


def test_what_was_told_of_a_message_that_is_being_sent_is_noted_before_anything_else_is_told() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.line_is_dead = True
        world.send(0, "Leak!")
        world.pass_time(12)
        # The next probe leaves before it is told that its message waits.
        for text in ("Fire!", "Frost!"):
            world.send(1, text)
        world.pass_time(1)
    assert [told.types for told in world.told.values()] == [["queued"]] * 3
    assert world.troubles == []


async def test_an_account_that_is_unloaded_while_home_assistant_starts_leaves_nobody_waiting(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    hass.set_state(CoreState.starting)
    teller = EventPublisher(hass, OutboxStore(hass, "the_account"))
    teller.async_start()
    teller.async_pause_events()
    await teller.async_close()
    assert "Unable to remove" not in caplog.text
