"""A clock that can be put forward, for all of Home Assistant: a day passes in half a minute."""

import asyncio
from datetime import UTC, datetime, tzinfo
import sys
import time
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

_ROUNDS: Final = 3

_real_time: Final = time.time
_real_utcnow: Final = dt_util.utcnow
_real_now: Final = dt_util.now


class Clock:
    """Puts the event loop's clock and the wall clock forward together.

    Timers are Home Assistant's own and fire by themselves. Nothing may be under way while the clock is put forward,
    or it would seem to have taken that long.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Take hold of the clocks, which go right for now."""
        self._hass = hass
        self._ahead = 0.0
        self._real_loop_time = hass.loop.time

    async def async_pass(self, seconds: float, step: float) -> None:
        """Let time pass in steps; what is due in a step happens at its end."""
        self._take_over()
        end = self._ahead + seconds
        while self._ahead < end:
            await self._async_settle()
            self._ahead = min(self._ahead + step, end)
        await self._async_settle()

    async def _async_settle(self) -> None:
        """Wait until nothing is under way."""
        # The loop looks at its timers once in each round, before it goes on with what was ready already.
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
        await get_instance(self._hass).async_block_till_done()
        # Last, since it ends in the moment in which it finds nothing.
        await self._hass.async_block_till_done(wait_background_tasks=True)

    def _take_over(self) -> None:
        """Let Home Assistant go by this clock, under whatever name a module knows the real one."""
        self._hass.loop.time = self._loop_time  # type: ignore[method-assign]  # The loop has no other way in.
        for module in [module for name, module in sys.modules.items() if name != __name__]:
            for name, value in list(vars(module).items()):
                if value is _real_time:
                    setattr(module, name, self._time)
                elif value is _real_utcnow:
                    setattr(module, name, self._utcnow)
                elif value is _real_now:
                    setattr(module, name, self._now)

    def _loop_time(self) -> float:
        return self._real_loop_time() + self._ahead

    def _time(self) -> float:
        return _real_time() + self._ahead

    def _utcnow(self) -> datetime:
        return datetime.fromtimestamp(self._time(), UTC)

    def _now(self, time_zone: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp(self._time(), time_zone or dt_util.get_default_time_zone())
