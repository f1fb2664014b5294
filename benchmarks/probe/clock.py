"""A clock for all of Home Assistant that can be advanced: a day passes in half a minute."""

import asyncio
from datetime import UTC, datetime, tzinfo
import sys
import time
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

_ITERATIONS: Final = 3

_real_time: Final = time.time
_real_utcnow: Final = dt_util.utcnow
_real_now: Final = dt_util.now


class AdjustableClock:
    """Advances the event loop's clock and the wall clock together.

    Timers are Home Assistant's own and fire as usual. No task may be running while the clock is advanced, or it would
    seem to have taken that long.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Start with the real time."""
        self._hass = hass
        self._offset = 0.0
        self._real_loop_time = hass.loop.time

    async def async_advance(self, seconds: float, step: float) -> None:
        """Advance the time in steps; timers fire at the end of a step."""
        self._patch_clocks()
        end = self._offset + seconds
        while self._offset < end:
            await self._async_settle()
            self._offset = min(self._offset + step, end)
        await self._async_settle()

    async def _async_settle(self) -> None:
        """Wait until no task is running."""
        # The loop checks its timers once per iteration, and runs the callbacks that were ready before.
        for _ in range(_ITERATIONS):
            await asyncio.sleep(0)
        await get_instance(self._hass).async_block_till_done()
        # Last, since it returns as soon as no task is left.
        await self._hass.async_block_till_done(wait_background_tasks=True)

    def _patch_clocks(self) -> None:
        """Replace the real clocks by this one, under whatever names modules have imported them."""
        self._hass.loop.time = self._loop_time  # type: ignore[method-assign]  # The loop has no other hook.
        for module in [module for name, module in sys.modules.items() if name != __name__]:
            for name, value in list(vars(module).items()):
                if value is _real_time:
                    setattr(module, name, self._time)
                elif value is _real_utcnow:
                    setattr(module, name, self._utcnow)
                elif value is _real_now:
                    setattr(module, name, self._now)

    def _loop_time(self) -> float:
        return self._real_loop_time() + self._offset

    def _time(self) -> float:
        return _real_time() + self._offset

    def _utcnow(self) -> datetime:
        return datetime.fromtimestamp(self._time(), UTC)

    def _now(self, time_zone: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp(self._time(), time_zone or dt_util.get_default_time_zone())
