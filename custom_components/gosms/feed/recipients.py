"""The recipients of an account, as far as a user may read or control them."""

from dataclasses import dataclass, field

from homeassistant.const import Platform

from ..const import CONF_PHONE_NUMBER
from ..entity import async_find_entity
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


def visible_recipients(rights: Rights) -> list[VisibleRecipient]:
    """Return the recipients of an account as a user sees them.

    The event entity of a recipient contains the texts, so a user who may read it may read the messages too.
    """
    may_read_account = rights.may_read_account
    visible: list[VisibleRecipient] = []
    for recipient in recipients(rights.entry):
        notify = async_find_entity(rights.hass, rights.entry, Platform.NOTIFY, "sms", recipient)
        event = async_find_entity(rights.hass, rights.entry, Platform.EVENT, "message", recipient)
        may_send = notify and not notify.disabled and rights.may_control(notify.entity_id)
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
