"""Who a call names, and with which phone: entities, devices, areas and labels as Home Assistant means them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
import logging
from typing import Final

from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import (
    ATTR_AREA_ID,
    ATTR_DEVICE_ID,
    ATTR_ENTITY_ID,
    ATTR_FLOOR_ID,
    ATTR_LABEL_ID,
    CONF_DEVICE_ID,
)
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import config_validation as cv, device_registry as dr, entity_registry as er
from homeassistant.helpers.service import async_get_config_entry
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

from ..compose import async_normalize
from ..const import CONF_PHONE_NUMBER, DOMAIN, SUBENTRY_PHONE
from ..device import subentry_of_device
from ..errors import Failure, invalid_phone
from ..forms import is_vendor_id, normalize_vendor_id
from ..phone_number import InvalidPhoneNumberError
from ..runtime_data import GoSmsConfigEntry
from ..subentries import find_recipient

_LOGGER = logging.getLogger(__name__)

_TARGETS: Final = (ATTR_ENTITY_ID, ATTR_DEVICE_ID, ATTR_AREA_ID, ATTR_FLOOR_ID, ATTR_LABEL_ID)

# A number of this many digits is that of a service, and too short to show more than its end.
_SHORT: Final = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """Somebody whom a call names.

    Attributes:
        entry: the account that sends.
        phone_number: digits, or what was typed if that is no number. Not shown by repr.
        recipient: the recipient with this number, or None.
        failure: why it is no number, or None.
    """

    entry: GoSmsConfigEntry
    phone_number: str = field(repr=False)
    recipient: ConfigSubentry | None = None
    failure: Failure | None = None

    @property
    def name(self) -> str:
        """Return what an error calls them: the name, or no more of the number than its owner needs."""
        if self.recipient:
            return self.recipient.title
        digits = [character for character in self.phone_number if character.isdecimal()]
        return "…" + "".join(digits[-4:] if len(digits) > _SHORT else digits[-2:])


async def async_named(call: ServiceCall, account: GoSmsConfigEntry | None, numbers: list[str]) -> list[Named]:
    """Return whom a call names, each number once: its targets, then its numbers, in their order.

    Args:
        call: the call.
        account: the account that sends to the numbers; not needed without any.
        numbers: as they were typed.

    Raises:
        ServiceValidationError: an account that has to send is not loaded. Translated by Home Assistant.
    """
    typed: list[Named] = []
    if account:
        typed = [await _async_typed(call.hass, account, number) for number in numbers]
        # It may have gone meanwhile. Nothing is waited for from here on until the messages are taken.
        async_get_config_entry(call.hass, DOMAIN, account.entry_id)
    targets = [
        Named(entry=entry, phone_number=recipient.data[CONF_PHONE_NUMBER], recipient=recipient)
        for entry, recipient in _targets(call)
    ]
    named: dict[str, Named] = {}
    for each in (*targets, *typed):
        named.setdefault(each.phone_number, each)
    return list(named.values())


async def _async_typed(hass: HomeAssistant, account: GoSmsConfigEntry, number: str) -> Named:
    """Return whom a number names that was typed."""
    try:
        digits = await async_normalize(hass, account, number)
    except InvalidPhoneNumberError as err:
        return Named(entry=account, phone_number=number, failure=Failure(key=err.reason))
    return Named(entry=account, phone_number=digits, recipient=find_recipient(account, digits))


def _targets(call: ServiceCall) -> Iterator[tuple[GoSmsConfigEntry, ConfigSubentry]]:
    """Yield the recipients that the targets of a call contain, with their accounts; all else in them does not count."""
    registry = er.async_get(call.hass)
    for entity_id in _entity_ids(call):
        entity = registry.async_get(entity_id)
        if entity is None or entity.platform != DOMAIN or entity.domain != NOTIFY_DOMAIN or entity.disabled:
            continue
        entry: GoSmsConfigEntry = async_get_config_entry(call.hass, DOMAIN, entity.config_entry_id)
        yield entry, entry.subentries[entity.config_subentry_id or ""]


def _entity_ids(call: ServiceCall) -> list[str]:
    """Return the entities that the targets of a call contain, in their order."""
    found: list[str] = []
    missing = 0
    for kind in _TARGETS:
        for target in cv.ensure_list(call.data.get(kind)):
            selected = async_extract_referenced_entity_ids(call.hass, TargetSelection({kind: target}))
            missing += sum(call.hass.states.get(entity_id) is None for entity_id in selected.referenced)
            found += sorted(selected.referenced | selected.indirectly_referenced)
    if missing:
        # Home Assistant's own line names them; here the name of an entity is the name of a person.
        _LOGGER.warning("Targets of %s.%s do not exist: %s", call.domain, call.service, missing)
    return found


def sender_of(hass: HomeAssistant, entry: GoSmsConfigEntry, phone: str) -> str:
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
