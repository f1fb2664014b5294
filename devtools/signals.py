"""Orderly shutdown of programs that start other processes."""

import asyncio
from collections.abc import Coroutine
import signal
from typing import Final

# The exit code of a program that was interrupted, as a shell reports it for Ctrl-C.
INTERRUPTED: Final = 130


async def interruptible[T](coroutine: Coroutine[None, None, T]) -> T:
    """Await a coroutine; the first signal to end cancels it, and later ones do not disturb the cleanup."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if not task.cancelling():
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, interrupt)
    return await coroutine
