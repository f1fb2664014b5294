"""A README as a test reads it: headings, tables, links, examples."""

from collections.abc import Iterator
from dataclasses import dataclass
import re
from typing import Final, Self

from tests.code_texts import PACKAGE

ROOT: Final = PACKAGE.parents[1]

_FENCE: Final = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
_HEADING: Final = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
_LINK: Final = re.compile(r"""(?<=\]\()[^)\s]+(?=\))|(?<=src=")[^"]+(?=")""")
_KEY: Final = re.compile(r"`([\w.]+)`")

# The rows of a table, each as its cells.
type Table = list[list[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Readme:
    """One of the two READMEs: its text without examples, and the examples as (language, text)."""

    text: str
    examples: list[tuple[str, str]]

    @classmethod
    def read(cls, name: str) -> Self:
        """Read one from the root of the repository."""
        whole = (ROOT / name).read_text(encoding="utf-8")
        return cls(text=_FENCE.sub("", whole), examples=_FENCE.findall(whole))

    @property
    def headings(self) -> list[tuple[int, str]]:
        """The headings with their levels."""
        return [(len(marks), title) for marks, title in _HEADING.findall(self.text)]

    @property
    def links(self) -> list[str]:
        """Where the links lead."""
        return _LINK.findall(self.text)

    @property
    def anchors(self) -> set[str]:
        """What a link into this README can end in, as GitHub makes it of headings."""
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for _, title in self.headings}

    @property
    def tables(self) -> list[Table]:
        """The tables, without their heads."""
        return list(_tables(self.text.splitlines()))


def _tables(lines: list[str]) -> Iterator[Table]:
    """Yield the tables among lines."""
    table: Table = []
    for line in [*lines, ""]:
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip("|").split("|")])
        elif table:
            # The first line names the columns, the second one draws a line.
            yield table[2:]
            table = []


def keys_in(cell: str) -> list[str]:
    """Return what a cell names as code."""
    return _KEY.findall(cell)
