"""The only one that sends: in order, at the service's pace, and carefully while the service is down."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
import logging
from math import inf
import random
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..api import GoSmsApiError, GoSmsClient, GoSmsConnectionError, GoSmsError
from ..errors import Failure, not_queued
from .journal import StorageError
from .message import OutgoingMessage, State
from .routing import Route
from .store import OutboxStore

_LOGGER = logging.getLogger(__name__)

# Attempts at the same time. The client keeps the pace of the service; this is for its latency.
_MAX_CONCURRENT: Final = 8

# Seconds to wait before the next attempt of an outage: doubled each time up to the longest, with jitter. A new message
# brings it forward to this long after the last one.
_FIRST_PAUSE: Final = 1.0
_MAX_PAUSE: Final = 60.0
# More of them would not make a pause longer, and after a thousand there is no such number.
_MAX_DOUBLINGS: Final = 6
_EAGER_PAUSE: Final = 5.0
# A service that asks for a longer pause is asked again all the same: a mistake of a proxy must not silence an alarm
# for a day.
_MAX_RETRY_AFTER: Final = 600.0


class Dispatcher:
    """Brings the queued messages of a store to the service."""

    def __init__(
        self,
        hass: HomeAssistant,
        store: OutboxStore,
        client: GoSmsClient,
        *,
        route: Callable[[OutgoingMessage], Route],
        claimed: Callable[[], set[str]],
        callback_id: str | None,
    ) -> None:
        """Make the sender.

        Args:
            hass: Home Assistant.
            store: the messages.
            client: the client of the account.
            route: chooses how a message leaves.
            claimed: returns the ids that belong to messages, of every account.
            callback_id: the webhook that the service tells of the messages, or None for all.
        """
        self._hass = hass
        self._store = store
        self._client = client
        self._route = route
        self._claimed = claimed
        self._callback_id = callback_id
        self._attempts: dict[str, asyncio.Task[None]] = {}
        self._unknown: set[str] = set()
        self._pending: dict[str, asyncio.Event] = {}
        self._closed = True
        self._failures = 0
        self._asked_to_wait = False
        self._last_attempt = float("-inf")
        self._next_attempt = float("-inf")
        self._timer: CALLBACK_TYPE | None = None
        # Set once the attempt that was begun last has its request under way, so that requests leave in order.
        self._turn = asyncio.Event()
        self._turn.set()

    @property
    def is_down(self) -> bool:
        """Tell if the last attempt did not reach the service."""
        return self._failures > 0

    @callback
    def async_start(self) -> None:
        """Begin to send what waits."""
        self._closed = False
        for message in list(self._store.messages.values()):
            if message.state is State.SENDING:
                # The run before ended in the middle of a request.
                self._store.put(message.mark_unknown(None, self._hass.loop.time()))
            elif message.state is State.QUEUED and not message.can_be_queued:
                # The run before ended before its one attempt.
                self._store.put(message.expire(None, self._hass.loop.time()))
        self.async_run()

    async def async_close(self) -> None:
        """Begin no attempt any more, and let the running ones end; what waits stays in the store."""
        self._closed = True
        self.async_run()
        await asyncio.gather(*self._attempts.values(), return_exceptions=True)
        for key in list(self._pending):
            self._leave(self._store.messages[key])
        await self.async_wait_first_result(list(self._pending))

    @callback
    def async_on_message_changed(self, message: OutgoingMessage) -> None:
        """Take note of a message that changed: one that is settled may leave again, or let its twin go."""
        if message.key in self._unknown and message.state is not State.UNKNOWN:
            self._unknown.remove(message.key)
            self.async_run()
        elif message.state is State.UNKNOWN:
            self._unknown.add(message.key)

    @callback
    def async_take(self, messages: Iterable[OutgoingMessage]) -> None:
        """Take messages to different numbers: they leave, or they are queued."""
        in_flight = self._in_flight()
        leaving: list[str] = []
        for message in messages:
            self._pending[message.key] = asyncio.Event()
            has_duplicate = (message.phone_number, message.part) in in_flight
            if self._closed or (message.can_be_queued and (has_duplicate or self.is_down)):
                self._leave(message)
            else:
                self._store.put(message)
                if not message.can_be_queued and not has_duplicate:
                    # What may not wait takes no turn either, not even during an outage.
                    self._begin(message)
                leaving.append(message.key)
        if leaving:
            self.async_run()
        if any(key not in self._attempts for key in leaving):
            # Their turn comes later, and their caller may not wait for it.
            self._hass.async_create_task(self._async_note(), "GoSMS.ru messages whose turn comes", eager_start=False)

    async def _async_note(self) -> None:
        """Save what was taken; without a disk it is sent all the same, once."""
        with suppress(StorageError):
            await self._store.async_save()

    async def async_wait_first_result(self, keys: Iterable[str]) -> None:
        """Return once each of these messages is accepted, safely queued, or over."""
        for caller in [self._pending[key] for key in keys if key in self._pending]:
            await caller.wait()

    @callback
    def async_abandon(self, keys: Iterable[str]) -> None:
        """Give up those of these messages that may not be queued and whose turn did not come in their caller's time."""
        for key in keys:
            message = self._store.messages.get(key)
            # What began to leave goes on to its last part.
            if (
                message
                and message.state is State.QUEUED
                and not (message.can_be_queued or message.ids or key in self._attempts)
            ):
                self._give_up(message, "its turn did not come in time")

    def _leave(self, message: OutgoingMessage) -> None:
        """Leave a message whose turn did not come to a later one, if it may wait."""
        if message.can_be_queued:
            self._queue(message)
        else:
            self._give_up(message, "it would have had to wait")

    def _give_up(self, message: OutgoingMessage, reason: str) -> None:
        """Let a message end that had to wait, and might not or could not."""
        self._store.put(message.expire(not_queued(reason), self._hass.loop.time()))
        self._resolve(message.key)

    def _queue(self, message: OutgoingMessage) -> None:
        """Queue a message that can't leave now; those of the same moment share one write."""
        self._store.put(message.report_queued())
        self._hass.async_create_task(self._async_keep(message.key), "GoSMS.ru queue", eager_start=False)

    async def _async_keep(self, key: str) -> None:
        """Let the caller go once a queued message is on disk; without a disk to hold it, it is tried all the same."""
        try:
            await self._store.async_save()
        except StorageError:
            message = self._store.messages.get(key)
            if message is None or message.state is not State.QUEUED or key in self._attempts:
                return
            if key not in self._store.persisted_keys:
                if self._closed or (message.phone_number, message.part) in self._in_flight():
                    self._give_up(message, "it could not be stored")
                else:
                    self._begin(message)
                return
        self._resolve(key)
        if not self._asked_to_wait:
            self._next_attempt = min(self._next_attempt, self._last_attempt + _EAGER_PAUSE)
        self.async_run()

    @callback
    def async_run(self) -> None:
        """Begin what is due, and plan for what is not."""
        if self._timer:
            self._timer()
            self._timer = None
        if self._closed:
            return
        now = self._hass.loop.time()
        for message in list(self._store.messages.values()):
            if message.key not in self._attempts and message.is_expired(now):
                failure = None if message.can_be_queued else not_queued("its turn did not come in time")
                self._store.put(message.expire(failure, now))
                self._resolve(message.key)
        for message in self._ready():
            is_full = len(self._attempts) >= (1 if self.is_down else _MAX_CONCURRENT)
            if message.can_be_queued and (is_full or (self.is_down and now < self._next_attempt)):
                continue
            self._begin(message)
        if self.is_down:
            self._release_callers()
        self._plan(now)

    def _release_callers(self) -> None:
        """Queue the messages whose turn did not come before the outage: their callers need not wait for its end."""
        for message in list(self._store.messages.values()):
            waits = message.state is State.QUEUED and not message.queued_reported and message.can_be_queued
            if waits and message.key in self._pending and message.key not in self._attempts:
                self._queue(message)

    def _plan(self, now: float) -> None:
        """Come back when a message that waits is too late, or when the next attempt of an outage is due."""
        due = [
            message.deadline
            for message in self._store.messages.values()
            if message.state is State.QUEUED and message.key not in self._attempts
        ]
        if due and self.is_down:
            due.append(self._next_attempt)
        when = min(due, default=inf)
        if when == inf:
            return

        @callback
        def async_come_back(_now: datetime) -> None:
            self._timer = None
            self.async_run()

        # At least a moment: what is due may have to wait for the end of a running attempt.
        self._timer = async_call_later(self._hass, max(when - now, 0.5), async_come_back)

    def _in_flight(self) -> set[tuple[str, str]]:
        """Return the numbers and texts that a request may be under way for."""
        return {
            (message.phone_number, message.part)
            for message in self._store.messages.values()
            if message.state in {State.SENDING, State.UNKNOWN}
            or (message.state is State.QUEUED and message.key in self._attempts)
        }

    def _ready(self) -> Iterator[OutgoingMessage]:
        """Return the messages that may leave, in their order: one text to one number at a time."""
        in_flight = self._in_flight()
        for message in list(self._store.messages.values()):
            if message.state is State.QUEUED and (twin := (message.phone_number, message.part)) not in in_flight:
                in_flight.add(twin)
                yield message

    def _begin(self, message: OutgoingMessage) -> None:
        """Begin an attempt, in a task that no caller can cancel."""
        turn, self._turn = self._turn, asyncio.Event()
        self._attempts[message.key] = self._hass.async_create_background_task(
            self._async_attempt(message.key, turn, self._turn), "GoSMS.ru attempt to send", eager_start=False
        )

    async def _async_attempt(self, key: str, turn: asyncio.Event, next_turn: asyncio.Event) -> None:
        """Try to send the next part of a message, after those that were begun before it."""
        try:
            route = self._route(self._store.messages[key])
            message = await self._async_prepare(self._store.messages[key], route.device_id)
            await turn.wait()
            next_turn.set()
            if message:
                await self._async_request(message, route.sim)
        except Exception as err:
            _LOGGER.exception("Unexpected error while sending")
            message = self._store.messages[key]
            if message.state is State.SENDING:
                self._fail(key, GoSmsConnectionError(type(err).__name__, maybe_accepted=True))
            elif message.state is State.QUEUED:
                self._pause(None)
                self._leave(message)
        finally:
            next_turn.set()
            self._last_attempt = self._hass.loop.time()
            del self._attempts[key]
            self.async_run()

    async def _async_prepare(self, message: OutgoingMessage, device_id: str | None) -> OutgoingMessage | None:
        """Write down that a request is about to leave; None if it must not."""
        now = self._hass.loop.time()
        # Before the first answer of a run the own clock has to do: a message without any time is never found again
        # after a restart of a machine whose clock stood still meanwhile.
        server_time = self._client.server_time or dt_util.utcnow().timestamp()
        self._store.put(message.start_attempt(now, server_time=server_time, device_id=device_id))
        try:
            await self._store.async_save()
        except StorageError:
            if message.key in self._store.persisted_keys or (message.attempts and message.can_be_queued):
                # The file says that it waits, so after a crash it would leave a second time.
                self._store.update(message.key, OutgoingMessage.undo_attempt)
                self._pause(None)
                return None
            # It was never on disk and never will be: this is its one attempt.
            self._store.update(message.key, OutgoingMessage.disable_retry)
        return self._store.messages[message.key]

    async def _async_request(self, message: OutgoingMessage, sim: int | None) -> None:
        """Send the next part of a message, and take note of what became of it."""
        try:
            message_id = await self._client.send(
                message.phone_number, message.part, device_id=message.device_id, sim=sim, callback_id=self._callback_id
            )
        except GoSmsError as err:
            self._fail(message.key, err)
            return
        if message_id in self._claimed():
            # The service is confused: nobody can tell what it did with this message.
            self._fail(message.key, GoSmsConnectionError("the id belongs to another message", maybe_accepted=True))
            return
        self._recover()
        now = self._hass.loop.time()
        accepted = self._store.update(message.key, lambda message: message.mark_accepted(message_id, now))
        if accepted.state is State.ACCEPTED:
            self._resolve(message.key)

    def _fail(self, key: str, err: GoSmsError) -> None:
        """Take note of an attempt that did not end in acceptance."""
        now, failure = self._hass.loop.time(), Failure.of(err)
        if err.maybe_accepted:
            if self.is_down:
                self._pause(None)
            self._store.update(key, lambda message: message.mark_unknown(failure, now))
        elif err.is_temporary:
            self._pause(err.retry_after if isinstance(err, GoSmsApiError) else None)
            self._store.update(key, lambda message: message.requeue(failure, now))
        else:
            self._recover()
            self._store.update(key, lambda message: message.refuse(failure, now))
        self._resolve(key)

    def _resolve(self, key: str) -> None:
        """Let those go on who wait for a first word on a message; what it is, the message tells."""
        if caller := self._pending.pop(key, None):
            caller.set()

    def _recover(self) -> None:
        """Take note that the service speaks again; a pause that it asked for is kept all the same."""
        if not self._asked_to_wait or self._hass.loop.time() >= self._next_attempt:
            self._failures = 0
            self._asked_to_wait = False

    def _pause(self, asked: float | None) -> None:
        """Wait before the next attempt: longer each time, and at least as long as the service asked."""
        now = self._hass.loop.time()
        if not self.is_down or now >= self._next_attempt:
            # Attempts that were begun together fail together, and count as one.
            self._failures += 1
            self._asked_to_wait = False
            longest = min(_FIRST_PAUSE * 2.0 ** min(self._failures - 1, _MAX_DOUBLINGS), _MAX_PAUSE)
            self._next_attempt = now + longest * random.uniform(0.5, 1)  # noqa: S311  # Jitter, no secret.
        if asked is not None and (end := now + min(asked, _MAX_RETRY_AFTER)) >= self._next_attempt:
            self._next_attempt = end
            self._asked_to_wait = True
