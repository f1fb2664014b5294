"""What the service tells, as types. Each is built leniently: one odd field must not cost a whole page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
import re
from typing import Final, Self

from .surrogates import join_surrogates

# No field of the API comes near this many characters; what is longer is cut.
_MAX_TEXT: Final = 1000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")

# What JSON can hold: everything from the network has this type until it was checked.
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
        """Tell if nothing can follow. A sent message may still be delivered, or stay at sent for ever."""
        return self in {MessageStatus.SEND_FAILED, MessageStatus.DELIVERED, MessageStatus.DELIVERY_FAILED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One SMS message of the account.

    Attributes:
        id: 24 hex digits.
        phone_number: the receiver's number, digits only. Not shown by repr.
        text: the message's text, at most 300 characters. Not shown by repr.
        status_code: the vendor's number of the status, or None if it was not a number.
        device_id: the phone that was asked to send it, or None for any.
        sim: the SIM slot that was asked for, counted from 0, or None.
        callback_id: the webhook that is told of it, or None for all.
        created: when the service took it, by the service's clock, or None.
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
        """Return the status, or None if the vendor made a new one that is not known here."""
        try:
            return MessageStatus(self.status_code)  # type: ignore[arg-type]  # None is answered like any unknown number.
        except ValueError:
            return None

    @property
    def status_name(self) -> str | None:
        """Return the name of the status in lower case, or None for one that is not known here."""
        return None if self.status is None else self.status.name.lower()

    @classmethod
    def from_api(cls, data: Json) -> Self | None:
        """Build a message from an answer, or None if it has no id."""
        if not isinstance(data, Mapping) or not (message_id := _text(data.get("id"))):
            return None
        return cls(
            id=message_id,
            phone_number=_text(data.get("phone_number")) or "",
            text=_text(data.get("message")) or "",
            status_code=integer(data.get("status")),
            device_id=_text(data.get("device_id")),
            sim=integer(data.get("to_sim")),
            callback_id=_text(data.get("callback_id")),
            created=_unix_time(data.get("time_create")),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class MessagePage:
    """One page of the account's messages.

    Attributes:
        total: how many messages the server holds (or found, after a search), or None if it did not say.
        messages: the page's messages, newest first, at most as many as were asked for.
    """

    total: int | None = None
    messages: tuple[Message, ...] = ()

    @classmethod
    def from_api(cls, data: Mapping[str, Json], limit: int) -> Self | None:
        """Build a page from an answer, without the messages that can't be read; None if it is no page at all."""
        items = data.get("sms_list")
        if not isinstance(items, list):
            # An account without messages may answer null, as lists that are empty do in the vendor's language.
            if items is not None or "sms_list" not in data:
                return None
            items = []
        pagination = data.get("pagination")
        return cls(
            total=integer(pagination.get("total_records")) if isinstance(pagination, Mapping) else None,
            messages=tuple(message for item in items[:limit] if (message := Message.from_api(item))),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sim:
    """A SIM card in a phone.

    Attributes:
        slot: the slot, counted from 0.
        name: what the phone calls the card, or None.
    """

    slot: int
    name: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Phone:
    """An Android phone of the account (the vendor says device).

    Attributes:
        id: 24 hex digits or a UUID.
        name: what the user called it in the control panel, or None.
        model: what kind of phone it is, or None. In the vendor's example it is "Mobile phone".
        battery: charge in percent, 0 to 100, or None.
        is_active: whether it may send, or None if the service did not say.
        is_charging: whether it is being charged, or None.
        last_online: when it last reported, by the service's clock; it reports every 5 minutes.
        sim: the default SIM: -2 the phone's own default, -1 random, 0 slot one, 1 slot two, or None.
        sims: the SIM cards in it.
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
        """Build a phone from an answer, or None if it has no id."""
        if not (device_id := _text(data.get("device_id"))):
            return None
        battery = integer(data.get("device_battery_state"))
        sims = data.get("sim_list")
        return cls(
            id=device_id,
            name=_text(data.get("device_name")),
            model=_text(data.get("device_name_type")),
            battery=battery if battery is not None and 0 <= battery <= 100 else None,  # noqa: PLR2004
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
    """Return a text that is not empty, or None. A number is written out."""
    match value:
        case bool():
            return None
        case str() | int():
            return join_surrogates(str(value)[:_MAX_TEXT]) or None
    return None


def integer(value: Json) -> int | None:
    """Return a whole number, also one that came as text, or None."""
    if isinstance(value, str):
        return int(value) if _INTEGER.fullmatch(value) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and value.is_integer():
        return int(value)
    return None


def _boolean(value: Json) -> bool | None:
    """Return a truth value, or None."""
    return value if isinstance(value, bool) else None


def _unix_time(value: Json) -> datetime | None:
    """Return the time of Unix seconds, or None if there is no such time."""
    if (seconds := integer(value)) is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except OverflowError, OSError, ValueError:
        return None


def _iso_time(value: Json) -> datetime | None:
    """Return the time of an ISO 8601 text in UTC, which is also meant if it names no zone; None if it is none."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError, ValueError:
        # A year 1 that lies before the first one in UTC overflows.
        return None


def _report_time(value: Json) -> datetime | None:
    """Return when a phone reported, or None if it never did.

    The vendor's own example is of January 1970: a time in seconds that was taken for milliseconds. No phone reported
    then, so such a time is put right. A time before that is how the vendor's language writes none.
    """
    time = _iso_time(value)
    if time is None or time < _EPOCH:
        return None
    return time if time.year > _EPOCH.year else _EPOCH + (time - _EPOCH) * 1000
