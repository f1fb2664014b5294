"""Measures the integration side by side with what a user would configure by hand for the same API.

Started by scripts/benchmark. The exit code is 0 only if every bar is kept.
"""

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
import re
import sys
import tempfile
from typing import Final

from aiohttp import ClientError
from homeassistant.const import __version__

from workshop.account import AccountError
from workshop.child import ROOT, ChildError
from workshop.demo import INTERRUPTED
from workshop.home_assistant import RefusedError
from workshop.interrupt import interruptible
from workshop.screen import Screen
from workshop.service import Service

from . import measures
from .figures import Figure, table
from .house import PHONE, Home, Server, TimedHouse
from .measures import Scale

FULL: Final = Scale(rounds=9, sends=8, polls=15, burst=100, hours=24, totals=(100, 10_000, 1_000_000))
# Shows that everything works; its speeds say nothing.
QUICK: Final = Scale(rounds=1, sends=3, polls=3, burst=12, hours=1, totals=(100, 200, 1_000))

DOCUMENT: Final = ROOT / "docs" / "performance.md"
BEGIN: Final = "<!-- Made by scripts/benchmark --write -->\n"
END: Final = "<!-- The end of what is made -->\n"


class BenchmarkError(Exception):
    """It could not be measured."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run that shows how it works, not how fast it is")
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT.relative_to(ROOT)}")
    return parser.parse_args()


async def _run(scale: Scale, screen: Screen) -> list[Figure]:
    """Measure everything in one Home Assistant."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gosms-benchmark-")))

        async def serve(history: int) -> Server:
            # Messages stay where they are until they are told to go on; nobody is told off for being fast.
            arguments = ("--history", str(history), "--speed", "0", "--rate-limit", "0", "--device-id", PHONE)
            log = folder / str(history)
            log.mkdir(exist_ok=True)
            return Server(await stack.enter_async_context(Service(log, arguments=arguments)))

        server = await serve(0)
        house = TimedHouse(folder, server.service)
        screen.step(f"Starting Home Assistant {__version__} in {folder}")
        await stack.enter_async_context(house)
        try:
            figures = await measures.loading(house)
            home = await Home.set_up(house, server)
            screen.step("Sending")
            figures += await measures.sending(home, scale)
            screen.step("Polling")
            figures.append(await measures.polling(home, scale))
            screen.step("Polling accounts with many messages")
            others = {total: await Home.set_up(house, await serve(total)) for total in scale.totals}
            figures += await measures.totals(others, scale)
            screen.step("Setting up")
            figures += await measures.setting_up(home, scale)
            screen.step("Sending a burst")
            figures += await measures.bursting(home, scale)
            screen.step("Looking at the disk")
            figures += await measures.writing(home, scale)
            await house.home.command("config_entries/disable", entry_id=home.account.entry_id, disabled_by="user")
            for phone in (False, True):
                screen.step(f"Living through an idle day with{'' if phone else 'out'} a phone")
                figures += await measures.idling(others[min(others)], scale, phone=phone)
        except (AccountError, ClientError, RefusedError, TimeoutError) as err:
            raise BenchmarkError(f"{err!r}\n{house.tail()}") from err
    return figures


def _write(figures: list[Figure]) -> None:
    """Put the table where the documentation has it."""
    text = DOCUMENT.read_text()
    made = f"{BEGIN}\n{table(figures)}\n\n{END}"
    DOCUMENT.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: made, text, flags=re.DOTALL))


def main() -> int:
    """Measure, and show what was measured."""
    options = _options()
    screen = Screen()
    try:
        figures = asyncio.run(interruptible(_run(QUICK if options.quick else FULL, screen)))
    except (BenchmarkError, ChildError) as err:
        screen.bad("it could not be measured")
        screen.say(str(err))
        return 2
    except asyncio.CancelledError, KeyboardInterrupt:
        screen.step("interrupted; nothing is left behind")
        return INTERRUPTED
    screen.say(f"\n{table(figures)}\n")
    if options.write:
        _write(figures)
    if missed := [figure.name for figure in figures if not figure.is_good]:
        screen.bad(f"missed: {'; '.join(missed)}")
        return 1
    screen.good("every bar is kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
