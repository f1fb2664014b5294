"""An event loop whose time passes as soon as nobody has anything left to do."""

import asyncio
import selectors
from typing import Final, override

# Seconds.
_TICK: Final = 1e-6


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for input, of which there is none, lets the time that would have been waited pass."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self.now = now

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # As on a real clock nothing takes no time: who comes back a rounding error too early must not do so for ever.
        self.now += max(timeout or 0.0, _TICK)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Runs days in moments, and always in the same way."""

    def __init__(self, now: float) -> None:
        """Start at this time of the loop's clock, in seconds."""
        self._jumping = _JumpingSelector(now)
        super().__init__(self._jumping)

    @override
    def time(self) -> float:
        return self._jumping.now

    def run_for(self, seconds: float) -> None:
        """Let time pass, or less if somebody stops the loop."""
        timer = self.call_later(seconds, self.stop)
        self.run_forever()
        timer.cancel()
