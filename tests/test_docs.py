"""The two READMEs have the same content, and match the entities, actions, events and options."""

from itertools import chain
import json
import re
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml
import pytest

from custom_components.gosms.outbox import EVENT_TYPES
from custom_components.gosms.outbox.state import TRANSITIONS
from tests.code_texts import PACKAGE
from tests.readme import ROOT, Readme, Table, keys_in
from tests.test_architecture import FLOORS
from tests.translation_checks import flat

ENGLISH: Final = Readme.read("README.md")
RUSSIAN: Final = Readme.read("README.ru.md")
BOTH: Final = {"en": ENGLISH, "ru": RUSSIAN}

ARCHITECTURE: Final = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")

both = pytest.mark.parametrize("language", BOTH)

# The sections that Home Assistant's quality scale asks for, by its rules.
SECTIONS: Final = {
    "docs-actions": "Actions",
    "docs-configuration-parameters": "Options",
    "docs-data-update": "How data is updated",
    "docs-examples": "Examples",
    "docs-high-level-description": "GoSMS.ru for Home Assistant",
    "docs-installation-instructions": "Installation",
    "docs-installation-parameters": "Set-up",
    "docs-known-limitations": "Known limitations",
    "docs-removal-instructions": "Removal",
    "docs-supported-devices": "Supported devices",
    "docs-supported-functions": "Entities",
    "docs-troubleshooting": "Troubleshooting",
    "docs-use-cases": "What it is good for",
    "prerequisites": "What you need",
    "privacy": "Privacy",
}


def texts_of(language: str) -> dict[str, Any]:
    texts: dict[str, Any] = json.loads((PACKAGE / f"translations/{language}.json").read_text(encoding="utf-8"))
    return texts


def table_with(readme: Readme, key: str, column: int = 0) -> Table:
    """Return the table with a row that has only this key in a column."""
    (table,) = (table for table in readme.tables if any(keys_in(row[column]) == [key] for row in table))
    return table


def test_both_readmes_have_the_same_heading_structure() -> None:
    levels = [[level for level, _ in readme.headings] for readme in BOTH.values()]
    assert levels[0] == levels[1]
    assert len(set(RUSSIAN.headings)) == len(RUSSIAN.headings)


def test_both_readmes_have_the_same_tables() -> None:
    # The keys that stand as code, without the ids of entities, whose names are Russian in Russian.
    keys = [
        [[[key for cell in row for key in keys_in(cell) if "mum" not in key and "mama" not in key] for row in table]
         for table in readme.tables]
        for readme in BOTH.values()
    ]  # fmt: skip
    assert keys[0] == keys[1]


def test_both_readmes_have_the_same_links() -> None:
    leading = [
        [link.replace(".ru.", ".") for link in readme.links if not link.startswith(("#", "README"))]
        for readme in BOTH.values()
    ]
    assert leading[0] == leading[1]


def test_both_readmes_have_the_same_examples() -> None:
    # As far as they are structure; what they say is Russian in Russian.
    shapes = [[(kind, sorted(flat(_loaded(kind, text)))) for kind, text in each.examples] for each in BOTH.values()]
    assert shapes[0] == shapes[1]


def _loaded(kind: str, text: str) -> dict[str, Any]:
    return {"document": parse_yaml(text)} if kind == "yaml" else {}


@both
def test_every_link_into_the_repository_resolves(language: str) -> None:
    readme = BOTH[language]
    inner = [link for link in readme.links if "://" not in link]
    assert [link for link in inner if link.startswith("#") and link[1:] not in readme.anchors] == []
    files = [link.partition("#")[0] for link in inner if not link.startswith("#")]
    assert [file for file in files if not (ROOT / file).exists()] == []


@both
def test_the_table_of_contents_lists_every_section(language: str) -> None:
    readme = BOTH[language]
    named = [link[1:] for link in readme.links if link.startswith("#")]
    sections = [title for level, title in readme.headings if level == 2]
    assert [title for title in sections if title.lower().replace(" ", "-") not in named] == []


@pytest.mark.parametrize("rule", SECTIONS)
def test_sections_required_by_the_quality_scale_exist(rule: str) -> None:
    assert SECTIONS[rule] in [title for _, title in ENGLISH.headings]


@both
def test_every_entity_is_listed_under_its_name(language: str) -> None:
    listed = {(keys_in(row[1])[0], row[2]) for row in table_with(BOTH[language], "notify", column=1)}
    entities = texts_of(language)["entity"]
    named = {(platform, texts["name"]) for platform, keys in entities.items() for texts in keys.values()}
    # A notify entity is named after its recipient.
    assert {entity for entity in listed if entity[0] != "notify"} == named


@both
def test_every_status_is_explained(language: str) -> None:
    states = texts_of(language)["entity"]["sensor"]["last_message_status"]["state"]
    listed = [keys_in(row[0])[0] for row in table_with(BOTH[language], "waiting")]
    assert sorted(listed) == sorted([*states, "unknown"])


@both
def test_every_event_and_attribute_is_explained(language: str) -> None:
    assert [keys_in(row[0])[0] for row in table_with(BOTH[language], "accepted")] == list(EVENT_TYPES)
    attributes = set(texts_of(language)["entity"]["event"]["message"]["state_attributes"]) - {"event_type"}
    assert {keys_in(row[0])[0] for row in table_with(BOTH[language], "message_ids")} == attributes


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
        table_with(BOTH[language], key, column=1) for key in ("api_token", "phone_number", "sim", "queue_expiry")
    )
    # A field of a section is named after the section too.
    assert {(row[0].split(": ")[-1], keys_in(row[1])[0]) for row in rows} == fields


@both
def test_every_repair_is_explained(language: str) -> None:
    listed = [keys_in(row[1])[0] for row in table_with(BOTH[language], "quota_reached", column=1)]
    assert sorted(listed) == sorted(texts_of(language)["issues"])


@both
def test_every_action_is_listed_with_all_its_fields(language: str) -> None:
    listed = {keys_in(row[0])[0]: set(keys_in(row[1])) for row in table_with(BOTH[language], "gosms.preview")}
    del listed["notify.send_message"]
    assert listed == fields_of_actions()


def fields_of_actions() -> dict[str, set[str]]:
    """Return the fields of the integration's actions."""
    actions = parse_yaml((PACKAGE / "services.yaml").read_text(encoding="utf-8"))
    return {f"gosms.{name}": set(_fields(action.get("fields", {}))) for name, action in actions.items()}


def _fields(fields: dict[str, Any]) -> list[str]:
    """Return the names of fields, including those in sections."""
    inner = {name: _fields(field["fields"]) if "fields" in field else [name] for name, field in fields.items()}
    return list(chain.from_iterable(inner.values()))


@both
def test_every_blueprint_is_listed(language: str) -> None:
    files = sorted(file.name for file in (ROOT / "blueprints/automation/gosms").glob("*.yaml"))
    links = [link for link in BOTH[language].links if "blueprint" in link]
    assert sorted(re.findall(r"gosms/(\w+\.yaml)", " ".join(links))) == files
    imports = [link for link in links if "blueprint_import" in link]
    assert sorted(re.findall(r"gosms%2F(\w+\.yaml)", " ".join(imports))) == files


@both
def test_the_recorder_advice_is_the_one_that_the_secrets_test_uses(language: str) -> None:
    advice = [parse_yaml(text) for kind, text in BOTH[language].examples if kind == "yaml" and "recorder" in text]
    assert advice == [{"recorder": {"exclude": {"event_types": ["call_service"]}}}]


def test_every_image_is_shown() -> None:
    shown = [link for readme in BOTH.values() for link in readme.links if link.endswith(".png")]
    assert sorted(shown) == sorted(str(file.relative_to(ROOT)) for file in (ROOT / "docs/images").glob("*.png"))


@both
def test_the_required_home_assistant_version_matches_hacs(language: str) -> None:
    oldest = json.loads((ROOT / "hacs.json").read_text(encoding="utf-8"))["homeassistant"]
    assert set(re.findall(r"Home Assistant (20\d\d\.\d+)", BOTH[language].text)) == {oldest.removesuffix(".0")}


def test_the_actions_page_lists_every_field_and_whether_it_is_required() -> None:
    actions = parse_yaml((PACKAGE / "services.yaml").read_text(encoding="utf-8"))
    assert isinstance(actions, dict)
    required = [
        {
            name: field.get("required", False)
            for key, part in action["fields"].items()
            for name, field in part.get("fields", {key: part}).items()
        }
        for action in actions.values()
    ]
    # Before them stand the list of the actions and Home Assistant's own action; a target is no field.
    tables = Readme.read("docs/actions.md").tables[2:]
    assert [{keys_in(row[0])[0]: row[2] == "yes" for row in table if keys_in(row[0])} for table in tables] == required


def test_the_actions_page_lists_every_action() -> None:
    actions = parse_yaml((PACKAGE / "services.yaml").read_text(encoding="utf-8"))
    page = Readme.read("docs/actions.md")
    named = [keys_in(row[0])[0] for row in page.tables[0]]
    assert named == ["notify.send_message", *(f"gosms.{action}" for action in actions)]
    assert [link for link in page.links if link.startswith("#") and link[1:] not in page.anchors] == []


def test_the_state_diagram_matches_the_transitions() -> None:
    drawn = re.findall(r"^    (\w+) --> (\w+)", ARCHITECTURE, re.MULTILINE)
    assert sorted(drawn) == sorted(
        (before.value, after.value) for before, those in TRANSITIONS.items() for after in those
    )


def test_the_layer_diagram_matches_the_enforced_layers() -> None:
    # The names stand between the number of a row and what it is for.
    lines = re.findall(r"^    (\d| ) {2}(\S.{0,41})", ARCHITECTURE.partition("## The way")[0], re.MULTILINE)
    drawn: list[set[str]] = []
    for number, names in lines:
        drawn[:0] = [set()] * (number != " ")
        drawn[0] = drawn[0] | {name.removesuffix("/") for name in names.split()}
    assert drawn == [set(floor) for floor in FLOORS]
