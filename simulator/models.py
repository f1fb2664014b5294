"""The data of an account: messages, their delivery, phones and permissions."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum, auto
import random
from typing import Final, Self, TypedDict

# The vendor's app on the phone reports this often, in seconds.
REPORT_INTERVAL: Final = 300


class SeededRandom(random.Random):
    """A repeatable generator of ids and faults, never of secrets."""


class Permission(StrEnum):
    """The permissions of a token in the control panel."""

    SEND = auto()
    READ = auto()
    DELETE = auto()
    SEE_PHONES = auto()
    EDIT_PHONES = auto()


class Status(IntEnum):
    """The documented statuses of a message."""

    WAITING = 0
    PROCESSING = 1
    SENT = 2
    SEND_ERROR = 3
    DELIVERED = 4
    DELIVERY_ERROR = 5


FINAL_STATUSES: Final = frozenset({Status.SEND_ERROR, Status.DELIVERED, Status.DELIVERY_ERROR})

# The vendor documents only the texts of 0 and 4.
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
    """A stored SMS; `created` in Unix seconds, `sequence` orders messages of the same time."""

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
        """The time of creation in the API: whole Unix seconds."""
        return int(self.created)

    @property
    def message_status(self) -> str:
        """The status in Russian."""
        return STATUS_TEXTS.get(self.status, UNKNOWN_STATUS_TEXT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page of messages, newest first; `offset` is the number of the page, starting from 1."""

    total: int
    limit: int
    offset: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """How the status of a message changes: (seconds since creation, status from then on), in order of time."""

    steps: tuple[tuple[float, int], ...]

    @classmethod
    def ending(cls, status: int = Status.DELIVERED, *, speed: float = 1.0) -> Self:
        """Return the usual steps: processing after 1 s, sent after 3 s, and the status after 8 s, divided by speed."""
        usual: list[tuple[float, int]] = [(1.0, Status.PROCESSING), (3.0, Status.SENT), (8.0, status)]
        if status in (Status.SENT, Status.SEND_ERROR):
            # The phone itself reports these two, so no delivery report follows.
            usual[1:] = [(3.0, status)]
        return cls(steps=tuple((seconds / speed, reached) for seconds, reached in usual))

    def status_at(self, age: float) -> int:
        """Return the status of a message so many seconds after its creation."""
        reached: int = Status.WAITING
        for seconds, status in self.steps:
            if age >= seconds:
                reached = status
        return reached


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """A generation of the API, in which the vendor's documentation differs."""

    phone_id_keys: tuple[str, ...]
    battery_as_text: bool
    includes_sim: bool
    uuid_ids: bool


OLD: Final = Generation(phone_id_keys=("id",), battery_as_text=True, includes_sim=False, uuid_ids=False)
NEW: Final = Generation(phone_id_keys=("device_id",), battery_as_text=False, includes_sim=True, uuid_ids=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sim:
    """A SIM card in a phone; slots are counted from 0."""

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
    # Set while the phone is offline: the time of its last report.
    frozen_last_online: float | None = None

    def last_online(self, now: float) -> float:
        """Return the time of the last report: every five minutes since the registration, until it went offline."""
        if self.frozen_last_online is not None:
            return self.frozen_last_online
        return now - (now - self.registered) % REPORT_INTERVAL

    def set_online(self, *, online: bool, now: float) -> None:
        """Let the phone report, or stop at its last report."""
        self.frozen_last_online = None if online else self.last_online(now)


class PhoneOptions(TypedDict, total=False):
    """The optional attributes of a phone that is added; see `Phone`."""

    name: str
    name_type: str
    battery: int
    is_active: bool
    is_charging: bool
    low_battery_alert: bool
    to_sim: int
    sims: tuple[Sim, ...]
    frozen_last_online: float | None
