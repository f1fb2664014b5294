"""Kills a real Home Assistant repeatedly while it sends messages through a faulty service, and checks the result.

Started by scripts/chaos. The exit code is 0 only if no message was lost or sent twice, no event is missing or
contradicts another one or the service, no event was repeated that was stored as fired, no file holds a number at the
end, and every crash point was hit. What a kill with a full disk or a restored backup made Home Assistant forget is
counted separately: it too was sent once.
"""

import asyncio
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
import random
import sys
import tempfile
import time
from typing import Final

from aiohttp import ClientError
from homeassistant.const import __version__

from ..console import Console
from ..entry_driver import EntryDriver, EntryDriverError
from ..hass_client import HassApiError
from ..hass_process import HomeAssistantProcess
from ..process import ProcessError, prepare_folder
from ..signals import INTERRUPTED, interruptible
from ..simulator_process import SimulatorProcess
from .crash_control import CrashController, InstrumentedProcess
from .fault_load import SPEED, FaultLoad
from .invariants import check
from .observations import recorded_events, server_messages
from .options import Options, parse_options
from .result import Result, print_result
from .run import Run

RECIPIENTS: Final = {
    "Anna": "79123456701",
    "Boris": "79123456702",
    "Vera": "79123456703",
    "Gleb": "79123456704",
    "Darya": "79123456705",
}


class ChaosError(Exception):
    """The run could not be completed."""


async def _run(options: Options, console: Console) -> Result:
    """Send messages, kill Home Assistant, and check the result."""
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(_folder(options.keep))
        simulator = await stack.enter_async_context(
            SimulatorProcess(folder, arguments=("--speed", str(SPEED), "--seed", str(options.seed)))
        )
        faults = FaultLoad(simulator)
        hass = InstrumentedProcess(folder)
        console.step(f"Starting Home Assistant {__version__} in {folder}")
        try:
            await stack.enter_async_context(hass)
            entry, subentries = await _set_up(hass, simulator)
            await faults.start(options.share)
            controller = CrashController(hass, console, random.Random(f"{options.seed} kills"))
            run = Run(options, hass, controller, faults, entry)
            await run.send_and_kill(subentries)
            console.step("No more faults; waiting for the final state of every message")
            repeated_calls = await run.finish()
        except (EntryDriverError, ClientError, HassApiError) as err:
            raise ChaosError(f"{err}\n{hass.log_tail()}") from err
        entity_id = await entry.entity_id("message")
        await hass.stop()
        state = await simulator.control("GET", "state")
        report = check(
            run.load.outcomes,
            server_messages(state),
            recorded_events(hass.events, run.risky_events),
            repeated_calls,
            entity_id,
            at_risk=run.load.at_risk,
            files=[file.name for file in hass.files if _has_number(file)],
        )
    return Result(
        report=report,
        kills=controller.kills,
        episodes={
            **run.episodes,
            "boots": controller.boots.total(),
            "boots with a wrong clock": controller.boots.total() - controller.boots[0.0],
        },
        faults=state["faults"]["injected"],
        seconds=time.monotonic() - started,
    )


@contextmanager
def _folder(keep: Path | None) -> Generator[Path]:
    """Create the folder of Home Assistant, which is removed at the end unless it is to be kept."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="gosms-chaos-") as folder:
            yield Path(folder)
        return
    if keep.exists():
        raise ChaosError(f"{keep} exists already: choose another folder")
    prepare_folder(keep)
    yield keep


async def _set_up(hass: HomeAssistantProcess, simulator: SimulatorProcess) -> tuple[EntryDriver, dict[str, str]]:
    """Add the account and its recipients, wait until they are on disk, and return the subentry ids by number."""
    entry, form = await EntryDriver.add(hass.client, simulator.token, url=simulator.url)
    # With a history, numbers and texts stay on purpose.
    await entry.disable_hourly_limit(history_days=0)
    subentries = {}
    for name, number in RECIPIENTS.items():
        subentries[number] = await entry.add_recipient(name, number, form=form)
        form = {}
    for subentry_id in subentries.values():
        await entry.wait_until_ready(subentry_id)
        await hass.wait_until_saved("core.config_entries", subentry_id)
    return entry, subentries


def _has_number(file: Path) -> bool:
    """Return whether a file holds a number of a recipient."""
    content = file.read_bytes()
    return any(number.encode() in content for number in RECIPIENTS.values())


async def _run_with_timeout(options: Options, console: Console) -> Result:
    """Abort a run that takes too long."""
    try:
        async with asyncio.timeout(options.timeout):
            return await _run(options, console)
    except TimeoutError:
        raise ChaosError(f"the run did not end within {options.timeout:.0f} seconds") from None


def main() -> int:
    """Run, and print the result."""
    options = parse_options(__doc__)
    console = Console()
    try:
        result = asyncio.run(interruptible(_run_with_timeout(options, console)))
    except (ChaosError, ProcessError) as err:
        console.error("the run could not be completed")
        console.print(str(err))
        return 1
    except asyncio.CancelledError, KeyboardInterrupt:
        console.step("interrupted; nothing is left running")
        return INTERRUPTED
    print_result(result, console)
    if not result.has_passed:
        console.error("an invariant was violated")
        return 1
    console.success("nothing lost, nothing duplicated, every event fired")
    return 0


if __name__ == "__main__":
    sys.exit(main())
