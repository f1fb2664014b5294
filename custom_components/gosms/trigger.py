"""Triggers for the outcome of a message. Each message fires a trigger once."""

import asyncio
from typing import Any, Final, override

from homeassistant.const import CONF_OPTIONS, Platform
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, State as EntityState, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.trigger import (
    ENTITY_STATE_TRIGGER_SCHEMA,
    NotTriggeredReasonReporter,
    StatelessEntityTriggerBase,
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
import voluptuous as vol

from .entity import async_own_entities
from .outbox import DELIVERY_TIMEOUT, State

_TAG: Final = "tag"
_EVENT_TYPE: Final = "event_type"

# The attributes of an event. The data of a trigger has them under the same names.
_ATTRIBUTES: Final = (
    _EVENT_TYPE,
    "message_ids",
    "phone_number",
    "recipient",
    "message",
    _TAG,
    "seconds",
    "attempts",
    "phone",
    "error",
)

_SCHEMA: Final = ENTITY_STATE_TRIGGER_SCHEMA.extend(
    {vol.Required(CONF_OPTIONS, default=dict): {vol.Optional(_TAG): cv.string}}
)
_DOMAIN_SPECS: Final = {Platform.EVENT.value: DomainSpec()}


class MessageTrigger(StatelessEntityTriggerBase):
    """Fires on events of certain types. A state that is restored by a restart or a reload is no event."""

    _domain_specs = _DOMAIN_SPECS
    _schema = _SCHEMA
    _event_types: frozenset[str]

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Initialize the trigger. An empty tag stands for all messages."""
        super().__init__(hass, config)
        self._tag: str = self._options.get(_TAG, "")

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Return the event entities to follow: that of an account has all events of its recipients' entities."""
        events = async_own_entities(self._hass, entities, Platform.EVENT, "message")
        accounts = {event.config_entry_id for event in events if event.config_subentry_id is None}
        return {
            event.entity_id
            for event in events
            if event.config_subentry_id is None or event.config_entry_id not in accounts
        }

    @override
    def is_valid_state(self, state: EntityState, report_not_triggered: NotTriggeredReasonReporter) -> bool:
        """Return whether the event has one of the types, and the tag. If not, the trace says why."""
        event_type = state.attributes.get(_EVENT_TYPE)
        if event_type not in self._event_types:
            report_not_triggered("event_type_not_matching", entity_id=state.entity_id, event_type=event_type)
            return False
        if self._tag and state.attributes.get(_TAG) != self._tag:
            report_not_triggered("tag_not_matching", entity_id=state.entity_id)
            return False
        return True

    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None = None
    ) -> CALLBACK_TYPE:
        """Attach the trigger, and add the attributes of the event to its data."""

        @callback
        def run(
            extra_trigger_payload: dict[str, Any], description: str, context: Context | None = None
        ) -> asyncio.Task[Any]:
            event = extra_trigger_payload["to_state"].attributes
            attributes = {name: event.get(name) for name in _ATTRIBUTES}
            return run_action(extra_trigger_payload | attributes, description, context)

        return await super().async_attach_runner(run, did_not_trigger)


def _trigger(*event_types: str) -> type[Trigger]:
    """Return the trigger for these types of events."""

    class CustomTrigger(MessageTrigger):
        _event_types = frozenset(event_types)

    return CustomTrigger


_TRIGGERS: Final = {
    "message_delayed": _trigger(DELIVERY_TIMEOUT),
    "message_delivered": _trigger(State.DELIVERED),
    "message_failed": _trigger(
        State.SEND_FAILED, State.DELIVERY_FAILED, State.REFUSED, State.EXPIRED, State.UNCONFIRMED
    ),
    "message_queued": _trigger(State.QUEUED),
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:  # noqa: ARG001  # Home Assistant's.
    """Return the triggers by their keys."""
    return _TRIGGERS
