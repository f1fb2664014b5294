"""Resolution of the recipients of a call, and of the phone to send with."""

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
from .accounts import async_entry_failure
from .targets import Target, async_expand_targets

# Digits. A number that is not longer is the short number of a service, of which only the last two digits are shown.
_MAX_SHORT_NUMBER: Final = 6

# Characters shown of an input that has no digit at all, such as a name.
_MAX_INPUT: Final = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedRecipient:
    """A recipient of a call, or a target that is not a recipient.

    Attributes:
        entry: the account that sends, or None if the target is not a recipient.
        phone_number: the digits, or the input if it is not a valid number; empty if the target is not a recipient. Not
            shown by repr.
        subentry: the recipient with this number, or None.
        target: the id of the target, or None for a number. Not shown by repr.
        failure: why nothing can be sent, or None.
    """

    entry: GoSmsConfigEntry | None
    phone_number: str = field(repr=False)
    subentry: ConfigSubentry | None = None
    target: str | None = field(default=None, repr=False)
    failure: Failure | None = None

    @property
    def title(self) -> str | None:
        """Return the name of the recipient, the id of a target that is no recipient, or None for any other number."""
        return self.subentry.title if self.subentry else self.target

    @property
    def name_in_errors(self) -> str:
        """Return the title, or just enough of the number for the user to recognize it."""
        if self.title:
            return self.title
        digits = [character for character in self.phone_number if character.isdecimal()]
        if not digits:
            text = self.phone_number
            return text if len(text) <= _MAX_INPUT else f"{text[:_MAX_INPUT]}…"
        return "…" + "".join(digits[-4:] if len(digits) > _MAX_SHORT_NUMBER else digits[-2:])


@callback
def async_resolve_targets(call: ServiceCall) -> list[ResolvedRecipient]:
    """Return the recipients in the targets of a call, and the named targets that are not recipients, in their order.

    Other entities of a device, an area, a floor or a label are ignored.
    """
    return [resolved for target in async_expand_targets(call) if (resolved := _resolve_target(call.hass, target))]


async def async_resolve_numbers(
    hass: HomeAssistant, entry: GoSmsConfigEntry, numbers: list[str]
) -> list[ResolvedRecipient]:
    """Return the recipients with these numbers, in their order."""
    return [await _async_resolve_number(hass, entry, number) for number in numbers]


@callback
def async_deduplicate(recipients: Iterable[ResolvedRecipient]) -> list[ResolvedRecipient]:
    """Return each recipient once, in their order, with a loaded account if there is a choice.

    The caller must not await anything before the outbox has admitted the messages, or an account may be unloaded.
    """
    unique: dict[str | None, ResolvedRecipient] = {}
    for recipient in recipients:
        failure = recipient.failure or (async_entry_failure(recipient.entry) if recipient.entry else None)
        key = recipient.phone_number or recipient.target
        if key not in unique or (unique[key].failure and not failure):
            unique[key] = replace(recipient, failure=failure)
    return list(unique.values())


async def _async_resolve_number(hass: HomeAssistant, entry: GoSmsConfigEntry, number: str) -> ResolvedRecipient:
    """Return the recipient with a number, or the failure of an invalid number."""
    try:
        digits = await async_normalize_number(hass, entry, number)
    except InvalidPhoneNumberError as err:
        return ResolvedRecipient(entry=entry, phone_number=number, failure=Failure(key=err.reason))
    return ResolvedRecipient(entry=entry, phone_number=digits, subentry=find_recipient(entry, digits))


def _resolve_target(hass: HomeAssistant, target: Target) -> ResolvedRecipient | None:
    """Return the recipient of a target, or the failure of a named target that is not a recipient, or None."""
    # A missing area, for example, may have the id of an entity.
    entity = None if target.is_missing else er.async_get(hass).async_get(target.id)
    if entity is None or entity.platform != DOMAIN or entity.domain != NOTIFY_DOMAIN:
        failure = unknown_target() if target.is_missing else not_a_recipient()
    elif entity.disabled:
        failure = recipient_disabled()
    else:
        entry: GoSmsConfigEntry = hass.config_entries.async_get_known_entry(entity.config_entry_id or "")
        subentry = entry.subentries[entity.config_subentry_id or ""]
        number = subentry.data[CONF_PHONE_NUMBER]
        return ResolvedRecipient(entry=entry, phone_number=number, subentry=subentry, target=target.id)
    return (
        ResolvedRecipient(entry=None, phone_number="", target=target.id, failure=failure) if target.is_named else None
    )


def resolve_phone_id(hass: HomeAssistant, entry: GoSmsConfigEntry, phone: str) -> str:
    """Return the GoSMS id of a phone, given its Home Assistant device or the id itself.

    Raises:
        ServiceValidationError: the phone does not belong to the account, or the id is not valid. Translated.
    """
    if device := dr.async_get(hass).async_get(phone):
        subentry = subentry_of_device(entry, device.identifiers)
        if subentry is None or subentry.subentry_type != SUBENTRY_PHONE:
            raise invalid_phone()
        return str(subentry.data[CONF_DEVICE_ID])
    if not is_vendor_id(device_id := normalize_vendor_id(phone)):
        raise invalid_phone()
    return device_id
