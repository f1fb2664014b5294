"""What a call asks for, and how its messages come to be: not beyond the limits, and not a second time."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
import hmac
from itertools import takewhile
import json
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.ulid import ulid_now

from ..errors import Failure, hourly_limit, not_queued, other_content, queue_full
from .ledger import Ended
from .message import Fingerprint, OutgoingMessage, State
from .sender import Sender
from .store import OutboxStore

# Messages that the service has not taken yet. An automation that runs wild must not fill the disk.
_CAPACITY: Final = 1000

# Seconds in which the messages count towards the hourly limit, and in which a repeated call is the same call.
_HOUR: Final = 60 * 60
_DAY: Final = 24 * _HOUR

# Half of the digest: enough to tell calls apart, and a ledger that is half as large.
_DIGITS: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Addressee:
    """Who a message is for.

    Attributes:
        phone_number: digits only. Not shown by repr.
        recipient: the id of the subentry with this number, or None.
    """

    phone_number: str = field(repr=False)
    recipient: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One text to one number or several.

    Attributes:
        to: who gets it, each number once, at least one.
        text: what was asked to be sent, as the service can take it. Not shown by repr.
        parts: the text as it is sent: one part or several, each of 1 to 300 characters that the service allows. Not
            shown by repr.
        tag: what the caller wants to know the messages by, or None.
        sender: the GoSMS id of the phone to send with, or None for the one that the settings name.
        sim: the SIM card to send with, in the words of a phone's settings, or None for what these say.
        expire_after: seconds that the messages may wait for an outage to end, 0 for none, or None for what the options
            say.
        idempotency_key: makes a call with the same key within 24 hours a repetition of this one, or None. Not shown by
            repr.
        wait_for: how far the messages have to get: `accepted` is a first word (accepted, queued, or over), `sent` and
            `delivered` the states of these names.
        timeout: seconds to wait at the most, or None for as long as it takes.
    """

    to: tuple[Addressee, ...]
    text: str = field(repr=False)
    parts: tuple[str, ...] = field(repr=False)
    tag: str | None = None
    sender: str | None = None
    sim: str | None = None
    expire_after: float | None = None
    idempotency_key: str | None = field(default=None, repr=False)
    wait_for: State = State.ACCEPTED
    timeout: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What has become of the message to one number.

    Attributes:
        status: as people are shown it, or None if there is no message.
        message_ids: the ids that the service gave to its parts, in their order.
        failure: what went wrong, or None.
    """

    status: str | None = None
    message_ids: tuple[str, ...] = ()
    failure: Failure | None = None

    @classmethod
    def of(cls, taken: OutgoingMessage | Ended | Failure) -> Result:
        """Return how it stands with a message, or with what did not become one."""
        if isinstance(taken, Failure):
            return cls(failure=taken)
        return cls(status=taken.status, message_ids=taken.ids, failure=taken.failure or _failed(taken.state))


def _failed(state: State | None) -> Failure | None:
    """Return what is wrong with a state that says no more than that."""
    return Failure(key=state.value) if state and state.is_final and state is not State.DELIVERED else None


class Intake:
    """Makes the messages of a call, or finds those of the call that it repeats."""

    def __init__(self, hass: HomeAssistant, store: OutboxStore, sender: Sender, *, limit: int, expiry: float) -> None:
        """Make the intake.

        Args:
            hass: Home Assistant.
            store: the messages.
            sender: sends them.
            limit: messages in an hour, or 0 for any number.
            expiry: seconds that a message may wait if its call does not say it.
        """
        self._hass = hass
        self._store = store
        self._sender = sender
        self._limit = limit
        self._expiry = expiry

    @callback
    def async_find(self, call: Call) -> dict[int, OutgoingMessage | Ended]:
        """Return the messages of the call that a call repeats, by their places; none if it is the first.

        Raises:
            ServiceValidationError: the call with this key was another one. Translated.
        """
        if (fingerprint := self._fingerprint(call)) is None:
            return {}
        since = self._hass.loop.time() - _DAY
        found: dict[int, OutgoingMessage | Ended] = {}
        for known in self._known():
            if (
                known.fingerprint is None
                or known.fingerprint.key != fingerprint.key
                or (known.created or since) <= since
            ):
                continue
            if known.fingerprint.content != fingerprint.content:
                raise other_content()
            found[known.fingerprint.place] = known
        return found

    @callback
    def async_take(self, call: Call) -> list[OutgoingMessage | Ended | Failure]:
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
        taken: list[OutgoingMessage | Ended | Failure] = []
        new: list[OutgoingMessage] = []
        for addressee in call.to:
            place = places[addressee.phone_number]
            if known := found.get(place):
                taken.append(known)
            elif self._store.is_sealed:
                taken.append(not_queued("the account was unloaded"))
            elif waiting >= _CAPACITY:
                taken.append(queue_full())
            elif self._limit and len(recent) >= self._limit:
                seconds = recent[-self._limit] + _HOUR - self._hass.loop.time()
                taken.append(hourly_limit(self._limit, dt_util.now() + timedelta(seconds=seconds)))
            else:
                message = self._message(call, addressee, fingerprint and replace(fingerprint, place=place))
                taken.append(message)
                new.append(message)
                waiting += 1
                recent.append(message.created)
        self._sender.async_take(new)
        messages = self._store.messages
        return [messages.get(each.key, each) if isinstance(each, OutgoingMessage) else each for each in taken]

    def _message(self, call: Call, addressee: Addressee, fingerprint: Fingerprint | None) -> OutgoingMessage:
        """Return a new message."""
        now = self._hass.loop.time()
        return OutgoingMessage(
            key=ulid_now(),
            phone_number=addressee.phone_number,
            text=call.text,
            parts=call.parts,
            recipient=addressee.recipient,
            tag=call.tag,
            sender=call.sender,
            sim=call.sim,
            fingerprint=fingerprint,
            created=now,
            expires=now + (self._expiry if call.expire_after is None else call.expire_after),
        )

    def _known(self) -> Iterable[OutgoingMessage | Ended]:
        """Return what is remembered of messages, and those under way."""
        return (*self._store.ledger.ended, *self._store.messages.values())

    def _recent(self) -> list[float]:
        """Return when the messages of the last hour were asked for, oldest first."""
        since = self._hass.loop.time() - _HOUR
        # What ended before that was asked for before that.
        ended = takewhile(lambda ended: ended.time > since, reversed(self._store.ledger.ended))
        known: Iterable[OutgoingMessage | Ended] = (*ended, *self._store.messages.values())
        times = (each.created for each in known if each.counts)
        return sorted(time for time in times if time is not None and time > since)

    def _fingerprint(self, call: Call) -> Fingerprint | None:
        """Return what the messages of a call are known again by, for the first of its numbers."""
        if call.idempotency_key is None:
            return None
        content = json.dumps([call.parts, _numbers(call)])
        return Fingerprint(key=self._digest(call.idempotency_key), content=self._digest(content), place=0)

    def _digest(self, text: str) -> str:
        """Return a digest that tells nothing to who does not know the secret."""
        return hmac.new(self._store.secret.encode(), text.encode(), sha256).hexdigest()[:_DIGITS]


def _numbers(call: Call) -> list[str]:
    """Return the numbers of a call in an order that does not depend on how they were given."""
    return sorted(addressee.phone_number for addressee in call.to)
