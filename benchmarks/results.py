"""A result, its target, and the table of all results."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_HEADER: Final = ("Measurement", "GoSMS.ru", "Baseline", "Result", "Target", "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A measurement.

    Attributes:
        name: what was measured.
        integration: the measurement of the integration, as text.
        baseline: the same of the baseline, or empty if it has no equivalent.
        value: the result; a ratio if there is something to compare with.
        unit: the unit of the value: `times`, `percent` or a noun.
        maximum: the target that the value must not exceed, or None.
        minimum: the target that the value must reach, or None.
    """

    name: str
    integration: str
    baseline: str = ""
    value: float
    unit: str = "times"
    maximum: float | None = None
    minimum: float | None = None

    @property
    def has_target(self) -> bool:
        """Return whether there is a target."""
        return self.maximum is not None or self.minimum is not None

    @property
    def meets_target(self) -> bool:
        """Return whether the target is met, or there is none."""
        return (self.maximum is None or self.value <= self.maximum) and (
            self.minimum is None or self.value >= self.minimum
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        target = ""
        if self.maximum is not None:
            target = f"≤ {self._format(self.maximum)}" if self.maximum else self._format(0)
        elif self.minimum is not None:
            target = f"≥ {self._format(self.minimum)}"
        verdict = ("met" if self.meets_target else "MISSED") if self.has_target else ""
        return (self.name, self.integration, self.baseline, self._format(self.value), target, verdict)

    def _format(self, value: float) -> str:
        if self.unit == "times":
            return f"{value:.2f} ×"
        return f"{value:.0f} %" if self.unit == "percent" else f"{value:.0f} {self.unit}"


def table(results: Iterable[Result]) -> str:
    """Return the results as a Markdown table, which is readable in a terminal too."""
    rows = [_HEADER, *(result.cells for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
