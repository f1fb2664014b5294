"""The documents have the same content in both languages, and match the entities, actions, events and options."""

from itertools import chain
import json
import re
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml
import pytest

from custom_components.gosms.outbox import EVENT_TYPES
from custom_components.gosms.outbox.state import TRANSITIONS
from custom_components.gosms.sensor.account import ACCOUNT_SENSORS, OUTBOX_SENSORS
from custom_components.gosms.sensor.phone import PHONE_SENSORS
from tests import PACKAGE, ROOT
from tests.documentation import DOCUMENTATION, ENGLISH, RUSSIAN, Page, keys_in, table_with
from tests.test_architecture import LAYERS
from tests.translation_checks import flat

ARCHITECTURE: Final = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")

both = pytest.mark.parametrize("language", DOCUMENTATION)
each_page = pytest.mark.parametrize("name", ENGLISH)

DOCUMENTATION_FILE: Final = {"en": "docs/triggers.md", "ru": "docs/triggers.ru.md"}

# The sections that Home Assistant's quality scale asks for, by its rules.
SECTIONS: Final = {
    "docs-actions": "Actions",
    "docs-conditions": "Conditions",
    "docs-configuration-parameters": "Options",
    "docs-data-update": "How data is updated",
    "docs-examples": "Examples",
    "docs-high-level-description": "GoSMS.ru for Home Assistant",
    "docs-installation-instructions": "Installation",
    "docs-installation-parameters": "Setup",
    "docs-known-limitations": "Known limitations",
    "docs-removal-instructions": "Removal",
    "docs-supported-devices": "Supported devices",
    "docs-supported-functions": "Entities",
    "docs-triggers": "Triggers",
    "docs-troubleshooting": "Troubleshooting",
    "docs-use-cases": "Use cases",
    "prerequisites": "Prerequisites",
    "privacy": "Privacy",
}


def texts_of(language: str) -> dict[str, Any]:
    texts: dict[str, Any] = json.loads((PACKAGE / f"translations/{language}.json").read_text(encoding="utf-8"))
    return texts


@each_page
def test_a_page_has_the_same_heading_structure_in_both_languages(name: str) -> None:
    levels = [[level for level, _ in pages[name].headings] for pages in DOCUMENTATION.values()]
    assert levels[0] == levels[1]
    assert len(set(RUSSIAN[name].headings)) == len(RUSSIAN[name].headings)


@each_page
def test_a_page_has_the_same_tables_in_both_languages(name: str) -> None:
    # The keys that stand as code, without the ids of entities, whose names are Russian in Russian.
    keys = [
        [[[key for cell in row for key in keys_in(cell) if "mum" not in key and "mama" not in key] for row in table]
         for table in pages[name].tables]
        for pages in DOCUMENTATION.values()
    ]  # fmt: skip
    assert keys[0] == keys[1]


@each_page
def test_a_page_has_the_same_links_in_both_languages(name: str) -> None:
    # The second line of a page leads to the same page in the other language.
    leading = [
        [link.replace(".ru.", ".").partition("#")[0] for link in pages[name].links if not link.startswith("#")][1:]
        for pages in DOCUMENTATION.values()
    ]
    assert leading[0] == leading[1]


@each_page
def test_a_page_has_the_same_examples_in_both_languages(name: str) -> None:
    # As far as they are structure; what they say is Russian in Russian.
    shapes = [
        [(kind, sorted(flat(_loaded(kind, text)))) for kind, text in pages[name].examples]
        for pages in DOCUMENTATION.values()
    ]
    assert shapes[0] == shapes[1]


def _loaded(kind: str, text: str) -> dict[str, Any]:
    return {"document": parse_yaml(text)} if kind == "yaml" else {}


@both
@each_page
def test_every_link_into_the_repository_resolves(language: str, name: str) -> None:
    page = DOCUMENTATION[language][name]
    inner = [link.partition("#") for link in page.links if "://" not in link]
    assert [file for file, _, _ in inner if not (page.folder / file).exists()] == []
    others = {file: Page.read(str((page.folder / file).resolve().relative_to(ROOT))) for file, _, anchor in inner
              if file and anchor}  # fmt: skip
    assert [
        (file, anchor) for file, _, anchor in inner if anchor and anchor not in others.get(file, page).anchors
    ] == []


@both
def test_the_readme_leads_to_every_page(language: str) -> None:
    named = {link.replace(".ru.", ".") for link in DOCUMENTATION[language]["README.md"].links}
    assert set(ENGLISH) - {"README.md"} <= named


@pytest.mark.parametrize("rule", SECTIONS)
def test_sections_required_by_the_quality_scale_exist(rule: str) -> None:
    assert SECTIONS[rule] in [title for page in ENGLISH.values() for _, title in page.headings]


@both
def test_every_entity_is_listed_under_its_name(language: str) -> None:
    listed = {(keys_in(row[1])[0], row[2]) for row in table_with(language, "notify", column=1)}
    entities = texts_of(language)["entity"]
    named = {(platform, texts["name"]) for platform, keys in entities.items() for texts in keys.values()}
    # A notify entity is named after its recipient.
    assert {entity for entity in listed if entity[0] != "notify"} == named


@both
def test_exactly_the_sensors_that_are_disabled_by_default_are_marked(language: str) -> None:
    mark = {"en": "Disabled by default", "ru": "По умолчанию деактивирован"}[language]
    marked = {(row[0], row[2]) for row in table_with(language, "notify", column=1) if mark in row[4]}
    names = texts_of(language)["entity"]["sensor"]
    owner = {"en": ("account", "phone"), "ru": ("аккаунт", "телефон")}[language]
    assert marked == {
        (of, names[description.key]["name"])
        for of, descriptions in zip(owner, ((*ACCOUNT_SENSORS, *OUTBOX_SENSORS), PHONE_SENSORS), strict=True)
        for description in descriptions
        if not description.entity_registry_enabled_default
    }


@both
def test_every_status_is_explained(language: str) -> None:
    states = texts_of(language)["entity"]["sensor"]["last_message_status"]["state"]
    listed = [keys_in(row[0])[0] for row in table_with(language, "waiting")]
    assert sorted(listed) == sorted([*states, "unknown"])


@both
def test_every_event_and_attribute_is_explained(language: str) -> None:
    assert [keys_in(row[0])[0] for row in table_with(language, "accepted")] == list(EVENT_TYPES)
    attributes = set(texts_of(language)["entity"]["event"]["message"]["state_attributes"]) - {"event_type"}
    assert {keys_in(row[0])[0] for row in table_with(language, "message_ids")} == attributes


@both
def test_every_form_field_is_explained_under_its_name(language: str) -> None:
    texts = texts_of(language)
    steps = [
        texts["config"]["step"]["user"],
        *(texts["config_subentries"][kind]["step"]["user"] for kind in ("recipient", "phone")),
        texts["options"]["step"]["init"],
    ]
    fields = {
        (name, key)
        for step in steps
        for part in (step, *step.get("sections", {}).values())
        for key, name in part.get("data", {}).items()
    }
    rows = chain.from_iterable(
        table_with(language, key, column=1) for key in ("api_token", "phone_number", "sim", "queue_expiry")
    )
    # A field of a section is named after the section too.
    assert {(row[0].split(": ")[-1], keys_in(row[1])[0]) for row in rows} == fields


@both
def test_every_repair_is_explained(language: str) -> None:
    listed = [keys_in(row[1])[0] for row in table_with(language, "quota_reached", column=1)]
    assert sorted(listed) == sorted(texts_of(language)["issues"])


@both
@pytest.mark.parametrize("name", ["README.md", "docs/actions.md"])
def test_every_action_is_listed(language: str, name: str) -> None:
    listed = [
        [keys_in(row[0])[0] for row in table if keys_in(row[0])] for table in DOCUMENTATION[language][name].tables
    ]
    assert ["notify.send_message", *(f"gosms.{action}" for action in actions())] in listed


def actions() -> dict[str, Any]:
    """Return the descriptions of the integration's actions."""
    described = parse_yaml((PACKAGE / "services.yaml").read_text(encoding="utf-8"))
    assert isinstance(described, dict)
    return described


@both
@pytest.mark.parametrize("kind", ["conditions", "triggers"])
def test_every_trigger_and_condition_has_a_section_with_steps_and_yaml(language: str, kind: str) -> None:
    page = (ROOT / DOCUMENTATION_FILE[language]).read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##)", page, re.MULTILINE | re.DOTALL))
    for key, texts in texts_of(language)[kind].items():
        section = sections[texts["name"]]
        assert f"`gosms.{key}`" in section
        assert "\n1. " in section
        assert f": gosms.{key}\n" in section
    fields = {field for texts in texts_of(language)[kind].values() for field in texts["fields"]}
    documented = {keys_in(row[0])[0] for table in DOCUMENTATION[language]["docs/triggers.md"].tables for row in table}
    assert fields <= documented


@both
def test_every_blueprint_is_listed(language: str) -> None:
    files = sorted(file.name for file in (ROOT / "blueprints/automation/gosms").glob("*.yaml"))
    links = [link for link in DOCUMENTATION[language]["README.md"].links if "blueprint" in link]
    assert sorted(re.findall(r"gosms/(\w+\.yaml)", " ".join(links))) == files
    imports = [link for link in links if "blueprint_import" in link]
    assert sorted(re.findall(r"gosms%2F(\w+\.yaml)", " ".join(imports))) == files


@both
def test_the_recorder_advice_is_the_one_that_the_secrets_test_uses(language: str) -> None:
    advice = [
        parse_yaml(text) for kind, text in DOCUMENTATION[language]["docs/privacy.md"].examples if "recorder" in text
    ]
    assert advice == [{"recorder": {"exclude": {"event_types": ["call_service"]}}}]


def test_every_image_is_shown() -> None:
    shown = [
        (page.folder / link).resolve()
        for pages in DOCUMENTATION.values()
        for page in pages.values()
        for link in page.links
        if link.endswith(".png")
    ]
    assert sorted(shown) == sorted((ROOT / "docs/images").glob("*.png"))


@both
def test_the_required_home_assistant_version_matches_hacs(language: str) -> None:
    oldest = json.loads((ROOT / "hacs.json").read_text(encoding="utf-8"))["homeassistant"]
    text = DOCUMENTATION[language]["README.md"].text
    assert set(re.findall(r"Home Assistant (20\d\d\.\d+)", text)) == {oldest.removesuffix(".0")}


@pytest.mark.parametrize(("language", "yes"), [("en", "yes"), ("ru", "да")])
def test_the_actions_page_lists_every_field_and_whether_it_is_required(language: str, yes: str) -> None:
    required = [
        {
            name: field.get("required", False)
            for key, part in action["fields"].items()
            for name, field in part.get("fields", {key: part}).items()
        }
        for action in actions().values()
    ]
    # Before them stand the list of the actions and Home Assistant's own action; a target is no field.
    tables = DOCUMENTATION[language]["docs/actions.md"].tables[2:][: len(required)]
    assert [{keys_in(row[0])[0]: row[2] == yes for row in table if keys_in(row[0])} for table in tables] == required


def test_the_state_diagram_matches_the_transitions() -> None:
    drawn = re.findall(r"^    (\w+) --> (\w+)", ARCHITECTURE, re.MULTILINE)
    assert sorted(drawn) == sorted(
        (before.value, after.value) for before, those in TRANSITIONS.items() for after in those
    )


def test_the_layer_diagram_matches_the_enforced_layers() -> None:
    # The names stand between the number of a row and what it is for.
    lines = re.findall(r"^    (\d| ) {2}(\S.{0,41})", ARCHITECTURE.partition("## The path")[0], re.MULTILINE)
    drawn: list[set[str]] = []
    for number, names in lines:
        drawn[:0] = [set()] * (number != " ")
        drawn[0] = drawn[0] | {name.removesuffix("/") for name in names.split()}
    assert drawn == [set(layer) for layer in LAYERS]
