"""A local server as a process of its own, which prints its addresses as one line of JSON."""

import asyncio
from collections.abc import Sequence
import json
from pathlib import Path
from types import TracebackType
from typing import Self

from .hass_client import Json
from .process import ROOT, ChildProcess, ProcessError

# Seconds. A simulator with a history of a million messages takes a good part of it.
START_TIMEOUT = 60.0
POLL_INTERVAL = 0.05


class ServerProcess:
    """A process that serves until its standard input closes; `url` is the address that clients are given."""

    url: str

    def __init__(self, module: str, log: Path, arguments: Sequence[str] = ()) -> None:
        """Prepare a server that logs to a file."""
        self.log = log
        self._command = ["-m", module, *arguments]
        self._process: ChildProcess | None = None

    async def __aenter__(self) -> Self:
        self._process = await ChildProcess.start(self._command, folder=ROOT, log=self.log)
        try:
            self.use(await self._read_addresses(self._process))
        except BaseException:
            await self._process.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop the server: nothing listens at its address any more."""
        if self._process is not None:
            await self._process.stop()

    def use(self, addresses: Json) -> None:
        """Use the addresses that the server printed."""
        self.url = addresses["url"]

    async def _read_addresses(self, process: ChildProcess) -> Json:
        """Wait for the line with the addresses."""
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
        raise ProcessError(f"{self._command[1]} did not start:\n{process.log_tail()}")
