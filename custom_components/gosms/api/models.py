"""The objects of the API. Parsing is lenient: one odd field must not cost a whole page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Final, Self

from .ids import parse_message_id, parse_vendor_id
from .values import (
    Json,
    parse_boolean,
    parse_digits,
    parse_integer,
    parse_percentage,
    parse_report_time,
    parse_text,
    parse_unix_time,
)

# No account has more messages.
_MAX_TOTAL: Final = 10**12


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
            phone_number=parse_digits(parse_text(data.get("phone_number")) or ""),
            text=parse_text(data.get("message")) or "",
            status_code=parse_integer(data.get("status")),
            device_id=parse_vendor_id(data.get("device_id")),
            sim=parse_integer(data.get("to_sim")),
            callback_id=parse_vendor_id(data.get("callback_id")),
            created=parse_unix_time(data.get("time_create")),
        )


def known_statuses(messages: Iterable[Message]) -> dict[str, MessageStatus]:
    """Return the statuses of messages by their ids, without those that are not documented."""
    return {each.id: status for each in messages if (status := each.status) is not None}


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
        total = parse_integer(pagination.get("total_records")) if isinstance(pagination, Mapping) else None
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
        if not (device_id := parse_vendor_id(raw_id) or parse_text(raw_id)):
            return None
        sims = data.get("sim_list")
        return cls(
            id=device_id,
            name=parse_text(data.get("device_name")),
            model=parse_text(data.get("device_name_type")),
            battery=parse_percentage(data.get("device_battery_state")),
            is_active=parse_boolean(data.get("is_active")),
            is_charging=parse_boolean(data.get("is_charging")),
            last_online=parse_report_time(data.get("last_online_date")),
            sim=parse_integer(data.get("to_sim")),
            sims=tuple(
                Sim(slot=slot, name=parse_text(sim.get("display_name")))
                for sim in (sims if isinstance(sims, list) else ())
                if isinstance(sim, Mapping) and (slot := parse_integer(sim.get("slot_index"))) is not None
            ),
        )
