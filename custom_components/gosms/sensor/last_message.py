"""The sensor of the newest messages: those that GoSMS has, and those that Home Assistant could not hand over."""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from heapq import nlargest
from math import inf
from operator import itemgetter
from typing import Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from ..coordinator import GoSmsCoordinator
from ..entity import GoSmsEntity
from ..outbox import OutgoingMessage
from ..runtime_data import UPDATED, GoSmsConfigEntry
from ..subentries import find_recipient

# Messages in the attribute `recent`.
_MAX_RECENT: Final = 10

_LAST_MESSAGE: Final = SensorEntityDescription(
    key="last_message", translation_key="last_message", device_class=SensorDeviceClass.TIMESTAMP
)


class GoSmsLastMessageSensor(GoSmsEntity, CoordinatorEntity[GoSmsCoordinator], SensorEntity):
    """Shows the newest messages.

    During an outage it shows the last known messages, and those that are queued, expire or are refused meanwhile, which
    the service does not have.
    """

    # Keep texts and numbers out of the database.
    _unrecorded_attributes = frozenset({"message_id", "phone_number", "recipient", "message", "status", "recent"})

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
        """Initialize the sensor."""
        CoordinatorEntity.__init__(self, entry.runtime_data.coordinator)
        GoSmsEntity.__init__(self, hass, entry, _LAST_MESSAGE)
        self._entry = entry
        self._outbox = entry.runtime_data.outbox
        # The newest messages that the service did not accept at once, by their keys, until the service lists them.
        self._own: dict[str, OutgoingMessage] = {}
        self._async_update(self._outbox.messages)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow messages that Home Assistant sends, and the recipients. The first state is written after this."""
        await super().async_added_to_hass()
        self._written = self.available, self.extra_state_attributes
        self.async_on_remove(self._outbox.async_add_message_listener(self._async_handle_messages))
        signal = UPDATED.format(self._entry.entry_id)
        self.async_on_remove(async_dispatcher_connect(self.hass, signal, self._handle_coordinator_update))

    @property
    @override
    def available(self) -> bool:
        """Return whether there is a message to show, or the service said that there is none."""
        return super().available or bool(self._attr_extra_state_attributes)

    @callback
    def _async_handle_messages(self, messages: Collection[OutgoingMessage]) -> None:
        """Write the state if it changed; most messages are accepted at once, and the service lists them."""
        if concerned := [message for message in messages if message.key in self._own or _is_held(message)]:
            self._async_update(concerned)
            self._async_write_if_changed(self.available, self.extra_state_attributes)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state if a poll, or a change of the recipients and their names, changed it."""
        self._async_update()
        self._async_write_if_changed(self.available, self.extra_state_attributes)

    @callback
    def _async_update(self, messages: Iterable[OutgoingMessage] = ()) -> None:
        """Keep messages that the service did not accept at once until it lists them, and list the newest of all."""
        own = dict(self._own)
        for message in messages:
            if message.key in own or _is_held(message):
                own[message.key] = message
        listed = {message.id for message in self.coordinator.data.messages}
        for key, message in list(own.items()):
            if len(message.ids) == len(message.parts) and listed.issuperset(message.ids):
                del own[key]
        self._own = dict(sorted(own.items(), key=lambda item: (item[1].created, item[0]))[-_MAX_RECENT:])
        newest = nlargest(_MAX_RECENT, [*self._list_own(), *self._list_others()], key=itemgetter(0))
        recent = [attributes for _, attributes in newest]
        created = recent[0]["created"] if recent else None
        self._attr_native_value = datetime.fromisoformat(created) if isinstance(created, str) else None
        self._attr_extra_state_attributes = (
            {key: value for key, value in recent[0].items() if key != "created"} | {"recent": recent} if recent else {}
        )

    def _list_own(self) -> Iterator[tuple[float, dict[str, object]]]:
        """Yield the messages that the service does not list: the time of creation, in Unix seconds, and attributes."""
        for message in self._own.values():
            created = self._outbox.unix_time(message.created)
            yield (
                created,
                self._describe(
                    None, message.phone_number, message.text, message.status, datetime.fromtimestamp(int(created), UTC)
                ),
            )

    def _list_others(self) -> Iterator[tuple[float, dict[str, object]]]:
        """Yield the newest messages that the service lists. One without a time is sorted after the one before it."""
        order = inf
        for message in self.coordinator.data.messages[:_MAX_RECENT]:
            order = message.created.timestamp() if message.created else order
            yield (
                order,
                self._describe(message.id, message.phone_number, message.text, message.status_name, message.created),
            )

    def _describe(
        self, message_id: str | None, phone_number: str, text: str, status: str | None, created: datetime | None
    ) -> dict[str, object]:
        """Return a message as attributes."""
        recipient = find_recipient(self._entry, phone_number)
        return {
            "message_id": message_id,
            "phone_number": phone_number,
            "recipient": recipient.title if recipient else None,
            "message": text,
            "status": status,
            "created": created and created.isoformat(),
        }


def _is_held(message: OutgoingMessage) -> bool:
    """Return whether a part of a message was not accepted, unless the message is being sent for the first time."""
    return len(message.ids) < len(message.parts) and (message.is_waiting_for_retry or message.state.is_final)
