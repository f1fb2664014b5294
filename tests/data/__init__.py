"""Tables for tests, as files that people can read and extend."""

from pathlib import Path
from typing import Any

from homeassistant.util.yaml import parse_yaml


def table(name: str) -> Any:
    """Return what stands in one of the files."""
    return parse_yaml((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"))
