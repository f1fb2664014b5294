"""A GoSMS.ru account: its data and its rules, independent of HTTP."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
import time
from typing import Final, Unpack
import uuid

from . import validation
from .errors import TOO_MANY_REQUESTS, ApiError
from .models import (
    FINAL_STATUSES,
    NEW,
    Delivery,
    Generation,
    Message,
    Page,
    Permission,
    Phone,
    PhoneOptions,
    SeededRandom,
    Status,
)
from .store import MessageStore

# Seconds. A message cannot be deleted before this age.
DELETE_AGE: Final = 300
# Requests to one endpoint per second; more are answered with 429.
RATE_LIMIT: Final = 10
_RATE_WINDOW: Final = 1.0


def _wall_clock() -> float:
    """Return the time, looked up at each call so that frozen time in tests applies."""
    return time.time()


class Account:
    """One account with one API token; its settings are plain attributes that can be set at any time."""

    def __init__(
        self,
        *,
        token: str,
        clock: Callable[[], float] = _wall_clock,
        rate_clock: Callable[[], float] = time.monotonic,
        seed: int = 0,
    ) -> None:
        """Create an account without phones; `clock` returns Unix seconds, `rate_clock` any monotonic seconds."""
        self.token = token
        self.clock = clock
        # A clock of its own, because frozen wall time would make the rate limit permanent.
        self.rate_clock = rate_clock
        self.permissions: set[Permission] = set(Permission)
        self.api_active = True
        self.api_deleted = False
        self.blocked = False
        self.quota: int | None = None
        self.rate_limit: int | None = RATE_LIMIT
        # Seconds in the `Retry-After` header of a 429; the vendor documents no such header.
        self.retry_after: int | None = None
        # Whether the response to an invalid token has an error body; the vendor does not document it.
        self.unauthorized_has_body = True
        self.generation: Generation = NEW
        self.phones: dict[str, Phone] = {}
        self._delivery: Delivery | None = None
        self._store = MessageStore()
        # Only these advance with the clock, unlike the history and messages with a forced status.
        self._in_transit: dict[str, Message] = {}
        self._request_times: defaultdict[str, deque[float]] = defaultdict(deque)
        self._random = SeededRandom(seed)
        self._process = self._random.getrandbits(40)
        self._sequence = 0

    @property
    def delivery(self) -> Delivery | None:
        """How messages advance with the clock; None leaves their status unchanged."""
        return self._delivery

    @delivery.setter
    def delivery(self, plan: Delivery | None) -> None:
        # Messages keep the status that they have reached.
        self._advance()
        self._delivery = plan

    @property
    def messages(self) -> MessageStore:
        """All messages with their current status, newest first."""
        self._advance()
        return self._store

    def check_access(self, endpoint: str) -> None:
        """Raise an error for requests above the rate limit, and if the account or its API instance is not active."""
        self._check_rate(endpoint)
        if self.api_deleted:
            raise ApiError(1003)
        if self.blocked:
            raise ApiError(3000)
        if not self.api_active:
            raise ApiError(1002)

    def send(
        self,
        *,
        message: object,
        phone_number: object,
        device_id: object = "",
        callback_id: object = "",
        to_sim: object = None,
    ) -> Message:
        """Accept a message; it waits until `delivery` advances it."""
        self._require(Permission.SEND, 1005)
        text = validation.message_text(message)
        number = validation.phone_number(phone_number)
        device = validation.optional_device_id(device_id)
        callback = validation.callback_id(callback_id)
        sim = validation.to_sim(to_sim)
        if sim is not None and not device:
            raise ApiError(1017)
        self._require_active_phone(device)
        if self.quota is not None:
            if self.quota <= 0:
                raise ApiError(1006)
            self.quota -= 1
        accepted = self.add_message(
            message=text, phone_number=number, device_id=device, callback_id=callback, to_sim=sim, status=Status.WAITING
        )
        self._in_transit[accepted.id] = accepted
        return accepted

    def get(self, message_id: object) -> Message:
        """Return a message by its id."""
        self._require(Permission.READ, 1007)
        return self._find(message_id)

    def delete(self, message_id: object) -> None:
        """Delete a message that is at least five minutes old."""
        self._require(Permission.DELETE, 1009)
        message = self._find(message_id)
        if self.clock() - message.created < DELETE_AGE:
            raise ApiError(1010)
        self._in_transit.pop(message.id, None)
        self._store.remove(message)

    def list_messages(self, limit: object, offset: object = None, search: str = "") -> Page:
        """Return a page of messages, newest first; with a search, the total is the number of matches."""
        self._require(Permission.READ, 1007)
        size = validation.limit(limit)
        page = validation.offset(offset)
        start = (page - 1) * size
        # The vendor documents the total as that of the database, and not what it is in a search. Paging through the
        # matches requires their number, so that is what a search returns here.
        found = self._matches(search) if search else self.messages
        return Page(total=len(found), limit=size, offset=page, messages=tuple(found[start : start + size]))

    def phone_info(self, device_id: object) -> Phone:
        """Return a phone by its id."""
        self._require(Permission.SEE_PHONES, 1011)
        return self._find_phone(device_id)

    def edit_phone(self, device_id: object, is_active: object = None) -> None:
        """Enable or disable a phone for sending; without `is_active` it is disabled."""
        self._require(Permission.EDIT_PHONES, 1013)
        phone = self._find_phone(device_id)
        phone.is_active = validation.is_active(is_active)

    def add_phone(self, device_id: str | None = None, **options: Unpack[PhoneOptions]) -> Phone:
        """Register a phone; without an id it gets one in the format of the API's generation."""
        phone = Phone(device_id=device_id or self._new_phone_id(), registered=self.clock(), **options)
        self.phones[phone.device_id] = phone
        return phone

    def add_message(
        self,
        *,
        message: str,
        phone_number: str,
        status: int = Status.DELIVERED,
        created: float | None = None,
        device_id: str = "",
        callback_id: str = "",
        to_sim: int | None = None,
    ) -> Message:
        """Store a message without validation; it does not advance with the clock."""
        moment = self.clock() if created is None else created
        self._sequence += 1
        # An ObjectId: four bytes of the time, five of the process, three of a counter.
        message_id = f"{int(moment) & 0xFFFFFFFF:08x}{self._process:010x}{self._sequence & 0xFFFFFF:06x}"
        stored = Message(
            id=message_id,
            message=message,
            phone_number=phone_number,
            device_id=device_id,
            callback_id=callback_id,
            to_sim=to_sim,
            created=moment,
            sequence=self._sequence,
            status=status,
        )
        self._store.add(stored)
        return stored

    def set_status(self, message_id: str, status: int) -> None:
        """Force a status, even an undocumented one; the message no longer advances with the clock."""
        message = self._find(message_id)
        message.status = status
        self._in_transit.pop(message.id, None)

    def _advance(self) -> None:
        if self._delivery is None:
            return
        now = self.clock()
        for message in tuple(self._in_transit.values()):
            # A changed delivery or a clock that was set back must not set a message back.
            message.status = max(message.status, self._delivery.status_at(now - message.created))
            if message.status in FINAL_STATUSES:
                del self._in_transit[message.id]

    def _require(self, permission: Permission, code: int) -> None:
        if permission not in self.permissions:
            raise ApiError(code)

    def _require_active_phone(self, device_id: str) -> None:
        if not self.phones:
            raise ApiError(1004)
        if device_id and device_id not in self.phones:
            raise ApiError(1016)
        candidates: Iterable[Phone] = [self.phones[device_id]] if device_id else self.phones.values()
        # The vendor has no code for a specified phone that is disabled; "no active phone" is the closest.
        if not any(phone.is_active for phone in candidates):
            raise ApiError(1015)

    def _find(self, message_id: object) -> Message:
        message = self.messages.find(validation.message_id(message_id))
        if message is None:
            raise ApiError(1008)
        return message

    def _find_phone(self, device_id: object) -> Phone:
        phone = self.phones.get(validation.device_id(device_id))
        if phone is None:
            raise ApiError(1012)
        return phone

    def _matches(self, search: str) -> list[Message]:
        needle = search.lower()
        return [
            message
            for message in self.messages
            if needle in message.phone_number
            or needle in message.message.lower()
            or needle in message.message_status.lower()
        ]

    def _check_rate(self, endpoint: str) -> None:
        if self.rate_limit is None:
            return
        now = self.rate_clock()
        times = self._request_times[endpoint]
        while times and now - times[0] >= _RATE_WINDOW:
            times.popleft()
        # Refused requests do not count, or a client that retries constantly would never be accepted again.
        if len(times) >= self.rate_limit:
            raise ApiError(TOO_MANY_REQUESTS, retry_after=self.retry_after)
        times.append(now)

    def _new_phone_id(self) -> str:
        if self.generation.uuid_ids:
            return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        return f"{self._random.getrandbits(96):024x}"
