"""Sensors of the plan of an account."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..entity import GoSmsEntity, async_find_entity
from ..options import Options
from ..plan import PlanUsage, async_follow_plan, plan_usage
from ..runtime_data import UPDATED, GoSmsConfigEntry


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
    """Set up the sensors. What is left is shown while the plan is known."""
    is_shown = False

    @callback
    def async_apply_plan() -> None:
        """Show what is left, or show it no more."""
        nonlocal is_shown
        was_shown, is_shown = is_shown, Options.from_entry(entry).plan_segments > 0
        if is_shown and not was_shown:
            async_add_entities([GoSmsPlanSensor(hass, entry, _LEFT)])
        elif not is_shown and (entity := async_find_entity(hass, entry, Platform.SENSOR, _LEFT.key)):
            er.async_get(hass).async_remove(entity.entity_id)

    async_add_entities([GoSmsPlanSensor(hass, entry, _USED)])
    async_apply_plan()
    entry.async_on_unload(async_dispatcher_connect(hass, UPDATED.format(entry.entry_id), async_apply_plan))


class GoSmsPlanSensor(GoSmsEntity, SensorEntity):
    """Shows a value of the plan. It needs no network, so it is always available."""

    entity_description: GoSmsPlanDescription

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, description: GoSmsPlanDescription) -> None:
        """Initialize the sensor."""
        super().__init__(hass, entry, description)
        self._entry = entry
        self._calculate()

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the messages, the options and the month. The first state is written after this."""
        self._calculate()
        self._written = self.native_value, self.last_reset
        self.async_on_remove(async_follow_plan(self.hass, self._entry, self._async_update))

    @callback
    def _async_update(self, *_reason: object) -> None:
        """Write the state if it changed."""
        self._calculate()
        self._async_write_if_changed(self.native_value, self.last_reset)

    def _calculate(self) -> None:
        """Calculate the value."""
        usage, before = plan_usage(self._entry), self._attr_native_value
        self._attr_native_value = self.entity_description.value_fn(usage)
        is_counter = self.entity_description.state_class is SensorStateClass.TOTAL
        # A counter that stays at 0 has nothing to reset: a month without messages leaves no trace in the database.
        if is_counter and (self._attr_native_value or self._attr_native_value != before):
            self._attr_last_reset = usage.begins
