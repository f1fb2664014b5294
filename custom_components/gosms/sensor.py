"""Sensors of the account and of its recipients."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.helpers.restore_state import RestoreEntity
from homeassistant.helpers.typing import StateType
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from homeassistant.util import dt as dt_util

from .api import Message, MessagePage, MessageStatus
from .const import CONF_PHONE_NUMBER, SUBENTRY_RECIPIENT
from .coordinator import GoSmsCoordinator
from .entity import GoSmsEntity
from .outbox import Outbox, OutgoingMessage
from .recipient_status import RecipientStatus
from .runtime_data import GoSmsConfigEntry

PARALLEL_UPDATES = 0

# What GoSMS says of a message, in the order in which it happens.
_STATUSES: Final = [status.name.lower() for status in MessageStatus]

# What Home Assistant alone knows of a message that it sends.
_OWN_STATUSES: Final = ["queued", "expired", "refused", "unconfirmed"]

_RECENT: Final = 10

# Names of recipients by their number.
type Names = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class GoSmsSensorDescription(SensorEntityDescription):
    """Describes a sensor: its value from the newest messages that concern it."""

    value_fn: Callable[[MessagePage], StateType | datetime]
    attributes_fn: Callable[[MessagePage, Names], dict[str, object]] | None = None


def _newest_status(page: MessagePage) -> str | None:
    """Return the status of the newest message."""
    return page.messages[0].status_name if page.messages else None


def _describe(message: Message, names: Names) -> dict[str, object]:
    """Return a message as attributes."""
    return {
        "message_id": message.id,
        "phone_number": message.phone_number,
        "recipient": names.get(message.phone_number),
        "message": message.text,
        "status": message.status_name,
    }


def _last_message(page: MessagePage, names: Names) -> dict[str, object]:
    """Return the newest message, and a list of the ten newest."""
    if not page.messages:
        return {}
    return _describe(page.messages[0], names) | {
        "recent": [
            _describe(message, names) | {"created": message.created and message.created.isoformat()}
            for message in page.messages[:_RECENT]
        ]
    }


_ACCOUNT: Final = (
    GoSmsSensorDescription(
        key="last_message_status",
        translation_key="last_message_status",
        device_class=SensorDeviceClass.ENUM,
        options=_STATUSES,
        value_fn=_newest_status,
    ),
    GoSmsSensorDescription(
        key="last_message",
        translation_key="last_message",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda page: page.messages[0].created if page.messages else None,
        attributes_fn=_last_message,
    ),
    GoSmsSensorDescription(
        key="total_messages",
        translation_key="total_messages",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda page: page.total,
    ),
)

_RECIPIENT: Final = SensorEntityDescription(
    key="last_message_status",
    translation_key="last_message_status",
    device_class=SensorDeviceClass.ENUM,
    options=[*_STATUSES, *_OWN_STATUSES],
)


@dataclass(frozen=True, kw_only=True)
class GoSmsOutboxDescription(SensorEntityDescription):
    """Describes a sensor of what Home Assistant sent: its value from the outbox and the local day."""

    value_fn: Callable[[Outbox, date], StateType]


_OUTBOX: Final = (
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
        value_fn=lambda outbox, today: outbox.ledger.today(today)[0],
    ),
    GoSmsOutboxDescription(
        key="failed_today",
        translation_key="failed_today",
        state_class=SensorStateClass.TOTAL,
        value_fn=lambda outbox, today: outbox.ledger.today(today)[1],
    ),
    GoSmsOutboxDescription(
        key="delivery_time",
        translation_key="delivery_time",
        device_class=SensorDeviceClass.DURATION,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda outbox, _today: outbox.ledger.delivery_time,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors."""
    async_add_entities(GoSmsSensor(hass, entry, description) for description in _ACCOUNT)
    async_add_entities(GoSmsOutboxSensor(hass, entry, description) for description in _OUTBOX)
    for recipient in entry.get_subentries_of_type(SUBENTRY_RECIPIENT):
        async_add_entities([GoSmsRecipientSensor(hass, entry, recipient)], config_subentry_id=recipient.subentry_id)


class GoSmsSensor(GoSmsEntity, CoordinatorEntity[GoSmsCoordinator], SensorEntity):
    """Shows something of the newest messages."""

    entity_description: GoSmsSensorDescription
    # Texts and numbers of people stay out of the database.
    _unrecorded_attributes = frozenset({"message_id", "phone_number", "recipient", "message", "status", "recent"})

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, description: GoSmsSensorDescription) -> None:
        """Make the sensor of the account."""
        CoordinatorEntity.__init__(self, entry.runtime_data.coordinator)
        GoSmsEntity.__init__(self, hass, entry, description)
        self._names = {
            recipient.data[CONF_PHONE_NUMBER]: recipient.title
            for recipient in entry.get_subentries_of_type(SUBENTRY_RECIPIENT)
        }

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return what the description makes of the messages."""
        return self.entity_description.value_fn(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, object] | None:
        """Return the attributes, if the description has any."""
        if self.entity_description.attributes_fn is None:
            return None
        return self.entity_description.attributes_fn(self.coordinator.data, self._names)


class GoSmsOutboxSensor(GoSmsEntity, SensorEntity):
    """Shows something of what Home Assistant sent; it needs no network, so it is always available."""

    entity_description: GoSmsOutboxDescription

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, description: GoSmsOutboxDescription) -> None:
        """Make the sensor."""
        super().__init__(hass, entry, description)
        self._outbox = entry.runtime_data.outbox
        self._calculate()

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen."""
        self.async_on_remove(self._outbox.async_listen_changes(self._async_update))
        self.async_on_remove(async_track_time_change(self.hass, self._async_update, hour=0, minute=0, second=0))

    @callback
    def _async_update(self, _reason: object) -> None:
        """Write the state if it is another one."""
        before = self.native_value, self.last_reset
        self._calculate()
        if before != (self.native_value, self.last_reset):
            self.async_write_ha_state()

    def _calculate(self) -> None:
        """Take the value from the outbox."""
        self._attr_native_value = self.entity_description.value_fn(self._outbox, dt_util.now().date())
        if self.entity_description.state_class is SensorStateClass.TOTAL:
            self._attr_last_reset = dt_util.start_of_local_day()


class GoSmsRecipientSensor(GoSmsEntity, CoordinatorEntity[GoSmsCoordinator], SensorEntity, RestoreEntity):
    """Shows the status of the newest message to one recipient, whoever sent it."""

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, recipient: ConfigSubentry) -> None:
        """Make the sensor of this recipient."""
        CoordinatorEntity.__init__(self, entry.runtime_data.coordinator)
        GoSmsEntity.__init__(self, hass, entry, _RECIPIENT, recipient)
        self._outbox = entry.runtime_data.outbox
        self._status = RecipientStatus(recipient)

    @override
    async def async_added_to_hass(self) -> None:
        """Take up what was known before, and begin to listen."""
        await super().async_added_to_hass()
        if stored := await self.async_get_last_extra_data():
            self._status.restore(stored.as_dict())
        for message in self._outbox.messages:
            self._status.notice(message, self.coordinator.data)
        self.async_on_remove(self._outbox.async_listen_changes(self._async_update))

    @property
    @override
    def extra_restore_state_data(self) -> RecipientStatus:
        """Return what the next run must know."""
        return self._status

    @property
    @override
    def native_value(self) -> str | None:
        """Return the status of the newest message."""
        return self._status.newest(self.coordinator.data)

    @callback
    def _async_update(self, message: OutgoingMessage) -> None:
        """Take note of a message that changed."""
        before = self.native_value
        self._status.notice(message, self.coordinator.data)
        if self.native_value != before:
            self.async_write_ha_state()
