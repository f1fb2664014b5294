"""Settling what is unknown, and what is a proof of absence."""

from collections.abc import Callable
from typing import Any, Final
from unittest.mock import patch

import pytest

from custom_components.gosms.api import GoSmsApiError, GoSmsConnectionError, MessagePage
from custom_components.gosms.outbox.state import State
from simulator import Status
from tests.common import DAD, MUM
from tests.outbox.fake_service import LATE, LIST_FAULTS, SLOW, FakeClient
from tests.outbox.simulation import START_TIME, Simulation

HOUR: Final = 3600


def test_a_message_is_found_behind_hundreds_of_newer_ones_to_the_number() -> None:
    with Simulation().running() as simulation:
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        simulation.add_messages_of_others(250)
        simulation.advance_time(60)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert simulation.event_types[0][:2] == ["queued", "accepted"]


def test_pages_of_older_messages_are_not_requested() -> None:
    simulation = Simulation()
    # Older than the service's clocks may differ.
    simulation.add_messages_of_others(250, created=START_TIME - 150)
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
    with Simulation().running() as simulation:
        simulation.faults = ["cut before"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        simulation.add_messages_of_others(2001)
        simulation.advance_time(400)
    assert simulation.accepted == []
    assert simulation.event_types == [["queued"]]


def test_a_message_in_flight_on_another_account_is_not_adopted() -> None:
    with Simulation(accounts=2).running() as simulation:
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
    with Simulation(accounts=2).running() as simulation:
        simulation.send(0, "Leak!", account=1)
        simulation.advance_time(0.5)
        run = simulation.current_run()
        run.loop.run_until_complete(run.outboxes[1].async_unload())
        simulation.faults = ["cut before"]
        simulation.send(0, "Leak!")
        simulation.advance_time(90)
    assert simulation.accepted == [(MUM, "Leak!")] * 2


@pytest.mark.parametrize("later", [0.8, 30])
def test_an_id_of_an_account_that_starts_later_is_not_taken(later: float) -> None:
    with Simulation(accounts=2).running() as simulation:
        simulation.send(0, "Leak!", account=1)
        simulation.advance_time(1)
        simulation.faults = ["too many requests"] * 10
        simulation.send(0, "Leak!")
        simulation.advance_time(0.3)
        simulation.kill(1)
        simulation.faults = []
        # The second account takes longer to start, such as on a slow disk.
        simulation.disk.load_times = {"the_second_account": later}
        simulation.start()
        simulation.advance_time(60)
    assert simulation.accepted == [(MUM, "Leak!")] * 2
    assert len({each.message.ids for each in simulation.events.values()}) == 2


def test_retry_after_pauses_the_search() -> None:
    simulation = Simulation()
    with simulation.patched():
        simulation.start()
        # The polls after the start are over.
        simulation.advance_time(61)
        simulation.faults = ["cut after"]
        simulation.lookup_error = GoSmsApiError(429, retry_after=300)
        simulation.send(0, "Leak!")
        simulation.advance_time(2)
        simulation.lookup_error = None
        looks = simulation.lookups
        simulation.advance_time(290)
        assert simulation.lookups == looks
        simulation.advance_time(20)
    assert simulation.event_types[0][:2] == ["queued", "accepted"]


def test_a_good_poll_ends_the_pause_after_a_failed_look() -> None:
    simulation = Simulation(queue_expiry=60)
    with simulation.patched():
        simulation.start()
        simulation.advance_time(61)
        simulation.faults = ["cut before"]
        simulation.lookup_error = GoSmsConnectionError("no answer", maybe_accepted=True)
        simulation.send(0, "Leak!")
        # The pauses have grown to a minute.
        simulation.advance_time(600)
        simulation.lookup_error = None
        assert simulation.run is not None
        simulation.run.outbox.async_apply(MessagePage())
        # Three clean looks over 30 seconds, and nothing before them.
        simulation.advance_time(35)
    assert simulation.accepted == [(MUM, "Leak!")]


def test_giving_up_after_three_days_includes_time_before_a_restart() -> None:
    simulation = Simulation()
    with simulation.patched():
        simulation.start()
        simulation.faults = ["cut after"]
        simulation.lookup_error = GoSmsApiError(500)
        simulation.send(0, "Leak!")
        simulation.advance_time(40 * HOUR)
        simulation.stop()
        simulation.start()
        simulation.advance_time(31 * HOUR)
        assert simulation.event_types == [["queued"]]
        simulation.advance_time(2 * HOUR)
    assert simulation.event_types == [["queued", "unconfirmed"]]


@pytest.mark.parametrize("lag", [3, 6, 60, 110, -60])
@pytest.mark.parametrize("fault", ["cut after", "cut before"])
def test_a_message_is_found_though_the_services_clocks_differ(lag: int, fault: str) -> None:
    simulation = Simulation()
    simulation.creation_lag = lag
    with simulation.running():
        simulation.faults = [fault]
        simulation.send(0, "Leak!")
        simulation.advance_time(60)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert simulation.event_types[0][:2] == ["queued", "accepted"]


def rewrite(**fields: Callable[[str], str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a fault that changes what a list tells of each message."""

    def change(page: dict[str, Any]) -> dict[str, Any]:
        changed = [
            each | {name: function(each[name]) for name, function in fields.items()} for each in page["sms_list"]
        ]
        return page | {"sms_list": changed}

    return change


@pytest.mark.parametrize(
    "fault",
    [
        rewrite(phone_number=lambda number: f"+{number}"),
        rewrite(phone_number=lambda number: f"8{number[1:]}"),
        rewrite(message=lambda text: text.replace("«", "&laquo;").replace("»", "&raquo;")),
        rewrite(message=str.lower),
        rewrite(message=lambda text: text.replace("ё", "е").replace("—", "-").replace("«", '"').replace("»", '"')),
        rewrite(message=lambda text: text[:160]),
    ],
    ids=["plus", "trunk prefix", "escaped", "lower case", "alike", "cut"],
)
def test_a_message_that_is_listed_in_another_form_is_not_sent_again(
    fault: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    simulation = Simulation()
    text = "«Ещё» — Leak! " * 13
    with simulation.running():
        simulation.list_fault = fault
        simulation.faults = ["cut after"]
        simulation.send(0, text)
        simulation.advance_time(60)
    assert simulation.accepted == [(MUM, text)]
    assert simulation.calls[0].error is None


@pytest.mark.parametrize(
    "fault",
    [
        LIST_FAULTS[kind]
        for kind in ("contradicts itself", "is cut", "is damaged", "has no numbers", "has no texts", "has nothing")
    ],
)
def test_a_list_that_proves_nothing_does_not_send_a_message_again(
    fault: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    with Simulation().running() as simulation:
        simulation.send(0, "Fire!")
        simulation.faults = ["", "cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.3)
        simulation.send(0, "Frost!")
        simulation.list_fault = fault
        simulation.advance_time(120)
        assert [types[0] for types in simulation.event_types].count("queued") == 1
        simulation.list_fault = LIST_FAULTS["has no total"]
        simulation.advance_time(120)
    assert sorted(simulation.accepted) == [(MUM, "Fire!"), (MUM, "Frost!"), (MUM, "Leak!")]
    assert sum("accepted" in types for types in simulation.event_types) == 3


@pytest.mark.parametrize("kind", ["has no numbers", "has no texts"])
def test_an_old_message_without_number_or_text_is_not_the_new_one(kind: str) -> None:
    with Simulation().running() as simulation:
        simulation.accept(MUM, "Fire!")
        simulation.advance_time(3600)
        simulation.list_fault = LIST_FAULTS[kind]
        simulation.faults = ["cut before"]
        simulation.send(0, "Leak!")
        simulation.advance_time(120)
    assert simulation.accepted == [(MUM, "Fire!"), (MUM, "Leak!")]
    assert simulation.event_types[0][:2] == ["queued", "accepted"]


def test_absence_is_proved_only_by_a_look_that_reaches_back() -> None:
    simulation = Simulation()

    def tell_the_first_page_alone(page: dict[str, Any]) -> dict[str, Any]:
        return page | {"sms_list": page["sms_list"] if page["pagination"]["offset"] == 1 else []}

    with simulation.running():
        simulation.list_fault = tell_the_first_page_alone
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        simulation.add_messages_of_others(101)
        simulation.advance_time(300)
        assert simulation.accepted == [(MUM, "Leak!")]
        simulation.list_fault = dict
        simulation.advance_time(100)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert [types[:2] for types in simulation.event_types] == [["queued", "accepted"]]


@pytest.mark.parametrize("expiry", [60, 0])
@pytest.mark.parametrize("later", [600, 86_400])
@pytest.mark.parametrize("reboots", [True, False])
def test_a_restored_backup_does_not_send_a_message_again(expiry: int, later: int, *, reboots: bool) -> None:
    with Simulation(queue_expiry=60).running() as simulation:
        simulation.faults = ["too many requests"] * 3
        simulation.send(0, "Leak!", "Fire!")
        simulation.advance_time(1)
        backup = simulation.backup()
        simulation.advance_time(60)
        assert simulation.accepted == [(MUM, "Leak!"), (MUM, "Fire!")]
        for message in simulation.account.messages:
            simulation.account.set_status(message.id, Status.DELIVERED)
        simulation.advance_time(60)
        simulation.stop()
        simulation.restore(backup)
        simulation.start(later, reboots=reboots)
        simulation.advance_time(300)
    assert simulation.accepted == [(MUM, "Leak!"), (MUM, "Fire!")]
    (types,) = simulation.event_types
    assert types[0] == "queued"
    assert {kind for kind in types if State(kind).is_final} == {"delivered"}


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("later", [600, 86_400])
def test_a_restored_backup_with_a_request_in_doubt_sends_nothing_again(part: int, later: int) -> None:
    with Simulation(queue_expiry=60).running() as simulation:
        simulation.faults = [*[""] * part, "cut before", *["too many requests"] * 10]
        simulation.send(0, "Leak!", "Fire!")
        simulation.advance_time(1)
        # In the backup the outcome is unknown. The request had failed, and later ones, minutes after it, succeed.
        backup = simulation.backup()
        simulation.advance_time(600)
        assert simulation.accepted == [(MUM, "Leak!"), (MUM, "Fire!")]
        simulation.stop()
        simulation.restore(backup)
        simulation.start(later)
        simulation.advance_time(300)
    assert simulation.accepted == [(MUM, "Leak!"), (MUM, "Fire!")]


def test_a_backup_of_a_message_that_expired_does_not_send_it() -> None:
    with Simulation().running() as simulation:
        simulation.faults = ["too many requests"] * 100
        simulation.send(0, "Leak!")
        simulation.advance_time(0.3)
        backup = simulation.backup()
        simulation.advance_time(700)
        simulation.stop()
        simulation.restore(backup)
        simulation.faults = []
        simulation.start(86_400, reboots=True)
        simulation.advance_time(300)
    assert simulation.accepted == []
    assert simulation.event_types == [["queued", "expired", "expired"]]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        # While the first one is tried, no request of the second one is begun.
        (["Fire!", "Leak!"], ["queued", "accepted"]),
        (["Leak!"], ["queued", "unconfirmed"]),
    ],
    ids=["never tried", "tried"],
)
def test_what_nobody_may_look_for_is_sent_only_if_it_was_never_tried(texts: list[str], expected: list[str]) -> None:
    with Simulation().running() as simulation:
        simulation.faults = ["too many requests"] * 10
        for text in texts:
            simulation.send(0, text)
            simulation.advance_time(0.3)
        simulation.stop()
        simulation.faults = []
        simulation.lookup_error = GoSmsApiError(403, code=1007)
        simulation.start()
        simulation.advance_time(30)
    assert simulation.events[simulation.calls[-1].key or ""].types == expected


def test_the_token_before_decides_nothing_about_a_look() -> None:
    refusal = GoSmsApiError(403, code=1007)
    # As the client says of a request whose token was replaced meanwhile.
    refusal.is_temporary = True
    with Simulation().running() as simulation:
        simulation.faults = ["cut after"]
        simulation.lookup_error = refusal
        simulation.send(0, "Leak!")
        simulation.advance_time(5)
        simulation.lookup_error = None
        simulation.advance_time(60)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert [types[:2] for types in simulation.event_types] == [["queued", "accepted"]]


@pytest.mark.parametrize(("fault", "seconds"), [("too many requests", 10), ("cut before", 60)])
def test_a_service_that_tells_no_time_does_not_keep_a_message_waiting(fault: str, seconds: float) -> None:
    with Simulation().running() as simulation:
        simulation.faults = [fault] * 10
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
        simulation.stop()
        simulation.faults = []
        with patch.object(FakeClient, "_sync_clock"):
            simulation.start(downtime=30, reboots=True)
            simulation.advance_time(seconds)
            assert simulation.accepted == [(MUM, "Leak!")]
            assert simulation.lookups < 20
    assert simulation.violations == []


def test_each_attempt_is_looked_for_as_long_as_the_first_one() -> None:
    with Simulation().running() as simulation:
        simulation.faults = ["cut before", LATE]
        simulation.send(0, "Leak!")
        simulation.advance_time(120)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert [types[:2] for types in simulation.event_types] == [["queued", "accepted"]]


def test_closing_ends_the_looks_for_several_numbers() -> None:
    with Simulation().running() as simulation:
        simulation.faults = ["cut after", "cut after"]
        simulation.send(0, "Leak!")
        simulation.send(1, "Leak!")
        simulation.advance_time(0.5)
        before = simulation.lookups
        while simulation.lookups == before:
            simulation.advance_time(0.01)
        simulation.stop()
        assert simulation.lookups == before + 1
        simulation.start()
        simulation.advance_time(60)
    assert len(simulation.accepted) == 2


def test_closing_ends_a_look_of_many_pages() -> None:
    with Simulation().running() as simulation:
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        simulation.add_messages_of_others(250)
        before = simulation.lookups
        while simulation.lookups == before:
            simulation.advance_time(0.01)
        simulation.stop()
        assert simulation.lookups == before + 1
        simulation.start()
        simulation.advance_time(60)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert simulation.event_types[0][:2] == ["queued", "accepted"]


def test_closing_begins_no_look_while_a_request_is_waited_for() -> None:
    with Simulation().running() as simulation:
        simulation.faults = ["cut before", SLOW]
        simulation.send(0, "Leak!")
        simulation.send(1, "Leak!")
        simulation.advance_time(0.3)
        before = simulation.lookups
        simulation.stop()
        assert simulation.lookups == before
        simulation.start()
        simulation.advance_time(60)
    assert set(simulation.accepted) == {(MUM, "Leak!"), (DAD, "Leak!")}
    assert len(simulation.accepted) == 2


def test_a_look_that_failed_is_not_applied_to_what_was_settled_meanwhile() -> None:
    with Simulation().running() as simulation:
        simulation.lookup_error = GoSmsConnectionError("no answer", maybe_accepted=True)
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(30)
        simulation.lookup_error = None
        simulation.advance_time(60)
    assert [types[:2] for types in simulation.event_types] == [["queued", "accepted"]]
