"""Base classes of the entities: names, unique ids, devices, and when a state is written."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN, SUBENTRY_PHONE, SUBENTRY_RECIPIENT
from .coordinator import GoSmsPhoneCoordinator
from .device import account_device, subentry_device
from .runtime_data import SUBENTRY_READY, GoSmsConfigEntry
from .subentries import recipients


class GoSmsEntity(Entity):
    """An entity of the account, or of one of its subentries."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _written: tuple[object, ...] | None = None

    def __init__(
        self,
        hass: HomeAssistant,
        entry: GoSmsConfigEntry,
        description: EntityDescription,
        subentry: ConfigSubentry | None = None,
    ) -> None:
        """Initialize the entity. The device of the account must exist."""
        self.entity_description = description
        self._attr_unique_id = _unique_id(entry, description.key, subentry)
        self._attr_device_info = subentry_device(hass, entry, subentry) if subentry else account_device(entry)

    @callback
    def _async_write_if_changed(self, *shown: object) -> None:
        """Write the state, unless it shows the same values as the last time.

        An entity that uses this must write its state in no other way, or the values to compare with would be outdated.
        """
        if shown != self._written:
            self._written = shown
            self.async_write_ha_state()


@dataclass(frozen=True, kw_only=True)
class GoSmsPhoneDescription[T](EntityDescription):
    """Describes an entity of a phone, whose value is calculated from the coordinator of the phone."""

    value_fn: Callable[[GoSmsPhoneCoordinator], T]


class GoSmsPhoneEntity[T](GoSmsEntity, CoordinatorEntity[GoSmsPhoneCoordinator]):
    """An entity of a phone. Its state is written when its value changes, not with each report of the phone."""

    entity_description: GoSmsPhoneDescription[T]

    def __init__(
        self,
        hass: HomeAssistant,
        entry: GoSmsConfigEntry,
        description: GoSmsPhoneDescription[T],
        phone: ConfigSubentry,
    ) -> None:
        """Initialize the entity of this phone."""
        CoordinatorEntity.__init__(self, entry.runtime_data.phone_coordinators[phone.subentry_id])
        GoSmsEntity.__init__(self, hass, entry, description, phone)

    @property
    def value(self) -> T:
        """Return the value by the description."""
        return self.entity_description.value_fn(self.coordinator)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the phone. The first state is written after this."""
        await super().async_added_to_hass()
        self._written = self.available, self.value

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state if it changed."""
        self._async_write_if_changed(self.available, self.value)


def _unique_id(entry: GoSmsConfigEntry, key: str, subentry: ConfigSubentry | None) -> str:
    """Return the unique id of an entity of the account, or of one of its subentries."""
    return f"{entry.entry_id}_{subentry.subentry_id}_{key}" if subentry else f"{entry.entry_id}_{key}"


@callback
def async_find_entity(
    hass: HomeAssistant, entry: GoSmsConfigEntry, domain: str, key: str, subentry: ConfigSubentry | None = None
) -> er.RegistryEntry | None:
    """Return an entity of the account, or of one of its subentries, or None; it may be disabled."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(domain, DOMAIN, _unique_id(entry, key, subentry))
    return registry.async_get(entity_id) if entity_id else None


@callback
def async_notify_entities(hass: HomeAssistant, entry: ConfigEntry[Any]) -> list[er.RegistryEntry]:
    """Return the notify entities of an account that are not disabled. The account need not be loaded."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return async_own_entities(hass, [each.entity_id for each in entities], Platform.NOTIFY, "sms")


@callback
def async_own_entities(hass: HomeAssistant, entity_ids: Iterable[str], domain: str, key: str) -> list[er.RegistryEntry]:
    """Return those entities that belong to this integration, have this key, and are not disabled."""
    registry = er.async_get(hass)
    entities = (entity for entity_id in entity_ids if (entity := registry.async_get(entity_id)))
    return [
        entity
        for entity in entities
        if (entity.platform, entity.domain, entity.translation_key) == (DOMAIN, domain, key) and not entity.disabled
    ]


@callback
def async_add_for_recipients(
    hass: HomeAssistant,
    entry: GoSmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[ConfigSubentry], Iterable[Entity]],
) -> CALLBACK_TYPE:
    """Add the entities of each recipient, now and later; returns how to stop it."""
    for recipient in recipients(entry):
        async_add_entities(create(recipient), config_subentry_id=recipient.subentry_id)
    return _async_add_when_ready(hass, entry, SUBENTRY_RECIPIENT, async_add_entities, create)


@callback
def async_add_for_phones(
    hass: HomeAssistant,
    entry: GoSmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[ConfigSubentry], Iterable[Entity]],
) -> None:
    """Add the entities of each phone once it was polled, until the account is unloaded."""
    entry.async_on_unload(_async_add_when_ready(hass, entry, SUBENTRY_PHONE, async_add_entities, create))


def _async_add_when_ready(
    hass: HomeAssistant,
    entry: GoSmsConfigEntry,
    subentry_type: str,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[ConfigSubentry], Iterable[Entity]],
) -> CALLBACK_TYPE:
    """Add the entities of subentries that become ready; returns how to stop it."""

    @callback
    def async_add(subentry: ConfigSubentry) -> None:
        if subentry.subentry_type == subentry_type:
            async_add_entities(create(subentry), config_subentry_id=subentry.subentry_id)

    return async_dispatcher_connect(hass, SUBENTRY_READY.format(entry.entry_id), async_add)
