"""The wires that are laid through the classes of `gosms`: each looks whether its moment is armed."""

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
from custom_components.gosms.event import GoSmsEventEntity
from custom_components.gosms.outbox import Occurrence, Outbox, OutboxStore, OutgoingMessage, State, journal
from custom_components.gosms.outbox.teller import Teller

from .points import EVENTS, FOLDER, Point

# Seconds. As long as this the kill waits for the other side: for the service to take the request, or for the caller
# to get the answer, so that the house knows less than they do.
_HEAD_START: Final = 0.1

type _Method = Callable[..., Any]


def lay(hass: HomeAssistant, folder: Path) -> None:
    """Wire the classes up, in the house of this folder."""
    wires = Wires(folder / FOLDER, folder / EVENTS)
    hass.bus.async_listen(EVENT_STATE_CHANGED, wires.async_note)
    for owner, name, wire in (
        (OutboxStore, "async_load", wires.load),
        (OutboxStore, "_async_write", wires.write),
        (OutboxStore, "_async_write_ledger", wires.write_ledger),
        (journal, "_append", wires.append),
        (GoSmsClient, "send", wires.send),
        (ClientResponse, "start", wires.start_response),
        (Teller, "_tell", wires.tell),
        (Outbox, "async_start", wires.start),
        (GoSmsEventEntity, "_async_tell", wires.tell_entity),
    ):
        setattr(owner, name, wire(getattr(owner, name)))


class Wires:
    """What is wrapped around the methods, and the files."""

    def __init__(self, folder: Path, events: Path) -> None:
        """Open the file of the events."""
        self._folder = folder
        # What was given to the system survives the process, so there is no need to wait for the disk.
        self._events = os.open(events, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._on_disk: set[str] = set()
        self._telling: str | None = None

    @callback
    def async_note(self, event: Event[EventStateChangedData]) -> None:
        """Write down what an event entity tells everybody; a state that is restored tells nothing."""
        state = event.data["new_state"]
        if self._telling is None or state is None:
            return
        told = {
            "key": self._telling,
            "entity_id": state.entity_id,
            "type": state.attributes["event_type"],
            "ids": state.attributes["message_ids"],
            "phone_number": state.attributes["phone_number"],
            "text": state.attributes["message"],
        }
        os.write(self._events, f"{json.dumps(told)}\n".encode())

    def load(self, load: _Method) -> _Method:
        """Wire the reading of the files."""

        async def wired(store: OutboxStore) -> None:
            await load(store)
            self._on_disk |= store.messages.keys()
            self._strike(Point.LOADING)

        return wired

    def start(self, start: _Method) -> _Method:
        """Wire the begin of the work."""

        def wired(outbox: Outbox) -> None:
            start(outbox)
            self._strike(Point.STARTING)

        return wired

    def write(self, write: _Method) -> _Method:
        """Wire the writing of the files."""

        async def wired(store: OutboxStore) -> None:
            keys = set(store.messages)
            if keys - self._on_disk:
                self._strike(Point.BEFORE_WRITE)
            accepted = any(message.state is State.ACCEPTED and message.untold for message in store.messages.values())
            between = any(0 < len(message.ids) < len(message.parts) for message in store.messages.values())
            for moment, point in ((accepted, Point.BEFORE_SAVING), (between, Point.BETWEEN_PARTS)):
                if moment and self._is_armed(point):
                    await asyncio.sleep(_HEAD_START)
                    self._strike(point)
            await write(store)
            self._on_disk = keys

        return wired

    def write_ledger(self, write: _Method) -> _Method:
        """Wire the writing of the first of the two files."""

        async def wired(store: OutboxStore, *arguments: object) -> None:
            await write(store, *arguments)
            self._strike(Point.BETWEEN_FILES)

        return wired

    def append(self, append: _Method) -> _Method:
        """Wire the writing of a line; it happens in a thread."""

        def wired(path: Path, end: int, line: bytes) -> None:
            if self._is_armed(Point.WITHIN_WRITE):
                append(path, end, line[: len(line) // 2])
                self._strike(Point.WITHIN_WRITE)
            append(path, end, line)

        return wired

    def send(self, send: _Method) -> _Method:
        """Wire the request's making."""

        async def wired(client: GoSmsClient, *arguments: object, **options: object) -> object:
            self._strike(Point.AFTER_WRITE)
            return await send(client, *arguments, **options)

        return wired

    def start_response(self, start: _Method) -> _Method:
        """Wire the reading of an answer, which begins when the request has left."""

        async def wired(response: ClientResponse, connection: object) -> object:
            if response.url.path.endswith("/sms/send") and self._is_armed(Point.AFTER_REQUEST):
                await asyncio.sleep(_HEAD_START)
                self._strike(Point.AFTER_REQUEST)
            return await start(response, connection)

        return wired

    def tell(self, tell: _Method) -> _Method:
        """Wire the telling of what was saved."""

        def wired(teller: Teller, message: OutgoingMessage) -> None:
            self._strike(Point.BEFORE_TELLING)
            tell(teller, message)
            self._strike(Point.AFTER_TELLING)

        return wired

    def tell_entity(self, tell: _Method) -> _Method:
        """Wire the event entities, for the key of the message: no attribute shows it."""

        def wired(entity: GoSmsEventEntity, message: OutgoingMessage, occurrence: Occurrence) -> None:
            self._telling = message.key
            try:
                tell(entity, message, occurrence)
            finally:
                self._telling = None

        return wired

    def _is_armed(self, point: Point) -> bool:
        """Tell if a kill was asked for."""
        return point.armed(self._folder).exists()

    def _strike(self, point: Point) -> None:
        """End the process as a power cut does, if that was asked for."""
        try:
            point.armed(self._folder).rename(point.struck(self._folder))
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
