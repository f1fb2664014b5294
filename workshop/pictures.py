"""Makes the pictures of the documentation again: docs/images/*.png, in English and in Russian.

Started by scripts/pictures. A real Home Assistant sends through the simulated service, and a real browser looks at it.
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

from .account import DOMAIN, Account, AccountError
from .browser import PHONE, Browser, BrowserError
from .child import ROOT, ChildError
from .demo import INTERRUPTED
from .home_assistant import Json
from .house import House
from .interrupt import interruptible
from .screen import Screen
from .service import Service
from .showroom import DASHBOARD, WORDS, configuration, furnish, people

FOLDER: Final = ROOT / "docs" / "images"
# Bytes: a README with pictures must open fast on a phone in the country.
LARGEST: Final = 150_000

WIDE: Final = (1200, 640)
FORM: Final = (800, 700)
SCALE: Final = 1.5

# Seconds that a simulated message may take, and between two looks at it.
TIMEOUT: Final = 60.0
PAUSE: Final = 0.2
# Milliseconds until everything that fades in is there.
CALM: Final = 2000

# What becomes of a message, as the simulator is told; the last one stays with the phone.
SPEED: Final = 20
DELIVERED: Final = {"status": 4, "speed": SPEED}
NOT_DELIVERED: Final = {"status": 5, "speed": SPEED}
HELD: Final = {"steps": [[0, 1]]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """What is looked at, and how."""

    name: str
    path: str
    # What must be there before the picture is taken, as a selector.
    shows: str
    # What is pressed first, as a selector.
    press: str | None = None
    size: tuple[int, int] = WIDE
    theme: Literal["light", "dark"] = "light"
    # The page down to its end, not what fits into the window.
    whole: bool = False
    remembers: Mapping[str, object] | None = None


def pictures(phone_id: str, notify_id: str, message: str) -> list[Picture]:
    """Return what is to be made in a house."""
    call = {"action": "notify.send_message", "target": {"entity_id": [notify_id]}, "data": {"message": message}}
    return [
        Picture(name="dashboard", path=f"/{DASHBOARD}", shows="hui-markdown-card"),
        Picture(name="dashboard-dark", path=f"/{DASHBOARD}", shows="hui-markdown-card", theme="dark"),
        Picture(name="dashboard-phone", path=f"/{DASHBOARD}", shows="hui-markdown-card", size=PHONE, whole=True),
        Picture(
            name="add-account",
            path=f"/config/integrations/integration/{DOMAIN}",
            press="ha-config-integration-page ha-button",
            shows="step-flow-form",
            size=FORM,
        ),
        Picture(
            name="action",
            path="/config/tools/action",
            shows="ha-service-control ha-settings-row",
            remembers={"panel-dev-action-state-service-data": call},
            size=FORM,
        ),
        Picture(name="phone", path=f"/config/devices/device/{phone_id}", shows="ha-device-entities-card", whole=True),
    ]


async def _take(browser: Browser, house: House, picture: Picture, folder: Path) -> Path:
    """Take a picture; a palette makes its file small."""
    storage = {"dockedSidebar": "always_hidden", **(picture.remembers or {})}
    page = await browser.visit(
        house, picture.path, size=picture.size, theme=picture.theme, scale=SCALE, storage=storage
    )
    try:
        if picture.press:
            await page.locator(picture.press).first.click()
        await page.locator(picture.shows).first.wait_for()
        await page.wait_for_timeout(CALM)
        taken = await page.screenshot(full_page=picture.whole)
    finally:
        await page.context.close()
    file = folder / f"{picture.name}{'' if house.language == 'en' else f'.{house.language}'}.png"
    with Image.open(io.BytesIO(taken)) as image:
        small = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
    return file


async def _send_some(account: Account, service: Service, subentries: list[str], language: str) -> None:
    """Send messages of which all but two arrive: one fails, and the newest is still under way."""
    messages = WORDS[language].messages
    fates: list[tuple[Json, str]] = [
        *[(DELIVERED, "delivered")] * (len(messages) - 2),
        (NOT_DELIVERED, "delivery_failed"),
        (HELD, "processing"),
    ]
    for number, (message, (order, status)) in enumerate(zip(messages, fates, strict=True)):
        await service.control("POST", "account", {"delivery": order})
        await account.send(subentries[number % len(subentries)], message)
        async with asyncio.timeout(TIMEOUT):
            while not (recent := await account.recent()) or (recent[0].text, recent[0].status) != (message, status):
                await asyncio.sleep(PAUSE)


async def _make(browser: Browser, language: str, folder: Path, screen: Screen) -> None:
    """Make the pictures of a language."""
    async with AsyncExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gosms-pictures-")))
        service = await stack.enter_async_context(Service(place))
        furnish(place, language)
        house = House(place, configuration=configuration(language), language=language)
        screen.step(f"Starting a Home Assistant that speaks {language}")
        await stack.enter_async_context(house)
        account, _form = await Account.add(house.home, service.token, url=service.url)
        subentries = await people(account, service, language)
        await _send_some(account, service, subentries, language)
        devices = await house.home.command("config/device_registry/list")
        phone_id = next(each["id"] for each in devices if each["model"] and each["identifiers"][0][0] == DOMAIN)
        notify_id = await account.entity_id(f"{subentries[0]}_sms")
        for picture in pictures(phone_id, notify_id, WORDS[language].messages[-1]):
            file = await _take(browser, house, picture, folder)
            size = file.stat().st_size
            screen.step(f"{file.name}: {size // 1000} kB")
            if size > LARGEST:
                raise BrowserError(f"{file.name} has {size} bytes, more than {LARGEST}")


async def _run(languages: list[str], folder: Path, screen: Screen) -> None:
    async with Browser.open() as browser:
        for language in languages:
            await _make(browser, language, folder, screen)


def main() -> int:
    """Make the pictures; the exit code is 0 only if all of them are there."""
    parser = argparse.ArgumentParser(prog="scripts/pictures", description=__doc__)
    parser.add_argument("--language", action="append", choices=list(WORDS), help="only this one; may be repeated")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where they go (docs/images)")
    found = parser.parse_args()
    found.folder.mkdir(parents=True, exist_ok=True)
    screen = Screen()
    try:
        asyncio.run(interruptible(_run(found.language or list(WORDS), found.folder, screen)))
    except (AccountError, BrowserError, ChildError, PlaywrightError, TimeoutError) as err:
        screen.bad("the pictures could not be made")
        screen.say(str(err))
        return 1
    except asyncio.CancelledError, KeyboardInterrupt:
        screen.step("interrupted")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
