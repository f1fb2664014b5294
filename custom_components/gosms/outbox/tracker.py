"""Follows the messages that the service has to their end, with as few requests as possible."""

from collections.abc import Iterable
from itertools import islice
from math import inf
from typing import Final, override

from homeassistant.core import callback

from ..api import ErrorCode, GoSmsApiError, GoSmsError, Message, MessagePage, MessageStatus
from ..const import POLL_INTERVAL
from .account import Account
from .message import OutgoingMessage
from .worker import Worker

# Seconds. A message that was just accepted shows at once; a burst of them shares the next poll.
_COOLDOWN: Final = 2.0

# Messages that left the page and are asked for one by one after a poll.
_MAX_SINGLE_REQUESTS: Final = 5

# Seconds after acceptance. What has not ended by then never will: the service keeps no promise for longer.
_GIVE_UP: Final = 72 * 60 * 60

# Seconds after acceptance in which a message that the service does not find may be one that it does not list yet.
_LAG: Final = 5 * 60

# Seconds between two polls: short for fresh messages, longer as they age. The longest is a second under the interval of
# the poll that is always made, and takes its place: that one's timer runs up to a second ahead, and both would ask.
_MIN_POLL_DELAY: Final = 5.0
_MAX_POLL_DELAY: Final = POLL_INTERVAL - 1.0
_SHARE_OF_AGE: Final = 0.1


class DeliveryTracker(Worker):
    """Polls while a message of a store is on its way, and applies what the service tells of it."""

    def __init__(self, account: Account) -> None:
        """Make the tracker."""
        super().__init__(account.hass, "GoSMS.ru tracker")
        self._account = account
        self._store = account.store
        self._polled = -inf
        # When the messages that left the page were asked for, by the service's ids.
        self._asked: dict[str, float] = {}

    @callback
    def async_apply(self, listed: Iterable[Message]) -> None:
        """Apply what the service tells of messages, however it came."""
        if not self._store.tracked:
            return
        statuses = {each.id: status for each in listed if (status := each.status) is not None}
        now, timeout = self._hass.loop.time(), 60 * self._account.options.delivery_timeout
        for key in list(self._store.tracked):
            self._store.update(key, lambda message: apply_statuses(message, statuses, now, timeout))

    @override
    async def _async_work(self, now: float) -> float | None:
        """Poll if it is time, and ask for a few of those on their way that the page does not tell of."""
        if not self._store.tracked:
            return None
        if (due := self._due(now)) > now:
            return due
        self._polled = now
        page = await self._account.poll()
        if page is None:
            # What is due without a word of the service, such as a missing delivery.
            self.async_apply(())
        else:
            await self._async_ask_for_missing(page, now)
        return self._due(self._hass.loop.time()) if self._store.tracked else None

    def _due(self, now: float) -> float:
        """Return when to poll next."""
        youngest = next(reversed(self._store.tracked.values())).accepted or now
        if youngest >= self._polled:
            return self._polled + _COOLDOWN
        return self._polled + poll_delay(self._polled - youngest)

    async def _async_ask_for_missing(self, page: MessagePage, requested: float) -> None:
        """Ask for a few messages that the page does not tell of, those first that were not asked for the longest."""
        missing = missing_ids(self._store.tracked.values(), page, requested)
        missing.sort(key=lambda message_id: self._asked.get(message_id, 0.0))
        self._asked = {message_id: self._asked[message_id] for message_id in missing if message_id in self._asked}
        for message_id in islice(missing, _MAX_SINGLE_REQUESTS):
            if not self.is_running:
                return
            self._asked[message_id] = requested
            await self._async_ask(message_id)

    async def _async_ask(self, message_id: str) -> None:
        """Ask for one message; one that was deleted on the server ends unconfirmed."""
        try:
            self.async_apply([await self._account.client.get(message_id)])
        except GoSmsError as err:
            now = self._hass.loop.time()
            if isinstance(err, GoSmsApiError) and err.code == ErrorCode.UNKNOWN_MESSAGE:
                for message in list(self._store.tracked.values()):
                    # The service may not list yet what it has just accepted.
                    if message_id in message.ids and now - (message.accepted or now) >= _LAG:
                        self._store.put(message.mark_unconfirmed(now))


def apply_statuses(
    message: OutgoingMessage, statuses: dict[str, MessageStatus], now: float, delivery_timeout: float
) -> OutgoingMessage:
    """Return a tracked message with the statuses, by their ids, that the service told; the same if nothing changed.

    A delivery that is missing after the time-out, in seconds, is reported.
    """
    message = message.apply_statuses(statuses, now)
    if not message.state.is_tracked or message.accepted is None:
        return message
    age = now - message.accepted
    if age >= delivery_timeout and not message.timeout_reported:
        message = message.report_delivery_timeout(now)
    return message.mark_unconfirmed(now) if age >= _GIVE_UP else message


def missing_ids(messages: Iterable[OutgoingMessage], page: MessagePage, requested: float) -> list[str]:
    """Return the ids on their way that a page should tell of but does not, those of the oldest messages first.

    What was accepted after the page was requested can't be on it.
    """
    listed = {message.id for message in page.messages}
    return [
        part.id
        for message in messages
        if message.accepted is not None and message.accepted < requested
        for part in message.parts
        if part.id is not None and part.id not in listed and not (part.status and part.status.is_final)
    ]


def poll_delay(age: float) -> float:
    """Return the seconds between two polls for messages of which the youngest was accepted so long ago."""
    return min(max(age * _SHARE_OF_AGE, _MIN_POLL_DELAY), _MAX_POLL_DELAY)
