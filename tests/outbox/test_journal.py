"""The journal, with real files and realistic disk failures."""

import errno
import os
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant
import pytest

from custom_components.gosms.outbox.journal import Journal, StorageError

FIRST: Final = {"all": ["one"]}
SECOND: Final = {"new": "two"}
THIRD: Final = {"new": "three"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file."""
    return tmp_path / ".storage" / "gosms.journal"


@pytest.fixture
async def journal(hass: HomeAssistant) -> Journal:
    """A journal with two records."""
    journal = Journal(hass, "gosms.journal")
    await journal.async_compact(lambda: FIRST)
    await journal.async_add(lambda: SECOND)
    return journal


def content(file: Path) -> bytes:
    """Return the bytes of a file."""
    return file.read_bytes()


def put_file(file: Path, content: bytes) -> None:
    """Replace a file by these bytes."""
    file.write_bytes(content)


def remove(file: Path) -> None:
    """Remove a file."""
    file.unlink()


async def records(hass: HomeAssistant) -> list[Any]:
    """Load the file as the next run does."""
    return [line.record for line in await Journal(hass, "gosms.journal").async_read()]


@pytest.mark.usefixtures("journal")
async def test_records_are_read_in_order_and_the_journal_needs_compaction(hass: HomeAssistant) -> None:
    assert await records(hass) == [FIRST, SECOND]
    again = Journal(hass, "gosms.journal")
    await again.async_read()
    assert again.needs_compaction


@pytest.mark.usefixtures("journal")
def test_the_file_is_readable_only_by_its_owner(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("journal")
async def test_a_truncated_last_record_is_skipped(hass: HomeAssistant, file: Path) -> None:
    whole = content(file)
    for end in range(whole.index(b"\n") + 1, len(whole)):
        put_file(file, whole[:end])
        assert await records(hass) == [FIRST]


async def test_a_record_written_in_pieces_is_complete(
    hass: HomeAssistant, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, content, at: write(file, content[:5], at))
    await journal.async_add(lambda: THIRD)
    assert await records(hass) == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize("fails", ["pwrite", "fsync"])
async def test_a_failed_append_is_rolled_back_and_needs_compaction(
    hass: HomeAssistant, journal: Journal, file: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    before = content(file)
    write = os.pwrite
    pieces = [3]

    def fill(file: int, content: bytes, at: int) -> int:
        """Write a part, and then fail."""
        if fails == "pwrite" and not pieces:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, content[: pieces.pop()] if fails == "pwrite" else content, at)

    def synchronize(_file: int) -> None:
        if fails == "fsync":
            raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", fill)
        patched.setattr(os, "fsync", synchronize)
        with pytest.raises(StorageError):
            await journal.async_add(lambda: THIRD)
    assert content(file) == before
    # What is there is not relied on.
    assert journal.needs_compaction
    await journal.async_compact(lambda: THIRD)
    assert await records(hass) == [THIRD]


async def test_appending_to_a_missing_file_fails(journal: Journal, file: Path) -> None:
    remove(file)
    with pytest.raises(StorageError):
        await journal.async_add(lambda: THIRD)
    assert list(file.parent.iterdir()) == []
    assert journal.needs_compaction


@pytest.mark.usefixtures("journal")
async def test_nothing_is_appended_to_a_file_from_an_earlier_run(hass: HomeAssistant, file: Path) -> None:
    before = content(file)
    with pytest.raises(StorageError):
        await Journal(hass, "gosms.journal").async_add(lambda: THIRD)
    assert content(file) == before


async def test_compaction_is_needed_once_most_of_the_file_is_outdated(journal: Journal, file: Path) -> None:
    long = {"new": "x" * 1000}
    while not journal.needs_compaction:
        await journal.async_add(lambda: long)
    assert len(content(file)) == pytest.approx(64 * 1024, abs=1100)

    # A long record of everything may be followed by as much again.
    await journal.async_compact(lambda: {"all": "x" * 100_000})
    for _ in range(90):
        await journal.async_add(lambda: long)
    assert not journal.needs_compaction


async def test_a_file_of_a_newer_version_is_not_read(hass: HomeAssistant, journal: Journal, file: Path) -> None:
    put_file(file, b'{"version": 2, "data": {}}\n')
    with pytest.raises(StorageError, match="newer"):
        await journal.async_read()


async def test_removing_the_journal_removes_records_set_aside(journal: Journal, file: Path) -> None:
    aside = await journal.async_set_aside([b"one", b"two"])
    assert (file.parent / aside).read_bytes() == b"one\ntwo"
    await journal.async_remove()
    assert list(file.parent.iterdir()) == []
