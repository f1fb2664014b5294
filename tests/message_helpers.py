"""What tests of messages share: events, messages on the server, a full disk, and time that passes in steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
import pytest

from custom_components.gosms.outbox import SqliteStorage
from custom_components.gosms.outbox.storage import StorageError
from tests.common import SimulatedService, advance_time

ACCOUNT_EVENTS: Final = "event.gosms_ru_message"


class RecordedEvents:
    """The events of an event entity, in order."""

    def __init__(self, hass: HomeAssistant, entity_id: str) -> None:
        self.attributes: list[dict[str, Any]] = []
        self._entity_id = entity_id
        hass.bus.async_listen("state_changed", self._record)

    @property
    def types(self) -> list[str]:
        """The types of the events."""
        return [attributes["event_type"] for attributes in self.attributes]

    @callback
    def _record(self, event: Event[EventStateChangedData]) -> None:
        before, state = event.data["old_state"], event.data["new_state"]
        # An entity that comes back shows its last event again; that tells nothing.
        came_back = before is None or before.state == STATE_UNAVAILABLE
        if event.data["entity_id"] == self._entity_id and state and state.state != STATE_UNAVAILABLE and not came_back:
            self.attributes.append(dict(state.attributes))


@pytest.fixture
def recorded(hass: HomeAssistant) -> RecordedEvents:
    """The events of the account's event entity."""
    return RecordedEvents(hass, ACCOUNT_EVENTS)


@contextmanager
def full_disk() -> Iterator[None]:
    """Let every commit fail."""
    with patch.object(SqliteStorage, "async_commit", side_effect=StorageError("OperationalError")):
        yield


def texts(service: SimulatedService) -> list[str]:
    """Return the texts on the server, oldest first."""
    return [message.message for message in reversed(service.account.messages)]


def sent_messages(service: SimulatedService) -> list[tuple[str, str]]:
    """Return the numbers and texts on the server, oldest first."""
    return [(message.phone_number, message.message) for message in reversed(service.account.messages)]


async def advance_time_in_steps(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float, step: float = 5
) -> None:
    """Advance the time in steps that are shorter than any timer."""
    for _ in range(int(seconds / step)):
        await advance_time(hass, freezer, step)
