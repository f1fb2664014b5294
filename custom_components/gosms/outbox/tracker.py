"""Tracks accepted messages until they are finished, with as few requests as possible."""

from collections.abc import Iterable
from itertools import islice
from math import inf
from typing import Final, override

from homeassistant.core import callback

from ..api import ErrorCode, GoSmsApiError, GoSmsError, Message, MessagePage, MessageStatus, known_statuses
from ..const import POLL_INTERVAL
from .account import Account
from .message import OutgoingMessage
from .worker import Worker

# Seconds after a poll. A message accepted since is polled for this soon; a burst of them shares that poll.
_COOLDOWN: Final = 2.0

# Maximum messages missing from the page that are requested individually after a poll.
_MAX_SINGLE_REQUESTS: Final = 5

# Seconds after acceptance. A message that has not finished by then never will: the service guarantees no more.
_GIVE_UP: Final = 72 * 60 * 60

# Seconds after acceptance for which the service may not list a message yet.
_LAG: Final = 5 * 60

# Seconds between two polls: few for new messages, more as they age. The maximum is one second less than the interval of
# the regular poll, so that it replaces that poll: its timer fires up to a second early, and both would poll.
_MIN_POLL_DELAY: Final = 5.0
_MAX_POLL_DELAY: Final = POLL_INTERVAL - 1.0
_SHARE_OF_AGE: Final = 0.1


class DeliveryTracker(Worker):
    """Polls while messages of a store are in transit, and applies their statuses."""

    def __init__(self, account: Account) -> None:
        """Initialize the tracker."""
        super().__init__(account.hass, "GoSMS.ru tracker")
        self._account = account
        self._store = account.store
        self._polled = -inf
        # When the messages missing from the page were last requested, by the service's ids.
        self._requested: dict[str, float] = {}

    @callback
    def async_apply(self, listed: Iterable[Message]) -> None:
        """Apply the statuses of listed messages, regardless of who requested them."""
        if not self._store.tracked:
            return
        statuses = known_statuses(listed)
        now, timeout = self._hass.loop.time(), 60 * self._account.options.delivery_timeout
        for key in list(self._store.tracked):
            self._store.update(key, lambda message: apply_statuses(message, statuses, now, timeout))

    @override
    async def _async_work(self, now: float) -> float | None:
        """Poll if it is due, and request a few of the messages in transit that are missing from the page."""
        if not self._store.tracked:
            return None
        if (due := self._due(now)) > now:
            return due
        self._polled = now
        page = await self._account.poll()
        if page is None:
            # Apply what needs no response of the service, such as a delivery timeout.
            self.async_apply(())
        else:
            await self._async_request_missing(page, now)
        return self._due(self._hass.loop.time()) if self._store.tracked else None

    def _due(self, now: float) -> float:
        """Return when the next poll is due."""
        youngest = next(reversed(self._store.tracked.values())).accepted or now
        if youngest >= self._polled:
            return self._polled + _COOLDOWN
        return self._polled + poll_delay(self._polled - youngest)

    async def _async_request_missing(self, page: MessagePage, requested: float) -> None:
        """Request a few messages that are missing from the page, first those not requested for the longest time."""
        missing = missing_ids(self._store.tracked.values(), page, requested)
        missing.sort(key=lambda message_id: self._requested.get(message_id, 0.0))
        self._requested = {
            message_id: self._requested[message_id] for message_id in missing if message_id in self._requested
        }
        for message_id in islice(missing, _MAX_SINGLE_REQUESTS):
            if not self.is_running:
                return
            self._requested[message_id] = requested
            await self._async_request(message_id)

    async def _async_request(self, message_id: str) -> None:
        """Request one message; if it was deleted on the server, it becomes unconfirmed."""
        try:
            self.async_apply([await self._account.client.get(message_id)])
        except GoSmsError as err:
            now = self._hass.loop.time()
            # If the token was replaced meanwhile, the refusal is temporary.
            if isinstance(err, GoSmsApiError) and err.code == ErrorCode.UNKNOWN_MESSAGE and not err.is_temporary:
                for message in list(self._store.tracked.values()):
                    # The service may not find a message yet that it has just accepted.
                    if message_id in message.ids and now - (message.accepted or now) >= _LAG:
                        self._store.put(message.mark_unconfirmed(now))


def apply_statuses(
    message: OutgoingMessage, statuses: dict[str, MessageStatus], now: float, delivery_timeout: float
) -> OutgoingMessage:
    """Return a tracked message with the statuses that the service reported, by the ids of its parts.

    Reports a delivery timeout after this many seconds. Returns the same object if nothing changed.
    """
    message = message.apply_statuses(statuses, now)
    if not message.state.is_tracked or message.accepted is None:
        return message
    age = now - message.accepted
    if age >= delivery_timeout and not message.timeout_reported:
        message = message.report_delivery_timeout(now)
    return message.mark_unconfirmed(now) if age >= _GIVE_UP else message


def missing_ids(messages: Iterable[OutgoingMessage], page: MessagePage, requested: float) -> list[str]:
    """Return the ids of unfinished parts that a page should list but does not, those of the oldest messages first.

    A message accepted after the page was requested can't be on it.
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
    """Return the seconds between two polls, given the age in seconds of the last accepted message."""
    return min(max(age * _SHARE_OF_AGE, _MIN_POLL_DELAY), _MAX_POLL_DELAY)
