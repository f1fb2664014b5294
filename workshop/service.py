"""The simulated GoSMS service as a process of its own."""

import asyncio
import json
from pathlib import Path
from types import TracebackType
from typing import Self

from .child import ROOT, Child, ChildError
from .home_assistant import Json

# Nothing of this opens anything anywhere.
TOKEN = "invented.token.of-the-demo"

START_TIMEOUT = 20.0
PAUSE = 0.05


class Service:
    """A simulator process; `url` is what the integration is given for the service's address."""

    url: str
    control_url: str

    def __init__(self, folder: Path, *, token: str = TOKEN, arguments: tuple[str, ...] = ()) -> None:
        """Plan a simulator that accepts token; its output goes to a file in folder."""
        self.token = token
        self._log = folder / "simulator.log"
        self._arguments = ["--port", "0", "--token", token, "--exit-with-stdin", *arguments]
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        self._child = await Child.start(["-m", "simulator", *self._arguments], folder=ROOT, log=self._log)
        try:
            greeting = await self._greeting(self._child)
        except BaseException:
            await self._child.stop()
            raise
        self.url = greeting["url"]
        self.control_url = greeting["control_url"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            await self._child.stop()

    async def _greeting(self, child: Child) -> Json:
        """Wait for the line in which the simulator tells its addresses."""
        try:
            async with asyncio.timeout(START_TIMEOUT):
                while child.running:
                    for line in child.tail().splitlines():
                        if line.startswith("{"):
                            greeting: Json = json.loads(line)
                            return greeting
                    await asyncio.sleep(PAUSE)
        except TimeoutError:
            pass
        raise ChildError(f"the simulator did not start:\n{child.tail()}")
