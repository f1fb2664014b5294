"""Sends what is queued: in order, at the service's pace, and carefully while the service is down."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
import logging
from math import inf
import time
from typing import Final, override

from homeassistant.core import callback

from ..api import GoSmsConnectionError, GoSmsError
from ..errors import Failure, not_queued
from .account import Account
from .backoff import Backoff
from .message import OutgoingMessage
from .routing import Route, select_phone
from .state import State
from .storage import StorageError
from .worker import Worker

_LOGGER = logging.getLogger(__name__)

# Requests at the same time. The client keeps the pace of the service; this is for its latency.
_MAX_CONCURRENT: Final = 8

# Seconds after the last attempt. A new message brings the next attempt of an outage forward to this time.
_EAGER_PAUSE: Final = 5.0

_OUT_OF_TIME: Final = "its turn did not come in time"


class Dispatcher(Worker):
    """Brings the queued messages of a store to the service."""

    def __init__(self, account: Account) -> None:
        """Make the dispatcher."""
        super().__init__(account.hass, "GoSMS.ru dispatcher")
        self._account = account
        self._store = account.store
        self._backoff = Backoff()
        self._last_attempt = -inf
        # The requests in progress, by the keys of their messages.
        self._requests: dict[str, asyncio.Task[None]] = {}

    @property
    def is_down(self) -> bool:
        """Return whether the last request did not reach the service."""
        return self._backoff.is_active

    @callback
    def async_take_over(self) -> None:
        """Take over what an earlier run left unsent: it is looked for before it is sent."""
        now = self._hass.loop.time()
        for message in list(self._store.unsent.values()):
            # One that may not be queued had its chance.
            is_over = message.state is State.QUEUED and not message.can_be_queued
            self._store.put(message.expire(None, now) if is_over else message.mark_restored())

    @callback
    def async_enqueue(self, message: OutgoingMessage) -> None:
        """Take a new message. It brings the next attempt of an outage forward."""
        if self.is_running:
            self._store.put(message)
            self._backoff.bring_forward(self._last_attempt + _EAGER_PAUSE)
            self.async_wake()
        else:
            self._queue(message)

    @callback
    def async_retry_now(self) -> None:
        """Let the next attempt of an outage begin at once, unless the service asked for the pause."""
        self._backoff.bring_forward(self._hass.loop.time())
        self.async_wake()

    @callback
    def async_keep_unsaved(self, messages: Iterable[OutgoingMessage]) -> None:
        """Let messages that the disk can't keep queued be tried once from memory, or end."""
        for message in messages:
            if message.state is not State.QUEUED:
                continue
            if self.is_running:
                self._store.update(message.key, OutgoingMessage.disable_retry)
                self.async_wake()
            else:
                self._store.put(message.expire(not_queued("it could not be stored"), self._hass.loop.time()))

    @callback
    def async_give_up(self, key: str) -> None:
        """Give a message up that may not be queued and of which nothing has been sent, since nobody waits any more."""
        message = self._store.messages.get(key)
        if message and message.state is State.QUEUED and not (message.can_be_queued or message.ids):
            self._store.put(message.expire(not_queued(_OUT_OF_TIME), self._hass.loop.time()))

    @override
    async def async_close(self) -> None:
        """Begin no request any more, and let the running ones end; what is queued stays in the store."""
        await super().async_close()
        if self._requests:
            await asyncio.wait(self._requests.values())
        for message in list(self._store.unsent.values()):
            if message.state is State.QUEUED:
                self._queue(message)

    @override
    async def _async_work(self, now: float) -> float | None:
        """Expire what is too old, begin what may be sent, and queue the rest if the service is down."""
        self._expire(now)
        if starting := {message.key: self._route(message) for message in self._startable(now)}:
            for key, route in starting.items():
                self._store.put(
                    self._store.messages[key].start_attempt(now, device_id=route.device_id, wall_time=time.time())
                )
            self._last_attempt = now
            await self._async_begin(starting)
        self._report_queued()
        return self._due()

    def _expire(self, now: float) -> None:
        """Let messages end that were queued for too long."""
        for message in list(self._store.unsent.values()):
            if message.is_expired(now) and self._account.clock.may_expire(message.created):
                failure = None if message.can_be_queued else not_queued(_OUT_OF_TIME)
                self._store.put(message.expire(failure, now))

    def _startable(self, now: float) -> Iterator[OutgoingMessage]:
        """Yield the messages for which a request may begin, in their order: one text to one number at a time."""
        slots = (1 if self.is_down else _MAX_CONCURRENT) - len(self._requests)
        in_progress = {message.content for message in self._store.unsent.values() if message.state is not State.QUEUED}
        for message in self._store.unsent.values():
            content = message.content
            if message.state is not State.QUEUED or content in in_progress:
                continue
            # What may not be queued does not wait for a slot either, not even during an outage.
            if message.can_be_queued and (slots <= 0 or (self.is_down and now < self._backoff.due)):
                continue
            slots -= 1
            in_progress.add(content)
            yield message

    def _route(self, message: OutgoingMessage) -> Route:
        """Return how a message is sent; where that is not as chosen, the log says why."""
        try:
            route = select_phone(message, self._account.entry, self._account.can_send)
        except Exception:
            # No phone must hold an alarm back, least of all those of others.
            _LOGGER.exception("Unexpected error while choosing a phone; a message is sent with any")
            return Route()
        if route.is_fallback and not message.attempts:
            _LOGGER.warning(
                "A message is sent with any phone: the chosen one is out of touch or switched off, and another can send"
            )
        return route

    def _report_queued(self) -> None:
        """Report those as queued that wait for longer than a request takes, so that their callers need not wait."""
        unknown = {message.content for message in self._store.unsent.values() if message.state is State.UNKNOWN}
        if not (self.is_down or unknown):
            return
        for message in list(self._store.unsent.values()):
            must_wait = self.is_down or message.content in unknown
            if message.state is State.QUEUED and message.can_be_queued and must_wait:
                self._store.update(message.key, OutgoingMessage.report_queued)

    def _due(self) -> float | None:
        """Return when the next queued message expires, or the next attempt of an outage is due."""
        queued = [message for message in self._store.unsent.values() if message.state is State.QUEUED]
        due = min((message.deadline for message in queued), default=inf)
        if queued and self.is_down and not self._requests:
            due = min(due, self._backoff.due)
        return None if due == inf else due

    async def _async_begin(self, starting: Mapping[str, Route]) -> None:
        """Begin requests once the disk knows that they may be in progress."""
        with suppress(StorageError):
            await self._store.async_save()
        for key, route in starting.items():
            if self._may_begin(key):
                self._requests[key] = self._hass.async_create_background_task(
                    self._async_request(key, route), "GoSMS.ru request to send", eager_start=False
                )

    def _may_begin(self, key: str) -> bool:
        """Return whether a request may begin: not if a restart would find the message queued and send it too."""
        if not self._store.is_failing:
            return True
        message = self._store.messages[key]
        if key in self._store.persisted or (message.attempts > 1 and message.can_be_queued):
            self._store.update(key, OutgoingMessage.undo_attempt)
            self._store.update(key, OutgoingMessage.report_queued)
            self._backoff.fail(self._hass.loop.time())
            return False
        # It was never on disk and never will be: this is its one attempt.
        self._store.update(key, OutgoingMessage.disable_retry)
        return True

    async def _async_request(self, key: str, route: Route) -> None:
        """Send the next part of a message, and note the outcome."""
        message = self._store.messages[key]
        try:
            try:
                message_id = await self._account.client.send(
                    message.phone_number,
                    message.next_part,
                    device_id=route.device_id,
                    sim=route.sim,
                    callback_id=self._account.options.callback_id,
                )
            except GoSmsError as err:
                self._handle_failure(key, err)
            else:
                self._handle_acceptance(key, message_id)
        except Exception as err:
            _LOGGER.exception("Unexpected error while sending")
            self._handle_failure(key, GoSmsConnectionError(type(err).__name__, maybe_accepted=True))
        finally:
            del self._requests[key]
            if self._store.unsent:
                self.async_wake()

    def _handle_acceptance(self, key: str, message_id: str) -> None:
        """Note that the service has the part."""
        if self._account.is_claimed(message_id):
            # The service is confused: nobody can tell what it did with this message.
            self._handle_failure(key, GoSmsConnectionError("the id belongs to another message", maybe_accepted=True))
            return
        now = self._hass.loop.time()
        self._backoff.succeed(now)
        self._store.update(key, lambda message: message.mark_accepted(message_id, now))

    def _handle_failure(self, key: str, err: GoSmsError) -> None:
        """Note an attempt that did not end in acceptance."""
        now, failure = self._hass.loop.time(), Failure.of(err)
        if err.maybe_accepted:
            if self.is_down:
                self._backoff.fail(now)
            self._store.update(key, lambda message: message.mark_unknown(failure, now))
        elif err.is_temporary:
            self._backoff.fail(now, err.retry_after)
            self._store.update(key, lambda message: message.requeue(failure, now))
        else:
            self._backoff.succeed(now)
            self._store.update(key, lambda message: message.refuse(failure, now))

    def _queue(self, message: OutgoingMessage) -> None:
        """Leave a message to the next run, or let it end if it may not be queued."""
        if message.can_be_queued:
            self._store.put(message.report_queued())
        else:
            self._store.put(message.expire(not_queued("the account is being unloaded"), self._hass.loop.time()))
