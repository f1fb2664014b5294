"""A short run of the benchmark, made as a user makes it: a real Home Assistant beside real simulators."""

from pathlib import Path
import re
import signal

import psutil  # type: ignore[import-untyped]  # Comes with Home Assistant, without types.
import pytest

from benchmarks.__main__ import BEGIN, DOCUMENT, END
from tests.workshop.programs import GRACE, descendants, read_until, running

# Every figure, but for the numbers in it, which are smaller in a short run.
NAMES = {
    "A burst of #: of the permitted pace",
    "A burst of #: refused as too fast",
    "A message to its delivery: written to disk",
    "A poll with # messages on the server: CPU",
    "A send: CPU",
    "A send with all that it leaves behind: CPU",
    "A send: latency",
    "An account with two recipients and # messages: memory",
    "An idle day with a phone: Home Assistant's own statistics",
    "An idle day with a phone: rows of states and events",
    "An idle day without a phone: Home Assistant's own statistics",
    "An idle day without a phone: rows of states and events",
    "An unchanged poll of # messages: CPU",
    "Following a message to its delivery: CPU",
    "Importing it: memory",
    "Setting up an account with two recipients: CPU",
    "The same after # finished messages",
}


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of the table in a text by their names, without the head."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {re.sub(r"[\d,]+", "#", name): cells for name, *cells in found[2:]}


# Three real simulators and a Home Assistant, which lives through two hours; a slow machine needs as long again.
@pytest.mark.timeout(240)
def test_every_figure_is_measured_and_a_missed_bar_is_no_success(tmp_path: Path) -> None:
    with running(tmp_path, "benchmarks", "--quick") as benchmark:
        output, _ = benchmark.communicate()
    figures = rows(output)
    assert set(figures) == NAMES, output
    assert benchmark.returncode == int("MISSED" in {verdict for *_, verdict in figures.values()}), output
    assert list(tmp_path.iterdir()) == []
    # What depends on nobody's speed is as good in a short run.
    assert figures["A burst of #: refused as too fast"][0] == "12 arrived"
    for kind in ("with", "without"):
        polls, _, found, _, verdict = figures[f"An idle day {kind} a phone: rows of states and events"]
        assert int(polls.split()[0]) >= 40
        assert (found, verdict) == ("0 rows", "kept")


def test_the_documentation_shows_the_table_of_the_command() -> None:
    text = DOCUMENT.read_text()
    assert set(rows(text[text.index(BEGIN) : text.index(END)])) == NAMES


@pytest.mark.timeout(120)
def test_an_interrupted_benchmark_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(tmp_path, "benchmarks", "--quick") as benchmark:
        read_until(benchmark, "Sending")
        family = descendants(benchmark)
        benchmark.send_signal(signal.SIGINT)
        benchmark.communicate(timeout=GRACE)
        _, alive = psutil.wait_procs(family, timeout=0)
    assert benchmark.returncode == 130
    assert family
    assert alive == []
    assert list(tmp_path.iterdir()) == []
