"""A house with a browser before it, shared by the tests of a module."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor

import pytest
import pytest_asyncio
import pytest_socket

from workshop.browser import Browser, find
from workshop.home_assistant import HomeAssistant
from workshop.house import House
from workshop.service import Service
from workshop.showroom import configuration, furnish

from .stage import Stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests time: a machine that does other work beside needs a minute for what takes a second."""
    here = __name__.removesuffix(".conftest").replace(".", "/")
    for item in items:
        if here in item.path.as_posix():
            item.add_marker(pytest.mark.timeout(400))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Stage]:
    """Open a house, a simulated service and a browser; without a browser the tests are skipped."""
    if find() is None:
        pytest.skip("no Chromium or Chrome is here; the variable GOSMS_BROWSER can name one")
    # The sockets are blocked anew before each test.
    pytest_socket.enable_socket()
    # A thread that is there before a test is not one that the test left behind.
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=1))
    await loop.run_in_executor(None, bool)
    folder = tmp_path_factory.mktemp("house")
    furnish(folder, "en")
    async with (
        Service(folder, arguments=("--speed", "4")) as service,
        House(folder, configuration=configuration("en")) as house,
        Browser.open() as browser,
    ):
        yield Stage(browser, house, service)


@pytest_asyncio.fixture(loop_scope="module")
async def home(stage: Stage, socket_enabled: None) -> AsyncGenerator[HomeAssistant]:
    """Hand out the house without an account, and leave it so."""
    yield stage.house.home
    await stage.clear()
