"""Fixtures of all tests."""

# isort: off
# Must be first: the test plugin has a package `custom_components` of its own, and the one imported first is used.
import custom_components  # noqa: F401

# isort: on

from collections.abc import Generator
from pathlib import Path
from unittest.mock import PropertyMock, patch

from hypothesis import settings
import pytest
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from tests.automation_helpers import configuration, family_label, init_integration
from tests.common import account, entry, no_rate_limit, no_service_rate_limit, service, short_timeout
from tests.log_checks import clean_log, loop_protection
from tests.message_helpers import recorded
from tests.restarts import machine
from tests.translation_checks import translations_exist

__all__ = [
    "account",
    "clean_log",
    "configuration",
    "entry",
    "family_label",
    "init_integration",
    "loop_protection",
    "machine",
    "no_rate_limit",
    "no_service_rate_limit",
    "recorded",
    "service",
    "short_timeout",
    "translations_exist",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of scripts/test."""
    parser.addoption("--thorough", action="store_true", help="2,000 histories of the outbox, and five days of messages")


def pytest_configure(config: pytest.Config) -> None:
    """Let the histories of the outbox be as many as asked for."""
    settings.register_profile("outbox", max_examples=2000 if config.getoption("thorough") else 500)
    settings.load_profile("outbox")


@pytest.fixture
def thorough(pytestconfig: pytest.Config) -> bool:
    """Whether there is time for long tests."""
    return bool(pytestconfig.getoption("thorough"))


@pytest.fixture(autouse=True)
def integration_is_found(request: pytest.FixtureRequest) -> None:
    """Enable custom integrations in tests with a Home Assistant."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Use a folder of its own for each Home Assistant, because the outbox really writes its files."""
    return str(tmp_path)


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Use the snapshot format of Home Assistant's own tests."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def all_entities_enabled() -> Generator[None]:
    """Enable the entities that are disabled by default."""
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", new_callable=PropertyMock
    ) as enabled:
        enabled.return_value = True
        yield
