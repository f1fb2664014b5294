"""A Home Assistant and a browser, shared by the tests of a module."""

from collections.abc import AsyncGenerator

from playwright.async_api import expect
import pytest
import pytest_asyncio

from devtools.browser import TIMEOUT
from devtools.hass_client import HomeAssistantClient

from .environment import BrowserEnvironment

# Everything else on a page is waited for as long.
expect.set_options(timeout=TIMEOUT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests time: a busy machine needs a minute for what otherwise takes a second."""
    here = __name__.removesuffix(".conftest").replace(".", "/")
    for item in items:
        if here in item.path.as_posix():
            item.add_marker(pytest.mark.timeout(400))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def env(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[BrowserEnvironment]:
    """Start Home Assistant, the simulated service and a browser; without a browser the tests are skipped."""
    async with BrowserEnvironment.start(tmp_path_factory.mktemp("config"), "en") as environment:
        yield environment


@pytest_asyncio.fixture(loop_scope="module")
async def client(env: BrowserEnvironment, socket_enabled: None) -> AsyncGenerator[HomeAssistantClient]:
    """Return a client of Home Assistant, which has no account before and after the test."""
    yield env.hass.client
    await env.reset()
