"""Base of the sensors whose values Home Assistant calculates from the messages that it knows."""

from abc import abstractmethod
from datetime import datetime
from typing import override

from homeassistant.components.sensor import SensorEntity, SensorStateClass
from homeassistant.core import callback
from homeassistant.helpers.typing import StateType

from ..entity import GoSmsEntity


class GoSmsCalculatedSensor(GoSmsEntity, SensorEntity):
    """Shows a calculated value. It needs no network, so it is always available.

    One of the state class `total` is a counter that starts again with each period, such as a day.
    """

    @override
    async def async_added_to_hass(self) -> None:
        """Calculate the first state, which is written after this."""
        self._calculate()
        self._written = self.native_value, self.last_reset

    @abstractmethod
    def _current(self) -> tuple[StateType, datetime]:
        """Return the value, and the start of the current period."""

    @property
    def _is_counter(self) -> bool:
        """Return whether the sensor starts again with each period."""
        return self.entity_description.state_class is SensorStateClass.TOTAL

    @callback
    def _async_update(self, *_reason: object) -> None:
        """Write the state if it changed."""
        self._calculate()
        self._async_write_if_changed(self.native_value, self.last_reset)

    def _calculate(self) -> None:
        """Calculate the value."""
        before = self._attr_native_value
        self._attr_native_value, begins = self._current()
        # A counter that stays at 0 is not reset, so that a period without messages writes nothing to the database.
        if self._is_counter and (self._attr_native_value or self._attr_native_value != before):
            self._attr_last_reset = begins
