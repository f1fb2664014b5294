"""The Chromium or Chrome of this machine, driven by Playwright.

    async with Browser.open() as browser:
        page = await browser.open_page(hass)

Nothing is downloaded. Set GOSMS_BROWSER to the path of the browser if it is not found.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
import shutil
from typing import Final, Literal, Self

from playwright.async_api import Browser as Chromium, Page, async_playwright

from .hass_client import Json
from .hass_process import HomeAssistantProcess

VARIABLE: Final = "GOSMS_BROWSER"
EXECUTABLES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

# To run without a graphics card, without privileges in a container, and without the internet.
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Milliseconds. A busy machine needs many seconds for the first page alone.
TIMEOUT: Final = 60_000

DESKTOP: Final = (1280, 900)
PHONE: Final = (390, 844)

# Milliseconds since 1970, in the year 2100. The interface would refresh a token that expires, but this one does not.
EXPIRES: Final = 4_102_444_800_000


class BrowserError(Exception):
    """No browser was found."""


def find() -> Path | None:
    """Return the path of the browser, or None if there is none; BrowserError if GOSMS_BROWSER is wrong."""
    configured = os.environ.get(VARIABLE)
    for name in (configured,) if configured else EXECUTABLES:
        if path := shutil.which(name):
            return Path(path)
    if configured:
        raise BrowserError(f"{VARIABLE} is set to {configured}, which does not exist")
    return None


class Browser:
    """A running headless browser."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncGenerator[Self]:
        """Start the browser, and close it with all its data."""
        if (path := find()) is None:
            raise BrowserError(f"no Chromium or Chrome was found: install one, or set {VARIABLE} to its path")
        async with (
            async_playwright() as playwright,
            await playwright.chromium.launch(executable_path=path, args=ARGUMENTS, timeout=TIMEOUT) as chromium,
        ):
            yield cls(chromium)

    async def open_page(
        self,
        hass: HomeAssistantProcess,
        path: str = "/",
        *,
        size: tuple[int, int] = DESKTOP,
        theme: Literal["light", "dark"] = "light",
        scale: float = 1.0,
        storage: Mapping[str, object] | None = None,
    ) -> Page:
        """Open a page as the logged-in user, in a browser context of its own; `page.context.close()` closes it.

        Args:
            hass: the Home Assistant to open.
            path: the path of the page.
            size: width and height of the window, in CSS pixels.
            theme: the preferred color scheme of the system.
            scale: device pixels per CSS pixel.
            storage: entries of the local storage, where the interface keeps its settings.
        """
        width, height = size
        context = await self._chromium.new_context(
            base_url=hass.url,
            viewport={"width": width, "height": height},
            color_scheme=theme,
            device_scale_factor=scale,
            locale=hass.language,
            reduced_motion="reduce",
            timezone_id="Europe/Moscow",
        )
        context.set_default_timeout(TIMEOUT)
        for key, value in {"hassTokens": _tokens(hass), **(storage or {})}.items():
            await context.add_init_script(f"localStorage.setItem({json.dumps(key)}, {json.dumps(json.dumps(value))})")
        page = await context.new_page()
        await page.goto(path)
        return page


def _tokens(hass: HomeAssistantProcess) -> Json:
    """Return the login as the interface stores it."""
    return {
        "hassUrl": hass.url,
        "clientId": f"{hass.url}/",
        "access_token": hass.client.token,
        "refresh_token": "",
        "token_type": "Bearer",
        "expires_in": 1800,
        "expires": EXPIRES,
    }
