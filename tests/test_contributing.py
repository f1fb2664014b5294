"""CONTRIBUTING.md matches the repository."""

import json
import re
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml

from tests import PACKAGE, ROOT

GUIDE: Final = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_script_but_setup_is_documented() -> None:
    scripts = {f"scripts/{script.name}" for script in (ROOT / "scripts").iterdir()}
    assert set(re.findall(r"^\| `(scripts/[a-z]+)", GUIDE, re.MULTILINE)) == scripts - {"scripts/setup"}


def test_every_named_file_and_folder_exists() -> None:
    named = set(re.findall(r"`((?:docs|scripts|simulator|tests)/[\w./]+)", GUIDE))
    named |= set(re.findall(r"`([\w./]+/|[\w./]+\.(?:json|py|txt|yaml))`", GUIDE))
    named |= set(re.findall(r"\]\((\w[\w./]+)\)", GUIDE))
    assert {"api/", "docs/architecture.md", "icons.json", "outbox/message.py", "tests/data/texts.yaml"} <= named
    assert [name for name in named if not any((folder / name).exists() for folder in (ROOT, PACKAGE))] == []


def test_every_common_change_names_its_files() -> None:
    rows = re.findall(r"^\| (?:Add|Change) \w.*", GUIDE, re.MULTILINE)
    assert len(rows) == 11
    assert [row for row in rows if not re.search(r"`[\w./]+\.py`", row)] == []


def test_dev_container_and_hooks_call_the_scripts_of_the_repository() -> None:
    container: dict[str, Any] = json.loads((ROOT / ".devcontainer.json").read_text(encoding="utf-8"))
    hooks = parse_yaml((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert isinstance(hooks, dict)
    called = [container["postCreateCommand"], *(hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"])]
    assert called == ["scripts/setup", "scripts/lint"]
