"""Wraps methods of `gosms` with hooks that kill the process if their crash point is armed."""

import asyncio
from collections.abc import Callable
import json
import os
from pathlib import Path
import signal
from typing import Any, Final

from aiohttp import ClientResponse
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback

from custom_components.gosms.api import GoSmsClient
from custom_components.gosms.outbox import EventPublisher, Outbox, OutboxStore, OutgoingMessage, State, journal

from .crash_points import EVENTS, FOLDER, CrashPoint

# Seconds that a kill is delayed, so that the service has accepted the request or the caller has got the response, and
# Home Assistant knows less than they do.
_DELAY: Final = 0.1

type _Method = Callable[..., Any]


def install(hass: HomeAssistant, folder: Path) -> None:
    """Wrap the methods, with files in the configuration folder."""
    hooks = Hooks(folder / FOLDER, folder / EVENTS)
    hass.bus.async_listen(EVENT_STATE_CHANGED, hooks.async_record_event)
    for owner, name, hook in (
        (OutboxStore, "async_load", hooks.load),
        (OutboxStore, "async_write", hooks.write),
        (OutboxStore, "async_write_history", hooks.write_history),
        (journal, "append", hooks.append),
        (GoSmsClient, "send", hooks.send),
        (ClientResponse, "start", hooks.start_response),
        (EventPublisher, "publish", hooks.publish),
        (Outbox, "async_start", hooks.start),
    ):
        setattr(owner, name, hook(getattr(owner, name)))


class Hooks:
    """The wrappers of the methods."""

    def __init__(self, folder: Path, events: Path) -> None:
        """Open the file of the events."""
        self._folder = folder
        # What was written to the system survives the process, so it need not be synchronized to the disk.
        self._events = os.open(events, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._keys_on_disk: set[str] = set()
        self._published_key: str | None = None

    @callback
    def async_record_event(self, event: Event[EventStateChangedData]) -> None:
        """Record an event of an event entity, but not a restored state."""
        state = event.data["new_state"]
        if self._published_key is None or state is None:
            return
        recorded = {
            "key": self._published_key,
            "entity_id": state.entity_id,
            "type": state.attributes["event_type"],
            "ids": state.attributes["message_ids"],
            "phone_number": state.attributes["phone_number"],
            "text": state.attributes["message"],
        }
        os.write(self._events, f"{json.dumps(recorded)}\n".encode())

    def load(self, load: _Method) -> _Method:
        """Wrap the loading of the files."""

        async def wrapper(store: OutboxStore) -> None:
            await load(store)
            self._keys_on_disk |= store.messages.keys()
            self._crash_if_armed(CrashPoint.AFTER_LOAD)

        return wrapper

    def start(self, start: _Method) -> _Method:
        """Wrap the start of the outbox."""

        def wrapper(outbox: Outbox) -> None:
            start(outbox)
            self._crash_if_armed(CrashPoint.AFTER_START)

        return wrapper

    def write(self, write: _Method) -> _Method:
        """Wrap the writing of the files."""

        async def wrapper(store: OutboxStore) -> None:
            keys = set(store.messages)
            if keys - self._keys_on_disk:
                self._crash_if_armed(CrashPoint.BEFORE_WRITE)
            accepted = any(
                message.state is State.ACCEPTED and message.pending_events for message in store.messages.values()
            )
            between_parts = any(0 < len(message.ids) < len(message.parts) for message in store.messages.values())
            for is_reached, point in (
                (accepted, CrashPoint.BEFORE_ACCEPTED_WRITE),
                (between_parts, CrashPoint.BETWEEN_PARTS),
            ):
                if is_reached and self._is_armed(point):
                    await asyncio.sleep(_DELAY)
                    self._crash_if_armed(point)
            await write(store)
            self._keys_on_disk = keys

        return wrapper

    def write_history(self, write: _Method) -> _Method:
        """Wrap the writing of the history, which is the first of the two files."""

        async def wrapper(store: OutboxStore, *arguments: object) -> None:
            await write(store, *arguments)
            self._crash_if_armed(CrashPoint.BETWEEN_FILES)

        return wrapper

    def append(self, append: _Method) -> _Method:
        """Wrap the writing of a line, which happens in a thread."""

        def wrapper(path: Path, end: int, line: bytes) -> None:
            if self._is_armed(CrashPoint.DURING_WRITE):
                append(path, end, line[: len(line) // 2])
                self._crash_if_armed(CrashPoint.DURING_WRITE)
            append(path, end, line)

        return wrapper

    def send(self, send: _Method) -> _Method:
        """Wrap the request to send."""

        async def wrapper(client: GoSmsClient, *arguments: object, **options: object) -> object:
            self._crash_if_armed(CrashPoint.AFTER_WRITE)
            return await send(client, *arguments, **options)

        return wrapper

    def start_response(self, start: _Method) -> _Method:
        """Wrap the reading of a response, which starts when the request was sent."""

        async def wrapper(response: ClientResponse, connection: object) -> object:
            if response.url.path.endswith("/sms/send") and self._is_armed(CrashPoint.AFTER_REQUEST):
                await asyncio.sleep(_DELAY)
                self._crash_if_armed(CrashPoint.AFTER_REQUEST)
            return await start(response, connection)

        return wrapper

    def publish(self, publish: _Method) -> _Method:
        """Wrap the publishing of saved events, also to know the key of their message, which no attribute shows."""

        def wrapper(publisher: EventPublisher, message: OutgoingMessage) -> None:
            self._crash_if_armed(CrashPoint.BEFORE_EVENT)
            self._published_key = message.key
            try:
                publish(publisher, message)
            finally:
                self._published_key = None
            self._crash_if_armed(CrashPoint.AFTER_EVENT)

        return wrapper

    def _is_armed(self, point: CrashPoint) -> bool:
        """Return whether a crash point is armed."""
        return point.armed_file(self._folder).exists()

    def _crash_if_armed(self, point: CrashPoint) -> None:
        """Kill the process, as a power failure does, if a crash point is armed."""
        try:
            point.armed_file(self._folder).rename(point.hit_file(self._folder))
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
