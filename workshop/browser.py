"""A real browser that looks at a house: the Chromium or Chrome of the machine, driven by Playwright.

    async with Browser.open() as browser:
        page = await browser.visit(house)

Nothing is downloaded. The variable GOSMS_BROWSER names the browser where it is not found by itself.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
import shutil
from typing import Final, Literal, Self

from playwright.async_api import Browser as Chromium, Page, async_playwright

from .home_assistant import Json
from .house import House

VARIABLE: Final = "GOSMS_BROWSER"
NAMES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

# It needs no graphics card, no rights of its own in a container, and nothing from the internet.
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Milliseconds. A machine that does other work beside needs many seconds for the first page alone.
TIMEOUT: Final = 60_000

DESKTOP: Final = (1280, 900)
PHONE: Final = (390, 844)

# Home Assistant asks for a new access token shortly before this time; the house's token is good for years.
NEVER: Final = 4_102_444_800_000


class BrowserError(Exception):
    """There is no browser."""


def find() -> Path | None:
    """Return the program of the browser, or None where there is none; BrowserError if the named one is not there."""
    named = os.environ.get(VARIABLE)
    for name in (named,) if named else NAMES:
        if path := shutil.which(name):
            return Path(path)
    if named:
        raise BrowserError(f"{VARIABLE} names {named}, which is not there")
    return None


class Browser:
    """A running browser without a window."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncGenerator[Self]:
        """Start the browser, and end it with everything it kept."""
        if (path := find()) is None:
            raise BrowserError(f"no Chromium or Chrome is here; install one, or name it in {VARIABLE}")
        async with (
            async_playwright() as playwright,
            await playwright.chromium.launch(executable_path=path, args=ARGUMENTS, timeout=TIMEOUT) as chromium,
        ):
            yield cls(chromium)

    async def visit(
        self,
        house: House,
        path: str = "/",
        *,
        size: tuple[int, int] = DESKTOP,
        theme: Literal["light", "dark"] = "light",
        scale: float = 1.0,
        storage: Mapping[str, object] | None = None,
    ) -> Page:
        """Open a page of a house as its user, in a context of its own that ends with `page.context.close()`.

        Args:
            house: what is visited.
            path: the page's address in the house.
            size: of the window, in points.
            theme: what the user's system prefers.
            scale: pixels of a point.
            storage: what the interface remembers of earlier visits with this browser, by its own keys.
        """
        width, height = size
        context = await self._chromium.new_context(
            base_url=house.url,
            viewport={"width": width, "height": height},
            color_scheme=theme,
            device_scale_factor=scale,
            locale=house.language,
            reduced_motion="reduce",
            timezone_id="Europe/Moscow",
        )
        context.set_default_timeout(TIMEOUT)
        for key, value in {"hassTokens": _tokens(house), **(storage or {})}.items():
            await context.add_init_script(f"localStorage.setItem({json.dumps(key)}, {json.dumps(json.dumps(value))})")
        page = await context.new_page()
        await page.goto(path)
        return page


def _tokens(house: House) -> Json:
    """Return what the interface keeps of a login."""
    return {
        "hassUrl": house.url,
        "clientId": f"{house.url}/",
        "access_token": house.home.token,
        "refresh_token": "",
        "token_type": "Bearer",
        "expires_in": 1800,
        "expires": NEVER,
    }
