"""CONTRIBUTING.md matches the repository."""

import json
from pathlib import Path
import re
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml

ROOT: Final = Path(__file__).parents[1]
GUIDE: Final = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_script_but_setup_is_documented() -> None:
    scripts = {f"scripts/{script.name}" for script in (ROOT / "scripts").iterdir()}
    assert set(re.findall(r"^\| `(scripts/[a-z]+)", GUIDE, re.MULTILINE)) == scripts - {"scripts/setup"}


def test_every_named_file_and_folder_exists() -> None:
    named = set(re.findall(r"`((?:docs|scripts|simulator|tests)/[\w./]+)", GUIDE))
    named |= set(re.findall(r"\]\((\w[\w./]+)\)", GUIDE))
    of_the_integration = {"api/", "errors.py", "icons.json", "issues.py", "outbox/dispatcher.py", "services.yaml"}
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert [name for name in of_the_integration if f"`{name}`" not in GUIDE] == []
    assert [name for name in of_the_integration if not (ROOT / "custom_components/gosms" / name).exists()] == []


def test_dev_container_and_hooks_call_the_scripts_of_the_repository() -> None:
    container: dict[str, Any] = json.loads((ROOT / ".devcontainer.json").read_text(encoding="utf-8"))
    hooks = parse_yaml((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert isinstance(hooks, dict)
    called = [container["postCreateCommand"], *(hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"])]
    assert called == ["scripts/setup", "scripts/lint"]
