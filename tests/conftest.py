"""Fixtures of all tests."""

# isort: off
# First of all: the test plugin has a package `custom_components` of its own, and the one imported first wins.
import custom_components  # noqa: F401

# isort: on

from collections.abc import Generator
from pathlib import Path
from unittest.mock import PropertyMock, patch

import pytest
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from tests.home import configuration, family, home
from tests.log_checks import clean_log, loop_protection
from tests.service import account, entry, impatient, service, unpaced
from tests.translation_checks import translations_exist

__all__ = [
    "account",
    "clean_log",
    "configuration",
    "entry",
    "family",
    "home",
    "impatient",
    "loop_protection",
    "service",
    "translations_exist",
    "unpaced",
]


@pytest.fixture(autouse=True)
def integration_is_found(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant find the integration, in the tests that have a Home Assistant."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Give Home Assistant a folder of its own: the outbox really writes its files."""
    return str(tmp_path)


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare with snapshots in the form that Home Assistant's own tests use."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def all_entities_enabled() -> Generator[None]:
    """Enable also the entities that a user has to enable first."""
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", new_callable=PropertyMock
    ) as enabled:
        enabled.return_value = True
        yield
