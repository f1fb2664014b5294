"""A short run of chaos, made as a user makes it: real processes, really killed."""

from pathlib import Path
import re
import signal

import psutil  # type: ignore[import-untyped]  # Comes with Home Assistant, without types.
import pytest

from workshop.saboteur.points import Point

from .programs import GRACE, descendants, read_until, running


# Half of the time is the grace of a message whose fate is unknown; a slow machine needs as long again for the starts.
@pytest.mark.timeout(240)
def test_no_message_is_lost_or_doubled_when_the_house_is_killed_at_every_named_moment(tmp_path: Path) -> None:
    with running(tmp_path, "workshop.chaos", "--messages", "40", "--kills", str(len(Point))) as chaos:
        output, _ = chaos.communicate()
    assert chaos.returncode == 0, output
    table = dict(re.findall(r"^  (.+?) +(\d+)$", output, re.MULTILINE))
    assert table["asked"] == "40"
    assert "0" not in {table[row] for row in ("asked with a key", "asked in several parts")}
    # After the end each is called once more, whatever the kills did.
    assert int(table["called again with the same key"]) >= int(table["asked with a key"])
    assert {table[f"kills {point}"] for point in Point} == {"1"}
    assert {table[row] for row in ("lost", "doubled", "contradicted", "events missing")} == {"0"}
    assert list(tmp_path.iterdir()) == []


def test_interrupted_chaos_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(tmp_path, "workshop.chaos", "--messages", "50") as chaos:
        read_until(chaos, "Killed")
        family = descendants(chaos)
        chaos.send_signal(signal.SIGINT)
        chaos.communicate(timeout=GRACE)
        _, alive = psutil.wait_procs(family, timeout=0)
    assert chaos.returncode == 130
    assert family
    assert alive == []
    assert list(tmp_path.iterdir()) == []
