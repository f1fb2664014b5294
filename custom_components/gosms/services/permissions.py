"""Permissions of callers: a user may do with an action only what the same user may do with the entities.

Calls without a user, such as those of automations, are not restricted.
"""

from collections.abc import Iterable

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import CAT_ENTITIES, POLICY_CONTROL, POLICY_READ
from homeassistant.core import ServiceCall
from homeassistant.exceptions import Unauthorized, UnknownUser

from ..permissions import Rights, may_control
from ..runtime_data import GoSmsConfigEntry


async def async_require_control(call: ServiceCall, entity_ids: Iterable[str]) -> None:
    """Require that the caller may control all of these entities.

    Raises:
        Unauthorized: the caller may not.
    """
    user = await _async_user(call)
    for entity_id in entity_ids:
        if not may_control(user, entity_id):
            raise Unauthorized(context=call.context, entity_id=entity_id, permission=POLICY_CONTROL)


async def async_require_account_control(call: ServiceCall, entry: GoSmsConfigEntry) -> None:
    """Require that the caller may send to at least one recipient of an account.

    Raises:
        Unauthorized: the caller may not.
    """
    if not Rights(hass=call.hass, entry=entry, user=await _async_user(call)).may_send_numbers:
        raise _unauthorized(call, entry, POLICY_CONTROL)


async def async_require_account_read(call: ServiceCall, entry: GoSmsConfigEntry) -> None:
    """Require that the caller may read all entities of an account, except those of its recipients and phones.

    Raises:
        Unauthorized: the caller may not.
    """
    if not Rights(hass=call.hass, entry=entry, user=await _async_user(call)).may_read_account:
        raise _unauthorized(call, entry, POLICY_READ)


async def _async_user(call: ServiceCall) -> User | None:
    """Return the user who calls, or None if no user does.

    Raises:
        UnknownUser: the user does not exist.
    """
    if not call.context.user_id:
        return None
    if (user := await call.hass.auth.async_get_user(call.context.user_id)) is None:
        raise UnknownUser(context=call.context)
    return user


def _unauthorized(call: ServiceCall, entry: GoSmsConfigEntry, permission: str) -> Unauthorized:
    """Return the error for a user without a permission for an account."""
    return Unauthorized(
        context=call.context,
        config_entry_id=entry.entry_id,
        perm_category=CAT_ENTITIES,
        permission=permission,
    )
