"""What a run of chaos showed: the calls, the service and the events, held against each other. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, override

from .crowd import Answer, Ask

FINAL: Final = frozenset({"delivered", "send_failed", "delivery_failed", "refused", "expired", "unconfirmed"})
# Ends of a message that the service has, which it had to take first.
TAKEN: Final = frozenset({"delivered", "send_failed", "delivery_failed"})


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
        asked: calls made.
        answers: what their callers were told.
        stored: messages on the server.
        ends: messages by the type of their final event.
        lost: calls that succeeded, and the service has no message for them, and no event says so.
        doubled: messages on the server beyond the calls for them.
        missing: events that should have been told and were not.
        repeated: events that were told again.
        contradicted: messages with two different ends.
    """

    asked: int
    answers: Mapping[Answer, int]
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
    answers: Sequence[tuple[Ask, Answer]], stored: Sequence[Stored], told: Sequence[Told], account: str
) -> Verdict:
    """Hold the calls, the service and the events against each other.

    Args:
        answers: the calls, and what their callers were told.
        stored: what the service has.
        told: what the event entities told, in order.
        account: the event entity of the account; all others are the recipients'.
    """
    events = [each for each in told if each.entity_id == account]
    groups: defaultdict[Ask, _Group] = defaultdict(_Group)
    for ask, answer in answers:
        groups[ask].answers[answer] += 1
    for message in stored:
        groups[Ask(recipient=message.recipient, text=message.text)].ids.append(message.id)
    for event in events:
        groups[Ask(recipient=event.recipient, text=event.text)].take(event)
    times = Counter((event.key, event.type) for event in events)
    mirrored = {(event.key, event.type) for event in told if event.entity_id != account}
    unlike = mirrored ^ set(times)
    return Verdict(
        asked=len(answers),
        answers=Counter(answer for _, answer in answers),
        stored=len(stored),
        ends=Counter(end for group in groups.values() for ends in group.ends.values() for end in ends),
        lost=sum(group.lost for group in groups.values()),
        doubled=sum(group.doubled for group in groups.values()),
        missing=sum(group.missing for group in groups.values()) + len(unlike),
        repeated=times.total() - len(times),
        contradicted=sum(len(ends) > 1 for group in groups.values() for ends in group.ends.values()),
        details=tuple(_details(groups.items(), unlike)),
    )


class _Group:
    """Everything about one text to one recipient, which may have been sent several times."""

    def __init__(self) -> None:
        self.answers: Counter[Answer] = Counter()
        self.ids: list[str] = []
        self.ends: defaultdict[str, set[str]] = defaultdict(set)
        self.told: defaultdict[str, set[str]] = defaultdict(set)
        self.named: set[str] = set()

    def take(self, event: Told) -> None:
        """Take an event in."""
        self.told[event.key].add(event.type)
        self.named.update(event.ids)
        if event.type in FINAL:
            self.ends[event.key].add(event.type)

    @property
    def answered(self) -> int:
        """How many callers were told anything: each of these calls has a message with an end."""
        return self.answers.total() - self.answers[Answer.CUT]

    @property
    def lost(self) -> int:
        """How many callers wait in vain."""
        explained = sum(not ends & TAKEN for ends in self.ends.values())
        return max(0, self.answered - len(self.ids) - explained)

    @property
    def doubled(self) -> int:
        """How many more the service has than were asked for."""
        return max(0, len(self.ids) - self.answers.total())

    @property
    def missing(self) -> int:
        """How many events nobody heard."""
        ends = max(0, self.answered - len(self.ends), len(self.told) - len(self.ends))
        begins = sum("accepted" not in self.told[key] for key, end in self.ends.items() if end & TAKEN)
        # A message that ended unconfirmed may be on the server; every other one there has an event that names it.
        unconfirmed = sum("unconfirmed" in end for end in self.ends.values())
        unnamed = max(0, len(set(self.ids) - self.named) - unconfirmed)
        # And what was told of was there.
        invented = len(self.named - set(self.ids))
        return ends + begins + unnamed + invented

    @override
    def __str__(self) -> str:
        return f"answers {dict(self.answers)}, on the server {self.ids}, told {dict(self.told)}"


def _details(groups: Iterable[tuple[Ask, _Group]], unlike: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Say what is wrong with which message."""
    for ask, group in groups:
        if group.lost or group.doubled or group.missing or any(len(ends) > 1 for ends in group.ends.values()):
            yield f"{ask.text!r} to {ask.recipient}: {group}"
    for key, kind in unlike:
        yield f"{key}: the account's event entity and the recipient's do not agree on {kind!r}"
