"""Tests of the blueprints."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "blueprints/automation/gosms"
