"""Saves what happened to messages, tells it, and takes note that it was told. In this order nothing is lost."""

import asyncio
from collections.abc import Callable
from datetime import datetime
import logging
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started

from .message import Occurrence, OutgoingMessage
from .store import OutboxStore, StorageError

_LOGGER = logging.getLogger(__name__)

# Seconds until a disk that did not take a write is tried again without a new reason.
_DISK_PAUSE: Final = 60

type Listener = Callable[[OutgoingMessage, Occurrence], None]


class Teller:
    """Tells listeners what happens to the messages of a store, each thing once.

    A process that is killed between telling and writing that down tells it again in its next run. Nothing else does.
    """

    def __init__(self, hass: HomeAssistant, store: OutboxStore) -> None:
        """Make the teller; it tells nothing before it is started."""
        self._hass = hass
        self._store = store
        self._listeners: list[Listener] = []
        self._changed = False
        self._may_tell = False
        self._task: asyncio.Task[None] | None = None
        self._retry: CALLBACK_TYPE | None = None
        self._unsubscribe: CALLBACK_TYPE = lambda: None

    @callback
    def async_listen(self, listener: Listener) -> CALLBACK_TYPE:
        """Call a listener for everything that happens; returns how to stop it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_start(self) -> None:
        """Tell what happens, and what was not told yet, once automations listen."""

        @callback
        def async_may_tell(_hass: HomeAssistant) -> None:
            self._may_tell = True
            if self._store.messages:
                self.async_wake()

        self._unsubscribe = async_at_started(self._hass, async_may_tell)

    @callback
    def async_hush(self) -> None:
        """Save what happens and tell nothing, until the next start."""
        self._unsubscribe()
        self._may_tell = False

    @callback
    def async_wake(self) -> None:
        """Save and tell soon: a message changed."""
        self._changed = True
        if self._task is None:
            self._task = self._hass.async_create_task(self._async_work(), "GoSMS.ru events", eager_start=False)

    async def async_close(self) -> None:
        """Save and tell the last changes."""
        self._unsubscribe()
        while self._task:
            await self._task
        self._cancel_retry()

    def _cancel_retry(self) -> None:
        """Do not try a disk again."""
        if self._retry:
            self._retry()
            self._retry = None

    async def _async_work(self) -> None:
        """Save and tell until nothing changes any more."""
        self._cancel_retry()
        on_disk = True
        while self._changed:
            # An attempt that begins at this moment writes for itself first, and what it writes is all there is.
            await asyncio.sleep(0)
            self._changed = False
            saved = dict(self._store.messages)
            try:
                await self._store.async_save()
            except StorageError:
                on_disk = False
            # Without a disk people are told all the same: it may be the only word of an alarm.
            if self._may_tell:
                self._tell(saved)
        self._task = None

        @callback
        def async_retry(_now: datetime) -> None:
            self._retry = None
            self.async_wake()

        if not on_disk:
            self._retry = async_call_later(self._hass, _DISK_PAUSE, async_retry)

    def _tell(self, saved: dict[str, OutgoingMessage]) -> None:
        """Tell what was saved and not told yet, and let go what has ended."""
        for key, message in saved.items():
            # What changed during the write is not on disk yet: it is told in the next round.
            if self._store.messages.get(key) is not message:
                continue
            for occurrence in message.untold:
                for listener in list(self._listeners):
                    try:
                        listener(message, occurrence)
                    except Exception:
                        _LOGGER.exception("Unexpected error while telling what happened to a message")
            if message.state.is_final:
                self._store.finish(message)
            elif message.untold:
                self._store.change(key, OutgoingMessage.tell)
