"""The messages of an account in one list: what waits here, what ended, and what GoSMS.ru has, newest first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from ..api import Message, known_statuses
from ..outbox import OutgoingMessage, SendResult
from ..permissions import Rights
from ..text import count_segments
from .recipients import VisibleRecipient
from .texts import Texts

type Row = dict[str, Any]
type Source = OutgoingMessage | Message


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A message that a user may read.

    Attributes:
        created: when it was requested, or created at GoSMS.ru, in Unix seconds.
        key: the key of its row, unique among all messages of the account.
        source: the message.
        recipient: who it is for, if that is a recipient of the account.
        may_send: whether the user may send to that number.
        may_cancel: whether the user may cancel it.
    """

    created: float
    key: str
    source: Source
    recipient: VisibleRecipient | None
    may_send: bool
    may_cancel: bool

    @property
    def order(self) -> tuple[float, str]:
        """Return what the list is sorted by."""
        return self.created, self.key


def find_messages(rights: Rights, recipients: list[VisibleRecipient]) -> Iterator[Found]:
    """Yield the messages of an account that a user may read: what Home Assistant sent, then what others did."""
    data = rights.entry.runtime_data
    by_id = {recipient.id: recipient for recipient in recipients}
    by_number = {recipient.phone_number: recipient for recipient in recipients}
    may_read_account, may_send_numbers = rights.may_read_account, rights.may_send_numbers

    def found(created: float, key: str, source: Source, recipient: VisibleRecipient | None) -> Iterator[Found]:
        """Yield a message, if the user may read it."""
        if recipient.is_readable if recipient else may_read_account:
            yield Found(
                created=created,
                key=key,
                source=source,
                recipient=recipient,
                may_send=recipient.entity_id is not None if recipient else may_send_numbers,
                may_cancel=may_send_numbers,
            )

    page = data.coordinator.data.messages
    statuses = known_statuses(page)
    claimed: set[str] = set()
    for message in chain(data.outbox.messages, data.outbox.ended):
        claimed.update(message.ids)
        recipient = by_id.get(message.recipient or "") or by_number.get(message.phone_number)
        yield from found(data.outbox.unix_time(message.created), message.key, message.correct(statuses), recipient)
    created = data.outbox.unix_time(rights.hass.loop.time())
    for listed in page:
        # The page is sorted, so a message without a time gets that of the one before it.
        created = listed.created.timestamp() if listed.created else created
        if listed.id not in claimed:
            yield from found(created, f"gosms:{listed.id}", listed, by_number.get(listed.phone_number))


class RowBuilder:
    """Builds the rows of messages. A row is built again only if its message has changed."""

    def __init__(self, texts: Texts) -> None:
        """Start without any row."""
        self._texts = texts
        self._known: dict[str, tuple[Found, Row]] = {}

    def rows(self, messages: Iterable[Found]) -> dict[str, Row]:
        """Return the rows of messages by their keys."""
        known, self._known = self._known, {}
        for found in messages:
            before = known.get(found.key)
            self._known[found.key] = before if before and before[0] == found else (found, self._row(found))
        return {key: row for key, (_, row) in self._known.items()}

    def _row(self, found: Found) -> Row:
        """Return the row of a message."""
        source, recipient = found.source, found.recipient
        return {
            "key": found.key,
            "phone_number": source.phone_number or None,
            "recipient": recipient and recipient.name,
            "recipient_id": recipient and recipient.id,
            "message": source.text,
            "created": _iso(found.created),
            **(self._own(source, found.created) if isinstance(source, OutgoingMessage) else self._other(source)),
            "can_cancel": found.may_cancel and isinstance(source, OutgoingMessage) and source.can_be_cancelled,
            "can_resend": found.may_send and isinstance(source, OutgoingMessage) and source.state.is_failure,
        }

    def _own(self, message: OutgoingMessage, created: float) -> Row:
        """Return what is known of a message that Home Assistant sent at a time, in Unix seconds."""
        offset = created - message.created
        failure = SendResult.of(message).failure
        return {
            "status": message.status,
            "status_text": self._texts.status(message.status),
            "finished": None if message.finished is None else _iso(message.finished + offset),
            "tag": message.tag,
            "attempts": message.attempts,
            "segments": sum(count_segments(part.text) for part in message.parts),
            "parts": [
                self._part(part.id, part.text, None if part.status is None else part.status.key)
                for part in message.parts
            ],
            "steps": [
                {"type": step.type, "text": self._texts.event(step.type), "time": _iso(step.time + offset)}
                for step in message.steps
            ],
            "error": failure and failure.key,
            "error_text": failure and self._texts.failure(failure),
        }

    def _other(self, message: Message) -> Row:
        """Return what is known of a message that somebody else sent."""
        return {
            "status": message.status_name,
            "status_text": self._texts.status(message.status_name),
            "finished": None,
            "tag": None,
            "attempts": None,
            "segments": count_segments(message.text),
            "parts": [self._part(message.id, message.text, message.status_name)],
            "steps": [],
            "error": None,
            "error_text": None,
        }

    def _part(self, message_id: str | None, text: str, status: str | None) -> Row:
        """Return a part of a message."""
        return {"id": message_id, "text": text, "status": status, "status_text": self._texts.status(status)}


def _iso(timestamp: float) -> str:
    """Return a Unix time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds")
