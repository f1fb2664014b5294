"""Messages and history on disk: a private SQLite file for each account. Knows nothing of what they mean.

Nothing here runs in the event loop but the waiting. A commit is on disk when it returns, or it is not there at all.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
import os
from pathlib import Path
import sqlite3
from typing import Final, Protocol
import zlib

from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, json_loads_object

_VERSION: Final = 1

# Bytes from which on the log of the file is moved into it.
_MAX_LOG: Final = 1024 * 1024

# No shared memory (works on network file systems); a commit is synced; what is deleted is overwritten.
_SETUP: Final = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
PRAGMA wal_autocheckpoint = 0;
"""
_SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS message (key TEXT PRIMARY KEY, record BLOB NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS finished (
  key TEXT PRIMARY KEY, finished REAL NOT NULL, record BLOB NOT NULL, checksum INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS finished_by_time ON finished (finished);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, record BLOB NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS damaged (key TEXT, record BLOB);
PRAGMA user_version = {_VERSION};
"""

# What changes keeps its place, so that messages are read in the order in which they came.
_PUT_MESSAGE: Final = """
INSERT INTO message VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET record = excluded.record, checksum = excluded.checksum
"""
_PUT_META: Final = "INSERT OR REPLACE INTO meta VALUES (?, ?, ?)"
_PUT_FINISHED: Final = "INSERT OR REPLACE INTO finished VALUES (?, ?, ?, ?)"


class StorageError(Exception):
    """The disk did not take it, or does not give it back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What one transaction changes.

    Attributes:
        messages: records of messages by their keys, or None for those that are removed.
        finished: records of messages that ended, with the stored time of their end, by their keys.
        meta: other records by their names.
        forget_before: the stored time before which messages that ended are removed, or None.
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
        finished: records of messages that ended, oldest first.
        meta: other records by their names.
        damaged: how many records could not be read.
    """

    messages: list[JsonObjectType] = field(default_factory=list)
    finished: list[JsonObjectType] = field(default_factory=list)
    meta: dict[str, JsonObjectType] = field(default_factory=dict)
    damaged: int = 0


class Storage(Protocol):
    """Where an account keeps its messages."""

    async def async_load(self, finished_after: Callable[[Mapping[str, JsonObjectType]], float]) -> Contents:
        """Return what an earlier run stored.

        Args:
            finished_after: returns the stored time after which messages that ended are wanted, given the other records.

        Raises:
            StorageError: the disk does not give it back, or a newer version wrote it.
        """

    async def async_commit(self, changes: Changes) -> None:
        """Store changes, all of them or none.

        Raises:
            StorageError: they are not on disk.
        """

    async def async_close(self) -> None:
        """Close the file, with everything in it."""

    async def async_remove(self) -> None:
        """Remove the file, and whatever is beside it."""


class SqliteStorage:
    """A file in Home Assistant's storage."""

    def __init__(self, hass: HomeAssistant, name: str) -> None:
        """Make the storage; nothing is read or written yet."""
        self._hass = hass
        self._path = Path(hass.config.path(STORAGE_DIR, name))
        self._connection: sqlite3.Connection | None = None
        self._is_in_backup = False

    async def async_load(self, finished_after: Callable[[Mapping[str, JsonObjectType]], float]) -> Contents:
        """Return what an earlier run stored; see the protocol."""
        return await self._async_run(lambda: self._load(finished_after))

    async def async_commit(self, changes: Changes) -> None:
        """Store changes; see the protocol."""
        await self._async_run(lambda: self._commit(changes))

    async def async_close(self) -> None:
        """Close the file."""
        await self._async_run(self._close)

    async def async_remove(self) -> None:
        """Remove the file, and whatever is beside it."""
        await self._async_run(self._remove)

    async def async_begin_backup(self) -> None:
        """Let a copy of the files be consistent until `async_end_backup`: the main file stands still till then.

        Raises:
            StorageError: the disk did not take what is not in the main file yet.
        """
        await self._async_run(lambda: self._checkpoint(self._open()))
        self._is_in_backup = True

    def async_end_backup(self) -> None:
        """Let the main file change again."""
        self._is_in_backup = False

    async def _async_run[T](self, work: Callable[[], T]) -> T:
        """Do something with the file in a thread."""
        try:
            return await self._hass.async_add_executor_job(work)
        except (OSError, sqlite3.Error) as err:
            raise StorageError(type(err).__name__) from err

    def _open(self) -> sqlite3.Connection:
        """Return the connection to the file, which is made if it is not there."""
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite gives its other files the same permissions as this one.
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            # A damaged key must not make the whole table unreadable.
            connection.text_factory = lambda raw: raw.decode(errors="replace")
            try:
                connection.executescript(_SETUP)
                if connection.execute("PRAGMA user_version").fetchone()[0] > _VERSION:
                    raise StorageError("a newer version wrote it")
                connection.executescript(_SCHEMA)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _load(self, finished_after: Callable[[Mapping[str, JsonObjectType]], float]) -> Contents:
        """Read the file. One that can't be read is set aside, and so are records that can't."""
        self._remove_leftovers()
        try:
            return self._read(self._open(), finished_after)
        except sqlite3.DatabaseError as err:
            if isinstance(err, sqlite3.OperationalError):
                # The disk does not give it back: nothing is said about what it holds.
                raise
            self._set_aside()
            contents = self._read(self._open(), finished_after)
            contents.damaged += 1
            return contents

    def _read(
        self, connection: sqlite3.Connection, finished_after: Callable[[Mapping[str, JsonObjectType]], float]
    ) -> Contents:
        """Read the tables."""
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("damaged")
        contents = Contents()
        with suppress(sqlite3.Error):
            connection.execute("DELETE FROM damaged")
        damaged: list[tuple[str, int]] = []
        for table, query in (
            ("meta", "SELECT rowid, key, record, checksum FROM meta"),
            ("message", "SELECT rowid, key, record, checksum FROM message ORDER BY rowid"),
            ("finished", "SELECT rowid, key, record, checksum FROM finished WHERE finished >= ? ORDER BY finished"),
        ):
            arguments = (finished_after(contents.meta),) if table == "finished" else ()
            for rowid, key, raw, checksum in connection.execute(query, arguments):
                record = _parse(key, raw, checksum)
                if record is None:
                    damaged.append((table, rowid))
                elif table == "meta":
                    contents.meta[key] = record
                else:
                    (contents.messages if table == "message" else contents.finished).append(record)
        contents.damaged = len(damaged)
        # Where there is no room for that now, there will be at a later start.
        with suppress(sqlite3.Error):
            for table, rowid in damaged:
                _move_aside(connection, table, rowid)
        return contents

    def _commit(self, changes: Changes) -> None:
        """Write changes in one transaction."""
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(_PUT_MESSAGE, _rows(changes.messages))
            connection.executemany(_PUT_META, _rows(changes.meta))
            connection.executemany(_PUT_FINISHED, _finished_rows(changes.finished))
            gone = [(key,) for key, record in changes.messages.items() if record is None]
            connection.executemany("DELETE FROM message WHERE key = ?", gone)
            if changes.forget_before is not None:
                connection.execute("DELETE FROM finished WHERE finished < ?", (changes.forget_before,))
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        self._tidy_up(connection)

    def _tidy_up(self, connection: sqlite3.Connection) -> None:
        """Leave nothing of a person in the log of the file once no message is on its way, nor let it grow without end."""
        if self._is_in_backup:
            return
        is_idle = connection.execute("SELECT 1 FROM message LIMIT 1").fetchone() is None
        log = self._path.with_name(f"{self._path.name}-wal")
        if is_idle or log.stat().st_size > _MAX_LOG:
            # What was committed is on disk in any case.
            with suppress(sqlite3.Error, OSError):
                self._checkpoint(connection)

    def _checkpoint(self, connection: sqlite3.Connection) -> None:
        """Move everything into the main file."""
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _close(self) -> None:
        """Close the file; the last connection moves everything into the main file."""
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _set_aside(self) -> None:
        """Keep a file that can't be read, until the next start, and make room for a new one."""
        self._close()
        self._path.with_name(f"{self._path.name}-wal").unlink(missing_ok=True)
        self._path.rename(self._path.with_name(f"{self._path.name}.damaged.{dt_util.utcnow():%Y%m%d%H%M%S}"))

    def _remove_leftovers(self) -> None:
        """Remove what an earlier run set aside."""
        for path in self._path.parent.glob(f"{self._path.name}.damaged.*"):
            path.unlink(missing_ok=True)

    def _remove(self) -> None:
        """Remove the files."""
        self._close()
        self._remove_leftovers()
        for suffix in ("", "-wal", "-journal", "-shm"):
            self._path.with_name(f"{self._path.name}{suffix}").unlink(missing_ok=True)


def _move_aside(connection: sqlite3.Connection, table: str, rowid: int) -> None:
    """Keep a damaged record, until the next start, where nobody reads it."""
    connection.execute(
        f"INSERT INTO damaged SELECT key, record FROM {table} WHERE rowid = ?",  # noqa: S608  # One of three names.
        (rowid,),
    )
    connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))  # noqa: S608  # Likewise.


def _rows(records: Mapping[str, object | None]) -> Iterator[tuple[str, bytes, int]]:
    """Yield records as rows."""
    for key, record in records.items():
        if record is not None:
            raw = json_bytes(record)
            yield key, raw, _checksum(key, raw)


def _finished_rows(records: Mapping[str, tuple[float, object]]) -> Iterator[tuple[str, float, bytes, int]]:
    """Yield records of messages that ended as rows."""
    for key, (finished, record) in records.items():
        raw = json_bytes(record)
        yield key, finished, raw, _checksum(key, raw)


def _checksum(key: str, raw: bytes) -> int:
    """Return the checksum of a record and its key."""
    return zlib.crc32(raw, zlib.crc32(key.encode()))


def _parse(key: object, raw: object, checksum: object) -> JsonObjectType | None:
    """Return what a row holds, or None if it is damaged."""
    if not isinstance(key, str) or not isinstance(raw, bytes) or _checksum(key, raw) != checksum:
        return None
    try:
        return json_loads_object(raw)
    except ValueError:
        return None
