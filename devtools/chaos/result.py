"""The result of a chaos run, and its table."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ..console import Console
from .crash_control import RANDOM, WITH_FULL_DISK
from .crash_injector.crash_points import CrashPoint
from .invariants import Report
from .load import CallOutcome
from .message_group import FINAL_STATES


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """The result of a run."""

    report: Report
    kills: Counter[str]
    episodes: Mapping[str, int]
    faults: Mapping[str, int]
    seconds: float

    @property
    def has_passed(self) -> bool:
        """Return whether every invariant held and every crash point was hit."""
        return self.report.has_passed and all(self.kills[point.value] for point in CrashPoint)


def print_result(result: Result, console: Console) -> None:
    """Print the table."""
    report = result.report
    rows: list[tuple[str, object]] = [
        ("messages", report.messages),
        ("messages with a key", report.keyed),
        ("messages in several parts", report.multipart),
        ("repeated calls with the same key", report.repetitions),
        ("calls that succeeded", report.outcomes[CallOutcome.SUCCEEDED]),
        ("calls that failed", report.outcomes[CallOutcome.FAILED]),
        ("calls with an unknown outcome", report.outcomes[CallOutcome.UNCERTAIN]),
        ("calls that a kill disconnected", report.outcomes[CallOutcome.DISCONNECTED]),
        ("parts", report.parts),
        ("parts on the server", report.server_parts),
        *((f"ended as {state}", report.final_states[state]) for state in sorted(FINAL_STATES)),
        ("lost", report.lost),
        ("duplicated", report.duplicated),
        ("contradictory", report.contradictory),
        ("missing events", report.missing),
        ("without an end", report.unended),
        ("repeated events", report.repeated),
        ("repeated though stored", report.wrongly_repeated),
        ("files with a number", report.files),
        ("at risk in a kill", report.at_risk),
        ("forgotten of these", report.forgotten),
        ("kills", result.kills.total()),
        *((f"kills {moment}", result.kills[moment]) for moment in (*CrashPoint, WITH_FULL_DISK, RANDOM)),
        *result.episodes.items(),
        ("faults", sum(result.faults.values())),
        *((f"faults: {fault}", count) for fault, count in sorted(result.faults.items())),
        ("seconds", f"{result.seconds:.0f}"),
    ]
    width = max(len(name) for name, _ in rows)
    console.print("\n" + "\n".join(f"  {name:<{width}}  {value:>6}" for name, value in rows) + "\n")
    for detail in report.details:
        console.print(f"  {detail}")
