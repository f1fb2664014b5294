"""Faults of the service, the disk, the clock and the process that cost a message, or doubled one."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
import gc
from pathlib import Path
import time
from typing import Any, Final
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.outbox import Recipient, SendRequest, SqliteStorage
from custom_components.gosms.outbox.storage import Changes
from simulator import Delivery, Fault, Status
from tests.common import MUM, SimulatedService, advance_time, repairs, send, set_up, wait_until
from tests.message_helpers import RecordedEvents, advance_time_in_steps, full_disk, texts
from tests.restarts import FILE, Machine, files_on_disk, start_again
from tests.services.actions import send_sms

SEND: Final = "POST /sms/send"
LIST: Final = "GET /sms"
MUMS_STATUS: Final = "sensor.mum_last_message_status"
NOON: Final = 1_795_521_600.0
KEPT: Final = "Water leak in “the cellar” — 5 < 7 & no ёж there"

pytestmark = [
    pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"),
    pytest.mark.usefixtures("no_rate_limit", "no_service_rate_limit", "machine"),
]


class Disk:
    """A disk whose commits can be held up, and are counted."""

    def __init__(self) -> None:
        self.commits = 0
        self._free = asyncio.Event()
        self._free.set()

    def hold(self) -> None:
        """Let no commit end."""
        self._free.clear()

    def release(self) -> None:
        """Let all commits end."""
        self._free.set()

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Let all commits go to this disk."""
        commit = SqliteStorage.async_commit

        async def hold(storage: SqliteStorage, changes: Changes) -> None:
            self.commits += 1
            await self._free.wait()
            await commit(storage, changes)

        with patch.object(SqliteStorage, "async_commit", hold):
            yield


@pytest.fixture
def disk() -> Iterator[Disk]:
    """A disk that a test can hold up."""
    disk = Disk()
    with disk.attached():
        yield disk


# A busy machine makes a turn longer, never shorter: the best of so many tries counts.
TRIES = 3


@asynccontextmanager
async def turns(hass: HomeAssistant) -> AsyncGenerator[list[float]]:
    """Collect how long the turns of the event loop take, in seconds of the processor: other programs do not count."""
    # The loop of the test plugin notes where each step was begun, which takes ten times as long as the step.
    hass.loop.set_debug(False)
    # What earlier tests left is not searched for garbage.
    gc.collect()
    gc.freeze()
    seconds: list[float] = []

    async def watch() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            seconds.append(time.thread_time() - began)

    watcher = asyncio.create_task(watch())
    yield seconds
    watcher.cancel()
    await asyncio.wait([watcher])
    gc.unfreeze()
    hass.loop.set_debug(True)


# The account is removed.


async def test_no_caller_hears_queued_of_what_a_removal_deletes(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, disk: Disk
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    disk.hold()
    callers = [
        hass.async_create_task(send_sms(hass, entity_id="notify.mum", message=f"Number {number}"))
        for number in range(12)
    ]
    before = disk.commits
    await wait_until(lambda: disk.commits > before)
    removal = hass.async_create_task(hass.config_entries.async_remove(entry.entry_id))
    await asyncio.sleep(0)
    disk.release()
    answers = [answer for (answer,) in await asyncio.gather(*callers)]
    await removal
    assert {(answer["status"], answer["queued"]) for answer in answers} == {("failed", False)}
    assert service.account.messages[:] == []
    assert await files_on_disk(hass) == {}


async def test_callers_are_answered_after_an_unload_that_failed(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, recorded: RecordedEvents
) -> None:
    await set_up(hass, entry)
    caller = hass.async_create_task(send_sms(hass, entity_id="notify.mum", message="Leak!"))
    await wait_until(lambda: texts(service) == ["Leak!"])

    async def fail_to_unload(*_: object) -> bool:
        await wait_until(lambda: hass.states.get(MUMS_STATUS).state == "waiting")
        assert not caller.done()
        return False

    with patch.object(hass.config_entries, "async_unload_platforms", fail_to_unload):
        assert not await hass.config_entries.async_unload(entry.entry_id)
    (answer,) = await caller
    await hass.async_block_till_done()
    assert answer["status"] == "waiting"
    assert recorded.types == ["accepted"]
    # Only a restart of Home Assistant gets it out of this state.
    entry.mock_state(hass, ConfigEntryState.LOADED)
    assert await hass.config_entries.async_unload(entry.entry_id)


# The process is killed.


async def test_nobody_hears_of_a_refusal_that_is_not_on_disk(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
    disk: Disk,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CODE, endpoint=SEND, code=1006, times=1)
    caller = hass.async_create_task(send_sms(hass, entity_id="notify.mum", message="Leak!"))
    await wait_until(lambda: len(service.requests_to(SEND)) == 1)
    disk.hold()
    before = disk.commits
    await wait_until(lambda: disk.commits > before)
    files = await files_on_disk(hass)
    assert not caller.done()
    assert recorded.types == []
    assert hass.states.get(MUMS_STATUS).state == "unknown"

    disk.release()
    (answer,) = await caller
    assert answer["status"] == "refused"
    # Events follow the answer.
    await hass.async_block_till_done()
    recorded.attributes.clear()
    # Nobody had been told anything yet when the process was killed, so the message goes on.
    await start_again(hass, entry, files)
    await advance_time_in_steps(hass, freezer, 60)
    assert texts(service) == ["Leak!"]
    assert recorded.types == ["queued", "accepted"]


@pytest.mark.parametrize(("fault", "arrived"), [(Fault.HANG_AFTER, 1), (Fault.HANG_BEFORE, 0)])
async def test_a_kill_during_a_request_neither_loses_nor_doubles_the_message(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
    fault: Fault,
    arrived: int,
) -> None:
    await set_up(hass, entry)
    service.faults.add(fault, endpoint=SEND, times=1)
    caller = hass.async_create_task(send_sms(hass, entity_id="notify.mum", message="Leak!"))
    await wait_until(lambda: (len(service.requests_to(SEND)), len(texts(service))) == (1, arrived))
    files = await files_on_disk(hass)
    assert not caller.done()
    freezer.tick(60)
    await caller
    # Events follow the answer.
    await hass.async_block_till_done()
    recorded.attributes.clear()

    await start_again(hass, entry, files)
    await advance_time_in_steps(hass, freezer, 60)
    assert texts(service) == ["Leak!"]
    assert recorded.types == ["queued", "accepted"]


async def test_a_kill_with_a_full_disk_costs_the_end_but_no_second_message(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    files = await files_on_disk(hass)
    with full_disk():
        await send(hass, "Leak!")
    await start_again(hass, entry, files)
    await advance_time_in_steps(hass, freezer, 120)
    assert texts(service) == ["Leak!"]
    assert recorded.types == ["accepted"]


# The outcome of a request is unknown.


@pytest.mark.parametrize("ahead", [3, 6, 60, 119, -60, -119])
async def test_two_clocks_of_the_service_cost_no_second_message(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, ahead: float
) -> None:
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    # By the header `Date`, all messages are created that much earlier, or later.
    service.faults.add(Fault.WRONG_DATE, seconds=ahead)
    await set_up(hass, entry)
    await send(hass, "Leak!")
    await advance_time_in_steps(hass, freezer, 60)
    assert texts(service) == ["Leak!"]
    assert hass.states.get("event.mum_message").attributes["event_type"] == "accepted"


async def test_the_same_text_by_another_sender_counts_as_ours(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """A known limitation: nothing tells the two apart."""
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_BEFORE, endpoint=SEND, times=1)
    await send(hass, "Leak!")
    service.account.add_message(message="Leak!", phone_number=MUM, status=Status.WAITING)
    await advance_time_in_steps(hass, freezer, 60)
    assert texts(service) == ["Leak!"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("phone_number", lambda number: f"+{number}"),
        ("phone_number", lambda number: f"8{number[1:]}"),
        ("message", lambda text: text.replace("&", "&amp;").replace("<", "&lt;")),
        ("message", lambda text: text.replace("“", '"').replace("”", '"')),
        ("message", lambda text: text.replace("“", "«").replace("”", "»")),
        ("message", lambda text: text.replace("ё", "е")),
        ("message", lambda text: text.replace("—", "-")),
        ("message", str.lower),
        ("message", lambda text: f" {text.replace(' ', '  ')}\r\n"),
        ("message", lambda text: text[:160]),
        ("message", lambda text: f"{text[:159]}…"),
    ],
)
async def test_a_message_that_the_service_tidied_up_is_recognized(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    name: str,
    change: Callable[[str], str],
) -> None:
    text = f"{KEPT} {'and so on ' * 15}".strip()
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    await send(hass, text)
    message = service.account.messages[0]
    setattr(message, name, change(getattr(message, name)))
    await advance_time_in_steps(hass, freezer, 60)
    assert len(service.requests_to(SEND)) == 1
    assert hass.states.get("event.mum_message").attributes["message_ids"] == [message.id]


async def test_a_really_different_text_is_another_message(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_BEFORE, endpoint=SEND, times=1)
    await send(hass, "Leak in the cellar!")
    service.account.add_message(message="Leak in the attic!", phone_number=MUM, status=Status.WAITING)
    await send(hass, "Leak in the kitchen!")
    assert texts(service) == ["Leak in the attic!", "Leak in the kitchen!"]
    await advance_time_in_steps(hass, freezer, 60)
    assert texts(service) == ["Leak in the attic!", "Leak in the kitchen!", "Leak in the cellar!"]


async def test_a_search_that_does_not_reach_back_proves_no_absence(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    await send(hass, "Leak!")
    for number in range(101):
        service.account.add_message(message=f"Of others {number}", phone_number=MUM)
    service.faults.add(Fault.FIRST_PAGE_ONLY, endpoint=LIST)
    await advance_time_in_steps(hass, freezer, 120)
    assert recorded.types == ["queued"]
    service.faults.clear()
    await advance_time_in_steps(hass, freezer, 70)
    assert recorded.types == ["queued", "accepted"]
    assert texts(service).count("Leak!") == 1


@pytest.mark.parametrize("fault", [Fault.LIST_AS_NULL, Fault.EMPTY_LIST])
async def test_a_list_that_its_total_contradicts_proves_no_absence(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
    fault: Fault,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    service.faults.add(fault, endpoint=LIST)
    await send(hass, "Leak!")
    await advance_time_in_steps(hass, freezer, 120)
    assert recorded.types == ["queued"]
    service.faults.clear()
    await advance_time_in_steps(hass, freezer, 70)
    assert recorded.types == ["queued", "accepted"]
    assert texts(service) == ["Leak!"]


# The service answers oddly.


@pytest.mark.parametrize("status", [402, 403, 404, 405, 418, 451])
async def test_a_page_of_a_proxy_instead_of_an_answer_costs_only_time(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
    status: int,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.FORBIDDEN, endpoint=SEND, status=status, times=1)
    await send(hass, "Leak!")
    assert hass.states.get(MUMS_STATUS).state == "queued"
    await advance_time_in_steps(hass, freezer, 30)
    assert texts(service) == ["Leak!"]
    assert recorded.types == ["queued", "accepted"]


@pytest.mark.parametrize("status", [400, 413, 414, 422])
async def test_a_request_that_nobody_can_understand_is_refused_at_once(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, recorded: RecordedEvents, status: int
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.FORBIDDEN, endpoint=SEND, status=status, times=1)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Leak!")
    assert error.value.translation_key == "refused"
    assert recorded.types == ["refused"]


async def test_an_unasked_answer_is_not_the_one_to_the_next_request(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    service.faults.add(Fault.UNASKED_RESPONSE, endpoint=SEND)
    for number in range(3):
        await send(hass, f"Number {number}")
        freezer.tick(0.1)
        await hass.async_block_till_done()
    await advance_time_in_steps(hass, freezer, 20)
    assert texts(service) == ["Number 0", "Number 1", "Number 2"]
    assert hass.states.get("sensor.gosms_ru_delivered_today").state == "3"


async def test_an_id_in_capitals_is_the_one_in_the_list(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    service.faults.add(Fault.UPPERCASE_ID, endpoint=SEND)
    await send(hass, "Leak!")
    await advance_time_in_steps(hass, freezer, 20)
    assert recorded.types == ["accepted", "sent", "delivered"]
    assert recorded.attributes[-1]["message_ids"] == [service.account.messages[0].id]


async def test_a_date_to_retry_after_is_respected(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS_UNTIL, endpoint=SEND, times=1, retry_after=120)
    await send(hass, "Leak!")
    await advance_time_in_steps(hass, freezer, 115)
    assert len(service.requests_to(SEND)) == 1
    await advance_time_in_steps(hass, freezer, 10)
    assert texts(service) == ["Leak!"]


# Calls that are repeated.


async def test_a_repeated_call_is_recognized_after_a_thousand_other_messages(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    hass.config_entries.async_update_entry(entry, options={"hourly_limit": 0})
    await set_up(hass, entry)
    service.account.quota = 1
    call = {"entity_id": "notify.mum", "message": "Leak!", "idempotency_key": "leak"}
    (first,) = await send_sms(hass, **call)
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await advance_time(hass, freezer, 6)
    # Each ends at once, so all are remembered.
    others = tuple(Recipient(phone_number=f"7912{number:07}") for number in range(999))
    await entry.runtime_data.outbox.async_send(SendRequest(to=others, text="Of others", parts=("Of others",)))
    await advance_time(hass, freezer, 751)
    sent = len(service.requests_to(SEND))
    (second,) = await send_sms(hass, **call)
    assert (second["status"], second["message_ids"]) == ("delivered", first["message_ids"])
    assert len(service.requests_to(SEND)) == sent == 1000


async def test_a_call_that_the_hourly_limit_refused_can_be_repeated(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    hass.config_entries.async_update_entry(entry, options={"hourly_limit": 1})
    await set_up(hass, entry)
    await send(hass, "One")
    call = {"entity_id": "notify.mum", "message": "Two", "idempotency_key": "two"}
    (refused,) = await send_sms(hass, **call)
    assert (refused["status"], refused["queued"]) == ("failed", False)
    await advance_time(hass, freezer, 3700)
    (sent,) = await send_sms(hass, **call)
    assert sent["status"] == "waiting"
    assert texts(service) == ["One", "Two"]


# Disk and clock.


@pytest.mark.parametrize("fault", [Fault.TOO_MANY_REQUESTS, Fault.REFUSE])
@pytest.mark.parametrize("boots", [0, 1])
@pytest.mark.parametrize("days_behind", [1 / 12, 60, 20_000])
async def test_a_clock_that_is_set_ends_no_message(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    machine: Machine,
    recorded: RecordedEvents,
    fault: Fault,
    boots: int,
    days_behind: float,
) -> None:
    service.faults.add(fault)
    with patch("custom_components.gosms.outbox.clock.time.time", return_value=NOON - 86_400 * days_behind):
        await set_up(hass, entry)
        await send(hass, "Leak!")
        await hass.async_block_till_done(wait_background_tasks=True)
    await advance_time(hass, freezer, 60)
    machine.boot(boots)
    await start_again(hass, entry)
    service.faults.clear()
    await advance_time_in_steps(hass, freezer, 120)
    assert texts(service) == ["Leak!"]
    assert recorded.types == ["queued", "accepted"]


async def test_a_slow_disk_delays_no_event_by_more_than_a_write(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
    disk: Disk,
) -> None:
    await set_up(hass, entry)
    await asyncio.gather(*(send(hass, f"Number {number}") for number in range(40)))
    for message in service.account.messages:
        service.account.set_status(message.id, Status.DELIVERED)
    before = disk.commits
    await advance_time(hass, freezer, 10)
    assert recorded.types.count("delivered") == 40
    # One with what the poll told, one with what was reported of it, and one with what changed meanwhile.
    assert disk.commits - before <= 3


@pytest.mark.parametrize("content", [b"", b"\0" * 8192, b"[]", b"<html><body>Please log in</body></html>"])
async def test_a_repair_reports_a_file_that_may_have_held_messages(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, content: bytes
) -> None:
    await set_up(hass, entry)
    await send(hass, "One")
    await start_again(hass, entry, {FILE: content})
    assert repairs(hass) == ["messages_lost"]
    await send(hass, "Two")
    assert texts(service) == ["One", "Two"]


@pytest.fixture
def unreadable(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """A disk that does not return the file."""
    Path(hass.config.path(".storage", FILE)).mkdir(parents=True)


@pytest.fixture
def unwritable(entry: MockConfigEntry) -> Iterator[None]:
    """A disk on which no sync succeeds."""
    with full_disk():
        yield


@pytest.mark.parametrize("fault", ["unreadable", "unwritable"])
async def test_a_repair_reports_a_failing_disk_at_the_start(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, request: pytest.FixtureRequest, fault: str
) -> None:
    request.getfixturevalue(fault)
    await set_up(hass, entry)
    assert repairs(hass) == ["storage_failed"]


# The event loop.


@pytest.mark.parametrize("faults", [[], [Fault.TOO_MANY_REQUESTS]], ids=["up", "down"])
async def test_five_thousand_calls_at_once_do_not_block_the_loop(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, faults: list[Fault]
) -> None:
    hass.config_entries.async_update_entry(entry, options={"hourly_limit": 0})
    await set_up(hass, entry)
    for fault in faults:
        service.faults.add(fault, endpoint=SEND)
    async with turns(hass) as seconds:
        callers: list[asyncio.Task[list[dict[str, Any]]]] = []
        for _ in range(500):
            callers += [
                hass.async_create_task(send_sms(hass, entity_id="notify.mum", message=f"{len(callers) + number}"))
                for number in range(10)
            ]
            await asyncio.sleep(0)
        answers = [answer for (answer,) in await asyncio.gather(*callers)]
    assert sum(answer["status"] == "failed" for answer in answers) >= 1000
    # Some 50 ms. A second try would find another outbox, so that a slow machine gets more time instead.
    assert max(seconds) < 0.25


async def test_a_reload_with_a_full_queue_does_not_block_the_loop(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, recorded: RecordedEvents
) -> None:
    hass.config_entries.async_update_entry(entry, options={"hourly_limit": 0})
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    to = tuple(Recipient(phone_number=f"7912{number:07}") for number in range(1000))
    await entry.runtime_data.outbox.async_send(SendRequest(to=to, text="Leak!", parts=("Leak!",)))
    await wait_until(lambda: recorded.types == ["queued"] * 1000)
    longest: list[float] = []
    for _ in range(TRIES):
        async with turns(hass) as seconds:
            assert await hass.config_entries.async_reload(entry.entry_id)
            await hass.async_block_till_done()
        assert entry.runtime_data.outbox.queued == 1000
        longest.append(max(seconds))
    assert min(longest) < 0.1


async def test_a_response_of_very_many_objects_does_not_block_the_loop(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.MANY_OBJECTS)
    longest: list[float] = []
    for _ in range(TRIES):
        async with turns(hass) as seconds:
            await entry.runtime_data.coordinator.async_refresh()
        assert hass.states.get(MUMS_STATUS).state == "unavailable"
        longest.append(max(seconds))
    assert min(longest) < 0.1
