"""Kills a real Home Assistant again and again while it sends through a service that fails, and counts.

Started by scripts/chaos. The exit code is 0 only if nothing was lost, nothing was doubled, no event is missing, nobody
was told two different things, no more events were repeated than the house was killed, and every named moment was hit.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
import random
import sys
import tempfile
import time
from typing import Final

from aiohttp import ClientError
from homeassistant.const import __version__

from .account import Account, AccountError
from .child import ChildError
from .crowd import TWINS, Answer, Crowd, plan
from .demo import INTERRUPTED
from .home_assistant import Json, RefusedError
from .house import House
from .interrupt import interruptible
from .sabotage import RANDOM, ArmedHouse, Killer
from .saboteur.points import Point
from .screen import Screen
from .service import Service
from .trouble import Trouble
from .verdict import Stored, Told, Verdict, judge

RECIPIENTS: Final = {
    "Anna": "79123456701",
    "Boris": "79123456702",
    "Vera": "79123456703",
    "Gleb": "79123456704",
    "Darya": "79123456705",
}

# How much faster than a real phone the simulated one is: delivered after less than half a second.
SPEED: Final = "20"

# The part of the calls that is made in the order of the kills.
MOST: Final = 0.9
# Calls that are kept for each kill to come: some moments need a new message, and only one of these calls need be one.
SPARE: Final = TWINS
# Seconds after which a message of unknown fate that the service does not have is sent again, and kills after that.
GRACE: Final = 32.0
LATE: Final = 2

# Seconds, and looks in a row at which nothing may be under way: an end is told a moment after it was seen.
PAUSE: Final = 0.5
QUIET: Final = 3

ENDS: Final = ("delivered", "send_failed", "delivery_failed", "refused", "expired", "unconfirmed")


class ChaosError(Exception):
    """The run could not be made to its end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What was asked for on the command line."""

    messages: int
    seed: int
    kills: int
    share: float
    timeout: float
    keep: Path | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a run showed."""

    verdict: Verdict
    kills: Counter[str]
    faults: Mapping[str, int]
    seconds: float

    @property
    def is_good(self) -> bool:
        """Tell if every promise was kept, and put to the test."""
        return self.verdict.is_good(self.kills.total()) and all(self.kills[point.value] for point in Point)


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--messages", type=int, default=300, help="how many are sent (300)")
    parser.add_argument("--seed", type=int, default=1, help="repeats a run as far as processes can be repeated (1)")
    parser.add_argument(
        "--kills", type=int, default=15, help=f"how often the house is killed (15); at least {len(Point)}, by name"
    )
    parser.add_argument("--share", type=float, default=0.2, help="the part of the requests that a fault hits (0.2)")
    parser.add_argument("--timeout", type=float, default=420.0, help="seconds until the run is given up (420)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the house and its log in this folder")
    found = parser.parse_args()
    if found.kills < len(Point):
        parser.error(f"--kills: each of the {len(Point)} named moments needs one")
    if found.messages < SPARE * found.kills:
        parser.error(f"--messages: each kill needs {SPARE}")
    if not 0 <= found.share <= 1:
        parser.error("--share: from 0 to 1")
    return Options(**vars(found))


async def _run(options: Options, screen: Screen) -> Result:
    """Make a run."""
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        if options.keep:
            options.keep.mkdir(parents=True)
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gosms-chaos-")))
        service = await stack.enter_async_context(
            Service(folder, arguments=("--speed", SPEED, "--seed", str(options.seed)))
        )
        trouble = Trouble(service)
        house = ArmedHouse(folder)
        screen.step(f"Starting Home Assistant {__version__} in {folder}")
        try:
            await stack.enter_async_context(house)
            account, subentries = await _set_up(house, service)
            await trouble.begin(options.share)
            killer = Killer(house, screen, random.Random(f"{options.seed} kills"))
            crowd = await _rage(options, killer, account, subentries)
            await trouble.end()
            screen.step("No faults any more; waiting for the end of every message")
            await _settle(account)
            recalled = await crowd.recall()
            # What was sent a second time now must not stay unseen.
            await _settle(account)
        except (AccountError, ClientError, RefusedError) as err:
            raise ChaosError(f"{err}\n{house.tail()}") from err
        entity_id = await account.entity_id("message")
        await house.stop()
        state = await trouble.state()
        verdict = judge(crowd.answers, _stored(state), _told(house.events), recalled, entity_id)
    return Result(
        verdict=verdict, kills=killer.kills, faults=state["faults"]["injected"], seconds=time.monotonic() - began
    )


async def _set_up(house: House, service: Service) -> tuple[Account, dict[str, str]]:
    """Add the account and the recipients, and wait until a kill does not undo it; returns the subentries' ids."""
    account, form = await Account.add(house.home, service.token, url=service.url)
    await account.send_without_limit()
    subentries = {}
    for name, number in RECIPIENTS.items():
        subentries[number] = await account.add_recipient(name, number, form=form)
        form = {}
    for subentry_id in subentries.values():
        await account.ready(subentry_id)
        await house.saved("core.config_entries", subentry_id)
    return account, subentries


async def _rage(options: Options, killer: Killer, account: Account, subentries: Mapping[str, str]) -> Crowd:
    """Send and kill, until all is sent and every kill was made; returns the callers."""
    chance = random.Random(f"{options.seed} messages")
    entity_ids = {number: await account.entity_id(f"{subentry}_sms") for number, subentry in subentries.items()}
    asks = plan(chance, options.messages, list(subentries))
    crowd = Crowd(account.home, asks, entity_ids)
    late = min(LATE, options.kills - len(Point))
    rounds = killer.plan(options.kills - late)
    crowd.up.set()
    calls = asyncio.create_task(crowd.call())
    try:
        share = int(len(asks) * MOST / len(rounds))
        for left, (kill, start) in zip(reversed(range(len(rounds))), rounds, strict=True):
            crowd.release(share, keep=SPARE * (left + 1))
            await _kill(killer, crowd, kill, start, keep=SPARE * left)
        crowd.release(len(asks))
        await calls
        if late:
            # By now messages of unknown fate are sent again, under the same faults.
            await asyncio.sleep(GRACE)
        for _ in range(late):
            await _kill(killer, crowd, None, None)
    finally:
        calls.cancel()
    return crowd


async def _kill(killer: Killer, crowd: Crowd, kill: Point | None, start: Point | None, *, keep: int = 0) -> None:
    """Kill the house under the callers, and start it again; so many calls are kept for later kills."""
    await killer.kill(kill, lambda: crowd.release(1, keep=keep, long=kill is Point.BETWEEN_PARTS))
    crowd.up.clear()
    await killer.start(start)
    crowd.up.set()


async def _settle(account: Account) -> None:
    """Wait until every message has ended, and that was told."""
    quiet = 0
    while quiet < QUIET:
        await asyncio.sleep(PAUSE)
        waiting = [await account.state(key) for key in ("queued", "in_transit")]
        quiet = quiet + 1 if waiting == ["0", "0"] else 0


def _stored(state: Json) -> list[Stored]:
    """Return the messages on the server."""
    return [
        Stored(id=message["id"], recipient=message["phone_number"], text=message["message"])
        for message in state["messages"]["list"]
    ]


def _told(events: list[Json]) -> list[Told]:
    """Return the events."""
    return [
        Told(
            key=event["key"],
            entity_id=event["entity_id"],
            type=event["type"],
            ids=tuple(event["ids"]),
            recipient=event["phone_number"],
            text=event["text"],
        )
        for event in events
    ]


def _show(result: Result, screen: Screen) -> None:
    """Print the table."""
    verdict = result.verdict
    rows: list[tuple[str, object]] = [
        ("asked", verdict.asked),
        ("asked with a key", verdict.keyed),
        ("called again with the same key", verdict.repetitions),
        ("asked in several parts", verdict.long),
        ("taken, as the callers were told", verdict.answers[Answer.TAKEN]),
        ("failed, as the callers were told", verdict.answers[Answer.FAILED]),
        ("cut off by a kill", verdict.answers[Answer.CUT]),
        ("parts asked", verdict.parts),
        ("parts on the server", verdict.stored),
        ("lost", verdict.lost),
        ("doubled", verdict.doubled),
        *(("ended " + end, verdict.ends[end]) for end in ENDS),
        ("contradicted", verdict.contradicted),
        ("events missing", verdict.missing),
        ("events repeated", verdict.repeated),
        ("kills", result.kills.total()),
        *((f"kills {moment}", result.kills[moment]) for moment in (*Point, RANDOM)),
        ("faults", sum(result.faults.values())),
        *((f"faults: {fault}", count) for fault, count in sorted(result.faults.items())),
        ("seconds", f"{result.seconds:.0f}"),
    ]
    width = max(len(name) for name, _ in rows)
    screen.say("\n" + "\n".join(f"  {name:<{width}}  {figure:>6}" for name, figure in rows) + "\n")
    for detail in verdict.details:
        screen.say(f"  {detail}")


async def _bounded(options: Options, screen: Screen) -> Result:
    """Make a run that ends in time."""
    try:
        async with asyncio.timeout(options.timeout):
            return await _run(options, screen)
    except TimeoutError:
        raise ChaosError(f"the run did not end within {options.timeout:.0f} seconds") from None


def main() -> int:
    """Make a run and show what it showed."""
    options = _options()
    screen = Screen()
    try:
        result = asyncio.run(interruptible(_bounded(options, screen)))
    except (ChaosError, ChildError) as err:
        screen.bad("the run could not be made to its end")
        screen.say(str(err))
        return 1
    except asyncio.CancelledError, KeyboardInterrupt:
        screen.step("interrupted; nothing is left behind")
        return INTERRUPTED
    _show(result, screen)
    if not result.is_good:
        screen.bad("a promise was broken")
        return 1
    screen.good("nothing lost, nothing twice, everything told")
    return 0


if __name__ == "__main__":
    sys.exit(main())
