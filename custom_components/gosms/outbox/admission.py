"""Admission of calls: creates their messages within the limits, or finds the messages of a repeated call."""

from dataclasses import replace
from datetime import timedelta
from itertools import islice, takewhile
import time
from typing import Final

from homeassistant.core import callback
from homeassistant.util import dt as dt_util
from homeassistant.util.ulid import ulid_now

from ..errors import Failure, hourly_limit, idempotency_conflict, not_queued, queue_full
from .account import Account
from .dispatcher import Dispatcher
from .fingerprint import Fingerprint
from .message import OutgoingMessage
from .request import Recipient, SendRequest
from .state import Part

# Maximum messages that the service has not accepted yet. A runaway automation must not fill the disk.
_CAPACITY: Final = 1000

# Seconds for which messages count towards the hourly limit, and for which a repeated call is recognized.
_HOUR: Final = 60 * 60
_DAY: Final = 24 * _HOUR


class Admission:
    """Creates the messages of a call, or finds those of the call that it repeats."""

    def __init__(self, account: Account, dispatcher: Dispatcher) -> None:
        """Initialize the admission; the dispatcher sends the messages that it admits."""
        self._hass = account.hass
        self._account = account
        self._store = account.store
        self._dispatcher = dispatcher

    @callback
    def async_find(self, request: SendRequest) -> dict[int, OutgoingMessage]:
        """Return the messages of the earlier call that a request repeats, by their index; none if it is the first.

        Raises:
            ServiceValidationError: an earlier call with this key had another content. Translated.
        """
        if (fingerprint := self._fingerprint(request)) is None:
            return {}
        since = self._hass.loop.time() - _DAY
        found: dict[int, OutgoingMessage] = {}
        for known in self._store.of_call(fingerprint):
            if known.fingerprint is None or known.created <= since:
                continue
            if known.fingerprint.content != fingerprint.content:
                raise idempotency_conflict()
            found[known.fingerprint.index] = known
        return found

    @callback
    def async_admit(self, request: SendRequest) -> list[OutgoingMessage | Failure]:
        """Admit a request: return a message for each of its numbers, or the reason why there is none.

        This is not a coroutine, so that a repetition a moment later finds all messages.

        Raises:
            ServiceValidationError: see `async_find`.
        """
        found = self.async_find(request)
        fingerprint = self._fingerprint(request)
        indexes = {number: index for index, number in enumerate(_numbers(request))}
        admitted: list[OutgoingMessage | Failure] = []
        for recipient in request.to:
            index = indexes[recipient.phone_number]
            if known := found.get(index):
                admitted.append(known)
            elif failure := self._refusal():
                admitted.append(failure)
            else:
                message = self._message(request, recipient, fingerprint and replace(fingerprint, index=index))
                self._dispatcher.async_enqueue(message)
                admitted.append(self._store.messages[message.key])
        return admitted

    def _refusal(self) -> Failure | None:
        """Return why no message can be admitted now, or None."""
        if self._store.is_closed:
            return not_queued("the account was unloaded")
        if len(self._store.unsent) >= _CAPACITY:
            return queue_full()
        limit = self._account.options.hourly_limit
        if limit and len(recent := self._recent(limit)) >= limit:
            seconds = recent[-limit] + _HOUR - self._hass.loop.time()
            return hourly_limit(limit, dt_util.now() + timedelta(seconds=seconds))
        return None

    def _recent(self, limit: int) -> list[float]:
        """Return when the newest messages of the last hour were created, oldest first; no more than are needed."""
        since = self._hass.loop.time() - _HOUR
        # A message that finished before then was created before then.
        finished = takewhile(
            lambda each: (each.finished or 0.0) > since, reversed(self._store.history.messages.values())
        )
        active = takewhile(lambda each: each.created > since, reversed(self._store.messages.values()))
        times = (
            each.created
            for known in (finished, active)
            for each in islice((each for each in known if each.counts_towards_limit), limit)
        )
        return sorted(time for time in times if time > since)

    def _message(self, request: SendRequest, addressee: Recipient, fingerprint: Fingerprint | None) -> OutgoingMessage:
        """Return a new message."""
        now = self._hass.loop.time()
        expiry = 60 * self._account.options.queue_expiry if request.expire_after is None else request.expire_after
        return OutgoingMessage(
            key=ulid_now(),
            phone_number=addressee.phone_number,
            text=request.text,
            parts=tuple(Part(text=text) for text in request.parts),
            recipient=addressee.recipient,
            tag=request.tag,
            phone_id=request.phone_id,
            sim=request.sim,
            fingerprint=fingerprint,
            created=now,
            wall_time=time.time(),
            expires=now + expiry,
        )

    def _fingerprint(self, request: SendRequest) -> Fingerprint | None:
        """Return the fingerprint of a call for the first of its numbers, or None without an idempotency key."""
        if request.idempotency_key is None:
            return None
        return Fingerprint.of(self._store.secret, request.idempotency_key, request.parts, _numbers(request))


def _numbers(request: SendRequest) -> list[str]:
    """Return the numbers of a call in an order that does not depend on how they were given."""
    return sorted(addressee.phone_number for addressee in request.to)
