"""What is counted as lost, doubled, missing and repeated in a run of chaos."""

from collections.abc import Mapping, Sequence

import pytest

from workshop.crowd import Answer, Ask, Recalled
from workshop.verdict import Stored, Told, Verdict, judge

ACCOUNT = "event.account"
RECIPIENT = "event.anna"
NUMBER = "79123456701"

TAKEN = Answer.TAKEN
FAILED = Answer.FAILED
CUT = Answer.CUT

DELIVERED = ("accepted", "delivered")
NOT_SENT = ("queued", "refused")

SHORT = Ask(recipient=NUMBER, pieces=("Leak",))
LONG = Ask(recipient=NUMBER, pieces=("Leak", "in the bathroom"))
KEYED = Ask(recipient=NUMBER, pieces=("Leak",), key="leak")
LONG_KEYED = Ask(recipient=NUMBER, pieces=("Leak", "in the bathroom"), key="leak")

type Events = list[tuple[str, list[str], tuple[str, ...]]]


def run(
    ask: Ask, answers: list[Answer], stored: Sequence[list[str]], events: Events, recalled: list[Recalled] | None = None
) -> Verdict:
    """Judge calls for one text: the answers, the ids on the server by part, and the events as (key, ids, types)."""
    return judge(
        [(ask, answer) for answer in answers],
        [
            Stored(id=message_id, recipient=NUMBER, text=part)
            for part, ids in zip(ask.parts, stored, strict=True)
            for message_id in ids
        ],
        [
            Told(key=key, entity_id=entity_id, type=kind, ids=tuple(ids), recipient=NUMBER, text=ask.text)
            for key, ids, kinds in events
            for kind in kinds
            for entity_id in (ACCOUNT, RECIPIENT)
        ],
        recalled or [],
        ACCOUNT,
    )


def faults_of(verdict: Verdict) -> Mapping[str, int]:
    """Return what is wrong."""
    names = ("lost", "doubled", "missing", "repeated", "contradicted")
    return {name: figure for name in names if (figure := getattr(verdict, name))}


@pytest.mark.parametrize(
    ("answers", "stored", "events"),
    [
        pytest.param([TAKEN], ["1"], [("a", ["1"], DELIVERED)], id="delivered"),
        pytest.param([TAKEN], ["1"], [("a", ["1"], ("queued", "accepted", "sent", "delivery_failed"))], id="not got"),
        pytest.param([TAKEN], [], [("a", [], ("queued", "expired"))], id="expired"),
        pytest.param([FAILED], [], [("a", [], ("refused",))], id="refused"),
        pytest.param([TAKEN], ["1"], [("a", [], ("queued", "unconfirmed"))], id="unconfirmed, and on the server"),
        pytest.param([TAKEN], [], [("a", [], ("queued", "unconfirmed"))], id="unconfirmed, and not on the server"),
        pytest.param([CUT], [], [], id="cut off before anything was done"),
        pytest.param([CUT], ["1"], [("a", ["1"], DELIVERED)], id="cut off and sent"),
        pytest.param([CUT], [], [("a", [], ("refused",))], id="cut off and refused"),
        pytest.param(
            [TAKEN, CUT, CUT], ["1", "2"], [("a", ["1"], DELIVERED), ("b", ["2"], DELIVERED)], id="twins, some cut off"
        ),
        pytest.param(
            [TAKEN, FAILED], ["1"], [("a", ["1"], DELIVERED), ("b", [], ("refused",))], id="twins, one refused"
        ),
    ],
)
def test_what_may_happen_is_good(answers: list[Answer], stored: list[str], events: Events) -> None:
    verdict = run(SHORT, answers, [stored], events)
    assert faults_of(verdict) == {}
    assert verdict.details == ()
    assert verdict.is_good(0)


@pytest.mark.parametrize(
    ("answers", "stored", "events", "faults"),
    [
        pytest.param([TAKEN], [], [], {"lost": 1, "missing": 1}, id="gone without a word"),
        pytest.param(
            [TAKEN], [], [("a", ["1"], DELIVERED)], {"lost": 1, "missing": 1}, id="told as delivered, never sent"
        ),
        pytest.param([TAKEN], ["1", "2"], [("a", ["2"], DELIVERED)], {"doubled": 1, "missing": 1}, id="sent twice"),
        pytest.param([CUT], ["1", "2"], [("a", ["2"], DELIVERED)], {"doubled": 1, "missing": 1}, id="cut off, twice"),
        pytest.param([CUT], ["1"], [], {"missing": 1}, id="cut off, sent and never told"),
        pytest.param([CUT], [], [("a", [], ("queued",))], {"missing": 1}, id="cut off, and the end never told"),
        pytest.param([TAKEN], ["1"], [("a", ["1"], ("accepted",))], {"missing": 1}, id="the end never told"),
        pytest.param([TAKEN], ["1"], [("a", ["1"], ("delivered",))], {"missing": 1}, id="the begin never told"),
        pytest.param([FAILED], [], [], {"lost": 1, "missing": 1}, id="refused, and never told"),
        pytest.param([FAILED], ["1"], [("a", ["1"], DELIVERED)], {"contradicted": 1}, id="called failed, delivered"),
        pytest.param([TAKEN], ["1"], [("a", ["1"], (*DELIVERED, "delivered"))], {"repeated": 1}, id="told twice"),
        pytest.param(
            [TAKEN], ["1"], [("a", ["1"], (*DELIVERED, "unconfirmed"))], {"contradicted": 1}, id="two different ends"
        ),
        pytest.param(
            [TAKEN, TAKEN], ["1"], [("a", ["1"], DELIVERED)], {"lost": 1, "missing": 1}, id="one of two twins gone"
        ),
        pytest.param(
            [CUT, CUT], ["1", "2"], [("a", ["1"], DELIVERED)], {"missing": 1}, id="a twin that nobody was told of"
        ),
        pytest.param(
            [TAKEN], ["1"], [("a", ["1"], DELIVERED), ("b", [], NOT_SENT)], {"doubled": 1}, id="one call, two messages"
        ),
    ],
)
def test_what_may_not_happen_is_counted(
    answers: list[Answer], stored: list[str], events: Events, faults: dict[str, int]
) -> None:
    verdict = run(SHORT, answers, [stored], events)
    assert faults_of(verdict) == faults
    assert not verdict.is_good(0)
    assert verdict.details or "repeated" in faults


@pytest.mark.parametrize(
    ("answers", "stored", "events"),
    [
        pytest.param([TAKEN], (["1"], ["2"]), [("a", ["1", "2"], DELIVERED)], id="delivered"),
        pytest.param([FAILED], (["1"], []), [("a", ["1"], ("refused",))], id="refused after its first part"),
        pytest.param([TAKEN], (["1"], []), [("a", ["1"], ("queued", "expired"))], id="expired after its first part"),
        pytest.param([TAKEN], (["1"], ["2"]), [("a", ["1"], ("queued", "unconfirmed"))], id="its last part in doubt"),
        pytest.param([CUT], ([], []), [], id="cut off before anything was done"),
        pytest.param([CUT], (["1"], ["2"]), [("a", ["1", "2"], DELIVERED)], id="cut off and sent"),
        pytest.param(
            [TAKEN, FAILED],
            (["1", "3"], ["2"]),
            [("a", ["1", "2"], DELIVERED), ("b", ["3"], ("refused",))],
            id="twins, one refused after its first part",
        ),
    ],
)
def test_what_may_happen_to_parts_is_good(answers: list[Answer], stored: Sequence[list[str]], events: Events) -> None:
    verdict = run(LONG, answers, stored, events)
    assert faults_of(verdict) == {}
    assert verdict.details == ()


@pytest.mark.parametrize(
    ("answers", "stored", "events", "faults"),
    [
        pytest.param(
            [TAKEN],
            (["1"], ["2", "3"]),
            [("a", ["1", "2"], DELIVERED)],
            {"doubled": 1, "missing": 1},
            id="a part twice",
        ),
        pytest.param(
            [CUT],
            (["1", "3"], ["2", "4"]),
            [("a", ["1", "2"], DELIVERED)],
            {"doubled": 2, "missing": 2},
            id="cut off, and both parts twice",
        ),
        pytest.param(
            [TAKEN], (["1"], []), [("a", ["1", "2"], DELIVERED)], {"lost": 1, "missing": 1}, id="a part never sent"
        ),
        pytest.param([TAKEN], (["1"], []), [], {"lost": 1, "missing": 2}, id="half sent, and not a word"),
        pytest.param([CUT], (["1"], []), [], {"missing": 1}, id="cut off, half sent, and not a word"),
        pytest.param([CUT], (["1"], []), [("a", ["1"], ("queued",))], {"missing": 1}, id="half sent, the end not told"),
        pytest.param(
            [TAKEN], (["1"], ["2"]), [("a", ["1"], ("queued", "expired"))], {"missing": 1}, id="sent after its end"
        ),
        pytest.param(
            [TAKEN], (["1"], ["2"]), [("a", ["2", "1"], DELIVERED)], {"missing": 4}, id="told in the wrong order"
        ),
        pytest.param(
            [TAKEN, TAKEN],
            (["1", "3"], ["2"]),
            [("a", ["1", "2"], DELIVERED), ("b", ["3", "2"], DELIVERED)],
            {"lost": 1},
            id="twins that share a part",
        ),
    ],
)
def test_what_may_not_happen_to_parts_is_counted(
    answers: list[Answer], stored: Sequence[list[str]], events: Events, faults: dict[str, int]
) -> None:
    verdict = run(LONG, answers, stored, events)
    assert faults_of(verdict) == faults
    assert verdict.details


@pytest.mark.parametrize(
    ("answers", "stored", "events"),
    [
        pytest.param([CUT, CUT, TAKEN], ["1"], [("a", ["1"], DELIVERED)], id="repeated until it was answered"),
        pytest.param([CUT, FAILED, FAILED], [], [("a", [], ("refused",))], id="refused however often"),
        pytest.param([TAKEN, FAILED], [], [("a", [], NOT_SENT)], id="taken, then refused"),
        pytest.param([CUT], [], [], id="cut off and never repeated"),
    ],
)
def test_a_call_with_a_key_is_one_message_however_often_it_is_made(
    answers: list[Answer], stored: list[str], events: Events
) -> None:
    verdict = run(KEYED, answers, [stored], events)
    assert faults_of(verdict) == {}
    assert verdict.details == ()
    assert (verdict.asked, verdict.keyed, verdict.repetitions) == (1, 1, len(answers) - 1)


@pytest.mark.parametrize(
    ("answers", "stored", "events", "faults"),
    [
        pytest.param(
            [CUT, TAKEN],
            ["1", "2"],
            [("a", ["1"], DELIVERED), ("b", ["2"], DELIVERED)],
            {"doubled": 1},
            id="sent twice",
        ),
        pytest.param(
            [CUT, TAKEN], ["1", "2"], [("a", ["2"], DELIVERED)], {"doubled": 1, "missing": 1}, id="told of one of two"
        ),
        pytest.param(
            [FAILED, FAILED], [], [("a", [], NOT_SENT), ("b", [], NOT_SENT)], {"doubled": 1}, id="refused, tried again"
        ),
        pytest.param([CUT, TAKEN], [], [], {"lost": 1, "missing": 1}, id="gone without a word"),
        pytest.param(
            [TAKEN, FAILED], ["1"], [("a", ["1"], DELIVERED)], {"contradicted": 1}, id="called failed, delivered"
        ),
    ],
)
def test_a_call_with_a_key_that_is_not_one_message_is_counted(
    answers: list[Answer], stored: list[str], events: Events, faults: dict[str, int]
) -> None:
    verdict = run(KEYED, answers, [stored], events)
    assert faults_of(verdict) == faults
    assert verdict.details


def test_each_part_of_a_call_with_a_key_is_sent_once() -> None:
    events: Events = [("a", ["1", "2"], DELIVERED)]
    assert faults_of(run(LONG_KEYED, [CUT, TAKEN], (["1"], ["2"]), events)) == {}
    assert faults_of(run(LONG_KEYED, [CUT, TAKEN], (["1", "3"], ["2"]), events)) == {"doubled": 1, "missing": 1}


@pytest.mark.parametrize(
    ("status", "ids", "faults"),
    [
        pytest.param("delivered", ("1",), {}, id="the same"),
        pytest.param("refused", ("1",), {"contradicted": 1}, id="another end"),
        pytest.param("delivered", ("2",), {"contradicted": 1}, id="another message"),
        pytest.param("queued", (), {"contradicted": 1}, id="a new message"),
    ],
)
def test_a_call_that_is_made_again_after_the_end_is_answered_what_everybody_was_told(
    status: str, ids: tuple[str, ...], faults: dict[str, int]
) -> None:
    recalled = [Recalled(ask=KEYED, status=status, ids=ids)]
    verdict = run(KEYED, [TAKEN], [["1"]], [("a", ["1"], DELIVERED)], recalled)
    assert faults_of(verdict) == faults
    assert verdict.repetitions == 1


def test_messages_and_parts_are_counted() -> None:
    verdict = run(LONG, [TAKEN, CUT], (["1", "3"], ["2"]), [("a", ["1", "2"], DELIVERED), ("b", ["3"], NOT_SENT)])
    assert (verdict.asked, verdict.keyed, verdict.repetitions, verdict.long) == (2, 0, 0, 2)
    assert (verdict.parts, verdict.stored) == (4, 3)


def test_a_message_that_nobody_asked_for_is_one_too_many() -> None:
    verdict = judge([], [Stored(id="1", recipient=NUMBER, text="Leak")], [], [], ACCOUNT)
    assert faults_of(verdict) == {"doubled": 1, "missing": 1}
    assert verdict.details


def test_an_event_may_be_repeated_once_for_each_kill() -> None:
    verdict = run(SHORT, [TAKEN], [["1"]], [("a", ["1"], (*DELIVERED, "delivered"))])
    assert verdict.is_good(1)


def test_an_event_that_only_one_of_the_two_entities_tells_is_missing() -> None:
    told = [
        Told(key="a", entity_id=ACCOUNT, type=kind, ids=("1",), recipient=NUMBER, text="Leak") for kind in DELIVERED
    ]
    verdict = judge([(SHORT, TAKEN)], [Stored(id="1", recipient=NUMBER, text="Leak")], told, [], ACCOUNT)
    assert verdict.missing == len(DELIVERED)
    assert verdict.details
