"""The transitions of a message, and their events."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations, product
from math import inf
from typing import Final

import pytest

from custom_components.gosms.api import MessageStatus
from custom_components.gosms.errors import Failure
from custom_components.gosms.outbox.message import OutgoingMessage
from custom_components.gosms.outbox.state import EVENT_TYPES, TRANSITIONS, IllegalTransitionError, Part, State
from tests.outbox.messages import queued_message

FINAL: Final = [state for state in State if state.is_final]

EARLY: Final = 5.0
LATE: Final = 60.0
FAILURE: Final = Failure(key="refused")

NEW: Final = queued_message(expires=LATE)
# The service has it since second 2.
TAKEN: Final = replace(NEW, attempts=1, parts=(Part(text="Leak!", id="a", status=MessageStatus.WAITING),), accepted=2.0)

# One message in each state.
MESSAGES: Final = {
    **{state: replace(NEW, state=state) for state in (State.QUEUED, State.SENDING, State.UNKNOWN)},
    **{state: replace(TAKEN, state=state) for state in State if state not in {"queued", "sending", "unknown"}},
}

# Everything that can be done to a message.
CHANGES: Final[dict[str, Callable[[OutgoingMessage], OutgoingMessage]]] = {
    "begin": lambda message: message.start_attempt(EARLY, device_id=None),
    "accept": lambda message: message.mark_accepted("b", EARLY),
    "postpone": lambda message: message.requeue(FAILURE, EARLY),
    "postpone, too late": lambda message: message.requeue(FAILURE, LATE),
    "withdraw": lambda message: message.undo_attempt(),
    "lose": lambda message: message.mark_unknown(FAILURE, EARLY),
    "absent": lambda message: message.mark_not_found(EARLY),
    "absent, too late": lambda message: message.mark_not_found(LATE),
    "refuse": lambda message: message.refuse(FAILURE, EARLY),
    "expire": lambda message: message.expire(FAILURE, LATE),
    "cancel": lambda message: message.cancel(EARLY),
    "give up": lambda message: message.mark_unconfirmed(EARLY),
}

# Everything that may be done: in which state, what, the state that follows, what is told.
LEGAL: Final = [
    (State.QUEUED, "begin", State.SENDING, []),
    (State.QUEUED, "lose", State.UNKNOWN, ["queued"]),
    (State.QUEUED, "postpone, too late", State.EXPIRED, ["expired"]),
    (State.QUEUED, "expire", State.EXPIRED, ["expired"]),
    (State.QUEUED, "cancel", State.CANCELLED, ["cancelled"]),
    (State.SENDING, "accept", State.ACCEPTED, ["accepted"]),
    (State.SENDING, "postpone", State.QUEUED, ["queued"]),
    (State.SENDING, "postpone, too late", State.EXPIRED, ["expired"]),
    (State.SENDING, "withdraw", State.QUEUED, []),
    (State.SENDING, "lose", State.UNKNOWN, ["queued"]),
    (State.SENDING, "absent", State.QUEUED, []),
    (State.SENDING, "refuse", State.REFUSED, ["refused"]),
    (State.SENDING, "expire", State.EXPIRED, ["expired"]),
    (State.UNKNOWN, "accept", State.ACCEPTED, ["accepted"]),
    (State.UNKNOWN, "postpone", State.QUEUED, ["queued"]),
    (State.UNKNOWN, "withdraw", State.QUEUED, []),
    (State.UNKNOWN, "absent", State.QUEUED, []),
    (State.UNKNOWN, "absent, too late", State.UNCONFIRMED, ["unconfirmed"]),
    (State.UNKNOWN, "expire", State.EXPIRED, ["expired"]),
    (State.UNKNOWN, "postpone, too late", State.EXPIRED, ["expired"]),
    (State.UNKNOWN, "give up", State.UNCONFIRMED, ["unconfirmed"]),
    (State.ACCEPTED, "absent, too late", State.UNCONFIRMED, ["unconfirmed"]),
    (State.ACCEPTED, "give up", State.UNCONFIRMED, ["unconfirmed"]),
    (State.SENT, "absent, too late", State.UNCONFIRMED, ["unconfirmed"]),
    (State.SENT, "give up", State.UNCONFIRMED, ["unconfirmed"]),
]

ILLEGAL: Final = sorted(set(product(State, CHANGES)) - {(state, change) for state, change, *_ in LEGAL})


def event_types(message: OutgoingMessage) -> list[str]:
    """Return the types of the pending events of a message, in order."""
    return [occurrence.type for occurrence in message.pending_events]


def accepted_message(parts: int = 1) -> OutgoingMessage:
    """Return a message that the service accepted at second 2, without pending events."""
    message = replace(NEW, parts=tuple(Part(text=f"({part}/{parts}) Leak!") for part in range(1, parts + 1)))
    for part in range(parts):
        message = message.start_attempt(1.0, device_id=None).mark_accepted("abcdefghij"[part], 2.0)
    return message.pop_events(len(message.pending_events))


@pytest.mark.parametrize(("state", "change", "follows", "tells"), LEGAL)
def test_a_legal_transition_reaches_its_state_and_adds_its_events(
    state: State, change: str, follows: State, tells: list[str]
) -> None:
    message = CHANGES[change](MESSAGES[state])
    assert message.state is follows
    assert event_types(message) == tells
    assert follows in TRANSITIONS[state]


@pytest.mark.parametrize(("state", "change"), ILLEGAL)
def test_an_illegal_transition_raises(state: State, change: str) -> None:
    with pytest.raises(IllegalTransitionError):
        CHANGES[change](MESSAGES[state])


@pytest.mark.parametrize(
    ("message", "was_left_queued", "absent_too_late"),
    [
        (NEW, True, State.EXPIRED),
        (NEW.start_attempt(1.0, device_id=None).requeue(FAILURE, 2.0), True, State.EXPIRED),
        (NEW.start_attempt(1.0, device_id=None), False, State.UNCONFIRMED),
        (NEW.start_attempt(1.0, device_id=None).mark_unknown(None, 2.0), False, State.UNCONFIRMED),
    ],
    ids=["new", "queued", "sending", "unknown"],
)
def test_what_an_earlier_run_left_unsent_is_in_doubt(
    message: OutgoingMessage, absent_too_late: State, *, was_left_queued: bool
) -> None:
    restored = message.mark_restored()
    assert (restored.state, restored.was_left_queued, event_types(restored)) == (
        State.UNKNOWN,
        was_left_queued,
        ["queued"],
    )
    assert restored.mark_not_found(EARLY).state is State.QUEUED
    assert not restored.mark_not_found(EARLY).is_restored
    assert restored.mark_not_found(LATE).state is absent_too_late


def test_each_part_of_a_restored_message_is_looked_for() -> None:
    message = replace(NEW, parts=(Part(text="One"), Part(text="Two"))).start_attempt(1.0, device_id=None)
    second = message.mark_restored().mark_accepted("a", 2.0)
    assert (second.state, second.next_part, second.was_left_queued) == (State.UNKNOWN, "Two", True)
    assert not second.mark_accepted("b", 3.0).is_restored


def test_a_message_of_which_a_part_was_accepted_is_not_taken_back() -> None:
    message = replace(NEW, parts=(Part(text="One"), Part(text="Two"))).start_attempt(1.0, device_id=None)
    half_sent = message.mark_accepted("a", 2.0)
    assert (half_sent.state, half_sent.can_be_cancelled) == (State.QUEUED, False)
    with pytest.raises(IllegalTransitionError):
        half_sent.cancel(3.0)


@pytest.mark.parametrize(
    ("message", "can_be_cancelled"),
    [
        (NEW, True),
        (NEW.start_attempt(1.0, device_id=None), False),
        (NEW.start_attempt(1.0, device_id=None).requeue(FAILURE, 2.0), True),
        (NEW.start_attempt(1.0, device_id=None).mark_unknown(None, 2.0), False),
        (NEW.mark_restored(), True),
        (NEW.start_attempt(1.0, device_id=None).mark_restored(), False),
    ],
)
def test_only_what_certainly_did_not_arrive_is_taken_back(message: OutgoingMessage, *, can_be_cancelled: bool) -> None:
    assert message.can_be_cancelled is can_be_cancelled


def test_every_final_state_has_an_event_type() -> None:
    assert FINAL == ["delivered", "send_failed", "delivery_failed", "refused", "expired", "unconfirmed", "cancelled"]
    assert list(EVENT_TYPES) == ["queued", "accepted", "sent", "delivery_timeout", *FINAL]


@pytest.mark.parametrize("state", FINAL)
@pytest.mark.parametrize("status", MessageStatus)
def test_statuses_do_not_change_a_finished_message(state: State, status: MessageStatus) -> None:
    ended = replace(MESSAGES[state], parts=(Part(text="Leak!", id="a", status=MessageStatus.DELIVERED),))
    assert ended.apply_statuses({"a": status}, 9.0) is ended


def test_a_message_accepted_immediately_is_never_reported_as_queued() -> None:
    message = NEW.start_attempt(1.0, device_id=None).mark_accepted("a", 2.0)
    assert event_types(message) == ["accepted"]


def test_queued_is_reported_once_across_retries() -> None:
    message = NEW
    for second in range(3):
        message = message.start_attempt(second, device_id=None).requeue(FAILURE, second)
        message = message.start_attempt(second, device_id=None).mark_unknown(FAILURE, second).mark_not_found(second)
    assert event_types(message) == ["queued"]
    assert message.report_queued() is message


def test_queued_is_reported_once_if_queued_before_the_first_attempt() -> None:
    message = NEW.report_queued().start_attempt(1.0, device_id=None).requeue(FAILURE, 2.0)
    assert event_types(message) == ["queued"]


def test_an_attempt_is_counted_and_records_its_time_and_phone() -> None:
    message = NEW.start_attempt(7.0, device_id="phone").requeue(FAILURE, 8.0).start_attempt(9.0, device_id=None)
    assert (message.attempts, message.last_attempt, message.device_id) == (2, 9.0, None)


def test_an_undone_attempt_is_not_counted() -> None:
    assert NEW.start_attempt(7.0, device_id=None).undo_attempt().attempts == 0


def test_a_message_with_retry_disabled_is_not_sent_again() -> None:
    message = NEW.start_attempt(1.0, device_id=None).disable_retry()
    assert message.requeue(FAILURE, 2.0).state is State.EXPIRED
    assert message.mark_unknown(FAILURE, 2.0).mark_not_found(2.0).state is State.UNCONFIRMED


def test_a_refused_message_keeps_its_reason() -> None:
    assert CHANGES["refuse"](MESSAGES[State.SENDING]).error == "refused"


@pytest.mark.parametrize(
    ("state", "last_attempt", "expires", "now", "late"),
    [
        (State.QUEUED, None, LATE, LATE - 0.001, False),
        (State.QUEUED, None, LATE, LATE, True),
        (State.QUEUED, 0.0, LATE, LATE, True),
        (State.QUEUED, None, 0.0, 0.0, False),
        (State.QUEUED, 0.0, 0.0, 0.0, True),
        (State.SENDING, 0.0, LATE, LATE, False),
        (State.UNKNOWN, 0.0, LATE, LATE, False),
    ],
    ids=["in time", "late", "late after an attempt", "may not wait", "may not wait any more", "leaving", "in doubt"],
)
def test_only_a_queued_message_can_expire(
    state: State, last_attempt: float | None, expires: float, now: float, *, late: bool
) -> None:
    message = replace(NEW, state=state, last_attempt=last_attempt, expires=expires)
    assert message.is_expired(now) is late


@pytest.mark.parametrize(
    ("statuses", "follows", "tells"),
    [
        ([0], State.ACCEPTED, []),
        ([1], State.ACCEPTED, []),
        ([2], State.SENT, ["sent"]),
        ([4], State.DELIVERED, ["delivered"]),
        ([3], State.SEND_FAILED, ["send_failed"]),
        ([5], State.DELIVERY_FAILED, ["delivery_failed"]),
        ([1, 2, 4], State.DELIVERED, ["sent", "delivered"]),
        ([2, 2, 2], State.SENT, ["sent"]),
        ([2, 3], State.SEND_FAILED, ["sent", "send_failed"]),
        ([2, 5], State.DELIVERY_FAILED, ["sent", "delivery_failed"]),
    ],
)
def test_each_polled_status_is_reported_once_and_none_is_invented(
    statuses: list[int], follows: State, tells: list[str]
) -> None:
    message = accepted_message()
    for status in statuses:
        message = message.apply_statuses({"a": MessageStatus(status)}, 9.0)
    assert message.state is follows
    assert event_types(message) == tells


@pytest.mark.parametrize("order", permutations([0, 1, 2, 4]))
def test_statuses_out_of_order_never_move_a_message_back(order: tuple[int, ...]) -> None:
    message = accepted_message()
    for status in order:
        message = message.apply_statuses({"a": MessageStatus(status)}, 9.0)
    assert message.state is State.DELIVERED
    assert event_types(message)[-1] == "delivered"
    assert event_types(message).count("delivered") == 1


@pytest.mark.parametrize("state", [State.QUEUED, State.SENDING, State.UNKNOWN])
def test_statuses_of_other_messages_are_ignored(state: State) -> None:
    message = MESSAGES[state]
    assert message.apply_statuses({"somebody else's": MessageStatus.DELIVERED}, 9.0) is message


@pytest.mark.parametrize(
    ("statuses", "follows", "tells"),
    [
        ({"a": 4, "b": 4}, State.ACCEPTED, []),
        ({"a": 4, "b": 2, "c": 1}, State.ACCEPTED, []),
        ({"a": 2, "b": 2, "c": 2}, State.SENT, ["sent"]),
        ({"a": 4, "b": 2, "c": 4}, State.SENT, ["sent"]),
        ({"a": 4, "b": 4, "c": 4}, State.DELIVERED, ["delivered"]),
        ({"c": 3}, State.SEND_FAILED, ["send_failed"]),
        ({"a": 4, "b": 5, "c": 3}, State.DELIVERY_FAILED, ["delivery_failed"]),
        ({"a": 4, "b": 3, "c": 5}, State.SEND_FAILED, ["send_failed"]),
    ],
)
def test_a_long_message_is_delivered_with_all_parts_and_fails_with_any(
    statuses: dict[str, int], follows: State, tells: list[str]
) -> None:
    message = accepted_message(parts=3)
    message = message.apply_statuses({key: MessageStatus(status) for key, status in statuses.items()}, 9.0)
    assert message.state is follows
    assert event_types(message) == tells


@pytest.mark.parametrize(
    ("state", "statuses", "shown"),
    [
        (State.DELIVERY_FAILED, {"a": 4, "b": 4}, "delivered"),
        (State.DELIVERED, {"a": 4, "b": 5}, "delivery_failed"),
        (State.SEND_FAILED, {"a": 4, "b": 2}, "sent"),
        (State.SEND_FAILED, {"a": 1, "b": 2}, "processing"),
        # The list lags behind.
        (State.DELIVERED, {"a": 4, "b": 2}, "delivered"),
        (State.DELIVERED, {"a": 0, "b": 0}, "delivered"),
        # The service no longer lists a part, or the end is not one that it reports.
        (State.DELIVERY_FAILED, {"a": 4}, "delivery_failed"),
        (State.UNCONFIRMED, {"a": 4, "b": 4}, "unconfirmed"),
        (State.SENT, {"a": 4, "b": 4}, "sent"),
    ],
)
def test_the_service_can_correct_what_is_shown_of_a_finished_message(
    state: State, statuses: dict[str, int], shown: str
) -> None:
    message = replace(accepted_message(parts=2), state=state)
    corrected = message.correct({key: MessageStatus(status) for key, status in statuses.items()})
    assert corrected.status == shown
    assert event_types(corrected) == event_types(message)


def test_no_event_is_added_between_the_parts_of_a_long_message() -> None:
    message = replace(NEW, parts=(Part(text="(1/2) Leak"), Part(text="(2/2) here")))
    assert message.next_part == "(1/2) Leak"
    message = message.start_attempt(1.0, device_id=None).mark_accepted("a", 2.0)
    assert (message.state, message.next_part, event_types(message), message.accepted) == (
        State.QUEUED,
        "(2/2) here",
        [],
        None,
    )

    message = message.start_attempt(3.0, device_id=None).mark_accepted("b", 4.0)
    assert (message.state, message.ids, event_types(message), message.accepted) == (
        State.ACCEPTED,
        ("a", "b"),
        ["accepted"],
        4.0,
    )


def test_accepting_a_part_with_an_unknown_outcome_queues_the_next_part() -> None:
    message = replace(NEW, parts=(Part(text="(1/2) Leak"), Part(text="(2/2) here"))).start_attempt(1.0, device_id=None)
    message = message.mark_unknown(FAILURE, 2.0).mark_accepted("a", 3.0)
    assert (message.state, message.next_part, event_types(message)) == (State.QUEUED, "(2/2) here", ["queued"])


@pytest.mark.parametrize("change", ["refuse", "expire"])
def test_a_failure_names_its_part_only_if_another_was_accepted(change: str) -> None:
    message = replace(NEW, parts=(Part(text="One"), Part(text="Two"), Part(text="Three"))).start_attempt(
        1.0, device_id=None
    )
    first = CHANGES[change](message)
    second = CHANGES[change](message.mark_accepted("a", 2.0).start_attempt(3.0, device_id=None))
    assert first.failure == FAILURE
    assert second.failure == replace(FAILURE, part=2, parts=3)


def test_with_retry_disabled_each_part_gets_one_attempt() -> None:
    message = (
        replace(NEW, parts=(Part(text="One"), Part(text="Two"))).start_attempt(1.0, device_id=None).disable_retry()
    )
    between = message.mark_accepted("a", 2.0)
    assert not between.is_expired(2.0)
    again = between.start_attempt(2.0, device_id=None)
    assert again.undo_attempt().is_expired(2.0)
    assert again.requeue(FAILURE, 3.0).state is State.EXPIRED


@pytest.mark.parametrize(
    ("message", "counts_towards_limit"),
    [
        (NEW, True),
        (NEW.report_queued().expire(None, LATE), True),
        (TAKEN, True),
        (NEW.expire(FAILURE, 0.0), False),
        (NEW.start_attempt(1.0, device_id=None).refuse(FAILURE, 2.0), False),
    ],
    ids=["about to leave", "was queued", "accepted", "failed at once", "refused"],
)
def test_accepted_and_queued_messages_count_toward_the_hourly_limit(
    message: OutgoingMessage, *, counts_towards_limit: bool
) -> None:
    assert message.counts_towards_limit is counts_towards_limit


def test_an_unknown_outcome_is_a_failure_only_after_expiry() -> None:
    sending = NEW.start_attempt(1.0, device_id=None)
    assert sending.mark_unknown(FAILURE, EARLY).failure is None
    lost = sending.mark_unknown(FAILURE, LATE)
    assert lost.failure == FAILURE
    assert lost.mark_not_found(LATE).failure == FAILURE
    assert lost.mark_accepted("a", LATE).failure is None


def test_a_refused_part_ends_the_whole_message() -> None:
    message = replace(NEW, parts=(Part(text="(1/2) Leak"), Part(text="(2/2) here"))).start_attempt(1.0, device_id=None)
    message = message.mark_accepted("a", 2.0).start_attempt(3.0, device_id=None).refuse(FAILURE, 4.0)
    assert (message.state, message.ids, event_types(message)) == (State.REFUSED, ("a",), ["refused"])


@pytest.mark.parametrize("state", [State.ACCEPTED, State.SENT])
def test_delivery_timeout_is_reported_once_and_tracking_continues(state: State) -> None:
    message = MESSAGES[state].report_delivery_timeout(602.0)
    assert message.state is state
    assert [(each.type, each.seconds) for each in message.pending_events] == [("delivery_timeout", 600.0)]
    with pytest.raises(IllegalTransitionError):
        message.report_delivery_timeout(603.0)

    delivered = message.apply_statuses({"a": MessageStatus.DELIVERED}, 700.0)
    assert event_types(delivered) == ["delivery_timeout", "delivered"]


@pytest.mark.parametrize("state", [state for state in State if state not in {State.ACCEPTED, State.SENT}])
def test_delivery_timeout_is_illegal_for_a_message_not_in_transit(state: State) -> None:
    with pytest.raises(IllegalTransitionError):
        MESSAGES[state].report_delivery_timeout(602.0)


def test_event_seconds_are_measured_from_acceptance() -> None:
    message = NEW.report_queued().start_attempt(10.0, device_id=None).mark_accepted("a", 12.0)
    message = message.apply_statuses({"a": MessageStatus.SENT}, 15.25).apply_statuses(
        {"a": MessageStatus.DELIVERED}, 20.1236
    )
    assert [(each.type, each.seconds) for each in message.pending_events] == [
        ("queued", None),
        ("accepted", 0.0),
        ("sent", 3.25),
        ("delivered", 8.124),
    ]


@pytest.mark.parametrize("change", ["refuse", "postpone, too late"])
def test_a_message_that_was_never_accepted_ends_without_seconds(change: str) -> None:
    (end,) = CHANGES[change](MESSAGES[State.SENDING]).pending_events
    assert end.seconds is None


def test_a_published_event_is_no_longer_pending() -> None:
    message = accepted_message().apply_statuses({"a": MessageStatus.SENT}, 9.0).pop_events(1)
    assert event_types(message) == []
    assert event_types(message.apply_statuses({"a": MessageStatus.DELIVERED}, 9.0)) == ["delivered"]


@pytest.mark.parametrize(
    ("state", "statuses", "shown"),
    [
        (State.QUEUED, (), "queued"),
        (State.SENDING, (), "queued"),
        (State.UNKNOWN, (), "queued"),
        (State.ACCEPTED, (0,), "waiting"),
        (State.ACCEPTED, (1,), "processing"),
        (State.ACCEPTED, (4, 1), "processing"),
        (State.SENT, (2,), "sent"),
        *((state, (0,), state.value) for state in FINAL),
    ],
)
def test_the_shown_status_is_the_services_once_accepted(state: State, statuses: tuple[int, ...], shown: str) -> None:
    parts = tuple(Part(text="Leak!", id=f"{status}", status=MessageStatus(status)) for status in statuses)
    assert replace(NEW, state=state, parts=parts).status == shown


def test_a_message_and_its_times_are_shifted_together() -> None:
    aged = replace(TAKEN, last_attempt=1.0).shift(10.0)
    assert (aged.created, aged.expires, aged.last_attempt, aged.accepted) == (-10.0, LATE - 10.0, -9.0, -8.0)
    assert NEW.shift(10.0) == replace(NEW, created=-10.0, expires=LATE - 10.0)


@pytest.mark.parametrize(
    ("message", "deadline"),
    [
        (NEW, LATE),
        (replace(NEW, last_attempt=0.0, expires=0.0), 0.0),
        (replace(NEW, expires=0.0), 60.0),
        (replace(NEW, expires=0.0, parts=(Part(text="One", id="a"), Part(text="Two"))), inf),
    ],
    ids=["may be queued", "had its attempt", "waits for its turn", "its next part may not be queued"],
)
def test_the_deadline_of_what_may_not_be_queued_is_its_turn(message: OutgoingMessage, deadline: float) -> None:
    assert message.deadline == deadline


@pytest.mark.parametrize(
    ("message", "has_first_result", "is_waiting_for_retry"),
    [
        (NEW, False, False),
        (NEW.start_attempt(1.0, device_id=None), False, False),
        (NEW.report_queued(), True, True),
        (replace(NEW, expires=0.0).report_queued(), False, True),
        (replace(NEW, expires=0.0, state=State.UNKNOWN).report_queued(), True, True),
        (replace(TAKEN, state=State.ACCEPTED).report_queued(), True, False),
        (replace(TAKEN, state=State.EXPIRED), True, False),
    ],
)
def test_the_caller_is_answered_once_a_message_waits_or_is_accepted(
    message: OutgoingMessage, *, has_first_result: bool, is_waiting_for_retry: bool
) -> None:
    assert message.has_first_result is has_first_result
    assert message.is_waiting_for_retry is is_waiting_for_retry


def test_message_repr_shows_neither_number_nor_text() -> None:
    assert "79123456789" not in repr(TAKEN)
    assert "Leak" not in repr(TAKEN)
