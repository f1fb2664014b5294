"""The files of the outbox, in a real folder."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
import errno
import json
from pathlib import Path
import threading
import time
from typing import Any, Final
from unittest.mock import AsyncMock, patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.gosms.api import MessageStatus
from custom_components.gosms.errors import Failure
from custom_components.gosms.outbox import journal
from custom_components.gosms.outbox.journal import Journal, StorageError
from custom_components.gosms.outbox.message import Fingerprint, MessageEvent, OutgoingMessage, State
from custom_components.gosms.outbox.serialization import dump_history
from custom_components.gosms.outbox.store import OutboxStore

NUMBER: Final = "79123456789"
HOUR: Final = 60 * 60


@pytest.fixture
def queue_file(tmp_path: Path) -> Path:
    """The file of the messages."""
    return tmp_path / ".storage" / "gosms.the_account.outbox"


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    """The file of the ledger."""
    return tmp_path / ".storage" / "gosms.the_account.ledger"


@pytest.fixture
def store(hass: HomeAssistant) -> OutboxStore:
    """The store of an account, empty."""
    return OutboxStore(hass, "the_account")


def no_space(*_args: object) -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A full disk; call the fixture to free space."""
    monkeypatch.setattr(journal, "write_file", no_space)
    monkeypatch.setattr(journal, "append", no_space)
    return monkeypatch.undo


class WallClock:
    """A wall clock that can be set, independently of the monotonic clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._offset = timedelta()
        now = dt_util.utcnow
        monkeypatch.setattr(dt_util, "utcnow", lambda: now() + self._offset)

    def move(self, seconds: float) -> None:
        """Move the clock by so many seconds, forward or back."""
        self._offset += timedelta(seconds=seconds)


@pytest.fixture
def wall_clock(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    """The wall clock."""
    return WallClock(monkeypatch)


class SlowDisk:
    """A disk that blocks each write until it is released, and records the written files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written: list[str] = []
        self._begun = threading.Semaphore(0)
        self._go_on = threading.Semaphore(0)
        self._fails = False
        for name in ("write_file", "append"):
            monkeypatch.setattr(journal, name, self._slow(getattr(journal, name)))

    def _slow(self, write: Callable[..., None]) -> Callable[..., None]:
        """Return a write function that blocks until it is released."""

        def wait_and_write(path: Path, *arguments: object) -> None:
            self._begun.release()
            assert self._go_on.acquire(timeout=10)
            if self._fails:
                no_space()
            write(path, *arguments)
            self.written.append(path.name.rpartition(".")[2])

        return wait_and_write

    async def wait_for_write(self) -> None:
        """Wait until a write is running."""
        assert await asyncio.to_thread(self._begun.acquire, timeout=10)

    def release(self, writes: int = 1, *, fail: bool = False) -> None:
        """Release so many writes."""
        self._fails = fail
        self._go_on.release(writes)


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    """A disk whose writes end when the test releases them."""
    return SlowDisk(monkeypatch)


def message(key: str = "the key", **changes: Any) -> OutgoingMessage:
    """Return a queued message."""
    waiting = OutgoingMessage(
        key=key, phone_number=NUMBER, text="Leak!", parts=("Leak!",), created=0.0, expires=HOUR, queued_reported=True
    )
    return replace(waiting, **changes)


def delivered(key: str = "the key") -> OutgoingMessage:
    """Return a message in a final state."""
    return message(key, state=State.DELIVERED, ids=(f"id of {key}",), statuses=(MessageStatus.DELIVERED,), accepted=0.0)


async def reload(hass: HomeAssistant) -> OutboxStore:
    """Load the files as the next run does."""
    store = OutboxStore(hass, "the_account")
    await store.async_load()
    return store


def lines(file: Path) -> list[dict[str, Any]]:
    """Return the content of the lines of a file."""
    return [json.loads(line)["data"] for line in file.read_text().splitlines()]


def read(file: Path) -> dict[str, Any]:
    """Return the content of a file with one line."""
    (line,) = lines(file)
    return line


def write(file: Path, data: Any, **header: Any) -> None:
    """Write a file of the current version."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"version": 1, "data": data, **header}) + "\n")


def content(file: Path) -> bytes:
    """Return the bytes of a file."""
    return file.read_bytes()


def put_file(file: Path, content: bytes) -> None:
    """Replace a file by these bytes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def stored(folder: Path) -> list[Path]:
    """Return all files of the integration in a folder."""
    return sorted(folder.rglob("gosms*"))


def keys(file: Path) -> set[str]:
    """Return the keys of the messages in a file."""
    found: set[str] = set()
    for line in lines(file):
        found |= {record["key"] for record in line.get("messages", line.get("ended"))}
        found -= set(line.get("gone", ()))
    return found


async def test_a_new_account_starts_empty_and_writes_nothing(hass: HomeAssistant, tmp_path: Path) -> None:
    store = await reload(hass)
    assert store.messages == {}
    assert store.history.ended == []
    assert stored(tmp_path) == []


@pytest.mark.freeze_time("2026-11-24 12:00:00")
async def test_a_message_is_unchanged_after_a_restart(
    hass: HomeAssistant, store: OutboxStore, freezer: FrozenDateTimeFactory
) -> None:
    now = hass.loop.time()
    sent = message(
        created=now - 10,
        expires=now + HOUR,
        text="Alarm\nLeak 🚰",
        parts=("(1/2) Alarm", "(2/2) Leak"),
        recipient="mum",
        tag="leak",
        phone_id="phone",
        sim="sim2",
        state=State.SENT,
        attempts=3,
        last_attempt=now - 5,
        last_attempt_server_time=1_800_000_000.5,
        device_id="phone",
        ids=("a", "b"),
        statuses=(MessageStatus.SENT, MessageStatus.DELIVERED),
        accepted=now - 4,
        timeout_reported=True,
        failure=Failure(key="invalid_message", code=2002, part=2, parts=2),
        fingerprint=Fingerprint(key="of the key", content="of the content", index=3),
        pending_events=(MessageEvent(type="queued", seconds=None), MessageEvent(type="sent", seconds=1.5)),
    )
    for each in (sent, message("waits", created=now, expires=now)):
        store.put(each)
    await store.async_save()
    assert list((await reload(hass)).messages.values()) == [sent, message("waits", created=now, expires=now)]


async def test_a_message_stored_by_the_first_release_is_loaded(
    hass: HomeAssistant, store: OutboxStore, queue_file: Path
) -> None:
    store.put(message())
    await store.async_save()
    file = await hass.async_add_executor_job(read, queue_file)
    for field in ("failure", "fingerprint", "phone_id", "sim"):
        del file["messages"][0][field]
    file["messages"][0]["error"] = "refused"
    await hass.async_add_executor_job(write, queue_file, file)
    (found,) = (await reload(hass)).messages.values()
    assert (found.text, found.error) == ("Leak!", "refused")


@pytest.mark.parametrize(
    ("passed", "age"),
    [(timedelta(seconds=90), 100.0), (timedelta(hours=-5), 10.0), (timedelta(days=30), 30 * 24 * HOUR + 10.0)],
    ids=["a restart", "the clock went back", "a month"],
)
@pytest.mark.freeze_time("2026-11-24 12:00:00")
async def test_message_age_grows_with_wall_time_between_runs_and_never_shrinks(
    hass: HomeAssistant, store: OutboxStore, freezer: FrozenDateTimeFactory, passed: timedelta, age: float
) -> None:
    now = hass.loop.time()
    store.put(message(created=now - 10, expires=now + 50))
    await store.async_save()
    freezer.tick(passed)

    (found,) = (await reload(hass)).messages.values()
    assert hass.loop.time() - found.created == pytest.approx(age)
    assert found.expires - found.created == pytest.approx(60)


@pytest.mark.freeze_time("2026-11-24 12:00:00")
async def test_history_is_unchanged_after_a_restart_and_ages(
    hass: HomeAssistant, store: OutboxStore, freezer: FrozenDateTimeFactory
) -> None:
    now = hass.loop.time()
    fingerprint = Fingerprint(key="of the key", content="of the content", index=1)
    failure = Failure(key="cannot_connect", code=1006, placeholders={"error": "no connection"}, part=2, parts=3)
    store.put(replace(delivered(), accepted=now - 7, created=now - 8, fingerprint=fingerprint))
    store.put(message("refused", created=now - 20, state=State.REFUSED, failure=failure, queued_reported=False))
    for key in ("the key", "refused"):
        store.archive(store.messages[key])
    await store.async_save()
    freezer.tick(60)

    again = await reload(hass)
    ledger = again.history
    arrived, refused = ledger.ended
    assert (arrived.key, arrived.ids, arrived.status) == ("the key", ("id of the key",), "delivered")
    assert (arrived.counts_towards_limit, arrived.failure, arrived.fingerprint) == (True, None, fingerprint)
    assert (refused.status, refused.counts_towards_limit, refused.failure, refused.fingerprint) == (
        "refused",
        False,
        failure,
        None,
    )
    assert [arrived.time, arrived.created, refused.created] == pytest.approx([now, now - 8, now - 20])
    assert (ledger.day, ledger.delivered, ledger.failed) == (store.history.day, 1, 1)
    assert ledger.delivery_time == 7.0
    assert again.secret == store.secret


async def test_a_file_written_by_home_assistant_storage_is_loaded(
    hass: HomeAssistant, store: OutboxStore, queue_file: Path
) -> None:
    store.put(message())
    await store.async_save()
    # As Home Assistant's storage writes it.
    whole = {"version": 1, "minor_version": 1, "key": queue_file.name, "data": read(queue_file)}
    put_file(queue_file, json.dumps(whole, indent=2).encode())
    again = await reload(hass)
    assert list(again.messages) == ["the key"]
    again.put(message("another"))
    await again.async_save()
    assert keys(queue_file) == {"the key", "another"}


async def test_history_stored_by_the_first_release_is_loaded(hass: HomeAssistant, ledger_file: Path) -> None:
    ended = {"age": 60.0, "key": "the key", "ids": ["a"]}
    counters = {"day": "2026-11-24", "delivered": 1, "failed": 0, "delivery_time": 7.0}
    data = {"saved": time.time(), "ended": [ended], **counters}
    await hass.async_add_executor_job(write, ledger_file, data)
    store = await reload(hass)
    # The first message that ends writes it anew.
    store.put(delivered("another"))
    store.archive(store.messages["another"])
    await store.async_save()
    found, _ = (await reload(hass)).history.ended
    assert (found.key, found.ids, found.status, found.created, found.counts_towards_limit) == (
        "the key",
        ("a",),
        None,
        None,
        False,
    )


async def test_the_fingerprint_secret_is_not_stored_in_the_history_file(
    store: OutboxStore, queue_file: Path, ledger_file: Path
) -> None:
    store.put(delivered())
    store.archive(store.messages["the key"])
    await store.async_save()
    assert read(queue_file)["secret"] == store.secret
    assert store.secret not in json.dumps(read(ledger_file))


async def test_the_files_are_readable_only_by_their_owner(
    store: OutboxStore, queue_file: Path, ledger_file: Path
) -> None:
    store.put(delivered())
    store.archive(store.messages["the key"])
    await store.async_save()
    assert [file.stat().st_mode & 0o777 for file in (queue_file, ledger_file)] == [0o600, 0o600]


async def test_concurrent_saves_share_a_write(store: OutboxStore, slow_disk: SlowDisk, queue_file: Path) -> None:
    slow_disk.release(50)

    async def queue(key: str) -> None:
        store.put(message(key))
        await store.async_save()
        assert key in keys(queue_file)

    await asyncio.gather(*(queue(str(number)) for number in range(50)))
    assert slow_disk.written == ["outbox", "outbox"]
    assert store.persisted_keys == keys(queue_file) == {str(number) for number in range(50)}


async def test_a_message_added_during_a_write_is_saved_before_its_save_returns(
    hass: HomeAssistant, store: OutboxStore, slow_disk: SlowDisk, queue_file: Path
) -> None:
    store.put(message("one"))
    first = hass.async_create_task(store.async_save())
    await slow_disk.wait_for_write()
    store.put(message("two"))
    second = hass.async_create_task(store.async_save())
    slow_disk.release()
    await first
    assert keys(queue_file) == {"one"}
    assert not second.done()

    slow_disk.release()
    await second
    assert keys(queue_file) == {"one", "two"}


async def test_every_pending_save_fails_while_the_disk_is_full(
    store: OutboxStore, full_disk: Callable[[], None], queue_file: Path
) -> None:
    health: list[StorageError | None] = []
    store.on_health = health.append
    store.put(message())
    results = await asyncio.gather(*(store.async_save() for _ in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [StorageError] * 5
    assert {type(failure) for failure in health} == {StorageError}
    assert stored(queue_file.parent) == []
    assert not store.persisted_keys

    full_disk()
    await store.async_save()
    assert health[-1] is None
    assert keys(queue_file) == {"the key"}


async def test_a_full_disk_keeps_previously_saved_messages(
    store: OutboxStore, slow_disk: SlowDisk, queue_file: Path, tmp_path: Path
) -> None:
    slow_disk.release()
    store.put(message("one"))
    await store.async_save()

    slow_disk.release(fail=True)
    store.put(message("two"))
    with pytest.raises(StorageError):
        await store.async_save()
    assert store.persisted_keys == keys(queue_file) == {"one"}
    assert list(queue_file.parent.glob("gosms*")) == [queue_file]


async def test_a_canceled_save_does_not_affect_other_saves(
    hass: HomeAssistant, store: OutboxStore, slow_disk: SlowDisk
) -> None:
    store.put(message())
    running = hass.async_create_task(store.async_save())
    await slow_disk.wait_for_write()
    store.put(message("another"))
    leaving = hass.async_create_task(store.async_save())
    staying = hass.async_create_task(store.async_save())
    slow_disk.release()
    await running
    await slow_disk.wait_for_write()
    leaving.cancel()
    # Whoever left, the disk has not taken what the other one asked for.
    slow_disk.release(fail=True)
    with pytest.raises(StorageError):
        await staying


async def test_the_write_of_a_canceled_save_ends_before_the_next_begins(
    hass: HomeAssistant, store: OutboxStore, slow_disk: SlowDisk, queue_file: Path
) -> None:
    store.put(message("old"))
    leaving = hass.async_create_task(store.async_save())
    await slow_disk.wait_for_write()
    leaving.cancel()
    store.put(message("new"))
    saved = hass.async_create_task(store.async_save())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not slow_disk._begun.acquire(timeout=0.1)

    slow_disk.release(2)
    await saved
    assert keys(queue_file) == {"old", "new"}


async def test_messages_are_saved_while_home_assistant_is_stopping(
    hass: HomeAssistant, store: OutboxStore, queue_file: Path
) -> None:
    hass.set_state(CoreState.stopping)
    store.put(message())
    await store.async_save()
    assert keys(queue_file) == {"the key"}


@pytest.mark.parametrize("failing", [0, 1], ids=["before the ledger", "between the ledger and the queue"])
async def test_a_disk_failure_leaves_an_archived_message_in_exactly_one_file(
    hass: HomeAssistant, store: OutboxStore, slow_disk: SlowDisk, queue_file: Path, failing: int
) -> None:
    slow_disk.release()
    store.put(delivered())
    await store.async_save()
    store.archive(store.messages["the key"])
    saving = hass.async_create_task(store.async_save())
    for _ in range(failing):
        await slow_disk.wait_for_write()
        await slow_disk.wait_for_write()
        slow_disk.release()
    await slow_disk.wait_for_write()
    slow_disk.release(fail=True)
    with pytest.raises(StorageError):
        await saving
    # What the ledger has is taken out of the queue at the start.
    for _ in range(failing):
        slow_disk.release()
    next_run = await reload(hass)
    assert [*next_run.messages, *(each.key for each in next_run.history.ended)] == ["the key"]

    slow_disk.release(2)
    await store.async_save()
    assert (keys(queue_file), store.history.claimed) == (set(), {"id of the key"})


async def test_a_message_archived_during_a_history_write_is_not_lost(
    hass: HomeAssistant, store: OutboxStore, slow_disk: SlowDisk
) -> None:
    slow_disk.release()
    for key in ("one", "two"):
        store.put(delivered(key))
    await store.async_save()
    await slow_disk.wait_for_write()

    store.archive(store.messages["one"])
    saving = hass.async_create_task(store.async_save())
    await slow_disk.wait_for_write()
    store.archive(store.messages["two"])
    slow_disk.release()
    await slow_disk.wait_for_write()
    slow_disk.release()
    await slow_disk.wait_for_write()
    # A run that is killed now leaves this to the next one.
    loading = hass.async_create_task(reload(hass))
    await slow_disk.wait_for_write()
    slow_disk.release(2)
    assert [each.key for each in (await loading).history.ended] == ["one", "two"]
    await saving


async def test_an_archived_message_does_not_return_after_history_forgets_it(
    hass: HomeAssistant, store: OutboxStore, monkeypatch: pytest.MonkeyPatch, queue_file: Path, wall_clock: WallClock
) -> None:
    store.put(delivered())
    await store.async_save()
    store.archive(store.messages["the key"])
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "async_compact", AsyncMock(side_effect=[None, StorageError]))
        with pytest.raises(StorageError):
            await store.async_save()
    await store._history_file.async_compact(lambda: dump_history(store.history, hass.loop.time(), saved=time.time()))
    assert keys(queue_file) == {"the key"}

    wall_clock.move(25 * HOUR)
    assert (await reload(hass)).messages == {}
    # Nor does its number stay there.
    assert keys(queue_file) == set()


async def test_unsaved_history_is_bounded_while_the_disk_is_full(
    store: OutboxStore, full_disk: Callable[[], None], ledger_file: Path
) -> None:
    for number in range(1100):
        store.put(delivered(str(number)))
        store.archive(store.messages[str(number)])
    assert len(store._ended) == 1000
    with pytest.raises(StorageError):
        await store.async_save()
    full_disk()
    await store.async_save()
    assert len(keys(ledger_file)) == 1000


@pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR], ids=["forward", "back"])
async def test_setting_the_clock_during_a_run_does_not_change_message_ages(
    hass: HomeAssistant, store: OutboxStore, wall_clock: WallClock, jump: float
) -> None:
    now = hass.loop.time()
    store.put(message("waits", created=now))
    store.put(delivered("ended"))
    store.archive(store.messages["ended"])
    await store.async_save()
    wall_clock.move(jump)
    store.put(message("another", created=now))
    store.put(delivered("ended later"))
    store.archive(store.messages["ended later"])
    await store.async_save()
    wall_clock.move(60)

    again = await reload(hass)
    then = hass.loop.time() - 60
    assert [found.created for found in again.messages.values()] == pytest.approx([then, then], abs=5)
    assert [ended.time for ended in again.history.ended] == pytest.approx([then, then], abs=5)


async def test_files_are_written_only_when_their_content_changes(store: OutboxStore, slow_disk: SlowDisk) -> None:
    slow_disk.release(10)
    store.put(delivered())
    await store.async_save()
    store.archive(store.messages["the key"])
    await store.async_save()
    await store.async_save()
    assert slow_disk.written == ["outbox", "ledger", "outbox"]


async def test_bytes_written_per_message_do_not_grow_with_history(
    store: OutboxStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [0]

    def count(_path: Path, *arguments: Any) -> None:
        written.append(written[-1] + len(arguments[-1]))

    for name in ("write_file", "append"):
        monkeypatch.setattr(journal, name, count)

    async def live(messages: range) -> int:
        """Let these messages be sent and become final, and return the number of bytes written."""
        before = written[-1]
        for number in messages:
            for state in (message(str(number), state=State.SENDING), delivered(str(number))):
                store.put(state)
                await store.async_save()
            store.archive(store.messages[str(number)])
            await store.async_save()
        return written[-1] - before

    assert await live(range(2000, 2500)) < 1.5 * await live(range(500))
    assert len(store.history.ended) == 1000


async def test_a_file_that_grows_too_long_is_compacted(
    hass: HomeAssistant, store: OutboxStore, queue_file: Path, ledger_file: Path
) -> None:
    store.put(message("stays"))
    longest = 0
    for number in range(150):
        store.put(message(str(number), text="Leak! " * 50))
        await store.async_save()
        store.archive(delivered(str(number)))
        await store.async_save()
        longest = max(longest, len(content(queue_file)))
    assert longest < 70_000
    assert keys(queue_file) == {"stays"}
    again = await reload(hass)
    assert (list(again.messages), len(again.history.ended)) == (["stays"], 150)


async def test_no_personal_data_of_an_archived_message_stays_on_disk(store: OutboxStore, tmp_path: Path) -> None:
    store.put(delivered())
    await store.async_save()
    store.archive(store.messages["the key"])
    await store.async_save()
    files = list((tmp_path / ".storage").glob("gosms*"))
    assert len(files) == 2
    assert not [file for file in files if NUMBER in file.read_text() or "Leak" in file.read_text()]


DAMAGES: Final[list[dict[str, Any]]] = [
    {"key": None},
    {"parts": []},
    {"state": "lost"},
    {"created": "yesterday"},
    {"attempts": "many"},
    {"pending_events": [{"type": "exploded", "seconds": None}]},
    {"ids": ["a"]},
    {"ids": ["a", "b"], "statuses": [0, 0], "state": "accepted", "accepted": 1.0},
    {"statuses": [42], "ids": ["a"], "state": "accepted", "accepted": 1.0},
    {"state": "accepted"},
    {"ids": ["a"], "statuses": [0], "accepted": 1.0},
    {"accepted": 1.0},
]


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
async def test_only_the_damaged_message_is_set_aside(
    hass: HomeAssistant,
    store: OutboxStore,
    queue_file: Path,
    caplog: pytest.LogCaptureFixture,
    damage: dict[str, Any],
) -> None:
    for key in ("before", "damaged", "after"):
        store.put(message(key))
    await store.async_save()
    data = read(queue_file)
    data["messages"][1] |= damage
    write(queue_file, data)

    store = await reload(hass)
    assert list(store.messages) == ["before", "after"]
    (aside,) = queue_file.parent.glob(f"{queue_file.name}.damaged.*")
    assert json.loads(content(aside)) == data["messages"][1]
    assert aside.stat().st_mode & 0o777 == 0o600
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("custom_components.gosms")]
    assert aside.name in line
    assert NUMBER not in line

    await store.async_save()
    assert keys(queue_file) == {"before", "after"}


@pytest.mark.parametrize(
    "damage",
    [b"\x00\x00\x00", b'{"version": 1, "da', b'{"version": 1, "data": {"saved": 0, "messages": [{"key": "one"}]}}'],
    ids=["no text", "cut off", "a message that is none"],
)
@pytest.mark.freeze_time("2026-11-24 12:00:00")
async def test_messages_before_a_damaged_line_are_treated_as_possibly_sent(
    hass: HomeAssistant, store: OutboxStore, queue_file: Path, damage: bytes
) -> None:
    sending = message("three", state=State.SENDING, attempts=1, last_attempt=0.0)
    for each in (message("one"), delivered("two"), sending, message("four")):
        store.put(each)
        await store.async_save()
    *before, last = content(queue_file).splitlines()
    put_file(queue_file, b"\n".join([*before, damage, last, b""]))

    again = await reload(hass)
    assert {key: found.state for key, found in again.messages.items()} == {
        # They are looked for before they are sent.
        "one": State.SENDING,
        "two": State.DELIVERED,
        "three": State.SENDING,
        "four": State.QUEUED,
    }
    one = again.messages["one"]
    assert (one.attempts, one.last_attempt_server_time, again.messages["three"].attempts) == (1, time.time(), 1)
    # From now on that is what the file says.
    assert (await reload(hass)).messages == again.messages


async def test_a_damaged_history_line_does_not_affect_other_lines(
    hass: HomeAssistant, store: OutboxStore, ledger_file: Path
) -> None:
    for key in ("one", "two", "three"):
        store.put(delivered(key))
        store.archive(store.messages[key])
        await store.async_save()
    first, _, last = content(ledger_file).splitlines()
    put_file(ledger_file, b"\n".join([first, b"damaged", last, b""]))
    ledger = (await reload(hass)).history
    assert [each.key for each in ledger.ended] == ["one", "three"]
    assert ledger.delivered == 3


@pytest.mark.parametrize("record", [None, 7, "text", [], {}])
async def test_an_invalid_message_record_is_set_aside(hass: HomeAssistant, queue_file: Path, record: object) -> None:
    write(queue_file, {"saved": 0, "messages": [record]})
    assert (await reload(hass)).messages == {}
    (aside,) = queue_file.parent.glob(f"{queue_file.name}.damaged.*")
    assert json.loads(content(aside)) == record


@pytest.mark.parametrize("data", [{}, {"messages": []}, {"saved": 0, "messages": {}}, {"saved": "x", "messages": []}])
@pytest.mark.parametrize("file", ["queue_file", "ledger_file"])
async def test_a_file_with_invalid_data_is_set_aside_and_new_messages_are_saved(
    hass: HomeAssistant, request: pytest.FixtureRequest, queue_file: Path, file: str, data: dict[str, Any]
) -> None:
    damaged: Path = request.getfixturevalue(file)
    write(damaged, data)
    store = await reload(hass)
    (aside,) = damaged.parent.glob(f"{damaged.name}.damaged.*")
    assert json.loads(content(aside))["data"] == data

    store.put(message())
    await store.async_save()
    assert keys(queue_file) == {"the key"}


@pytest.mark.parametrize("damage", [b"", b'{"version": 1, "da', b"\x00\xff\x00"], ids=["empty", "cut off", "no text"])
@pytest.mark.parametrize("file", ["queue_file", "ledger_file"])
async def test_a_file_that_is_not_json_is_set_aside_and_new_messages_are_saved(
    hass: HomeAssistant, request: pytest.FixtureRequest, queue_file: Path, file: str, damage: bytes
) -> None:
    damaged: Path = request.getfixturevalue(file)
    put_file(damaged, damage)
    store = await reload(hass)
    (aside,) = damaged.parent.glob(f"{damaged.name}.damaged.*")
    assert content(aside) == damage
    # Once is enough.
    await reload(hass)
    assert stored(damaged.parent) == [damaged, aside]

    store.put(message())
    await store.async_save()
    assert keys(queue_file) == {"the key"}


@pytest.mark.parametrize(
    "damage",
    [b"[]", b"7", b"null", b'"text"', b'{"version": 1}', b'{"data": {}}', b'{"version": "x"}', b'{"version": 0}'],
)
async def test_json_of_another_format_is_set_aside_and_new_messages_are_saved(
    hass: HomeAssistant, queue_file: Path, damage: bytes
) -> None:
    put_file(queue_file, damage)
    store = await reload(hass)
    (aside,) = queue_file.parent.glob(f"{queue_file.name}.damaged.*")
    assert content(aside) == damage

    store.put(message())
    await store.async_save()
    assert keys(queue_file) == {"the key"}


@pytest.mark.parametrize("file", ["queue_file", "ledger_file"])
async def test_a_file_of_a_newer_version_is_never_overwritten(
    hass: HomeAssistant, request: pytest.FixtureRequest, file: str
) -> None:
    newer: Path = request.getfixturevalue(file)
    write(newer, {"letters": ["from the future"]}, version=2)
    before = content(newer)
    store = await reload(hass)
    store.put(message())
    with pytest.raises(StorageError):
        await store.async_save()
    assert stored(newer.parent) == [newer]
    assert content(newer) == before


async def test_an_unreadable_file_is_left_untouched(hass: HomeAssistant, queue_file: Path, ledger_file: Path) -> None:
    put_file(queue_file / "a file where none can be", b"")
    store = await reload(hass)
    store.put(message())
    with pytest.raises(StorageError):
        await store.async_save()
    assert stored(queue_file.parent) == [queue_file]


async def test_a_store_with_a_damaged_message_loads_while_the_disk_is_full(
    hass: HomeAssistant, queue_file: Path, full_disk: Callable[[], None]
) -> None:
    write(queue_file, {"saved": 0, "messages": [{"key": "damaged"}]})
    before = content(queue_file)
    store = await reload(hass)
    assert store.messages == {}

    # The damaged message is nowhere else, so nothing may take its place.
    full_disk()
    with pytest.raises(StorageError):
        await store.async_save()
    assert content(queue_file) == before


async def test_a_message_of_an_earlier_run_counts_as_persisted(hass: HomeAssistant, store: OutboxStore) -> None:
    store.put(message())
    await store.async_save()
    assert (await reload(hass)).persisted_keys == {"the key"}


async def test_removing_an_account_removes_its_files_after_a_running_write(
    hass: HomeAssistant, store: OutboxStore, slow_disk: SlowDisk, tmp_path: Path
) -> None:
    slow_disk.release(2)
    store.put(delivered())
    store.archive(store.messages["the key"])
    await store.async_save()

    store.put(message())
    saving = hass.async_create_task(store.async_save())
    for _ in range(3):
        await slow_disk.wait_for_write()
    removing = hass.async_create_task(store.async_remove())
    await asyncio.sleep(0)
    assert not removing.done()

    slow_disk.release()
    await saving
    await removing
    assert stored(tmp_path) == []


async def test_removing_an_account_without_files_succeeds(store: OutboxStore) -> None:
    await store.async_remove()


async def test_a_closed_store_changes_and_saves_nothing(
    hass: HomeAssistant, store: OutboxStore, queue_file: Path
) -> None:
    store.put(message("one"))
    await store.async_save()
    store.close()
    store.put(message("two"))
    assert set(store.messages) == {"one"}
    with pytest.raises(StorageError):
        await store.async_save()
    assert keys(queue_file) == {"one"}


async def test_the_listener_is_notified_of_every_change(store: OutboxStore) -> None:
    changes: list[OutgoingMessage] = []
    store.on_change = changes.append
    store.put(message())
    store.put(delivered())
    store.archive(delivered())
    assert [(change.key, change.state) for change in changes] == [
        ("the key", State.QUEUED),
        ("the key", State.DELIVERED),
        ("the key", State.DELIVERED),
    ]


async def test_an_unexpected_write_error_raises_a_storage_error(
    store: OutboxStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.put(message())
    with patch.object(Journal, "async_compact", side_effect=RuntimeError), pytest.raises(StorageError):
        await store.async_save()
    assert "Unexpected error while writing" in caplog.text
    await store.async_save()
