"""The invariants of a chaos run: compares the calls, the service's messages and the events. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass
from textwrap import shorten
from typing import Final, override

from custom_components.gosms.api import MessageStatus
from custom_components.gosms.outbox import State

from .load import CallOutcome, PlannedCall, RepeatedCall

FINAL_STATES: Final = frozenset(state.value for state in State if state.is_final)
# The final states of messages that the service accepted.
ACCEPTED_STATES: Final = frozenset({State.DELIVERED.value, State.SEND_FAILED.value, State.DELIVERY_FAILED.value})
# The status on the server that each of them needs: all parts, or one of them.
DELIVERED: Final = MessageStatus.DELIVERED
FAILURES: Final = {
    State.SEND_FAILED.value: MessageStatus.SEND_FAILED,
    State.DELIVERY_FAILED.value: MessageStatus.DELIVERY_FAILED,
}

# Characters of a text that a report shows; its number is at the start.
WIDTH: Final = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedEvent:
    """One event of an event entity.

    Attributes:
        key: identifies the message, and is in none of its attributes.
        entity_id: the entity.
        type: the type of the event.
        ids: the ids of the parts.
        recipient: the phone number.
        text: the whole text.
        is_stored: whether the disk took that it was fired, so that no kill may repeat it.
        is_at_risk: whether a kill, or a restored backup, may have forgotten that it was fired.
    """

    key: str
    entity_id: str
    type: str
    ids: tuple[str, ...]
    recipient: str
    text: str
    is_stored: bool = True
    is_at_risk: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerMessage:
    """One message as the service has stored it."""

    id: str
    recipient: str
    text: str
    status: MessageStatus = MessageStatus.DELIVERED


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The result of a check.

    Attributes:
        messages: expected messages: one for each call, and one for all calls with the same key.
        keyed: how many of them have a key.
        multipart: how many of them have several parts.
        repetitions: calls that repeated an earlier one with the same key.
        outcomes: calls by their outcome.
        parts: expected parts of all messages.
        server_parts: parts on the server.
        final_states: messages by their final state.
        lost: messages of answered calls that the service does not have in full, and no event says so.
        duplicated: parts on the server, or messages with events, beyond the expected ones.
        missing: events that should have been fired and were not.
        unended: those of them that are the end of a message.
        repeated: events that were fired again.
        wrongly_repeated: those of them that were stored as fired.
        contradictory: messages with two final states, with an outcome for the caller that differs from the events, or
            with an end that is not that on the server.
        at_risk: messages of which a kill with a full disk, or a restored backup, may have forgotten everything.
        forgotten: what of these would otherwise count as lost, missing or contradictory. They too are sent once.
        files: files that hold a number when everything has ended.
    """

    messages: int
    keyed: int
    multipart: int
    repetitions: int
    outcomes: Mapping[CallOutcome, int]
    parts: int
    server_parts: int
    final_states: Mapping[str, int]
    lost: int
    duplicated: int
    missing: int
    unended: int
    repeated: int
    wrongly_repeated: int
    contradictory: int
    at_risk: int
    forgotten: int
    files: int
    details: tuple[str, ...]

    @property
    def has_passed(self) -> bool:
        """Return whether every invariant held."""
        return not any(
            (self.lost, self.duplicated, self.missing, self.wrongly_repeated, self.contradictory, self.files)
        )


def check(
    outcomes: Sequence[tuple[PlannedCall, CallOutcome]],
    server_messages: Sequence[ServerMessage],
    recorded: Sequence[RecordedEvent],
    repeated_calls: Sequence[RepeatedCall],
    account_entity_id: str,
    *,
    at_risk: Collection[PlannedCall] = (),
    files: Sequence[str] = (),
) -> Report:
    """Compare the calls, the service's messages and the events.

    Args:
        outcomes: the calls, each with its outcome.
        server_messages: the messages on the server.
        recorded: the events of all event entities, in order.
        repeated_calls: the calls that were repeated at the end of the run.
        account_entity_id: the event entity of the account; all others belong to recipients.
        at_risk: the calls that were made while a kill could forget everything.
        files: the names of files that hold a number although everything has ended.
    """
    events = [event for event in recorded if event.entity_id == account_entity_id]
    groups: defaultdict[tuple[str, str], _Group] = defaultdict(_Group)
    indexes: dict[tuple[str, str], tuple[str, int]] = {}
    for call, outcome in outcomes:
        groups[call.recipient, call.text].add_outcome(call, outcome)
        indexes |= {(call.recipient, part): (call.text, index) for index, part in enumerate(call.parts)}
    for message in server_messages:
        text, index = indexes.get((message.recipient, message.text), (message.text, 0))
        groups[message.recipient, text].add_part(index, message)
    for event in events:
        groups[event.recipient, event.text].add_event(event)
    for repeated in repeated_calls:
        groups[repeated.call.recipient, repeated.call.text].repeated_calls.append((repeated.status, repeated.ids))
    for call in at_risk:
        groups[call.recipient, call.text].is_at_risk = True
    times = Counter((event.key, event.type) for event in events)
    wrongly_repeated = _wrongly_repeated(events)
    of_recipients = {(event.key, event.type) for event in recorded if event.entity_id != account_entity_id}
    unequal = of_recipients ^ set(times)
    calls = {group.call: group.messages for group in groups.values() if group.call}
    return Report(
        messages=sum(calls.values()),
        keyed=sum(messages for call, messages in calls.items() if call.key),
        multipart=sum(messages for call, messages in calls.items() if len(call.parts) > 1),
        repetitions=len(outcomes) + len(repeated_calls) - sum(calls.values()),
        outcomes=Counter(outcome for _, outcome in outcomes),
        parts=sum(messages * len(call.parts) for call, messages in calls.items()),
        server_parts=len(server_messages),
        final_states=Counter(
            state for group in groups.values() for finals in group.final_events.values() for state, _ in finals
        ),
        lost=sum(group.lost for group in groups.values() if not group.is_at_risk),
        duplicated=sum(group.duplicated for group in groups.values()),
        missing=sum(group.missing for group in groups.values() if not group.is_at_risk) + len(unequal),
        unended=sum(group.unended for group in groups.values() if not group.is_at_risk),
        repeated=times.total() - len(times),
        wrongly_repeated=len(wrongly_repeated),
        contradictory=sum(group.contradictory for group in groups.values() if not group.is_at_risk),
        at_risk=sum(group.messages for group in groups.values() if group.is_at_risk),
        forgotten=sum(
            group.lost + group.missing + group.contradictory for group in groups.values() if group.is_at_risk
        ),
        files=len(files),
        details=(
            *_details(groups.items(), unequal),
            *(f"{event.key}: {event.type!r} was stored as fired, and fired again" for event in wrongly_repeated),
            *(f"{file}: holds a number" for file in files),
        ),
    )


def _wrongly_repeated(events: Iterable[RecordedEvent]) -> list[RecordedEvent]:
    """Return the events that were fired although an earlier run had stored that they were."""
    stored: set[tuple[str, str]] = set()
    repeated: list[RecordedEvent] = []
    for event in events:
        if (event.key, event.type) in stored:
            repeated.append(event)
        if event.is_stored and not event.is_at_risk:
            stored.add((event.key, event.type))
    return repeated


class _Group:
    """Everything about one text to one recipient, which may have been sent several times."""

    def __init__(self) -> None:
        self.call: PlannedCall | None = None
        self.is_at_risk = False
        self.outcomes: Counter[CallOutcome] = Counter()
        # The index and the id of each part.
        self.server_parts: list[tuple[int, str]] = []
        self.statuses: dict[str, MessageStatus] = {}
        # The types and ids of the final events, by the keys of the messages.
        self.final_events: defaultdict[str, set[tuple[str, tuple[str, ...]]]] = defaultdict(set)
        self.event_types: defaultdict[str, set[str]] = defaultdict(set)
        # The index and the id of each part in an event.
        self.event_parts: set[tuple[int, str]] = set()
        self.repeated_calls: list[tuple[str, tuple[str, ...]]] = []

    def add_outcome(self, call: PlannedCall, outcome: CallOutcome) -> None:
        """Add a call."""
        self.call = call
        self.outcomes[outcome] += 1

    def add_part(self, index: int, message: ServerMessage) -> None:
        """Add a part on the server."""
        self.server_parts.append((index, message.id))
        self.statuses[message.id] = message.status

    def add_event(self, event: RecordedEvent) -> None:
        """Add an event."""
        self.is_at_risk |= event.is_at_risk
        self.event_types[event.key].add(event.type)
        self.event_parts.update(enumerate(event.ids))
        if event.type in FINAL_STATES:
            self.final_events[event.key].add((event.type, event.ids))

    @property
    def messages(self) -> int:
        """The maximum number of messages."""
        return self._messages(*CallOutcome)

    @property
    def answered(self) -> int:
        """The number of messages of answered calls: each of these has a final event."""
        return self._messages(CallOutcome.SUCCEEDED, CallOutcome.UNCERTAIN, CallOutcome.FAILED)

    @property
    def lost(self) -> int:
        """The number of messages that are neither on the server nor reported as not sent."""
        explained = self._with_final_event(FINAL_STATES - ACCEPTED_STATES)
        return max(0, self.answered - min(self._copies) - explained)

    @property
    def duplicated(self) -> int:
        """The number of parts or messages beyond the expected ones."""
        if self.is_at_risk and self.call and self.call.key:
            # A key that was forgotten protects from nothing.
            return 0
        return max(
            sum(max(0, copies - self.messages) for copies in self._copies), len(self.event_types) - self.messages
        )

    @property
    def missing(self) -> int:
        """The number of events that were not fired."""
        accepted = sum(
            State.ACCEPTED not in self.event_types[key]
            for key, finals in self.final_events.items()
            if any(state in ACCEPTED_STATES for state, _ in finals)
        )
        # A part of an unconfirmed message may be on the server; every other part has an event with its id.
        unconfirmed = self._with_final_event({State.UNCONFIRMED})
        without_event = max(0, len(set(self.server_parts) - self.event_parts) - unconfirmed)
        # Every part in an event is on the server.
        not_on_server = len(self.event_parts - set(self.server_parts))
        return self.unended + accepted + without_event + not_on_server

    @property
    def unended(self) -> int:
        """The number of messages without a final event."""
        return max(0, self.answered - len(self.final_events), len(self.event_types) - len(self.final_events))

    @property
    def contradictory(self) -> int:
        """The number of messages with two different outcomes."""
        different = sum(len({state for state, _ in finals}) > 1 for finals in self.final_events.values())
        # Every call that failed has a message of its own that was not delivered.
        failed = self._messages(CallOutcome.FAILED)
        wrongly_failed = min(failed, max(0, failed + self._with_final_event({State.DELIVERED}) - self.messages))
        final = {event for finals in self.final_events.values() for event in finals}
        untrue = sum(not self._is_true(*event) for event in final)
        return different + wrongly_failed + untrue + sum(repeated not in final for repeated in self.repeated_calls)

    def _is_true(self, state: str, ids: tuple[str, ...]) -> bool:
        """Return whether the server says of these parts what a final event says; `missing` counts those it lacks."""
        statuses = [self.statuses[message_id] for message_id in ids if message_id in self.statuses]
        if state == State.DELIVERED:
            return all(status is DELIVERED for status in statuses)
        return state not in FAILURES or FAILURES[state] in statuses or not statuses

    @property
    def has_passed(self) -> bool:
        """Return whether every invariant held."""
        return not (self.duplicated or (not self.is_at_risk and (self.lost or self.missing or self.contradictory)))

    @property
    def _copies(self) -> list[int]:
        """The number of copies of each part on the server."""
        copies = Counter(index for index, _ in self.server_parts)
        return [copies[index] for index in range(len(self.call.parts) if self.call else 1)]

    def _messages(self, *outcomes: CallOutcome) -> int:
        """Return the number of messages of calls with these outcomes: all calls with a key are one message."""
        calls = sum(self.outcomes[outcome] for outcome in outcomes)
        return min(calls, 1) if self.call and self.call.key else calls

    def _with_final_event(self, states: AbstractSet[str]) -> int:
        """Return the number of messages with one of these final states."""
        return sum(any(state in states for state, _ in finals) for finals in self.final_events.values())

    @override
    def __str__(self) -> str:
        repeated = f", repeated calls {self.repeated_calls}" if self.repeated_calls else ""
        outcomes = {outcome.value: count for outcome, count in self.outcomes.items()}
        risk = ", at risk" if self.is_at_risk else ""
        return (
            f"outcomes {outcomes}, on the server {self.server_parts}, events {dict(self.event_types)}{repeated}{risk}"
        )


def _details(groups: Iterable[tuple[tuple[str, str], _Group]], unequal: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Yield a line about each violation."""
    for (recipient, text), group in groups:
        if not group.has_passed:
            yield f"{shorten(text, WIDTH)!r} to {recipient}: {group}"
    for key, kind in unequal:
        yield f"{key}: the event entities of account and recipient differ on {kind!r}"
