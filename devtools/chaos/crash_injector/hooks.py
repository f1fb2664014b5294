"""Wraps methods of `gosms` and of SQLite with hooks that kill the process if their crash point is armed."""

import asyncio
from collections.abc import Callable
import json
import os
from pathlib import Path
import random
import signal
import sqlite3
import threading
import time
from types import SimpleNamespace
from typing import Any, Final, override

from aiohttp import ClientResponse
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback

from custom_components.gosms.api import GoSmsClient
from custom_components.gosms.outbox import EventPublisher, Outbox, OutgoingMessage, SqliteStorage, State

from .crash_points import BOOT, EVENTS, FOLDER, FULL_DISK, CrashPoint

# Seconds that a kill is delayed, so that the service has accepted the request, and Home Assistant knows less than it.
_DELAY: Final = 0.1
# Seconds in which the system writes what a statement changes: the longest delay of a kill within it.
_STATEMENT: Final = 0.002
# Seconds until a clock that was wrong at the start is set.
_UNTIL_SET: Final = 1.5

type _Method = Callable[..., Any]


async def async_install(hass: HomeAssistant, folder: Path) -> None:
    """Wrap the methods, with files in the configuration folder."""
    hooks = Hooks(folder / FOLDER, folder / EVENTS)
    hass.bus.async_listen(EVENT_STATE_CHANGED, hooks.async_record_event)
    for owner, name, hook in (
        (sqlite3, "connect", hooks.connect),
        (SqliteStorage, "async_load", hooks.load),
        (SqliteStorage, "async_commit", hooks.commit),
        (GoSmsClient, "send", hooks.send),
        (ClientResponse, "start", hooks.start_response),
        (EventPublisher, "publish", hooks.publish),
        (Outbox, "async_start", hooks.start),
        (Outbox, "async_unload", hooks.unload),
    ):
        setattr(owner, name, hook(getattr(owner, name)))
    boot = json.loads(await hass.async_add_executor_job((folder / FOLDER / BOOT).read_text))
    _set_clock(hass, boot["clock_error"])
    Outbox.__init__ = _in_boot(Outbox.__init__, boot["boot_id"])  # type: ignore[method-assign]  # The product has no hook for it.


def _set_clock(hass: HomeAssistant, error: float) -> None:
    """Let the wall clock be wrong by so many seconds, until it is set as by a time server."""
    real = time.time
    time.time = lambda: real() + error
    hass.loop.call_later(_UNTIL_SET, setattr, time, "time", real)


def _in_boot(initialize: _Method, boot_id: str) -> _Method:
    """Wrap the making of an outbox: the machine was booted since the last run."""

    def wrapper(*arguments: object, **options: object) -> None:
        initialize(*arguments, **options, boot=SimpleNamespace(boot_id=boot_id, clock=time.monotonic))

    return wrapper


class Hooks:
    """The wrappers of the methods."""

    def __init__(self, folder: Path, events: Path) -> None:
        """Open the file of the events."""
        self._folder = folder
        # What was written to the system survives the process, so it need not be synchronized to the disk.
        self._events = os.open(events, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._keys_on_disk: set[str] = set()
        # A new run: how many of its events are stored as fired.
        self._write_line({"stored": 0})
        self._published_key: str | None = None
        self._recorded = 0

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
        self._write_line(recorded)
        self._recorded += 1

    def _write_line(self, line: dict[str, object]) -> None:
        """Write a line to the file of the events."""
        os.write(self._events, f"{json.dumps(line)}\n".encode())

    def connect(self, connect: _Method) -> _Method:
        """Wrap the opening of a database: the integration's gets statements that fail or kill."""
        hooks = self

        class Connection(sqlite3.Connection):
            """A connection on whose statements the process can be killed."""

            @override
            def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:  # Passed through.
                hooks.before_statement(sql)
                return super().execute(sql, *arguments)

        def wrapper(database: str | Path, *arguments: object, **options: object) -> sqlite3.Connection:
            if Path(database).name.startswith("gosms."):
                options["factory"] = Connection
            connection: sqlite3.Connection = connect(database, *arguments, **options)
            return connection

        return wrapper

    def before_statement(self, sql: str) -> None:
        """Kill the process at a statement, or let it fail; called in a thread."""
        match sql.split():
            case ["COMMIT", *_]:
                if (self._folder / FULL_DISK).exists():
                    raise sqlite3.OperationalError("database or disk is full")
                self._crash_within_if_armed(CrashPoint.WITHIN_COMMIT)
            case ["PRAGMA", pragma, *_] if pragma.startswith("wal_checkpoint"):
                self._crash_within_if_armed(CrashPoint.WITHIN_CHECKPOINT)
            case ["SELECT", *_]:
                self._crash_if_armed(CrashPoint.WITHIN_LOAD)

    def load(self, load: _Method) -> _Method:
        """Wrap the loading."""

        async def wrapper(storage: SqliteStorage, *arguments: object) -> object:
            contents = await load(storage, *arguments)
            self._keys_on_disk |= {record["key"] for record in contents.messages}
            return contents

        return wrapper

    def start(self, start: _Method) -> _Method:
        """Wrap the start of the outbox."""

        def wrapper(outbox: Outbox) -> None:
            start(outbox)
            self._crash_if_armed(CrashPoint.AFTER_START)

        return wrapper

    def unload(self, unload: _Method) -> _Method:
        """Wrap the end of the outbox in a reload."""

        async def wrapper(outbox: Outbox) -> None:
            await unload(outbox)
            self._crash_if_armed(CrashPoint.WITHIN_RELOAD)

        return wrapper

    def commit(self, commit: _Method) -> _Method:
        """Wrap a transaction."""

        async def wrapper(storage: SqliteStorage, changes: Any) -> None:  # noqa: ANN401  # Has no public name.
            messages: dict[str, OutgoingMessage] = {key: each for key, each in changes.messages.items() if each}
            if messages.keys() - self._keys_on_disk:
                self._crash_if_armed(CrashPoint.BEFORE_COMMIT)
            accepted = any(each.state is State.ACCEPTED and each.pending_events for each in messages.values())
            between_parts = any(0 < len(each.ids) < len(each.parts) for each in messages.values())
            for is_reached, point in (
                (accepted, CrashPoint.BEFORE_ACCEPTED_COMMIT),
                (between_parts, CrashPoint.BETWEEN_PARTS),
            ):
                if is_reached and self._is_armed(point):
                    await asyncio.sleep(_DELAY)
                    self._crash_if_armed(point)
            recorded = self._recorded
            await commit(storage, changes)
            self._write_line({"stored": recorded})
            self._keys_on_disk |= messages.keys()

        return wrapper

    def send(self, send: _Method) -> _Method:
        """Wrap the request to send."""

        async def wrapper(client: GoSmsClient, *arguments: object, **options: object) -> object:
            self._crash_if_armed(CrashPoint.AFTER_COMMIT)
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
            if message.pending_events:
                self._crash_if_armed(CrashPoint.BEFORE_EVENT)
            self._published_key = message.key
            try:
                publish(publisher, message)
            finally:
                self._published_key = None
            if message.pending_events:
                self._crash_if_armed(CrashPoint.AFTER_EVENT)

        return wrapper

    def _is_armed(self, point: CrashPoint) -> bool:
        """Return whether a crash point is armed."""
        return point.armed_file(self._folder).exists()

    def _disarm(self, point: CrashPoint) -> bool:
        """Report a crash point as hit if it is armed, and return whether it was."""
        try:
            point.armed_file(self._folder).rename(point.hit_file(self._folder))
        except FileNotFoundError:
            return False
        return True

    def _crash_if_armed(self, point: CrashPoint) -> None:
        """Kill the process, as a power failure does, if a crash point is armed."""
        if self._disarm(point):
            _crash()

    def _crash_within_if_armed(self, point: CrashPoint) -> None:
        """Kill the process within the statement that follows, if a crash point is armed."""
        if self._disarm(point):
            threading.Timer(random.uniform(0, _STATEMENT), _crash).start()


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
