"""A short chaos run, started as a user does: real processes that are really killed."""

from pathlib import Path
import re
import signal

import psutil  # type: ignore[import-untyped]  # Comes with Home Assistant, without types.
import pytest

from devtools.chaos.crash_injector.crash_points import CrashPoint

from .programs import STOP_TIMEOUT, child_processes, read_until, running

VIOLATIONS = (
    "lost",
    "duplicated",
    "contradictory",
    "missing events",
    "without an end",
    "repeated though stored",
    "files with a number",
)


# Home Assistant starts more often than there are crash points, and a slow machine needs half a minute for each start.
@pytest.mark.timeout(960)
def test_no_message_is_lost_or_duplicated_by_kills_at_every_crash_point(tmp_path: Path) -> None:
    with running(tmp_path, "devtools.chaos", "--messages", "40", "--kills", str(len(CrashPoint))) as chaos:
        output, _ = chaos.communicate()
    assert chaos.returncode == 0, output
    table = dict(re.findall(r"^  (.+?) +(\d+)$", output, re.MULTILINE))
    assert table["messages"] == "40"
    assert "0" not in {table[row] for row in ("messages with a key", "messages in several parts")}
    # At the end each of them is repeated once.
    assert int(table["repeated calls with the same key"]) >= int(table["messages with a key"])
    assert {table[f"kills {point}"] for point in CrashPoint} == {"1"}
    assert {table[row] for row in VIOLATIONS} == {"0"}
    assert table["restored backups"] == "1"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(240)
def test_an_interrupted_chaos_run_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(tmp_path, "devtools.chaos", "--messages", "50") as chaos:
        read_until(chaos, "Killed")
        children = child_processes(chaos)
        chaos.send_signal(signal.SIGINT)
        chaos.communicate(timeout=STOP_TIMEOUT)
        _, alive = psutil.wait_procs(children, timeout=0)
    assert chaos.returncode == 130
    assert children
    assert alive == []
    assert list(tmp_path.iterdir()) == []
