"""The Home Assistant that a developer works with: it keeps what was set up and takes up what was saved."""

import asyncio
import os
from pathlib import Path
import signal
import subprocess

import psutil  # type: ignore[import-untyped]  # Comes with Home Assistant, without types.
import pytest

from workshop.develop import PACKAGE, Sources

from .programs import GRACE, descendants, read_until, running

MODULE = "workshop.develop"


def end(develop: subprocess.Popen[str]) -> list[psutil.Process]:
    """Press Ctrl-C and return what still runs."""
    family = descendants(develop)
    assert len(family) == 2
    develop.send_signal(signal.SIGINT)
    develop.communicate(timeout=GRACE)
    alive: list[psutil.Process] = psutil.wait_procs(family, timeout=0)[1]
    return alive


# Home Assistant starts three times, and a slow machine needs half a minute for each.
@pytest.mark.timeout(400)
def test_what_was_set_up_stays_and_a_saved_file_is_taken_up(tmp_path: Path) -> None:
    folder = tmp_path / "house"
    with running(tmp_path, MODULE, "--folder", str(folder)) as develop:
        read_until(develop, "Adding an account")
        address = read_until(develop, "  Home Assistant:  ")
        read_until(develop, "Ctrl-C ends it")
        os.utime(PACKAGE / "icons.json")
        read_until(develop, "icons.json was saved")
        read_until(develop, "Home Assistant runs at")
        assert end(develop) == []
    assert develop.returncode == 130
    with running(tmp_path, MODULE, "--folder", str(folder)) as develop:
        assert read_until(develop, "  Home Assistant:  ") == address
        with running(tmp_path, MODULE, "--folder", str(folder)) as other:
            output, _ = other.communicate()
        assert other.returncode == 1
        assert "already works in" in output
        assert end(develop) == []


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "configuration.yaml").write_text("")
    with running(tmp_path, MODULE, "--folder", str(tmp_path), "--fresh") as develop:
        output, _ = develop.communicate()
    assert develop.returncode == 1
    assert "holds something else" in output
    assert [path.name for path in tmp_path.iterdir()] == ["configuration.yaml"]


def test_a_file_that_is_saved_added_or_removed_is_noticed(tmp_path: Path) -> None:
    saved, added, removed = (tmp_path / "package" / name for name in ("a.py", "b.json", "c.yaml"))
    saved.parent.mkdir()
    saved.write_text("")
    removed.write_text("")
    sources = Sources(tmp_path)
    os.utime(saved, ns=(0, 0))
    assert asyncio.run(sources.changed()) == saved
    added.write_text("{}")
    assert asyncio.run(sources.changed()) == added
    removed.unlink()
    assert asyncio.run(sources.changed()) == removed


async def test_what_home_assistant_does_not_read_is_no_change(tmp_path: Path) -> None:
    sources = Sources(tmp_path)
    (tmp_path / "a.py.swp").write_text("")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await sources.changed()
