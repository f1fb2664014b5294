"""Checks of the log beside every test."""

from collections.abc import Generator
import logging
from typing import override
from unittest.mock import patch

from homeassistant import block_async_io
import pytest

from devtools.log_warnings import integration_warnings
from tests import API_TOKEN


def problems_in_line(line: str) -> list[str]:
    """Return the problems of a line of the log."""
    problems = [f"Home Assistant warns: {warning}" for warning in integration_warnings(line)]
    if any(part in line for part in API_TOKEN.split(".")):
        problems.append(f"the token is in the log: {line}")
    return problems


class LogWatcher(logging.Handler):
    """Collects the problems of all log records with their tracebacks, even if a test clears its caplog."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.problems += problems_in_line(self.format(record))


@pytest.fixture(autouse=True)
def clean_log() -> Generator[None]:
    """Fail a test that logs a warning about the integration or the token, at any level."""
    watcher = LogWatcher()
    root = logging.getLogger()
    integration = logging.getLogger("custom_components.gosms")
    level = integration.level
    integration.setLevel(logging.DEBUG)
    root.addHandler(watcher)
    yield
    root.removeHandler(watcher)
    integration.setLevel(level)
    if watcher.problems:
        pytest.fail("\n".join(watcher.problems))


@pytest.fixture(autouse=True)
def loop_protection(request: pytest.FixtureRequest) -> Generator[None]:
    """Protect the event loop as a running Home Assistant does, which logs blocking calls of the integration."""
    if "hass" not in request.fixturenames:
        yield
        return
    # In tests Home Assistant allows most calls, because its own tests block.
    with patch.object(block_async_io, "_IN_TESTS", new=False):
        block_async_io.enable()
    yield
    watched = block_async_io._BLOCKED_CALLS.calls
    for call in watched:
        setattr(call.object, call.function, call.original_func)
    watched.clear()
