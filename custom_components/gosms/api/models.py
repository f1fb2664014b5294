"""The objects of the API. Parsing is lenient: one odd field must not cost a whole page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
import re
from typing import Final, Self

from .ids import parse_message_id, parse_vendor_id
from .surrogates import join_surrogates

# Characters. No field of the API is nearly as long; a longer one is truncated.
_MAX_TEXT: Final = 1000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# No message was created earlier, and none was created and no phone reported later. A wrong time is worse than none: it
# would prove that a message is not the one that is looked up. The year 9999 can't be converted to every local time.
_EARLIEST: Final = datetime(2001, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

# A character that hides a digit: what is left of a masked number would be another number.
_MASK: Final = re.compile(r"[*•xXхХ#?]")

# What a phone number may contain besides its digits.
_NO_DIGITS: Final = re.compile(r"[^0-9]+")

# An integer as text, and the limit for all integers: a larger one means nothing in this API, and can't be represented
# in JSON for the frontend.
_INTEGER: Final = re.compile(r"(-?[0-9]{1,18})(\.0{1,18})?")
_MAX_INTEGER: Final = 10**18

# No account has more messages.
_MAX_TOTAL: Final = 10**12

# Unix time of the years 2001 to 2286 has 10 digits in seconds and 13 in milliseconds. Other numbers may be dates, such
# as 20261014.
_UNIX_TIME: Final = re.compile(r"([1-9][0-9]{9}|[1-9][0-9]{12})(\.[0-9]{1,9})?")

_TRUTH: Final[Mapping[object, bool]] = {"true": True, "false": False, "1": True, "0": False, 1: True, 0: False}

# A value from the network, until it is validated.
type Json = Mapping[str, "Json"] | list["Json"] | str | float | bool | None


class MessageStatus(IntEnum):
    """The statuses of a message, with the vendor's numbers."""

    WAITING = 0
    PROCESSING = 1
    SENT = 2
    SEND_FAILED = 3
    DELIVERED = 4
    DELIVERY_FAILED = 5

    @property
    def is_final(self) -> bool:
        """Return whether this status can't change. SENT is not final, though some messages keep it forever."""
        return self in {MessageStatus.SEND_FAILED, MessageStatus.DELIVERED, MessageStatus.DELIVERY_FAILED}

    @property
    def key(self) -> str:
        """Return the name in lower case, as states, actions and translations have it."""
        return self.name.lower()


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A message of the account.

    Attributes:
        id: 24 hex digits, in lower case.
        phone_number: the recipient's number, digits only. Not shown by repr.
        text: the text, at most 300 characters. Not shown by repr.
        status_code: the vendor's number for the status, or None if it is not a number.
        device_id: the requested phone, or None for any.
        sim: the requested SIM slot, counted from 0, or None.
        callback_id: the webhook that receives its callbacks, or None for all.
        created: when the service accepted it, by the service's clock, or None.
    """

    id: str
    phone_number: str = field(repr=False)
    text: str = field(repr=False)
    status_code: int | None
    device_id: str | None
    sim: int | None
    callback_id: str | None
    created: datetime | None

    @property
    def status(self) -> MessageStatus | None:
        """Return the status, or None if it is not a documented one."""
        try:
            return MessageStatus(self.status_code)  # type: ignore[arg-type]  # None is treated like any unknown number.
        except ValueError:
            return None

    @property
    def status_name(self) -> str | None:
        """Return the key of the status, or None if it is not a documented one."""
        return None if (status := self.status) is None else status.key

    @classmethod
    def from_api(cls, data: Json) -> Self | None:
        """Return a message from a response, or None without a valid id."""
        if not isinstance(data, Mapping) or not (message_id := parse_message_id(data.get("id"))):
            return None
        return cls(
            id=message_id,
            phone_number=_digits(_text(data.get("phone_number")) or ""),
            text=_text(data.get("message")) or "",
            status_code=integer(data.get("status")),
            device_id=parse_vendor_id(data.get("device_id")),
            sim=integer(data.get("to_sim")),
            callback_id=parse_vendor_id(data.get("callback_id")),
            created=_unix_time(data.get("time_create")),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class MessagePage:
    """One page of the account's messages.

    Attributes:
        total: how many messages the server has (or found, in a search), or None if it is not known.
        messages: the messages of the page, newest first, at most as many as requested.
        is_complete: whether all messages of the page could be read. Only then does the absence of one prove anything.
    """

    total: int | None = None
    messages: tuple[Message, ...] = ()
    is_complete: bool = True

    @classmethod
    def from_api(cls, data: Mapping[str, Json], limit: int) -> Self | None:
        """Return a page from a response, without messages that can't be read, or None if it is not a page."""
        items = data.get("sms_list")
        if not isinstance(items, list):
            # For an account without messages it may be null, as an empty list is in the vendor's programming language.
            if items is not None or "sms_list" not in data:
                return None
            items = []
        pagination = data.get("pagination")
        total = integer(pagination.get("total_records")) if isinstance(pagination, Mapping) else None
        items = items[:limit]
        messages = tuple(message for item in items if (message := Message.from_api(item)))
        return cls(
            total=total if total is not None and 0 <= total <= _MAX_TOTAL else None,
            messages=messages,
            is_complete=len(messages) == len(items),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sim:
    """A SIM card in a phone.

    Attributes:
        slot: the slot, counted from 0.
        name: the name of the card on the phone, or None.
    """

    slot: int
    name: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Phone:
    """An Android phone of the account (the vendor calls it device).

    Attributes:
        id: 24 hex digits or a UUID, in lower case. Any other form is kept as it is, up to 1,000 characters.
        name: its name in the control panel, or None.
        model: the kind of phone, or None. In the vendor's example it is "Mobile phone".
        battery: the charge in percent, 0 to 100, or None.
        is_active: whether it may send, or None if it is not known.
        is_charging: whether it is charging, or None.
        last_online: when it last reported, by the service's clock, or None. It reports every 5 minutes.
        sim: the default SIM: -2 the phone's own default, -1 random, 0 slot one, 1 slot two, or None.
        sims: its SIM cards.
    """

    id: str
    name: str | None = None
    model: str | None = None
    battery: int | None = None
    is_active: bool | None = None
    is_charging: bool | None = None
    last_online: datetime | None = None
    sim: int | None = None
    sims: tuple[Sim, ...] = ()

    @classmethod
    def from_api(cls, data: Mapping[str, Json]) -> Self | None:
        """Return a phone from a response, or None without an id."""
        raw_id = data.get("device_id")
        if not (device_id := parse_vendor_id(raw_id) or _text(raw_id)):
            return None
        sims = data.get("sim_list")
        return cls(
            id=device_id,
            name=_text(data.get("device_name")),
            model=_text(data.get("device_name_type")),
            battery=_percentage(data.get("device_battery_state")),
            is_active=_boolean(data.get("is_active")),
            is_charging=_boolean(data.get("is_charging")),
            last_online=_report_time(data.get("last_online_date")),
            sim=integer(data.get("to_sim")),
            sims=tuple(
                Sim(slot=slot, name=_text(sim.get("display_name")))
                for sim in (sims if isinstance(sims, list) else ())
                if isinstance(sim, Mapping) and (slot := integer(sim.get("slot_index"))) is not None
            ),
        )


def _text(value: Json) -> str | None:
    """Return a text that is not empty, or None. A number is converted to text."""
    match value:
        case bool():
            return None
        case str() | int():
            return join_surrogates(str(value)[:_MAX_TEXT]) or None
    return None


def integer(value: Json) -> int | None:
    """Return an integer of at most 18 digits, also from text, or None."""
    if isinstance(value, str):
        return int(found[1]) if (found := _INTEGER.fullmatch(value)) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and value.is_integer():
        return int(value) if abs(value) < _MAX_INTEGER else None
    return None


def _digits(number: str) -> str:
    """Return the digits of a phone number, or an empty text if some of them are masked."""
    return "" if _MASK.search(number) else _NO_DIGITS.sub("", number)


def _percentage(value: Json) -> int | None:
    """Return an integer percentage, with or without the percent sign, or None."""
    number = integer(value.strip().removesuffix("%").rstrip() if isinstance(value, str) else value)
    return number if number is not None and 0 <= number <= 100 else None  # noqa: PLR2004


def _boolean(value: Json) -> bool | None:
    """Return a Boolean, also from a number or text, or None."""
    if isinstance(value, str):
        return _TRUTH.get(value.strip().lower())
    return _TRUTH.get(value) if isinstance(value, int | float) else None


def _unix_time(value: Json) -> datetime | None:
    """Return the time of Unix seconds, or None if no message can have been created then."""
    seconds = integer(value)
    if seconds is None or not _EARLIEST.timestamp() <= seconds < _LATEST.timestamp():
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _iso_time(value: str) -> datetime | None:
    """Return the time of an ISO 8601 text in UTC, which is also the default time zone, or None if it is not valid."""
    try:
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError, ValueError:
        # The first hours of the year 1 may lie before it in UTC.
        return None


def _report_time(value: Json) -> datetime | None:
    """Return when a phone reported, from ISO 8601 or Unix time in seconds or milliseconds, or None if it never did.

    The vendor's own example is in January 1970: seconds that were taken for milliseconds. No phone reported then, so
    such a time is corrected. The epoch and earlier times are how programming languages represent the lack of a time.
    """
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    time = _iso_time(text) if isinstance(value, str) else None
    if found := _UNIX_TIME.fullmatch(text):
        time = datetime.fromtimestamp(float(text) / (1 if len(found[1]) == 10 else 1000), UTC)  # noqa: PLR2004
    if time is None or not _EPOCH < time < _LATEST:
        return None
    return time if time.year > _EPOCH.year else _EPOCH + (time - _EPOCH) * 1000
