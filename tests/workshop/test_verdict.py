"""What is counted as lost, doubled, missing and repeated in a run of chaos."""

from collections.abc import Mapping

import pytest

from workshop.crowd import Answer, Ask
from workshop.verdict import Stored, Told, Verdict, judge

ACCOUNT = "event.account"
RECIPIENT = "event.anna"
NUMBER = "79123456701"

TAKEN = Answer.TAKEN
FAILED = Answer.FAILED
CUT = Answer.CUT

DELIVERED = ("accepted", "delivered")

type Events = list[tuple[str, list[str], tuple[str, ...]]]


def run(answers: list[Answer], stored: list[str], events: Events) -> Verdict:
    """Judge calls for one text: the answers, the ids on the server, and the events as (key, ids, types)."""
    ask = Ask(recipient=NUMBER, text="Leak")
    return judge(
        [(ask, answer) for answer in answers],
        [Stored(id=message_id, recipient=NUMBER, text="Leak") for message_id in stored],
        [
            Told(key=key, entity_id=entity_id, type=kind, ids=tuple(ids), recipient=NUMBER, text="Leak")
            for key, ids, kinds in events
            for kind in kinds
            for entity_id in (ACCOUNT, RECIPIENT)
        ],
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
    ],
)
def test_what_may_happen_is_good(answers: list[Answer], stored: list[str], events: Events) -> None:
    verdict = run(answers, stored, events)
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
    ],
)
def test_what_may_not_happen_is_counted(
    answers: list[Answer], stored: list[str], events: Events, faults: dict[str, int]
) -> None:
    verdict = run(answers, stored, events)
    assert faults_of(verdict) == faults
    assert not verdict.is_good(0)


def test_an_event_may_be_repeated_once_for_each_kill() -> None:
    verdict = run([TAKEN], ["1"], [("a", ["1"], (*DELIVERED, "delivered"))])
    assert verdict.is_good(1)


def test_an_event_that_only_one_of_the_two_entities_tells_is_missing() -> None:
    told = [
        Told(key="a", entity_id=ACCOUNT, type=kind, ids=("1",), recipient=NUMBER, text="Leak") for kind in DELIVERED
    ]
    ask = Ask(recipient=NUMBER, text="Leak")
    verdict = judge([(ask, TAKEN)], [Stored(id="1", recipient=NUMBER, text="Leak")], told, ACCOUNT)
    assert verdict.missing == len(DELIVERED)
    assert verdict.details
