"""The dashboard of the documentation fits the entities of an account as it is set up by default."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template
from homeassistant.util.yaml import parse_yaml
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.service import MUM, Service, set_up
from workshop.showroom import FORM

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "dashboard.yaml").read_text()


def cards() -> list[dict[str, Any]]:
    dashboard = parse_yaml(TEXT)
    assert isinstance(dashboard, dict)
    return [card for view in dashboard["views"] for section in view["sections"] for card in section["cards"]]


def entity_ids(card: dict[str, Any]) -> Iterator[str]:
    yield from [card["entity"]] if "entity" in card else []
    yield from (row["entity"] for row in card.get("entities", []) if "entity" in row)


async def test_its_cards_show_entities_that_are_there(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    shown = {entity_id for card in cards() if "visibility" not in card for entity_id in entity_ids(card)}
    assert shown - {state.entity_id for state in hass.states.async_all()} == {"input_text.sms_text"}


def test_a_card_hides_when_its_own_entity_is_missing() -> None:
    hidden = [card for card in cards() if "visibility" in card]
    assert [card["visibility"] for card in hidden] == [
        [{"condition": "state", "entity": card["entity"], "state_not": "unavailable"}] for card in hidden
    ]


async def test_its_list_shows_messages_as_they_were_written(
    hass: HomeAssistant, entry: MockConfigEntry, service: Service
) -> None:
    service.account.add_message(message="Second line\nof <b>two</b>", phone_number=MUM)
    service.account.add_message(message="To somebody else", phone_number="79990000000")
    await set_up(hass, entry)
    markdown = next(card["content"] for card in cards() if card["type"] == "markdown")
    shown = str(Template(markdown, hass).async_render())
    assert "**+79990000000**" in shown
    assert "**Mum**" in shown
    assert "> Second line<br>of &lt;b&gt;two&lt;/b&gt;" in shown


def test_the_script_it_tells_to_make_is_the_one_of_the_demo() -> None:
    comment = TEXT[TEXT.index("#     alias:") : TEXT.index("---")]
    told = "\n".join(line.removeprefix("#") for line in comment.splitlines())
    assert parse_yaml(told) == FORM["script"]["send_sms"]
