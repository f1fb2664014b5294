"""Conditions on the states of messages and phones. An unknown state does not meet a condition."""

from typing import Final, override

from homeassistant.const import STATE_OFF, STATE_ON, Platform
from homeassistant.core import HomeAssistant, State as EntityState
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import Condition, EntityConditionBase

from .const import DOMAIN
from .entity import async_own_entities
from .outbox import State

_SENSORS: Final = {Platform.SENSOR.value: DomainSpec()}
_BINARY_SENSORS: Final = {Platform.BINARY_SENSOR.value: DomainSpec()}


class GoSmsCondition(EntityConditionBase):
    """A condition on the entities with one key.

    Entities of the target that have no state count as not met, and without any entity a condition is not met.
    """

    _key: str

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Return the entities with the key."""
        (domain,) = self._domain_specs
        return {entity.entity_id for entity in async_own_entities(self._hass, entities, domain, self._key)}

    @override
    def _should_include(self, _state: EntityState) -> bool:
        """Return true, or Home Assistant would ignore entities without a state, and only test the others."""
        return True

    @override
    def _check_all_match_state(self, states: list[EntityState]) -> bool:
        """Return whether there are entities, and all of them match."""
        return bool(states) and super()._check_all_match_state(states)


class LastMessageDelivered(GoSmsCondition):
    """Whether the newest message was delivered."""

    _domain_specs = _SENSORS
    _key = "last_message_status"

    @override
    def is_valid_state(self, entity_state: EntityState) -> bool:
        """Return whether the status is delivered."""
        return entity_state.state == State.DELIVERED


class MessagesWaiting(GoSmsCondition):
    """Whether messages of the account wait for the service."""

    _domain_specs = _SENSORS
    _key = "queued"

    @override
    def is_valid_state(self, entity_state: EntityState) -> bool:
        """Return whether the number of messages is not zero."""
        return entity_state.state.isdecimal() and int(entity_state.state) > 0


class PhoneReady(GoSmsCondition):
    """Whether a phone is online, and its sending is not switched off."""

    _domain_specs = _BINARY_SENSORS
    _key = "online"
    # The entities of a phone are diagnostic.
    _primary_entities_only = False

    @property
    @override
    def needs_polling(self) -> bool:
        """Return true: a change of the switch, which is not in the target, is not noticed. Used from 2026.10 on."""
        return True

    @override
    def is_valid_state(self, entity_state: EntityState) -> bool:
        """Return whether the phone is online and may send, as far as the switch is known."""
        registry = er.async_get(self._hass)
        online = registry.async_get(entity_state.entity_id)
        unique_id = online.unique_id.removesuffix(self._key) + "sending" if online else ""
        switch = registry.async_get_entity_id(Platform.SWITCH, DOMAIN, unique_id)
        may_send = switch is None or not self._hass.states.is_state(switch, STATE_OFF)
        return entity_state.state == STATE_ON and may_send


_CONDITIONS: Final = {
    "last_message_delivered": LastMessageDelivered,
    "messages_waiting": MessagesWaiting,
    "phone_ready": PhoneReady,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:  # noqa: ARG001  # Home Assistant's.
    """Return the conditions by their keys."""
    return dict(_CONDITIONS)
