"""The list of Home Assistant's quality rules is complete, and true as far as a test can verify."""

from importlib import import_module
import re
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml
import pytest

from custom_components.gosms import _PLATFORMS
from tests import PACKAGE, ROOT

# Home Assistant's rules of August 2026, by tier.
RULES: Final = {
    "bronze": {
        "action-setup",
        "appropriate-polling",
        "brands",
        "common-modules",
        "config-flow",
        "config-flow-test-coverage",
        "dependency-transparency",
        "docs-actions",
        "docs-conditions",
        "docs-high-level-description",
        "docs-installation-instructions",
        "docs-removal-instructions",
        "docs-triggers",
        "entity-event-setup",
        "entity-unique-id",
        "has-entity-name",
        "runtime-data",
        "test-before-configure",
        "test-before-setup",
        "unique-config-entry",
    },
    "silver": {
        "action-exceptions",
        "config-entry-unloading",
        "docs-configuration-parameters",
        "docs-installation-parameters",
        "entity-unavailable",
        "integration-owner",
        "log-when-unavailable",
        "parallel-updates",
        "reauthentication-flow",
        "test-coverage",
    },
    "gold": {
        "devices",
        "diagnostics",
        "discovery",
        "discovery-update-info",
        "docs-data-update",
        "docs-examples",
        "docs-known-limitations",
        "docs-supported-devices",
        "docs-supported-functions",
        "docs-troubleshooting",
        "docs-use-cases",
        "dynamic-devices",
        "entity-category",
        "entity-device-class",
        "entity-disabled-by-default",
        "entity-translations",
        "exception-translations",
        "icon-translations",
        "reconfiguration-flow",
        "repair-issues",
        "stale-devices",
    },
    "platinum": {"async-dependency", "inject-websession", "strict-typing"},
}

# What a comment names as a proof: a file, by its path in the repository or in the integration.
_FILE: Final = re.compile(r"(?<![\w/])(?:[\w.-]+/)*[\w.-]+\.(?:ambr|json|md|py|typed)\b|\bscripts/\w+")

_TEXT: Final = (PACKAGE / "quality_scale.yaml").read_text(encoding="utf-8")
_FILE_OF_RULES: Final[Any] = parse_yaml(_TEXT)
_SCALE: Final[dict[str, Any]] = _FILE_OF_RULES["rules"]


def with_status(status: str) -> dict[str, str]:
    """Return the comments of the rules that have a status."""
    return {name: rule["comment"] for name, rule in _SCALE.items() if rule["status"] == status}


def test_each_of_the_54_rules_is_listed_once() -> None:
    assert sum(map(len, RULES.values())) == 54
    assert set(_SCALE) == set().union(*RULES.values())
    assert len(re.findall(r"^  [a-z-]+:$", _TEXT, re.MULTILINE)) == 54


def test_every_rule_has_a_status_and_a_comment() -> None:
    assert {frozenset(rule) for rule in _SCALE.values()} == {frozenset({"status", "comment"})}
    assert with_status("done").keys() | with_status("exempt").keys() | with_status("todo").keys() == set(_SCALE)
    assert [name for name, rule in _SCALE.items() if len(rule["comment"].split()) < 3] == []


@pytest.mark.parametrize("rule", with_status("done"))
def test_every_rule_that_is_done_names_existing_files(rule: str) -> None:
    proofs = _FILE.findall(_SCALE[rule]["comment"])
    assert proofs
    assert [proof for proof in proofs if not ((ROOT / proof).exists() or (PACKAGE / proof).exists())] == []


def test_no_unmet_tier_is_claimed() -> None:
    # The bronze rule on dependencies wants a client that is published.
    assert "dependency-transparency" in with_status("todo")
    assert "quality_scale" not in (PACKAGE / "manifest.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("platform", _PLATFORMS)
def test_every_platform_sets_parallel_updates(platform: str) -> None:
    assert isinstance(import_module(f"custom_components.gosms.{platform}").PARALLEL_UPDATES, int)
