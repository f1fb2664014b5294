"""Home Assistant with its interface and the simulated service, for working on the integration.

Started by scripts/develop. What you set up is kept between runs; saving a file of the integration restarts Home
Assistant, which takes a few seconds. A saved dashboard in docs/ appears when the page is reloaded.
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

from .console import Console
from .demo_data import DEMO_DATA, add_included_files, add_recipients_and_phone, configuration, set_default_dashboard
from .entry_driver import DOMAIN, EntryDriver, EntryDriverError
from .hass_client import HassApiError, Json
from .hass_process import PASSWORD, USER, HomeAssistantProcess, HomeAssistantProcessError
from .process import ROOT, ProcessError, free_port, is_free, prepare_folder
from .signals import INTERRUPTED, interruptible
from .simulator_process import SimulatorProcess

PACKAGE: Final = ROOT / "custom_components" / "gosms"
FOLDER: Final = ROOT / ".develop"
STATE_FILE: Final = "state.json"
LOCK_FILE: Final = "develop.lock"

# The files of an integration that Home Assistant reads; an editor may put others beside them.
SUFFIXES: Final = {".json", ".py", ".yaml"}
# Seconds between two checks of some sixty files.
WATCH_INTERVAL: Final = 0.5


class DevelopError(Exception):
    """Home Assistant cannot be started in this folder."""


class SourceWatcher:
    """Watches the source files of a folder for changes."""

    def __init__(self, folder: Path) -> None:
        """Remember the files as they are now."""
        self._folder = folder
        self._known = self._modification_times()

    async def wait_for_change(self) -> Path:
        """Wait until a file is saved, added or removed, and return its path."""
        while True:
            found = self._modification_times()
            changed = {path for path, _ in found.items() ^ self._known.items()}
            self._known = found
            if changed:
                return min(changed)
            await asyncio.sleep(WATCH_INTERVAL)

    def _modification_times(self) -> Mapping[Path, int]:
        times = {}
        for path in self._folder.rglob("*"):
            # An editor may remove a file for a moment while it saves it.
            with suppress(FileNotFoundError):
                if path.suffix in SUFFIXES:
                    times[path] = path.stat().st_mtime_ns
        return times


async def _run(folder: Path, language: str, console: Console, *, fresh: bool) -> None:
    """Run Home Assistant and the simulator until Ctrl-C."""
    async with AsyncExitStack() as stack:
        stack.enter_context(_lock(folder))
        if fresh:
            (folder / STATE_FILE).unlink(missing_ok=True)
        state = _load_state(folder)
        _check_ports(state)
        simulator = SimulatorProcess(folder, arguments=("--port", str(state["simulator_port"])))
        await stack.enter_async_context(simulator)
        add_included_files(folder, language)
        hass = HomeAssistantProcess(
            folder, configuration=configuration(language), language=language, port=state["hass_port"]
        )
        hass.client.token = state["token"]
        watcher = SourceWatcher(PACKAGE)
        console.step(f"Starting Home Assistant {__version__} in {folder}")
        await stack.enter_async_context(hass)
        (folder / STATE_FILE).write_text(json.dumps({**state, "token": hass.client.token}))
        if not await hass.client.entries(DOMAIN):
            await _set_up(hass, simulator, language, console)
        console.print(f"\n  Home Assistant:  {hass.url}\n  User:            {USER}\n  Password:        {PASSWORD}\n")
        console.print(f"  Simulator:       {simulator.url}\n  Controls:        {simulator.control_url}\n")
        console.print(f"  Log:             {hass.process.log}\n\n  Press Ctrl-C to stop; {folder} is kept.\n")
        await _restart_on_change(hass, watcher, console)


@contextmanager
def _lock(folder: Path) -> Generator[None]:
    """Reserve a folder for this process."""
    prepare_folder(folder)
    if any(folder.iterdir()) and not (folder / LOCK_FILE).exists():
        raise DevelopError(f"{folder} contains other files: choose another folder, or empty it")
    with (folder / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DevelopError(f"scripts/develop is already running in {folder}") from None
        yield


def _load_state(folder: Path) -> Json:
    """Return what must be the same in every run; without it, empty the folder and start over."""
    with suppress(FileNotFoundError):
        state: Json = json.loads((folder / STATE_FILE).read_text())
        # Each run has logs of its own.
        for log in folder.glob("*.log"):
            log.unlink()
        return state
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK_FILE:
            path.unlink()
    return {"hass_port": free_port(), "simulator_port": free_port(), "token": None}


def _check_ports(state: Json) -> None:
    """Raise an error if a port is taken; Home Assistant would start in recovery mode, on every network interface."""
    for name in ("hass_port", "simulator_port"):
        if not is_free(port := state[name]):
            raise DevelopError(f"port {port} is used by another program: stop that, or run scripts/develop --fresh")


async def _set_up(hass: HomeAssistantProcess, simulator: SimulatorProcess, language: str, console: Console) -> None:
    """Add an account, its recipients and its phone."""
    console.step("Adding an account, its recipients and its phone")
    entry, form = await EntryDriver.add(hass.client, simulator.token, url=simulator.url)
    await entry.disable_hourly_limit()
    data = DEMO_DATA[language]
    await entry.add_recipient(data.first_recipient, data.recipients[data.first_recipient], form=form)
    await add_recipients_and_phone(entry, simulator, language)
    await set_default_dashboard(hass.client)


async def _restart_on_change(hass: HomeAssistantProcess, watcher: SourceWatcher, console: Console) -> None:
    """Restart Home Assistant whenever a file was saved or the interface requests it."""
    while True:
        console.step(f"{await _wait_for_restart_reason(hass, watcher, console)}: restarting Home Assistant")
        await hass.stop()
        try:
            await hass.start()
        except HomeAssistantProcessError as err:
            console.error(str(err))
        else:
            console.success(f"Home Assistant runs at {hass.url}")


async def _wait_for_restart_reason(hass: HomeAssistantProcess, watcher: SourceWatcher, console: Console) -> str:
    """Wait for a reason to restart Home Assistant, and return it."""
    change = asyncio.create_task(watcher.wait_for_change())
    end = asyncio.create_task(hass.process.wait(timeout=None))
    try:
        await asyncio.wait({change, end}, return_when=asyncio.FIRST_COMPLETED)
        if end.done() and end.result() == RESTART_EXIT_CODE:
            return "Requested in the interface"
        if end.done():
            # It would exit in the same way again.
            console.error(f"Home Assistant exited with code {end.result()}; save a file to restart it")
        return f"{(await change).relative_to(PACKAGE)} was saved"
    finally:
        change.cancel()
        end.cancel()


def main() -> int:
    """Run until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="scripts/develop", description=__doc__)
    parser.add_argument("--language", default="en", choices=sorted(DEMO_DATA), help="language of the interface (en)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="Home Assistant's folder (.develop)")
    parser.add_argument("--fresh", action="store_true", help="start over, without what you set up")
    options = parser.parse_args()
    console = Console()
    try:
        asyncio.run(interruptible(_run(options.folder.absolute(), options.language, console, fresh=options.fresh)))
    except (DevelopError, EntryDriverError, HassApiError, ProcessError) as err:
        console.error(str(err))
        return 1
    except asyncio.CancelledError, KeyboardInterrupt:
        console.step("stopped; nothing is left running")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
