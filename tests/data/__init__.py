"""Test data in readable files."""

from pathlib import Path
from typing import Any

from homeassistant.util.yaml import parse_yaml


def table(name: str) -> Any:
    """Return the content of one of the files."""
    return parse_yaml((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"))
