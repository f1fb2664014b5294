"""What no log line of any test may say."""

from collections.abc import Generator
import logging
from typing import override
from unittest.mock import patch

from homeassistant import block_async_io
import pytest

from tests import API_TOKEN
from workshop.complaints import complaints_in


def faults_of_a_line(line: str) -> list[str]:
    """Return what is wrong with a line of the log."""
    faults = [f"Home Assistant complains: {complaint}" for complaint in complaints_in(line)]
    if any(part in line for part in API_TOKEN.split(".")):
        faults.append(f"the token is in the log: {line}")
    return faults


class Listener(logging.Handler):
    """Keeps the faults of everything logged, tracebacks included, also when a test clears its caplog."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.faults += faults_of_a_line(self.format(record))


@pytest.fixture(autouse=True)
def clean_log() -> Generator[None]:
    """Fail a test that leaves a complaint or the token in the log, however fine the level."""
    listener = Listener()
    root = logging.getLogger()
    integration = logging.getLogger("custom_components.gosms")
    level = integration.level
    integration.setLevel(logging.DEBUG)
    root.addHandler(listener)
    yield
    root.removeHandler(listener)
    integration.setLevel(level)
    if listener.faults:
        pytest.fail("\n".join(listener.faults))


@pytest.fixture(autouse=True)
def loop_protection(request: pytest.FixtureRequest) -> Generator[None]:
    """Watch the event loop as a running Home Assistant does; a blocking call of the integration is a complaint."""
    if "hass" not in request.fixturenames:
        yield
        return
    # In tests Home Assistant leaves most calls unwatched, since its own tests block.
    with patch.object(block_async_io, "_IN_TESTS", new=False):
        block_async_io.enable()
    yield
    watched = block_async_io._BLOCKED_CALLS.calls
    for call in watched:
        setattr(call.object, call.function, call.original_func)
    watched.clear()
