"""The Home Assistant for development: it keeps what was set up, and restarts when a file is saved."""

import asyncio
import json
import os
from pathlib import Path
import signal
import socket
import subprocess

import psutil  # type: ignore[import-untyped]  # Comes with Home Assistant, without types.
import pytest

from devtools.demo_data import AUTOMATIONS, add_included_files
from devtools.develop import LOCK_FILE, PACKAGE, STATE_FILE, SourceWatcher
from devtools.process import LOOPBACK, free_port

from .programs import STOP_TIMEOUT, child_processes, read_until, running

MODULE = "devtools.develop"


def interrupt(develop: subprocess.Popen[str]) -> list[psutil.Process]:
    """Press Ctrl-C and return the processes that still run."""
    children = child_processes(develop)
    assert len(children) == 2
    develop.send_signal(signal.SIGINT)
    develop.communicate(timeout=STOP_TIMEOUT)
    alive: list[psutil.Process] = psutil.wait_procs(children, timeout=0)[1]
    return alive


# Home Assistant starts three times, and a slow machine needs half a minute for each.
@pytest.mark.timeout(400)
def test_setup_is_kept_and_a_saved_file_restarts_home_assistant(tmp_path: Path) -> None:
    folder = tmp_path / "develop"
    with running(tmp_path, MODULE, "--folder", str(folder)) as develop:
        read_until(develop, "Adding an account")
        address = read_until(develop, "  Home Assistant:  ")
        read_until(develop, "Press Ctrl-C to stop")
        os.utime(PACKAGE / "icons.json")
        read_until(develop, "icons.json was saved")
        read_until(develop, "Home Assistant runs at")
        assert interrupt(develop) == []
    assert develop.returncode == 130
    with running(tmp_path, MODULE, "--folder", str(folder)) as develop:
        assert read_until(develop, "  Home Assistant:  ") == address
        with running(tmp_path, MODULE, "--folder", str(folder)) as other:
            output, _ = other.communicate()
        assert other.returncode == 1
        assert "is already running in" in output
        assert interrupt(develop) == []


def test_a_folder_with_other_content_is_left_untouched(tmp_path: Path) -> None:
    (tmp_path / "configuration.yaml").write_text("")
    with running(tmp_path, MODULE, "--folder", str(tmp_path), "--fresh") as develop:
        output, _ = develop.communicate()
    assert develop.returncode == 1
    assert "contains other files" in output
    assert [path.name for path in tmp_path.iterdir()] == ["configuration.yaml"]


def test_automations_that_were_built_in_the_interface_are_kept(tmp_path: Path) -> None:
    add_included_files(tmp_path, "en")
    assert (tmp_path / AUTOMATIONS).read_text() == "[]"
    (tmp_path / AUTOMATIONS).write_text("[{}]")
    add_included_files(tmp_path, "ru")
    assert (tmp_path / AUTOMATIONS).read_text() == "[{}]"


def test_saved_added_and_removed_files_are_detected(tmp_path: Path) -> None:
    saved, added, removed = (tmp_path / "package" / name for name in ("a.py", "b.json", "c.yaml"))
    saved.parent.mkdir()
    saved.write_text("")
    removed.write_text("")
    watcher = SourceWatcher(tmp_path)
    os.utime(saved, ns=(0, 0))
    assert asyncio.run(watcher.wait_for_change()) == saved
    added.write_text("{}")
    assert asyncio.run(watcher.wait_for_change()) == added
    removed.unlink()
    assert asyncio.run(watcher.wait_for_change()) == removed


async def test_files_that_home_assistant_does_not_read_are_ignored(tmp_path: Path) -> None:
    watcher = SourceWatcher(tmp_path)
    (tmp_path / "a.py.swp").write_text("")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await watcher.wait_for_change()


@pytest.mark.usefixtures("socket_enabled")
def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        (tmp_path / LOCK_FILE).touch()
        (tmp_path / STATE_FILE).write_text(
            json.dumps({"hass_port": port, "simulator_port": free_port(), "token": None})
        )
        with running(tmp_path, MODULE, "--folder", str(tmp_path)) as develop:
            output, _ = develop.communicate()
    assert develop.returncode == 1
    assert f"port {port} is used by another program" in output
