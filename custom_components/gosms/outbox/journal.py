"""A file of records that is written at its end: how it stands on disk, and nothing of messages."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
import os
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import dt as dt_util
from homeassistant.util.file import write_utf8_file_atomic
from homeassistant.util.json import json_loads

type Record = Mapping[str, Any]

_VERSION: Final = 1

# Bytes from which on a file may be too long, and how many times longer than what it has to say.
_MIN_COMPACTION_SIZE: Final = 64 * 1024
_TIMES: Final = 2


class StorageError(Exception):
    """The disk did not take it, or does not give it back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line of a file.

    Attributes:
        raw: as it stands there. Not to be logged.
        record: what it says, or None if that can't be read.
    """

    raw: bytes
    record: Record | None


class Journal:
    """A file in Home Assistant's storage: first a record of everything, then what has changed since.

    A record is on disk when the call that writes it returns, or it is not there at all: one that a kill cut off is
    passed over when the file is read. Home Assistant's own `Store` can only write a file as a whole, which costs as
    much for one message as for all.
    """

    def __init__(self, hass: HomeAssistant, key: str) -> None:
        """Make the file's object; nothing is read or written yet."""
        self.key = key
        self._hass = hass
        self._path = Path(hass.config.path(STORAGE_DIR, key))
        # Where the next record comes, or None if the file is not known to be good until there.
        self._end: int | None = None
        self._limit = 0

    @property
    def needs_compaction(self) -> bool:
        """Tell if no record can be added, or if there are so many that one of everything is shorter."""
        return self._end is None or self._end > self._limit

    async def async_read(self) -> list[Line]:
        """Return the lines; none if there is no file.

        Raises:
            StorageError: the disk does not give it back, or a newer version wrote it.
        """
        return await self._async_run(self._read)

    async def async_add(self, dump: Callable[[], Record]) -> None:
        """Add a record, which is made in a thread.

        Raises:
            StorageError: it is not on disk.
        """
        await self._async_run(lambda: self._add(_line(dump())))

    async def async_compact(self, dump: Callable[[], Record]) -> None:
        """Put one record in the place of all, which is made in a thread.

        Raises:
            StorageError: those before are still there.
        """
        await self._async_run(lambda: self._replace(_line(dump())))

    async def async_set_aside(self, damaged: Sequence[bytes]) -> str:
        """Keep what could not be read in a file of its own, and return the name of that.

        Raises:
            StorageError: the disk did not take it.
        """
        path = self._path.with_name(f"{self.key}.damaged.{dt_util.utcnow():%Y%m%d%H%M%S}")
        await self._async_run(lambda: write_file(path, b"\n".join(damaged)))
        return path.name

    async def async_remove(self) -> None:
        """Remove the file, and what was set aside of it.

        Raises:
            StorageError: the disk did not let it go.
        """
        await self._async_run(self._remove)

    async def _async_run[T](self, work: Callable[[], T]) -> T:
        """Do something with the disk in a thread."""
        try:
            return await self._hass.async_add_executor_job(work)
        except (HomeAssistantError, OSError) as err:
            raise StorageError(type(err).__name__) from err

    def _read(self) -> list[Line]:
        """Read the lines."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return []
        # One record on one line or, as Home Assistant's storage wrote it before there were more, on several.
        if (only := _parse(content)).record is not None:
            return [only]
        *lines, rest = content.split(b"\n")
        # A last line without its end was never said to be on disk; the first one never comes without it.
        return [_parse(line) for line in lines or [rest]]

    def _add(self, line: bytes) -> None:
        """Write at the end of the file."""
        if (end := self._end) is None:
            raise StorageError("nobody knows where it ends")
        self._end = None
        append(self._path, end, line)
        self._end = end + len(line)

    def _replace(self, line: bytes) -> None:
        """Write the file anew, or leave it as it is."""
        self._end = None
        write_file(self._path, line)
        self._end = len(line)
        self._limit = max(_MIN_COMPACTION_SIZE, _TIMES * len(line))

    def _remove(self) -> None:
        """Remove the files."""
        self._end = None
        for path in (self._path, *self._path.parent.glob(f"{self._path.name}.*")):
            path.unlink(missing_ok=True)


def write_file(path: Path, content: bytes) -> None:
    """Write a file that nobody else may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_utf8_file_atomic(str(path), content, private=True, mode="wb")


def append(path: Path, end: int, line: bytes) -> None:
    """Write a line at the end of a file."""
    file = os.open(path, os.O_WRONLY)
    try:
        written = 0
        while written < len(line):
            written += os.pwrite(file, line[written:], end + written)
        os.fsync(file)
    except OSError:
        # All of it may be there, and whoever wants it there is told that it is not: nobody must find it later.
        with suppress(OSError):
            os.ftruncate(file, end)
            os.fsync(file)
        raise
    finally:
        os.close(file)


def _line(record: Record) -> bytes:
    """Return a record as it stands in a file."""
    return json_bytes({"version": _VERSION, "data": record}) + b"\n"


def _parse(raw: bytes) -> Line:
    """Read a line."""
    try:
        line = json_loads(raw)
    except ValueError:
        line = None
    if not isinstance(line, dict):
        return Line(raw=raw, record=None)
    version, data = line.get("version"), line.get("data")
    if isinstance(version, int) and version > _VERSION:
        raise StorageError("a newer version wrote it")
    return Line(raw=raw, record=data if isinstance(data, dict) else None)
