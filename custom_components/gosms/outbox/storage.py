"""Storage for messages and history: one private SQLite file for each account. Does not interpret the records.

All file access happens in a thread. When a commit returns, it is on disk completely; if it fails, nothing is.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
import shutil
import sqlite3
from threading import Lock
from time import monotonic
from typing import Final, Protocol, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.json import JsonObjectType, json_loads_object

from . import database

# Returns the stored time from which on finished messages are loaded, given the meta records. Called in a thread.
type FinishedAfter = Callable[[Mapping[str, JsonObjectType]], float]

# In bytes: a larger write-ahead log (the file -wal) is moved into the main file.
_MAX_LOG_SIZE: Final = 1024 * 1024

# In seconds: if the end of a backup is never announced, the log must not grow forever.
_MAX_BACKUP_TIME: Final = 6 * 3600

# The time of the monotonic clock until which a backup may be reading the files. It applies to all accounts, including
# one that is reloaded during the backup.
_BACKUP_DEADLINE: HassKey[float] = HassKey("gosms_backup_deadline")


class StorageError(Exception):
    """The disk could not store the changes, or could not return what is stored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """The changes of one transaction.

    Attributes:
        messages: records of messages by their keys, or None for those to remove.
        finished: records of finished messages by their keys, each with the stored time at which it finished.
        meta: other records by their names.
        forget_before: finished messages with an earlier stored time are removed; None to keep all.
    """

    messages: Mapping[str, object | None] = field(default_factory=dict)
    finished: Mapping[str, tuple[float, object]] = field(default_factory=dict)
    meta: Mapping[str, object] = field(default_factory=dict)
    forget_before: float | None = None


@dataclass(kw_only=True, slots=True)
class Contents:
    """What an earlier run stored.

    Attributes:
        messages: records of messages, oldest first.
        finished: records of finished messages, oldest first.
        meta: other records by their names.
        damaged: how many records could not be read; at least 1 if the file was damaged, since it may have held more.
    """

    messages: list[JsonObjectType] = field(default_factory=list)
    finished: list[JsonObjectType] = field(default_factory=list)
    meta: dict[str, JsonObjectType] = field(default_factory=dict)
    damaged: int = 0


class Storage(Protocol):
    """Where an account keeps its messages. The coroutines raise StorageError if the disk fails."""

    async def async_load(self, finished_after: FinishedAfter) -> Contents:
        """Return what an earlier run stored. Also raises StorageError if a newer version wrote it."""

    async def async_commit(self, changes: Changes) -> None:
        """Store all of the changes, or none of them."""

    async def async_close(self) -> None:
        """Close the file permanently; later commits fail."""

    async def async_remove(self) -> None:
        """Close and remove the file, and all files that belong to it."""

    async def async_begin_backup(self) -> None:
        """Keep copies of the file consistent until `async_end_backup`. A failing disk is not an error here."""

    @callback
    def async_end_backup(self) -> None:
        """Allow the file to change again."""


class SqliteStorage(Storage):
    """A file in Home Assistant's storage folder, created by the first commit."""

    def __init__(self, hass: HomeAssistant, name: str) -> None:
        """Initialize the storage; nothing is read or written yet."""
        self._hass = hass
        self._path = Path(hass.config.path(STORAGE_DIR, name))
        self._log = self._path.with_name(f"{name}-wal")
        self._new = self._path.with_name(f"{name}.new")
        self._connection: sqlite3.Connection | None = None
        # The records rescued from a damaged file, as long as there is no space to store them.
        self._rescued: sqlite3.Connection | None = None
        self._is_closed = False
        # A thread continues if its caller is canceled, so an asyncio.Lock is not enough.
        self._lock = Lock()

    @override
    async def async_load(self, finished_after: FinishedAfter) -> Contents:
        return await self._async_run(lambda: self._load(finished_after))

    @override
    async def async_commit(self, changes: Changes) -> None:
        await self._async_run(lambda: self._commit(changes))

    @override
    async def async_close(self) -> None:
        await self._async_run(self._close)

    @override
    async def async_remove(self) -> None:
        await self._async_run(self._remove)

    @override
    async def async_begin_backup(self) -> None:
        # The main file does not change, so that copies of it and of the growing log are consistent. They are consistent
        # without the checkpoint too, which only shortens the log.
        self._hass.data[_BACKUP_DEADLINE] = monotonic() + _MAX_BACKUP_TIME
        await self._async_run(self._checkpoint)

    @callback
    @override
    def async_end_backup(self) -> None:
        self._hass.data.pop(_BACKUP_DEADLINE, None)
        self._hass.async_create_task(self._async_run(self._tidy_up), "GoSMS.ru storage after a backup")

    async def _async_run[T](self, work: Callable[[], T]) -> T:
        """Do work with the file in a thread, one piece at a time."""

        def work_alone() -> T:
            with self._lock:
                return work()

        try:
            return await self._hass.async_add_executor_job(work_alone)
        except (OSError, sqlite3.Error, database.DamagedError, database.NewerVersionError) as err:
            raise StorageError(type(err).__name__) from err

    def _load(self, finished_after: FinishedAfter) -> Contents:
        """Read the file. A damaged file is set aside and replaced by one with the records that can be read."""
        self._remove_set_aside()
        try:
            if self._path.stat().st_size == 0:
                # A file is never empty at first; this one may have held messages.
                return Contents(damaged=1)
        except FileNotFoundError:
            return Contents()
        try:
            contents = _read(self._open(), finished_after)
        except database.DamagedError:
            self._set_aside()
            self._rescued, damaged = database.rescue(self._path)
            contents = _read(self._rescued, finished_after)
            contents.damaged = damaged
            # If there is no space for it now, the next commit tries again.
            with suppress(OSError, sqlite3.Error):
                self._open()
        # A run that was killed may have left an unfinished commit at the end of the log.
        if not self._is_in_backup:
            self._checkpoint()
        return contents

    def _commit(self, changes: Changes) -> None:
        """Write the changes in one transaction."""
        connection = self._open()
        with database.transaction(connection, self._log) as size:
            _write(connection, changes)
        # Otherwise the log is short, and contains no text that must be deleted.
        if size > _MAX_LOG_SIZE or None in changes.messages.values() or changes.forget_before is not None:
            self._tidy_up()

    def _tidy_up(self) -> None:
        """Keep the log short, and empty it when no message is in transit, so that no texts and numbers remain in it."""
        if self._connection is None or self._is_in_backup:
            return
        # The changes are on disk, whatever fails here.
        with suppress(OSError, sqlite3.Error):
            if database.is_empty(self._connection, "message") or self._log.stat().st_size > _MAX_LOG_SIZE:
                self._checkpoint()

    def _checkpoint(self) -> None:
        """Move the log into the main file as far as the disk allows."""
        if self._connection:
            database.checkpoint(self._connection)

    @property
    def _is_in_backup(self) -> bool:
        """Return whether a backup may be reading the file."""
        return monotonic() < self._hass.data.get(_BACKUP_DEADLINE, 0)

    def _open(self) -> sqlite3.Connection:
        """Return the connection to the file; open it first if there is none."""
        if self._is_closed:
            raise StorageError("closed")
        if self._rescued:
            database.replace(self._path, self._rescued)
            self._rescued.close()
            self._rescued = None
        if self._connection is None:
            try:
                self._path.stat()
            except FileNotFoundError:
                self._create()
            self._connection = database.connect(self._path)
        return self._connection

    def _create(self) -> None:
        """Create the file, complete from the first moment, even if the process is killed: an empty file is damage."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # A log of another file would be read as the log of this one.
        self._remove_files()
        # SQLite gives the log the permissions of the main file.
        self._new.touch(0o600)
        database.create(self._new)
        self._new.replace(self._path)

    def _close(self) -> None:
        """Close the file, and move the log into it unless a backup may be reading both."""
        self._is_closed = True
        if self._connection:
            database.close(self._connection, checkpoint=not self._is_in_backup)
            self._connection = None
        if self._rescued:
            self._rescued.close()
            self._rescued = None

    def _set_aside(self) -> None:
        """Keep a copy of a damaged file until the next start, if there is space for it."""
        copy = self._path.with_name(f"{self._path.name}.damaged.{dt_util.utcnow():%Y%m%d%H%M%S}")
        try:
            copy.touch(0o600)
            shutil.copyfile(self._path, copy)
        except OSError:
            copy.unlink(missing_ok=True)

    def _remove_set_aside(self) -> None:
        """Remove the copies of damaged files."""
        for copy in self._path.parent.glob(f"{self._path.name}.damaged.*"):
            copy.unlink(missing_ok=True)

    def _remove(self) -> None:
        """Remove the files of the account."""
        self._close()
        self._remove_set_aside()
        self._remove_files()

    def _remove_files(self) -> None:
        """Remove the file, and what belongs to it."""
        for path in (self._path, self._log, self._path.with_name(f"{self._path.name}-journal"), self._new):
            path.unlink(missing_ok=True)


def _read(connection: sqlite3.Connection, finished_after: FinishedAfter) -> Contents:
    """Return the records in the file."""
    meta = {key: json_loads_object(record) for key, record in database.records(connection, "meta")}
    return Contents(
        meta=meta,
        messages=[json_loads_object(record) for _, record in database.records(connection, "message")],
        finished=[
            json_loads_object(record) for _, record in database.records(connection, "finished", finished_after(meta))
        ],
    )


def _write(connection: sqlite3.Connection, changes: Changes) -> None:
    """Write the changes."""
    messages = {key: record for key, record in changes.messages.items() if record is not None}
    database.put(connection, "message", ((key, 0.0, json_bytes(record)) for key, record in messages.items()))
    database.put(connection, "meta", ((key, 0.0, json_bytes(record)) for key, record in changes.meta.items()))
    database.put(
        connection,
        "finished",
        # Must equal the float that is read back: not an integer, and not -0.0.
        ((key, float(time) + 0.0, json_bytes(record)) for key, (time, record) in changes.finished.items()),
    )
    database.remove(connection, "message", changes.messages.keys() - messages.keys())
    if changes.forget_before is not None:
        database.remove_before(connection, "finished", changes.forget_before)
