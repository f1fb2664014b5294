"""The invariants of the messages with one text to one recipient. Pure."""

from collections import Counter, defaultdict
from collections.abc import Set as AbstractSet
from typing import Final, override

from custom_components.gosms.api import MessageStatus
from custom_components.gosms.outbox import State

from .load import CallOutcome, PlannedCall
from .observations import RecordedEvent, ServerMessage

FINAL_STATES: Final = frozenset(state.value for state in State if state.is_final)
# The final states of messages that the service accepted.
ACCEPTED_STATES: Final = frozenset({State.DELIVERED.value, State.SEND_FAILED.value, State.DELIVERY_FAILED.value})
# The status on the server that each of them needs: all parts, or one of them.
DELIVERED: Final = MessageStatus.DELIVERED
FAILURES: Final = {
    State.SEND_FAILED.value: MessageStatus.SEND_FAILED,
    State.DELIVERY_FAILED.value: MessageStatus.DELIVERY_FAILED,
}


class MessageGroup:
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
