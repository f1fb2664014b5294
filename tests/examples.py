"""The YAML examples in the documents."""

from collections.abc import Iterator
from dataclasses import dataclass, field
import re
import textwrap
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml
import pytest

from tests import ROOT

DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])

_FENCE: Final = re.compile(r"^( *)```yaml\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Example:
    """One block of YAML with its document and its content."""

    document: str
    content: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The name that tests use: its alias, its action, or its keys."""
        return str(self.content.get("alias") or self.content.get("action") or ", ".join(self.content))


def _read() -> Iterator[Example]:
    for document in DOCUMENTS:
        for _, block in _FENCE.findall(document.read_text(encoding="utf-8")):
            content = parse_yaml(textwrap.dedent(block))
            assert isinstance(content, dict)
            yield Example(document=document.name, content=content)


EXAMPLES: Final = tuple(_read())
_TESTED: Final[set[str]] = set()


def example(*names: str, into: str = "content") -> pytest.MarkDecorator:
    """Run a test with the content of each example with one of these names, in any document, as an argument."""
    _TESTED.update(names)
    found = [each for each in EXAMPLES if each.name in names]
    return pytest.mark.parametrize(
        into, [pytest.param(each.content, id=f"{each.document}: {each.name}") for each in found]
    )


def untested_examples() -> set[str]:
    """Return the examples without a test, and the names in tests that no document has."""
    return {each.name for each in EXAMPLES} ^ _TESTED
