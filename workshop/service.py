"""The simulated GoSMS service as a process of its own."""

import asyncio
import json
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import ClientSession

from .child import ROOT, Child, ChildError
from .home_assistant import Json

# Nothing of this opens anything anywhere.
TOKEN = "invented.token.of-the-demo"

# With a history of a million messages it takes some of it.
START_TIMEOUT = 60.0
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

    async def control(self, method: str, path: str, order: object = None) -> Json:
        """Speak to the simulator's controls; returns its answer, which is empty where it has nothing to say."""
        async with (
            ClientSession(raise_for_status=True) as session,
            session.request(method, f"{self.control_url}/{path}", json=order) as response,
        ):
            answer: Json = json.loads(await response.read() or "{}")
        return answer

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
