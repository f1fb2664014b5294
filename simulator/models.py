"""What an account consists of: messages, phones, permissions and how messages advance."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum, auto
import random
from typing import Final, Self, TypedDict

# The vendor's app on the phone reports this often, in seconds.
REPORT_INTERVAL: Final = 300


class Chance(random.Random):
    """Chance that a seed repeats; it decides the fate of messages, never a secret."""


class Permission(StrEnum):
    """What the control panel lets a token do."""

    SEND = auto()
    READ = auto()
    DELETE = auto()
    SEE_PHONES = auto()
    EDIT_PHONES = auto()


class Status(IntEnum):
    """The states of a message that the vendor documents."""

    WAITING = 0
    PROCESSING = 1
    SENT = 2
    SEND_ERROR = 3
    DELIVERED = 4
    DELIVERY_ERROR = 5


FINAL: Final = frozenset({Status.SEND_ERROR, Status.DELIVERED, Status.DELIVERY_ERROR})

# The texts of 0 and 4 are the vendor's own; the page shows none of the others.
STATUS_TEXTS: Final[dict[int, str]] = {
    Status.WAITING: "Ждет обработки",
    Status.PROCESSING: "В обработке",
    Status.SENT: "Отправлено",
    Status.SEND_ERROR: "Ошибка отправки",
    Status.DELIVERED: "Доставлено",
    Status.DELIVERY_ERROR: "Ошибка доставки",
}
UNKNOWN_STATUS_TEXT: Final = "Неизвестный статус"


@dataclass(kw_only=True, slots=True)
class Message:
    """One stored SMS; `created` in Unix seconds, `sequence` orders messages of the same moment."""

    id: str
    message: str
    phone_number: str
    device_id: str
    callback_id: str
    to_sim: int | None
    created: float
    sequence: int
    status: int

    @property
    def time_create(self) -> int:
        """The time of creation as the service tells it: whole Unix seconds."""
        return int(self.created)

    @property
    def message_status(self) -> str:
        """The status in Russian."""
        return STATUS_TEXTS.get(self.status, UNKNOWN_STATUS_TEXT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One page of messages, newest first; `offset` is a page number from 1."""

    total: int
    limit: int
    offset: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """How a message advances: (seconds since creation, status from then on), in order of time."""

    steps: tuple[tuple[float, int], ...]

    @classmethod
    def ending(cls, status: int = Status.DELIVERED, *, speed: float = 1.0) -> Self:
        """The usual way to this status: processing after 1 s, sent after 3 s, a report after 8 s, divided by speed."""
        usual: list[tuple[float, int]] = [(1.0, Status.PROCESSING), (3.0, Status.SENT), (8.0, status)]
        if status in (Status.SENT, Status.SEND_ERROR):
            # The phone itself says these two, so no report follows.
            usual[1:] = [(3.0, status)]
        return cls(steps=tuple((seconds / speed, reached) for seconds, reached in usual))

    def status_at(self, age: float) -> int:
        """The status of a message this many seconds after its creation."""
        reached: int = Status.WAITING
        for seconds, status in self.steps:
            if age >= seconds:
                reached = status
        return reached


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """In which form the service speaks: the vendor's own pages differ in these points."""

    phone_id_keys: tuple[str, ...]
    battery_as_text: bool
    tells_sim: bool
    uuid_ids: bool


OLD: Final = Generation(phone_id_keys=("id",), battery_as_text=True, tells_sim=False, uuid_ids=False)
NEW: Final = Generation(phone_id_keys=("device_id",), battery_as_text=False, tells_sim=True, uuid_ids=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sim:
    """A SIM card in a phone; the first slot is 0."""

    slot_index: int
    display_name: str


TWO_SIMS: Final = (Sim(slot_index=0, display_name="MTS"), Sim(slot_index=1, display_name="Beeline"))


@dataclass(kw_only=True, slots=True)
class Phone:
    """An Android phone with the vendor's app; `battery` in percent, times in Unix seconds."""

    device_id: str
    registered: float
    name: str = "Pixel 8"
    name_type: str = "Google Pixel 8"
    battery: int = 80
    is_active: bool = True
    is_charging: bool = False
    low_battery_alert: bool = False
    to_sim: int = -2
    sims: tuple[Sim, ...] = field(default=TWO_SIMS)
    # While this is set the phone is out of touch, and this is when it reported last.
    held_last_online: float | None = None

    def last_online(self, now: float) -> float:
        """When the phone reported last: every five minutes since its registration, or when it was lost."""
        if self.held_last_online is not None:
            return self.held_last_online
        return now - (now - self.registered) % REPORT_INTERVAL

    def set_online(self, *, online: bool, now: float) -> None:
        """Let the phone report, or hold back what it reported last."""
        self.held_last_online = None if online else self.last_online(now)


class PhoneOptions(TypedDict, total=False):
    """What can be said about a phone that is added, with the meaning it has in `Phone`."""

    name: str
    name_type: str
    battery: int
    is_active: bool
    is_charging: bool
    low_battery_alert: bool
    to_sim: int
    sims: tuple[Sim, ...]
    held_last_online: float | None
