"""Tests of the blueprints."""

from typing import Final

from tests import ROOT

FOLDER: Final = ROOT / "blueprints/automation/gosms"
