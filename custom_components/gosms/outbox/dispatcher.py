"""Sends queued messages: in order, within the rate limit, and one at a time during an outage."""

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

# Maximum requests in progress. The client enforces the rate limit; this many make up for the service's latency.
_MAX_CONCURRENT: Final = 8

# Seconds after the last attempt. During an outage, a new message brings the next attempt forward to this time.
_EAGER_PAUSE: Final = 5.0

_OUT_OF_TIME: Final = "its turn did not come in time"


class Dispatcher(Worker):
    """Sends the queued messages of a store to the service."""

    def __init__(self, account: Account) -> None:
        """Initialize the dispatcher."""
        super().__init__(account.hass, "GoSMS.ru dispatcher")
        self._account = account
        self._store = account.store
        self._backoff = Backoff()
        self._last_attempt = -inf
        # The requests in progress, by the keys of their messages.
        self._requests: dict[str, asyncio.Task[None]] = {}

    @property
    def is_down(self) -> bool:
        """Return whether the service is considered down, since the last request did not reach it."""
        return self._backoff.is_active

    @callback
    def async_take_over(self) -> None:
        """Take over what an earlier run left unsent: it is looked up before it is sent."""
        now = self._hass.loop.time()
        for message in list(self._store.unsent.values()):
            # A message that may not be queued has had its attempt.
            is_over = message.state is State.QUEUED and not message.can_be_queued
            self._store.put(message.expire(None, now) if is_over else message.mark_restored())

    @callback
    def async_enqueue(self, message: OutgoingMessage) -> None:
        """Enqueue a new message. It brings the next attempt during an outage forward."""
        if self.is_running:
            self._store.put(message)
            self._backoff.bring_forward(self._last_attempt + _EAGER_PAUSE)
            self.async_wake()
        else:
            self._queue(message)

    @callback
    def async_retry_now(self) -> None:
        """Start the next attempt during an outage now, unless the service requested the pause."""
        self._backoff.bring_forward(self._hass.loop.time())
        self.async_wake()

    @callback
    def async_keep_unsaved(self, messages: Iterable[OutgoingMessage]) -> None:
        """Try queued messages that are not on disk once from memory, or expire them if the dispatcher is closed."""
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
        """Expire a message that may not be queued and of which nothing was sent, since its caller no longer waits."""
        message = self._store.messages.get(key)
        if message and message.state is State.QUEUED and not (message.can_be_queued or message.ids):
            self._store.put(message.expire(not_queued(_OUT_OF_TIME), self._hass.loop.time()))

    @override
    async def async_close(self) -> None:
        """Start no more requests, and wait for those in progress; queued messages stay in the store."""
        await super().async_close()
        if self._requests:
            await asyncio.wait(self._requests.values())
        for message in list(self._store.unsent.values()):
            if message.state is State.QUEUED:
                self._queue(message)

    @override
    async def _async_work(self, now: float) -> float | None:
        """Expire what is too old, start the requests that may start, and report what has to wait as queued."""
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
        """Expire messages that were queued for too long."""
        for message in list(self._store.unsent.values()):
            if message.is_expired(now) and self._account.clock.may_expire(message.created):
                failure = None if message.can_be_queued else not_queued(_OUT_OF_TIME)
                self._store.put(message.expire(failure, now))

    def _startable(self, now: float) -> Iterator[OutgoingMessage]:
        """Yield the messages for which a request may start, in order; at most one for the same text and number."""
        slots = (1 if self.is_down else _MAX_CONCURRENT) - len(self._requests)
        in_progress = {message.content for message in self._store.unsent.values() if message.state is not State.QUEUED}
        for message in self._store.unsent.values():
            content = message.content
            if message.state is not State.QUEUED or content in in_progress:
                continue
            # A message that may not be queued does not wait for a slot either, not even during an outage.
            if message.can_be_queued and (slots <= 0 or (self.is_down and now < self._backoff.due)):
                continue
            slots -= 1
            in_progress.add(content)
            yield message

    def _route(self, message: OutgoingMessage) -> Route:
        """Return the route of a message; log a warning if it does not use the chosen phone."""
        try:
            route = select_phone(message, self._account.entry, self._account.can_send)
        except Exception:
            # An error here must not block this message, let alone the others.
            _LOGGER.exception("Unexpected error while choosing a phone; a message is sent with any phone")
            return Route()
        if route.is_fallback and not message.attempts:
            _LOGGER.warning(
                "A message is sent with any phone: the selected one is offline or disabled, and another one can send"
            )
        return route

    def _report_queued(self) -> None:
        """Report messages as queued that wait longer than a request takes, so that their callers need not wait."""
        unknown = {message.content for message in self._store.unsent.values() if message.state is State.UNKNOWN}
        if not (self.is_down or unknown):
            return
        for message in list(self._store.unsent.values()):
            must_wait = self.is_down or message.content in unknown
            if message.state is State.QUEUED and message.can_be_queued and must_wait:
                self._store.update(message.key, OutgoingMessage.report_queued)

    def _due(self) -> float | None:
        """Return when the next queued message expires or the next attempt during an outage is due, or None."""
        queued = [message for message in self._store.unsent.values() if message.state is State.QUEUED]
        due = min((message.deadline for message in queued), default=inf)
        if queued and self.is_down and not self._requests:
            due = min(due, self._backoff.due)
        return None if due == inf else due

    async def _async_begin(self, starting: Mapping[str, Route]) -> None:
        """Start requests once it is on disk that they may be in progress."""
        with suppress(StorageError):
            await self._store.async_save()
        for key, route in starting.items():
            if self._may_begin(key):
                self._requests[key] = self._hass.async_create_background_task(
                    self._async_request(key, route), "GoSMS.ru request to send", eager_start=False
                )

    def _may_begin(self, key: str) -> bool:
        """Return whether a request may start: not if the next run would find the message queued and send it again."""
        if not self._store.is_failing:
            return True
        message = self._store.messages[key]
        if key in self._store.persisted or (message.attempts > 1 and message.can_be_queued):
            self._store.update(key, OutgoingMessage.undo_attempt)
            self._store.update(key, OutgoingMessage.report_queued)
            self._backoff.fail(self._hass.loop.time())
            return False
        # It is not on disk and will not be: this is its only attempt.
        self._store.update(key, OutgoingMessage.disable_retry)
        return True

    async def _async_request(self, key: str, route: Route) -> None:
        """Send the next part of a message, and record the outcome."""
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
        """Record that the service has the part."""
        if self._account.is_claimed(message_id):
            # The service returned the id of another message: what happened to this one is unknown.
            self._handle_failure(key, GoSmsConnectionError("the id belongs to another message", maybe_accepted=True))
            return
        now = self._hass.loop.time()
        self._backoff.succeed(now)
        self._store.update(key, lambda message: message.mark_accepted(message_id, now))

    def _handle_failure(self, key: str, err: GoSmsError) -> None:
        """Record an attempt that was not accepted."""
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
        """Leave a message queued for the next run, or expire it if it may not be queued."""
        if message.can_be_queued:
            self._store.put(message.report_queued())
        else:
            self._store.put(message.expire(not_queued("the account is being unloaded"), self._hass.loop.time()))
