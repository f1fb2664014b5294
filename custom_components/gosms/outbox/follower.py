"""Follows the messages that the service has to their end, with as few requests as possible."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
import logging
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..api import ErrorCode, GoSmsApiError, GoSmsClient, GoSmsError, Message, MessagePage
from . import tracker
from .message import OutgoingMessage
from .store import OutboxStore

_LOGGER = logging.getLogger(__name__)

# Seconds. A message that was just accepted shows at once; a burst of them shares the next poll.
_COOLDOWN: Final = 2.0

# Messages that left the page and are asked for one by one after a poll.
_SINGLY: Final = 5


class Follower:
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
        """Make the follower.

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
        """Stop to follow; the next run goes on."""
        self._closed = True
        self._cancel()

    @callback
    def async_notice(self, message: OutgoingMessage) -> None:
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
            self._store.change(message.key, lambda message: tracker.follow(message, told, now, self._delivery_timeout))

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
            self._plan(self._polled + (_COOLDOWN if news else tracker.pause(tracked, self._polled)))

    async def _async_look(self) -> None:
        """Poll, and ask for a few of those under way that the page does not tell of."""
        page = await self._poll()
        self.async_take(page.messages if page else ())
        if page is None:
            return
        missing = tracker.missing(self._tracked(), page, self._polled)
        # Those first that were not asked for the longest: one that has no end for days must not keep others waiting.
        missing.sort(key=lambda message_id: self._asked.get(message_id, 0.0))
        self._asked = {message_id: self._asked[message_id] for message_id in missing if message_id in self._asked}
        for message_id in missing[:_SINGLY]:
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
                        self._store.change(message.key, lambda message: message.give_up(now))
