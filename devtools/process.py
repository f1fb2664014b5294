"""A child process that never outlives its parent."""

import asyncio
from collections.abc import Sequence
import contextlib
from pathlib import Path
import random
import signal
import socket
import sys
import tempfile
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
# Below the ephemeral ports: a Home Assistant that is killed and started again must find its port free.
PORTS = range(20_000, 32_000)
# Seconds after SIGTERM until a process that still runs is killed.
STOP_TIMEOUT = 15.0
# Lines at the end of a log that an error shows.
TAIL = 25


class ProcessError(Exception):
    """A child process failed."""


def prepare_folder(folder: Path) -> None:
    """Create a folder unless it exists; ProcessError if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as err:
        raise ProcessError(f"the folder {folder} cannot be written: {err.strerror}; choose another one") from None


def is_free(port: int) -> bool:
    """Return whether a loopback port can be listened on."""
    with contextlib.closing(socket.socket()) as probe:
        # As servers do, so that a connection that was closed a moment ago does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a loopback port that nothing listens on."""
    while not is_free(port := random.choice(PORTS)):
        pass
    return port


class ChildProcess:
    """A Python process that logs to a file, and whose standard input is a pipe from this process."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.log = log
        self._process = process

    @classmethod
    async def start(cls, arguments: Sequence[str], *, folder: Path, log: Path) -> Self:
        """Start this Python interpreter with arguments; standard output and error are appended to the log."""
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                cwd=folder,
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                # Ctrl-C in the terminal must reach the parent alone, which then stops its children in order.
                start_new_session=True,
            )
        return cls(process, log)

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """The exit code; negative for the signal that ended the process, None while it runs."""
        return self._process.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def wait(self, timeout: float | None = STOP_TIMEOUT) -> int:  # noqa: ASYNC109  # As in subprocess.
        """Wait for the process to end and return its exit code; TimeoutError after timeout seconds, if any."""
        async with asyncio.timeout(timeout):
            return await self._process.wait()

    async def stop(self) -> None:
        """Terminate the process, and kill it if that does not help."""
        self.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            try:
                await self.wait()
            finally:
                # Also if the wait is cancelled.
                if self.is_running:
                    self.send_signal(signal.SIGKILL)
        await self._process.wait()

    def log_tail(self) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL:])
