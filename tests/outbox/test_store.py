"""The messages in memory, and the one way in which they reach the disk and those who are told."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.core import CoreState, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.gosms.api import MessageStatus
from custom_components.gosms.outbox.clock import Boot, Clock
from custom_components.gosms.outbox.fingerprint import Fingerprint
from custom_components.gosms.outbox.message import OutgoingMessage
from custom_components.gosms.outbox.state import MessageEvent, Part, State
from custom_components.gosms.outbox.storage import Changes, StorageError
from custom_components.gosms.outbox.store import MessageStore
from tests.outbox.fake_storage import FakeDisk, FakeFile, FakeStorage
from tests.outbox.messages import queued_message

HOUR: Final = 60 * 60
ACCOUNT: Final = "the_account"


class SlowStorage(FakeStorage):
    """A storage whose commits wait until the test releases them."""

    def __init__(self, disk: FakeDisk) -> None:
        super().__init__(disk, ACCOUNT, pass_point=self._wait)
        self.begun = asyncio.Semaphore(0)
        self.released = asyncio.Semaphore(0)
        self._points = 0

    async def _wait(self) -> None:
        self._points += 1
        await self._steps[self._points % 3]()

    @property
    def _steps(self) -> list[Any]:
        """What happens at the points of a commit: the third, the first, the second one."""

        async def begin() -> None:
            self.begun.release()

        async def end() -> None:
            """Nothing."""

        return [end, begin, self.released.acquire]

    def release(self, commits: int = 1) -> None:
        """Let so many commits end."""
        for _ in range(commits):
            self.released.release()


async def pass_point() -> None:
    """Pass a point."""


@pytest.fixture
def disk() -> FakeDisk:
    """The disk, whose commits take no time."""
    return FakeDisk(files={ACCOUNT: FakeFile()}, commit_time=0.0)


@pytest.fixture
def store(hass: HomeAssistant, disk: FakeDisk) -> MessageStore:
    """The store of an account, empty."""
    return new_store(hass, FakeStorage(disk, ACCOUNT, pass_point=pass_point))


@pytest.fixture
def slow(disk: FakeDisk) -> SlowStorage:
    """A storage whose commits end when the test says so."""
    return SlowStorage(disk)


@pytest.fixture
def slow_store(hass: HomeAssistant, slow: SlowStorage) -> MessageStore:
    """The store with that storage."""
    return new_store(hass, slow)


def new_store(hass: HomeAssistant, storage: FakeStorage) -> MessageStore:
    """Return a store, in a boot that the tests know."""
    clock = Clock(hass.loop.time)
    clock.boot = Boot(boot_id="one", clock=hass.loop.time)
    return MessageStore(hass, storage, clock)


async def reload(hass: HomeAssistant, disk: FakeDisk) -> MessageStore:
    """Load as the next run does."""
    store = new_store(hass, FakeStorage(disk, ACCOUNT, pass_point=pass_point))
    await store.async_load()
    return store


def message(key: str = "one", **changes: Any) -> OutgoingMessage:
    """Return a queued message."""
    return queued_message(key, **{"expires": HOUR, **changes})


def delivered(key: str = "one", **changes: Any) -> OutgoingMessage:
    """Return a message in a final state."""
    part = Part(text="Leak!", id=f"id of {key}", status=MessageStatus.DELIVERED)
    return message(key, state=State.DELIVERED, parts=(part,), accepted=0.0, **changes)


async def test_saves_at_one_moment_share_a_commit(store: MessageStore, disk: FakeDisk) -> None:
    async def queue(key: str) -> None:
        store.put(message(key))
        await store.async_save()
        assert key in disk.files[ACCOUNT].messages

    await asyncio.gather(*(queue(str(number)) for number in range(50)))
    assert disk.commits == 1
    assert all(str(number) in store.persisted for number in range(50))
    await store.async_save()
    assert disk.commits == 1


async def test_a_message_that_comes_during_a_commit_is_saved_by_the_next_one(
    hass: HomeAssistant, slow_store: MessageStore, slow: SlowStorage, disk: FakeDisk
) -> None:
    slow_store.put(message("one"))
    first = hass.async_create_task(slow_store.async_save())
    await slow.begun.acquire()
    slow_store.put(message("two"))
    second = hass.async_create_task(slow_store.async_save())
    slow.release()
    await first
    assert list(disk.files[ACCOUNT].messages) == ["one"]
    assert not second.done()

    slow.release()
    await second
    assert list(disk.files[ACCOUNT].messages) == ["one", "two"]


async def test_nobody_is_told_what_is_not_on_disk(
    hass: HomeAssistant, slow_store: MessageStore, slow: SlowStorage
) -> None:
    shown: list[list[str]] = []
    remove = slow_store.async_add_listener(lambda messages: shown.append([each.key for each in messages]))
    waiting = hass.async_create_task(slow_store.async_wait("one", lambda each: each.queued_reported))
    slow_store.put(message("one"))
    slow_store.put(message("two"))
    await slow.begun.acquire()
    slow_store.update("one", OutgoingMessage.report_queued)
    assert (shown, list(slow_store.saved), bool(slow_store._waiters)) == ([], [], True)
    slow.release()
    await slow.begun.acquire()
    assert (shown, slow_store.saved["one"].queued_reported, waiting.done()) == ([["one", "two"]], False, False)
    slow.release()
    assert (await waiting).queued_reported
    await hass.async_block_till_done()
    assert (shown[1:], bool(slow_store._waiters)) == ([["one"]], False)

    remove()
    slow_store.put(message("three"))
    slow.release()
    await slow_store.async_save()
    await asyncio.sleep(0)
    assert len(shown) == 2


async def test_listeners_are_called_only_if_people_see_something_new(store: MessageStore) -> None:
    shown: list[list[str]] = []
    saved: list[list[str]] = []
    store.async_add_listener(lambda messages: shown.append([each.key for each in messages]))
    store.on_saved = lambda messages: saved.append([each.key for each in messages])

    async def save() -> list[list[str]]:
        await store.async_save()
        await asyncio.sleep(0)
        new, shown[:] = list(shown), []
        return new

    store.put(message("one"))
    store.put(message("two"))
    assert await save() == [["one", "two"]]
    # A request begins.
    store.update("one", lambda each: each.start_attempt(1.0, device_id=None))
    assert await save() == []
    store.update("one", lambda each: each.mark_accepted("6654a4e8f1527149588c89f2", 2.0))
    assert await save() == [["one"]]
    # Its event was reported.
    store.update("one", lambda each: each.pop_events(1))
    assert await save() == []
    store.update("one", lambda each: each.mark_unconfirmed(3.0))
    assert await save() == [["one"]]
    store.archive("one")
    # What is counted may have changed.
    assert await save() == [[]]
    assert saved == [["one", "two"], ["one"], ["one"], ["one"], ["one"], []]


async def test_callers_get_their_answers_before_anything_else_happens(hass: HomeAssistant, store: MessageStore) -> None:
    order: list[str] = []

    async def call() -> None:
        store.put(message())
        await store.async_wait("one", lambda _: True)

    async def perform_action() -> None:
        # As Home Assistant does for an entity.
        await hass.async_create_task(call())
        order.append("answer")

    store.async_add_listener(lambda _: order.append("listener"))
    store.on_saved = lambda _: order.append("workers")
    await asyncio.gather(perform_action(), store.async_save())
    await hass.async_block_till_done()
    assert order == ["answer", "workers", "listener"]


async def test_every_save_fails_while_the_disk_is_full_and_people_are_told(
    hass: HomeAssistant, store: MessageStore, disk: FakeDisk
) -> None:
    health: list[StorageError | None] = []
    unsaved: list[Collection[OutgoingMessage]] = []
    store.on_health, store.on_unsaved = health.append, unsaved.append
    disk.is_full = True
    store.put(message())
    results = await asyncio.gather(*(store.async_save() for _ in range(5)), return_exceptions=True)
    assert {type(result) for result in results} == {StorageError}
    assert {type(failure) for failure in health} == {StorageError}
    assert (store.is_failing, "one" in store.persisted, list(store.saved)) == (True, False, ["one"])
    assert [[each.key for each in each_time] for each_time in unsaved] == [["one"]]

    disk.is_full = False
    # The disk is tried again without a new reason.
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done()
    assert (health[-1], store.is_failing, list(disk.files[ACCOUNT].messages)) == (None, False, ["one"])
    count = len(health)
    store.put(message("two"))
    await store.async_save()
    assert len(health) == count


async def test_what_is_on_disk_is_no_unsaved_message(store: MessageStore, disk: FakeDisk) -> None:
    unsaved: list[str] = []
    store.on_unsaved = lambda messages: unsaved.extend(each.key for each in messages)
    store.put(message("one"))
    await store.async_save()
    disk.is_full = True
    store.update("one", OutgoingMessage.report_queued)
    store.put(message("two"))
    with pytest.raises(StorageError):
        await store.async_save()
    assert unsaved == ["two"]
    assert list(disk.files[ACCOUNT].messages) == ["one"]
    await store.async_close()


async def test_an_unexpected_error_of_the_storage_counts_as_a_failed_commit(
    hass: HomeAssistant, disk: FakeDisk, caplog: pytest.LogCaptureFixture
) -> None:
    class OddStorage(FakeStorage):
        @override
        async def async_commit(self, changes: Changes) -> None:
            raise RuntimeError

    store = new_store(hass, OddStorage(disk, ACCOUNT, pass_point=pass_point))
    store.put(message())
    with pytest.raises(StorageError):
        await store.async_save()
    assert "Unexpected error while storing messages" in caplog.text
    assert store.is_failing
    await store.async_close()


async def test_a_canceled_save_does_not_affect_other_saves(
    hass: HomeAssistant, slow_store: MessageStore, slow: SlowStorage, disk: FakeDisk
) -> None:
    slow_store.put(message())
    leaving = hass.async_create_task(slow_store.async_save())
    staying = hass.async_create_task(slow_store.async_save())
    await slow.begun.acquire()
    leaving.cancel()
    slow.release()
    await staying
    assert list(disk.files[ACCOUNT].messages) == ["one"]


async def test_messages_are_saved_while_home_assistant_is_stopping(
    hass: HomeAssistant, store: MessageStore, disk: FakeDisk
) -> None:
    hass.set_state(CoreState.stopping)
    store.put(message())
    await store.async_save()
    assert list(disk.files[ACCOUNT].messages) == ["one"]


async def test_a_message_goes_to_the_history_in_one_commit(
    hass: HomeAssistant, store: MessageStore, disk: FakeDisk
) -> None:
    store.put(delivered(fingerprint=Fingerprint(key="call", content="", index=0)))
    store.put(delivered("two", fingerprint=Fingerprint(key="call", content="", index=1)))
    await store.async_save()
    for key in ("one", "two"):
        store.archive(key)
    await store.async_save()
    file = disk.files[ACCOUNT]
    assert (file.messages, list(file.finished), disk.commits) == ({}, ["one", "two"], 2)
    assert (list(store.messages), list(store.saved), list(store.unreported)) == ([], [], [])

    again = await reload(hass, disk)
    assert (again.messages, [each.key for each in again.history]) == ({}, ["one", "two"])
    assert (again.secret, again.history.counters) == (store.secret, store.history.counters)
    assert again.is_claimed("id of one")
    assert not again.is_claimed("id of three")


async def test_what_ended_is_forgotten_on_disk_after_a_day(store: MessageStore, disk: FakeDisk) -> None:
    file = disk.files[ACCOUNT]
    store.put(delivered("one"))
    await store.async_save()
    store.archive("one")
    await store.async_save()
    old, _ = file.finished["one"]
    file.finished["old"] = old - 25 * HOUR, {}
    store.put(delivered("two"))
    await store.async_save()
    store.archive("two")
    await store.async_save()
    assert list(file.finished) == ["one", "two"]


async def test_a_message_that_ended_is_not_lost_by_a_failed_commit(store: MessageStore, disk: FakeDisk) -> None:
    store.put(delivered())
    await store.async_save()
    disk.is_full = True
    store.archive("one")
    with pytest.raises(StorageError):
        await store.async_save()
    file = disk.files[ACCOUNT]
    assert (list(file.messages), list(file.finished)) == (["one"], [])
    disk.is_full = False
    await store.async_save()
    assert (list(file.messages), list(file.finished)) == ([], ["one"])


async def test_messages_are_in_place_after_a_restart(hass: HomeAssistant, store: MessageStore, disk: FakeDisk) -> None:
    pending = MessageEvent(type="queued", seconds=None)
    now = hass.loop.time()
    store.put(message("one", created=now - 10, expires=now + 50, pending_events=(pending,)))
    store.put(delivered("two"))
    accepted = Part(text="Leak!", id="a", status=MessageStatus.WAITING)
    store.put(message("three", state=State.ACCEPTED, parts=(accepted,), accepted=now - 3))
    await store.async_save()
    again = await reload(hass, disk)
    assert list(again.messages) == list(again.saved) == ["one", "two", "three"]
    assert (list(again.unsent), list(again.tracked)) == (["one"], ["three"])
    assert list(again.unreported) == ["one", "two"]
    assert "one" in again.persisted
    found = again.messages["one"]
    assert (hass.loop.time() - found.created, found.expires - found.created) == pytest.approx((10, 60), abs=2)


async def test_records_that_cannot_be_read_are_counted(
    hass: HomeAssistant, store: MessageStore, disk: FakeDisk, caplog: pytest.LogCaptureFixture
) -> None:
    store.put(message("one"))
    store.put(message("two"))
    store.put(delivered("three"))
    await store.async_save()
    store.archive("three")
    await store.async_save()
    file = disk.files[ACCOUNT]
    file.messages["one"] |= {"state": "lost"}
    file.finished["three"][1].pop("state")
    again = await reload(hass, disk)
    assert (list(again.messages), len(again.history), again.damaged) == (["two"], 0, 2)
    assert "2 stored records are damaged" in caplog.text


async def test_what_a_newer_version_noted_keeps_no_message_away(
    hass: HomeAssistant, store: MessageStore, disk: FakeDisk
) -> None:
    """The user went back to this version. What it knows still counts."""
    store.async_anchor(1_900_000_000.0)
    store.put(message("one"))
    store.put(delivered("two"))
    await store.async_save()
    store.archive("two")
    await store.async_save()
    file = disk.files[ACCOUNT]
    for record in file.meta.values():
        record["something new"] = 1
    file.meta["something new"] = {"something": "new"}
    again = await reload(hass, disk)
    assert (list(again.messages), again.damaged, again.secret) == (["one"], 0, store.secret)
    assert again.history.counters == store.history.counters
    assert again.clock.record().stored_time == pytest.approx(1_900_000_000.0, abs=5)


async def test_a_disk_that_gives_nothing_back_is_told(
    hass: HomeAssistant, disk: FakeDisk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.is_unreadable = True
    store = new_store(hass, FakeStorage(disk, ACCOUNT, pass_point=pass_point))
    health: list[StorageError | None] = []
    store.on_health = health.append
    await store.async_load()
    assert ([type(each) for each in health], store.is_failing, store.messages) == ([StorageError], True, {})
    assert "can't be read" in caplog.text


async def test_what_cannot_be_read_is_not_written_over(
    hass: HomeAssistant, store: MessageStore, disk: FakeDisk
) -> None:
    store.put(message("one"))
    await store.async_save()
    before = disk.files[ACCOUNT].copy()
    disk.is_unreadable = True
    later = new_store(hass, FakeStorage(disk, ACCOUNT, pass_point=pass_point))
    unsaved: list[str] = []
    later.on_unsaved = lambda messages: unsaved.extend(each.key for each in messages)
    await later.async_load()
    later.put(message("two"))
    with pytest.raises(StorageError):
        await later.async_save()
    await later.async_close()
    # Not its messages, and not what they were made with: the secret, the counters, the clock.
    assert disk.files[ACCOUNT] == before
    assert (unsaved, list(later.saved), "two" in later.persisted) == (["two"], ["two"], False)


async def test_a_closed_store_changes_and_saves_nothing(store: MessageStore, disk: FakeDisk) -> None:
    store.put(delivered("one"))
    await store.async_close()
    store.put(message("two"))
    store.archive("one")
    store.async_anchor(1_800_000_000.0)
    await store.async_save()
    assert (store.is_closed, list(store.messages), list(disk.files[ACCOUNT].messages)) == (True, ["one"], ["one"])
    assert disk.commits == 1


async def test_a_closing_store_waits_for_the_commit_in_progress(
    hass: HomeAssistant, slow_store: MessageStore, slow: SlowStorage, disk: FakeDisk
) -> None:
    slow_store.put(message("one"))
    await slow.begun.acquire()
    slow_store.put(message("two"))
    closing = hass.async_create_task(slow_store.async_close())
    slow.release(2)
    await closing
    assert list(disk.files[ACCOUNT].messages) == ["one", "two"]


async def test_closing_a_store_that_waits_for_the_disk_does_not_try_it_again(
    hass: HomeAssistant, store: MessageStore, disk: FakeDisk
) -> None:
    disk.is_full = True
    store.put(message())
    await hass.async_block_till_done()
    await store.async_close()
    tries = disk.tries
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done()
    assert disk.tries == tries


async def test_those_who_wait_go_on_when_the_store_lets_them(hass: HomeAssistant, store: MessageStore) -> None:
    store.put(message())
    waiting = hass.async_create_task(store.async_wait("one", lambda each: each.state.is_final))
    leaving = hass.async_create_task(store.async_wait("one", lambda each: each.state.is_final))
    await store.async_save()
    assert store._waiters
    leaving.cancel()
    store.release()
    assert (await waiting).state is State.QUEUED
    # Whoever comes later does not wait, even for one that people can't be told of yet.
    store.put(message("two"))
    assert (await store.async_wait("two", lambda each: each.state.is_final)).key == "two"


async def test_a_message_archived_during_a_commit_is_not_shown_again(
    hass: HomeAssistant, slow_store: MessageStore, slow: SlowStorage, disk: FakeDisk
) -> None:
    shown: list[list[str]] = []
    slow_store.put(delivered(pending_events=(MessageEvent(type="delivered", seconds=1.0),)))
    slow.release()
    await slow_store.async_save()
    await slow.begun.acquire()
    slow_store.update("one", lambda each: each.pop_events(1))
    slow_store.async_add_listener(lambda messages: shown.append([each.key for each in messages]))
    await slow.begun.acquire()
    slow_store.archive("one")
    slow.release(2)
    await slow_store.async_save()
    assert (list(slow_store.saved), list(slow_store.unreported)) == ([], [])
    assert list(disk.files[ACCOUNT].finished) == ["one"]


async def test_the_latest_of_a_message_is_what_people_may_be_told(store: MessageStore) -> None:
    first = message()
    assert store.latest(first) is first
    queued = store.put(first.report_queued())
    assert store.latest(first) == queued
    await store.async_save()
    store.put(delivered())
    assert store.latest(first) == queued
    await store.async_save()
    store.archive("one")
    latest = store.latest(first)
    assert (latest.state, latest.finished is None) == (State.DELIVERED, False)


async def test_the_messages_of_a_call_are_found_on_their_way_and_in_the_history(store: MessageStore) -> None:
    calls = [Fingerprint(key="call", content="of both", index=index) for index in range(2)]
    for key, fingerprint in zip(("one", "two"), calls, strict=True):
        store.put(delivered(key, fingerprint=fingerprint))
    await store.async_save()
    store.archive("two")
    assert [each.key for each in store.of_call(calls[0])] == ["two", "one"]
    assert store.of_call(replace(calls[0], key="another")) == []


async def test_an_exception_of_a_listener_does_not_affect_the_others(
    store: MessageStore, caplog: pytest.LogCaptureFixture
) -> None:
    shown: list[str] = []

    def fail(_messages: Collection[OutgoingMessage]) -> None:
        raise RuntimeError

    store.async_add_listener(fail)
    store.async_add_listener(lambda messages: shown.extend(each.key for each in messages))
    store.put(message())
    await store.async_save()
    await asyncio.sleep(0)
    assert shown == ["one"]
    assert "Unexpected error while showing messages that changed" in caplog.text


async def test_an_exception_of_those_who_are_told_leaves_nobody_waiting(
    store: MessageStore, disk: FakeDisk, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_messages: Collection[OutgoingMessage]) -> None:
        raise RuntimeError

    store.on_saved = fail
    store.put(message())
    with pytest.raises(StorageError):
        await store.async_save()
    assert "Unexpected error during a commit" in caplog.text
    store.on_saved = lambda _messages: None
    await store.async_save()
    store.put(message("two"))
    await store.async_save()
    assert store.saved.keys() == {"one", "two"}
    await store.async_close()


async def test_an_update_that_changes_nothing_writes_nothing(store: MessageStore, disk: FakeDisk) -> None:
    store.put(message().report_queued())
    await store.async_save()
    assert store.update("one", OutgoingMessage.report_queued) is store.messages["one"]
    await store.async_save()
    assert disk.commits == 1


async def test_the_services_time_is_stored_once_it_is_known(
    hass: HomeAssistant, store: MessageStore, disk: FakeDisk
) -> None:
    store.put(message(created=hass.loop.time()))
    await store.async_save()
    store.async_anchor(None)
    store.async_anchor(1_900_000_000.0)
    store.async_anchor(1_900_005_000.0)
    await store.async_save()
    assert disk.commits == 2
    file = disk.files[ACCOUNT]
    assert file.meta["clock"]["is_anchored"]
    assert file.messages["one"]["created"] == pytest.approx(1_900_000_000.0, abs=5)


async def test_of_earlier_runs_all_become_as_old_as_the_service_tells(
    hass: HomeAssistant, store: MessageStore, disk: FakeDisk
) -> None:
    store.async_anchor(1_900_000_000.0)
    now = hass.loop.time()
    store.put(message("one", created=now, expires=now + HOUR))
    store.put(delivered("two"))
    await store.async_save()
    store.archive("two")
    await store.async_save()
    disk.files[ACCOUNT].meta["clock"]["boot_id"] = "another"
    again = await reload(hass, disk)
    again.put(message("three", created=hass.loop.time(), expires=hass.loop.time() + HOUR))
    for _ in range(2):
        again.async_anchor(1_900_000_000.0 + 600)
    await again.async_save()
    ages = [hass.loop.time() - again.messages[key].created for key in ("one", "three")]
    assert ages == pytest.approx([600, 0], abs=5)
    (finished,) = again.history
    assert hass.loop.time() - (finished.finished or 0.0) == pytest.approx(600, abs=5)


async def test_a_message_sent_between_two_unknown_boots_keeps_its_expiry(
    hass: HomeAssistant, store: MessageStore, disk: FakeDisk
) -> None:
    store.async_anchor(1_900_000_000.0)
    await store.async_save()
    disk.files[ACCOUNT].meta["clock"]["boot_id"] = "another"
    between = await reload(hass, disk)
    await asyncio.sleep(0.01)
    now = hass.loop.time()
    between.put(message("one", created=now, expires=now + HOUR))
    between.put(message("two", created=now, expires=now))
    await between.async_save()
    disk.files[ACCOUNT].meta["clock"]["boot_id"] = "yet another"
    again = await reload(hass, disk)
    for _ in range(2):
        again.async_anchor(1_900_000_000.0 + 2 * HOUR)
    await again.async_save()
    now = hass.loop.time()
    one, two = (again.messages[key] for key in ("one", "two"))
    assert (now - one.created, one.expires - now) == pytest.approx((2 * HOUR, HOUR), abs=5)
    assert not two.can_be_queued
