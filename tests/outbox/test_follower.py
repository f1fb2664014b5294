"""How messages under way are followed when the page does not tell of them, or something goes wrong."""

import pytest

from tests.outbox.world import World


def test_messages_without_an_end_do_not_keep_a_later_one_from_being_asked_for() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        for number in range(12):
            world.send(0, f"Number {number}")
        world.pass_time(5)
        for number in range(100):
            world.account.add_message(message=f"Of others {number}", phone_number="79990000000")
        newest = next(message for message in world.account.messages if message.message == "Number 11")
        world.account.set_status(newest.id, 4)
        world.pass_time(60)
    assert [told.types[-1] for told in world.told.values()].count("delivered") == 1


def test_a_mistake_while_a_poll_is_shown_does_not_end_the_tracking(caplog: pytest.LogCaptureFixture) -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.send(0, "Leak!")
        world.pass_time(1)
        # Such as an entity that can't write its state.
        world.looking_fails = ValueError("a mistake")
        world.pass_time(20)
        world.looking_fails = None
        world.account.set_status(world.account.messages[0].id, 4)
        world.pass_time(30)
    assert [told.types for told in world.told.values()] == [["accepted", "delivered"]]
    assert "Unexpected error while following messages" in caplog.text
