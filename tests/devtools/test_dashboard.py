"""The dashboards of the documentation match the default entities of an account, and each other."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.template import Template
from homeassistant.util import slugify
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.issues import REAUTH
from devtools.demo_data import DEMO_DATA, form_configuration
from tests import API_TOKEN
from tests.common import PHONE, SimulatedService, phone, recipient, send, set_up

ROOT: Final = Path(__file__).resolve().parents[2]
MUM: Final = "79123456789"

# The translated keys of a card; the entities in `content` are checked separately.
TRANSLATED_KEYS: Final = {"title", "name", "heading", "action_name", "content"}


def text_of(language: str) -> str:
    return (ROOT / "docs" / DEMO_DATA[language].dashboard).read_text()


def dashboard(language: str) -> dict[str, Any]:
    found = parse_yaml(text_of(language))
    assert isinstance(found, dict)
    return found


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping of a dashboard: cards, badges, rows, conditions."""
    children: list[Any] = []
    if isinstance(tree, dict):
        yield tree
        children = list(tree.values())
    elif isinstance(tree, list):
        children = tree
    for child in children:
        yield from nodes(child)


def entity_ids(tree: Any) -> set[str]:
    named = {node["entity"] for node in nodes(tree) if "entity" in node}
    in_templates = re.findall(
        r"'((?:binary_)?sensor\.\w+)'", " ".join(node["content"] for node in nodes(tree) if "content" in node)
    )
    return named | set(in_templates)


def conditions_of_existence(entity: str) -> list[dict[str, Any]]:
    """Return conditions that any existing entity meets, in any state."""
    states = ({"state": "unavailable"}, {"state_not": "unavailable"})
    return [{"condition": "or", "conditions": [{"condition": "state", "entity": entity, **state} for state in states]}]


ALERTS: Final = {
    "en": {
        "out": "GoSMS.ru is out of reach.",
        "queued": "Queued messages leave as soon as it is back.",
        "refused": "What was refused is NOT sent later: send it again.",
    },
    "ru": {
        "out": "Нет связи с GoSMS.ru.",
        "queued": "Сообщения из очереди уйдут, как только связь появится.",
        "refused": "Отклонённое позже НЕ отправится: отправьте его снова.",
    },
}
REFUSED: Final = {"en": "refused, not sent", "ru": "отклонено, не отправлено"}


def content_with(language: str, entity: str) -> str:
    return next(str(node["content"]) for node in nodes(dashboard(language)) if entity in node.get("content", ""))


def without_texts(tree: Any, names: dict[str, str]) -> Any:
    """Return a dashboard without translated texts, and with the entity ids of another language."""
    match tree:
        case dict():
            return {key: "" if key in TRANSLATED_KEYS else without_texts(value, names) for key, value in tree.items()}
        case list():
            return [without_texts(each, names) for each in tree]
        case str():
            domain, dot, name = tree.partition(".")
            own = next((own for own in names if name == own or name.startswith(f"{own}_")), "")
            return f"{domain}{dot}{names.get(own, '')}{name.removeprefix(own)}"
    return tree


@pytest.fixture(params=list(DEMO_DATA))
def language(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def entry(hass: HomeAssistant, service: SimulatedService, language: str) -> MockConfigEntry:
    """The account of the demo, not set up yet."""
    people = [
        recipient(name, f"7{re.sub(r'\D', '', number)[1:]}") for name, number in DEMO_DATA[language].recipients.items()
    ]
    entry = MockConfigEntry(
        domain="gosms",
        title="GoSMS.ru",
        data={"api_token": API_TOKEN, "url": service.url},
        subentries_data=[*people, phone("the_phone", PHONE)],
    )
    entry.add_to_hass(hass)
    return entry


@pytest.mark.usefixtures("all_entities_enabled")
async def test_its_cards_show_existing_entities(hass: HomeAssistant, entry: MockConfigEntry, language: str) -> None:
    await set_up(hass, entry)
    helpers = {f"{domain}.{name}" for domain, made in form_configuration(language).items() for name in made}
    existing = {state.entity_id for state in hass.states.async_all()} | helpers
    assert entity_ids(dashboard(language)) - existing == set()


def test_optional_tiles_are_hidden_while_their_entity_is_missing(language: str) -> None:
    everybody_has = {"sensor.gosms_ru_total_messages", "sensor.gosms_ru_last_message"}
    tiles = [node for node in nodes(dashboard(language)) if node.get("type") == "tile"]
    assert {tile["entity"] for tile in tiles if "visibility" not in tile} == everybody_has
    hidden = [tile for tile in tiles if "visibility" in tile]
    assert [tile["visibility"] for tile in hidden] == [conditions_of_existence(tile["entity"]) for tile in hidden]


def test_both_languages_have_the_same_dashboard() -> None:
    english, russian = DEMO_DATA["en"], DEMO_DATA["ru"]
    people = zip(english.recipients, russian.recipients, strict=True)
    names = {slugify(theirs): slugify(ours) for ours, theirs in people} | {
        russian.recipient_helper[0]: english.recipient_helper[0],
        russian.text_helper[0]: english.text_helper[0],
        russian.script[0]: english.script[0],
    }
    assert without_texts(dashboard("ru"), names) == without_texts(dashboard("en"), {})
    assert re.findall(r"'(\w+)': ", text_of("ru")) == re.findall(r"'(\w+)': ", text_of("en"))


def test_it_has_a_text_for_every_problem(language: str) -> None:
    problems = json.loads((ROOT / "custom_components/gosms/translations/en.json").read_text())["issues"].keys()
    explained = re.findall(r"'(\w+)': '", content_with(language, "binary_sensor.gosms_ru_problem"))
    assert sorted(explained) == sorted(problems | {REAUTH})


async def test_its_message_list_escapes_html_and_keeps_line_breaks(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, language: str
) -> None:
    service.account.add_message(message="Second line\nof <b>two</b>", phone_number=MUM)
    service.account.add_message(message="To somebody else", phone_number="79990000000")
    await set_up(hass, entry)
    shown = str(Template(content_with(language, "sensor.gosms_ru_last_message"), hass).async_render())
    assert "**+79990000000**" in shown
    assert f"**{DEMO_DATA[language].first_recipient}**" in shown
    assert "Second line<br>of &lt;b&gt;two&lt;/b&gt;" in shown


@pytest.mark.parametrize(
    ("reasons", "is_reachable", "shown"),
    [
        ([], True, []),
        ([], False, ["out", "queued"]),
        (["service_unreachable"], False, ["service_unreachable", "queued"]),
        (["api_inactive"], False, ["api_inactive", "refused"]),
        (["account_blocked"], False, ["account_blocked", "refused"]),
        (["reauth"], False, ["reauth", "refused"]),
        (["no_read_permission"], False, ["no_read_permission"]),
        (["quota_reached"], True, ["quota_reached", "refused"]),
        (["quota_reached"], False, ["out", "queued", "quota_reached", "refused"]),
        (["phone_out_of_touch"], True, ["phone_out_of_touch"]),
        (["storage_failed"], False, ["out", "queued", "storage_failed"]),
    ],
)
def test_its_alerts_say_what_becomes_of_messages(
    hass: HomeAssistant, language: str, reasons: list[str], shown: list[str], *, is_reachable: bool
) -> None:
    content = content_with(language, "binary_sensor.gosms_ru_problem")
    hass.states.async_set("binary_sensor.gosms_ru_problem", "on" if reasons else "off", {"reason": reasons})
    hass.states.async_set("sensor.gosms_ru_total_messages", "3" if is_reachable else "unavailable")
    rendered = str(Template(content, hass).async_render())
    texts = dict(re.findall(r"'(\w+)': '(.+)'", content)) | ALERTS[language]
    assert [key for key, text in texts.items() if text in rendered] == sorted(shown, key=list(texts).index)
    assert rendered.count("<ha-alert") == len([key for key in shown if key not in {"queued", "refused"}])


async def test_its_message_list_names_what_was_not_sent(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, language: str
) -> None:
    name = DEMO_DATA[language].first_recipient
    await set_up(hass, entry)
    service.account.api_active = False
    with pytest.raises(HomeAssistantError):
        await send(hass, "Water leak!", to=f"notify.{slugify(name)}")
    shown = str(Template(content_with(language, "sensor.gosms_ru_last_message"), hass).async_render())
    assert f"**{name}** · {REFUSED[language]} · " in shown
    assert "Water leak!" in shown


def test_the_documented_script_matches_the_demo(language: str) -> None:
    text = text_of(language)
    comment = text[text.index("#     alias:") : text.index("---")]
    documented = "\n".join(line.removeprefix("#") for line in comment.splitlines())
    assert [parse_yaml(documented)] == list(form_configuration(language)["script"].values())
