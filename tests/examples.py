"""The YAML in the documents."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
import re
import textwrap
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml
import pytest

ROOT: Final = Path(__file__).parents[1]
DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])

_FENCE: Final = re.compile(r"^( *)```yaml\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Example:
    """One block of YAML: where it stands, and what it says."""

    document: str
    content: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """What a test asks for it by: its alias, the action it calls, or its first keys."""
        return str(self.content.get("alias") or self.content.get("action") or ", ".join(self.content))


def _read() -> Iterator[Example]:
    for document in DOCUMENTS:
        for _, block in _FENCE.findall(document.read_text(encoding="utf-8")):
            content = parse_yaml(textwrap.dedent(block))
            assert isinstance(content, dict)
            yield Example(document=document.name, content=content)


EXAMPLES: Final = tuple(_read())
_CLAIMED: Final[set[str]] = set()


def example(*names: str, into: str = "content") -> pytest.MarkDecorator:
    """Run a test with the content of each example of these names, whatever document it stands in, as an argument."""
    _CLAIMED.update(names)
    found = [each for each in EXAMPLES if each.name in names]
    return pytest.mark.parametrize(
        into, [pytest.param(each.content, id=f"{each.document}: {each.name}") for each in found]
    )


def unclaimed() -> set[str]:
    """Return the examples that no test runs, and what tests ask for that no document has."""
    return {each.name for each in EXAMPLES} ^ _CLAIMED
