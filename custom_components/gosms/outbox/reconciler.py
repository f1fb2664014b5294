"""Settles what is unknown by a look at the service: never guessed, and never sent again while in doubt."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
import html
from math import inf
import re
from typing import Final, override
import unicodedata

from homeassistant.core import callback

from ..api import PAGE_SIZE, ErrorCode, GoSmsApiError, GoSmsConnectionError, GoSmsError, Message
from .account import Account
from .backoff import Backoff
from .history import RETENTION
from .message import OutgoingMessage
from .state import State
from .worker import Worker

# Seconds before each look, the last one for all that follow. A message is absent only after this many clean looks over
# this many seconds: before that, a slow service may still be at it.
_LOOKS: Final = (1.0, 10.0, 20.0)
_GRACE: Final = 30.0

# Seconds after which nobody looks any more.
_GIVE_UP: Final = 72 * 60 * 60

# Seconds between an attempt and the creation of its message: the service tells the time by two clocks.
_TOLERANCE: Final = 120.0

# Pages of what the service finds for a number. A message that was sent to it is on the first one, unless there are more
# than a hundred since, or so many whose text or longer number contains the number.
_MAX_PAGES: Final = 20

# The last digits of a number, in which all ways of writing it agree.
_COMMON_DIGITS: Final = 10

# Services cut a text to 160 characters, or a few less, in which there may be white space that is not compared.
_MIN_CUT: Final = 100

# Characters that services replace with one another.
_ALIKE: Final = str.maketrans(
    {**dict.fromkeys("«»„“”‟″", '"'), **dict.fromkeys("‘’‚‛`´′", "'"), **dict.fromkeys("‐‑‒–—―−", "-"), "ё": "е"}
)
_SPACES: Final = re.compile(r"\s+")


@dataclass(kw_only=True, slots=True)
class _Search:
    """How the looks for the part with an index went, after so many attempts."""

    part: int
    attempts: int
    began: float
    due: float
    # Clean looks so far, and the pauses after those that failed.
    clean: int = 0
    backoff: Backoff = field(default_factory=Backoff)


class Reconciler(Worker):
    """Settles the messages of a store whose outcome is unknown."""

    def __init__(self, account: Account) -> None:
        """Make the reconciler."""
        super().__init__(account.hass, "GoSMS.ru reconciler")
        self._account = account
        self._store = account.store
        self._searches: dict[str, _Search] = {}

    @callback
    def async_retry_failed(self) -> None:
        """Look again for what the last look could not be made for: the service responds again."""
        now = self._hass.loop.time()
        for search in self._searches.values():
            if search.backoff.is_active:
                search.backoff.bring_forward(now)
                search.due = search.backoff.due
                self.async_wake()

    @override
    async def _async_work(self, now: float) -> float | None:
        """Look for what is due, with one look for each number."""
        unknown = [message for message in self._store.unsent.values() if message.state is State.UNKNOWN]
        if unknown and not self._account.knows_all_ids():
            # What is found may be a message of an account that is still being loaded.
            return now + _LOOKS[0]
        searches = {message.key: self._search(message, now) for message in unknown}
        self._searches = searches
        due: dict[str, list[str]] = {}
        for message in unknown:
            if searches[message.key].due <= now:
                due.setdefault(message.phone_number, []).append(message.key)
        for number, keys in due.items():
            if not self.is_running:
                return None
            await self._async_look(number, keys)
        return min((searches[message.key].due for message in self._unknown(searches)), default=None)

    def _search(self, message: OutgoingMessage, now: float) -> _Search:
        """Return the search for a message, a new one for another part or after another attempt."""
        part = len(message.ids)
        known = self._searches.get(message.key)
        if known and (known.part, known.attempts) == (part, message.attempts):
            return known
        return _Search(part=part, attempts=message.attempts, began=now, due=now + _LOOKS[0])

    def _unknown(self, keys: Iterable[str]) -> list[OutgoingMessage]:
        """Return those of some messages, as they are now, whose outcome is still unknown."""
        messages = (self._store.unsent.get(key) for key in keys)
        return [message for message in messages if message and message.state is State.UNKNOWN]

    async def _async_look(self, number: str, keys: Collection[str]) -> None:
        """Look for messages to a number, and settle those that are found or certainly absent."""
        unknown = self._unknown(keys)
        try:
            found = await self._async_list(number, min((self._window(each)[0] for each in unknown), default=0.0))
        except GoSmsError as err:
            if isinstance(err, GoSmsApiError):
                self._store.async_anchor(self._account.client.server_time)
            for message in self._unknown(keys):
                self._handle_failure(message, err, self._hass.loop.time())
            return
        # Before anything is sent again: it may be too late for it.
        self._store.async_anchor(self._account.client.server_time)
        listed = comparable_texts(found, number)
        for key in keys:
            # An earlier run may have left a full queue.
            await asyncio.sleep(0)
            for message in self._unknown([key]):
                self._settle(message, listed, self._hass.loop.time())

    async def _async_list(self, number: str, earliest: float) -> list[Message]:
        """Return all messages to a number that are not older than a time, in Unix seconds; newest first.

        Raises:
            GoSmsError: a request failed, or the list proves nothing: it is not complete, or contradicts itself.
        """
        found: list[Message] = []
        for number_of_page in range(1, _MAX_PAGES + 1):
            if not self.is_running:
                break
            page = await self._account.client.list(search=number[-_COMMON_DIGITS:], page=number_of_page)
            if not page.is_complete:
                # The one that can't be read may be the one that is looked for.
                break
            found += page.messages
            oldest = min((each.created.timestamp() for each in page.messages if each.created), default=None)
            if oldest is not None and oldest < earliest:
                return found
            if len(page.messages) < PAGE_SIZE:
                # A list that ends with a full page does not say that nothing follows.
                if number_of_page == 1 and page.total in {None, len(found)}:
                    return found
                if page.messages and page.total == len(found):
                    return found
                break
        raise GoSmsConnectionError("the list of messages proves nothing", maybe_accepted=True)

    def _settle(self, message: OutgoingMessage, listed: Collection[tuple[str, Message]], now: float) -> None:
        """Adopt a message that was found, or send it again if it is certainly absent."""
        search = self._searches[message.key]
        search.backoff.succeed(now)
        if candidate := find_part(message, listed, self._window(message), self._account.is_claimed):
            if self._account.has_duplicate(message):
                # It may be the other one, whose request has not told its id yet.
                search.due = now + _LOOKS[0]
                return
            self._store.update(message.key, lambda message: message.mark_accepted(candidate, now))
            return
        if not self._account.clock.may_expire(message.created):
            # It may be too late for it, as the service's next answer will tell.
            search.due = now + _LOOKS[0]
            return
        search.clean += 1
        # What an earlier run left queued is not being sent by anybody: one look is enough.
        if message.was_left_queued or (search.clean >= len(_LOOKS) and now - search.began >= _GRACE):
            self._store.update(message.key, lambda message: message.mark_not_found(now))
        else:
            search.due = now + _LOOKS[min(search.clean, len(_LOOKS) - 1)]

    def _handle_failure(self, message: OutgoingMessage, err: GoSmsError, now: float) -> None:
        """Note that a look failed; if nobody may look, or for too long, there will be no proof."""
        search = self._searches[message.key]
        is_forbidden = isinstance(err, GoSmsApiError) and err.code == ErrorCode.NO_READ_PERMISSION
        if is_forbidden and message.is_restored and not message.attempts:
            # No request of it was ever begun.
            self._store.update(message.key, lambda message: message.mark_not_found(now))
        elif is_forbidden or (now - message.created >= _GIVE_UP and self._account.clock.may_expire(message.created)):
            self._store.update(message.key, lambda message: message.mark_unconfirmed(now))
        else:
            search.backoff.fail(now, err.retry_after)
            search.due = search.backoff.due

    def _window(self, message: OutgoingMessage) -> tuple[float, float]:
        """Return when a message can have been created, in Unix seconds of the service's clock.

        There are three ways to know, and each may be wrong: the service may have told a wrong time once. The wider
        window is the safe one: what is found is not sent again. Of a restored message later attempts are not known.
        """
        since = message.created if message.last_attempt is None else message.last_attempt
        now = self._hass.loop.time()
        times = [self._account.clock.stored(since)]
        if (server_time := self._account.client.server_time) is not None:
            times.append(server_time - (now - since))
        # Small computers start with a clock that is days late. The ids of what was sent for so long are not known any
        # more, so that an equal message of then could be taken for this one.
        reach = inf if self._account.clock.is_doubtful(since) else RETENTION
        times.append(min(max(message.wall_time or times[0], min(times) - reach), max(times) + reach))
        latest = inf if message.is_restored else max(times) + _TOLERANCE
        return min(times) - _TOLERANCE, latest


def find_part(
    message: OutgoingMessage,
    listed: Iterable[tuple[str, Message]],
    window: tuple[float, float],
    is_claimed: Callable[[str], bool],
) -> str | None:
    """Return the id of the oldest listed message that can be the next part of a message, or None.

    Args:
        message: the message, in the state unknown.
        listed: what the service found for its number, with comparable texts, newest first.
        window: when it can have been created, in Unix seconds of the service's clock.
        is_claimed: returns whether an id is taken.
    """
    text = comparable(message.next_part)
    candidates = [
        found.id
        for found_text, found in listed
        if _is_same_text(found_text, text)
        and (found.created is None or window[0] <= found.created.timestamp() <= window[1])
        and not is_claimed(found.id)
    ]
    return candidates[-1] if candidates else None


def comparable_texts(listed: Iterable[Message], number: str) -> list[tuple[str, Message]]:
    """Return the listed messages to a number, each with its text as people compare it."""
    digits = _number(number)
    return [(comparable(each.text), each) for each in listed if _number(each.phone_number) == digits]


def comparable(text: str) -> str:
    """Return a text as people compare it: services tidy texts up, which must not cost the receiver a second message."""
    unescaped = unicodedata.normalize("NFC", html.unescape(text)).casefold().translate(_ALIKE)
    return _SPACES.sub(" ", unescaped).strip()


def _is_same_text(listed: str, text: str) -> bool:
    """Return whether a listed text is a text, or the beginning of it that a service cut off."""
    return listed == text or (len(listed) >= _MIN_CUT and text.startswith(listed.rstrip("….")))


def _number(phone_number: str) -> str:
    """Return a number without its plus and its country code's other form; a short one as it is."""
    digits = "".join(character for character in phone_number if character.isdecimal())
    return digits[-_COMMON_DIGITS:] if len(digits) > _COMMON_DIGITS else digits
