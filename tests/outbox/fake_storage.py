"""A storage in memory that can be slow and full, and that a process can be killed in the middle of."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, override

from homeassistant.helpers.json import json_bytes
from homeassistant.util.json import JsonObjectType, json_loads_object

from custom_components.gosms.outbox.storage import Changes, Contents, Storage, StorageError

# Seconds of a commit.
COMMIT_TIME: Final = 0.01


@dataclass(kw_only=True)
class FakeFile:
    """The file of an account, which outlives the runs.

    Attributes:
        messages: records of messages by their keys.
        finished: records of messages that ended, with the stored time of their end, by their keys.
        meta: other records by their names.
        commits: how many commits are on disk, and loads.
    """

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    finished: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    meta: dict[str, JsonObjectType] = field(default_factory=dict)
    commits: int = 0

    def copy(self) -> FakeFile:
        """Return a copy, as a backup has it."""
        return deepcopy(self)

    def load(self, finished_after: Callable[[Mapping[str, JsonObjectType]], float]) -> Contents:
        """Return what is in the file."""
        contents = self.copy()
        self.commits += 1
        since = finished_after(contents.meta)
        return Contents(
            messages=[*contents.messages.values()],
            finished=[
                record
                for finished, record in sorted(contents.finished.values(), key=lambda each: each[0])
                if finished >= since
            ],
            meta=contents.meta,
        )

    def commit(self, changes: Changes) -> None:
        """Change everything at once."""
        for key, message in changes.messages.items():
            if message is None:
                self.messages.pop(key, None)
            else:
                self.messages[key] = _record(message)
        self.meta |= {name: _record(record) for name, record in changes.meta.items()}
        self.finished |= {key: (finished, _record(record)) for key, (finished, record) in changes.finished.items()}
        if (forget_before := changes.forget_before) is not None:
            self.finished = {key: each for key, each in self.finished.items() if each[0] >= forget_before}
        self.commits += 1

    def pending_events(self, key: str) -> list[str]:
        """Return the types of the events of a message that were not reported, as far as the file knows."""
        return [event["type"] for event in self.messages[key]["pending_events"]] if key in self.messages else []


@dataclass(kw_only=True)
class FakeDisk:
    """The disk of the machine.

    Attributes:
        files: the files of the accounts, by the ids of their entries.
        is_full: whether no commit succeeds.
        is_unreadable: whether no load succeeds.
        is_unsynced: whether commits fail, and are on disk all the same.
        commit_time: seconds of a commit.
        load_times: seconds of a load, by the ids of the entries.
        has_failed: whether a commit has ever failed.
        last_failed: whether the last commit failed.
        commits: how many commits succeeded.
        late_commits: how many commits were tried after a file was closed.
        tries: how many commits were tried.
    """

    files: dict[str, FakeFile] = field(default_factory=dict)
    is_full: bool = False
    is_unreadable: bool = False
    is_unsynced: bool = False
    commit_time: float = COMMIT_TIME
    load_times: dict[str, float] = field(default_factory=dict)
    has_failed: bool = False
    last_failed: bool = False
    commits: int = 0
    late_commits: int = 0
    tries: int = 0

    def commit(self, account: str, changes: Changes) -> None:
        """Change the file of an account."""
        self.tries += 1
        if self.is_full or self.is_unsynced:
            self.has_failed = self.last_failed = True
        if not self.is_full:
            self.files[account].commit(changes)
        if self.is_full or self.is_unsynced:
            raise StorageError("OperationalError")
        self.last_failed = False
        self.commits += 1


class FakeStorage(Storage):
    """The storage of one account in one run."""

    def __init__(self, disk: FakeDisk, account: str, *, pass_point: Callable[[], Awaitable[None]]) -> None:
        """Make the storage; `pass_point` is awaited where a process may be killed: in a dead one it does not return."""
        self._disk = disk
        self._account = account
        self._pass_point = pass_point
        self._is_closed = False
        self.is_in_backup = False

    @override
    async def async_load(self, finished_after: Callable[[Mapping[str, JsonObjectType]], float]) -> Contents:
        """Return what an earlier run stored."""
        await asyncio.sleep(self._disk.load_times.get(self._account, 0.0))
        if self._disk.is_unreadable:
            raise StorageError("OperationalError")
        return self._disk.files.setdefault(self._account, FakeFile()).load(finished_after)

    @override
    async def async_commit(self, changes: Changes) -> None:
        """Store changes, all of them or none."""
        if self._is_closed:
            self._disk.late_commits += 1
            raise StorageError("closed")
        await self._pass_point()
        await asyncio.sleep(self._disk.commit_time)
        # Before it is on disk, and after.
        await self._pass_point()
        self._disk.commit(self._account, changes)
        await self._pass_point()

    @override
    async def async_close(self) -> None:
        """Close the file for good: later commits fail."""
        self._is_closed = True

    @override
    async def async_remove(self) -> None:
        """Remove the file."""
        self._is_closed = True
        if self._disk.is_full:
            raise StorageError("OSError")
        self._disk.files.pop(self._account, None)

    @override
    async def async_begin_backup(self) -> None:
        """Let a copy be consistent: each one is."""
        self.is_in_backup = True

    @override
    def async_end_backup(self) -> None:
        """End a backup."""
        self.is_in_backup = False


def _record(record: object) -> dict[str, Any]:
    """Return a record as it is read from the disk."""
    return json_loads_object(json_bytes(record))
