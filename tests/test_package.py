"""The metadata for Home Assistant and HACS."""

from importlib.metadata import version
import json
from pathlib import Path
import re
from typing import Any, Final

from homeassistant.const import __version__
import pytest

from tests import PACKAGE, ROOT

# Everything HACS knows in hacs.json; it refuses other keys.
HACS_KEYS: Final = {
    "content_in_root",
    "country",
    "filename",
    "hacs",
    "hide_default_branch",
    "homeassistant",
    "name",
    "persistent_directory",
    "render_readme",
    "zip_release",
}
MANIFEST_KEYS: Final = {
    "after_dependencies",
    "codeowners",
    "config_flow",
    "dependencies",
    "documentation",
    "domain",
    "import_executor",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "loggers",
    "name",
    "quality_scale",
    "requirements",
    "single_config_entry",
    "version",
}


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return read(PACKAGE / "manifest.json")


@pytest.fixture(scope="module")
def hacs() -> dict[str, Any]:
    return read(ROOT / "hacs.json")


def test_hacs_finds_one_integration() -> None:
    folders = [path.name for path in PACKAGE.parent.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert folders == ["gosms"]


def test_the_manifest_keys_are_in_hassfest_order(manifest: dict[str, Any]) -> None:
    assert list(manifest) == ["domain", "name", *sorted(set(manifest) - {"domain", "name"})]


def test_the_manifest_has_only_keys_known_to_home_assistant(manifest: dict[str, Any]) -> None:
    assert set(manifest) - MANIFEST_KEYS == set()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("domain", "gosms"),
        ("name", "GoSMS.ru"),
        ("config_flow", True),
        ("integration_type", "service"),
        ("iot_class", "cloud_polling"),
    ],
)
def test_the_manifest_has_the_expected_values(manifest: dict[str, Any], key: str, value: object) -> None:
    assert manifest[key] == value


@pytest.mark.parametrize("key", ["documentation", "issue_tracker"])
def test_the_manifest_links_point_to_the_repository(manifest: dict[str, Any], key: str) -> None:
    assert re.fullmatch(r"https://github\.com/[\w-]+/[\w.-]+(/issues)?", manifest[key])


def test_the_integration_has_code_owners(manifest: dict[str, Any]) -> None:
    assert [owner for owner in manifest["codeowners"] if not re.fullmatch(r"@[A-Za-z0-9-]+", owner)] == []
    assert manifest["codeowners"]


def test_the_version_has_the_format_of_a_release(manifest: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(b\d+)?", manifest["version"])


def test_every_used_integration_is_a_dependency(manifest: dict[str, Any]) -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    used = set(re.findall(r"\bhomeassistant\.components(?:\.| import )(\w+)", code))
    assert "notify" in used
    # Home Assistant loads one that ours has a module for before that module.
    modules = {path.stem for path in PACKAGE.iterdir()}
    # This one is always loaded, and hassfest asks for nothing.
    used.discard("homeassistant")
    assert used - modules - {*manifest.get("dependencies", []), *manifest.get("after_dependencies", [])} == set()


def test_the_manifest_loggers_belong_to_the_integration(manifest: dict[str, Any]) -> None:
    assert all(name.startswith("custom_components.gosms") for name in manifest.get("loggers", []))


def test_requirements_are_pinned_to_the_tested_versions(manifest: dict[str, Any]) -> None:
    pinned = (ROOT / "requirements_test.txt").read_text(encoding="utf-8").splitlines()
    assert set(manifest["requirements"]) - set(pinned) == set()
    assert [name for name in manifest["requirements"] if not re.fullmatch(r"[a-z0-9_.-]+==[\w.]+", name)] == []


def test_hacs_json_has_only_known_keys(hacs: dict[str, Any]) -> None:
    assert set(hacs) - HACS_KEYS == set()


@pytest.mark.parametrize(("key", "value"), [("name", "GoSMS.ru"), ("homeassistant", "2026.8.0")])
def test_hacs_json_has_the_expected_name_and_minimum_version(hacs: dict[str, Any], key: str, value: str) -> None:
    assert hacs[key] == value


def test_the_oldest_test_run_uses_the_minimum_version_of_hacs_json(hacs: dict[str, Any]) -> None:
    plugin = "pytest-homeassistant-custom-component"
    pinned = (ROOT / "requirements_test_oldest.txt").read_text(encoding="utf-8").splitlines()
    # Both are true with scripts/test --oldest, and neither is without.
    assert (f"{plugin}=={version(plugin)}" in pinned) is (__version__ == hacs["homeassistant"])


def test_a_zip_release_has_a_filename(hacs: dict[str, Any]) -> None:
    assert ("filename" in hacs) is hacs.get("zip_release", False)
