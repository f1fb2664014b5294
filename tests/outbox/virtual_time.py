"""An event loop whose clock jumps to the next timer as soon as nothing else is ready."""

import asyncio
import selectors
from typing import Final, override

# Seconds.
_TICK: Final = 1e-6


class _JumpingSelector(selectors.DefaultSelector):
    """Advances its clock instead of waiting for input, of which there is none."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self.now = now

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # Each iteration takes some time, as in reality: a timer that is a rounding error too early must not loop.
        self.now += max(timeout or 0.0, _TICK)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Runs days within moments, deterministically."""

    def __init__(self, now: float) -> None:
        """Start at this time of the loop's clock, in seconds."""
        self._jumping = _JumpingSelector(now)
        super().__init__(self._jumping)

    @override
    def time(self) -> float:
        return self._jumping.now

    def run_for(self, seconds: float) -> None:
        """Run for so many seconds, or until the loop is stopped."""
        timer = self.call_later(seconds, self.stop)
        self.run_forever()
        timer.cancel()
