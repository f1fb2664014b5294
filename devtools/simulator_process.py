"""The simulated GoSMS.ru service as a process of its own."""

import asyncio
import json
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import ClientSession

from .hass_client import Json
from .process import ROOT, ChildProcess, ProcessError

# Not a secret: only the simulator accepts it.
TOKEN = "invented.token.of-the-demo"

# Seconds. A history of a million messages takes a good part of it.
START_TIMEOUT = 60.0
POLL_INTERVAL = 0.05


class SimulatorProcess:
    """A simulator process; `url` is the address of the service that the integration is given."""

    url: str
    control_url: str

    def __init__(self, folder: Path, *, token: str = TOKEN, arguments: tuple[str, ...] = ()) -> None:
        """Prepare a simulator that accepts token and logs to a file in folder."""
        self.token = token
        self.log = folder / "simulator.log"
        self._arguments = ["--port", "0", "--token", token, "--exit-with-stdin", *arguments]
        self._process: ChildProcess | None = None

    async def __aenter__(self) -> Self:
        self._process = await ChildProcess.start(["-m", "simulator", *self._arguments], folder=ROOT, log=self.log)
        try:
            addresses = await self._read_addresses(self._process)
        except BaseException:
            await self._process.stop()
            raise
        self.url = addresses["url"]
        self.control_url = addresses["control_url"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop the simulator: nothing listens at its address any more."""
        if self._process is not None:
            await self._process.stop()

    async def control(self, method: str, path: str, payload: object = None) -> Json:
        """Send a request to the simulator's controls and return its JSON, which is empty if there is none."""
        async with (
            ClientSession(raise_for_status=True) as session,
            session.request(method, f"{self.control_url}/{path}", json=payload) as response,
        ):
            result: Json = json.loads(await response.read() or "{}")
        return result

    async def _read_addresses(self, process: ChildProcess) -> Json:
        """Wait for the line with the simulator's addresses."""
        try:
            async with asyncio.timeout(START_TIMEOUT):
                while process.is_running:
                    for line in process.log_tail().splitlines():
                        if line.startswith("{"):
                            addresses: Json = json.loads(line)
                            return addresses
                    await asyncio.sleep(POLL_INTERVAL)
        except TimeoutError:
            pass
        raise ProcessError(f"the simulator did not start:\n{process.log_tail()}")
