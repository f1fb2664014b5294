"""What the feed says about an account, apart from its messages."""

from collections import Counter
from typing import Any, Final

from homeassistant.const import Platform

from ..const import DOMAIN
from ..entity import async_find_entity
from ..issues import REAUTH, async_get_worst
from ..permissions import Rights
from ..phone_number import ending, may_be_emergency_number
from ..plan import plan_usage
from ..subentries import phones
from .recipients import VisibleRecipient
from .texts import Texts

# The entities of a phone that the card shows, by their keys.
_PHONE_ENTITIES: Final = {
    "battery": Platform.SENSOR,
    "charging": Platform.BINARY_SENSOR,
    "last_seen": Platform.SENSOR,
    "online": Platform.BINARY_SENSOR,
    "sending": Platform.SWITCH,
}


def describe_account(
    rights: Rights, texts: Texts, recipients: list[VisibleRecipient], *, waiting: int
) -> dict[str, Any]:
    """Return what a user may know of an account that is loaded.

    Args:
        rights: of the user, with the account.
        texts: in the language of the user.
        recipients: the recipients of the account as the user sees them.
        waiting: how many of the messages that the user may read wait here for the service.
    """
    entry = rights.entry
    usage = plan_usage(entry)
    return {
        "config_entry_id": entry.entry_id,
        "title": entry.title,
        "available": entry.runtime_data.coordinator.last_update_success,
        "recipients": _recipients([each for each in recipients if each.entity_id]),
        "may_send_numbers": rights.may_send_numbers,
        "waiting": waiting,
        "problem": _problem(rights, texts),
        "phones": _phones(rights),
        "segments": {"used": usage.used, "plan": usage.plan, "left": usage.left} if rights.may_read_account else None,
    }


def _recipients(recipients: list[VisibleRecipient]) -> list[dict[str, Any]]:
    """Return the recipients to choose from. The name of several is followed by the end of the number."""
    count = Counter(each.name.casefold() for each in recipients)
    return [
        {
            "id": each.id,
            "name": each.name if count[each.name.casefold()] == 1 else f"{each.name} {ending(each.phone_number)}",
            "entity_id": each.entity_id,
            "is_short": may_be_emergency_number(each.phone_number),
        }
        for each in recipients
    ]


def _problem(rights: Rights, texts: Texts) -> dict[str, str] | None:
    """Return the worst problem of the account, and what it means for its messages in words, or None."""
    issue = async_get_worst(rights.hass, rights.entry)
    if issue is None:
        return None
    if issue.domain == DOMAIN:
        reason = text_key = issue.translation_key or ""
    else:
        # Home Assistant's own text about a rejected token says nothing about messages.
        reason, text_key = REAUTH, "invalid_auth"
    text = texts.problem(text_key, issue.translation_placeholders or {})
    return {"reason": reason, "text": text, "issue_id": issue.issue_id}


def _phones(rights: Rights) -> list[dict[str, str | None]]:
    """Return the phones with at least one entity that the user may read, and the ids of those entities."""
    described: list[dict[str, str | None]] = []
    for phone in phones(rights.entry):
        entities: dict[str, str | None] = dict.fromkeys(_PHONE_ENTITIES)
        for key, domain in _PHONE_ENTITIES.items():
            entity = async_find_entity(rights.hass, rights.entry, domain, key, phone)
            if entity and not entity.disabled and rights.may_read(entity.entity_id):
                entities[key] = entity.entity_id
        if any(entities.values()):
            described.append({"id": phone.subentry_id, "name": phone.title, **entities})
    return described
