"""The status of a recipient: that of the newest message to the number, whoever sent it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.helpers.restore_state import ExtraStoredData
from homeassistant.util.ulid import ulid_now

from ..api import Message, MessagePage, MessageStatus, known_statuses
from ..const import CONF_PHONE_NUMBER
from ..outbox import OutgoingMessage, State

# Remembered ids of messages on the server that are older than ours.
_MAX_OLDER: Final = 20

# Statuses that only the service can change.
_ON_SERVER: Final = {status.key for status in MessageStatus if not status.is_final}

_FAILURES: Final = (MessageStatus.SEND_FAILED, MessageStatus.DELIVERY_FAILED)
_ENDS: Final = {status.key for status in (MessageStatus.DELIVERED, *_FAILURES)}


class RecipientStatus(ExtraStoredData):
    """The newest message that Home Assistant sent to a recipient, compared with the newest one on the server.

    Only Home Assistant knows messages that are queued or were refused. Only the service knows messages that were sent
    by other means. The newer one counts.
    """

    def __init__(self, recipient: ConfigSubentry) -> None:
        """Start without any message."""
        self._recipient = recipient
        self._key = ""
        # By the event loop's clock. None if an earlier run created the message, and the history no longer has it.
        self._created: float | None = None
        self._status: str | None = None
        self._ids: list[str] = []
        # Messages on the server that are older than ours: only one that is not among them is newer.
        self._older_ids: list[str] = []

    def update(self, message: OutgoingMessage, page: MessagePage) -> None:
        """Update the status by a message that Home Assistant sends or sent to this recipient.

        A message that is sent right away is not shown as queued first, which would add a row to the database for each
        message.
        """
        if message.status == State.QUEUED and not message.is_waiting_for_retry:
            return
        if message.key != self._key:
            if self._is_older(message):
                self._remember_older(message.ids)
                return
            previous = self._newest_on_server(page)
            self._remember_older([*self._ids, *([previous.id] if previous and previous.id not in message.ids else [])])
        self._created, self._key = message.created, message.key
        self._status = message.status
        self._ids = list(message.ids)

    def reset(self, now: float) -> None:
        """Forget the messages, since the number is another one. Those created before now count as older.

        The time is that of the event loop's clock.
        """
        self._key, self._created = ulid_now(), now
        self._status = None
        self._ids, self._older_ids = [], []

    def newest(self, page: MessagePage) -> str | None:
        """Return the status of the newest message, or None if there is no message, or its status is not documented."""
        on_server = self._newest_on_server(page)
        if on_server and on_server.id in self._ids:
            return self._corrected(page)
        if self._is_own(on_server):
            return self._status
        return on_server.status_name if on_server else None

    def needs_service(self, page: MessagePage) -> bool:
        """Return whether only the service knows the current status of the newest message."""
        on_server = self._newest_on_server(page)
        is_own = self._is_own(on_server) or (on_server is not None and on_server.id in self._ids)
        return not is_own or self.newest(page) in _ON_SERVER

    def _is_own(self, on_server: Message | None) -> bool:
        """Return whether our message is newer than the newest one on the server."""
        return self._status is not None and (on_server is None or on_server.id in self._older_ids)

    def _is_older(self, message: OutgoingMessage) -> bool:
        """Return whether a message is older than the newest one.

        It compares times of the monotonic clock, if they are known: keys contain the time of the wall clock, which may
        have been set back.
        """
        if self._created is None:
            return message.key < self._key
        return (message.created, message.key) < (self._created, self._key)

    def _remember_older(self, ids: Iterable[str]) -> None:
        """Remember messages on the server that are older than ours."""
        self._older_ids = [*dict.fromkeys([*self._older_ids, *ids])][-_MAX_OLDER:]

    def _corrected(self, page: MessagePage) -> str | None:
        """Return the status of our message. The service may have corrected it after the message was finished."""
        if self._status not in _ENDS:
            return self._status
        statuses = known_statuses(page.messages)
        parts = [statuses[part] for part in self._ids if part in statuses]
        if len(parts) < len(self._ids):
            return self._status
        failed = next((status for status in parts if status in _FAILURES), None)
        return (min(parts) if failed is None else failed).key

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return the data to restore."""
        return {"key": self._key, "status": self._status, "ids": self._ids, "older": self._older_ids}

    def restore(self, stored: Mapping[str, Any], own: Iterable[OutgoingMessage], page: MessagePage) -> None:
        """Restore the data of an earlier run, and update it by the messages to this recipient that the outbox knows."""
        messages = {message.key: message for message in sorted(own, key=lambda message: message.created)}
        self._key = stored.get("key") or ""
        self._status = stored.get("status")
        self._ids = stored.get("ids") or []
        self._older_ids = stored.get("older") or []
        if known := messages.get(self._key):
            self._created = known.created
        for message in messages.values():
            self.update(message, page)

    def _newest_on_server(self, page: MessagePage) -> Message | None:
        """Return the newest message to the number on the server, or None."""
        number = self._recipient.data[CONF_PHONE_NUMBER]
        return next((message for message in page.messages if message.phone_number == number), None)
