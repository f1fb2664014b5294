"""The effect of the service's pages on messages in transit."""

from dataclasses import replace
from typing import Final
from unittest.mock import patch

import pytest

from custom_components.gosms.api import GoSmsApiError, Message, MessagePage, MessageStatus
from custom_components.gosms.outbox import tracker
from custom_components.gosms.outbox.message import OutgoingMessage
from custom_components.gosms.outbox.state import Part, State
from simulator import Status
from tests.outbox.fake_service import FakeClient
from tests.outbox.messages import listed_message, queued_message
from tests.outbox.simulation import Simulation

HOUR: Final = 60 * 60

UNDER_WAY: Final = queued_message(
    state=State.ACCEPTED,
    parts=(Part(text="Leak!", id="a", status=MessageStatus.WAITING),),
    attempts=1,
    accepted=100.0,
)
IN_DOUBT: Final = replace(UNDER_WAY, state=State.UNKNOWN, parts=(Part(text="Leak!"),), accepted=None)


def follow(message: OutgoingMessage, *reported: Message, now: float = 101.0) -> OutgoingMessage:
    """Apply reported messages, with a delivery timeout of ten minutes."""
    statuses = {each.id: each.status for each in reported if each.status is not None}
    return tracker.apply_statuses(message, statuses, now, 600.0)


def events(message: OutgoingMessage) -> list[str]:
    """Return the types of the pending events of a message."""
    return [occurrence.type for occurrence in message.pending_events]


def test_messages_on_a_page_are_matched_by_id() -> None:
    message = follow(UNDER_WAY, listed_message("b", 3), listed_message("a", 2), listed_message("c", 5))
    assert events(message) == ["sent"]


@pytest.mark.parametrize(
    "reported",
    [
        (),
        (listed_message("b", 4),),
        (listed_message("a", 0),),
        (listed_message("a", None),),
        (listed_message("a", 42),),
    ],
)
def test_a_page_without_news_leaves_the_message_unchanged(reported: tuple[Message, ...]) -> None:
    assert follow(UNDER_WAY, *reported) is UNDER_WAY


def test_delivery_timeout_is_reported_once_when_due() -> None:
    assert follow(UNDER_WAY, now=699.9) is UNDER_WAY

    late = follow(UNDER_WAY, now=700.0)
    assert (late.state, events(late)) == (State.ACCEPTED, ["delivery_timeout"])
    assert follow(late, now=800.0) is late
    assert events(follow(late, listed_message("a", 4), now=900.0)) == ["delivery_timeout", "delivered"]


def test_a_delivery_seen_late_is_not_reported_as_a_timeout() -> None:
    assert events(follow(UNDER_WAY, listed_message("a", 4), now=5000.0)) == ["delivered"]


def test_a_message_without_updates_ends_unconfirmed_after_72_hours() -> None:
    silent = replace(UNDER_WAY, timeout_reported=True)
    assert follow(silent, now=100.0 + 72 * HOUR - 1) is silent
    assert events(follow(silent, now=100.0 + 72 * HOUR)) == ["unconfirmed"]
    assert events(follow(silent, listed_message("a", 4), now=100.0 + 72 * HOUR)) == ["delivered"]


def test_timeout_and_end_are_both_reported_after_days_offline() -> None:
    assert events(follow(UNDER_WAY, now=100.0 + 73 * HOUR)) == ["delivery_timeout", "unconfirmed"]


def test_a_message_with_an_unknown_outcome_is_not_tracked() -> None:
    assert follow(IN_DOUBT, listed_message("a", 4), now=1e6) is IN_DOUBT


@pytest.mark.parametrize(
    ("accepted", "page", "missing"),
    [
        (100.0, [], ["a"]),
        (100.0, [listed_message("b")], ["a"]),
        (100.0, [listed_message("a")], []),
        (100.1, [], []),
        (200.0, [], []),
    ],
    ids=["empty page", "off the page", "on it", "accepted in the same moment", "accepted after it"],
)
def test_a_message_is_missing_if_a_later_page_does_not_list_it(
    accepted: float, page: list[Message], missing: list[str]
) -> None:
    message = replace(UNDER_WAY, accepted=accepted)
    assert tracker.missing_ids([message], MessagePage(messages=tuple(page)), 100.1) == missing


def test_missing_ids_are_oldest_first_without_finished_parts() -> None:
    statuses = {"a": MessageStatus.SENT, "b": MessageStatus.DELIVERED, "c": MessageStatus.WAITING}
    old = replace(UNDER_WAY, parts=tuple(Part(text=key, id=key, status=status) for key, status in statuses.items()))
    new = replace(UNDER_WAY, parts=(Part(text="d", id="d", status=MessageStatus.WAITING),))
    assert tracker.missing_ids([old, new, IN_DOUBT], MessagePage(), 200.0) == ["a", "c", "d"]


@pytest.mark.parametrize(
    ("age", "pause"), [(0.0, 5.0), (50.0, 5.0), (80.0, 8.0), (100.0, 10.0), (600.0, 59.0), (72.0 * HOUR, 59.0)]
)
def test_poll_delay_grows_with_the_age_of_the_newest_message(age: float, pause: float) -> None:
    assert tracker.poll_delay(age) == pytest.approx(pause)


def test_messages_that_never_end_do_not_block_fetching_later_ones() -> None:
    with Simulation().running() as simulation:
        for number in range(12):
            simulation.send(0, f"Number {number}")
        simulation.advance_time(5)
        simulation.add_messages_of_others(100, "79990000000")
        newest = next(message for message in simulation.account.messages if message.message == "Number 11")
        simulation.account.set_status(newest.id, Status.DELIVERED)
        simulation.advance_time(60)
    assert [types[-1] for types in simulation.event_types].count("delivered") == 1


def test_an_unexpected_error_during_a_poll_does_not_stop_tracking(caplog: pytest.LogCaptureFixture) -> None:
    with Simulation().running() as simulation:
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
        # Such as an entity that can't write its state.
        simulation.lookup_error = ValueError("a mistake")
        simulation.advance_time(20)
        simulation.lookup_error = None
        simulation.account.set_status(simulation.account.messages[0].id, Status.DELIVERED)
        simulation.advance_time(30)
    assert simulation.event_types == [["accepted", "delivered"]]
    assert "Unexpected error in GoSMS.ru tracker" in caplog.text


@pytest.mark.parametrize(("age", "end"), [(10, "delivered"), (400, "unconfirmed")])
def test_an_unknown_id_of_a_young_message_is_a_service_that_lags(age: int, end: str) -> None:
    with Simulation().running() as simulation:
        simulation.send(0, "Leak!")
        simulation.advance_time(age)
        # The reader of the service has not seen it yet, or it was deleted: 1008.
        hidden = simulation.account.messages[0]
        simulation.account.messages.remove(hidden)
        simulation.advance_time(60)
        simulation.account.messages.add(hidden)
        simulation.account.set_status(hidden.id, Status.DELIVERED)
        simulation.advance_time(60)
    assert simulation.event_types == [["accepted", "delivery_timeout", end]]


def test_an_unknown_id_says_nothing_if_the_token_was_replaced() -> None:
    refusal = GoSmsApiError(404, code=1008)
    # As the client says of a request whose token was replaced meanwhile.
    refusal.is_temporary = True
    with Simulation().running() as simulation:
        simulation.send(0, "Leak!")
        simulation.advance_time(400)
        sent = simulation.account.messages[0]
        simulation.add_messages_of_others(100, "79990000000")
        with patch.object(FakeClient, "get", side_effect=refusal) as get:
            simulation.advance_time(60)
        assert get.called
        simulation.account.set_status(sent.id, Status.DELIVERED)
        simulation.advance_time(60)
    assert simulation.event_types == [["accepted", "delivery_timeout", "delivered"]]


def test_a_poll_asks_for_those_first_that_waited_the_longest() -> None:
    with Simulation().running() as simulation:
        for number in range(8):
            simulation.send(0, f"Number {number}")
        simulation.advance_time(1.5)
        ours = [message.id for message in simulation.account.messages]
        simulation.add_messages_of_others(100, "79990000000")
        simulation.advance_time(25)
        # Five in a poll, of which there were five.
        assert min(simulation.fetched.count(message_id) for message_id in ours) == 2


def test_a_message_stored_as_sent_with_its_acceptance_is_followed() -> None:
    simulation = Simulation()
    simulation.disk.commit_time = 0.5
    with simulation.running():
        simulation.phone_status = Status.SENT
        simulation.send(0, "Leak!")
        # A poll tells that it was sent while the disk is at its acceptance.
        simulation.advance_time(0.65)
        run = simulation.current_run()
        run.loop.run_until_complete(run.polls["the_account"]())
        simulation.advance_time(2)
        simulation.account.set_status(simulation.account.messages[0].id, Status.DELIVERED)
        simulation.advance_time(20)
    assert simulation.event_types == [["accepted", "sent", "delivered"]]


def test_closing_ends_a_poll_that_asks_for_single_messages() -> None:
    with Simulation().running() as simulation:
        for number in range(8):
            simulation.send(0, f"Number {number}")
        simulation.advance_time(1.5)
        simulation.add_messages_of_others(100, "79990000000")
        while not simulation.fetched:
            simulation.advance_time(0.01)
        simulation.stop()
    assert len(simulation.fetched) == 1
