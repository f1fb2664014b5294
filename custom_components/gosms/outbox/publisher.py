"""Publishes events of messages once they are on disk, then archives finished messages. This order loses nothing."""

from collections.abc import Callable
from contextlib import suppress
from itertools import islice
import logging
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.start import async_at_started

from .message import OutgoingMessage
from .state import MessageEvent
from .storage import StorageError
from .store import MessageStore
from .worker import Worker

_LOGGER = logging.getLogger(__name__)

# Maximum messages whose events are published before other tasks get a turn, such as after a start with a full queue.
_MAX_AT_ONCE: Final = 20

type EventListener = Callable[[OutgoingMessage, MessageEvent], None]


class EventPublisher(Worker):
    """Publishes each event once.

    If the process is killed after publishing events and before storing that, the next run publishes them again: those
    of one transaction, which is usually one event. Nothing else is repeated.
    """

    def __init__(self, hass: HomeAssistant, store: MessageStore) -> None:
        """Initialize the publisher; it publishes nothing until it and Home Assistant have started."""
        super().__init__(hass, "GoSMS.ru publisher")
        self._store = store
        self._listeners: list[EventListener] = []
        self._is_paused = True
        self._unsubscribe: CALLBACK_TYPE = lambda: None

    @callback
    def async_add_listener(self, listener: EventListener) -> CALLBACK_TYPE:
        """Add a listener for every event, and return a function that removes it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_resume(self) -> None:
        """Publish pending and new events, once Home Assistant has started and automations listen."""

        @callback
        def async_report(_hass: HomeAssistant) -> None:
            self._is_paused = False
            self.async_wake()

        self._unsubscribe = async_at_started(self._hass, async_report)

    @callback
    def async_pause(self) -> None:
        """Publish nothing, since there are no listeners; new events are stored."""
        unsubscribe, self._unsubscribe = self._unsubscribe, lambda: None
        unsubscribe()
        self._is_paused = True

    @override
    async def async_close(self) -> None:
        """Publish what is on disk now, then stop."""
        await super().async_close()
        await self._async_report()

    @override
    async def _async_work(self, now: float) -> float | None:
        await self._async_report()
        return self._store.forget()

    async def _async_report(self) -> None:
        """Publish pending events that are on disk, and archive finished messages."""
        while self._store.unreported and not self._is_paused:
            for key in list(islice(self._store.unreported, _MAX_AT_ONCE)):
                self.publish(self._store.unreported.pop(key))
            # If the process is killed before this is on disk, the next run repeats only these.
            with suppress(StorageError):
                await self._store.async_save()

    def publish(self, message: OutgoingMessage) -> None:
        """Publish the events of a message as it is on disk, and record that."""
        current = self._store.messages[message.key]
        # Some may have been published while this state was being written.
        events = message.pending_events[current.reported_events - message.reported_events :]
        for event in events:
            for listener in list(self._listeners):
                try:
                    listener(message, event)
                except Exception:
                    _LOGGER.exception("Unexpected error while reporting an event")
        if events:
            current = self._store.update(message.key, lambda message: message.pop_events(len(events)))
        if current.state.is_final and not current.pending_events:
            self._store.archive(message.key)
