"""Which phone and which SIM card send a message. Pure: what is known of the phones comes in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_DEVICE_ID

from ..const import CONF_PHONE, CONF_SIM, SIM_DEFAULT, SIM_SLOTS
from ..options import Options
from ..subentries import find_phone, phones
from .message import OutgoingMessage

# Tells of a phone, by its GoSMS id, if it is known to be able to send (True) or unable (False); None if neither is.
type PhoneAvailability = Callable[[str], bool | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """How a message leaves.

    Attributes:
        device_id: the phone that sends it, or None for any that GoSMS chooses.
        sim: the slot of the SIM card that sends it, counted from 0, or None for what is set in the phone.
        is_fallback: whether a phone was chosen for it that is known to be unable to send.
    """

    device_id: str | None = None
    sim: int | None = None
    is_fallback: bool = False


def select_phone(message: OutgoingMessage, entry: ConfigEntry[Any], can_send: PhoneAvailability) -> Route:
    """Return how a message leaves: with the call's phone, else the recipient's, else the account's, else any.

    A phone that is known to be unable to send is passed over if another one is known to be able: GoSMS finds that one.
    Without such another one the choice stands, since a phone that is out of touch sends once it is back.
    """
    if message.phone_id:
        phone = find_phone(entry, message.phone_id)
    else:
        recipient = entry.subentries.get(message.recipient or "")
        chosen = (recipient and recipient.data.get(CONF_PHONE)) or Options.from_entry(entry).default_phone
        # A phone that was removed since means any phone.
        phone = entry.subentries.get(chosen or "")
    device_id = message.phone_id or (phone.data[CONF_DEVICE_ID] if phone else None)
    if device_id is None:
        # No slot goes without its phone: it would be that of another one.
        return Route()
    if can_send(device_id) is False and any(can_send(each.data[CONF_DEVICE_ID]) for each in phones(entry)):
        return Route(is_fallback=True)
    sim = message.sim or (phone.data[CONF_SIM] if phone else SIM_DEFAULT)
    return Route(device_id=device_id, sim=SIM_SLOTS.get(sim))
