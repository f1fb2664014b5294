"""The storage on a real disk: what it promises of commits, of damage, of privacy, and of backups."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from itertools import takewhile
import os
from pathlib import Path
import random
import resource
import sqlite3
import stat
import subprocess
import sys
from time import process_time
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from custom_components.gosms.outbox import database, storage as storage_module
from custom_components.gosms.outbox.storage import Changes, Contents, SqliteStorage, StorageError
from tests import ROOT
from tests.outbox.storage_process import CALLS, NAME, changes

HEADER_SIZE: Final = 100

NUMBER: Final = "79123456789"
TEXT: Final = "Вода в подвале"

needs_refusals = pytest.mark.skipif(not CALLS, reason="the kernel has no filter for system calls")


class Disk:
    """The folder of Home Assistant's storage, and the storages that work in it."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self.folder = Path(hass.config.path(".storage"))
        self.main = self.folder / NAME
        self.log = self.folder / f"{NAME}-wal"
        self._storages: list[SqliteStorage] = []

    def storage(self) -> SqliteStorage:
        """Return a storage of the account, like each run and each reload has one."""
        storage = SqliteStorage(self.hass, NAME)
        self._storages.append(storage)
        return storage

    async def load(self, after: float = 0) -> tuple[SqliteStorage, Contents]:
        """Return a storage, and what it loads."""
        storage = self.storage()
        return storage, await storage.async_load(lambda _meta: after)

    async def stored(self) -> Contents:
        """Return what is stored, without keeping the file open."""
        storage, contents = await self.load()
        await storage.async_close()
        return contents

    async def close(self) -> None:
        for storage in self._storages:
            await storage.async_close()

    @property
    def files(self) -> dict[str, bytes]:
        """The files of the account by what follows the name of the main file."""
        return {path.name.removeprefix(NAME): path.read_bytes() for path in self.folder.glob("*")}

    def write(self, files: Mapping[str, bytes]) -> None:
        """Have these files of the account and no others."""
        self.folder.mkdir(exist_ok=True)
        for path in self.folder.glob("*"):
            path.unlink()
        for suffix, content in files.items():
            self.main.with_name(f"{NAME}{suffix}").write_bytes(content)


@pytest.fixture
async def disk(hass: HomeAssistant) -> AsyncGenerator[Disk]:
    disk = Disk(hass)
    yield disk
    await disk.close()


@contextmanager
def no_room_beyond(size: int) -> Generator[None]:
    """Let no file grow beyond a size, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def run_and_kill(folder: Path, last: str, *arguments: str) -> list[str]:
    """Run a process that commits, kill it once it says something, and return all that it said."""
    command = [sys.executable, "-m", "tests.outbox.storage_process", str(folder), *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = list(takewhile(lambda line: line != f"{last}\n", process.stdout))
        process.kill()
        # It went on until it was dead.
        return [*lines, last, *process.stdout]


def message(number: int, text: str = TEXT, version: int = 0) -> dict[str, Any]:
    return {"key": f"message {number}", "number": f"{NUMBER}{number:05}", "text": text, "version": version}


def in_store(records: list[dict[str, Any]]) -> Changes:
    return Changes(messages={record["key"]: record for record in records})


# What is stored


async def test_everything_stored_is_there_after_a_restart(disk: Disk) -> None:
    storage, empty = await disk.load()
    await storage.async_commit(
        Changes(
            messages={"a": {"text": TEXT}, "b": {"text": "\x00\u2028💧"}},
            finished={"c": (2, {"end": 2}), "d": (-0.0, {"end": 0})},
            meta={"secret": {"key": "value"}},
        )
    )
    await storage.async_close()
    assert empty == Contents()
    assert await disk.stored() == Contents(
        messages=[{"text": TEXT}, {"text": "\x00\u2028💧"}],
        finished=[{"end": 0}, {"end": 2}],
        meta={"secret": {"key": "value"}},
    )


async def test_messages_keep_their_places_when_they_change(disk: Disk) -> None:
    storage = disk.storage()
    keys = ["z", "a", "m", "b"]
    for key in keys:
        await storage.async_commit(Changes(messages={key: {"key": key}}))
    await storage.async_commit(Changes(messages={"b": {"key": "b"}, "a": None, "z": {"key": "z", "changed": True}}))
    await storage.async_commit(Changes(messages={"a": {"key": "a"}}))
    await storage.async_close()
    assert [each["key"] for each in (await disk.stored()).messages] == ["z", "m", "b", "a"]


async def test_finished_messages_are_returned_from_the_time_asked_for(disk: Disk) -> None:
    storage = disk.storage()
    ends = {str(end): (end, {"end": end}) for end in (3.0, 1.0, 2.0, 2.5)}
    await storage.async_commit(Changes(finished=ends, meta={"clock": {"now": 2.0}}))
    await storage.async_close()

    def finished_after(meta: Mapping[str, Any]) -> float:
        now: float = meta["clock"]["now"]
        return now

    contents = await disk.storage().async_load(finished_after)
    assert [each["end"] for each in contents.finished] == [2.0, 2.5, 3.0]


async def test_finished_messages_are_forgotten_and_replaced(disk: Disk) -> None:
    storage = disk.storage()
    await storage.async_commit(Changes(finished={"a": (1, {"a": 1}), "b": (2, {"b": 1}), "c": (3, {"c": 1})}))
    await storage.async_commit(Changes(finished={"c": (3, {"c": 2})}, forget_before=2))
    await storage.async_close()
    assert (await disk.stored()).finished == [{"b": 1}, {"c": 2}]


async def test_a_failed_transaction_changes_nothing(disk: Disk) -> None:
    storage = disk.storage()
    await storage.async_commit(Changes(messages={"a": {"a": 1}}))
    with pytest.raises(TypeError):
        await storage.async_commit(Changes(messages={"a": None, "b": {"b": 1}}, meta={"c": object()}))
    await storage.async_close()
    assert await disk.stored() == Contents(messages=[{"a": 1}])


# Files


async def test_no_file_is_made_before_the_first_commit(disk: Disk) -> None:
    storage, contents = await disk.load()
    await storage.async_begin_backup()
    storage.async_end_backup()
    await storage.async_close()
    await disk.storage().async_remove()
    assert contents == Contents()
    assert not disk.folder.exists()


async def test_the_files_are_private_and_locked(disk: Disk) -> None:
    previous = os.umask(0)
    try:
        await disk.storage().async_commit(changes(0))
    finally:
        os.umask(previous)
    assert {path.name: stat.filemode(path.stat().st_mode) for path in disk.folder.iterdir()} == {
        NAME: "-rw-------",
        f"{NAME}-wal": "-rw-------",
    }
    other = sqlite3.connect(disk.main, timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("SELECT * FROM message")
    other.close()


@pytest.mark.parametrize("seed", range(5))
async def test_nothing_of_a_message_stays_once_none_is_on_its_way(disk: Disk, seed: int) -> None:
    chance = random.Random(seed)
    storage = disk.storage()
    for version in range(3):
        for number in range(60):
            await storage.async_commit(in_store([message(number, TEXT * chance.randint(1, 300), version)]))
    assert NUMBER.encode() in b"".join(disk.files.values())
    numbers = list(range(60))
    chance.shuffle(numbers)
    for number in numbers:
        await storage.async_commit(
            Changes(messages={f"message {number}": None}, finished={f"digest {number}": (0, {"digest": number})})
        )
    content = b"".join(disk.files.values())
    assert NUMBER.encode() not in content
    assert TEXT.encode() not in content
    assert b'{"digest":59}' in content


async def test_nothing_stays_in_the_log_of_a_killed_run(disk: Disk) -> None:
    storage = disk.storage()
    await storage.async_commit(in_store([message(1)]))
    await storage.async_begin_backup()
    await storage.async_commit(Changes(messages={"message 1": None}))
    killed = disk.files
    storage.async_end_backup()
    await disk.hass.async_block_till_done()
    await storage.async_close()
    disk.write(killed)
    assert TEXT.encode() in killed[""]
    await disk.load()
    assert TEXT.encode() not in b"".join(disk.files.values())


async def test_the_log_does_not_grow_without_end(disk: Disk) -> None:
    storage = disk.storage()
    sizes = []
    for version in range(100):
        await storage.async_commit(in_store([message(1, TEXT * 2000, version)]))
        sizes.append(disk.log.stat().st_size)
    assert sum(size == 0 for size in sizes) > 1
    assert max(sizes) < 1_200_000
    assert disk.main.stat().st_size < 200_000


async def test_removing_leaves_no_file(disk: Disk) -> None:
    disk.write({"": b"<html>", ".damaged.20261126000000": b"<html>"})
    storage, _ = await disk.load()
    assert [suffix[:9] for suffix in sorted(disk.files)] == ["", "-wal", ".damaged."]
    await storage.async_commit(changes(0))
    await storage.async_remove()
    assert disk.files == {}


@pytest.mark.parametrize(
    ("end", "files"), [(SqliteStorage.async_remove, set()), (SqliteStorage.async_close, {""})], ids=["remove", "close"]
)
async def test_a_running_commit_ends_before_the_file_is_closed(
    disk: Disk, end: Callable[[SqliteStorage], Awaitable[None]], files: set[str]
) -> None:
    storage = disk.storage()
    await storage.async_commit(changes(0))
    results = await asyncio.gather(
        *(storage.async_commit(changes(number)) for number in range(1, 20)),
        end(storage),
        *(storage.async_commit(changes(number)) for number in range(20, 40)),
        return_exceptions=True,
    )
    assert disk.files.keys() == files
    assert {type(result) for result in results} <= {type(None), StorageError}
    with pytest.raises(StorageError, match="closed"):
        await storage.async_commit(changes(40))
    assert disk.files.keys() == files


async def test_what_a_commit_said_before_closing_is_kept(disk: Disk) -> None:
    storage = disk.storage()
    commits = [asyncio.ensure_future(storage.async_commit(changes(number))) for number in range(20)]
    await asyncio.sleep(0)
    await storage.async_close()
    results = await asyncio.gather(*commits, return_exceptions=True)
    assert len((await disk.stored()).messages) == results.count(None)


async def test_the_thread_of_a_canceled_commit_is_waited_for(disk: Disk) -> None:
    storage = disk.storage()
    await storage.async_commit(changes(0))
    commit = asyncio.ensure_future(storage.async_commit(in_store([message(n, TEXT * 100) for n in range(10, 2010)])))
    await asyncio.sleep(0)
    commit.cancel()
    await storage.async_commit(changes(1))
    await storage.async_close()
    assert len((await disk.stored()).messages) in {2, 2002}


# Killed processes and failing disks


@pytest.mark.parametrize("step", ["create", "connect"])
async def test_a_run_killed_while_it_makes_its_file_has_lost_nothing(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def kill(path: Path) -> None:
        with path.open("a"):
            raise OSError

    with monkeypatch.context() as patches:
        patches.setattr(database, step, kill)
        with pytest.raises(StorageError):
            await disk.storage().async_commit(changes(0))
    assert disk.files
    storage, contents = await disk.load()
    assert contents == Contents()
    await storage.async_commit(changes(0))
    await storage.async_close()
    assert disk.files.keys() == {""}
    assert (await disk.stored()).messages == [{"number": 0}]


async def test_the_log_of_a_file_that_is_gone_is_not_read(disk: Disk) -> None:
    storage = disk.storage()
    await storage.async_commit(in_store([message(1)]))
    left = {"-wal": disk.files["-wal"], ".new": b"half of"}
    await storage.async_close()
    disk.write(left)
    storage, contents = await disk.load()
    assert contents == Contents()
    await storage.async_commit(changes(0))
    await storage.async_close()
    assert (await disk.stored()).messages == [{"number": 0}]
    assert disk.files.keys() == {""}


@pytest.mark.parametrize("last", [0, 1, 50, 400])
async def test_a_killed_process_leaves_what_it_acknowledged(disk: Disk, last: int, tmp_path: Path) -> None:
    said = await disk.hass.async_add_executor_job(run_and_kill, tmp_path, f"stored {last}", "-1", "EIO")
    acknowledged = sum(line.startswith("stored") for line in said)
    contents = await disk.stored()
    stored = len(contents.messages)
    assert acknowledged <= stored <= acknowledged + 1
    assert contents == Contents(
        messages=[{"number": number} for number in range(stored)], meta={"count": {"commits": stored}}
    )


@needs_refusals
async def test_what_could_not_be_synced_is_not_found_later(disk: Disk, tmp_path: Path) -> None:
    await disk.hass.async_add_executor_job(run_and_kill, tmp_path, "failed 5", "3", "EIO", "fdatasync", "fsync")
    assert [each["number"] for each in (await disk.stored()).messages] == [0, 1, 2]


@needs_refusals
async def test_a_disk_that_syncs_and_truncates_nothing_may_keep_a_commit(disk: Disk, tmp_path: Path) -> None:
    """The one way in which the next run finds what a commit said is not on disk: it is complete or not there."""
    calls = ("fdatasync", "fsync", "truncate")
    await disk.hass.async_add_executor_job(run_and_kill, tmp_path, "failed 3", "3", "EIO", *calls)
    contents = await disk.stored()
    assert contents.messages[:3] == [{"number": 0}, {"number": 1}, {"number": 2}]
    assert len(contents.messages) <= 4
    commits = [{"commits": record["number"] + 1} for record in contents.messages if isinstance(record["number"], int)]
    assert contents.meta == {"count": commits[-1]}


@needs_refusals
@pytest.mark.parametrize(("error", "call"), [("EACCES", "openat"), ("ESTALE", "openat"), ("EIO", "pread64")])
async def test_what_cannot_be_read_now_can_be_read_later(disk: Disk, tmp_path: Path, error: str, call: str) -> None:
    storage = disk.storage()
    for number in range(3):
        await storage.async_commit(changes(number))
    await storage.async_close()
    before = disk.files
    said = await disk.hass.async_add_executor_job(run_and_kill, tmp_path, "failed 0", "0", error, call)
    assert {line.split()[0] for line in said} == {"failed"}
    assert disk.files[""] == before[""]
    assert len((await disk.stored()).messages) == 3


@pytest.mark.parametrize("obstacle", [NAME, f"{NAME}-wal"])
async def test_a_file_that_cannot_be_opened_is_an_error(disk: Disk, obstacle: str) -> None:
    await disk.storage().async_commit(changes(0))
    await disk.close()
    good = disk.main.read_bytes()
    disk.main.rename(disk.folder / "good")
    (disk.folder / "good").copy(disk.main)
    (disk.folder / obstacle).unlink(missing_ok=True)
    (disk.folder / obstacle).mkdir()
    with pytest.raises(StorageError):
        await disk.load()
    with pytest.raises(StorageError):
        await disk.storage().async_commit(changes(1))
    (disk.folder / obstacle).rmdir()
    (disk.folder / "good").rename(disk.main)
    assert disk.main.read_bytes() == good
    assert len((await disk.stored()).messages) == 1


async def test_a_file_in_the_place_of_the_folder_is_an_error(disk: Disk) -> None:
    disk.folder.write_bytes(b"")
    with pytest.raises(StorageError):
        await disk.load()
    with pytest.raises(StorageError):
        await disk.storage().async_remove()


async def test_a_full_disk_takes_nothing_and_loses_nothing(disk: Disk) -> None:
    storage = disk.storage()
    await storage.async_commit(in_store([message(1)]))
    with no_room_beyond(disk.log.stat().st_size + 20_000):
        await storage.async_commit(in_store([message(2)]))
        with pytest.raises(StorageError):
            await storage.async_commit(in_store([message(3, TEXT * 2000), message(1, "changed")]))
        killed = disk.files
    await storage.async_commit(in_store([message(4)]))
    await storage.async_close()
    assert [each["key"] for each in (await disk.stored()).messages] == ["message 1", "message 2", "message 4"]
    disk.write(killed)
    assert (await disk.stored()).messages == [message(1), message(2)]


# Damage


async def _few_dozens(disk: Disk) -> tuple[dict[str, bytes], Contents]:
    """Return files with a few dozens of messages of all lengths and ages, and what they hold."""
    chance = random.Random(1)
    storage = disk.storage()
    for version in range(3):
        for number in range(36):
            await storage.async_commit(in_store([message(number, TEXT * chance.randint(1, 60), version)]))
    await storage.async_commit(in_store([message(number, TEXT * 400) for number in (40, 41)]))
    await storage.async_commit(
        Changes(
            messages={f"message {number}": None for number in range(0, 36, 7)},
            finished={f"{number}": (number, message(number)) for number in range(20)},
            meta={"secret": {"key": "value"}},
        )
    )
    await storage.async_close()
    return disk.files, await disk.stored()


def _missing(whole: list[Any], rest: list[Any]) -> int:
    """Return how many records are gone; the rest must be the same, in the same order."""
    left = iter(whole)
    assert all(any(record == other for other in left) for record in rest)
    return len(whole) - len(rest)


async def _flip_and_load(disk: Disk, files: dict[str, bytes], bit: int) -> Contents:
    """Return what is stored after a bit has flipped, and see that the file is sound from then on."""
    damaged = bytearray(files[""])
    damaged[bit // 8] ^= 1 << bit % 8
    disk.write({"": bytes(damaged)})
    storage, contents = await disk.load()
    await storage.async_commit(Changes(messages={"one more": {"key": "one more"}}))
    await storage.async_close()
    again = await disk.stored()
    assert again.messages.pop() == {"key": "one more"}
    assert again.damaged == 0
    assert (again.messages, again.finished, again.meta) == (contents.messages, contents.finished, contents.meta)
    return contents


async def test_a_flipped_bit_is_noticed_and_costs_little(disk: Disk) -> None:
    files, whole = await _few_dozens(disk)
    costs = []
    for bit in range(HEADER_SIZE * 8, len(files[""]) * 8, 4001):
        found = await _flip_and_load(disk, files, bit)
        missing = _missing(whole.messages, found.messages) + _missing(whole.finished, found.finished)
        missing += len(whole.meta) - len(found.meta)
        assert found.meta in ({}, whole.meta)
        assert not missing or found.damaged
        costs.append(missing)
    # More than one record can only be lost with the few bytes that hold a page together.
    assert sum(cost > 1 for cost in costs) < len(costs) / 20
    assert max(costs) < 20


async def test_a_flipped_bit_in_the_header_costs_nothing(disk: Disk) -> None:
    files, whole = await _few_dozens(disk)
    for bit in range(0, HEADER_SIZE * 8, 7):
        found = await _flip_and_load(disk, files, bit)
        assert (found.messages, found.finished, found.meta) == (whole.messages, whole.finished, whole.meta)


async def test_a_flipped_bit_in_the_definitions_costs_nothing(disk: Disk) -> None:
    files, whole = await _few_dozens(disk)
    start = files[""].index(b"indexfinished_by_time")
    for bit in range(start * 8, 4096 * 8, 101):
        found = await _flip_and_load(disk, files, bit)
        assert (found.messages, found.finished, found.meta) == (whole.messages, whole.finished, whole.meta)


async def test_a_flipped_bit_in_the_log_leads_to_an_earlier_commit(disk: Disk) -> None:
    storage = disk.storage()
    for number in range(20):
        await storage.async_commit(changes(number))
    killed = disk.files
    seen = set()
    for bit in range(0, len(killed["-wal"]) * 8, 16_001):
        log = bytearray(killed["-wal"])
        log[bit // 8] ^= 1 << bit % 8
        disk.write({"": killed[""], "-wal": bytes(log)})
        contents = await disk.stored()
        stored = len(contents.messages)
        seen.add(stored)
        assert contents.messages == [{"number": number} for number in range(stored)]
        assert contents.meta.get("count", {"commits": 0}) == {"commits": stored}
    assert len(seen) > 5


async def test_an_empty_file_may_have_held_messages(disk: Disk) -> None:
    disk.write({"": b""})
    storage, contents = await disk.load()
    await storage.async_commit(changes(0))
    await storage.async_close()
    assert contents == Contents(damaged=1)
    assert await disk.stored() == Contents(messages=[{"number": 0}], meta={"count": {"commits": 1}})
    assert disk.files.keys() == {""}


@pytest.mark.parametrize(
    "content",
    [b"[]", b"\0" * 4096, b"\0" * 100_000, b"<!doctype html>" * 20, b"<!doctype html>" * 2000, b"SQLite format 3\0"],
    ids=["list", "zeros", "many-zeros", "page", "long-page", "cut-off"],
)
async def test_garbage_is_set_aside_until_the_next_start(
    disk: Disk, freezer: FrozenDateTimeFactory, content: bytes
) -> None:
    freezer.move_to("2026-11-26 10:20:30+00:00")
    disk.write({"": content})
    storage, contents = await disk.load()
    aside = disk.folder / f"{NAME}.damaged.20261126102030"
    assert contents.damaged >= 1
    assert contents.messages == []
    assert aside.read_bytes() == content
    assert stat.filemode(aside.stat().st_mode) == "-rw-------"
    await storage.async_commit(changes(0))
    await storage.async_close()
    assert await disk.stored() == Contents(messages=[{"number": 0}], meta={"count": {"commits": 1}})
    assert disk.files.keys() == {""}


async def test_damage_is_mended_as_soon_as_there_is_room(disk: Disk) -> None:
    files, whole = await _few_dozens(disk)
    damaged = files[""].replace(message(8)["number"].encode(), b"7" * 16)
    disk.write({"": damaged})
    with no_room_beyond(40_000):
        storage, contents = await disk.load()
        assert contents.damaged >= 1
        assert _missing(whole.messages, contents.messages) == 1
        with pytest.raises(StorageError):
            await storage.async_commit(changes(0))
        assert disk.files[""][4096:] == damaged[4096:]
    await storage.async_commit(changes(0))
    await storage.async_close()
    assert disk.files.keys() == {""}
    again = await disk.stored()
    assert again.damaged == 0
    assert again.messages == [*contents.messages, {"number": 0}]


async def test_damage_without_room_is_mended_at_the_next_start(disk: Disk) -> None:
    files, _ = await _few_dozens(disk)
    disk.write({"": files[""].replace(message(8)["number"].encode(), b"7" * 16)})
    with no_room_beyond(40_000):
        storage, contents = await disk.load()
        await storage.async_close()
    assert await disk.stored() == contents


async def test_the_records_of_a_killed_run_are_rescued_too(disk: Disk) -> None:
    files, whole = await _few_dozens(disk)
    disk.write(files)
    storage, _ = await disk.load()
    await storage.async_commit(changes(0))
    killed = disk.files
    await storage.async_close()
    disk.write({"": b"!" + killed[""][1:], "-wal": killed["-wal"]})
    assert (await disk.stored()).messages == [*whole.messages, {"number": 0}]


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
async def test_a_file_of_a_newer_version_is_left_alone(disk: Disk, mode: str) -> None:
    await disk.storage().async_commit(changes(0))
    await disk.close()
    newer = sqlite3.connect(disk.main, isolation_level=None)
    newer.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)
    newer.execute("PRAGMA user_version = 2")
    newer.execute("CREATE TABLE new (a)")
    newer.execute(f"PRAGMA journal_mode = {mode}")
    newer.close()
    (disk.folder / f"{NAME}-shm").unlink(missing_ok=True)
    before = disk.files
    with pytest.raises(StorageError, match="NewerVersionError"):
        await disk.load()
    with pytest.raises(StorageError, match="NewerVersionError"):
        await disk.storage().async_commit(changes(1))
    assert before | disk.files == disk.files
    assert disk.files.get("-wal", b"") == before.get("-wal", b"")


# Backups


async def test_files_copied_during_a_backup_fit_together(disk: Disk) -> None:
    storage = disk.storage()
    for number in range(10):
        await storage.async_commit(changes(number))
    await storage.async_begin_backup()
    main = disk.main.read_bytes()
    for number in range(10, 40):
        await storage.async_commit(changes(number))
    log = disk.log.read_bytes()
    assert disk.main.read_bytes() == main
    storage.async_end_backup()
    await storage.async_close()
    found = set()
    for cut in range(50):
        disk.write({"": main, "-wal": log[: len(log) * cut // 49]})
        contents = await disk.stored()
        found.add(len(contents.messages))
        assert contents == Contents(
            messages=[{"number": number} for number in range(len(contents.messages))],
            meta={"count": {"commits": len(contents.messages)}},
        )
    assert found >= {10, 40}
    assert len(found) > 20


async def test_a_full_disk_does_not_stop_a_backup(disk: Disk) -> None:
    storage = disk.storage()
    for number in range(3):
        await storage.async_commit(changes(number))
    with no_room_beyond(4096):
        await storage.async_begin_backup()
        copied = disk.files
    await storage.async_close()
    assert copied["-wal"]
    disk.write(copied)
    assert len((await disk.stored()).messages) == 3


async def test_a_reload_during_a_backup_leaves_the_main_file_alone(disk: Disk) -> None:
    storage = disk.storage()
    await storage.async_commit(changes(0))
    await storage.async_begin_backup()
    main = disk.main.read_bytes()
    await storage.async_commit(changes(1))
    await storage.async_close()
    storage, contents = await disk.load()
    await storage.async_commit(Changes(messages={"message 0": None, "message 1": None}))
    assert len(contents.messages) == 2
    assert disk.main.read_bytes() == main
    assert disk.log.stat().st_size
    storage.async_end_backup()
    await disk.hass.async_block_till_done()
    assert disk.log.stat().st_size == 0
    assert (await disk.hass.async_add_executor_job(disk.main.read_bytes)) != main


async def test_a_backup_without_an_end_does_not_stop_the_cleaning(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "_MAX_BACKUP_TIME", 0)
    storage = disk.storage()
    await storage.async_commit(in_store([message(1)]))
    await storage.async_begin_backup()
    await storage.async_commit(Changes(messages={"message 1": None}))
    assert TEXT.encode() not in b"".join(disk.files.values())


# Speed


async def test_loading_and_committing_stay_fast_with_a_long_history(disk: Disk) -> None:
    async def seconds_of_commits(storage: SqliteStorage, version: int) -> float:
        # Of the processor: the disk of a busy machine takes its time whatever is on it.
        start = process_time()
        for number in range(100):
            record = message(number, version=version)
            await storage.async_commit(Changes(messages={"a": record}, finished={f"{version} {number}": (0, record)}))
        return process_time() - start

    storage = disk.storage()
    short = await seconds_of_commits(storage, 1)
    many = {f"{number:026}": (float(number), message(number)) for number in range(100_000)}
    await storage.async_commit(Changes(finished=many, messages={str(n): message(n) for n in range(1000)}))
    await storage.async_close()
    start = process_time()
    storage, contents = await disk.load(after=99_990)
    seconds = process_time() - start
    long = await seconds_of_commits(storage, 2)
    assert (len(contents.finished), len(contents.messages)) == (10, 1001)
    assert seconds < 5
    assert long < 5 * short
