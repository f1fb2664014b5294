"""How a message in doubt is settled when the look at the service is not a simple one."""

from custom_components.gosms.api import GoSmsApiError
from tests.outbox.world import QUEUE, SLOW, World
from tests.service import MUM

HOUR = 3600


def test_a_message_in_doubt_is_found_behind_hundreds_of_later_ones_to_the_number() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.faults = ["cut after"]
        world.send(0, "Leak!")
        world.pass_time(0.5)
        for number in range(250):
            world.account.add_message(message=f"Of others {number}", phone_number=MUM)
        world.pass_time(60)
    assert world.taken == [(MUM, "Leak!")]
    assert [told.types for told in world.told.values()] == [["queued", "accepted"]]


def test_pages_of_older_messages_are_not_asked_for() -> None:
    world = World(queue_expiry=10)
    for number in range(250):
        world.account.add_message(message=f"Of others {number}", phone_number=MUM)
    with world.rules():
        world.start()
        world.pass_time(20)
        world.faults = ["cut before"]
        before = world.looks
        world.send(0, "Leak!")
        world.pass_time(32)
    assert world.taken == [(MUM, "Leak!")]
    # Three looks, and the poll that follows the acceptance.
    assert world.looks - before == 4


def test_what_can_not_be_looked_through_is_not_sent_again() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.faults = ["cut before"]
        world.send(0, "Leak!")
        world.pass_time(0.5)
        for number in range(2001):
            world.account.add_message(message=f"Of others {number}", phone_number=MUM)
        world.pass_time(400)
    assert world.taken == []
    assert [told.types for told in world.told.values()] == [["queued"]]


def test_a_message_of_another_account_that_is_just_being_sent_is_not_taken_for_the_one_in_doubt() -> None:
    world = World(queue_expiry=10, accounts=2)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.faults = ["cut before"]
        world.send(0, "Leak!")
        world.pass_time(0.5)
        world.faults = [SLOW]
        world.send(0, "Leak!", account=1)
        world.pass_time(90)
    assert world.taken == [(MUM, "Leak!")] * 2
    ids = {told.message.ids for told in world.told.values()}
    assert len(ids) == 2


def test_a_message_of_an_account_that_was_unloaded_is_not_taken_for_the_one_in_doubt() -> None:
    world = World(queue_expiry=10, accounts=2)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.send(0, "Leak!", account=1)
        world.pass_time(0.5)
        run = world.living()
        run.loop.run_until_complete(run.outboxes[1].async_unload())
        world.faults = ["cut before"]
        world.send(0, "Leak!")
        world.pass_time(90)
    assert world.taken == [(MUM, "Leak!")] * 2


def test_a_service_that_asks_for_a_pause_is_not_looked_at_meanwhile() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.faults = ["cut after"]
        world.looking_fails = GoSmsApiError(429, retry_after=300)
        world.send(0, "Leak!")
        world.pass_time(2)
        world.looking_fails = None
        looks = world.looks
        world.pass_time(290)
        assert world.looks == looks
        world.pass_time(20)
    assert [told.types for told in world.told.values()] == [["queued", "accepted"]]


def test_three_days_without_a_look_are_three_days_over_a_restart_too() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.faults = ["cut after"]
        world.looking_fails = GoSmsApiError(500)
        world.send(0, "Leak!")
        world.pass_time(40 * HOUR)
        world.stop()
        world.start()
        world.pass_time(31 * HOUR)
        assert [told.types for told in world.told.values()] == [["queued"]]
        world.pass_time(2 * HOUR)
    assert [told.types for told in world.told.values()] == [["queued", "unconfirmed"]]


def test_a_second_part_that_only_a_damaged_line_told_of_is_looked_for_before_it_is_sent() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.send(0, "Leak!", "Fire!")
        world.pass_time(0.4)
        assert world.taken == [(MUM, "Leak!"), (MUM, "Fire!")]
        world.stop_dead()
        # All that can be read is that the request of the first part may be under way.
        first, *others = world.files[QUEUE].splitlines()
        world.files[QUEUE] = b"\n".join([first, *(b"damaged" for _ in others), b""])
        world.told.clear()
        world.start()
        world.pass_time(300)
    assert world.taken == [(MUM, "Leak!"), (MUM, "Fire!")]
    assert [told.types[:2] for told in world.told.values()] == [["queued", "accepted"]]


def test_a_second_part_that_was_not_sent_before_the_damage_is_sent() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.send(0, "Leak!", "Fire!")
        world.kill(4)
        assert world.taken == [(MUM, "Leak!")]
        world.files[QUEUE] += b"damaged\n"
        world.start()
        world.pass_time(300)
    assert world.taken == [(MUM, "Leak!"), (MUM, "Fire!")]
