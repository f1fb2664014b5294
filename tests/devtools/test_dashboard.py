"""The dashboards of the documentation show the card, in both languages."""

import re
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml
import pytest

from devtools.demo_data import DEMO_DATA
from tests import PACKAGE, ROOT

CARD: Final = (PACKAGE / "frontend/gosms-card.js").read_text(encoding="utf-8")


def dashboard(language: str) -> dict[str, Any]:
    found = parse_yaml((ROOT / "docs" / DEMO_DATA[language].dashboard).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def cards_of(tree: dict[str, Any]) -> list[dict[str, Any]]:
    return [card for view in tree["views"] for section in view["sections"] for card in section["cards"]]


@pytest.mark.parametrize("language", list(DEMO_DATA))
def test_the_dashboard_has_options_that_the_card_knows(language: str) -> None:
    [card] = cards_of(dashboard(language))
    known = set(re.findall(r'{ name: "(\w+)",', CARD))
    assert {"rows", "title"} <= known
    assert card.pop("type") == f"custom:{re.findall(r'TYPE = "(.+)";', CARD)[0]}"
    assert set(card) - known == {"grid_options"}


def test_both_languages_have_the_same_dashboard() -> None:
    english, russian = dashboard("en"), dashboard("ru")
    english_card, russian_card = (cards_of(tree)[0] for tree in (english, russian))
    assert english_card.pop("title") != russian_card.pop("title")
    assert english == russian
