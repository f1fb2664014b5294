"""An end in good order for programs that start others."""

import asyncio
from collections.abc import Coroutine
import signal


async def interruptible[T](work: Coroutine[None, None, T]) -> T:
    """Do work; the first signal to end cancels it, and those that follow do not disturb the clearing up."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if not task.cancelling():
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, interrupt)
    return await work
