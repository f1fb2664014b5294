"""Which status a recipient has: that of the newest message to the number, whoever sent it."""

from typing import Any, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.helpers.restore_state import ExtraStoredData

from ..api import Message, MessagePage
from ..const import CONF_PHONE_NUMBER
from ..outbox import OutgoingMessage, State


class RecipientStatus(ExtraStoredData):
    """The newest message that Home Assistant sent to a recipient, beside what the service tells of the number.

    Home Assistant alone knows of messages that wait or were refused; the service alone knows of those that others
    sent. The newer one counts.
    """

    def __init__(self, recipient: ConfigSubentry) -> None:
        """Start with nothing sent."""
        self._recipient = recipient
        self._key = ""
        self._created = float("-inf")
        self._status: str | None = None
        self._ids: list[str] = []
        # The newest message that the service told of before ours: only what comes after it is newer than ours.
        self._after: str | None = None

    def update(self, message: OutgoingMessage, page: MessagePage) -> None:
        """Take note of a message that Home Assistant sends, or of a change of it.

        One that leaves at once is not shown as queued for the blink of an eye: that would be two rows in the database
        for each message.
        """
        if message.status == State.QUEUED and not message.is_waiting_for_retry:
            return
        # By the time that runs evenly: keys tell the order by a clock that may have been set back meanwhile.
        order = message.created, message.key
        if message.recipient != self._recipient.subentry_id or order < (self._created, self._key):
            return
        if message.key != self._key:
            told = self._newest_on_server(page)
            self._after = told.id if told and told.id not in message.ids else None
        self._created, self._key = order
        self._status = message.status
        self._ids = list(message.ids)

    def restore_message(self, message: OutgoingMessage, page: MessagePage) -> None:
        """Take note of a message that an earlier run left; a later one may have ended in it."""
        if message.key >= self._key:
            self.update(message, page)

    def newest(self, page: MessagePage) -> str | None:
        """Return the status of the newest message, or None if there is none, or none that is known here."""
        told = self._newest_on_server(page)
        if told is None or (self._status and (told.id == self._after or told.id in self._ids)):
            return self._status
        return told.status_name

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return what the next run must know."""
        return {"key": self._key, "status": self._status, "ids": self._ids, "after": self._after}

    def restore(self, stored: dict[str, Any]) -> None:
        """Take up what an earlier run knew."""
        self._key = stored.get("key") or ""
        self._status = stored.get("status")
        self._ids = stored.get("ids") or []
        self._after = stored.get("after")

    def _newest_on_server(self, page: MessagePage) -> Message | None:
        """Return the newest message to the number that the service tells of."""
        number = self._recipient.data[CONF_PHONE_NUMBER]
        return next((message for message in page.messages if message.phone_number == number), None)
