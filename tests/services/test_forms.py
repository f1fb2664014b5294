"""The forms of the actions in the interface match the schemas, and every field has its texts."""

import json
from typing import Any, Final

from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.helpers.selector import validate_selector
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
import pytest

from tests import PACKAGE
from tests.translation_checks import LANGUAGES

FORMS: Final[dict[str, Any]] = dict(load_yaml_dict(str(PACKAGE / "services.yaml")))
# What the field for targets of the form puts beside the other fields.
TARGETS: Final = {"entity_id", "device_id", "area_id", "floor_id", "label_id"}


def fields_of(form: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a form, with those in its sections."""
    fields: dict[str, Any] = {}
    for name, field in form["fields"].items():
        fields |= field.get("fields", {name: field})
    return fields


def sections_of(form: dict[str, Any]) -> set[str]:
    """Return the sections of a form."""
    return {name for name, field in form["fields"].items() if "fields" in field}


@pytest.fixture
async def services(hass: HomeAssistant) -> dict[str, Any]:
    """The actions that are registered without an account."""
    assert await async_setup_component(hass, "gosms", {})
    return dict(hass.services.async_services_for_domain("gosms"))


async def test_every_action_has_a_form(services: dict[str, Any]) -> None:
    assert services.keys() == FORMS.keys()


@pytest.mark.parametrize("action", FORMS)
def test_a_form_has_only_keys_known_to_home_assistant(action: str) -> None:
    form = FORMS[action]
    assert form.keys() - {"target", "fields"} == set()
    validate_selector({"target": form.get("target", {})})
    # hassfest refuses a filter of devices: it would not hold for an area or a label.
    assert form.get("target", {}).keys() - {"entity"} == set()
    sections = [form["fields"][name] for name in sections_of(form)]
    assert [section for section in sections if section.keys() - {"collapsed", "fields"}] == []
    fields = fields_of(form).values()
    assert [field for field in fields if field.keys() - {"default", "example", "required", "selector"}] == []
    assert [field for field in fields if None in field.values()] == []


@pytest.mark.parametrize("action", FORMS)
async def test_a_form_has_every_field_of_its_action(services: dict[str, Any], action: str) -> None:
    taken = {str(field) for field in services[action].schema.schema}
    assert fields_of(FORMS[action]).keys() == taken - TARGETS
    assert (taken & TARGETS == TARGETS) is ("target" in FORMS[action])


@pytest.mark.parametrize("action", FORMS)
async def test_a_form_requires_the_fields_that_its_action_requires(services: dict[str, Any], action: str) -> None:
    for field in services[action].schema.schema:
        shown = fields_of(FORMS[action]).get(str(field), {})
        assert shown.get("required", False) is (type(field).__name__ == "Required")


@pytest.mark.parametrize("action", FORMS)
def test_no_field_requires_yaml(action: str) -> None:
    for field in fields_of(FORMS[action]).values():
        validate_selector(field["selector"])
        assert field["selector"].keys() & {"object", "template"} == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("action", FORMS)
def test_every_field_has_a_name_a_description_and_an_example(language: str, action: str) -> None:
    texts = json.loads((PACKAGE / f"translations/{language}.json").read_text(encoding="utf-8"))["services"][action]
    fields = fields_of(FORMS[action])
    assert texts["fields"].keys() == fields.keys()
    assert texts.get("sections", {}).keys() == sections_of(FORMS[action])
    assert [name for name, field in fields.items() if "example" not in field] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_has_a_text(language: str) -> None:
    texts = json.loads((PACKAGE / f"translations/{language}.json").read_text(encoding="utf-8"))["selector"]
    for form in FORMS.values():
        for field in fields_of(form).values():
            choices = field["selector"].get("select") or {"options": [], "translation_key": "sim"}
            assert set(choices["options"]) - texts[choices["translation_key"]]["options"].keys() == set()


@pytest.mark.parametrize(
    ("action", "response"),
    [
        ("send_sms", SupportsResponse.OPTIONAL),
        ("cancel_messages", SupportsResponse.OPTIONAL),
        ("get_messages", SupportsResponse.ONLY),
        ("get_message", SupportsResponse.ONLY),
        ("preview", SupportsResponse.ONLY),
        ("delete_message", SupportsResponse.NONE),
    ],
)
async def test_every_action_declares_its_response_support(
    services: dict[str, Any], action: str, response: SupportsResponse
) -> None:
    assert services[action].supports_response is response
