"""What a user may do with an account: the same as with its entities."""

from dataclasses import dataclass

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

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
        recipients = (
            entity.entity_id
            for entity in self._account_entities()
            if entity.domain == NOTIFY_DOMAIN and not entity.disabled
        )
        return self._may_everywhere(POLICY_CONTROL) or any(map(self.may_control, recipients))

    @property
    def may_read_account(self) -> bool:
        """Return whether the user may read all entities of the account, except those of its recipients and phones."""
        own = [entity.entity_id for entity in self._account_entities() if entity.config_subentry_id is None]
        return self._may_everywhere(POLICY_READ) or (bool(own) and all(map(self.may_read, own)))

    def may_control(self, entity_id: str) -> bool:
        """Return whether the user may control an entity."""
        return may_control(self.user, entity_id)

    def may_read(self, entity_id: str) -> bool:
        """Return whether the user may read an entity."""
        return _may(self.user, entity_id, POLICY_READ)

    def _may_everywhere(self, permission: str) -> bool:
        """Return whether the user has a permission for every entity."""
        return self.user is None or self.user.is_admin or self.user.permissions.access_all_entities(permission)

    def _account_entities(self) -> list[er.RegistryEntry]:
        """Return the entities of the account, including those of its recipients and phones."""
        return er.async_entries_for_config_entry(er.async_get(self.hass), self.entry.entry_id)


def may_control(user: User | None, entity_id: str) -> bool:
    """Return whether a user may control an entity; None is a caller without limits."""
    return _may(user, entity_id, POLICY_CONTROL)


def _may(user: User | None, entity_id: str, permission: str) -> bool:
    """Return whether a user has a permission for an entity."""
    return user is None or user.is_admin or user.permissions.check_entity(entity_id, permission)
