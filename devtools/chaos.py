"""Kills a real Home Assistant repeatedly while it sends messages through a faulty service, and checks the result.

Started by scripts/chaos. The exit code is 0 only if no message was lost or sent twice, no event is missing or
contradicts another one or the service, no event was repeated that was stored as fired, no file holds a number at the
end, and every crash point was hit. What a kill with a full disk or a restored backup made Home Assistant forget is
counted separately: it too was sent once.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
import itertools
from pathlib import Path
import random
import shutil
import sys
import tempfile
import time
from typing import Final

from aiohttp import ClientError
from homeassistant.const import __version__

from custom_components.gosms.api import MessageStatus

from .console import Console
from .crash_control import RANDOM, WITH_FULL_DISK, CrashController, InstrumentedProcess
from .crash_injector.crash_points import CrashPoint
from .entry_driver import EntryDriver, EntryDriverError
from .fault_load import SPEED, FaultLoad
from .hass_client import HassApiError, Json
from .hass_process import HomeAssistantProcess
from .invariants import FINAL_STATES, RecordedEvent, Report, ServerMessage, check
from .load import DUPLICATES, CallOutcome, LoadGenerator, plan
from .process import ProcessError, prepare_folder
from .signals import INTERRUPTED, interruptible
from .simulator_process import SimulatorProcess

RECIPIENTS: Final = {
    "Anna": "79123456701",
    "Boris": "79123456702",
    "Vera": "79123456703",
    "Gleb": "79123456704",
    "Darya": "79123456705",
}

# The share of the calls that is spread over the kills.
SPREAD_SHARE: Final = 0.9
# Calls that are reserved for each later kill: some crash points need a new message, and up to so many of the next
# calls may have the same key, and thus be one message.
RESERVE: Final = DUPLICATES
# Seconds after which a message with an unknown outcome is sent again if the service does not have it, and kills
# after that.
GRACE_PERIOD: Final = 32.0
LATE_KILLS: Final = 1
# Kills while the disk is full.
FULL_DISK_KILLS: Final = 1

# How the phone delivers in one round after another.
DELIVERIES: Final = (
    MessageStatus.DELIVERED,
    MessageStatus.SEND_FAILED,
    MessageStatus.DELIVERED,
    MessageStatus.DELIVERY_FAILED,
)

# Seconds that the service is down before a backup is made, so that messages wait in it, and that they have to leave
# before it is restored.
OUTAGE: Final = 1.0
UNTIL_RESTORED: Final = 4.0
# Seconds that the disk is full.
FULL_DISK: Final = 1.5
# Calls with several parts that are kept for the kill between two parts.
KEPT_MULTIPART: Final = 2
# Calls that are released for a checkpoint before the account is reloaded for it.
MAX_TRIGGERS: Final = 20

# What else happens in a run.
EPISODES: Final = ("times with a full disk", "reloads", "restored backups")

# Seconds, and polls in a row without a message under way: the final event is fired shortly after the counters change.
POLL_INTERVAL: Final = 0.5
IDLE_POLLS: Final = 3


class ChaosError(Exception):
    """The run could not be completed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """The options of the command line."""

    messages: int
    seed: int
    kills: int
    share: float
    timeout: float
    keep: Path | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """The result of a run."""

    report: Report
    kills: Counter[str]
    episodes: Mapping[str, int]
    faults: Mapping[str, int]
    seconds: float

    @property
    def has_passed(self) -> bool:
        """Return whether every invariant held and every crash point was hit."""
        return self.report.has_passed and all(self.kills[point.value] for point in CrashPoint)


def _options() -> Options:
    points = len(CrashPoint)
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--messages", type=int, default=300, help="number of messages (300)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random choices (1)")
    parser.add_argument("--kills", type=int, default=15, help=f"number of kills (15), at least {points}: one per point")
    parser.add_argument("--share", type=float, default=0.2, help="share of the requests with a fault (0.2)")
    parser.add_argument("--timeout", type=float, default=420.0, help="seconds until the run is aborted (420)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep Home Assistant's files in this folder")
    found = parser.parse_args()
    if found.kills < points:
        parser.error(f"--kills: each of the {points} crash points needs one")
    if found.messages < RESERVE * found.kills:
        parser.error(f"--messages: each kill needs {RESERVE}")
    if not 0 <= found.share <= 1:
        parser.error("--share: from 0 to 1")
    return Options(**vars(found))


async def _run(options: Options, console: Console) -> Result:
    """Send messages, kill Home Assistant, and check the result."""
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        if options.keep:
            if options.keep.exists():
                raise ChaosError(f"{options.keep} exists already: choose another folder")
            prepare_folder(options.keep)
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gosms-chaos-")))
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
            load = run.load
            await faults.stop()
            console.step("No more faults; waiting for the final state of every message")
            await _wait_until_idle(entry)
            repeated_calls = await load.repeat()
            # If a repeated call made a second message, its events count too.
            await _wait_until_idle(entry)
        except (EntryDriverError, ClientError, HassApiError) as err:
            raise ChaosError(f"{err}\n{hass.log_tail()}") from err
        entity_id = await entry.entity_id("message")
        await hass.stop()
        state = await simulator.control("GET", "state")
        report = check(
            load.outcomes,
            _server_messages(state),
            _events(hass.events, run.risky_events),
            repeated_calls,
            entity_id,
            at_risk=load.at_risk,
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


class Run:
    """The calls and the kills of a run, and what else happens meanwhile: `episodes` counts it."""

    def __init__(
        self,
        options: Options,
        hass: InstrumentedProcess,
        controller: CrashController,
        faults: FaultLoad,
        entry: EntryDriver,
    ) -> None:
        self.load: LoadGenerator
        self.episodes: Counter[str] = Counter(dict.fromkeys(EPISODES, 0))
        # The events that a kill may have forgotten, by their places among all events.
        self.risky_events: list[range] = []
        self._options = options
        self._hass = hass
        self._controller = controller
        self._faults = faults
        self._entry = entry
        self._chance = random.Random(f"{options.seed} messages")
        self._deliveries = itertools.cycle(DELIVERIES)
        self._backup: Path | None = None
        self._events_before = 0

    async def send_and_kill(self, subentries: Mapping[str, str]) -> None:
        """Make all calls and all kills, with the subentry ids by number."""
        options = self._options
        entity_ids = {number: await self._entry.entity_id(f"{subentry}_sms") for number, subentry in subentries.items()}
        calls = plan(self._chance, options.messages, list(subentries))
        self.load = load = LoadGenerator(self._entry.client, calls, entity_ids)
        late_kills = min(LATE_KILLS, options.kills - len(CrashPoint))
        rounds = self._controller.plan(options.kills - late_kills)
        load.kept_multipart = KEPT_MULTIPART
        load.is_up.set()
        sending = asyncio.create_task(load.run())
        try:
            share = int(len(calls) * SPREAD_SHARE / len(rounds))
            for remaining, (kill, setup) in zip(reversed(range(len(rounds))), rounds, strict=True):
                load.release(share, reserve=RESERVE * (remaining + 1))
                await self._run_round(kill, setup, reserve=RESERVE * remaining)
            load.release(len(calls))
            await sending
            if late_kills:
                # Now messages with an unknown outcome are sent again, under the same faults.
                await asyncio.sleep(GRACE_PERIOD)
            for _ in range(late_kills):
                await self._kill_and_restart(None, None)
        finally:
            sending.cancel()

    async def _run_round(self, kill: CrashPoint | None, setup: CrashPoint | None, *, reserve: int) -> None:
        """Let something happen under load, then kill Home Assistant and restart it; leave calls for later kills."""
        await self._faults.deliver_as(next(self._deliveries))
        if kill is None and self._controller.kills[WITH_FULL_DISK] < FULL_DISK_KILLS:
            self._begin_risk()
            self._hass.has_full_disk = True
        elif kill is CrashPoint.AFTER_SIGTERM:
            # What waits then is in the backup that is made while Home Assistant is stopped.
            await self._faults.start_outage()
            await asyncio.sleep(OUTAGE)
        elif self._backup:
            await asyncio.sleep(UNTIL_RESTORED)
        elif kill is not CrashPoint.WITHIN_RELOAD:
            await self._chance.choice((self._fill_disk, self._reload))()
        await self._kill_and_restart(kill, setup, reserve=reserve)

    async def _fill_disk(self) -> None:
        """Let the disk be full for a while."""
        self.episodes["times with a full disk"] += 1
        self._hass.has_full_disk = True
        await asyncio.sleep(FULL_DISK)
        self._hass.has_full_disk = False

    async def _reload(self) -> None:
        """Reload the account while messages are on their way, and while new calls come."""
        self.episodes["reloads"] += 1
        await self._entry.reload()

    async def _kill_and_restart(self, kill: CrashPoint | None, setup: CrashPoint | None, *, reserve: int = 0) -> None:
        """Kill Home Assistant under load and restart it; leave a reserve of calls for later kills."""
        triggers = itertools.count()
        if kill is CrashPoint.BETWEEN_PARTS:
            self.load.kept_multipart = 0

        async def trigger() -> None:
            """Make another call, or do what the crash point lies in."""
            self.load.release(1, reserve=reserve, multipart_first=kill is CrashPoint.BETWEEN_PARTS)
            # A checkpoint needs a moment without a message in transit, which may not come; loading has one too.
            is_overdue = kill is CrashPoint.WITHIN_CHECKPOINT and next(triggers) >= MAX_TRIGGERS
            if kill is CrashPoint.WITHIN_RELOAD or is_overdue:
                with suppress(ClientError):
                    await self._reload()

        await self._controller.kill(kill, trigger)
        self.load.is_up.clear()
        self._end_risk()
        await self._back_up_or_restore(kill)
        await self._controller.start(setup)
        self.load.is_up.set()

    async def _back_up_or_restore(self, kill: CrashPoint | None) -> None:
        """Restore the backup if there is one, and make it after its kill."""
        if self._backup:
            self.episodes["restored backups"] += 1
            for file in self._hass.files:
                file.unlink()
            for file in self._backup.iterdir():
                shutil.copy2(file, self._hass.folder / ".storage")
            shutil.rmtree(self._backup)
            self._backup = None
        elif kill is CrashPoint.AFTER_SIGTERM:
            self._backup = self._hass.folder / "backup"
            self._backup.mkdir()
            for file in self._hass.files:
                shutil.copy2(file, self._backup)
            self._begin_risk()
            await self._faults.start(self._options.share)

    def _begin_risk(self) -> None:
        """From now on, a kill can forget what happens."""
        self.load.is_risky = True
        self._events_before = len(self._hass.events)

    def _end_risk(self) -> None:
        """What happened since then may be forgotten now."""
        if self.load.is_risky:
            self.load.is_risky = False
            self.risky_events.append(range(self._events_before, len(self._hass.events)))


async def _wait_until_idle(entry: EntryDriver) -> None:
    """Wait until every message has a final state and its event was fired."""
    idle_polls = 0
    while idle_polls < IDLE_POLLS:
        await asyncio.sleep(POLL_INTERVAL)
        counts = [await entry.state(key) for key in ("queued", "in_transit")]
        idle_polls = idle_polls + 1 if counts == ["0", "0"] else 0


def _server_messages(state: Json) -> list[ServerMessage]:
    """Return the messages on the server."""
    return [
        ServerMessage(
            id=message["id"],
            recipient=message["phone_number"],
            text=message["message"],
            status=MessageStatus(message["status"]),
        )
        for message in state["messages"]["list"]
    ]


def _has_number(file: Path) -> bool:
    """Return whether a file holds a number of a recipient."""
    content = file.read_bytes()
    return any(number.encode() in content for number in RECIPIENTS.values())


def _events(events: list[Json], risky: list[range]) -> list[RecordedEvent]:
    """Return the recorded events; those in the ranges may have been forgotten."""
    return [
        RecordedEvent(
            key=event["key"],
            entity_id=event["entity_id"],
            type=event["type"],
            ids=tuple(event["ids"]),
            recipient=event["phone_number"],
            text=event["text"],
            is_stored=event["is_stored"],
            is_at_risk=any(place in each for each in risky),
        )
        for place, event in enumerate(events)
    ]


def _print_result(result: Result, console: Console) -> None:
    """Print the table."""
    report = result.report
    rows: list[tuple[str, object]] = [
        ("messages", report.messages),
        ("messages with a key", report.keyed),
        ("messages in several parts", report.multipart),
        ("repeated calls with the same key", report.repetitions),
        ("calls that succeeded", report.outcomes[CallOutcome.SUCCEEDED]),
        ("calls that failed", report.outcomes[CallOutcome.FAILED]),
        ("calls with an unknown outcome", report.outcomes[CallOutcome.UNCERTAIN]),
        ("calls that a kill disconnected", report.outcomes[CallOutcome.DISCONNECTED]),
        ("parts", report.parts),
        ("parts on the server", report.server_parts),
        *((f"ended as {state}", report.final_states[state]) for state in sorted(FINAL_STATES)),
        ("lost", report.lost),
        ("duplicated", report.duplicated),
        ("contradictory", report.contradictory),
        ("missing events", report.missing),
        ("without an end", report.unended),
        ("repeated events", report.repeated),
        ("repeated though stored", report.wrongly_repeated),
        ("files with a number", report.files),
        ("at risk in a kill", report.at_risk),
        ("forgotten of these", report.forgotten),
        ("kills", result.kills.total()),
        *((f"kills {moment}", result.kills[moment]) for moment in (*CrashPoint, WITH_FULL_DISK, RANDOM)),
        *result.episodes.items(),
        ("faults", sum(result.faults.values())),
        *((f"faults: {fault}", count) for fault, count in sorted(result.faults.items())),
        ("seconds", f"{result.seconds:.0f}"),
    ]
    width = max(len(name) for name, _ in rows)
    console.print("\n" + "\n".join(f"  {name:<{width}}  {value:>6}" for name, value in rows) + "\n")
    for detail in report.details:
        console.print(f"  {detail}")


async def _run_with_timeout(options: Options, console: Console) -> Result:
    """Abort a run that takes too long."""
    try:
        async with asyncio.timeout(options.timeout):
            return await _run(options, console)
    except TimeoutError:
        raise ChaosError(f"the run did not end within {options.timeout:.0f} seconds") from None


def main() -> int:
    """Run, and print the result."""
    options = _options()
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
    _print_result(result, console)
    if not result.has_passed:
        console.error("an invariant was violated")
        return 1
    console.success("nothing lost, nothing duplicated, every event fired")
    return 0


if __name__ == "__main__":
    sys.exit(main())
