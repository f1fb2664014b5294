"""Settles unknown outcomes by look-ups at the service. A message is never sent again while its outcome is in doubt."""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Final, override

from homeassistant.core import callback

from ..api import PAGE_SIZE, ErrorCode, GoSmsApiError, GoSmsConnectionError, GoSmsError, Message
from .account import Account
from .backoff import Backoff
from .history import RETENTION
from .matching import COMMON_DIGITS, SearchResults
from .message import OutgoingMessage
from .state import State
from .worker import Worker

# Seconds before each look-up, the last value for all that follow. A look-up is clean if it was complete and did not
# find the message. A message is absent only after this many clean look-ups over at least this many seconds: until then,
# a slow service may still be processing it.
_LOOKUP_DELAYS: Final = (1.0, 10.0, 20.0)
_GRACE: Final = 30.0

# Seconds after the creation of a message, after which a failed look-up is not retried.
_GIVE_UP: Final = 72 * 60 * 60

# Maximum seconds between an attempt and the creation time of its message: the service reports times of two clocks.
_TOLERANCE: Final = 120.0

# Maximum pages of a look-up. A message that was sent to the number is on the first one, unless more than a hundred
# followed it, or that many have the number in their text or in a longer number.
_MAX_PAGES: Final = 20


@dataclass(kw_only=True, slots=True)
class _Search:
    """The look-ups for the part with an index, after this many attempts."""

    part: int
    attempts: int
    began: float
    due: float
    # Clean look-ups so far, and the backoff after failed ones.
    clean: int = 0
    backoff: Backoff = field(default_factory=Backoff)


class Reconciler(Worker):
    """Settles the messages of a store whose outcome is unknown."""

    def __init__(self, account: Account) -> None:
        """Initialize the reconciler."""
        super().__init__(account.hass, "GoSMS.ru reconciler")
        self._account = account
        self._store = account.store
        self._searches: dict[str, _Search] = {}

    @callback
    def async_retry_failed(self) -> None:
        """Retry failed look-ups now, since the service responds again."""
        now = self._hass.loop.time()
        for search in self._searches.values():
            if search.backoff.is_active:
                search.backoff.bring_forward(now)
                search.due = search.backoff.due
                self.async_wake()

    @override
    async def _async_work(self, now: float) -> float | None:
        """Do the look-ups that are due, one for each number."""
        unknown = [message for message in self._store.unsent.values() if message.state is State.UNKNOWN]
        if unknown and not self._account.knows_all_ids():
            # What is found may belong to an account that is still being loaded.
            return now + _LOOKUP_DELAYS[0]
        searches = {message.key: self._search(message, now) for message in unknown}
        self._searches = searches
        due: dict[str, list[str]] = {}
        for message in unknown:
            if searches[message.key].due <= now:
                due.setdefault(message.phone_number, []).append(message.key)
        for number, keys in due.items():
            if not self.is_running:
                return None
            await self._async_look_up(number, keys)
        return min((searches[message.key].due for message in self._unknown(searches)), default=None)

    def _search(self, message: OutgoingMessage, now: float) -> _Search:
        """Return the search for a message: a new one for each part and after each attempt."""
        part = len(message.ids)
        known = self._searches.get(message.key)
        if known and (known.part, known.attempts) == (part, message.attempts):
            return known
        return _Search(part=part, attempts=message.attempts, began=now, due=now + _LOOKUP_DELAYS[0])

    def _unknown(self, keys: Iterable[str]) -> list[OutgoingMessage]:
        """Return the messages with these keys whose outcome is still unknown, in their current state."""
        messages = (self._store.unsent.get(key) for key in keys)
        return [message for message in messages if message and message.state is State.UNKNOWN]

    async def _async_look_up(self, number: str, keys: Collection[str]) -> None:
        """Look up messages to a number, and settle those that are found or certainly absent."""
        unknown = self._unknown(keys)
        try:
            found = await self._async_list(number, min((self._window(each)[0] for each in unknown), default=0.0))
        except GoSmsError as err:
            if isinstance(err, GoSmsApiError):
                self._store.async_anchor(self._account.client.server_time)
            for message in self._unknown(keys):
                self._handle_failure(message, err, self._hass.loop.time())
            return
        # This must come before anything is sent again: it may show that it is too late for that.
        self._store.async_anchor(self._account.client.server_time)
        results = SearchResults(found, number)
        for key in keys:
            # Let other tasks run: an earlier run may have left a full queue.
            await asyncio.sleep(0)
            for message in self._unknown([key]):
                self._settle(message, results, self._hass.loop.time())

    async def _async_list(self, number: str, earliest: float) -> list[Message]:
        """Return the search results for a number, newest first, complete back to a time in Unix seconds.

        Raises:
            GoSmsError: a request failed, or the list is no proof: it is incomplete or inconsistent.
        """
        found: list[Message] = []
        for number_of_page in range(1, _MAX_PAGES + 1):
            if not self.is_running:
                break
            page = await self._account.client.list(search=number[-COMMON_DIGITS:], page=number_of_page)
            if not page.is_complete:
                # The unreadable message may be the one that is looked up.
                break
            found += page.messages
            oldest = min((each.created.timestamp() for each in page.messages if each.created), default=None)
            if oldest is not None and oldest < earliest:
                return found
            if len(page.messages) < PAGE_SIZE:
                # A list that ends with a full page is no proof that nothing follows, and a list without messages is
                # none unless the service counted none.
                if number_of_page == 1 and (page.total == len(found) or (page.total is None and found)):
                    return found
                if page.messages and page.total == len(found):
                    return found
                break
        raise _no_proof()

    def _settle(self, message: OutgoingMessage, results: SearchResults, now: float) -> None:
        """Adopt a message that was found, or send it again if it is certainly absent."""
        search = self._searches[message.key]
        window, is_claimed = self._window(message), self._account.is_claimed
        candidate = results.find_part(message, window, is_claimed)
        if not candidate and not results.prove_absence(window, is_claimed):
            self._handle_failure(message, _no_proof(), now)
            return
        search.backoff.succeed(now)
        if candidate:
            if self._account.has_duplicate(message):
                # This may be the duplicate, whose request has not returned its id yet.
                search.due = now + _LOOKUP_DELAYS[0]
                return
            self._store.update(message.key, lambda message: message.mark_accepted(candidate, now))
            return
        if not self._account.clock.may_expire(message.created) and self._account.client.server_time is not None:
            # It may be too late to send it, which the service's next response will show, unless it tells no time.
            search.due = now + _LOOKUP_DELAYS[0]
            return
        search.clean += 1
        # No request is in progress for what an earlier run left queued: one look-up is enough.
        if message.was_left_queued or (search.clean >= len(_LOOKUP_DELAYS) and now - search.began >= _GRACE):
            self._store.update(message.key, lambda message: message.mark_not_found(now))
        else:
            search.due = now + _LOOKUP_DELAYS[min(search.clean, len(_LOOKUP_DELAYS) - 1)]

    def _handle_failure(self, message: OutgoingMessage, err: GoSmsError, now: float) -> None:
        """Record a failed look-up. Without permission, or after too long, the outcome stays unconfirmed."""
        search = self._searches[message.key]
        # If the token was replaced meanwhile, the refusal is temporary.
        is_forbidden = (
            isinstance(err, GoSmsApiError) and err.code == ErrorCode.NO_READ_PERMISSION and not err.is_temporary
        )
        if is_forbidden and message.is_restored and not message.attempts:
            # No request for it was ever started.
            self._store.update(message.key, lambda message: message.mark_not_found(now))
        elif is_forbidden or (now - message.created >= _GIVE_UP and self._account.clock.may_expire(message.created)):
            self._store.update(message.key, lambda message: message.mark_unconfirmed(now))
        else:
            search.backoff.fail(now, err.retry_after)
            search.due = search.backoff.due

    def _window(self, message: OutgoingMessage) -> tuple[float, float]:
        """Return the earliest and the latest time of creation of a message, in Unix seconds of the service's clock.

        There are three estimates, and each may be wrong: the service may have reported a wrong time once. The wider
        window is the safe one, since what is found is not sent again. For a restored message, later attempts are not
        known.
        """
        since = message.created if message.last_attempt is None else message.last_attempt
        now = self._hass.loop.time()
        times = [self._account.clock.stored(since)]
        if (server_time := self._account.client.server_time) is not None:
            times.append(server_time - (now - since))
        # A small computer may start with a wall clock that is days late. Its estimate is limited: the ids of messages
        # sent that long ago are no longer known, so that an identical one could be taken for this message.
        reach = inf if self._account.clock.is_doubtful(since) else RETENTION
        times.append(min(max(message.wall_time or times[0], min(times) - reach), max(times) + reach))
        latest = inf if message.is_restored else max(times) + _TOLERANCE
        return min(times) - _TOLERANCE, latest


def _no_proof() -> GoSmsConnectionError:
    """Return the error of a list in which the absence of a message proves nothing."""
    return GoSmsConnectionError("the list of messages proves nothing", maybe_accepted=True)
