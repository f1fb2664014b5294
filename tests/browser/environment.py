"""Helpers to read and click pages of the interface."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
import tempfile
from typing import Literal, Self

from playwright.async_api import Locator, Page
import pytest
import pytest_socket

from devtools.browser import DESKTOP, Browser, find
from devtools.demo_data import add_included_files, configuration
from devtools.entry_driver import DOMAIN
from devtools.hass_process import HomeAssistantProcess
from devtools.simulator_process import SimulatorProcess


class BrowserEnvironment:
    """A Home Assistant, the simulated service, and a browser."""

    def __init__(self, browser: Browser, hass: HomeAssistantProcess, simulator: SimulatorProcess) -> None:
        self.hass = hass
        self.simulator = simulator
        self._browser = browser

    @classmethod
    @asynccontextmanager
    async def start(cls, folder: Path, language: str) -> AsyncGenerator[Self]:
        """Start Home Assistant, the simulated service and a browser; without a browser the test is skipped."""
        if find() is None:
            pytest.skip("no Chromium or Chrome was found; set GOSMS_BROWSER to its path")
        # pytest-socket blocks the sockets again before each test.
        pytest_socket.enable_socket()
        # A thread that exists before a test does not count as left behind by it.
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(max_workers=1))
        await loop.run_in_executor(None, bool)
        add_included_files(folder, language)
        async with (
            SimulatorProcess(folder, arguments=("--speed", "4")) as simulator,
            HomeAssistantProcess(folder, configuration=configuration(language), language=language) as hass,
            Browser.open() as browser,
        ):
            yield cls(browser, hass, simulator)

    @asynccontextmanager
    async def open_page(
        self,
        path: str,
        *,
        size: tuple[int, int] = DESKTOP,
        theme: Literal["light", "dark"] = "light",
    ) -> AsyncGenerator[InterfacePage]:
        """Open a page; a failure saves screenshots and adds their folder to the error."""
        page = await self._browser.open_page(self.hass, path, size=size, theme=theme)
        try:
            yield InterfacePage(page)
        except Exception as err:
            folder = Path(tempfile.mkdtemp(prefix="gosms-browser-"))
            for number, each in enumerate(page.context.pages, start=1):
                await each.screenshot(path=folder / f"{number}.png")
            err.add_note(f"Screenshots of the failure: {folder}{self.hass.log_tail()}")
            raise
        finally:
            await page.context.close()

    async def reset(self) -> None:
        """Remove every account from Home Assistant, and all faults from the service."""
        client = self.hass.client
        for entry in await client.entries(DOMAIN):
            await client.request("DELETE", f"/api/config/config_entries/entry/{entry['entry_id']}")
        await self.simulator.control("DELETE", "faults")


class InterfacePage:
    """A page, whose elements are found by the names that a user sees."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def open_in_same_context(self, path: str) -> InterfacePage:
        """Open another page in the same browser context."""
        page = await self.page.context.new_page()
        await page.goto(path)
        return InterfacePage(page)

    async def click(self, name: str, *, within: Locator | None = None) -> None:
        """Click the button with a name."""
        await (within or self.page).get_by_role("button", name=name, exact=True).first.click()

    async def fill(self, name: str, text: str) -> None:
        """Fill in a field of a form; the names of required fields have an asterisk."""
        await self.page.get_by_role("textbox", name=name).fill(text)

    async def choose(self, field: str, choice: str) -> None:
        """Choose from the list of a field."""
        await self.page.locator("ha-picker-field").filter(has_text=field).click()
        await self.click_list_item(choice)

    async def wait_for_text(self, text: str) -> None:
        """Wait until a text is visible."""
        await self.page.get_by_text(text).first.wait_for()

    async def click_list_item(self, text: str) -> None:
        """Click the list item with a text."""
        await self.page.locator("ha-combo-box-item").filter(has_text=text).first.click()

    async def click_menu_item(self, name: str) -> None:
        """Click an item in the menu of the account's entry."""
        await self.click("Menu", within=self.page.locator("ha-config-entry-row"))
        await self.page.get_by_role("menuitem", name=name).click()

    def row(self, name: str) -> Locator:
        """Return the row of a setting by its heading."""
        return self.page.locator("ha-settings-row").filter(has=self.page.get_by_text(name, exact=True))
