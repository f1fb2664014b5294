"""Expansion of the targets of a call into entities, as Home Assistant does it, with groups as their members."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
import logging
from typing import Final

from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.const import (
    ATTR_AREA_ID,
    ATTR_DEVICE_ID,
    ATTR_ENTITY_ID,
    ATTR_FLOOR_ID,
    ATTR_LABEL_ID,
    CONF_ENTITIES,
)
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

_LOGGER = logging.getLogger(__name__)

_TARGET_KINDS: Final = (ATTR_ENTITY_ID, ATTR_DEVICE_ID, ATTR_AREA_ID, ATTR_FLOOR_ID, ATTR_LABEL_ID)

_GROUP: Final = "group"

# Only groups of these domains can have recipients as members.
_GROUP_PREFIXES: Final = (f"{_GROUP}.", f"{NOTIFY_DOMAIN}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """An entity in a target, or a device, area, floor or label that does not exist.

    Attributes:
        id: its id.
        is_named: whether the call names it, directly or through a group, and not only through a device, an area, a
            floor or a label.
        is_missing: whether it does not exist.
    """

    id: str
    is_named: bool
    is_missing: bool


@callback
def async_expand_targets(call: ServiceCall) -> list[Target]:
    """Return the entities in the targets of a call, in their order."""
    targets = [
        target
        for kind in _TARGET_KINDS
        for target_id in cv.ensure_list(call.data.get(kind))
        for target in _expand_target(call.hass, kind, target_id)
    ]
    if missing := {target.id for target in targets if target.is_named and target.is_missing}:
        # Home Assistant's own warning names them, but here the id of an entity contains the name of a person.
        _LOGGER.warning("Targets of %s.%s do not exist: %s", call.domain, call.service, len(missing))
    return targets


def _expand_target(hass: HomeAssistant, kind: str, target_id: str) -> Iterator[Target]:
    """Yield the entities in one target."""
    # Groups are expanded below: Home Assistant would not expand notify groups, and would drop a missing group.
    selected = async_extract_referenced_entity_ids(hass, TargetSelection({kind: target_id}), expand_group=False)
    if selected.missing_devices or selected.missing_areas or selected.missing_floors or selected.missing_labels:
        yield Target(id=target_id, is_named=True, is_missing=True)
    registry = er.async_get(hass)
    for entity_id in _expand_groups(hass, sorted(selected.referenced | selected.indirectly_referenced)):
        is_missing = registry.async_get(entity_id) is None and hass.states.get(entity_id) is None
        yield Target(id=entity_id, is_named=kind == ATTR_ENTITY_ID, is_missing=is_missing)


def _expand_groups(hass: HomeAssistant, entity_ids: Iterable[str]) -> Iterator[str]:
    """Yield entities, with the members of groups in place of the groups. A group may contain itself."""
    seen: set[str] = set()
    pending = list(entity_ids)[::-1]
    while pending:
        if (entity_id := pending.pop()) in seen:
            continue
        seen.add(entity_id)
        if members := _group_members(hass, entity_id):
            pending += members[::-1]
        else:
            yield entity_id


def _group_members(hass: HomeAssistant, entity_id: str) -> list[str]:
    """Return the members of a group, or an empty list for any other entity."""
    if not entity_id.startswith(_GROUP_PREFIXES):
        return []
    state = hass.states.get(entity_id)
    if state and isinstance(members := state.attributes.get(ATTR_ENTITY_ID), list | tuple):
        return [member for member in members if isinstance(member, str)]
    registry = er.async_get(hass)
    entity = registry.async_get(entity_id)
    if entity is None or entity.platform != _GROUP or entity.disabled:
        return []
    # While all of its members are unavailable, a group is unavailable and has no attributes.
    group = hass.config_entries.async_get_entry(entity.config_entry_id or "")
    members = group.options.get(CONF_ENTITIES, []) if group else []
    return [member for each in members if (member := er.async_resolve_entity_id(registry, each))]
