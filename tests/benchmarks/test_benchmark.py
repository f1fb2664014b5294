"""A short run of the benchmark, started as a user does: a real Home Assistant and real simulators."""

from pathlib import Path
import re
import signal

import psutil  # type: ignore[import-untyped]  # Comes with Home Assistant, without types.
import pytest

from benchmarks.__main__ import BEGIN, DOCUMENT, END
from tests.devtools.programs import STOP_TIMEOUT, child_processes, read_until, running

# The names of all results, without their numbers, which are smaller in a short run.
NAMES = {
    "Account with two recipients and # messages: memory",
    "Burst of #: refused by the rate limit",
    "Burst of #: share of the rate limit",
    "Card in a browser: until its first list",
    "Card: size of its file",
    "Idle day with a phone: Home Assistant's own statistics",
    "Idle day with a phone: rows of states and events",
    "Idle day without a phone: Home Assistant's own statistics",
    "Idle day without a phone: rows of states and events",
    "Import: memory",
    "Message until its delivery: disk writes",
    "Poll with # messages on the server: CPU",
    "Send with everything that follows compared with ntfy: CPU",
    "Send with everything that follows: CPU",
    "Send compared with ntfy: CPU",
    "Send: CPU",
    "Send: CPU of its two commits in their thread",
    "Send: latency",
    "Set-up after it with the service down: longest block",
    "Set-up after it with the service up: longest block",
    "Setup of an account with two recipients: CPU",
    "Storm of # calls with the service down: longest block",
    "Storm of # calls with the service up: longest block",
    "The same after # finished messages",
    "Tracking a message to its delivery: CPU",
    "Unchanged poll of # messages: CPU",
}


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of the table in a text by their names, without the header."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {re.sub(r"[\d,]+", "#", name): cells for name, *cells in found[2:]}


# It runs three simulators and a Home Assistant through two hours; a slow machine takes twice as long.
@pytest.mark.timeout(480)
def test_every_figure_is_measured_and_a_missed_target_fails_the_run(tmp_path: Path) -> None:
    with running(tmp_path, "benchmarks", "--quick") as benchmark:
        output, _ = benchmark.communicate()
    results = rows(output)
    assert set(results) == NAMES, output
    assert benchmark.returncode == int("MISSED" in {verdict for *_, verdict in results.values()}), output
    assert list(tmp_path.iterdir()) == []
    # These do not depend on the speed of the machine.
    assert results["Burst of #: refused by the rate limit"][0] == "12 accepted"
    for kind in ("with", "without"):
        polls, _, found, _, verdict = results[f"Idle day {kind} a phone: rows of states and events"]
        assert int(polls.split()[0]) >= 40
        assert (found, verdict) == ("0 rows", "met")


def test_the_documentation_shows_the_benchmark_table() -> None:
    text = DOCUMENT.read_text()
    assert set(rows(text[text.index(BEGIN) : text.index(END)])) == NAMES


@pytest.mark.timeout(240)
def test_an_interrupted_benchmark_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(tmp_path, "benchmarks", "--quick") as benchmark:
        read_until(benchmark, "Sending")
        children = child_processes(benchmark)
        benchmark.send_signal(signal.SIGINT)
        benchmark.communicate(timeout=STOP_TIMEOUT)
        _, alive = psutil.wait_procs(children, timeout=0)
    assert benchmark.returncode == 130
    assert children
    assert alive == []
    assert list(tmp_path.iterdir()) == []
