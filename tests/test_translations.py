"""The texts in every language and the icons match the code."""

from collections.abc import Iterable
from importlib.resources import files
import json
import re
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml
import pytest

from custom_components.gosms.outbox import State
from tests import PACKAGE
from tests.code_texts import CodeTexts
from tests.translation_checks import LANGUAGES, TRANSLATIONS, flat, placeholders_in
from tests.translation_rules import problems_of_icons, problems_of_translations

# Ends of a flow that Home Assistant's own helpers name. From 2026.10 on it has texts for most of them; the older
# versions need ours.
HELPERS_REASONS: Final = {"already_configured", "already_in_progress", "reauth_successful", "reconfigure_successful"}
# A fix flow that only confirms is Home Assistant's own.
HELPERS_STEPS: Final = {"confirm"}
# Named after their device.
NAMELESS: Final = {"notify.sms"}
# The interface draws these by their device class, a battery by its level.
DRAWN_BY_CLASS: Final = {
    "sensor.battery",
    "sensor.last_seen",
    "binary_sensor.charging",
    "binary_sensor.online",
    "binary_sensor.problem",
}
# Written alike in both languages.
ALIKE: Final = {"SIM 1", "SIM 2", "SMS"}


def tree_of(name: str) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads((PACKAGE / name).read_text(encoding="utf-8"))
    return tree


def texts_of(language: str) -> dict[str, str]:
    return flat(tree_of(f"translations/{language}.json"))


def keys_at(keys: Iterable[str], place: str) -> set[str]:
    """Return the last group of a pattern in all keys that match it from their start."""
    found = (re.match(place, key) for key in keys)
    return {match.group(match.lastindex or 0) for match in found if match}


@pytest.fixture(scope="module")
def code() -> CodeTexts:
    return CodeTexts.of_files(sorted(PACKAGE.rglob("*.py")))


@pytest.fixture(scope="module")
def english() -> dict[str, str]:
    return texts_of("en")


def entities_in(tree: dict[str, Any]) -> set[str]:
    return {f"{platform}.{key}" for platform, keys in tree.get("entity", {}).items() for key in keys}


def test_every_language_file_is_checked() -> None:
    assert sorted(file.name for file in TRANSLATIONS.iterdir()) == [f"{language}.json" for language in LANGUAGES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys_and_placeholders(english: dict[str, str], language: str) -> None:
    translated = {key: placeholders_in([text]) for key, text in texts_of(language).items()}
    assert translated == {key: placeholders_in([text]) for key, text in english.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_hassfest_would_accept_the_texts(language: str) -> None:
    assert problems_of_translations(tree_of(f"translations/{language}.json")) == []


def test_hassfest_would_accept_the_icons() -> None:
    assert problems_of_icons(tree_of("icons.json")) == []


def test_every_icon_exists() -> None:
    # The interface shows nothing for any other name, and hassfest does not look.
    drawn = json.loads((files("hass_frontend") / "static/mdi/iconList.json").read_text(encoding="utf-8"))
    assert {*flat(tree_of("icons.json")).values()} - {f"mdi:{icon['name']}" for icon in drawn} == set()


@pytest.mark.parametrize("name", ["strings.json", "translations/strings.json"])
def test_there_is_no_strings_json(name: str) -> None:
    assert not (PACKAGE / name).exists()


def test_russian_texts_are_in_russian() -> None:
    foreign = {key: text for key, text in texts_of("ru").items() if not re.search("[а-яё]", text, re.IGNORECASE)}
    assert set(foreign.values()) - ALIKE == set()


def test_english_texts_contain_no_cyrillic(english: dict[str, str]) -> None:
    assert [key for key, text in english.items() if re.search("[а-яё]", text, re.IGNORECASE)] == []


@pytest.mark.parametrize(
    ("named", "place"),
    [
        ("exceptions", r"exceptions\.(\w+)\.message"),
        ("issues", r"issues\.(\w+)\."),
        ("selectors", r"selector\.(\w+)\."),
        ("aborts", r"(?:config|options|config_subentries\.\w+|issues\.\w+\.fix_flow)\.abort\.(\w+)"),
        ("form_errors", r"(?:config|options|config_subentries\.\w+|issues\.\w+\.fix_flow)\.error\.(\w+)"),
        ("error_keys", r"(?:exceptions|config\.error|config_subentries\.\w+\.error)\.(\w+)"),
    ],
)
def test_every_key_used_in_the_code_has_a_text(
    code: CodeTexts, english: dict[str, str], named: str, place: str
) -> None:
    assert getattr(code, named) - keys_at(english, place) == set()


@pytest.mark.parametrize(
    ("place", "of_helpers"),
    [
        (r"exceptions\.(\w+)\.message", set()),
        (r"issues\.(\w+)\.", set()),
        (r"selector\.(\w+)\.", set()),
        (r"services\.(\w+)\.", set()),
        (r"entity\.\w+\.(\w+)\.", set()),
        (r"(?:config|options|config_subentries\.\w+|issues\.\w+\.fix_flow)\.error\.(\w+)", set()),
        (r"(?:config|options|config_subentries\.\w+|issues\.\w+\.fix_flow)\.abort\.(\w+)", HELPERS_REASONS),
    ],
)
def test_there_are_no_unused_texts(code: CodeTexts, english: dict[str, str], place: str, of_helpers: set[str]) -> None:
    assert keys_at(english, place) - code.constants - of_helpers == set()


def test_every_failure_of_a_message_has_an_error_text(english: dict[str, str]) -> None:
    failures = {state.value for state in State if state.is_final} - {State.DELIVERED.value}
    assert failures - keys_at(english, r"exceptions\.(\w+)\.message") == set()


def test_every_step_with_texts_exists_in_the_code(code: CodeTexts, english: dict[str, str]) -> None:
    place = r"(?:config|options|config_subentries\.\w+|issues\.\w+\.fix_flow)\.step\.(\w+)\."
    assert keys_at(english, place) - code.steps - HELPERS_STEPS == set()


@pytest.mark.parametrize(
    "abort",
    [
        "config.abort.already_configured",
        "config.abort.reconfigure_successful",
        "config_subentries.phone.abort.reconfigure_successful",
        "config_subentries.recipient.abort.reconfigure_successful",
    ],
)
def test_abort_texts_for_home_assistant_before_2026_10_exist(english: dict[str, str], abort: str) -> None:
    assert abort in english


def test_every_entity_has_a_name_and_an_icon(code: CodeTexts) -> None:
    translations, icons = entities_in(tree_of("translations/en.json")), entities_in(tree_of("icons.json"))
    assert code.entities - translations - NAMELESS == set()
    assert translations - icons - DRAWN_BY_CLASS == set()


def test_there_are_no_unused_icons() -> None:
    english, icons = tree_of("translations/en.json"), tree_of("icons.json")
    assert entities_in(icons) - entities_in(english) - NAMELESS == set()
    assert set(icons.get("services", {})) == set(english.get("services", {}))
    states = keys_at(flat(icons), r"(entity\.\w+\.\w+\.state\.\w+)") - {
        f"entity.{platform}.{key}.state.{state}"
        for platform in ("binary_sensor", "switch")
        for key in icons["entity"].get(platform, {})
        for state in ("on", "off")
    }
    assert states - set(flat(english)) == set()


@pytest.mark.parametrize("kind", ["conditions", "triggers"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_triggers_and_conditions_have_texts_and_icons(language: str, kind: str) -> None:
    # Without those that begin with a dot, which are templates for the rest.
    file: Any = parse_yaml((PACKAGE / f"{kind}.yaml").read_text(encoding="utf-8"))
    described = {key: set(described["fields"]) for key, described in file.items() if not key.startswith(".")}
    texts = tree_of(f"translations/{language}.json")[kind]
    assert {key: set(text["fields"]) for key, text in texts.items()} == described
    assert set(tree_of("icons.json")[kind]) == set(described)
    names = [text["name"] for text in texts.values()]
    assert len(set(names)) == len(names)
    # What people search for.
    assert [name for name in names if "SMS" not in name] == []


def _nested(key: str, value: Any) -> dict[str, Any]:
    """Return a tree with one text in it."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return value  # type: ignore[no-any-return]  # The loop has made it a tree.


@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        ("exceptions.a.message", "Do <b>it</b>", "has HTML in it"),
        ("exceptions.a.message", "See https://gosms.ru/help", "has a URL in it"),
        ("exceptions.a.message", "See www.gosms.ru", "has a URL in it"),
        ("exceptions.a.message", "[%key:common::a%]", "has a reference in it"),
        ("exceptions.a.message", "Not '{error}'", "has a placeholder in single quotes in it"),
        ("exceptions.a.message", "Space ", "has white space at an end in it"),
        ("exceptions.a.message", "", "has white space at an end in it"),
        ("exceptions.a.message", "Half {error", "has a brace without its partner"),
        ("exceptions.a.message", "No {0}", "has the placeholder {0}, no identifier"),
        ("exceptions.a.message", ["a"], "is no text"),
        ("exceptions.a.text", "Text", "is in no place that Home Assistant knows"),
        ("exceptions.A.message", "Text", "is in no place that Home Assistant knows"),
        ("exceptions.a__b.message", "Text", "is in no place that Home Assistant knows"),
        ("entity.sensor.a.state.b", "{c}", "has a placeholder where nothing is filled in"),
    ],
)
def test_a_bad_text_is_found(key: str, text: Any, problem: str) -> None:
    assert problems_of_translations(_nested(key, text)) == [f"{key} {problem}"]


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        ({"config": {"error": {"a": "A"}}}, "config lacks step"),
        (
            {"config": {"step": {"user": {"data": {"a": "A"}, "data_description": {"b": "B"}}}}},
            "config.step.user describes b, which is no field",
        ),
        (
            {"options": {"step": {"init": {"sections": {"s": {"data_description": {"b": "B"}}}}}}},
            "options.step.init.s describes b, which is no field",
        ),
        (
            {"config_subentries": {"a": {"step": {}, "initiate_flow": {"user": "Add"}}}},
            "config_subentries.a lacks entry_type",
        ),
        (
            {"config_subentries": {"a": {"step": {}, "entry_type": "A", "initiate_flow": {"reconfigure": "B"}}}},
            "config_subentries.a.initiate_flow lacks user",
        ),
        ({"issues": {"a": {"description": "A"}}}, "issues.a lacks title"),
        ({"issues": {"a": {"title": "A"}}}, "issues.a needs a description or a fix_flow, one of the two"),
        (
            {"issues": {"a": {"title": "A", "description": "B", "fix_flow": {"step": {}}}}},
            "issues.a needs a description or a fix_flow, one of the two",
        ),
        ({"services": {"a": {"name": "A"}}}, "services.a lacks description"),
        (
            {"services": {"a": {"name": "A", "description": "A", "fields": {"b": {"description": "B"}}}}},
            "services.a.fields.b lacks name",
        ),
        (
            {"services": {"a": {"name": "A", "description": "A", "sections": {"b": {"description": "B"}}}}},
            "services.a.sections.b lacks name",
        ),
        ({"triggers": {"a": {"name": "A"}}}, "triggers.a lacks description"),
        (
            {"conditions": {"a": {"name": "A", "description": "A", "fields": {"b": {"description": "B"}}}}},
            "conditions.a.fields.b lacks name",
        ),
    ],
)
def test_a_missing_text_is_found(tree: dict[str, Any], problem: str) -> None:
    assert problems_of_translations(tree) == [problem]


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        ({"entity": {"sensor": {"a": {"default": "hass:a"}}}}, "entity.sensor.a.default is no icon: hass:a"),
        ({"triggers": {"a": "mdi:a"}}, "triggers.a is in no place that Home Assistant knows"),
        ({"services": {"a": "mdi:a"}}, "services.a is in no place that Home Assistant knows"),
        (
            {"config_subentries": {"a": {"default": "mdi:a"}}},
            "config_subentries.a.default is in no place that Home Assistant knows",
        ),
        (
            {"entity": {"sensor": {"a": {"default": "mdi:a", "state": {"b": "mdi:a"}}}}},
            "entity.sensor.a.state.b is the default once more",
        ),
    ],
)
def test_a_bad_icon_is_found(tree: dict[str, Any], problem: str) -> None:
    assert problems_of_icons(tree) == [problem]
