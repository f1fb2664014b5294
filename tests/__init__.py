"""Tests of the integration."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = ROOT / "custom_components/gosms"

# Has the form of a token, opens nothing. No log line may contain it, nor any of its three parts.
API_TOKEN: Final = "dGhlLWhlYWRlcg.dGhlLWNsYWltcw.dGhlLXNpZ25hdHVyZQ"
