"""What a chaos run counts as lost, duplicated, missing, repeated and contradictory."""

from collections.abc import Mapping, Sequence

import pytest

from custom_components.gosms.api import MessageStatus
from devtools.chaos.invariants import Report, check
from devtools.chaos.load import CallOutcome, PlannedCall, RepeatedCall
from devtools.chaos.observations import RecordedEvent, ServerMessage

ACCOUNT = "event.account"
RECIPIENT = "event.anna"
NUMBER = "79123456701"

SUCCEEDED = CallOutcome.SUCCEEDED
FAILED = CallOutcome.FAILED
UNCERTAIN = CallOutcome.UNCERTAIN
DISCONNECTED = CallOutcome.DISCONNECTED

DELIVERED = ("accepted", "delivered")
NOT_SENT = ("queued", "refused")

SHORT = PlannedCall(recipient=NUMBER, pieces=("Leak",))
MULTIPART = PlannedCall(recipient=NUMBER, pieces=("Leak", "in the bathroom"))
KEYED = PlannedCall(recipient=NUMBER, pieces=("Leak",), key="leak")
MULTIPART_KEYED = PlannedCall(recipient=NUMBER, pieces=("Leak", "in the bathroom"), key="leak")

type Events = list[tuple[str, list[str], tuple[str, ...]]]


def run(
    call: PlannedCall,
    outcomes: list[CallOutcome],
    server_parts: Sequence[list[str]],
    events: Events,
    repeated_calls: list[RepeatedCall] | None = None,
    *,
    status: MessageStatus = MessageStatus.DELIVERED,
    is_at_risk: bool = False,
) -> Report:
    """Check calls for one text: outcomes, the ids on the server by part, and events as (key, ids, types)."""
    return check(
        [(call, outcome) for outcome in outcomes],
        [
            ServerMessage(id=message_id, recipient=NUMBER, text=part, status=status)
            for part, ids in zip(call.parts, server_parts, strict=True)
            for message_id in ids
        ],
        [
            RecordedEvent(key=key, entity_id=entity_id, type=kind, ids=tuple(ids), recipient=NUMBER, text=call.text)
            for key, ids, kinds in events
            for kind in kinds
            for entity_id in (ACCOUNT, RECIPIENT)
        ],
        repeated_calls or [],
        ACCOUNT,
        at_risk=[call] if is_at_risk else [],
    )


def violations_of(report: Report) -> Mapping[str, int]:
    """Return the violations."""
    names = ("lost", "duplicated", "missing", "wrongly_repeated", "contradictory")
    return {name: count for name in names if (count := getattr(report, name))}


@pytest.mark.parametrize(
    ("outcomes", "server_parts", "events"),
    [
        pytest.param([SUCCEEDED], ["1"], [("a", ["1"], DELIVERED)], id="delivered"),
        pytest.param([SUCCEEDED], [], [("a", [], ("queued", "expired"))], id="expired"),
        pytest.param([FAILED], [], [("a", [], ("refused",))], id="refused"),
        pytest.param([UNCERTAIN], [], [("a", [], ("unconfirmed",))], id="in doubt, and not on the server"),
        pytest.param([UNCERTAIN], ["1"], [("a", ["1"], ("queued", *DELIVERED))], id="in doubt, then delivered"),
        pytest.param([SUCCEEDED], ["1"], [("a", [], ("queued", "unconfirmed"))], id="unconfirmed, and on the server"),
        pytest.param([SUCCEEDED], [], [("a", [], ("queued", "unconfirmed"))], id="unconfirmed, and not on the server"),
        pytest.param([DISCONNECTED], [], [], id="cut off before anything was done"),
        pytest.param([DISCONNECTED], ["1"], [("a", ["1"], DELIVERED)], id="cut off and sent"),
        pytest.param([DISCONNECTED], [], [("a", [], ("refused",))], id="cut off and refused"),
        pytest.param(
            [SUCCEEDED, DISCONNECTED, DISCONNECTED],
            ["1", "2"],
            [("a", ["1"], DELIVERED), ("b", ["2"], DELIVERED)],
            id="twins, some cut off",
        ),
        pytest.param(
            [SUCCEEDED, FAILED], ["1"], [("a", ["1"], DELIVERED), ("b", [], ("refused",))], id="twins, one refused"
        ),
    ],
)
def test_allowed_outcomes_pass(outcomes: list[CallOutcome], server_parts: list[str], events: Events) -> None:
    report = run(SHORT, outcomes, [server_parts], events)
    assert violations_of(report) == {}
    assert report.details == ()
    assert report.has_passed


@pytest.mark.parametrize(
    ("outcomes", "server_parts", "events", "violations"),
    [
        pytest.param([SUCCEEDED], [], [], {"lost": 1, "missing": 1}, id="gone without a word"),
        pytest.param(
            [SUCCEEDED], [], [("a", ["1"], DELIVERED)], {"lost": 1, "missing": 1}, id="told as delivered, never sent"
        ),
        pytest.param(
            [SUCCEEDED], ["1", "2"], [("a", ["2"], DELIVERED)], {"duplicated": 1, "missing": 1}, id="sent twice"
        ),
        pytest.param(
            [DISCONNECTED], ["1", "2"], [("a", ["2"], DELIVERED)], {"duplicated": 1, "missing": 1}, id="cut off, twice"
        ),
        pytest.param([DISCONNECTED], ["1"], [], {"missing": 1}, id="cut off, sent and never told"),
        pytest.param(
            [DISCONNECTED], [], [("a", [], ("queued",))], {"missing": 1}, id="cut off, and the end never told"
        ),
        pytest.param([SUCCEEDED], ["1"], [("a", ["1"], ("accepted",))], {"missing": 1}, id="the end never told"),
        pytest.param([SUCCEEDED], ["1"], [("a", ["1"], ("delivered",))], {"missing": 1}, id="the begin never told"),
        pytest.param([FAILED], [], [], {"lost": 1, "missing": 1}, id="refused, and never told"),
        pytest.param([FAILED], ["1"], [("a", ["1"], DELIVERED)], {"contradictory": 1}, id="called failed, delivered"),
        pytest.param(
            [SUCCEEDED], ["1"], [("a", ["1"], (*DELIVERED, "delivered"))], {"wrongly_repeated": 1}, id="told twice"
        ),
        pytest.param(
            [SUCCEEDED],
            ["1"],
            [("a", ["1"], (*DELIVERED, "unconfirmed"))],
            {"contradictory": 1},
            id="two different ends",
        ),
        pytest.param(
            [SUCCEEDED, SUCCEEDED],
            ["1"],
            [("a", ["1"], DELIVERED)],
            {"lost": 1, "missing": 1},
            id="one of two twins gone",
        ),
        pytest.param(
            [DISCONNECTED, DISCONNECTED],
            ["1", "2"],
            [("a", ["1"], DELIVERED)],
            {"missing": 1},
            id="a twin that nobody was told of",
        ),
        pytest.param(
            [SUCCEEDED],
            ["1"],
            [("a", ["1"], DELIVERED), ("b", [], NOT_SENT)],
            {"duplicated": 1},
            id="one call, two messages",
        ),
    ],
)
def test_violations_are_counted(
    outcomes: list[CallOutcome], server_parts: list[str], events: Events, violations: dict[str, int]
) -> None:
    report = run(SHORT, outcomes, [server_parts], events)
    assert violations_of(report) == violations
    assert not report.has_passed
    assert report.details


@pytest.mark.parametrize(
    ("outcomes", "server_parts", "events"),
    [
        pytest.param([SUCCEEDED], (["1"], ["2"]), [("a", ["1", "2"], DELIVERED)], id="delivered"),
        pytest.param([FAILED], (["1"], []), [("a", ["1"], ("refused",))], id="refused after its first part"),
        pytest.param(
            [SUCCEEDED], (["1"], []), [("a", ["1"], ("queued", "expired"))], id="expired after its first part"
        ),
        pytest.param(
            [SUCCEEDED], (["1"], ["2"]), [("a", ["1"], ("queued", "unconfirmed"))], id="its last part in doubt"
        ),
        pytest.param([DISCONNECTED], ([], []), [], id="cut off before anything was done"),
        pytest.param([DISCONNECTED], (["1"], ["2"]), [("a", ["1", "2"], DELIVERED)], id="cut off and sent"),
        pytest.param(
            [SUCCEEDED, FAILED],
            (["1", "3"], ["2"]),
            [("a", ["1", "2"], DELIVERED), ("b", ["3"], ("refused",))],
            id="twins, one refused after its first part",
        ),
    ],
)
def test_allowed_outcomes_of_parts_pass(
    outcomes: list[CallOutcome], server_parts: Sequence[list[str]], events: Events
) -> None:
    report = run(MULTIPART, outcomes, server_parts, events)
    assert violations_of(report) == {}
    assert report.details == ()


@pytest.mark.parametrize(
    ("outcomes", "server_parts", "events", "violations"),
    [
        pytest.param(
            [SUCCEEDED],
            (["1"], ["2", "3"]),
            [("a", ["1", "2"], DELIVERED)],
            {"duplicated": 1, "missing": 1},
            id="a part twice",
        ),
        pytest.param(
            [DISCONNECTED],
            (["1", "3"], ["2", "4"]),
            [("a", ["1", "2"], DELIVERED)],
            {"duplicated": 2, "missing": 2},
            id="cut off, and both parts twice",
        ),
        pytest.param(
            [SUCCEEDED], (["1"], []), [("a", ["1", "2"], DELIVERED)], {"lost": 1, "missing": 1}, id="a part never sent"
        ),
        pytest.param([SUCCEEDED], (["1"], []), [], {"lost": 1, "missing": 2}, id="half sent, and not a word"),
        pytest.param([DISCONNECTED], (["1"], []), [], {"missing": 1}, id="cut off, half sent, and not a word"),
        pytest.param(
            [DISCONNECTED], (["1"], []), [("a", ["1"], ("queued",))], {"missing": 1}, id="half sent, the end not told"
        ),
        pytest.param(
            [SUCCEEDED], (["1"], ["2"]), [("a", ["1"], ("queued", "expired"))], {"missing": 1}, id="sent after its end"
        ),
        pytest.param(
            [SUCCEEDED], (["1"], ["2"]), [("a", ["2", "1"], DELIVERED)], {"missing": 4}, id="told in the wrong order"
        ),
        pytest.param(
            [SUCCEEDED, SUCCEEDED],
            (["1", "3"], ["2"]),
            [("a", ["1", "2"], DELIVERED), ("b", ["3", "2"], DELIVERED)],
            {"lost": 1},
            id="twins that share a part",
        ),
    ],
)
def test_violations_of_parts_are_counted(
    outcomes: list[CallOutcome], server_parts: Sequence[list[str]], events: Events, violations: dict[str, int]
) -> None:
    report = run(MULTIPART, outcomes, server_parts, events)
    assert violations_of(report) == violations
    assert report.details


@pytest.mark.parametrize(
    ("outcomes", "server_parts", "events"),
    [
        pytest.param(
            [DISCONNECTED, DISCONNECTED, SUCCEEDED],
            ["1"],
            [("a", ["1"], DELIVERED)],
            id="repeated until it was answered",
        ),
        pytest.param([DISCONNECTED, FAILED, FAILED], [], [("a", [], ("refused",))], id="refused however often"),
        pytest.param([SUCCEEDED, FAILED], [], [("a", [], NOT_SENT)], id="taken, then refused"),
        pytest.param([DISCONNECTED], [], [], id="cut off and never repeated"),
    ],
)
def test_a_repeated_call_with_a_key_is_one_message(
    outcomes: list[CallOutcome], server_parts: list[str], events: Events
) -> None:
    report = run(KEYED, outcomes, [server_parts], events)
    assert violations_of(report) == {}
    assert report.details == ()
    assert (report.messages, report.keyed, report.repetitions) == (1, 1, len(outcomes) - 1)


@pytest.mark.parametrize(
    ("outcomes", "server_parts", "events", "violations"),
    [
        pytest.param(
            [DISCONNECTED, SUCCEEDED],
            ["1", "2"],
            [("a", ["1"], DELIVERED), ("b", ["2"], DELIVERED)],
            {"duplicated": 1},
            id="sent twice",
        ),
        pytest.param(
            [DISCONNECTED, SUCCEEDED],
            ["1", "2"],
            [("a", ["2"], DELIVERED)],
            {"duplicated": 1, "missing": 1},
            id="told of one of two",
        ),
        pytest.param(
            [FAILED, FAILED],
            [],
            [("a", [], NOT_SENT), ("b", [], NOT_SENT)],
            {"duplicated": 1},
            id="refused, tried again",
        ),
        pytest.param([DISCONNECTED, SUCCEEDED], [], [], {"lost": 1, "missing": 1}, id="gone without a word"),
        pytest.param(
            [SUCCEEDED, FAILED], ["1"], [("a", ["1"], DELIVERED)], {"contradictory": 1}, id="called failed, delivered"
        ),
    ],
)
def test_violations_of_calls_with_a_key_are_counted(
    outcomes: list[CallOutcome], server_parts: list[str], events: Events, violations: dict[str, int]
) -> None:
    report = run(KEYED, outcomes, [server_parts], events)
    assert violations_of(report) == violations
    assert report.details


def test_each_part_of_a_call_with_a_key_must_be_sent_once() -> None:
    events: Events = [("a", ["1", "2"], DELIVERED)]
    assert violations_of(run(MULTIPART_KEYED, [DISCONNECTED, SUCCEEDED], (["1"], ["2"]), events)) == {}
    assert violations_of(run(MULTIPART_KEYED, [DISCONNECTED, SUCCEEDED], (["1", "3"], ["2"]), events)) == {
        "duplicated": 1,
        "missing": 1,
    }


@pytest.mark.parametrize(
    ("status", "ids", "violations"),
    [
        pytest.param("delivered", ("1",), {}, id="the same"),
        pytest.param("refused", ("1",), {"contradictory": 1}, id="another end"),
        pytest.param("delivered", ("2",), {"contradictory": 1}, id="another message"),
        pytest.param("queued", (), {"contradictory": 1}, id="a new message"),
    ],
)
def test_a_repeated_call_must_return_the_reported_outcome(
    status: str, ids: tuple[str, ...], violations: dict[str, int]
) -> None:
    repeated_calls = [RepeatedCall(call=KEYED, status=status, ids=ids)]
    report = run(KEYED, [SUCCEEDED], [["1"]], [("a", ["1"], DELIVERED)], repeated_calls)
    assert violations_of(report) == violations
    assert report.repetitions == 1


def test_messages_and_parts_are_counted() -> None:
    report = run(
        MULTIPART,
        [SUCCEEDED, DISCONNECTED],
        (["1", "3"], ["2"]),
        [("a", ["1", "2"], DELIVERED), ("b", ["3"], NOT_SENT)],
    )
    assert (report.messages, report.keyed, report.repetitions, report.multipart) == (2, 0, 0, 2)
    assert (report.parts, report.server_parts) == (4, 3)


def test_an_unrequested_message_counts_as_a_duplicate() -> None:
    report = check([], [ServerMessage(id="1", recipient=NUMBER, text="Leak")], [], [], ACCOUNT)
    assert violations_of(report) == {"duplicated": 1, "missing": 1}
    assert report.details


@pytest.mark.parametrize(
    ("end", "status", "violations"),
    [
        pytest.param("delivered", MessageStatus.DELIVERED, {}, id="delivered"),
        pytest.param("send_failed", MessageStatus.SEND_FAILED, {}, id="not sent"),
        pytest.param("delivery_failed", MessageStatus.DELIVERY_FAILED, {}, id="not got"),
        pytest.param("delivered", MessageStatus.DELIVERY_FAILED, {"contradictory": 1}, id="told as delivered"),
        pytest.param("delivered", MessageStatus.SENT, {"contradictory": 1}, id="told too early"),
        pytest.param("send_failed", MessageStatus.DELIVERED, {"contradictory": 1}, id="told as failed"),
        pytest.param("delivery_failed", MessageStatus.SEND_FAILED, {"contradictory": 1}, id="another failure"),
    ],
)
def test_the_end_that_is_told_must_be_that_on_the_server(
    end: str, status: MessageStatus, violations: dict[str, int]
) -> None:
    report = run(SHORT, [SUCCEEDED], [["1"]], [("a", ["1"], ("accepted", end))], status=status)
    assert violations_of(report) == violations


@pytest.mark.parametrize(
    ("call", "server_parts", "events", "violations", "forgotten"),
    [
        pytest.param(SHORT, [], [], {}, 2, id="told as sent"),
        pytest.param(SHORT, ["1"], [("a", ["1"], ("accepted",))], {}, 1, id="the end never told"),
        pytest.param(SHORT, ["1"], [("a", ["1"], (*DELIVERED, "refused"))], {}, 1, id="two different ends"),
        pytest.param(SHORT, ["1"], [("a", ["1"], DELIVERED)], {}, 0, id="nothing"),
        pytest.param(SHORT, ["1", "2"], [("a", ["1"], DELIVERED)], {"duplicated": 1}, 1, id="sent twice all the same"),
        pytest.param(KEYED, ["1", "2"], [("a", ["1"], DELIVERED)], {}, 1, id="its key"),
    ],
)
def test_what_a_kill_may_forget_is_counted_separately(
    call: PlannedCall, server_parts: list[str], events: Events, violations: dict[str, int], forgotten: int
) -> None:
    report = run(call, [SUCCEEDED], [server_parts], events, is_at_risk=True)
    assert violations_of(report) == violations
    assert (report.at_risk, report.forgotten) == (1, forgotten)
    assert report.has_passed is not bool(violations)


def test_an_event_that_was_forgotten_may_be_fired_again() -> None:
    events = [
        RecordedEvent(
            key="a", entity_id=entity_id, type=kind, ids=("1",), recipient=NUMBER, text="Leak", is_at_risk=is_at_risk
        )
        for is_at_risk in (True, False)
        for kind in DELIVERED
        for entity_id in (ACCOUNT, RECIPIENT)
    ]
    report = check([(SHORT, SUCCEEDED)], [ServerMessage(id="1", recipient=NUMBER, text="Leak")], events, [], ACCOUNT)
    assert violations_of(report) == {}
    assert report.repeated == len(DELIVERED)
    assert report.has_passed


def test_a_file_with_a_number_is_a_violation() -> None:
    report = check([], [], [], [], ACCOUNT, files=["gosms.db-wal"])
    assert report.files == 1
    assert report.details
    assert not report.has_passed


@pytest.mark.parametrize(("is_stored", "wrongly_repeated"), [(False, 0), (True, len(DELIVERED))])
def test_a_kill_may_repeat_only_what_was_not_stored(is_stored: bool, wrongly_repeated: int) -> None:
    events = [
        RecordedEvent(
            key="a", entity_id=entity_id, type=kind, ids=("1",), recipient=NUMBER, text="Leak", is_stored=each
        )
        for each in (is_stored, True)
        for kind in DELIVERED
        for entity_id in (ACCOUNT, RECIPIENT)
    ]
    report = check([(SHORT, SUCCEEDED)], [ServerMessage(id="1", recipient=NUMBER, text="Leak")], events, [], ACCOUNT)
    assert (report.repeated, report.wrongly_repeated) == (len(DELIVERED), wrongly_repeated)
    assert report.has_passed is not bool(wrongly_repeated)
    assert len(report.details) == wrongly_repeated


def test_an_event_of_only_one_of_two_entities_counts_as_missing() -> None:
    recorded = [
        RecordedEvent(key="a", entity_id=ACCOUNT, type=kind, ids=("1",), recipient=NUMBER, text="Leak")
        for kind in DELIVERED
    ]
    report = check([(SHORT, SUCCEEDED)], [ServerMessage(id="1", recipient=NUMBER, text="Leak")], recorded, [], ACCOUNT)
    assert report.missing == len(DELIVERED)
    assert report.details
