"""Permissions of callers: a user may do with an action only what the same user may do with the entities.

Calls without a user, such as those of automations, are not restricted, and neither are administrators, as everywhere in
Home Assistant.
"""

from collections.abc import Iterable

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import CAT_ENTITIES, POLICY_CONTROL, POLICY_READ
from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.core import ServiceCall
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import entity_registry as er

from ..runtime_data import GoSmsConfigEntry


async def async_require_control(call: ServiceCall, entity_ids: Iterable[str]) -> None:
    """Require that the caller may control all of these entities.

    Raises:
        Unauthorized: the caller may not.
    """
    if (user := await _async_restricted_user(call)) is None:
        return
    for entity_id in entity_ids:
        if not user.permissions.check_entity(entity_id, POLICY_CONTROL):
            raise Unauthorized(context=call.context, entity_id=entity_id, permission=POLICY_CONTROL)


async def async_require_account_control(call: ServiceCall, entry: GoSmsConfigEntry) -> None:
    """Require that the caller may send to at least one recipient of an account.

    Raises:
        Unauthorized: the caller may not.
    """
    if (user := await _async_restricted_user(call)) is None:
        return
    recipients = (
        entity.entity_id
        for entity in _account_entities(call, entry)
        if entity.domain == NOTIFY_DOMAIN and not entity.disabled
    )
    may_send = any(user.permissions.check_entity(entity_id, POLICY_CONTROL) for entity_id in recipients)
    if not may_send and not user.permissions.access_all_entities(POLICY_CONTROL):
        raise _unauthorized(call, entry, POLICY_CONTROL)


async def async_require_account_read(call: ServiceCall, entry: GoSmsConfigEntry) -> None:
    """Require that the caller may read all entities of an account, except those of its recipients and phones.

    Raises:
        Unauthorized: the caller may not.
    """
    if (user := await _async_restricted_user(call)) is None or user.permissions.access_all_entities(POLICY_READ):
        return
    own = [entity.entity_id for entity in _account_entities(call, entry) if entity.config_subentry_id is None]
    if not own or not all(user.permissions.check_entity(entity_id, POLICY_READ) for entity_id in own):
        raise _unauthorized(call, entry, POLICY_READ)


async def _async_restricted_user(call: ServiceCall) -> User | None:
    """Return the user who calls, or None if the caller is not restricted.

    Raises:
        UnknownUser: the user does not exist.
    """
    if not call.context.user_id:
        return None
    if (user := await call.hass.auth.async_get_user(call.context.user_id)) is None:
        raise UnknownUser(context=call.context)
    return None if user.is_admin else user


def _account_entities(call: ServiceCall, entry: GoSmsConfigEntry) -> list[er.RegistryEntry]:
    """Return the entities of an account, including those of its recipients and phones."""
    return er.async_entries_for_config_entry(er.async_get(call.hass), entry.entry_id)


def _unauthorized(call: ServiceCall, entry: GoSmsConfigEntry, permission: str) -> Unauthorized:
    """Return the error for a user without a permission for an account."""
    return Unauthorized(
        context=call.context,
        config_entry_id=entry.entry_id,
        perm_category=CAT_ENTITIES,
        permission=permission,
    )
