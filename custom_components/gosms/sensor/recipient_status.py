"""The status of a recipient: that of the newest message to the number, whoever sent it."""

from typing import Any, Final, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.helpers.restore_state import ExtraStoredData

from ..api import Message, MessagePage, MessageStatus
from ..const import CONF_PHONE_NUMBER
from ..outbox import OutgoingMessage, State

_FAILURES: Final = (MessageStatus.SEND_FAILED, MessageStatus.DELIVERY_FAILED)
_ENDS: Final = {status.name.lower() for status in (MessageStatus.DELIVERED, *_FAILURES)}


class RecipientStatus(ExtraStoredData):
    """The newest message that Home Assistant sent to a recipient, compared with the newest one on the server.

    Only Home Assistant knows messages that are queued or were refused. Only the service knows messages that were sent
    by other means. The newer one counts.
    """

    def __init__(self, recipient: ConfigSubentry) -> None:
        """Start without any message."""
        self._recipient = recipient
        self._key = ""
        self._created = float("-inf")
        self._status: str | None = None
        self._ids: list[str] = []
        # The newest message on the server before ours: only a message that comes after it is newer than ours.
        self._previous_id: str | None = None

    def update(self, message: OutgoingMessage, page: MessagePage) -> None:
        """Update the status by a message that Home Assistant sends.

        A message that is sent right away is not shown as queued first, which would add a row to the database for each
        message.
        """
        if message.status == State.QUEUED and not message.is_waiting_for_retry:
            return
        # By the monotonic clock first: keys are ordered by a clock that may have been set back.
        order = message.created, message.key
        if message.recipient != self._recipient.subentry_id or order < (self._created, self._key):
            return
        if message.key != self._key:
            previous = self._newest_on_server(page)
            self._previous_id = previous.id if previous and previous.id not in message.ids else None
        self._created, self._key = order
        self._status = message.status
        self._ids = list(message.ids)

    def restore_message(self, message: OutgoingMessage, page: MessagePage) -> None:
        """Update the status by a pending message of an earlier run, unless a later message had already ended in it."""
        if message.key >= self._key:
            self.update(message, page)

    def newest(self, page: MessagePage) -> str | None:
        """Return the status of the newest message, or None if there is no message, or its status is not documented."""
        on_server = self._newest_on_server(page)
        if on_server and on_server.id in self._ids:
            return self._corrected(page)
        if on_server is None or (self._status and on_server.id == self._previous_id):
            return self._status
        return on_server.status_name

    def _corrected(self, page: MessagePage) -> str | None:
        """Return the status of our message, as the service corrected it since its end."""
        if self._status not in _ENDS:
            return self._status
        statuses = {message.id: message.status for message in page.messages}
        parts = [status for part in self._ids if (status := statuses.get(part)) is not None]
        if len(parts) < len(self._ids):
            return self._status
        failed = next((status for status in parts if status in _FAILURES), None)
        return (min(parts) if failed is None else failed).name.lower()

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return the data to restore."""
        return {"key": self._key, "status": self._status, "ids": self._ids, "after": self._previous_id}

    def restore(self, stored: dict[str, Any]) -> None:
        """Restore the data of an earlier run."""
        self._key = stored.get("key") or ""
        self._status = stored.get("status")
        self._ids = stored.get("ids") or []
        self._previous_id = stored.get("after")

    def _newest_on_server(self, page: MessagePage) -> Message | None:
        """Return the newest message to the number on the server, or None."""
        number = self._recipient.data[CONF_PHONE_NUMBER]
        return next((message for message in page.messages if message.phone_number == number), None)
