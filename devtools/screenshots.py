"""Takes the screenshots of the documentation: docs/images/*.png, in English and Russian.

Started by scripts/screenshots. A real Home Assistant sends messages through the simulated service, and a real browser
takes the screenshots.
"""

import argparse
import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
import io
from pathlib import Path
import sys
import tempfile
from typing import Final, Literal

from PIL import Image
from playwright.async_api import Error as PlaywrightError

from custom_components.gosms.api import MessageStatus

from .browser import PHONE, Browser, BrowserError
from .console import Console
from .demo_data import DASHBOARD, DEMO_DATA, add_included_files, add_recipients_and_phone, configuration
from .entry_driver import DOMAIN, EntryDriver, EntryDriverError
from .hass_client import Json
from .hass_process import HomeAssistantProcess
from .process import ROOT, ProcessError, prepare_folder
from .signals import INTERRUPTED, interruptible
from .simulator_process import SimulatorProcess

FOLDER: Final = ROOT / "docs" / "images"
# Bytes: a README with images must open fast on a slow mobile connection.
MAX_SIZE: Final = 150_000

WIDE: Final = (1200, 640)
FORM: Final = (800, 700)
SCALE: Final = 1.5

# Seconds that a simulated message may take, and between two polls of its status.
TIMEOUT: Final = 60.0
POLL_INTERVAL: Final = 0.2
# Milliseconds until all animations have ended.
ANIMATION_TIME: Final = 2000

# How the simulator handles a message; the last one stays in the first status that it reaches.
SPEED: Final = 20
DELIVERED: Final = {"status": MessageStatus.DELIVERED, "speed": SPEED}
DELIVERY_FAILED: Final = {"status": MessageStatus.DELIVERY_FAILED, "speed": SPEED}
PROCESSING: Final = {"steps": [[0, MessageStatus.PROCESSING]]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Screenshot:
    """A page and how it is captured."""

    name: str
    path: str
    # The selector of an element that must be visible first.
    wait_for: str
    # The selector of an element that is clicked before that.
    click: str | None = None
    # What is written into the card.
    text: str | None = None
    size: tuple[int, int] = WIDE
    theme: Literal["light", "dark"] = "light"
    # The whole page instead of the part that fits into the window.
    full_page: bool = False
    local_storage: Mapping[str, object] | None = None


def screenshots(phone_id: str, notify_id: str, message: str) -> list[Screenshot]:
    """Return all screenshots; the arguments are the ids of a phone's device and of a notify entity, and a text."""
    call = {"action": "notify.send_message", "target": {"entity_id": [notify_id]}, "data": {"message": message}}
    dashboard, card = f"/{DASHBOARD}", "gosms-card li"
    return [
        Screenshot(name="dashboard", path=dashboard, wait_for=card, text=message),
        Screenshot(name="dashboard-dark", path=dashboard, wait_for=card, theme="dark"),
        Screenshot(name="dashboard-phone", path=dashboard, wait_for=card, size=PHONE, full_page=True),
        Screenshot(
            name="add-account",
            path=f"/config/integrations/integration/{DOMAIN}",
            click="ha-config-integration-page ha-button",
            wait_for="step-flow-form",
            size=FORM,
        ),
        Screenshot(
            name="action",
            path="/config/tools/action",
            wait_for="ha-service-control ha-settings-row",
            local_storage={"panel-dev-action-state-service-data": call},
            size=FORM,
        ),
        Screenshot(
            name="phone",
            path=f"/config/devices/device/{phone_id}",
            wait_for="ha-device-entities-card",
            full_page=True,
        ),
    ]


async def _take(browser: Browser, hass: HomeAssistantProcess, screenshot: Screenshot, folder: Path) -> Path:
    """Take a screenshot and save it with a palette, which makes the file small."""
    storage = {"dockedSidebar": "always_hidden", **(screenshot.local_storage or {})}
    page = await browser.open_page(
        hass, screenshot.path, size=screenshot.size, theme=screenshot.theme, scale=SCALE, storage=storage
    )
    try:
        if screenshot.click:
            await page.locator(screenshot.click).first.click()
        await page.locator(screenshot.wait_for).first.wait_for()
        if screenshot.text:
            await page.locator("gosms-card textarea").fill(screenshot.text)
        await page.wait_for_timeout(ANIMATION_TIME)
        png = await page.screenshot(full_page=screenshot.full_page)
    finally:
        await page.context.close()
    file = folder / f"{screenshot.name}{'' if hass.language == 'en' else f'.{hass.language}'}.png"
    with Image.open(io.BytesIO(png)) as image:
        small = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
    return file


async def _send_messages(entry: EntryDriver, simulator: SimulatorProcess, subentries: list[str], language: str) -> None:
    """Send messages, of which all but two are delivered: one fails, and the newest is being processed."""
    messages = DEMO_DATA[language].messages
    outcomes: list[tuple[Json, MessageStatus]] = [
        *[(DELIVERED, MessageStatus.DELIVERED)] * (len(messages) - 2),
        (DELIVERY_FAILED, MessageStatus.DELIVERY_FAILED),
        (PROCESSING, MessageStatus.PROCESSING),
    ]
    for number, (message, (delivery, status)) in enumerate(zip(messages, outcomes, strict=True)):
        await simulator.control("POST", "account", {"delivery": delivery})
        await entry.send(subentries[number % len(subentries)], message)
        expected = (message, status.name.lower())
        async with asyncio.timeout(TIMEOUT):
            while not (recent := await entry.recent_messages()) or (recent[0].text, recent[0].status) != expected:
                await asyncio.sleep(POLL_INTERVAL)


async def _take_all(browser: Browser, language: str, folder: Path, console: Console) -> None:
    """Take all screenshots in one language."""
    async with AsyncExitStack() as stack:
        hass_folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gosms-screenshots-")))
        simulator = await stack.enter_async_context(SimulatorProcess(hass_folder))
        add_included_files(hass_folder, language)
        hass = HomeAssistantProcess(hass_folder, configuration=configuration(language), language=language)
        console.step(f"Starting Home Assistant with the language {language}")
        await stack.enter_async_context(hass)
        entry, _form = await EntryDriver.add(hass.client, simulator.token, url=simulator.url)
        subentries = await add_recipients_and_phone(entry, simulator, language)
        await _send_messages(entry, simulator, subentries, language)
        devices = await hass.client.command("config/device_registry/list")
        phone_id = next(each["id"] for each in devices if each["model_id"] and each["identifiers"][0][0] == DOMAIN)
        notify_id = await entry.entity_id(f"{subentries[0]}_sms")
        for screenshot in screenshots(phone_id, notify_id, DEMO_DATA[language].messages[-1]):
            file = await _take(browser, hass, screenshot, folder)
            size = file.stat().st_size
            console.step(f"{file.name}: {size // 1000} kB")
            if size > MAX_SIZE:
                raise BrowserError(f"{file.name} has {size} bytes, more than {MAX_SIZE}")


async def _run(languages: list[str], folder: Path, console: Console) -> None:
    async with Browser.open() as browser:
        for language in languages:
            await _take_all(browser, language, folder, console)


def main() -> int:
    """Take the screenshots; the exit code is 0 only if all of them were taken."""
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    parser.add_argument("--language", action="append", choices=list(DEMO_DATA), help="only this one; can be repeated")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder of the images (docs/images)")
    found = parser.parse_args()
    console = Console()
    try:
        prepare_folder(found.folder)
        asyncio.run(interruptible(_run(found.language or list(DEMO_DATA), found.folder, console)))
    except (BrowserError, EntryDriverError, PlaywrightError, ProcessError, TimeoutError) as err:
        console.error("the screenshots could not be taken")
        console.print(str(err))
        return 1
    except asyncio.CancelledError, KeyboardInterrupt:
        console.step("interrupted")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
