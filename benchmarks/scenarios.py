"""The scenarios that are measured, alternating between the integration and what it is compared with."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
import sqlite3
from statistics import median
from typing import Final

from . import baseline
from .environment import PLATFORMS, Account, Ntfy, ProbedProcess, Service
from .results import Result

# Seconds between two messages: the rate limit of the service, so that no measurement of one message includes a wait.
PAUSE: Final = 0.12
_POLL_INTERVAL: Final = 0.1
# Seconds until a delivery must be known: the integration polls at least once a minute.
_DELIVERY_TIMEOUT: Final = 90.0

# The rate limit of the service: requests to one endpoint per second.
_RATE_LIMIT: Final = 10
# Finished messages in a history that is called full.
_HISTORY: Final = 1000
# Milliseconds of CPU in which the event loop must get to everything else.
_MAX_BLOCK: Final = 100

_STATES: Final = """
    SELECT states_meta.entity_id, count(*) FROM states JOIN states_meta USING (metadata_id) GROUP BY 1
"""
_STATISTICS: Final = "SELECT (SELECT count(*) FROM statistics) + (SELECT count(*) FROM statistics_short_term)"
# Without the calls that advance the clock, and without the events of Home Assistant's statistics.
_EVENTS: Final = """
    SELECT count(*) FROM events JOIN event_types USING (event_type_id) LEFT JOIN event_data USING (data_id)
    WHERE event_types.event_type NOT LIKE 'recorder%' AND coalesce(shared_data, '') NOT LIKE '%"probe"%'
"""

# Seconds by which the clocks are advanced at a time: of Home Assistant, where timers fire at the end of a step, and of
# the service.
_STEP: Final = 20.0
_SERVICE_STEP: Final = 300

# The maximum number of recorded requests.
_MAX_REQUESTS: Final = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """How much is done for each measurement."""

    rounds: int
    sends: int
    polls: int
    burst: int
    storm: int
    hours: int
    totals: tuple[int, ...]
    browser: bool


async def measure_import(hass: ProbedProcess) -> list[Result]:
    """Measure the import of the integration, which happens once in a process."""
    measured = await hass.probe("import", domain="gosms", platforms=PLATFORMS)
    return [
        Result(
            name="Import: memory",
            integration=f"{measured['cpu'] * 1000:.0f} ms of CPU",
            value=measured["memory"] / 2**20,
            unit="MiB",
        )
    ]


async def measure_sending(account: Account, ntfy: Ntfy, scale: Scale) -> list[Result]:
    """Measure messages that are sent one after another, slowly enough not to reach the rate limit."""
    sends = {"own": account.send, "baseline": account.send_baseline, "ntfy": ntfy.send}
    calls: dict[str, list[float]] = {name: [] for name in sends}
    totals: dict[str, list[float]] = {name: [] for name in sends}
    latencies: dict[str, list[float]] = {name: [] for name in sends}
    tracking: list[float] = []
    commits: list[float] = []
    for send in sends.values():
        await send("Warm up", scale.sends, PAUSE)
    await _deliver(account)
    for turn in range(scale.rounds):
        for name, send in sends.items():
            sent = await send(f"Turn {turn}", scale.sends, PAUSE)
            calls[name].append(median(sent["calls"]))
            totals[name].append(sent["cpu"] / scale.sends)
            latencies[name].append(median(sent["seconds"]))
            if name == "own":
                commits.append(median(sent["threads"]))
        before = await account.hass.probe("settle")
        await _deliver(account)
        after = await account.hass.probe("settle")
        tracking.append((after["cpu"] - before["cpu"]) / scale.sends)
    return [
        _compared("Send: CPU", calls, "baseline", maximum=1.8),
        _compared("Send compared with ntfy: CPU", calls, "ntfy", maximum=1.25),
        Result(
            name="Send: CPU of its two commits in their thread",
            integration=_milliseconds(commits),
            baseline=f"send: {_milliseconds(calls['own'])}",
            value=100 * _ratio(commits, calls["own"]),
            unit="percent",
        ),
        _compared("Send with everything that follows: CPU", totals, "baseline", maximum=2.4),
        _compared("Send with everything that follows compared with ntfy: CPU", totals, "ntfy"),
        _compared("Send: latency", latencies, "baseline"),
        Result(
            name="Tracking a message to its delivery: CPU",
            integration=_milliseconds(tracking),
            baseline=f"send: {_milliseconds(totals['baseline'])}",
            value=_ratio(tracking, totals["baseline"]),
        ),
    ]


def _compared(name: str, measured: Mapping[str, Sequence[float]], peer: str, maximum: float | None = None) -> Result:
    """Return how the integration does beside a peer."""
    own, other = measured["own"], measured[peer]
    return Result(
        name=name,
        integration=_milliseconds(own),
        baseline=f"{'' if peer == 'baseline' else f'{peer}: '}{_milliseconds(other)}",
        value=_ratio(own, other),
        maximum=maximum,
    )


async def measure_polling(account: Account, scale: Scale) -> Result:
    """Measure a poll of 100 messages that have not changed."""
    own, other = [], []
    for _ in range(scale.rounds):
        own.append(await _poll(account.hass, account.total_id, scale.polls))
        other.append(await _poll(account.hass, baseline.SENSOR, scale.polls))
    return Result(
        name="Unchanged poll of 100 messages: CPU",
        integration=_milliseconds(own),
        baseline=f"six rest sensors: {_milliseconds(other)}",
        value=_ratio(own, other),
        maximum=0.4,
    )


async def measure_totals(accounts: dict[int, Account], scale: Scale) -> list[Result]:
    """Measure polls of accounts that differ only in the number of messages on the server."""
    measured: dict[int, list[float]] = {total: [] for total in accounts}
    for _ in range(scale.rounds):
        for total, account in accounts.items():
            measured[total].append(await _poll(account.hass, account.total_id, scale.polls))
    least, *others = sorted(accounts)
    return [
        Result(
            name=f"Poll with {total:,} messages on the server: CPU",
            integration=_milliseconds(measured[total]),
            baseline=f"with {least:,}: {_milliseconds(measured[least])}",
            value=_ratio(measured[total], measured[least]),
            maximum=1.25,
        )
        for total in others
    ]


async def measure_setup(account: Account, scale: Scale) -> list[Result]:
    """Measure a reload of the entry with its first poll, and a reload of the rest sensors."""
    own, other, own_memory, other_memory = [], [], [], []
    entry_id = account.entry.entry_id
    for _ in range(scale.rounds):
        own.append((await account.hass.probe("reload", entry_id=entry_id, traced=False))["cpu"])
        other.append((await account.hass.probe("reload", traced=False))["cpu"])
        own_memory.append((await account.hass.probe("reload", entry_id=entry_id, traced=True))["memory"])
        other_memory.append((await account.hass.probe("reload", traced=True))["memory"])
    return [
        Result(
            name="Setup of an account with two recipients: CPU",
            integration=_milliseconds(own),
            baseline=f"six rest sensors: {_milliseconds(other)}",
            value=_ratio(own, other),
            maximum=1.5,
        ),
        Result(
            name="Account with two recipients and 100 messages: memory",
            integration=f"{median(own_memory) / 1024:.0f} KiB",
            baseline=f"six rest sensors: {median(other_memory) / 1024:.0f} KiB",
            value=_ratio(own_memory, other_memory),
        ),
    ]


async def measure_burst(account: Account, scale: Scale) -> list[Result]:
    """Measure many messages that are sent at once to a service with a rate limit."""
    async with _rate_limited(account.service):
        before = await account.service.state(0)
        await account.burst("At once", scale.burst)
        after = await account.service.state(scale.burst * 2)
        await asyncio.sleep(1)
        await account.burst_baseline("At once", scale.burst)
        last = await account.service.state(0)
    received = sorted(
        request["arrived"] for request in after["requests"]["list"] if request["path"].endswith("/sms/send")
    )[-scale.burst :]
    requests = _count_sends(after) - _count_sends(before)
    accepted = after["messages"]["total"] - before["messages"]["total"]
    accepted_baseline = last["messages"]["total"] - after["messages"]["total"]
    await _deliver(account)
    return [
        Result(
            name=f"Burst of {scale.burst}: share of the rate limit",
            integration=f"{(len(received) - 1) / (received[-1] - received[0]):.2f} per second",
            value=(len(received) - 1) / (received[-1] - received[0]) / _RATE_LIMIT * 100,
            unit="percent",
            minimum=90,
        ),
        Result(
            name=f"Burst of {scale.burst}: refused by the rate limit",
            integration=f"{accepted} accepted",
            baseline=f"{accepted_baseline} accepted",
            value=requests - accepted,
            unit="requests",
            maximum=0,
        ),
    ]


async def measure_writes(account: Account, scale: Scale) -> list[Result]:
    """Measure the disk writes of a message from its call to its delivery, with a short and with a full history."""
    await account.hass.probe("count_writes")
    # What is open already is not counted.
    await account.hass.probe("reload", entry_id=account.entry.entry_id, traced=False)
    short = await _writes_per_message(account, scale)
    await account.hass.probe("fill_history", count=_HISTORY)
    await account.hass.probe("reload", entry_id=account.entry.entry_id, traced=False)
    full = await _writes_per_message(account, scale)
    return [
        Result(
            name="Message until its delivery: disk writes",
            integration=f"{short['commits']:.1f} commits, {short['bytes'] / 1024:.1f} KiB",
            value=short["bytes"] / 1024,
            unit="KiB",
        ),
        Result(
            name=f"The same after {_HISTORY:,} finished messages",
            integration=f"{full['commits']:.1f} commits, {full['bytes'] / 1024:.1f} KiB",
            value=full["bytes"] / short["bytes"],
        ),
    ]


async def measure_storm(account: Account, scale: Scale, *, is_up: bool) -> list[Result]:
    """Measure for how long the event loop is blocked by a storm of calls, and by a set-up with what it left queued."""
    if not is_up:
        await account.service.simulator.stop()
    storm = await account.storm("Storm", scale.storm)
    queued = await account.entry.state("queued")
    reload = await account.hass.probe("reload", entry_id=account.entry.entry_id, traced=False)
    when = f"with the service {'up' if is_up else 'down'}: longest block"
    return [
        _block(f"Storm of {scale.storm:,} calls {when}", storm, "{errors:,} refused"),
        _block(f"Set-up after it {when}", reload, f"{queued} queued"),
    ]


def _block(name: str, measured: Mapping[str, float], more: str) -> Result:
    """Return how long the event loop was blocked at most."""
    seen = f"{measured['block'] * 1000:.0f} ms by the clock, {more.format(**measured)}"
    return Result(name=name, integration=seen, value=measured["block_cpu"] * 1000, unit="ms", maximum=_MAX_BLOCK)


async def measure_idle_day(account: Account, scale: Scale, *, phone: bool) -> list[Result]:
    """Measure a day without messages, with Home Assistant's own timers and recorder."""
    # The account has sent nothing, so its daily counters are not reset at midnight.
    if phone:
        await account.add_phone()
    # The first states and polls do not count.
    await _advance_time(account, 2 * _SERVICE_STEP)
    before, polls = await _count_rows(account), await _count_polls(account.service)
    await _advance_time(account, scale.hours * 3600)
    after, polls = await _count_rows(account), await _count_polls(account.service) - polls
    kind = "with a phone" if phone else "without a phone"
    return [
        Result(
            name=f"Idle day {kind}: rows of states and events",
            integration=f"{polls} polls in {scale.hours} hours",
            value=sum(after[name] - before[name] for name in ("states", "events")),
            unit="rows",
            maximum=0,
        ),
        Result(
            name=f"Idle day {kind}: Home Assistant's own statistics",
            integration="of sensors with a state class",
            value=after["statistics"] - before["statistics"],
            unit="rows",
        ),
    ]


async def _poll(hass: ProbedProcess, entity_id: str, times: int) -> float:
    """Return the median CPU time of so many polls."""
    measured = await hass.probe("refresh", entity_id=entity_id, times=times, pause=PAUSE)
    return float(median(measured["cpu"]))


async def _deliver(account: Account) -> None:
    """Deliver all messages in transit, and wait until the sensors show it."""
    await account.service.deliver()
    async with asyncio.timeout(_DELIVERY_TIMEOUT):
        while await account.entry.state("in_transit") != "0":
            await asyncio.sleep(_POLL_INTERVAL)


async def _writes_per_message(account: Account, scale: Scale) -> dict[str, float]:
    """Send messages and deliver each before the next, and return the average writes of one."""
    await account.send("Warm up", 1, PAUSE)
    await _deliver(account)
    await account.hass.probe("settle")
    before = await account.hass.probe("count_writes")
    for number in range(scale.rounds):
        await account.send(f"Write {number}", 1, PAUSE)
        await _deliver(account)
        await account.hass.probe("settle")
    after = await account.hass.probe("count_writes")
    return {name: (after[name] - before[name]) / scale.rounds for name in after}


@asynccontextmanager
async def _rate_limited(service: Service) -> AsyncGenerator[None]:
    """Turn the rate limit of the service on."""
    await service.change(rate_limit=_RATE_LIMIT)
    try:
        yield
    finally:
        await service.change(rate_limit=None)


async def _advance_time(account: Account, seconds: int) -> None:
    """Advance the clocks of Home Assistant and of the service."""
    for _ in range(seconds // _SERVICE_STEP):
        await account.hass.advance_time(_SERVICE_STEP, _STEP)
        await account.service.change(advance=_SERVICE_STEP)


async def _count_rows(account: Account) -> dict[str, int]:
    """Return the number of rows in the database that the integration may have caused."""
    own = {entity["entity_id"] for entity in await account.hass.client.entities(account.entry.entry_id)}
    path = account.hass.folder / "home-assistant_v2.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return {
            "states": sum(count for entity_id, count in database.execute(_STATES) if entity_id in own),
            "events": database.execute(_EVENTS).fetchone()[0],
            "statistics": database.execute(_STATISTICS).fetchone()[0],
        }


async def _count_polls(service: Service) -> int:
    """Return the number of polls of the integration; unlike those of the rest sensors, they have an offset."""
    requests = (await service.state(_MAX_REQUESTS))["requests"]["list"]
    return sum("offset" in request["query"] for request in requests)


def _count_sends(state: dict[str, dict[str, dict[str, int]]]) -> int:
    """Return the number of requests to send."""
    return state["requests"]["by_endpoint"].get("POST /sms/send", 0)


def _ratio(own: Sequence[float], other: Sequence[float]) -> float:
    """Return the median of the ratios of alternating measurements."""
    return median(mine / others for mine, others in zip(own, other, strict=True))


def _milliseconds(seconds: Sequence[float]) -> str:
    """Return the median of times."""
    return f"{median(seconds) * 1000:.2f} ms"
