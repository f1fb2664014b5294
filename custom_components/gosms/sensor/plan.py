"""Sensors of the plan of an account."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, override

from homeassistant.components.sensor import SensorEntityDescription, SensorStateClass
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from ..entity import async_find_entity
from ..options import Options
from ..plan import PlanUsage, async_follow_plan, plan_usage
from ..runtime_data import UPDATED, GoSmsConfigEntry
from .calculated import GoSmsCalculatedSensor


@dataclass(frozen=True, kw_only=True)
class GoSmsPlanDescription(SensorEntityDescription):
    """Describes a sensor, whose value is calculated from the usage of the plan."""

    value_fn: Callable[[PlanUsage], int | None]


_USED: Final = GoSmsPlanDescription(
    key="segments_this_month",
    translation_key="segments_this_month",
    state_class=SensorStateClass.TOTAL,
    value_fn=lambda usage: usage.used,
)
_LEFT: Final = GoSmsPlanDescription(
    key="segments_left",
    translation_key="segments_left",
    state_class=SensorStateClass.MEASUREMENT,
    value_fn=lambda usage: usage.left,
)


@callback
def async_set_up_plan(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors. The one of what is left exists while the plan is known."""
    is_shown = False

    @callback
    def async_apply_plan() -> None:
        """Add or remove the sensor of what is left."""
        nonlocal is_shown
        was_shown, is_shown = is_shown, Options.from_entry(entry).plan_segments > 0
        if is_shown and not was_shown:
            async_add_entities([GoSmsPlanSensor(hass, entry, _LEFT)])
        elif not is_shown and (entity := async_find_entity(hass, entry, Platform.SENSOR, _LEFT.key)):
            er.async_get(hass).async_remove(entity.entity_id)

    async_add_entities([GoSmsPlanSensor(hass, entry, _USED)])
    async_apply_plan()
    entry.async_on_unload(async_dispatcher_connect(hass, UPDATED.format(entry.entry_id), async_apply_plan))


class GoSmsPlanSensor(GoSmsCalculatedSensor):
    """Shows a value of the plan. Its counter starts again each billing month."""

    entity_description: GoSmsPlanDescription

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, description: GoSmsPlanDescription) -> None:
        """Initialize the sensor."""
        super().__init__(hass, entry, description)
        self._entry = entry

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the messages, the options and the month."""
        await super().async_added_to_hass()
        self.async_on_remove(async_follow_plan(self.hass, self._entry, self._async_update))

    @override
    def _current(self) -> tuple[StateType, datetime]:
        """Return the value by the description, and the start of the billing month."""
        usage = plan_usage(self._entry)
        return self.entity_description.value_fn(usage), usage.begins
