"""Who may call: a user may do with an action what the same user may do with the entities, and nothing else.

Automations and the like call without a user, and administrators may do everything, as everywhere in Home Assistant.
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
    """Require that the caller may control every one of these entities.

    Raises:
        Unauthorized: the caller may not.
    """
    if (user := await _async_limited_user(call)) is None:
        return
    for entity_id in entity_ids:
        if not user.permissions.check_entity(entity_id, POLICY_CONTROL):
            raise Unauthorized(context=call.context, entity_id=entity_id, permission=POLICY_CONTROL)


async def async_require_control_of_account(call: ServiceCall, account: GoSmsConfigEntry) -> None:
    """Require that the caller may send to one recipient of an account at least.

    Raises:
        Unauthorized: the caller may not.
    """
    if (user := await _async_limited_user(call)) is None:
        return
    recipients = (
        entity.entity_id
        for entity in _entities_of(call, account)
        if entity.domain == NOTIFY_DOMAIN and not entity.disabled
    )
    may_send = any(user.permissions.check_entity(entity_id, POLICY_CONTROL) for entity_id in recipients)
    if not may_send and not user.permissions.access_all_entities(POLICY_CONTROL):
        raise _unauthorized(call, account, POLICY_CONTROL)


async def async_require_reading_of_account(call: ServiceCall, account: GoSmsConfigEntry) -> None:
    """Require that the caller may read every entity of an account that belongs to no recipient and no phone.

    Raises:
        Unauthorized: the caller may not.
    """
    if (user := await _async_limited_user(call)) is None or user.permissions.access_all_entities(POLICY_READ):
        return
    own = [entity.entity_id for entity in _entities_of(call, account) if entity.config_subentry_id is None]
    if not own or not all(user.permissions.check_entity(entity_id, POLICY_READ) for entity_id in own):
        raise _unauthorized(call, account, POLICY_READ)


async def _async_limited_user(call: ServiceCall) -> User | None:
    """Return the user who calls, or None if the caller may do everything.

    Raises:
        UnknownUser: no user has the id of the caller.
    """
    if not call.context.user_id:
        return None
    if (user := await call.hass.auth.async_get_user(call.context.user_id)) is None:
        raise UnknownUser(context=call.context)
    return None if user.is_admin else user


def _entities_of(call: ServiceCall, account: GoSmsConfigEntry) -> list[er.RegistryEntry]:
    """Return the entities of an account and of its recipients and phones."""
    return er.async_entries_for_config_entry(er.async_get(call.hass), account.entry_id)


def _unauthorized(call: ServiceCall, account: GoSmsConfigEntry, permission: str) -> Unauthorized:
    """Return the error for a user who may not do this with an account."""
    return Unauthorized(
        context=call.context,
        config_entry_id=account.entry_id,
        perm_category=CAT_ENTITIES,
        permission=permission,
    )
