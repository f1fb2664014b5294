"""The headings, tables, links and examples of the documents for users, in each language."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Final, Self

from tests import ROOT

_FENCE: Final = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
_HEADING: Final = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
_LINK: Final = re.compile(r"""(?<=\]\()[^)\s]+(?=\))|(?<=src=")[^"]+(?=")""")
_KEY: Final = re.compile(r"`([\w.]+)`")

# The rows of a table, each as its cells.
type Table = list[list[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page: its text without examples, the examples as (language, text), and the folder that its links start from."""

    text: str
    examples: list[tuple[str, str]]
    folder: Path

    @classmethod
    def read(cls, name: str) -> Self:
        """Read one, named from the root of the repository."""
        file = ROOT / name
        whole = file.read_text(encoding="utf-8")
        return cls(text=_FENCE.sub("", whole), examples=_FENCE.findall(whole), folder=file.parent)

    @property
    def headings(self) -> list[tuple[int, str]]:
        """The headings with their levels."""
        return [(len(marks), title) for marks, title in _HEADING.findall(self.text)]

    @property
    def links(self) -> list[str]:
        """The targets of the links."""
        return _LINK.findall(self.text)

    @property
    def anchors(self) -> set[str]:
        """The anchors that GitHub generates from the headings."""
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
            # The first line is the header, the second one its separator.
            yield table[2:]
            table = []


def keys_in(cell: str) -> list[str]:
    """Return the inline code in a cell."""
    return _KEY.findall(cell)


# The pages in English with their names, and the same in Russian. Those for developers are in English only.
ENGLISH: Final = {
    name: Page.read(name)
    for name in ["README.md", *(f"docs/{file.name.removesuffix('.ru.md')}.md" for file in ROOT.glob("docs/*.ru.md"))]
}
RUSSIAN: Final = {name: Page.read(name.replace(".md", ".ru.md")) for name in ENGLISH}
DOCUMENTATION: Final = {"en": ENGLISH, "ru": RUSSIAN}


def table_with(language: str, key: str, column: int = 0) -> Table:
    """Return the table with a row that has only this key in a column; each is on one page only."""
    (table,) = (
        table
        for page in DOCUMENTATION[language].values()
        for table in page.tables
        if any(keys_in(row[column]) == [key] for row in table if len(row) > column)
    )
    return table
