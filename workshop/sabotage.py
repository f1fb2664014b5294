"""A house with a saboteur in it, and who gives him his orders."""

import asyncio
from collections import Counter
from collections.abc import Callable
import json
from pathlib import Path
import random
import shutil
from typing import Any, Final, override

from aiohttp import ClientError

from .child import ROOT, ChildError
from .house import House, HouseError
from .saboteur.points import EVENTS, FOLDER, Point
from .screen import Screen

RANDOM: Final = "at a random moment"

# Seconds that a house works between two kills, at least and at most.
SHORTEST: Final = 0.3
LONGEST: Final = 2.0
# Seconds after which a moment that does not come gets one more message to come with, and until it must have come.
NUDGE: Final = 1.0
PATIENCE: Final = 60.0

SABOTEUR: Final = ROOT / "workshop" / "saboteur"


class ArmedHouse(House):
    """A house in which the saboteur lives beside the integration."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, configuration={"saboteur": {}})
        self.orders = folder / FOLDER

    @property
    def events(self) -> list[dict[str, Any]]:
        """What the event entities have told so far, over all runs; a line that a kill cut off was never told."""
        file = self.folder / EVENTS
        lines = file.read_text().splitlines(keepends=True) if file.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    @override
    def _furnish(self) -> None:
        """Let the saboteur in, and make the integration wait for him; all else of it is as it is shipped.

        Both are copies: a run must not take up what is edited meanwhile.
        """
        integrations = self.folder / "custom_components"
        for source in (SABOTEUR, ROOT / "custom_components" / "gosms"):
            shutil.copytree(source, integrations / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        file = integrations / "gosms" / "manifest.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "after_dependencies": [SABOTEUR.name]}))
        self.orders.mkdir()
        super()._furnish()


class Killer:
    """Kills a house, at named moments and at random ones, and starts it again; `kills` counts by the moments' names."""

    def __init__(self, house: ArmedHouse, screen: Screen, chance: random.Random) -> None:
        self.kills: Counter[str] = Counter()
        self._house = house
        self._screen = screen
        self._chance = chance

    def plan(self, count: int) -> list[tuple[Point | None, Point | None]]:
        """Return so many kills in rounds: the moment (None: a random one), and the one in the start that follows."""
        rounds: list[Point | None] = [point for point in Point if not point.is_in_set_up]
        rounds += [None] * (count - len(Point))
        self._chance.shuffle(rounds)
        starts: list[Point | None] = [point for point in Point if point.is_in_set_up]
        starts += [None] * (len(rounds) - len(starts))
        self._chance.shuffle(starts)
        return list(zip(rounds, starts, strict=True))

    async def kill(self, point: Point | None, nudge: Callable[[], None]) -> None:
        """Kill the house at this moment; nudge makes it more likely to come."""
        await asyncio.sleep(self._chance.uniform(SHORTEST, LONGEST))
        if point is not None:
            point.armed(self._house.orders).touch()
            try:
                async with asyncio.timeout(PATIENCE):
                    while not await self._ended():
                        nudge()
            except TimeoutError:
                raise ChildError(f"the moment {point!r} never came\n{self._house.tail()}") from None
        await self._house.kill()
        self._count(point)

    async def start(self, point: Point | None) -> None:
        """Start the house; if a moment is given, it is killed then, and started once more."""
        if point is not None:
            point.armed(self._house.orders).touch()
            try:
                await self._house.start()
            except HouseError, ClientError:
                await self._house.kill()
            self._count(point)
        await self._house.start()

    async def _ended(self) -> bool:
        """Wait a moment for the house to end."""
        try:
            await self._house.child.ended(NUDGE)
        except TimeoutError:
            return False
        return True

    def _count(self, point: Point | None) -> None:
        """Count a kill, if it happened where it should."""
        if point is not None:
            struck = point.struck(self._house.orders)
            if not struck.exists():
                raise ChildError(f"the moment {point!r} was not the end\n{self._house.tail()}")
            struck.unlink()
        self.kills[point.value if point else RANDOM] += 1
        self._screen.step(f"Killed {point.value if point else RANDOM}")
