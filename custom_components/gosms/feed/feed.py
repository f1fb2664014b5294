"""What a user sees of an account: its messages in one list, and its state."""

from dataclasses import dataclass, field
from heapq import nlargest
from typing import Any

from ..outbox import OutgoingMessage
from ..permissions import Rights
from .account import describe_account
from .messages import Found, Row, RowBuilder, find_messages
from .recipients import visible_recipients
from .texts import Texts


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What a user sees at a moment.

    Attributes:
        account: the account, apart from its messages, see `describe_account`.
        rows: the newest messages by their keys, newest first.
        has_more: whether there are older ones.
    """

    account: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    has_more: bool = False


class Feed:
    """Looks at an account for a user."""

    def __init__(self, rights: Rights, texts: Texts, limit: int) -> None:
        """Initialize the feed.

        Args:
            rights: of the user, with the account.
            texts: in the language of the user.
            limit: the maximum number of messages that the user sees.
        """
        self._rights = rights
        self._texts = texts
        self._limit = limit
        self._builder = RowBuilder(texts)

    @property
    def may_look(self) -> bool:
        """Return whether there is anything that the user may see."""
        rights = self._rights
        if rights.may_read_account or rights.may_send_numbers:
            return True
        return any(recipient.is_readable for recipient in visible_recipients(rights))

    def look(self) -> View:
        """Return what the user sees now. The account must be loaded."""
        recipients = visible_recipients(self._rights)
        messages = list(find_messages(self._rights, recipients))
        newest = nlargest(self._limit, messages, key=lambda found: found.order)
        return View(
            account=describe_account(self._rights, self._texts, recipients, waiting=sum(map(_waits, messages))),
            rows=self._builder.rows(newest),
            has_more=len(messages) > len(newest),
        )


def _waits(found: Found) -> bool:
    """Return whether a message waits here for the service."""
    return isinstance(found.source, OutgoingMessage) and found.source.is_waiting_for_retry
