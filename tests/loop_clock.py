"""A clock of the event loop that stands still until a test advances it, so that no result depends on the machine.

Sockets work as usual: only what waits for the clock, such as timeouts, pauses and the rate limiter, waits for the test.
"""

import asyncio
from collections.abc import AsyncGenerator

import pytest

# Passes of the event loop in which a request that may be sent arrives.
_PASSES = 50


class LoopClock:
    """The clock."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Advance the time; what is due runs as soon as the test awaits something."""
        self.now += seconds


@pytest.fixture
async def loop_clock() -> AsyncGenerator[LoopClock]:
    """Stop the clock of the event loop until the end of the test."""
    loop = asyncio.get_running_loop()
    clock = LoopClock(loop.time())
    loop.time = clock  # type: ignore[method-assign]  # The loop asks itself for the time.
    yield clock
    del loop.time


async def settle() -> None:
    """Let everything run that does not wait for the clock, before a test asserts that nothing has happened."""
    for _ in range(_PASSES):
        await asyncio.sleep(0)
