"""Selects the phone and the SIM card for a message. Pure: the availability of phones is passed in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_DEVICE_ID

from ..const import CONF_PHONE, CONF_SIM, SIM_DEFAULT, SIM_SLOTS
from ..options import Options
from ..subentries import find_phone, phones
from .message import OutgoingMessage

# Returns whether a phone, by its GoSMS id, is known to be able (True) or unable (False) to send; None if unknown.
type PhoneAvailability = Callable[[str], bool | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """The phone and SIM card for a message.

    Attributes:
        device_id: the phone that sends it, or None for any, which GoSMS selects.
        sim: the slot of the SIM card that sends it, counted from 0, or None for the one set in the phone.
        is_fallback: whether the chosen phone is skipped because it is known to be unable to send.
    """

    device_id: str | None = None
    sim: int | None = None
    is_fallback: bool = False


def select_phone(message: OutgoingMessage, entry: ConfigEntry[Any], can_send: PhoneAvailability) -> Route:
    """Return the route of a message: the call's phone, else the recipient's, else the account's, else any.

    A phone that is known to be unable to send is skipped if another one is known to be able: GoSMS finds that one.
    Otherwise the choice stands, since an offline phone sends once it is back.
    """
    if message.phone_id:
        phone = find_phone(entry, message.phone_id)
    else:
        recipient = entry.subentries.get(message.recipient or "")
        chosen = (recipient and recipient.data.get(CONF_PHONE)) or Options.from_entry(entry).default_phone
        # If that phone has been removed, any phone may send.
        phone = entry.subentries.get(chosen or "")
    device_id = message.phone_id or (phone.data[CONF_DEVICE_ID] if phone else None)
    if device_id is None:
        # A SIM slot is only valid together with its phone.
        return Route()
    if can_send(device_id) is False and any(can_send(each.data[CONF_DEVICE_ID]) for each in phones(entry)):
        return Route(is_fallback=True)
    sim = message.sim or (phone.data[CONF_SIM] if phone else SIM_DEFAULT)
    return Route(device_id=device_id, sim=SIM_SLOTS.get(sim))
