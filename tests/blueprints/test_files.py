"""Home Assistant can load the blueprints, and users can find them."""

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.util.yaml import extract_inputs, load_yaml_dict
import pytest

from tests import ROOT
from tests.blueprints import FOLDER

REPOSITORY: Final = "https://github.com/gosms-home-assistant/gosms/blob/main/"
IMPORT: Final = "https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url="

each_blueprint = pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.stem)


def read(file: Path) -> dict[str, Any]:
    """Return the content of a blueprint."""
    return load_yaml_dict(str(file))


@each_blueprint
def test_a_blueprint_is_valid_and_uses_every_input(file: Path) -> None:
    content = read(file)
    blueprint = Blueprint(content, expected_domain="automation", schema=AUTOMATION_BLUEPRINT_SCHEMA)
    assert blueprint.validate() is None
    assert extract_inputs(content) == set(blueprint.inputs)


@each_blueprint
def test_every_input_has_a_name_and_a_selector(file: Path) -> None:
    inputs = read(file)["blueprint"]["input"]
    assert [key for key, field in inputs.items() if not {"name", "selector"} <= set(field)] == []


@each_blueprint
def test_a_blueprint_can_be_imported_with_one_click_and_updated(file: Path) -> None:
    url = f"{REPOSITORY}{file.relative_to(ROOT).as_posix()}"
    assert read(file)["blueprint"]["source_url"] == url
    assert f"]({IMPORT}{quote(url, safe='')})" in (ROOT / "README.md").read_text(encoding="utf-8")


@each_blueprint
def test_a_blueprint_requires_the_same_version_as_the_integration(file: Path) -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text(encoding="utf-8"))
    assert read(file)["blueprint"]["homeassistant"]["min_version"] == hacs["homeassistant"]
