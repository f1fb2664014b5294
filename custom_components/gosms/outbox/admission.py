"""How the messages of a call come to be: not beyond the limits, and not a second time."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
import hmac
from itertools import takewhile
import json
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.ulid import ulid_now

from ..errors import Failure, hourly_limit, idempotency_conflict, not_queued, queue_full
from .dispatcher import Dispatcher
from .history import FinishedMessage
from .message import Fingerprint, OutgoingMessage
from .request import Recipient, SendRequest
from .store import OutboxStore

# Messages that the service has not taken yet. An automation that runs wild must not fill the disk.
_CAPACITY: Final = 1000

# Seconds in which the messages count towards the hourly limit, and in which a repeated call is the same call.
_HOUR: Final = 60 * 60
_DAY: Final = 24 * _HOUR

# Half of the digest: enough to tell calls apart, and a ledger that is half as large.
_DIGITS: Final = 32


class Admission:
    """Makes the messages of a call, or finds those of the call that it repeats."""

    def __init__(
        self, hass: HomeAssistant, store: OutboxStore, dispatcher: Dispatcher, *, limit: int, expiry: float
    ) -> None:
        """Make the intake.

        Args:
            hass: Home Assistant.
            store: the messages.
            dispatcher: sends them.
            limit: messages in an hour, or 0 for any number.
            expiry: seconds that a message may wait if its call does not say it.
        """
        self._hass = hass
        self._store = store
        self._dispatcher = dispatcher
        self._limit = limit
        self._expiry = expiry

    @callback
    def async_find(self, call: SendRequest) -> dict[int, OutgoingMessage | FinishedMessage]:
        """Return the messages of the call that a call repeats, by their places; none if it is the first.

        Raises:
            ServiceValidationError: the call with this key was another one. Translated.
        """
        if (fingerprint := self._fingerprint(call)) is None:
            return {}
        since = self._hass.loop.time() - _DAY
        found: dict[int, OutgoingMessage | FinishedMessage] = {}
        for known in self._known():
            if (
                known.fingerprint is None
                or known.fingerprint.key != fingerprint.key
                or (known.created or since) <= since
            ):
                continue
            if known.fingerprint.content != fingerprint.content:
                raise idempotency_conflict()
            found[known.fingerprint.index] = known
        return found

    @callback
    def async_take(self, call: SendRequest) -> list[OutgoingMessage | FinishedMessage | Failure]:
        """Take a call: return a message for each of its numbers, or why there is none.

        Nothing waits in here, so that a repetition that comes a moment later finds them all.

        Raises:
            ServiceValidationError: see `async_find`.
        """
        found = self.async_find(call)
        fingerprint = self._fingerprint(call)
        places = {number: place for place, number in enumerate(_numbers(call))}
        waiting = sum(not message.ids for message in self._store.messages.values())
        recent = self._recent() if self._limit else []
        taken: list[OutgoingMessage | FinishedMessage | Failure] = []
        new: list[OutgoingMessage] = []
        for addressee in call.to:
            place = places[addressee.phone_number]
            if known := found.get(place):
                taken.append(known)
            elif self._store.is_closed:
                taken.append(not_queued("the account was unloaded"))
            elif waiting >= _CAPACITY:
                taken.append(queue_full())
            elif self._limit and len(recent) >= self._limit:
                seconds = recent[-self._limit] + _HOUR - self._hass.loop.time()
                taken.append(hourly_limit(self._limit, dt_util.now() + timedelta(seconds=seconds)))
            else:
                message = self._message(call, addressee, fingerprint and replace(fingerprint, index=place))
                taken.append(message)
                new.append(message)
                waiting += 1
                recent.append(message.created)
        self._dispatcher.async_take(new)
        messages = self._store.messages
        return [messages.get(each.key, each) if isinstance(each, OutgoingMessage) else each for each in taken]

    def _message(self, call: SendRequest, addressee: Recipient, fingerprint: Fingerprint | None) -> OutgoingMessage:
        """Return a new message."""
        now = self._hass.loop.time()
        return OutgoingMessage(
            key=ulid_now(),
            phone_number=addressee.phone_number,
            text=call.text,
            parts=call.parts,
            recipient=addressee.recipient,
            tag=call.tag,
            phone_id=call.phone_id,
            sim=call.sim,
            fingerprint=fingerprint,
            created=now,
            expires=now + (self._expiry if call.expire_after is None else call.expire_after),
        )

    def _known(self) -> Iterable[OutgoingMessage | FinishedMessage]:
        """Return what is remembered of messages, and those under way."""
        return (*self._store.history.ended, *self._store.messages.values())

    def _recent(self) -> list[float]:
        """Return when the messages of the last hour were asked for, oldest first."""
        since = self._hass.loop.time() - _HOUR
        # What ended before that was asked for before that.
        ended = takewhile(lambda ended: ended.time > since, reversed(self._store.history.ended))
        known: Iterable[OutgoingMessage | FinishedMessage] = (*ended, *self._store.messages.values())
        times = (each.created for each in known if each.counts_towards_limit)
        return sorted(time for time in times if time is not None and time > since)

    def _fingerprint(self, call: SendRequest) -> Fingerprint | None:
        """Return what the messages of a call are known again by, for the first of its numbers."""
        if call.idempotency_key is None:
            return None
        content = json.dumps([call.parts, _numbers(call)])
        return Fingerprint(key=self._digest(call.idempotency_key), content=self._digest(content), index=0)

    def _digest(self, text: str) -> str:
        """Return a digest that tells nothing to who does not know the secret."""
        return hmac.new(self._store.secret.encode(), text.encode(), sha256).hexdigest()[:_DIGITS]


def _numbers(call: SendRequest) -> list[str]:
    """Return the numbers of a call in an order that does not depend on how they were given."""
    return sorted(addressee.phone_number for addressee in call.to)
