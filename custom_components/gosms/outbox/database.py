"""A SQLite database of records with checksums: open, verify, read, write and rescue. All functions block."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
import os
from pathlib import Path
import sqlite3
from typing import Final
import zlib

# The key of a record, its time (0 if it needs none), and the record itself.
type Row = tuple[str, float, bytes]

# Versions are numbers with an odd number of bits set (the next ones are 2, 4 and 7), so that a single flipped bit can't
# turn one version into another.
_VERSION: Final = 1

_PAGE_SIZE: Final = 4096

# No shared memory, so that network file systems work; each commit is synced; deleted content is overwritten.
_SETUP: Final = f"""
PRAGMA page_size = {_PAGE_SIZE};
PRAGMA auto_vacuum = NONE;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
PRAGMA wal_autocheckpoint = 0;
"""
_TABLES: Final = ("meta", "message", "finished")
_COLUMNS: Final = "key TEXT PRIMARY KEY, time REAL NOT NULL, record BLOB NOT NULL, checksum INTEGER NOT NULL"
_SCHEMA: Final = f"""
BEGIN;
{"".join(f"CREATE TABLE {table} ({_COLUMNS});" for table in _TABLES)}
CREATE INDEX finished_by_time ON finished (time);
PRAGMA user_version = {_VERSION};
COMMIT;
"""
# An update keeps the row, so that messages are read in the order in which they were added.
_PUT: Final = """
INSERT INTO {} VALUES (?, ?, ?, ?) ON CONFLICT (key)
DO UPDATE SET time = excluded.time, record = excluded.record, checksum = excluded.checksum
"""
_SCAN: Final = "SELECT rowid, key, time, record, checksum FROM {} ORDER BY rowid {}"
_SELECT: Final = "SELECT key, record FROM {} WHERE time >= ? ORDER BY time, rowid"
_DELETE: Final = "DELETE FROM {} WHERE key = ?"
_DELETE_BEFORE: Final = "DELETE FROM {} WHERE time < ?"
_FIRST: Final = "SELECT 1 FROM {} LIMIT 1"

# Errors that indicate damaged content, not a failing disk. After a flipped bit in the first page, SQLite may also treat
# the file as read-only, or as one of a newer SQLite.
_DAMAGE: Final = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY}
)


class DamagedError(Exception):
    """The file is damaged, or was never a database of this kind."""


class NewerVersionError(Exception):
    """A newer version wrote the file."""


def create(path: Path) -> None:
    """Write a new database without records to a file; it is complete when this returns."""
    with path.open("wb") as file:
        file.write(_blank_content())
        file.flush()
        os.fsync(file.fileno())


def connect(path: Path) -> sqlite3.Connection:
    """Open a file and verify everything in it; an empty file becomes a new database.

    Raises:
        DamagedError: the file is damaged.
        NewerVersionError: a newer version wrote the file, which was not changed.
        sqlite3.Error: the disk failed.
    """
    connection = _attach(path)
    try:
        with _damage_noticed():
            _set_up(connection)
            _verify(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def close(connection: sqlite3.Connection, *, checkpoint: bool) -> None:
    """Close a connection; either move the log into the main file first, or leave both as they are."""
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, not checkpoint)
    connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection, log: Path) -> Iterator[int]:
    """Commit all changes at the end, or none if anything fails. Yields the size of the log before, in bytes."""
    size = log.stat().st_size
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield size
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        # If only the sync failed, the whole transaction is in the log, where the next start must not find it.
        with suppress(OSError):
            os.truncate(log, size)
        raise


def checkpoint(connection: sqlite3.Connection) -> None:
    """Move the log into the main file as far as the disk allows; its content is safe in any case."""
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def put(connection: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert rows, or update those with the same keys in place."""
    connection.executemany(
        _PUT.format(table),
        ((key, time, record, _checksum(table, key.encode(), time, record)) for key, time, record in rows),
    )


def records(connection: sqlite3.Connection, table: str, after: float = 0.0) -> Iterator[tuple[str, bytes]]:
    """Yield the keys and records of a table from a time on, in the order of their times, then of insertion."""
    rows = connection.execute(_SELECT.format(table), (after,))
    return ((key.decode(), record) for key, record in rows)


def remove(connection: sqlite3.Connection, table: str, keys: Iterable[str]) -> None:
    """Remove the records with these keys."""
    connection.executemany(_DELETE.format(table), ((key,) for key in keys))


def remove_before(connection: sqlite3.Connection, table: str, time: float) -> None:
    """Remove the records of earlier times."""
    connection.execute(_DELETE_BEFORE.format(table), (time,))


def is_empty(connection: sqlite3.Connection, table: str) -> bool:
    """Return whether a table has no records."""
    return connection.execute(_FIRST.format(table)).fetchone() is None


def rescue(path: Path) -> tuple[sqlite3.Connection, int]:
    """Return the readable records of a damaged file as a database in memory, and the number of unreadable ones.

    That number is at least 1, since damage can hide records without a trace.
    """
    rescued = _blank()
    blank = _blank_content()
    # The first page is the same in every file. It is written again, so that damage to it loses nothing.
    page = bytearray(blank[:_PAGE_SIZE])
    # In the header: differs from the change counter, so that SQLite uses the size of the file, not the one in the
    # header.
    page[92:96] = b"\xff\xff\xff\xff"
    with path.open("r+b") as file:
        file.write(page)
        file.truncate(max(path.stat().st_size, len(blank)))
    damaged = 0
    with closing(_attach(path)) as source:
        for table in _TABLES:
            rows, lost = _scan(source, table)
            put(rescued, table, rows)
            damaged += lost
    return rescued, max(damaged, 1)


def replace(path: Path, rescued: sqlite3.Connection) -> None:
    """Replace the content of a damaged file by what was rescued, in one transaction; if that fails, nothing changes."""
    with closing(_attach(path)) as connection:
        connection.executescript(_SETUP)
        rescued.backup(connection)


def _attach(path: Path) -> sqlite3.Connection:
    """Return a connection to a file as it is; closing it does not change the file."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    # Damaged text may not be valid UTF-8.
    connection.text_factory = bytes
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)
    # Must come before any read, or SQLite creates a file for shared memory.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


@contextmanager
def _damage_noticed() -> Iterator[None]:
    """Raise DamagedError for damage, but not for a failing disk, which says nothing about the content."""
    try:
        yield
    except UnicodeDecodeError as err:
        # Python can't decode SQLite's error message, which quotes the damaged text.
        raise DamagedError from err
    except sqlite3.DatabaseError as err:
        if err.sqlite_errorcode & 0xFF in _DAMAGE:
            raise DamagedError from err
        raise


def _set_up(connection: sqlite3.Connection) -> None:
    """Prepare a file for use, unless a newer version wrote it."""
    [(version,)] = connection.execute("PRAGMA user_version")
    if version > _VERSION and version.bit_count() % 2:
        raise NewerVersionError
    connection.executescript(_SETUP)
    [(pages,)] = connection.execute("PRAGMA page_count")
    # A file without a second page never had tables. Otherwise, missing tables could be damage.
    if pages <= 1:
        connection.executescript(_SCHEMA)


def _verify(connection: sqlite3.Connection) -> None:
    """Raise DamagedError unless schema, indexes and records are intact."""
    connection.execute("BEGIN IMMEDIATE")
    # Fails if a flipped bit made the file read-only. Rolled back below.
    connection.execute(f"PRAGMA user_version = {_VERSION}")
    if _schema(connection) != _blank_schema():
        raise DamagedError
    if connection.execute("PRAGMA integrity_check(1)").fetchall() != [(b"ok",)]:
        raise DamagedError
    for table in _TABLES:
        if not all(_is_sound(table, *row) for _, *row in connection.execute(_SCAN.format(table, "ASC"))):
            raise DamagedError
    connection.execute("ROLLBACK")


def _scan(source: sqlite3.Connection, table: str) -> tuple[list[Row], int]:
    """Read a table from both ends as far as possible; return its intact rows, and how many damaged ones were found."""
    sound: dict[str, dict[int, Row]] = {"ASC": {}, "DESC": {}}
    damaged: set[int | None] = set()
    for direction, rows in sound.items():
        try:
            with _damage_noticed():
                for rowid, key, time, record, checksum in source.execute(_SCAN.format(table, direction)):
                    if _is_sound(table, key, time, record, checksum):
                        rows[rowid] = key.decode(), time, record
                    else:
                        damaged.add(rowid)
        except DamagedError:
            damaged.add(None)
    # In the order on disk, which damaged row ids do not change.
    return list((sound["ASC"] | dict(reversed(sound["DESC"].items()))).values()), len(damaged)


def _blank() -> sqlite3.Connection:
    """Return a new database in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.text_factory = bytes
    connection.executescript(_SETUP + _SCHEMA)
    return connection


def _blank_content() -> bytes:
    """Return the content of a new file."""
    with closing(_blank()) as blank:
        content = bytearray(blank.serialize())
    # In the header: the file has a write-ahead log.
    content[18:20] = 2, 2
    return bytes(content)


@cache
def _blank_schema() -> list[object]:
    """Return the schema that every file has."""
    with closing(_blank()) as blank:
        return _schema(blank)


def _schema(connection: sqlite3.Connection) -> list[object]:
    """Return the definitions of tables and indexes, and their root pages."""
    return connection.execute("SELECT * FROM sqlite_schema").fetchall()


def _is_sound(table: str, key: object, time: object, record: object, checksum: object) -> bool:
    """Return whether a row is intact."""
    return isinstance(key, bytes) and isinstance(record, bytes) and checksum == _checksum(table, key, time, record)


def _checksum(table: str, key: bytes, time: object, record: bytes) -> int:
    """Return the checksum of a row. It includes the table, since damage can also lead from one table into another."""
    return zlib.crc32(record, zlib.crc32(f"{table} {time!r} ".encode() + key))
