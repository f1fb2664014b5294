"""Measures the Home Assistant that it runs in from inside, so that no request from outside is part of a measurement.

A custom integration that is put beside `gosms` in the configuration folder, so that the shipped code needs no hooks.
CPU time is that of the whole process: the event loop, the threads that write files, the recorder.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
import gc
from pathlib import Path
import sqlite3
import time
import tracemalloc
from typing import Any, Final, NoReturn, override

from aiontfy.update import UpdateChecker, UpdateCheckerError
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.components.sensor import DOMAIN as SENSOR
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.loader import async_get_integration
import psutil  # type: ignore[import-untyped]  # Comes with Home Assistant, without types.

from .clock import AdjustableClock

DOMAIN: Final = "probe"

# Seconds between two looks at how long the event loop takes for a turn.
_HEARTBEAT: Final = 0.002

type Json = dict[str, Any]
type _Handler = Callable[[HomeAssistant, Json], Coroutine[Any, Any, Json]]


async def async_setup(hass: HomeAssistant, _config: Json) -> bool:
    """Register the actions."""
    clock = AdjustableClock(hass)
    UpdateChecker.latest_release = _no_release  # type: ignore[assignment,method-assign]  # It would ask GitHub.

    async def async_count_writes(_hass: HomeAssistant, _data: Json) -> Json:
        """Return the commits of the integration, and the bytes that they wrote, since the first call."""
        return _write_counter().counts()

    async def async_fill_history(_hass: HomeAssistant, data: Json) -> Json:
        """Store copies of the message that ended last."""
        await _write_counter().async_fill_history(data["count"])
        return {}

    async def async_advance_time(_hass: HomeAssistant, data: Json) -> Json:
        """Advance the clocks, so that timers fire."""
        await clock.async_advance(data["seconds"], data["step"])
        return {}

    for name, handler in {
        "advance_time": async_advance_time,
        "count_writes": async_count_writes,
        "fill_history": async_fill_history,
        "import": _async_import,
        "perform": _async_perform,
        "perform_concurrently": _async_perform_concurrently,
        "refresh": _async_refresh,
        "reload": _async_reload,
        "settle": _async_settle,
        "storm": _async_storm,
    }.items():
        hass.services.async_register(
            DOMAIN, name, _service_handler(hass, handler), supports_response=SupportsResponse.ONLY
        )
    return True


async def _no_release(_checker: UpdateChecker) -> NoReturn:
    """Answer the question for the newest release of ntfy without a request."""
    raise UpdateCheckerError


def _service_handler(hass: HomeAssistant, handler: _Handler) -> Callable[[ServiceCall], Coroutine[Any, Any, Json]]:
    """Return a handler as a service handler."""

    async def async_handle(call: ServiceCall) -> Json:
        return await handler(hass, dict(call.data))

    return async_handle


async def _async_settle(hass: HomeAssistant, _data: Json) -> Json:
    """Wait for all tasks and for the recorder, and return the CPU time so far."""
    await hass.async_block_till_done()
    await get_instance(hass).async_block_till_done()
    return {"cpu": time.process_time()}


async def _async_perform(hass: HomeAssistant, data: Json) -> Json:
    """Perform an action repeatedly, each time with another text, and wait for everything that follows."""
    seconds: list[float] = []
    checkpoints: list[tuple[_CpuCheckpoint, _CpuCheckpoint]] = []
    await _async_settle(hass, {})
    cpu = time.process_time()
    for number in range(data["times"]):
        await asyncio.sleep(data["pause"])
        started, before = time.perf_counter(), _CpuCheckpoint(hass)
        await _async_perform_once(hass, data, number)
        seconds.append(time.perf_counter() - started)
        checkpoints.append((before, _CpuCheckpoint(hass)))
    await _async_settle(hass, {})
    return {
        "cpu": time.process_time() - cpu,
        "calls": [after.cpu - before.cpu for before, after in checkpoints],
        "threads": [after.threads - before.threads for before, after in checkpoints],
        "seconds": seconds,
    }


async def _async_perform_concurrently(hass: HomeAssistant, data: Json) -> Json:
    """Perform an action many times at once."""
    started = time.perf_counter()
    results = await asyncio.gather(
        *(_async_perform_once(hass, data, number) for number in range(data["times"])), return_exceptions=True
    )
    return {
        "seconds": time.perf_counter() - started,
        "errors": sum(isinstance(result, Exception) for result in results),
    }


async def _async_storm(hass: HomeAssistant, data: Json) -> Json:
    """Perform an action many times, as fast as the event loop begins them, and wait for all."""
    calls: list[asyncio.Task[None]] = []
    async with _measure_blocks() as blocks:
        for number in range(data["times"]):
            calls.append(hass.async_create_task(_async_perform_once(hass, data, number), eager_start=False))
            # The calls of automations come one by one. Thousands in one turn of the loop would be a block themselves.
            await asyncio.sleep(0)
        results = await asyncio.gather(*calls, return_exceptions=True)
    return {**blocks, "errors": sum(isinstance(result, Exception) for result in results)}


@asynccontextmanager
async def _measure_blocks() -> AsyncGenerator[Json]:
    """Measure for how long the event loop is blocked at most: in seconds, and in seconds of CPU of its thread."""
    longest: Json = {"block": 0.0, "block_cpu": 0.0}

    async def beat() -> None:
        while True:
            started, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_HEARTBEAT)
            longest["block"] = max(longest["block"], time.perf_counter() - started - _HEARTBEAT)
            longest["block_cpu"] = max(longest["block_cpu"], time.thread_time() - cpu)

    # What is there already is Home Assistant's: to look through it for garbage takes longer than all that is measured.
    gc.collect()
    gc.freeze()
    heartbeat = asyncio.create_task(beat())
    try:
        yield longest
    finally:
        heartbeat.cancel()
        gc.unfreeze()


async def _async_perform_once(hass: HomeAssistant, data: Json, number: int) -> None:
    """Perform an action with a text of its own."""
    domain, _, service = data["action"].partition(".")
    await hass.services.async_call(
        domain, service, {**data["data"], "message": f"{data['message']} {number}"}, blocking=True
    )


async def _async_refresh(hass: HomeAssistant, data: Json) -> Json:
    """Poll for an entity repeatedly through its coordinator, as the timer does."""
    coordinator = _coordinator(hass, data["entity_id"])
    cpu, seconds = [], []
    for _ in range(data["times"]):
        await asyncio.sleep(data["pause"])
        await _async_settle(hass, {})
        started, before = time.perf_counter(), time.process_time()
        await coordinator.async_refresh()
        await _async_settle(hass, {})
        cpu.append(time.process_time() - before)
        seconds.append(time.perf_counter() - started)
        if not coordinator.last_update_success:
            raise RuntimeError(f"the poll of {data['entity_id']} failed")
    return {"cpu": cpu, "seconds": seconds}


def _coordinator(hass: HomeAssistant, entity_id: str) -> DataUpdateCoordinator[Any]:
    """Return the coordinator of a sensor, in whichever attribute its integration keeps it."""
    entity = hass.data[DATA_INSTANCES][SENSOR].get_entity(entity_id)
    found = getattr(entity, "coordinator", None) or getattr(entity, "_coordinator", None)
    if not isinstance(found, DataUpdateCoordinator):
        raise TypeError(f"{entity_id} has no coordinator")
    return found


async def _async_import(hass: HomeAssistant, data: Json) -> Json:
    """Import an integration with its platforms for the first time."""
    process = psutil.Process()
    integration = await async_get_integration(hass, data["domain"])
    gc.collect()
    memory, cpu = process.memory_info().rss, time.process_time()
    await integration.async_get_component()
    await integration.async_get_platforms(integration.platforms_exists(data["platforms"]))
    return {"cpu": time.process_time() - cpu, "memory": process.memory_info().rss - memory}


async def _async_reload(hass: HomeAssistant, data: Json) -> Json:
    """Reload an entry, or the rest sensors if none is given; the first poll is included."""
    await _async_settle(hass, {})
    if data["traced"]:
        gc.collect()
        tracemalloc.start()
    async with _measure_blocks() as blocks:
        started, cpu = time.perf_counter(), time.process_time()
        if entry_id := data.get("entry_id"):
            await hass.config_entries.async_reload(entry_id)
        else:
            await hass.services.async_call("rest", "reload", blocking=True)
        await hass.async_block_till_done()
        result: Json = {"cpu": time.process_time() - cpu, "seconds": time.perf_counter() - started}
    result |= blocks
    if data["traced"]:
        gc.collect()
        result["memory"], _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return result


class _CpuCheckpoint(RecorderTask):
    """The CPU time of the process at a moment.

    The recorder works in a thread of its own, with a delay. All its work for the events before the checkpoint counts,
    even if it happens later, and none of its work for the events after it.

    Attributes:
        threads: the CPU time in seconds of all threads except for the recorder and the event loop.
    """

    commit_before = False

    def __init__(self, hass: HomeAssistant) -> None:
        """Take the CPU time of all other threads now, and queue a task for that of the recorder."""
        recorder = get_instance(hass)
        assert recorder.ident is not None
        clock = time.pthread_getcpuclockid(recorder.ident)
        self._others = time.process_time() - time.clock_gettime(clock)
        self.threads = self._others - time.thread_time()
        self._recorder = 0.0
        recorder.queue_task(self)

    @override
    def run(self, instance: Recorder) -> None:
        """Take the CPU time of the recorder, in its thread, after all earlier events were processed."""
        self._recorder = time.thread_time()

    @property
    def cpu(self) -> float:
        """The CPU time in seconds, once the recorder has processed the task."""
        return self._others + self._recorder


class _WriteCounter:
    """Counts the integration's commits, and the bytes that they write.

    A commit appends to the log of the database; a checkpoint copies pages of the log into the main file. How many is
    not told: each page of the log is counted, also one that a later one replaced.
    """

    def __init__(self) -> None:
        """Start to count; databases that are open already are not counted."""
        # Not at the top: the import of the integration is measured too.
        from custom_components.gosms.outbox import SqliteStorage  # noqa: PLC0415

        self.commits = 0
        self.bytes = 0
        self._commit = SqliteStorage.async_commit
        # The last transaction with a message that ended.
        self._ended: tuple[Any, Any] | None = None
        for owner, name, wrapper in (
            (SqliteStorage, "async_commit", self._counted_commit()),
            (sqlite3, "connect", self._counted_connect(sqlite3.connect)),
        ):
            setattr(owner, name, wrapper)

    def _counted_commit(self) -> Callable[..., Coroutine[None, None, None]]:
        """Return the commit of a storage that is counted."""

        async def commit(storage: Any, changes: Any) -> None:  # noqa: ANN401  # Imported late.
            await self._commit(storage, changes)
            self.commits += 1
            if changes.finished:
                self._ended = storage, changes

        return commit

    def _counted_connect(self, connect: Callable[..., sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
        """Return a function that opens a database, and counts the bytes of the integration's."""
        counter = self

        class Connection(sqlite3.Connection):
            """A connection whose commits and checkpoints are counted."""

            log: Path

            @override
            def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
                before = _size(self.log)
                result = super().execute(sql, *arguments)
                if sql == "COMMIT":
                    counter.bytes += _size(self.log) - before
                elif "wal_checkpoint" in sql:
                    counter.bytes += before - _size(self.log)
                return result

        def connect_counted(database: str | Path, *arguments: object, **options: object) -> sqlite3.Connection:
            path = Path(database)
            if not path.name.startswith("gosms."):
                return connect(database, *arguments, **options)
            connection = connect(database, *arguments, factory=Connection, **options)
            assert isinstance(connection, Connection)
            connection.log = path.with_name(f"{path.name}-wal")
            return connection

        return connect_counted

    async def async_fill_history(self, count: int) -> None:
        """Store so many copies of the message that ended last."""
        if self._ended is None:
            raise RuntimeError("no message has ended")
        storage, changes = self._ended
        ((ended, record),) = list(changes.finished.values())[:1]
        copies = {
            key: (ended, replace(record, key=key, parts=(replace(record.parts[0], id=f"{number:024x}"),)))
            for number in range(count)
            for key in [f"{number:026}"]
        }
        await self._commit(storage, replace(changes, messages={}, finished=copies, meta={}, forget_before=None))

    def counts(self) -> Json:
        """Return the number of commits and bytes."""
        return {"commits": self.commits, "bytes": self.bytes}


def _size(file: Path) -> int:
    """Return the size of a file, 0 if there is none."""
    return file.stat().st_size if file.exists() else 0


_write_counter: Final = cache(_WriteCounter)
