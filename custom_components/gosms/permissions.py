"""What a user may do with an account: the same as with its entities."""

from dataclasses import dataclass

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .entity import async_notify_entities
from .runtime_data import GoSmsConfigEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class Rights:
    """What a user may do with an account.

    Attributes:
        hass: Home Assistant.
        entry: the account.
        user: the user, or None for a caller without limits, such as an automation. Administrators have none either, as
            everywhere in Home Assistant.
    """

    hass: HomeAssistant
    entry: GoSmsConfigEntry
    user: User | None

    @property
    def may_send_numbers(self) -> bool:
        """Return whether the user may send to at least one recipient of the account, and so to any number."""
        if self._may_everywhere(POLICY_CONTROL):
            return True
        return any(self.may_control(entity.entity_id) for entity in async_notify_entities(self.hass, self.entry))

    @property
    def may_read_account(self) -> bool:
        """Return whether the user may read all entities of the account, except those of its recipients and phones."""
        if self._may_everywhere(POLICY_READ):
            return True
        entities = er.async_entries_for_config_entry(er.async_get(self.hass), self.entry.entry_id)
        own = [entity.entity_id for entity in entities if entity.config_subentry_id is None]
        return bool(own) and all(map(self.may_read, own))

    def may_control(self, entity_id: str) -> bool:
        """Return whether the user may control an entity."""
        return may_control(self.user, entity_id)

    def may_read(self, entity_id: str) -> bool:
        """Return whether the user may read an entity."""
        return _may(self.user, entity_id, POLICY_READ)

    def _may_everywhere(self, permission: str) -> bool:
        """Return whether the user has a permission for every entity."""
        return self.user is None or self.user.is_admin or self.user.permissions.access_all_entities(permission)


def may_control(user: User | None, entity_id: str) -> bool:
    """Return whether a user may control an entity. None is a caller without limits."""
    return _may(user, entity_id, POLICY_CONTROL)


def _may(user: User | None, entity_id: str, permission: str) -> bool:
    """Return whether a user has a permission for an entity."""
    return user is None or user.is_admin or user.permissions.check_entity(entity_id, permission)
