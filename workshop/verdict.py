"""What a run of chaos showed: the calls, the service and the events, held against each other. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass
from textwrap import shorten
from typing import Final, override

from .crowd import Answer, Ask, Recalled

FINAL: Final = frozenset({"delivered", "send_failed", "delivery_failed", "refused", "expired", "unconfirmed"})
# Ends of a message that the service has, which it had to take first.
TAKEN: Final = frozenset({"delivered", "send_failed", "delivery_failed"})

# Characters by which a text is shown; its number stands at its begin.
WIDTH: Final = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One event of an event entity; the key names the message, and no attribute shows it."""

    key: str
    entity_id: str
    type: str
    ids: tuple[str, ...]
    recipient: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """One message as the service has it."""

    id: str
    recipient: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The figures.

    Attributes:
        asked: messages asked for: one by each call, and one by all calls with the same key.
        keyed: how many of them by calls with a key.
        long: how many of them in several parts.
        repetitions: calls that were made again with the same key.
        answers: what the callers were told.
        parts: parts asked for, of all messages.
        stored: parts on the server.
        ends: messages by the type of their final event.
        lost: messages of calls that were answered, of which the service does not have all, and no event says so.
        doubled: parts on the server, or messages told of, beyond what was asked for.
        missing: events that should have been told and were not.
        repeated: events that were told again.
        contradicted: messages with two different ends, or whose callers were told of another one than everybody.
    """

    asked: int
    keyed: int
    long: int
    repetitions: int
    answers: Mapping[Answer, int]
    parts: int
    stored: int
    ends: Mapping[str, int]
    lost: int
    doubled: int
    missing: int
    repeated: int
    contradicted: int
    details: tuple[str, ...]

    def is_good(self, kills: int) -> bool:
        """Tell if every promise was kept; a kill may repeat an event, nothing else may."""
        return not (self.lost or self.doubled or self.missing or self.contradicted) and self.repeated <= kills


def judge(
    answers: Sequence[tuple[Ask, Answer]],
    stored: Sequence[Stored],
    told: Sequence[Told],
    recalled: Sequence[Recalled],
    account: str,
) -> Verdict:
    """Hold the calls, the service and the events against each other.

    Args:
        answers: the calls, and what their callers were told.
        stored: what the service has.
        told: what the event entities told, in order.
        recalled: the calls that were made again when all was over.
        account: the event entity of the account; all others are the recipients'.
    """
    events = [each for each in told if each.entity_id == account]
    groups: defaultdict[tuple[str, str], _Group] = defaultdict(_Group)
    places: dict[tuple[str, str], tuple[str, int]] = {}
    for ask, answer in answers:
        groups[ask.recipient, ask.text].take_answer(ask, answer)
        places |= {(ask.recipient, part): (ask.text, place) for place, part in enumerate(ask.parts)}
    for message in stored:
        text, place = places.get((message.recipient, message.text), (message.text, 0))
        groups[message.recipient, text].stored.append((place, message.id))
    for event in events:
        groups[event.recipient, event.text].take_event(event)
    for again in recalled:
        groups[again.ask.recipient, again.ask.text].recalled.append((again.status, again.ids))
    times = Counter((event.key, event.type) for event in events)
    mirrored = {(event.key, event.type) for event in told if event.entity_id != account}
    unlike = mirrored ^ set(times)
    asks = {group.ask: group.asked for group in groups.values() if group.ask}
    return Verdict(
        asked=sum(asks.values()),
        keyed=sum(asked for ask, asked in asks.items() if ask.key),
        long=sum(asked for ask, asked in asks.items() if len(ask.parts) > 1),
        repetitions=len(answers) + len(recalled) - sum(asks.values()),
        answers=Counter(answer for _, answer in answers),
        parts=sum(asked * len(ask.parts) for ask, asked in asks.items()),
        stored=len(stored),
        ends=Counter(end for group in groups.values() for ends in group.ends.values() for end, _ in ends),
        lost=sum(group.lost for group in groups.values()),
        doubled=sum(group.doubled for group in groups.values()),
        missing=sum(group.missing for group in groups.values()) + len(unlike),
        repeated=times.total() - len(times),
        contradicted=sum(group.contradicted for group in groups.values()),
        details=tuple(_details(groups.items(), unlike)),
    )


class _Group:
    """Everything about one text to one recipient, which may have been sent several times."""

    def __init__(self) -> None:
        self.ask: Ask | None = None
        self.answers: Counter[Answer] = Counter()
        # Places of parts, and ids.
        self.stored: list[tuple[int, str]] = []
        # The types and the ids of the final events, by the keys of the messages.
        self.ends: defaultdict[str, set[tuple[str, tuple[str, ...]]]] = defaultdict(set)
        self.told: defaultdict[str, set[str]] = defaultdict(set)
        self.named: set[tuple[int, str]] = set()
        self.recalled: list[tuple[str, tuple[str, ...]]] = []

    def take_answer(self, ask: Ask, answer: Answer) -> None:
        """Take a call in."""
        self.ask = ask
        self.answers[answer] += 1

    def take_event(self, event: Told) -> None:
        """Take an event in."""
        self.told[event.key].add(event.type)
        self.named.update(enumerate(event.ids))
        if event.type in FINAL:
            self.ends[event.key].add((event.type, event.ids))

    @property
    def asked(self) -> int:
        """How many messages there are at the most."""
        return self._messages(*Answer)

    @property
    def answered(self) -> int:
        """How many messages callers were told anything of: each of these has an end."""
        return self._messages(Answer.TAKEN, Answer.FAILED)

    @property
    def lost(self) -> int:
        """How many messages are awaited in vain."""
        explained = self._ended(FINAL - TAKEN)
        return max(0, self.answered - min(self._copies) - explained)

    @property
    def doubled(self) -> int:
        """How many more there are than were asked for."""
        return max(sum(max(0, copies - self.asked) for copies in self._copies), len(self.told) - self.asked)

    @property
    def missing(self) -> int:
        """How many events nobody heard."""
        ends = max(0, self.answered - len(self.ends), len(self.told) - len(self.ends))
        begins = sum(
            "accepted" not in self.told[key] for key, ends in self.ends.items() if any(end in TAKEN for end, _ in ends)
        )
        # A part of a message that ended unconfirmed may be on the server; every other one has an event that names it.
        unnamed = max(0, len(set(self.stored) - self.named) - self._ended({"unconfirmed"}))
        # And what was told of was there.
        invented = len(self.named - set(self.stored))
        return ends + begins + unnamed + invented

    @property
    def contradicted(self) -> int:
        """How many messages have two ends."""
        different = sum(len({end for end, _ in ends}) > 1 for ends in self.ends.values())
        # There are fewer messages that did not arrive than callers who were told so.
        failed = self._messages(Answer.FAILED)
        called_failed = min(failed, max(0, failed + self._ended({"delivered"}) - self.asked))
        told = {end for ends in self.ends.values() for end in ends}
        return different + called_failed + sum(recalled not in told for recalled in self.recalled)

    @property
    def is_good(self) -> bool:
        """Tell if all is as it should be."""
        return not (self.lost or self.doubled or self.missing or self.contradicted)

    @property
    def _copies(self) -> list[int]:
        """Return how often the service has each part."""
        copies = Counter(place for place, _ in self.stored)
        return [copies[place] for place in range(len(self.ask.parts) if self.ask else 1)]

    def _messages(self, *answers: Answer) -> int:
        """Return how many messages these answers are about: all calls with a key are about the same."""
        calls = sum(self.answers[answer] for answer in answers)
        return min(calls, 1) if self.ask and self.ask.key else calls

    def _ended(self, types: AbstractSet[str]) -> int:
        """Return how many messages have one of these ends."""
        return sum(any(end in types for end, _ in ends) for ends in self.ends.values())

    @override
    def __str__(self) -> str:
        again = f", called again {self.recalled}" if self.recalled else ""
        return f"answers {dict(self.answers)}, on the server {self.stored}, told {dict(self.told)}{again}"


def _details(groups: Iterable[tuple[tuple[str, str], _Group]], unlike: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Say what is wrong with which message."""
    for (recipient, text), group in groups:
        if not group.is_good:
            yield f"{shorten(text, WIDTH)!r} to {recipient}: {group}"
    for key, kind in unlike:
        yield f"{key}: the account's event entity and the recipient's do not agree on {kind!r}"
