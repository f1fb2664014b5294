"""Sensors of the account: its newest messages by GoSMS, and the messages that Home Assistant sent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE, EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.event import async_track_time_change
from homeassistant.helpers.typing import StateType
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from homeassistant.util import dt as dt_util

from ..api import MessagePage, MessageStatus
from ..coordinator import GoSmsCoordinator
from ..entity import GoSmsEntity
from ..outbox import Outbox
from ..runtime_data import GoSmsConfigEntry
from .calculated import GoSmsCalculatedSensor

# The statuses of a message by GoSMS, in the order in which they occur.
STATUSES: Final = [status.key for status in MessageStatus]


@dataclass(frozen=True, kw_only=True)
class GoSmsSensorDescription(SensorEntityDescription):
    """Describes a sensor, whose value is calculated from the page of the newest messages."""

    value_fn: Callable[[MessagePage], StateType]


def _newest_status(page: MessagePage) -> str | None:
    """Return the status of the newest message."""
    return page.messages[0].status_name if page.messages else None


ACCOUNT_SENSORS: Final = (
    GoSmsSensorDescription(
        key="last_message_status",
        translation_key="last_message_status",
        device_class=SensorDeviceClass.ENUM,
        # The events of the account say more, and two rows in Activity for each step of a message are too many.
        entity_registry_enabled_default=False,
        options=STATUSES,
        value_fn=_newest_status,
    ),
    GoSmsSensorDescription(
        key="total_messages",
        translation_key="total_messages",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda page: page.total,
    ),
)


@dataclass(frozen=True, kw_only=True)
class GoSmsOutboxDescription(SensorEntityDescription):
    """Describes a sensor, whose value is calculated from the outbox and the local date."""

    value_fn: Callable[[Outbox, date], StateType]


OUTBOX_SENSORS: Final = (
    GoSmsOutboxDescription(
        key="queued",
        translation_key="queued",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda outbox, _today: outbox.queued,
    ),
    GoSmsOutboxDescription(
        key="in_transit",
        translation_key="in_transit",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda outbox, _today: outbox.in_transit,
    ),
    GoSmsOutboxDescription(
        key="delivered_today",
        translation_key="delivered_today",
        state_class=SensorStateClass.TOTAL,
        value_fn=lambda outbox, today: outbox.history.counters.on(today)[0],
    ),
    GoSmsOutboxDescription(
        key="failed_today",
        translation_key="failed_today",
        state_class=SensorStateClass.TOTAL,
        value_fn=lambda outbox, today: outbox.history.counters.on(today)[1],
    ),
    GoSmsOutboxDescription(
        key="delivery_time",
        translation_key="delivery_time",
        device_class=SensorDeviceClass.DURATION,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda outbox, _today: outbox.history.counters.delivery_time,
    ),
)


class GoSmsSensor(GoSmsEntity, CoordinatorEntity[GoSmsCoordinator], SensorEntity):
    """Shows a value of the newest messages."""

    entity_description: GoSmsSensorDescription

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, description: GoSmsSensorDescription) -> None:
        """Initialize the sensor."""
        CoordinatorEntity.__init__(self, entry.runtime_data.coordinator)
        GoSmsEntity.__init__(self, hass, entry, description)

    @property
    @override
    def native_value(self) -> StateType:
        """Return the value by the description."""
        return self.entity_description.value_fn(self.coordinator.data)


class GoSmsOutboxSensor(GoSmsCalculatedSensor):
    """Shows a value of the outbox. Its counters start again each day."""

    entity_description: GoSmsOutboxDescription

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, description: GoSmsOutboxDescription) -> None:
        """Initialize the sensor."""
        super().__init__(hass, entry, description)
        self._outbox = entry.runtime_data.outbox

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the messages and, as a counter, the local date."""
        await super().async_added_to_hass()
        self.async_on_remove(self._outbox.async_add_message_listener(self._async_update))
        if self._is_counter:
            # A day may begin at one o'clock, and that of another time zone at any moment.
            self.async_on_remove(async_track_time_change(self.hass, self._async_update, minute=0, second=0))
            self.async_on_remove(self.hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self._async_update))

    @override
    def _current(self) -> tuple[StateType, datetime]:
        """Return the value by the description, and the start of the day."""
        begins = dt_util.start_of_local_day()
        return self.entity_description.value_fn(self._outbox, begins.date()), begins
