"""Sensors of the account and of its recipients."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .api import Message, MessagePage, MessageStatus
from .const import CONF_PHONE_NUMBER, SUBENTRY_RECIPIENT
from .coordinator import GoSmsCoordinator
from .entity import GoSmsEntity
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


def _status(message: Message) -> str | None:
    """Return the name of a message's status, or None for one that is not known here."""
    return None if message.status is None else message.status.name.lower()


def _newest_status(page: MessagePage) -> str | None:
    """Return the status of the newest message."""
    return _status(page.messages[0]) if page.messages else None


def _describe(message: Message, names: Names) -> dict[str, object]:
    """Return a message as attributes."""
    return {
        "message_id": message.id,
        "phone_number": message.phone_number,
        "recipient": names.get(message.phone_number),
        "message": message.text,
        "status": _status(message),
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

_RECIPIENT: Final = (
    GoSmsSensorDescription(
        key="last_message_status",
        translation_key="last_message_status",
        device_class=SensorDeviceClass.ENUM,
        options=[*_STATUSES, *_OWN_STATUSES],
        value_fn=_newest_status,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors."""
    async_add_entities(GoSmsSensor(hass, entry, description) for description in _ACCOUNT)
    for recipient in entry.get_subentries_of_type(SUBENTRY_RECIPIENT):
        async_add_entities(
            (GoSmsRecipientSensor(hass, entry, description, recipient) for description in _RECIPIENT),
            config_subentry_id=recipient.subentry_id,
        )


class GoSmsSensor(GoSmsEntity, CoordinatorEntity[GoSmsCoordinator], SensorEntity):
    """Shows something of the newest messages."""

    entity_description: GoSmsSensorDescription
    # Texts and numbers of people stay out of the database.
    _unrecorded_attributes = frozenset({"message_id", "phone_number", "recipient", "message", "status", "recent"})

    def __init__(
        self,
        hass: HomeAssistant,
        entry: GoSmsConfigEntry,
        description: GoSmsSensorDescription,
        subentry: ConfigSubentry | None = None,
    ) -> None:
        """Make the sensor of the account, or of a recipient."""
        CoordinatorEntity.__init__(self, entry.runtime_data.coordinator)
        GoSmsEntity.__init__(self, hass, entry, description, subentry)
        self._names = {
            recipient.data[CONF_PHONE_NUMBER]: recipient.title
            for recipient in entry.get_subentries_of_type(SUBENTRY_RECIPIENT)
        }

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return what the description makes of the messages."""
        return self.entity_description.value_fn(self._page)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, object] | None:
        """Return the attributes, if the description has any."""
        if self.entity_description.attributes_fn is None:
            return None
        return self.entity_description.attributes_fn(self._page, self._names)

    @property
    def _page(self) -> MessagePage:
        """Return the messages that concern this sensor, newest first."""
        return self.coordinator.data


class GoSmsRecipientSensor(GoSmsSensor):
    """Shows something of the newest messages to one recipient."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: GoSmsConfigEntry,
        description: GoSmsSensorDescription,
        recipient: ConfigSubentry,
    ) -> None:
        """Make the sensor of this recipient."""
        super().__init__(hass, entry, description, recipient)
        self._phone_number = recipient.data[CONF_PHONE_NUMBER]

    @property
    @override
    def _page(self) -> MessagePage:
        """Return the messages to this recipient, newest first."""
        return MessagePage(
            messages=tuple(
                message for message in self.coordinator.data.messages if message.phone_number == self._phone_number
            )
        )
