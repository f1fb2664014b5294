"""Follows the messages that the service has to their end, with as few requests as possible."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
import logging
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..api import ErrorCode, GoSmsApiError, GoSmsClient, GoSmsError, Message, MessagePage
from ..const import POLL_INTERVAL
from .message import OutgoingMessage
from .store import OutboxStore

_LOGGER = logging.getLogger(__name__)

# Seconds. A message that was just accepted shows at once; a burst of them shares the next poll.
_COOLDOWN: Final = 2.0

# Messages that left the page and are asked for one by one after a poll.
_MAX_SINGLE_REQUESTS: Final = 5

# Seconds after acceptance. What has not ended by then never will: the service keeps no promise for longer.
_GIVE_UP: Final = 72 * 60 * 60

# Seconds between two polls: short for fresh messages, longer as they age. The longest is a second under the interval of
# the poll that is always made, and takes its place: that one's timer runs up to a second ahead, and both would ask.
_MIN_POLL_DELAY: Final = 5.0
_MAX_POLL_DELAY: Final = POLL_INTERVAL - 1.0
_SHARE_OF_AGE: Final = 0.1


class DeliveryTracker:
    """Polls while a message of a store is under way, and takes over what the service tells of it."""

    def __init__(
        self,
        hass: HomeAssistant,
        store: OutboxStore,
        client: GoSmsClient,
        *,
        poll: Callable[[], Awaitable[MessagePage | None]],
        delivery_timeout: float,
    ) -> None:
        """Make the tracker.

        Args:
            hass: Home Assistant.
            store: the messages.
            client: the client of the account.
            poll: fetches the newest messages of the account; None if that failed.
            delivery_timeout: seconds after which a missing delivery is told.
        """
        self._hass = hass
        self._store = store
        self._client = client
        self._poll = poll
        self._delivery_timeout = delivery_timeout
        self._closed = False
        self._polling = False
        self._polled = float("-inf")
        self._timer: CALLBACK_TYPE | None = None
        self._followed: set[str] = set()
        # When the messages that left the page were asked for, by the service's ids.
        self._asked: dict[str, float] = {}

    @callback
    def async_close(self) -> None:
        """Stop following; the next run goes on."""
        self._closed = True
        self._cancel()

    @callback
    def async_on_message_changed(self, message: OutgoingMessage) -> None:
        """Take note of a message that changed: one that was just accepted shows at once."""
        if message.state.is_final:
            self._followed.discard(message.key)
        elif message.state.is_tracked and message.key not in self._followed:
            self._followed.add(message.key)
            self._plan(self._polled + _COOLDOWN)

    @callback
    def async_take(self, told: Sequence[Message]) -> None:
        """Take over what the service tells of messages, however it came."""
        now = self._hass.loop.time()
        for message in self._tracked():
            self._store.update(message.key, lambda message: apply_statuses(message, told, now, self._delivery_timeout))

    def _tracked(self) -> list[OutgoingMessage]:
        """Return the messages that the service has and whose end is awaited."""
        return [message for message in self._store.messages.values() if message.state.is_tracked]

    def _cancel(self) -> None:
        """Forget the plan."""
        if self._timer:
            self._timer()
            self._timer = None

    def _plan(self, when: float) -> None:
        """Poll at this time, or at once if it has passed."""
        if self._closed or self._polling:
            return
        self._cancel()

        async def async_poll(_now: datetime) -> None:
            self._timer = None
            await self._async_follow()

        if (delay := when - self._hass.loop.time()) > 0:
            self._timer = async_call_later(self._hass, delay, async_poll)
        else:
            self._polling = True
            self._hass.async_create_task(self._async_follow(), "GoSMS.ru tracking", eager_start=False)

    async def _async_follow(self) -> None:
        """Ask for the newest messages, and singly for those under way that are not among them; plan the next time."""
        self._polling = True
        self._polled = self._hass.loop.time()
        seen = set(self._followed)
        try:
            await self._async_look()
        except Exception:
            # Such as a mistake in what shows the poll: it must not end the tracking of every message.
            _LOGGER.exception("Unexpected error while following messages")
        finally:
            self._polling = False
        if tracked := self._tracked():
            news = any(message.key not in seen for message in tracked)
            self._plan(self._polled + (_COOLDOWN if news else poll_delay(tracked, self._polled)))

    async def _async_look(self) -> None:
        """Poll, and ask for a few of those under way that the page does not tell of."""
        page = await self._poll()
        self.async_take(page.messages if page else ())
        if page is None:
            return
        missing = missing_ids(self._tracked(), page, self._polled)
        # Those first that were not asked for the longest: one that has no end for days must not keep others waiting.
        missing.sort(key=lambda message_id: self._asked.get(message_id, 0.0))
        self._asked = {message_id: self._asked[message_id] for message_id in missing if message_id in self._asked}
        for message_id in missing[:_MAX_SINGLE_REQUESTS]:
            self._asked[message_id] = self._polled
            await self._async_ask(message_id)

    async def _async_ask(self, message_id: str) -> None:
        """Ask for one message; one that was deleted on the server is given up."""
        try:
            self.async_take([await self._client.get(message_id)])
        except GoSmsError as err:
            now = self._hass.loop.time()
            if isinstance(err, GoSmsApiError) and err.code == ErrorCode.UNKNOWN_MESSAGE:
                for message in self._tracked():
                    if message_id in message.ids:
                        self._store.update(message.key, lambda message: message.mark_unconfirmed(now))


def apply_statuses(
    message: OutgoingMessage, told: Iterable[Message], now: float, delivery_timeout: float
) -> OutgoingMessage:
    """Return a tracked message with the statuses that the service told; the same object if nothing changed.

    Args:
        message: a message that the service has.
        told: messages as the service tells of them, in any order.
        now: the time.
        delivery_timeout: seconds after which a missing delivery is told.
    """
    statuses = {each.id: each.status for each in told if each.id in message.ids and each.status is not None}
    message = message.apply_statuses(statuses, now)
    if not message.state.is_tracked or message.accepted is None:
        return message
    age = now - message.accepted
    if age >= delivery_timeout and not message.timeout_reported:
        message = message.report_delivery_timeout(now)
    return message.mark_unconfirmed(now) if age >= _GIVE_UP else message


def missing_ids(messages: Iterable[OutgoingMessage], page: MessagePage, requested: float) -> list[str]:
    """Return the ids under way that a page should tell of but does not, those of the oldest messages first.

    Args:
        messages: the messages under way.
        page: the newest messages of the account.
        requested: when the page was asked for; what was accepted later can't be on it.
    """
    there = {message.id for message in page.messages}
    return [
        message_id
        for message in messages
        if message.accepted is not None and message.accepted < requested
        for message_id, status in zip(message.ids, message.statuses, strict=True)
        if message_id not in there and not status.is_final
    ]


def poll_delay(messages: Iterable[OutgoingMessage], now: float) -> float:
    """Return the seconds to wait until the next poll for these messages."""
    youngest = min(now - message.accepted for message in messages if message.accepted is not None)
    return min(max(youngest * _SHARE_OF_AGE, _MIN_POLL_DELAY), _MAX_POLL_DELAY)
