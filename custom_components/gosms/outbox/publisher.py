"""Saves what happened to messages, shows and tells it, and notes that it was told. In this order nothing is lost."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
import logging
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started

from .journal import StorageError
from .message import MessageEvent, OutgoingMessage, State
from .store import OutboxStore

_LOGGER = logging.getLogger(__name__)

# Seconds until a disk that did not take a write is tried again without a new reason.
_DISK_PAUSE: Final = 60

type EventListener = Callable[[OutgoingMessage, MessageEvent], None]
type MessageListener = Callable[[Collection[OutgoingMessage]], None]


class EventPublisher:
    """Saves what happens to the messages of a store, shows it, and tells each thing once.

    A process that is killed between telling and writing that down tells that one thing again in its next run. Nothing
    else does.
    """

    def __init__(self, hass: HomeAssistant, store: OutboxStore) -> None:
        """Make the teller; it tells nothing before it is started."""
        self._hass = hass
        self._store = store
        self._listeners: list[EventListener] = []
        self._watchers: list[MessageListener] = []
        self._changed: dict[str, OutgoingMessage] = {}
        # Keys of messages with something to tell, or that have to go, in their order.
        self._due: dict[str, None] = {}
        self._must_work = False
        self._may_tell = False
        self._task: asyncio.Task[None] | None = None
        self._retry: CALLBACK_TYPE | None = None
        self._unsubscribe: CALLBACK_TYPE = lambda: None

    @callback
    def async_add_event_listener(self, listener: EventListener) -> CALLBACK_TYPE:
        """SendRequest a listener for everything that happens; returns how to stop it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_add_message_listener(self, watcher: MessageListener) -> CALLBACK_TYPE:
        """SendRequest a watcher with messages that changed, once that is on disk; returns how to stop it."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    @callback
    def async_start(self) -> None:
        """Tell what happens, and what was not told yet, once automations listen."""

        @callback
        def async_may_tell(_hass: HomeAssistant) -> None:
            self._may_tell = True
            if self._due:
                self._wake()

        self._unsubscribe = async_at_started(self._hass, async_may_tell)

    @callback
    def async_pause_events(self) -> None:
        """Save what happens and tell nothing, until the next start; who watches sees the last of it, and goes."""
        self._stop_waiting()
        self._may_tell = False
        self._show()

    @callback
    def async_on_message_changed(self, message: OutgoingMessage) -> None:
        """Save, show and tell a change soon."""
        if message.key in self._store.messages and (message.pending_events or message.state.is_final):
            self._due[message.key] = None
        else:
            self._due.pop(message.key, None)
        self._changed[message.key] = message
        if message.pending_events or not _is_leaving(message):
            self._wake()

    def _wake(self) -> None:
        """Work soon."""
        self._must_work = True
        if self._task is None:
            self._task = self._hass.async_create_task(self._async_work(), "GoSMS.ru events", eager_start=False)

    async def async_close(self) -> None:
        """Save and tell the last changes."""
        self._stop_waiting()
        if self._retry:
            # The disk may have room again.
            self._wake()
        while self._task:
            await self._task
        self._cancel_retry()

    def _stop_waiting(self) -> None:
        """Do not wait for the end of the start any more."""
        unsubscribe, self._unsubscribe = self._unsubscribe, lambda: None
        unsubscribe()

    def _cancel_retry(self) -> None:
        """Do not try a disk again."""
        if self._retry:
            self._retry()
            self._retry = None

    async def _async_work(self) -> None:
        """Save, show and tell until nothing changes any more."""
        self._cancel_retry()
        on_disk = True
        while self._must_work:
            # An attempt that begins at this moment writes for itself first, and what it writes is all there is.
            await asyncio.sleep(0)
            self._must_work = False
            due = self._store.messages.get(next(iter(self._due), ""))
            try:
                await self._store.async_save()
            except StorageError:
                on_disk = False
            self._show()
            # Without a disk people are told all the same: it may be the only word of an alarm.
            if self._may_tell and due:
                self.publish(due)
        self._task = None

        @callback
        def async_retry(_now: datetime) -> None:
            self._retry = None
            self._wake()

        if not on_disk:
            self._retry = async_call_later(self._hass, _DISK_PAUSE, async_retry)

    def _show(self) -> None:
        """Show what changed until now."""
        changed, self._changed = self._changed, {}
        if changed:
            for watcher in list(self._watchers):
                with _guarded("showing messages that changed"):
                    watcher(changed.values())

    def publish(self, message: OutgoingMessage) -> None:
        """Tell the first of what happened to a message, if it is still as it was saved, and take note of that."""
        # What changed during the write is not on disk yet: it is told in the next round.
        if self._store.messages.get(message.key) is not message:
            return
        for occurrence in message.pending_events[:1]:
            for listener in list(self._listeners):
                with _guarded("telling what happened to a message"):
                    listener(message, occurrence)
        if message.state.is_final and len(message.pending_events) <= 1:
            self._store.archive(message)
        else:
            self._store.update(message.key, OutgoingMessage.pop_event)
        self._wake()


def _is_leaving(message: OutgoingMessage) -> bool:
    """Tell if a message is about to be sent: who does that saves it and changes it again, and nobody is shown it."""
    return message.state is State.SENDING or (message.state is State.QUEUED and not message.attempts)


@contextmanager
def _guarded(work: str) -> Iterator[None]:
    """Let no listener keep others from hearing, nor the outbox from its work."""
    try:
        yield
    except Exception:
        _LOGGER.exception("Unexpected error while %s", work)
