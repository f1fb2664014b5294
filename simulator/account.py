"""An account with GoSMS: what it stores and the rules it keeps; knows no HTTP."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
import time
from typing import Final, Unpack
import uuid

from . import rules
from .models import FINAL, NEW, Chance, Delivery, Generation, Message, Page, Permission, Phone, PhoneOptions, Status
from .refusal import TOO_MANY_REQUESTS, Refusal
from .store import MessageStore

# A younger message is not deleted, in seconds.
DELETE_AGE: Final = 300
# More requests in a second to one endpoint may be answered 429.
RATE_LIMIT: Final = 10
_RATE_WINDOW: Final = 1.0


def wall_clock() -> float:
    """The machine's time, looked up at each call, so that a test that freezes it is followed."""
    return time.time()


class Account:
    """One account with one API token; every switch is a plain attribute that may be set at any time."""

    def __init__(
        self,
        *,
        token: str,
        clock: Callable[[], float] = wall_clock,
        rate_clock: Callable[[], float] = time.monotonic,
        seed: int = 0,
    ) -> None:
        """Start an account without phones; `clock` gives Unix seconds, `rate_clock` any seconds that run on."""
        self.token = token
        self.clock = clock
        # Frozen wall time must not turn ten requests into a rate limit for ever, hence a clock of its own.
        self.rate_clock = rate_clock
        self.permissions: set[Permission] = set(Permission)
        self.api_active = True
        self.api_deleted = False
        self.blocked = False
        self.quota: int | None = None
        self.rate_limit: int | None = RATE_LIMIT
        # Seconds in a `Retry-After` header of a 429; the vendor documents none.
        self.retry_after: int | None = None
        # Whether a refused token is answered with an error body; the vendor shows neither form.
        self.explains_unauthorized = True
        self.generation: Generation = NEW
        self.phones: dict[str, Phone] = {}
        self._delivery: Delivery | None = None
        self._store = MessageStore()
        # Only these move with the clock; history and forced messages do not.
        self._under_way: dict[str, Message] = {}
        self._admitted: defaultdict[str, deque[float]] = defaultdict(deque)
        self._random = Chance(seed)
        self._process = self._random.getrandbits(40)
        self._sequence = 0

    @property
    def delivery(self) -> Delivery | None:
        """How messages advance with the clock; None holds them where they are."""
        return self._delivery

    @delivery.setter
    def delivery(self, plan: Delivery | None) -> None:
        # What the old plan reached until now stays reached.
        self._advance()
        self._delivery = plan

    @property
    def messages(self) -> MessageStore:
        """All messages as they stand now, newest first."""
        self._advance()
        return self._store

    def admit(self, endpoint: str) -> None:
        """Refuse what comes too fast, or to an account or API instance that is not in order."""
        self._check_rate(endpoint)
        if self.api_deleted:
            raise Refusal(1003)
        if self.blocked:
            raise Refusal(3000)
        if not self.api_active:
            raise Refusal(1002)

    def send(
        self,
        *,
        message: object,
        phone_number: object,
        device_id: object = "",
        callback_id: object = "",
        to_sim: object = None,
    ) -> Message:
        """Accept a message for sending; it waits until the delivery plan moves it."""
        self._require(Permission.SEND, 1005)
        text = rules.message_text(message)
        number = rules.phone_number(phone_number)
        device = rules.optional_device_id(device_id)
        callback = rules.callback_id(callback_id)
        sim = rules.to_sim(to_sim)
        if sim is not None and not device:
            raise Refusal(1017)
        self._require_sender(device)
        if self.quota is not None:
            if self.quota <= 0:
                raise Refusal(1006)
            self.quota -= 1
        accepted = self.add_message(
            message=text, phone_number=number, device_id=device, callback_id=callback, to_sim=sim, status=Status.WAITING
        )
        self._under_way[accepted.id] = accepted
        return accepted

    def get(self, message_id: object) -> Message:
        """One message by its id."""
        self._require(Permission.READ, 1007)
        return self._find(message_id)

    def delete(self, message_id: object) -> None:
        """Forget a message that is at least five minutes old."""
        self._require(Permission.DELETE, 1009)
        message = self._find(message_id)
        if self.clock() - message.created < DELETE_AGE:
            raise Refusal(1010)
        self._under_way.pop(message.id, None)
        self._store.remove(message)

    def list_messages(self, limit: object, offset: object = None, search: str = "") -> Page:
        """One page of messages, newest first; with a search the total is that of the matches."""
        self._require(Permission.READ, 1007)
        size = rules.limit(limit)
        page = rules.offset(offset)
        start = (page - 1) * size
        # The vendor says that the total is that of the database and is silent about a search. Paging through
        # matches needs their number, so this is what a search tells here.
        found = self._matches(search) if search else self.messages
        return Page(total=len(found), limit=size, offset=page, messages=tuple(found[start : start + size]))

    def phone_info(self, device_id: object) -> Phone:
        """One phone by its id."""
        self._require(Permission.SEE_PHONES, 1011)
        return self._find_phone(device_id)

    def edit_phone(self, device_id: object, is_active: object = None) -> None:
        """Switch a phone on for sending, or off; off is also what a missing `is_active` means."""
        self._require(Permission.EDIT_PHONES, 1013)
        phone = self._find_phone(device_id)
        phone.is_active = rules.is_active(is_active)

    def add_phone(self, device_id: str | None = None, **options: Unpack[PhoneOptions]) -> Phone:
        """Register a phone; without an id it gets one in the form of the API's generation."""
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
        """Put a message of the past in place, unchecked; the clock does not move it."""
        moment = self.clock() if created is None else created
        self._sequence += 1
        # An ObjectId: the time in the first four bytes, five bytes of the process, three that count.
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
        """Force a status, known to the vendor or not; the clock no longer moves this message."""
        message = self._find(message_id)
        message.status = status
        self._under_way.pop(message.id, None)

    def _advance(self) -> None:
        if self._delivery is None:
            return
        now = self.clock()
        for message in tuple(self._under_way.values()):
            # A plan that was exchanged, or a clock that was set back, must not take a message back.
            message.status = max(message.status, self._delivery.status_at(now - message.created))
            if message.status in FINAL:
                del self._under_way[message.id]

    def _require(self, permission: Permission, code: int) -> None:
        if permission not in self.permissions:
            raise Refusal(code)

    def _require_sender(self, device_id: str) -> None:
        if not self.phones:
            raise Refusal(1004)
        if device_id and device_id not in self.phones:
            raise Refusal(1016)
        candidates: Iterable[Phone] = [self.phones[device_id]] if device_id else self.phones.values()
        # The vendor has no code for a named phone that is switched off; "none is switched on" is the nearest.
        if not any(phone.is_active for phone in candidates):
            raise Refusal(1015)

    def _find(self, message_id: object) -> Message:
        message = self.messages.find(rules.message_id(message_id))
        if message is None:
            raise Refusal(1008)
        return message

    def _find_phone(self, device_id: object) -> Phone:
        phone = self.phones.get(rules.device_id(device_id))
        if phone is None:
            raise Refusal(1012)
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
        admitted = self._admitted[endpoint]
        while admitted and now - admitted[0] >= _RATE_WINDOW:
            admitted.popleft()
        # What is refused does not count, or a client that hammers would never be let in again.
        if len(admitted) >= self.rate_limit:
            raise Refusal(TOO_MANY_REQUESTS, retry_after=self.retry_after)
        admitted.append(now)

    def _new_phone_id(self) -> str:
        if self.generation.uuid_ids:
            return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        return f"{self._random.getrandbits(96):024x}"
