"""The invariants of a chaos run: compares the calls, the service's messages and the events. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Final

from .load import CallOutcome, PlannedCall, RepeatedCall
from .message_group import MessageGroup
from .observations import RecordedEvent, ServerMessage

# Characters of a text that a report shows; its number is at the start.
WIDTH: Final = 40


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
    groups = _groups(outcomes, server_messages, events, repeated_calls, at_risk)
    safe = [group for group in groups.values() if not group.is_at_risk]
    risky = [group for group in groups.values() if group.is_at_risk]
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
        lost=sum(group.lost for group in safe),
        duplicated=sum(group.duplicated for group in groups.values()),
        missing=sum(group.missing for group in safe) + len(unequal),
        unended=sum(group.unended for group in safe),
        repeated=times.total() - len(times),
        wrongly_repeated=len(wrongly_repeated),
        contradictory=sum(group.contradictory for group in safe),
        at_risk=sum(group.messages for group in risky),
        forgotten=sum(group.lost + group.missing + group.contradictory for group in risky),
        files=len(files),
        details=(
            *_details(groups.items(), unequal),
            *(f"{event.key}: {event.type!r} was stored as fired, and fired again" for event in wrongly_repeated),
            *(f"{file}: holds a number" for file in files),
        ),
    )


def _groups(
    outcomes: Iterable[tuple[PlannedCall, CallOutcome]],
    server_messages: Iterable[ServerMessage],
    events: Iterable[RecordedEvent],
    repeated_calls: Iterable[RepeatedCall],
    at_risk: Iterable[PlannedCall],
) -> Mapping[tuple[str, str], MessageGroup]:
    """Return everything by recipient and text."""
    groups: defaultdict[tuple[str, str], MessageGroup] = defaultdict(MessageGroup)
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
    return groups


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


def _details(
    groups: Iterable[tuple[tuple[str, str], MessageGroup]], unequal: Iterable[tuple[str, str]]
) -> Iterable[str]:
    """Yield a line about each violation."""
    for (recipient, text), group in groups:
        if not group.has_passed:
            yield f"{shorten(text, WIDTH)!r} to {recipient}: {group}"
    for key, kind in unequal:
        yield f"{key}: the event entities of account and recipient differ on {kind!r}"
