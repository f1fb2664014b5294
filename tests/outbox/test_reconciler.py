"""Lookup of messages with an unknown outcome in difficult cases."""

from custom_components.gosms.api import GoSmsApiError
from tests.common import MUM
from tests.outbox.simulation import QUEUE, SLOW, Simulation

HOUR = 3600


def test_a_message_is_found_behind_hundreds_of_newer_ones_to_the_number() -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        for number in range(250):
            simulation.account.add_message(message=f"Of others {number}", phone_number=MUM)
        simulation.advance_time(60)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert [message.types for message in simulation.events.values()] == [["queued", "accepted"]]


def test_pages_of_older_messages_are_not_requested() -> None:
    simulation = Simulation(queue_expiry=10)
    for number in range(250):
        simulation.account.add_message(message=f"Of others {number}", phone_number=MUM)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(20)
        simulation.faults = ["cut before"]
        before = simulation.lookups
        simulation.send(0, "Leak!")
        simulation.advance_time(32)
    assert simulation.accepted == [(MUM, "Leak!")]
    # Three looks, and the poll that follows the acceptance.
    assert simulation.lookups - before == 4


def test_a_message_is_not_resent_if_there_are_too_many_to_search() -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.faults = ["cut before"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        for number in range(2001):
            simulation.account.add_message(message=f"Of others {number}", phone_number=MUM)
        simulation.advance_time(400)
    assert simulation.accepted == []
    assert [message.types for message in simulation.events.values()] == [["queued"]]


def test_a_message_in_flight_on_another_account_is_not_adopted() -> None:
    simulation = Simulation(queue_expiry=10, accounts=2)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.faults = ["cut before"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        simulation.faults = [SLOW]
        simulation.send(0, "Leak!", account=1)
        simulation.advance_time(90)
    assert simulation.accepted == [(MUM, "Leak!")] * 2
    ids = {each.message.ids for each in simulation.events.values()}
    assert len(ids) == 2


def test_a_message_of_an_unloaded_account_is_not_adopted() -> None:
    simulation = Simulation(queue_expiry=10, accounts=2)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.send(0, "Leak!", account=1)
        simulation.advance_time(0.5)
        run = simulation.current_run()
        run.loop.run_until_complete(run.outboxes[1].async_unload())
        simulation.faults = ["cut before"]
        simulation.send(0, "Leak!")
        simulation.advance_time(90)
    assert simulation.accepted == [(MUM, "Leak!")] * 2


def test_retry_after_pauses_the_search() -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.faults = ["cut after"]
        simulation.lookup_error = GoSmsApiError(429, retry_after=300)
        simulation.send(0, "Leak!")
        simulation.advance_time(2)
        simulation.lookup_error = None
        looks = simulation.lookups
        simulation.advance_time(290)
        assert simulation.lookups == looks
        simulation.advance_time(20)
    assert [message.types for message in simulation.events.values()] == [["queued", "accepted"]]


def test_giving_up_after_three_days_includes_time_before_a_restart() -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.faults = ["cut after"]
        simulation.lookup_error = GoSmsApiError(500)
        simulation.send(0, "Leak!")
        simulation.advance_time(40 * HOUR)
        simulation.stop()
        simulation.start()
        simulation.advance_time(31 * HOUR)
        assert [message.types for message in simulation.events.values()] == [["queued"]]
        simulation.advance_time(2 * HOUR)
    assert [message.types for message in simulation.events.values()] == [["queued", "unconfirmed"]]


def test_a_part_recorded_only_in_a_damaged_line_is_searched_for_first() -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.send(0, "Leak!", "Fire!")
        simulation.advance_time(0.4)
        assert simulation.accepted == [(MUM, "Leak!"), (MUM, "Fire!")]
        simulation.kill_if_running()
        # All that can be read is that the request of the first part may be under way.
        first, *others = simulation.files[QUEUE].splitlines()
        simulation.files[QUEUE] = b"\n".join([first, *(b"damaged" for _ in others), b""])
        simulation.events.clear()
        simulation.start()
        simulation.advance_time(300)
    assert simulation.accepted == [(MUM, "Leak!"), (MUM, "Fire!")]
    assert [message.types[:2] for message in simulation.events.values()] == [["queued", "accepted"]]


def test_a_part_not_sent_before_the_file_was_damaged_is_sent() -> None:
    simulation = Simulation(queue_expiry=10)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(1)
        simulation.send(0, "Leak!", "Fire!")
        simulation.kill(4)
        assert simulation.accepted == [(MUM, "Leak!")]
        simulation.files[QUEUE] += b"damaged\n"
        simulation.start()
        simulation.advance_time(300)
    assert simulation.accepted == [(MUM, "Leak!"), (MUM, "Fire!")]
