"""Tasks that may outlive their request, and that end with the server."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from aiohttp import web

# Seconds that a client that does not read can delay the shutdown.
_SHUTDOWN_TIMEOUT: Final = 0.5

_STOPPING: Final = web.AppKey("stopping", asyncio.Event)
RUNNING: Final = web.AppKey("running", set[asyncio.Task[Any]])


def set_up(app: web.Application) -> None:
    """Prepare an application for tasks."""
    app[_STOPPING] = asyncio.Event()
    app[RUNNING] = set()
    app.on_shutdown.append(_stop)


def start[T](app: web.Application, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start a task that the server waits for when it stops."""
    task = asyncio.create_task(work)
    app[RUNNING].add(task)
    task.add_done_callback(app[RUNNING].discard)
    return task


async def pause(app: web.Application, seconds: float) -> None:
    """Wait, but not beyond the shutdown of the server."""
    try:
        async with asyncio.timeout(seconds):
            await app[_STOPPING].wait()
    except TimeoutError:
        return


async def _stop(app: web.Application) -> None:
    """End all pauses, and with them the tasks, so that none outlives the server."""
    app[_STOPPING].set()
    if running := app[RUNNING]:
        _, stuck = await asyncio.wait(running, timeout=_SHUTDOWN_TIMEOUT)
        for task in stuck:
            task.cancel()
