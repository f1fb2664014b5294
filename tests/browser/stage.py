"""What the tests see and press."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
import tempfile

from playwright.async_api import Locator, Page

from workshop.account import DOMAIN
from workshop.browser import Browser
from workshop.house import House
from workshop.service import Service


class Stage:
    """A house, the service it sends through, and a browser that looks at it."""

    def __init__(self, browser: Browser, house: House, service: Service) -> None:
        self.house = house
        self.service = service
        self._browser = browser

    @asynccontextmanager
    async def visit(self, path: str) -> AsyncGenerator[Screen]:
        """Open a page; a failure leaves a picture of it, and says where."""
        page = await self._browser.visit(self.house, path)
        try:
            yield Screen(page)
        except Exception as err:
            folder = Path(tempfile.mkdtemp(prefix="gosms-browser-"))
            for number, each in enumerate(page.context.pages, start=1):
                await each.screenshot(path=folder / f"{number}.png")
            err.add_note(f"Pictures of what was on the screen: {folder}{self.house.tail()}")
            raise
        finally:
            await page.context.close()

    async def clear(self) -> None:
        """Remove every account from the house, and the faults from the service."""
        home = self.house.home
        for entry in await home.entries(DOMAIN):
            await home.request("DELETE", f"/api/config/config_entries/entry/{entry['entry_id']}")
        await self.service.control("DELETE", "faults")


class Screen:
    """A page with the names that a user reads on it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def beside(self, path: str) -> Screen:
        """Open another page beside this one."""
        page = await self.page.context.new_page()
        await page.goto(path)
        return Screen(page)

    async def press(self, name: str, *, within: Locator | None = None) -> None:
        """Press the button of a name."""
        await (within or self.page).get_by_role("button", name=name, exact=True).first.click()

    async def fill(self, name: str, text: str) -> None:
        """Fill the field of a form; the names of required fields carry a star."""
        await self.page.get_by_role("textbox", name=name).fill(text)

    async def sees(self, text: str) -> None:
        """Wait until a text is to be seen."""
        await self.page.get_by_text(text).first.wait_for()

    async def pick(self, text: str) -> None:
        """Press the line of a list that says a text."""
        await self.page.locator("ha-combo-box-item").filter(has_text=text).first.click()

    async def choose(self, name: str) -> None:
        """Press an item of the menu of the account's entry."""
        await self.press("Menu", within=self.page.locator("ha-config-entry-row"))
        await self.page.get_by_role("menuitem", name=name).click()

    def row(self, name: str) -> Locator:
        """Return the line of a setting by its heading."""
        return self.page.locator("ha-settings-row").filter(has=self.page.get_by_text(name, exact=True))

    def tile(self, name: str) -> Locator:
        """Return a tile of a dashboard by its name."""
        return self.page.locator("hui-tile-card").filter(has_text=name)
