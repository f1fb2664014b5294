"""A Home Assistant with the crash injector, and the order in which it is killed."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
import json
from pathlib import Path
import random
import shutil
import signal
from typing import Any, Final, override

from aiohttp import ClientError

from ..console import Console
from ..hass_process import HomeAssistantProcess, HomeAssistantProcessError
from ..process import ROOT, ProcessError
from .crash_injector.crash_points import BOOT, EVENTS, FOLDER, FULL_DISK, CrashPoint

RANDOM: Final = "at a random moment"
WITH_FULL_DISK: Final = "with a full disk"

# Seconds that Home Assistant runs between two kills.
MIN_UPTIME: Final = 0.3
MAX_UPTIME: Final = 2.0
# Seconds after which another call is released if an armed point was not hit, and until it must have been hit.
TRIGGER_INTERVAL: Final = 1.0
HIT_TIMEOUT: Final = 120.0
# Seconds between SIGTERM and the kill of a Home Assistant that is stopping.
STOP_DELAY: Final = 0.05

# The share of the starts that follow a boot of the machine, and how many seconds the clock is wrong after one.
BOOT_SHARE: Final = 0.5
CLOCK_ERRORS: Final = (0.0, -7200.0, 7200.0, -60 * 86400.0)

CRASH_INJECTOR: Final = ROOT / "devtools" / "chaos" / "crash_injector"


class InstrumentedProcess(HomeAssistantProcess):
    """A Home Assistant in which the crash injector runs beside the integration."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, configuration={CRASH_INJECTOR.name: {}})
        self.crash_points = folder / FOLDER

    @property
    def has_full_disk(self) -> bool:
        """Whether the disk takes no messages."""
        return (self.crash_points / FULL_DISK).exists()

    @has_full_disk.setter
    def has_full_disk(self, is_full: bool) -> None:
        file = self.crash_points / FULL_DISK
        if is_full:
            file.touch()
        else:
            file.unlink(missing_ok=True)

    @property
    def files(self) -> list[Path]:
        """The files of the integration in Home Assistant's storage."""
        return sorted((self.folder / ".storage").glob("gosms*"))

    def boot(self, boot_id: str, clock_error: float) -> None:
        """Let the next starts belong to a boot of the machine, after which the clock is wrong by so many seconds."""
        boot = {"boot_id": boot_id, "clock_error": clock_error}
        (self.crash_points / BOOT).write_text(json.dumps(boot))

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of the event entities so far, over all runs; a line that a kill cut off does not count.

        Each tells whether the disk took that it was fired.
        """
        file = self.folder / EVENTS
        lines = file.read_text().splitlines(keepends=True) if file.exists() else []
        events: list[dict[str, Any]] = []
        # Where the run began that a line is of.
        start = 0
        for line in (json.loads(line) for line in lines if line.endswith("\n")):
            if "stored" not in line:
                events.append({**line, "is_stored": False})
                continue
            if not line["stored"]:
                start = len(events)
            for event in events[start : start + line["stored"]]:
                event["is_stored"] = True
        return events

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
        self.boot("boot 0", 0.0)
        super()._write_files()


class CrashController:
    """Kills Home Assistant at crash points and at random moments, and restarts it.

    `kills` counts them by name, `boots` the starts after a boot by the error of the clock.
    """

    def __init__(self, hass: InstrumentedProcess, console: Console, chance: random.Random) -> None:
        self.kills: Counter[str] = Counter()
        self.boots: Counter[float] = Counter()
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
        if kills[-1] is CrashPoint.AFTER_SIGTERM:
            # The backup that is made there is restored after a later kill.
            kills.reverse()
        setups: list[CrashPoint | None] = [point for point in CrashPoint if point.is_in_setup]
        setups += [None] * (len(kills) - len(setups))
        self._chance.shuffle(setups)
        return list(zip(kills, setups, strict=True))

    async def kill(self, point: CrashPoint | None, trigger: Callable[[], Awaitable[None]]) -> None:
        """Kill Home Assistant at this point; trigger makes the point more likely to be reached."""
        await asyncio.sleep(self._chance.uniform(MIN_UPTIME, MAX_UPTIME))
        if point is CrashPoint.AFTER_SIGTERM:
            self._hass.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(STOP_DELAY)
            point.hit_file(self._hass.crash_points).touch()
        elif point is not None:
            point.armed_file(self._hass.crash_points).touch()
            try:
                async with asyncio.timeout(HIT_TIMEOUT):
                    while not await self._has_exited():
                        await trigger()
            except TimeoutError:
                raise ProcessError(f"the crash point {point!r} was never hit\n{self._hass.log_tail()}") from None
        await self._hass.kill()
        self._count(point, WITH_FULL_DISK if self._hass.has_full_disk else RANDOM)
        self._hass.has_full_disk = False

    async def start(self, point: CrashPoint | None) -> None:
        """Start Home Assistant; if a point is given, kill it there first and start it once more."""
        error = 0.0
        if self._chance.random() < BOOT_SHARE:
            error = self._chance.choice(CLOCK_ERRORS)
            self.boots[error] += 1
        self._hass.boot(f"boot {self.boots.total()}", error)
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

    def _count(self, point: CrashPoint | None, other: str = RANDOM) -> None:
        """Count a kill, by another name if it had no point; ProcessError if the crash point was not hit."""
        if point is not None:
            hit = point.hit_file(self._hass.crash_points)
            if not hit.exists():
                raise ProcessError(f"Home Assistant ended before the crash point {point!r}\n{self._hass.log_tail()}")
            hit.unlink()
        self.kills[point.value if point else other] += 1
        self._console.step(f"Killed {point.value if point else other}")
