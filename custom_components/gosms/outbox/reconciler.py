"""A look at the service for messages whose fate is unknown: never guessed, and never sent again while in doubt."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..api import PAGE_SIZE, ErrorCode, GoSmsApiError, GoSmsClient, GoSmsConnectionError, GoSmsError, MessagePage
from .message import OutgoingMessage, State
from .store import OutboxStore

# Seconds before each look that the service answers, the last one for all that follow. A message is absent only after
# this many clean looks over this many seconds: before that, a slow service may still be at it.
_LOOKS: Final = (1.0, 10.0, 20.0)
_GRACE: Final = 30.0

# Seconds: a look that failed is tried again after twice the time, up to the longest, and no more after three days.
_MAX_PAUSE: Final = 60.0
# More of them would not make a pause longer, and after a thousand there is no such number.
_MAX_DOUBLINGS: Final = 6
_MAX_RETRY_AFTER: Final = 600.0
_GIVE_UP: Final = 72 * 60 * 60

# Seconds by which a message may seem older than its attempt: whole seconds are told, and by two clocks.
_TOLERANCE: Final = 5.0

# Pages of what the service finds for a number. A message that was sent to it is on the first one, unless there are more
# than a hundred since, or so many whose text or longer number contains the number.
_PAGES: Final = 20


@dataclass(kw_only=True, slots=True)
class _Search:
    """What is known of one message in doubt: since when it is looked for, and how the looks went."""

    began: float
    clean: int = 0
    failures: int = 0
    asked: float = 0.0
    cancel: CALLBACK_TYPE

    @property
    def pause(self) -> float:
        """Return the seconds until the next look: after a failure no less than the service asked for."""
        if self.failures:
            return max(min(2.0 ** min(self.failures, _MAX_DOUBLINGS), _MAX_PAUSE), min(self.asked, _MAX_RETRY_AFTER))
        return _LOOKS[min(self.clean, len(_LOOKS) - 1)]


class Reconciler:
    """Settles the messages of a store that are in doubt."""

    def __init__(
        self,
        hass: HomeAssistant,
        store: OutboxStore,
        client: GoSmsClient,
        *,
        claimed: Callable[[], set[str]],
        has_duplicate: Callable[[OutgoingMessage], bool],
    ) -> None:
        """Make the reconciler.

        Args:
            hass: Home Assistant.
            store: the messages.
            client: the client of the account.
            claimed: returns the ids that belong to messages, of every account.
            has_duplicate: tells if a request of the same text to the same number is under way, from whichever account.
        """
        self._hass = hass
        self._store = store
        self._client = client
        self._claimed = claimed
        self._has_duplicate = has_duplicate
        self._searches: dict[str, _Search] = {}

    @callback
    def async_close(self) -> None:
        """Look no more; the next run goes on."""
        for search in self._searches.values():
            search.cancel()
        self._searches.clear()

    @callback
    def async_on_message_changed(self, message: OutgoingMessage) -> None:
        """Take note of a message that changed: one that is in doubt now is looked for."""
        if message.state is State.UNKNOWN and message.key not in self._searches:
            search = _Search(began=self._hass.loop.time(), cancel=lambda: None)
            self._searches[message.key] = search
            self._plan(message.key, search)
        elif message.state is not State.UNKNOWN:
            self._searches.pop(message.key, None)

    def _plan(self, key: str, search: _Search) -> None:
        """Look when it is time."""

        async def async_look(_now: datetime) -> None:
            if not await self._async_settle(self._store.messages[key], search) and key in self._searches:
                self._plan(key, search)

        search.cancel = async_call_later(self._hass, search.pause, async_look)

    async def _async_settle(self, message: OutgoingMessage, search: _Search) -> bool:
        """Look for the part of a message that is in doubt; True once it is found, certainly absent, or given up."""
        loop = self._hass.loop
        try:
            found = await self._async_find(message)
        except GoSmsError as err:
            search.failures += 1
            search.asked = (err.retry_after or 0.0) if isinstance(err, GoSmsApiError) else 0.0
            forbidden = isinstance(err, GoSmsApiError) and err.code == ErrorCode.NO_READ_PERMISSION
            if forbidden or loop.time() - (message.last_attempt or search.began) >= _GIVE_UP:
                self._store.update(message.key, lambda message: message.mark_unconfirmed(loop.time()))
                return True
            return False
        search.failures = 0
        now = loop.time()
        if found:
            settled = self._store.update(message.key, lambda message: self._take(message, found, now))
            search.began, search.clean = now, 0
            return settled.state is not State.UNKNOWN
        search.clean += 1
        if search.clean >= len(_LOOKS) and now - search.began >= _GRACE:
            self._store.update(message.key, lambda message: message.mark_not_found(now))
            return True
        return False

    def _take(self, message: OutgoingMessage, found: str, now: float) -> OutgoingMessage:
        """Take note that a part was found; where nobody knows which parts were sent, the next one is in doubt too."""
        taken = message.mark_accepted(found, now)
        if taken.state is not State.QUEUED or message.key not in self._store.keys_in_damaged_records:
            return taken
        last_attempt = now if message.last_attempt is None else message.last_attempt
        begun = taken.start_attempt(
            last_attempt, server_time=message.last_attempt_server_time, device_id=message.device_id
        )
        return begun.mark_unknown(None, now)

    async def _async_find(self, message: OutgoingMessage) -> str | None:
        """Return the id of the part of a message that is in doubt, or None if the service does not have it.

        Raises:
            GoSmsError: a request failed, or what was found says neither.
        """
        for number in range(1, _PAGES + 1):
            page = await self._client.list(search=message.phone_number, page=number)
            earliest = self._earliest(message)
            found = find_part(message, page, earliest=earliest, claimed=self._claimed())
            if found and self._has_duplicate(message):
                # It may be the other one, whose request has not told its id yet.
                break
            if not found and not page.is_complete:
                # It may be the one that can't be read.
                break
            if found or reaches_back(page, earliest):
                return found
        raise GoSmsConnectionError("what was found proves nothing", maybe_accepted=True)

    def _earliest(self, message: OutgoingMessage) -> float:
        """Return when the message can have been created at the earliest, in Unix seconds of the service's clock.

        There are two ways to know, and either may be wrong: the service told a wrong time once, or the wall clock
        lost time between two runs. The earlier one is the safe one: what is found is not sent again.
        """
        now = self._hass.loop.time()
        server_time = self._client.server_time or dt_util.utcnow().timestamp()
        by_age = server_time - (now - (message.last_attempt or now))
        return (
            min(by_age, by_age if message.last_attempt_server_time is None else message.last_attempt_server_time)
            - _TOLERANCE
        )


def find_part(message: OutgoingMessage, page: MessagePage, *, earliest: float, claimed: Iterable[str]) -> str | None:
    """Look for the part whose outcome is unknown.

    Args:
        message: the message, in the state unknown.
        page: what the service found for its number.
        earliest: Unix seconds by the service's clock; nothing older is it.
        claimed: ids that belong to other messages.

    Returns:
        The id of the oldest message that it can be, or None if there is none.
    """
    taken = set(claimed)
    # White space is compared loosely: a service that tidies it up must not cost the receiver a second message.
    words = message.part.split()
    candidates = [
        found.id
        for found in page.messages
        if found.phone_number == message.phone_number
        and found.text.split() == words
        and found.id not in taken
        and (found.created is None or found.created.timestamp() >= earliest)
    ]
    return candidates[-1] if candidates else None


def reaches_back(page: MessagePage, earliest: float) -> bool:
    """Return whether no later page can have a message created at a time or after it, in Unix seconds."""
    if len(page.messages) < PAGE_SIZE:
        return True
    created = page.messages[-1].created
    return created is not None and created.timestamp() < earliest
