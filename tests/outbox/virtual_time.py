"""An event loop whose time passes as soon as nobody has anything left to do."""

import asyncio
import selectors
from typing import override


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for input, of which there is none, lets the time that would have been waited pass."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self.now = now

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
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
