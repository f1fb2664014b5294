"""A Home Assistant and a browser, shared by the tests of a module."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor

import pytest
import pytest_asyncio
import pytest_socket

from devtools.browser import Browser, find
from devtools.demo_data import configuration, link_dashboard
from devtools.hass_client import HomeAssistantClient
from devtools.hass_process import HomeAssistantProcess
from devtools.simulator_process import SimulatorProcess

from .environment import BrowserEnvironment


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests time: a busy machine needs a minute for what otherwise takes a second."""
    here = __name__.removesuffix(".conftest").replace(".", "/")
    for item in items:
        if here in item.path.as_posix():
            item.add_marker(pytest.mark.timeout(400))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def env(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[BrowserEnvironment]:
    """Start Home Assistant, the simulated service and a browser; without a browser the tests are skipped."""
    if find() is None:
        pytest.skip("no Chromium or Chrome was found; set GOSMS_BROWSER to its path")
    # pytest-socket blocks the sockets again before each test.
    pytest_socket.enable_socket()
    # A thread that exists before a test does not count as left behind by it.
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=1))
    await loop.run_in_executor(None, bool)
    folder = tmp_path_factory.mktemp("config")
    link_dashboard(folder, "en")
    async with (
        SimulatorProcess(folder, arguments=("--speed", "4")) as simulator,
        HomeAssistantProcess(folder, configuration=configuration("en")) as hass,
        Browser.open() as browser,
    ):
        yield BrowserEnvironment(browser, hass, simulator)


@pytest_asyncio.fixture(loop_scope="module")
async def client(env: BrowserEnvironment, socket_enabled: None) -> AsyncGenerator[HomeAssistantClient]:
    """Return a client of Home Assistant, which has no account before and after the test."""
    yield env.hass.client
    await env.reset()
