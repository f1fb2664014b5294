"""The recipients of an account and the entities of its phones, as far as a user may read or control them."""

from dataclasses import dataclass, field

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import Platform
from homeassistant.helpers import entity_registry as er

from ..const import CONF_PHONE_NUMBER, DOMAIN
from ..permissions import Rights
from ..subentries import recipients


@dataclass(frozen=True, kw_only=True, slots=True)
class VisibleRecipient:
    """A recipient as a user sees it.

    Attributes:
        id: the id of the subentry.
        name: its title.
        phone_number: digits only. Not shown by repr.
        entity_id: the notify entity, if the user may send with it, or None.
        is_readable: whether the user may read the messages to it.
    """

    id: str
    name: str
    phone_number: str = field(repr=False)
    entity_id: str | None
    is_readable: bool


def find_entity(rights: Rights, subentry: ConfigSubentry, domain: str, key: str) -> er.RegistryEntry | None:
    """Return an entity of a recipient or a phone, or None."""
    registry = er.async_get(rights.hass)
    entity_id = registry.async_get_entity_id(domain, DOMAIN, f"{rights.entry.entry_id}_{subentry.subentry_id}_{key}")
    return registry.async_get(entity_id) if entity_id else None


def visible_recipients(rights: Rights) -> list[VisibleRecipient]:
    """Return the recipients of an account as a user sees them.

    The event entity of a recipient tells the texts, so whoever may read that one may read the messages.
    """
    may_read_account = rights.may_read_account
    visible: list[VisibleRecipient] = []
    for recipient in recipients(rights.entry):
        notify = find_entity(rights, recipient, Platform.NOTIFY, "sms")
        event = find_entity(rights, recipient, Platform.EVENT, "message")
        may_send = notify is not None and not notify.disabled and rights.may_control(notify.entity_id)
        visible.append(
            VisibleRecipient(
                id=recipient.subentry_id,
                name=recipient.title,
                phone_number=recipient.data[CONF_PHONE_NUMBER],
                entity_id=notify.entity_id if notify and may_send else None,
                is_readable=may_read_account or (event is not None and rights.may_read(event.entity_id)),
            )
        )
    return visible
