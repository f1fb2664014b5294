"""Runs the development tools as a user does; none of their processes survives a test."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
import subprocess
import sys

import psutil  # type: ignore[import-untyped]  # Comes with Home Assistant, without types.

from tests import ROOT

# Seconds: more than a stuck Home Assistant and a stuck simulator get before they are killed, on a busy machine too.
STOP_TIMEOUT = 60


@contextmanager
def running(folder: Path, module: str, *arguments: str) -> Generator[subprocess.Popen[str]]:
    """Run a module with its temporary files in folder, and kill it with all its child processes at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        children = child_processes(process)
        process.kill()
        for child in children:
            child.kill()
        process.communicate()


def child_processes(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    return next(line for line in process.stdout if text in line)
