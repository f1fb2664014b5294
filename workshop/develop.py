"""Home Assistant with the interface and the simulated service, for working on the integration.

Started by scripts/develop. What was set up stays from run to run; a saved file of the integration restarts Home
Assistant, which takes a few seconds. A saved dashboard in docs/ shows with the next reload of the page.
"""

import argparse
import asyncio
from collections.abc import Generator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
import fcntl
import json
from pathlib import Path
import shutil
import sys
from typing import Final

from homeassistant.const import RESTART_EXIT_CODE, __version__

from .account import DOMAIN, Account, AccountError
from .child import ROOT, ChildError, free_port
from .home_assistant import Json, RefusedError
from .house import PASSWORD, USER, House, HouseError
from .interrupt import interruptible
from .screen import Screen
from .service import Service
from .showroom import WORDS, configuration, furnish, open_at_dashboard, people

PACKAGE: Final = ROOT / "custom_components" / "gosms"
FOLDER: Final = ROOT / ".develop"
STATE: Final = "develop.json"
LOCK: Final = "develop.lock"

# What Home Assistant reads of an integration; an editor's own files beside it are none of its business.
SUFFIXES: Final = {".json", ".py", ".yaml"}
# Seconds between two looks at some sixty files.
PAUSE: Final = 0.5

INTERRUPTED: Final = 130


class DevelopError(Exception):
    """There is nothing to work with; the text says why."""


class Sources:
    """The files of a folder, and which of them was changed."""

    def __init__(self, folder: Path) -> None:
        """Remember the files as they are now."""
        self._folder = folder
        self._known = self._look()

    async def changed(self) -> Path:
        """Wait until a file was saved, added or removed, and return it."""
        while True:
            found = self._look()
            different = {path for path, _ in found.items() ^ self._known.items()}
            self._known = found
            if different:
                return min(different)
            await asyncio.sleep(PAUSE)

    def _look(self) -> Mapping[Path, int]:
        times = {}
        for path in self._folder.rglob("*"):
            # An editor may take a file away for the moment of saving it.
            with suppress(FileNotFoundError):
                if path.suffix in SUFFIXES:
                    times[path] = path.stat().st_mtime_ns
        return times


async def _develop(folder: Path, language: str, screen: Screen) -> None:
    """Serve until Ctrl-C."""
    async with AsyncExitStack() as stack:
        stack.enter_context(_claim(folder))
        state = _state(folder)
        service = Service(folder, arguments=("--port", str(state["service_port"])))
        await stack.enter_async_context(service)
        furnish(folder, language)
        house = House(folder, configuration=configuration(language), language=language, port=state["house_port"])
        house.home.token = state["token"]
        sources = Sources(PACKAGE)
        screen.step(f"Starting Home Assistant {__version__} in {folder}")
        await stack.enter_async_context(house)
        (folder / STATE).write_text(json.dumps({**state, "token": house.home.token}))
        if not await house.home.command("config_entries/get", domain=DOMAIN):
            await _set_up(house, service, language, screen)
        screen.say(f"\n  Home Assistant:  {house.url}\n  User:            {USER}\n  Password:        {PASSWORD}\n")
        screen.say(f"  Simulator:       {service.url}\n  Its controls:    {service.control_url}\n")
        screen.say(f"  Log:             {house.child.log}\n\n  Ctrl-C ends it; what was set up stays in {folder}.\n")
        await _keep(house, sources, screen)


@contextmanager
def _claim(folder: Path) -> Generator[None]:
    """Keep a folder for this process alone."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / LOCK).exists():
        raise DevelopError(f"{folder} holds something else: choose another folder, or empty it")
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DevelopError(f"scripts/develop already works in {folder}") from None
        yield


def _state(folder: Path) -> Json:
    """Return what must stay the same from run to run; a folder that does not know it begins anew."""
    with suppress(FileNotFoundError):
        state: Json = json.loads((folder / STATE).read_text())
        # A log tells of one run.
        for log in folder.glob("*.log"):
            log.unlink()
        return state
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
    return {"house_port": free_port(), "service_port": free_port(), "token": None}


async def _set_up(house: House, service: Service, language: str, screen: Screen) -> None:
    """Add what a developer would otherwise have to click together."""
    screen.step("Adding an account, its recipients and its phone")
    account, form = await Account.add(house.home, service.token, url=service.url)
    await account.send_without_limit()
    words = WORDS[language]
    await account.add_recipient(words.first, words.recipients[words.first], form=form)
    await people(account, service, language)
    await open_at_dashboard(house.home)


async def _keep(house: House, sources: Sources, screen: Screen) -> None:
    """Start Home Assistant again, for ever, whenever there is a reason."""
    while True:
        screen.step(f"{await _reason(house, sources, screen)}: Home Assistant starts again")
        await house.stop()
        try:
            await house.start()
        except HouseError as err:
            screen.bad(str(err))
        else:
            screen.good(f"Home Assistant runs at {house.url}")


async def _reason(house: House, sources: Sources, screen: Screen) -> str:
    """Wait for a reason to start Home Assistant again, and return it."""
    change = asyncio.create_task(sources.changed())
    end = asyncio.create_task(house.child.ended(timeout=None))
    try:
        await asyncio.wait({change, end}, return_when=asyncio.FIRST_COMPLETED)
        if end.done() and end.result() == RESTART_EXIT_CODE:
            return "The interface asked for it"
        if end.done():
            # It would end the same way again.
            screen.bad(f"Home Assistant ended with exit code {end.result()}; a saved file starts it again")
        return f"{(await change).relative_to(PACKAGE)} was saved"
    finally:
        change.cancel()
        end.cancel()


def main() -> int:
    """Run until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="scripts/develop", description=__doc__)
    parser.add_argument("--language", default="en", choices=sorted(WORDS), help="the interface's language")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where Home Assistant lives (.develop)")
    parser.add_argument("--fresh", action="store_true", help="forget what was set up")
    options = parser.parse_args()
    if options.fresh:
        (options.folder / STATE).unlink(missing_ok=True)
    screen = Screen()
    try:
        asyncio.run(interruptible(_develop(options.folder.absolute(), options.language, screen)))
    except (AccountError, ChildError, DevelopError, RefusedError) as err:
        screen.bad(str(err))
        return 1
    except asyncio.CancelledError, KeyboardInterrupt:
        screen.step("ended; nothing runs any more")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
