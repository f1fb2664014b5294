"""Measures from within the Home Assistant that it runs in, so that no request from outside is part of a figure.

An integration of the benchmark's own, put beside `gosms` in a house's folder: the code that is shipped has no hook for
it. CPU time is that of the whole process: the event loop, the threads that write files, the recorder.
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

from .clock import Clock

DOMAIN: Final = "stopwatch"

type Json = dict[str, Any]
type _Handler = Callable[[HomeAssistant, Json], Coroutine[Any, Any, Json]]


async def async_setup(hass: HomeAssistant, _config: Json) -> bool:
    """Register the actions."""
    clock = Clock(hass)

    async def async_written(_hass: HomeAssistant, _data: Json) -> Json:
        """Tell how often, and how much, the integration has written to its files since this was asked first."""
        return _files().told()

    async def async_pass_time(_hass: HomeAssistant, data: Json) -> Json:
        """Let time pass, and all that is due in it."""
        await clock.async_pass(data["seconds"], data["step"])
        return {}

    for name, handler in {
        "load": _async_load,
        "pass_time": async_pass_time,
        "perform": _async_perform,
        "perform_at_once": _async_perform_at_once,
        "refresh": _async_refresh,
        "reload": _async_reload,
        "settle": _async_settle,
        "written": async_written,
    }.items():
        hass.services.async_register(DOMAIN, name, _answering(hass, handler), supports_response=SupportsResponse.ONLY)
    return True


def _answering(hass: HomeAssistant, handler: _Handler) -> Callable[[ServiceCall], Coroutine[Any, Any, Json]]:
    """Return a handler as Home Assistant calls it."""

    async def async_handle(call: ServiceCall) -> Json:
        return await handler(hass, dict(call.data))

    return async_handle


async def _async_settle(hass: HomeAssistant, _data: Json) -> Json:
    """Wait until everything that was begun has ended, and the database has it; returns the CPU time until now."""
    await hass.async_block_till_done()
    await get_instance(hass).async_block_till_done()
    return {"cpu": time.process_time()}


async def _async_perform(hass: HomeAssistant, data: Json) -> Json:
    """Perform an action again and again, each with another text, and wait for what it leaves behind."""
    seconds: list[float] = []
    marks: list[tuple[_Mark, _Mark]] = []
    await _async_settle(hass, {})
    cpu = time.process_time()
    for number in range(data["times"]):
        await asyncio.sleep(data["pause"])
        began, before = time.perf_counter(), _Mark(hass)
        await _async_act(hass, data, number)
        seconds.append(time.perf_counter() - began)
        marks.append((before, _Mark(hass)))
    await _async_settle(hass, {})
    return {
        "cpu": time.process_time() - cpu,
        "calls": [after.cpu - before.cpu for before, after in marks],
        "seconds": seconds,
    }


async def _async_perform_at_once(hass: HomeAssistant, data: Json) -> Json:
    """Perform an action many times at the same moment."""
    began = time.perf_counter()
    results = await asyncio.gather(
        *(_async_act(hass, data, number) for number in range(data["times"])), return_exceptions=True
    )
    return {"seconds": time.perf_counter() - began, "errors": sum(isinstance(result, Exception) for result in results)}


async def _async_act(hass: HomeAssistant, data: Json, number: int) -> None:
    """Perform an action with a text of its own."""
    domain, _, service = data["action"].partition(".")
    await hass.services.async_call(
        domain, service, {**data["data"], "message": f"{data['message']} {number}"}, blocking=True
    )


async def _async_refresh(hass: HomeAssistant, data: Json) -> Json:
    """Poll for an entity again and again, through its coordinator, as the timer does it."""
    coordinator = _coordinator(hass, data["entity_id"])
    cpu, seconds = [], []
    for _ in range(data["times"]):
        await asyncio.sleep(data["pause"])
        await _async_settle(hass, {})
        began, before = time.perf_counter(), time.process_time()
        await coordinator.async_refresh()
        await _async_settle(hass, {})
        cpu.append(time.process_time() - before)
        seconds.append(time.perf_counter() - began)
        if not coordinator.last_update_success:
            raise RuntimeError(f"the poll of {data['entity_id']} failed")
    return {"cpu": cpu, "seconds": seconds}


def _coordinator(hass: HomeAssistant, entity_id: str) -> DataUpdateCoordinator[Any]:
    """Return the coordinator of a sensor, under the name that its integration has for it."""
    entity = hass.data[DATA_INSTANCES][SENSOR].get_entity(entity_id)
    found = getattr(entity, "coordinator", None) or getattr(entity, "_coordinator", None)
    if not isinstance(found, DataUpdateCoordinator):
        raise TypeError(f"{entity_id} has no coordinator")
    return found


async def _async_load(hass: HomeAssistant, data: Json) -> Json:
    """Import an integration with its platforms, which must not have happened before."""
    process = psutil.Process()
    integration = await async_get_integration(hass, data["domain"])
    gc.collect()
    memory, cpu = process.memory_info().rss, time.process_time()
    await integration.async_get_component()
    await integration.async_get_platforms(integration.platforms_exists(data["platforms"]))
    return {"cpu": time.process_time() - cpu, "memory": process.memory_info().rss - memory}


async def _async_reload(hass: HomeAssistant, data: Json) -> Json:
    """Set up anew what is set up: an entry, or the rest sensors where none is named; the first poll is part of it."""
    await _async_settle(hass, {})
    if data["traced"]:
        gc.collect()
        tracemalloc.start()
    began, cpu = time.perf_counter(), time.process_time()
    if entry_id := data.get("entry_id"):
        await hass.config_entries.async_reload(entry_id)
    else:
        await hass.services.async_call("rest", "reload", blocking=True)
    await hass.async_block_till_done()
    answer: Json = {"cpu": time.process_time() - cpu, "seconds": time.perf_counter() - began}
    if data["traced"]:
        gc.collect()
        answer["memory"], _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return answer


class _Mark(RecorderTask):
    """A moment, and the CPU time of the process until then.

    The recorder works in a thread of its own, some time behind. What it does for that which was told until then counts
    to its end, and nothing that it still does for what was told before.
    """

    commit_before = False

    def __init__(self, hass: HomeAssistant) -> None:
        """Make a mark at this moment."""
        recorder = get_instance(hass)
        assert recorder.ident is not None
        clock = time.pthread_getcpuclockid(recorder.ident)
        self._others = time.process_time() - time.clock_gettime(clock)
        self._recorder = 0.0
        recorder.queue_task(self)

    @override
    def run(self, instance: Recorder) -> None:
        """Take note of the recorder's time, in its thread: everything that was told before the mark is behind it."""
        self._recorder = time.thread_time()

    @property
    def cpu(self) -> float:
        """Return the CPU time, in seconds, once the recorder has come by."""
        return self._others + self._recorder


class _Files:
    """Counts what the integration writes to its files."""

    def __init__(self) -> None:
        """Begin to count."""
        # Not earlier: importing the integration is measured too.
        from custom_components.gosms.outbox import journal  # noqa: PLC0415

        self.writes = 0
        self.bytes = 0
        # Every way to a file leads through one of them.
        for write in (journal._write, journal._append):  # noqa: SLF001
            setattr(journal, write.__name__, self._counted(write))

    def _counted(self, write: Callable[..., None]) -> Callable[..., None]:
        """Let a way to a file be counted."""

        def counted(path: Path, *arguments: Any) -> None:  # noqa: ANN401  # Handed on as they come.
            write(path, *arguments)
            self.writes += 1
            self.bytes += len(arguments[-1])

        return counted

    def told(self) -> Json:
        """Return how often, and how much, was written."""
        return {"writes": self.writes, "bytes": self.bytes}


_files: Final = cache(_Files)
