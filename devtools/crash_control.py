"""A Home Assistant with the crash injector, and the order in which it is killed."""

import asyncio
from collections import Counter
from collections.abc import Callable
import json
from pathlib import Path
import random
import shutil
from typing import Any, Final, override

from aiohttp import ClientError

from .console import Console
from .crash_injector.crash_points import EVENTS, FOLDER, CrashPoint
from .hass_process import HomeAssistantProcess, HomeAssistantProcessError
from .process import ROOT, ProcessError

RANDOM: Final = "at a random moment"

# Seconds that Home Assistant runs between two kills.
MIN_UPTIME: Final = 0.3
MAX_UPTIME: Final = 2.0
# Seconds after which another call is released if an armed point was not hit, and until it must have been hit.
TRIGGER_INTERVAL: Final = 1.0
HIT_TIMEOUT: Final = 60.0

CRASH_INJECTOR: Final = ROOT / "devtools" / "crash_injector"


class InstrumentedProcess(HomeAssistantProcess):
    """A Home Assistant in which the crash injector runs beside the integration."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, configuration={CRASH_INJECTOR.name: {}})
        self.crash_points = folder / FOLDER

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of the event entities so far, over all runs; a line that a kill cut off does not count."""
        file = self.folder / EVENTS
        lines = file.read_text().splitlines(keepends=True) if file.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    @override
    def _write_files(self) -> None:
        """Add the crash injector, and let the integration start after it; otherwise it is as shipped.

        Both are copies, so that edits during a run have no effect.
        """
        integrations = self.folder / "custom_components"
        for source in (CRASH_INJECTOR, ROOT / "custom_components" / "gosms"):
            shutil.copytree(source, integrations / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        file = integrations / "gosms" / "manifest.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "after_dependencies": [CRASH_INJECTOR.name]}))
        self.crash_points.mkdir()
        super()._write_files()


class CrashController:
    """Kills Home Assistant at crash points and at random moments, and restarts it; `kills` counts them by name."""

    def __init__(self, hass: InstrumentedProcess, console: Console, chance: random.Random) -> None:
        self.kills: Counter[str] = Counter()
        self._hass = hass
        self._console = console
        self._chance = chance

    def plan(self, count: int) -> list[tuple[CrashPoint | None, CrashPoint | None]]:
        """Return so many kills in rounds: one under load (None: at a random moment), and one in the setup that follows.

        Most rounds have none in the setup (None).
        """
        kills: list[CrashPoint | None] = [point for point in CrashPoint if not point.is_in_setup]
        kills += [None] * (count - len(CrashPoint))
        self._chance.shuffle(kills)
        setups: list[CrashPoint | None] = [point for point in CrashPoint if point.is_in_setup]
        setups += [None] * (len(kills) - len(setups))
        self._chance.shuffle(setups)
        return list(zip(kills, setups, strict=True))

    async def kill(self, point: CrashPoint | None, trigger: Callable[[], None]) -> None:
        """Kill Home Assistant at this point; trigger makes the point more likely to be reached."""
        await asyncio.sleep(self._chance.uniform(MIN_UPTIME, MAX_UPTIME))
        if point is not None:
            point.armed_file(self._hass.crash_points).touch()
            try:
                async with asyncio.timeout(HIT_TIMEOUT):
                    while not await self._has_exited():
                        trigger()
            except TimeoutError:
                raise ProcessError(f"the crash point {point!r} was never hit\n{self._hass.log_tail()}") from None
        await self._hass.kill()
        self._count(point)

    async def start(self, point: CrashPoint | None) -> None:
        """Start Home Assistant; if a point is given, kill it there first and start it once more."""
        if point is not None:
            point.armed_file(self._hass.crash_points).touch()
            try:
                await self._hass.start()
            except HomeAssistantProcessError, ClientError:
                await self._hass.kill()
            self._count(point)
        await self._hass.start()

    async def _has_exited(self) -> bool:
        """Wait a moment for Home Assistant to exit, and return whether it did."""
        try:
            await self._hass.process.wait(TRIGGER_INTERVAL)
        except TimeoutError:
            return False
        return True

    def _count(self, point: CrashPoint | None) -> None:
        """Count a kill; ProcessError if the crash point was not hit."""
        if point is not None:
            hit = point.hit_file(self._hass.crash_points)
            if not hit.exists():
                raise ProcessError(f"Home Assistant ended before the crash point {point!r}\n{self._hass.log_tail()}")
            hit.unlink()
        self.kills[point.value if point else RANDOM] += 1
        self._console.step(f"Killed {point.value if point else RANDOM}")
