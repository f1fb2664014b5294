"""Measures the Home Assistant that it runs in from inside, so that no request from outside is part of a measurement.

A custom integration that is put beside `gosms` in the configuration folder, so that the shipped code needs no hooks.
CPU time is that of the whole process: the event loop, the threads that write files, the recorder.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import cache
import gc
from pathlib import Path
import time
import tracemalloc
from typing import Any, Final, override

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

type Json = dict[str, Any]
type _Handler = Callable[[HomeAssistant, Json], Coroutine[Any, Any, Json]]


async def async_setup(hass: HomeAssistant, _config: Json) -> bool:
    """Register the actions."""
    clock = AdjustableClock(hass)

    async def async_count_writes(_hass: HomeAssistant, _data: Json) -> Json:
        """Return the file writes of the integration, and their bytes, since the first call."""
        return _write_counter().counts()

    async def async_advance_time(_hass: HomeAssistant, data: Json) -> Json:
        """Advance the clocks, so that timers fire."""
        await clock.async_advance(data["seconds"], data["step"])
        return {}

    for name, handler in {
        "advance_time": async_advance_time,
        "count_writes": async_count_writes,
        "import": _async_import,
        "perform": _async_perform,
        "perform_concurrently": _async_perform_concurrently,
        "refresh": _async_refresh,
        "reload": _async_reload,
        "settle": _async_settle,
    }.items():
        hass.services.async_register(
            DOMAIN, name, _service_handler(hass, handler), supports_response=SupportsResponse.ONLY
        )
    return True


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
    started, cpu = time.perf_counter(), time.process_time()
    if entry_id := data.get("entry_id"):
        await hass.config_entries.async_reload(entry_id)
    else:
        await hass.services.async_call("rest", "reload", blocking=True)
    await hass.async_block_till_done()
    result: Json = {"cpu": time.process_time() - cpu, "seconds": time.perf_counter() - started}
    if data["traced"]:
        gc.collect()
        result["memory"], _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return result


class _CpuCheckpoint(RecorderTask):
    """The CPU time of the process at a moment.

    The recorder works in a thread of its own, with a delay. All its work for the events before the checkpoint counts,
    even if it happens later, and none of its work for the events after it.
    """

    commit_before = False

    def __init__(self, hass: HomeAssistant) -> None:
        """Take the CPU time of all other threads now, and queue a task for that of the recorder."""
        recorder = get_instance(hass)
        assert recorder.ident is not None
        clock = time.pthread_getcpuclockid(recorder.ident)
        self._others = time.process_time() - time.clock_gettime(clock)
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
    """Counts the integration's writes to its files."""

    def __init__(self) -> None:
        """Start to count."""
        # Not at the top: the import of the integration is measured too.
        from custom_components.gosms.outbox import journal  # noqa: PLC0415

        self.writes = 0
        self.bytes = 0
        # Every write goes through one of these functions.
        for write in (journal.write_file, journal.append):
            setattr(journal, write.__name__, self._counted(write))

    def _counted(self, write: Callable[..., None]) -> Callable[..., None]:
        """Return a function that counts its calls."""

        def counted(path: Path, *arguments: Any) -> None:  # noqa: ANN401  # Passed through.
            write(path, *arguments)
            self.writes += 1
            self.bytes += len(arguments[-1])

        return counted

    def counts(self) -> Json:
        """Return the number of writes and bytes."""
        return {"writes": self.writes, "bytes": self.bytes}


_write_counter: Final = cache(_WriteCounter)
