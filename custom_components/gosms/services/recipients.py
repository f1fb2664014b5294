"""Whom a call names, and with which phone."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import CONF_PHONE_NUMBER, DOMAIN, SUBENTRY_PHONE
from ..device import subentry_of_device
from ..errors import Failure, invalid_phone, not_a_recipient, recipient_disabled, unknown_target
from ..forms import is_vendor_id, normalize_vendor_id
from ..phone_number import InvalidPhoneNumberError
from ..preparation import async_normalize_number
from ..runtime_data import GoSmsConfigEntry
from ..subentries import find_recipient
from .accounts import async_failure_of
from .targets import Target, async_targets

# A number of this many digits is that of a service, and too short to show more than its end.
_SHORT: Final = 6

# Characters of what was typed and has no digit at all, such as a name.
_LONGEST_NAME: Final = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedRecipient:
    """Somebody whom a call names, or a target that leads to nobody.

    Attributes:
        entry: the account that sends, or None if a target leads to nobody.
        phone_number: digits, or what was typed if that is no number; empty if a target leads to nobody. Not shown by
            repr.
        recipient: the recipient with this number, or None.
        target: the id of the target, or None if a number was typed. Not shown by repr.
        failure: why nothing can be sent to them, or None.
    """

    entry: GoSmsConfigEntry | None
    phone_number: str = field(repr=False)
    recipient: ConfigSubentry | None = None
    target: str | None = field(default=None, repr=False)
    failure: Failure | None = None

    @property
    def title(self) -> str | None:
        """Return the name of the recipient, or the id of a target that leads to nobody; None for other numbers."""
        return self.recipient.title if self.recipient else self.target

    @property
    def name(self) -> str:
        """Return what an error calls them: the title, or no more of the number than its owner needs."""
        if self.title:
            return self.title
        digits = [character for character in self.phone_number if character.isdecimal()]
        if not digits:
            typed = self.phone_number
            return typed if len(typed) <= _LONGEST_NAME else f"{typed[:_LONGEST_NAME]}…"
        return "…" + "".join(digits[-4:] if len(digits) > _SHORT else digits[-2:])


@callback
def async_targeted(call: ServiceCall) -> list[ResolvedRecipient]:
    """Return whom the targets of a call name, and which of them lead to nobody, in their order.

    Whatever else comes along with a device, an area, a floor or a label does not count.
    """
    return [named for target in async_targets(call) if (named := _named_by(call.hass, target))]


async def async_typed(hass: HomeAssistant, account: GoSmsConfigEntry, numbers: list[str]) -> list[ResolvedRecipient]:
    """Return whom the numbers that were typed name, in their order."""
    return [await _async_typed(hass, account, number) for number in numbers]


@callback
def async_once(everybody: Iterable[ResolvedRecipient]) -> list[ResolvedRecipient]:
    """Return everybody once, in their order, by an account that is loaded if there is one.

    Nothing may be waited for from here on until the messages are taken, or an account might go meanwhile.
    """
    once: dict[str | None, ResolvedRecipient] = {}
    for each in everybody:
        failure = each.failure or (async_failure_of(each.entry) if each.entry else None)
        key = each.phone_number or each.target
        if key not in once or (once[key].failure and not failure):
            once[key] = replace(each, failure=failure)
    return list(once.values())


async def _async_typed(hass: HomeAssistant, account: GoSmsConfigEntry, number: str) -> ResolvedRecipient:
    """Return whom a number names that was typed."""
    try:
        digits = await async_normalize_number(hass, account, number)
    except InvalidPhoneNumberError as err:
        return ResolvedRecipient(entry=account, phone_number=number, failure=Failure(key=err.reason))
    return ResolvedRecipient(entry=account, phone_number=digits, recipient=find_recipient(account, digits))


def _named_by(hass: HomeAssistant, target: Target) -> ResolvedRecipient | None:
    """Return whom an entity of a target names, or that it names nobody; None if it need not."""
    # What does not exist may have been named as an area, but with the id of an entity.
    entity = None if target.is_missing else er.async_get(hass).async_get(target.id)
    if entity is None or entity.platform != DOMAIN or entity.domain != NOTIFY_DOMAIN:
        failure = unknown_target() if target.is_missing else not_a_recipient()
    elif entity.disabled:
        failure = recipient_disabled()
    else:
        entry: GoSmsConfigEntry = hass.config_entries.async_get_known_entry(entity.config_entry_id or "")
        recipient = entry.subentries[entity.config_subentry_id or ""]
        number = recipient.data[CONF_PHONE_NUMBER]
        return ResolvedRecipient(entry=entry, phone_number=number, recipient=recipient, target=target.id)
    return (
        ResolvedRecipient(entry=None, phone_number="", target=target.id, failure=failure) if target.is_named else None
    )


def resolve_phone_id(hass: HomeAssistant, entry: GoSmsConfigEntry, phone: str) -> str:
    """Return the GoSMS id of a phone that is named by its Home Assistant device, or by that id itself.

    Raises:
        ServiceValidationError: it is no phone of the account. Translated.
    """
    if device := dr.async_get(hass).async_get(phone):
        subentry = subentry_of_device(entry, device.identifiers)
        if subentry is None or subentry.subentry_type != SUBENTRY_PHONE:
            raise invalid_phone()
        return str(subentry.data[CONF_DEVICE_ID])
    if not is_vendor_id(device_id := normalize_vendor_id(phone)):
        raise invalid_phone()
    return device_id
