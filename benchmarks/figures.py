"""A figure, the bar that it is held against, and the table of all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_HEAD: Final = ("Figure", "GoSMS.ru", "By hand", "Result", "Bar", "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """Something that was measured.

    Attributes:
        name: what it is.
        ours: what the integration takes, as people read it.
        by_hand: the same of what is configured by hand, or nothing where that has nothing like it.
        value: the result; a ratio where there is something to compare with.
        unit: what the value counts: `times`, `percent` or a noun.
        at_most: the bar that the value must not exceed, or None.
        at_least: the bar that it must reach, or None.
    """

    name: str
    ours: str
    by_hand: str = ""
    value: float
    unit: str = "times"
    at_most: float | None = None
    at_least: float | None = None

    @property
    def has_bar(self) -> bool:
        """Tell if something was promised."""
        return self.at_most is not None or self.at_least is not None

    @property
    def is_good(self) -> bool:
        """Tell if what was promised is kept."""
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the row of the table."""
        bar = ""
        if self.at_most is not None:
            bar = f"≤ {self._show(self.at_most)}" if self.at_most else self._show(0)
        elif self.at_least is not None:
            bar = f"≥ {self._show(self.at_least)}"
        verdict = ("kept" if self.is_good else "MISSED") if self.has_bar else ""
        return (self.name, self.ours, self.by_hand, self._show(self.value), bar, verdict)

    def _show(self, value: float) -> str:
        if self.unit == "times":
            return f"{value:.2f} ×"
        return f"{value:.0f} %" if self.unit == "percent" else f"{value:.0f} {self.unit}"


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a table in Markdown, which is also fit for a terminal."""
    rows = [_HEAD, *(figure.cells for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
