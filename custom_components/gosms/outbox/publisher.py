"""Reports what happened to messages, once it is on disk, and archives what ended. In this order nothing is lost."""

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

# Messages that are reported before others of the event loop have their turn, such as after a start with a full queue.
_MAX_AT_ONCE: Final = 20

type EventListener = Callable[[OutgoingMessage, MessageEvent], None]


class EventPublisher(Worker):
    """Reports each event once.

    A process that is killed between reporting events and storing that reports these events again in its next run: those
    of one transaction, which is one event in most cases. Nothing else is repeated.
    """

    def __init__(self, hass: HomeAssistant, store: MessageStore) -> None:
        """Make the publisher; it reports nothing before it is started, and before Home Assistant has."""
        super().__init__(hass, "GoSMS.ru publisher")
        self._store = store
        self._listeners: list[EventListener] = []
        self._is_paused = True
        self._unsubscribe: CALLBACK_TYPE = lambda: None

    @callback
    def async_add_listener(self, listener: EventListener) -> CALLBACK_TYPE:
        """Call a listener with every event; returns how to stop it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_resume(self) -> None:
        """Report what happens, and what was not reported yet, once automations listen."""

        @callback
        def async_report(_hass: HomeAssistant) -> None:
            self._is_paused = False
            self.async_wake()

        self._unsubscribe = async_at_started(self._hass, async_report)

    @callback
    def async_pause(self) -> None:
        """Report nothing, since nobody is there to hear it; what happens meanwhile is stored."""
        unsubscribe, self._unsubscribe = self._unsubscribe, lambda: None
        unsubscribe()
        self._is_paused = True

    @override
    async def async_close(self) -> None:
        """Report what is on disk by now, and nothing more."""
        await super().async_close()
        await self._async_report()

    @override
    async def _async_work(self, now: float) -> float | None:
        await self._async_report()
        return self._store.forget()

    async def _async_report(self) -> None:
        """Report what is on disk and was not reported yet, and archive what ended."""
        while self._store.unreported and not self._is_paused:
            for key in list(islice(self._store.unreported, _MAX_AT_ONCE)):
                self.publish(self._store.unreported.pop(key))
            # A kill repeats these alone.
            with suppress(StorageError):
                await self._store.async_save()

    def publish(self, message: OutgoingMessage) -> None:
        """Report the events of a message as it is on disk, and note that."""
        current = self._store.messages[message.key]
        # Some may have been reported while this was written.
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
