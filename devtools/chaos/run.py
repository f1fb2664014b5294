"""The calls and the kills of a chaos run, in rounds, and what else happens meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
import itertools
from pathlib import Path
import random
import shutil
from typing import Final

from aiohttp import ClientError

from custom_components.gosms.api import MessageStatus

from ..entry_driver import EntryDriver
from .crash_control import WITH_FULL_DISK, CrashController, InstrumentedProcess
from .crash_injector.crash_points import CrashPoint
from .fault_load import FaultLoad
from .load import LoadGenerator, RepeatedCall, plan
from .options import RESERVE, Options

# The share of the calls that is spread over the kills.
SPREAD_SHARE: Final = 0.9
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

    async def finish(self) -> list[RepeatedCall]:
        """End the faults, wait for the end of every message, and repeat each call that has a key."""
        await self._faults.stop()
        await _wait_until_idle(self._entry)
        repeated_calls = await self.load.repeat()
        # If a repeated call made a second message, its events count too.
        await _wait_until_idle(self._entry)
        return repeated_calls

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
