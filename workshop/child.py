"""A child process that never outlives its starter."""

import asyncio
from collections.abc import Mapping, Sequence
import contextlib
import os
from pathlib import Path
import random
import signal
import socket
import sys
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
# Below the range from which systems give ports to outgoing connections: a house that is killed and started again must
# find its port free.
PORTS = range(20_000, 32_000)
# What has not ended this many seconds after SIGTERM is killed.
GRACE = 15.0


class ChildError(Exception):
    """A child process did not do what was wanted of it."""


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    while True:
        port = random.choice(PORTS)
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port


class Child:
    """A program that runs with its output in a file, and with a pipe as its tether to this process."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.log = log
        self._process = process

    @classmethod
    async def start(
        cls, arguments: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str] | None = None
    ) -> Self:
        """Start this Python with arguments; standard output and error are added to the file log."""
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                # Ctrl-C in the terminal is for the starter alone, which then stops its children in good order.
                start_new_session=True,
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """The exit code; negative for the signal that ended it, None while it runs."""
        return self._process.returncode

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process; one that has ended is left alone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def ended(self, timeout: float | None = GRACE) -> int:  # noqa: ASYNC109 - the callers' word for it
        """Wait for the end and return the exit code; TimeoutError after so many seconds, None for never."""
        async with asyncio.timeout(timeout):
            return await self._process.wait()

    async def stop(self) -> None:
        """End the process: ask for it, and kill it where asking does not help."""
        self.send(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            try:
                await self.ended()
            finally:
                # Also on the way out of a wait that is cancelled.
                if self.running:
                    self.send(signal.SIGKILL)
        await self._process.wait()

    def tail(self, lines: int = 25) -> str:
        """Return the last lines of the output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
