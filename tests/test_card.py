"""The dashboard card: its file, and its place among the dashboard resources."""

from http import HTTPStatus
import re
from typing import Any, Final
from unittest.mock import patch

from homeassistant.components.lovelace.const import LOVELACE_DATA
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.gosms.const import DOMAIN
from tests import API_TOKEN, PACKAGE
from tests.common import set_up

FILE: Final = PACKAGE / "frontend/gosms-card.js"
PATH: Final = "/gosms/gosms-card.js"


async def set_up_dashboards(hass: HomeAssistant, **configuration: object) -> None:
    assert await async_setup_component(hass, "lovelace", {"lovelace": configuration})
    await hass.async_block_till_done()


def stored(hass: HomeAssistant) -> list[dict[str, Any]]:
    items = hass.data[LOVELACE_DATA].resources.async_items()
    return [{"type": item["type"], "url": item["url"]} for item in items]


async def add_resource(hass: HomeAssistant, url: str) -> None:
    resources = hass.data[LOVELACE_DATA].resources
    await resources.async_create_item({"res_type": "module", "url": url})


def second_account(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    second = MockConfigEntry(
        domain=DOMAIN, title="Second", data={"api_token": f"2{API_TOKEN}", "url": entry.data["url"]}
    )
    second.add_to_hass(hass)
    return second


async def test_the_card_is_a_resource_that_serves_the_file(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    await set_up_dashboards(hass)
    await add_resource(hass, "/local/other.js")
    await set_up(hass, entry)
    other, own = stored(hass)
    assert other == {"type": "module", "url": "/local/other.js"}
    assert own["type"] == "module"
    assert own["url"].startswith(f"{PATH}?v=")
    response = await (await hass_client()).get(own["url"])
    assert response.status == HTTPStatus.OK
    assert response.content_type == "text/javascript"
    assert await response.text() == FILE.read_text(encoding="utf-8")


async def test_dashboards_that_are_set_up_later_get_the_card(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    await set_up_dashboards(hass)
    assert [each["url"].partition("?")[0] for each in stored(hass)] == [PATH]


@pytest.mark.parametrize("known", [[f"{PATH}?v=old"], [PATH, f"{PATH}?v=old"]], ids=["of-an-older-version", "twice"])
async def test_an_earlier_resource_of_the_card_is_replaced(
    hass: HomeAssistant, entry: MockConfigEntry, known: list[str]
) -> None:
    await set_up_dashboards(hass)
    for url in known:
        await add_resource(hass, url)
    await set_up(hass, entry)
    [own] = stored(hass)
    assert own["url"].startswith(f"{PATH}?v=")
    assert own["url"] not in known


async def test_stored_resources_are_kept_and_that_of_the_card_replaced(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    # As after a start of Home Assistant, which loads the resources only when they are first needed.
    known = [{"id": url, "type": "module", "url": url} for url in ("/local/other.js", f"{PATH}?v=old")]
    hass_storage["lovelace_resources"] = {"version": 1, "key": "lovelace_resources", "data": {"items": known}}
    await set_up_dashboards(hass)
    await set_up(hass, entry)
    other, own = stored(hass)
    assert other["url"] == "/local/other.js"
    assert own["url"].startswith(f"{PATH}?v=")
    assert own["url"] != f"{PATH}?v=old"


async def test_a_reload_changes_nothing(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up_dashboards(hass)
    await set_up(hass, entry)
    before = stored(hass)
    with patch.object(hass.data[LOVELACE_DATA].resources, "store") as store:
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
    assert stored(hass) == before
    store.async_delay_save.assert_not_called()


async def test_the_card_leaves_with_the_last_account(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up_dashboards(hass)
    await add_resource(hass, "/local/other.js")
    await set_up(hass, entry)
    second = second_account(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert len(stored(hass)) == 2
    await hass.config_entries.async_remove(second.entry_id)
    await hass.async_block_till_done()
    assert stored(hass) == [{"type": "module", "url": "/local/other.js"}]


async def test_the_card_comes_back_with_the_next_account(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up_dashboards(hass)
    await set_up(hass, entry)
    before = stored(hass)
    url = entry.data["url"]
    await hass.config_entries.async_remove(entry.entry_id)
    again = MockConfigEntry(domain=DOMAIN, data={"api_token": API_TOKEN, "url": url})
    again.add_to_hass(hass)
    await set_up(hass, again)
    assert stored(hass) == before


async def test_an_account_removed_before_the_dashboards_leaves_no_card(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    await set_up_dashboards(hass)
    assert stored(hass) == []


async def test_resources_kept_in_yaml_are_left_alone(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    await set_up_dashboards(hass, resource_mode="yaml", resources=[{"type": "module", "url": PATH}])
    await set_up(hass, entry)
    assert stored(hass) == [{"type": "module", "url": PATH}]
    assert (await (await hass_client()).get(PATH)).status == HTTPStatus.OK
    await hass.config_entries.async_remove(entry.entry_id)
    assert stored(hass) == [{"type": "module", "url": PATH}]


SOURCE: Final = FILE.read_text(encoding="utf-8")


def test_the_card_makes_no_html_of_texts_and_loads_nothing() -> None:
    unsafe = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\bFunction\b|\bimport\b|\bfetch\b|XMLHttp"
    )
    assert re.findall(unsafe, SOURCE) == []
    documentation = "https://github.com/gosms-home-assistant/gosms/blob/main/docs/card.md"
    assert re.findall(r"https?://[\w./-]+", SOURCE) == [documentation]


def test_the_card_takes_its_colors_from_the_theme() -> None:
    style = SOURCE.partition("const STYLE = `")[2].partition("`;")[0]
    assert "var(--primary-text-color)" in style
    assert re.findall(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl)a?\(|[ (](?:white|black|red|green|gray)\b(?!-)", style) == []


def test_the_card_has_every_text_in_both_languages() -> None:
    english, russian = (
        re.findall(
            r"^ {4,6}(\w+):", SOURCE.partition(f"\n  {language}: {{\n")[2].partition("\n  },\n")[0], re.MULTILINE
        )
        for language in ("en", "ru")
    )
    assert {"send", "cancelMessage", "rows"} <= set(english)
    assert english == russian
    used = set(re.findall(r"(?:\bt|#texts)\.(\w+)", SOURCE)) | {"editor", "title", "description"}
    assert set(english) - {"config_entry_id", "recipient", "rows", "form"} - used == set()
