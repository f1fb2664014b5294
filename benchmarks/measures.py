"""What is measured, one function for each question. All of them take turns with what they compare with."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
import json
import sqlite3
from statistics import median
from typing import Final

from . import by_hand
from .figures import Figure
from .house import PLATFORMS, Home, Server, TimedHouse

# Seconds between two sends: what the service permits, so that nobody waits for the pace in a figure of one message.
PAUSE: Final = 0.12
_LOOK: Final = 0.1
# Seconds until a delivery must have been heard of: Home Assistant looks for one once a minute, or more often.
_PATIENCE: Final = 90.0

# The service permits so many requests in a second to one endpoint.
_PERMITTED: Final = 10
# Finished messages that are remembered at most.
_REMEMBERED: Final = 1000

_STATES: Final = """
    SELECT states_meta.entity_id, count(*) FROM states JOIN states_meta USING (metadata_id) GROUP BY 1
"""
_STATISTICS: Final = "SELECT (SELECT count(*) FROM statistics) + (SELECT count(*) FROM statistics_short_term)"
# All but the calls that let the time pass, and what Home Assistant's statistics tell of themselves.
_EVENTS: Final = """
    SELECT count(*) FROM events JOIN event_types USING (event_type_id) LEFT JOIN event_data USING (data_id)
    WHERE event_types.event_type NOT LIKE 'recorder%' AND coalesce(shared_data, '') NOT LIKE '%"stopwatch"%'
"""

# Seconds that pass at a time: in the house, and for the service. What is due in the first happens at its end.
_STEP: Final = 20.0
_STRIDE: Final = 300

# Requests that the service remembers.
_RECORDED: Final = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """How much is done for a figure."""

    rounds: int
    sends: int
    polls: int
    burst: int
    hours: int
    totals: tuple[int, ...]


async def loading(house: TimedHouse) -> list[Figure]:
    """What it takes to import the integration, once in the life of a process."""
    found = await house.stopwatch("load", domain="gosms", platforms=PLATFORMS)
    return [
        Figure(
            name="Importing it: memory",
            ours=f"{found['cpu'] * 1000:.0f} ms of CPU",
            value=found["memory"] / 2**20,
            unit="MiB",
        )
    ]


async def sending(home: Home, scale: Scale) -> list[Figure]:
    """One message after the other, none of them fast enough to wait for the service's pace."""
    ours, hand, all_of_it, all_by_hand, following, latency, latency_by_hand = [], [], [], [], [], [], []
    await home.send("Warm up", scale.sends, PAUSE)
    await home.send_by_hand("Warm up", scale.sends, PAUSE)
    await _ended(home)
    for turn in range(scale.rounds):
        sent = await home.send(f"Turn {turn}", scale.sends, PAUSE)
        before = await home.house.stopwatch("settle")
        await _ended(home)
        after = await home.house.stopwatch("settle")
        sent_by_hand = await home.send_by_hand(f"Turn {turn}", scale.sends, PAUSE)
        ours.append(median(sent["calls"]))
        hand.append(median(sent_by_hand["calls"]))
        all_of_it.append(sent["cpu"] / scale.sends)
        all_by_hand.append(sent_by_hand["cpu"] / scale.sends)
        following.append((after["cpu"] - before["cpu"]) / scale.sends)
        latency.append(median(sent["seconds"]))
        latency_by_hand.append(median(sent_by_hand["seconds"]))
    return [
        Figure(
            name="A send: CPU",
            ours=_milliseconds(ours),
            by_hand=_milliseconds(hand),
            value=_ratio(ours, hand),
            at_most=2,
        ),
        Figure(
            name="A send with all that it leaves behind: CPU",
            ours=_milliseconds(all_of_it),
            by_hand=_milliseconds(all_by_hand),
            value=_ratio(all_of_it, all_by_hand),
        ),
        Figure(
            name="A send: latency",
            ours=_milliseconds(latency),
            by_hand=_milliseconds(latency_by_hand),
            value=_ratio(latency, latency_by_hand),
        ),
        Figure(
            name="Following a message to its delivery: CPU",
            ours=_milliseconds(following),
            by_hand=f"a send: {_milliseconds(all_by_hand)}",
            value=_ratio(following, all_by_hand),
        ),
    ]


async def polling(home: Home, scale: Scale) -> Figure:
    """A poll of 100 messages that are as they were."""
    ours, hand = [], []
    for _ in range(scale.rounds):
        ours.append(await _poll(home.house, home.total, scale.polls))
        hand.append(await _poll(home.house, by_hand.SENSOR, scale.polls))
    return Figure(
        name="An unchanged poll of 100 messages: CPU",
        ours=_milliseconds(ours),
        by_hand=f"six rest sensors: {_milliseconds(hand)}",
        value=_ratio(ours, hand),
        at_most=0.5,
    )


async def totals(homes: dict[int, Home], scale: Scale) -> list[Figure]:
    """Polls of accounts that differ in nothing but the number of messages on the server."""
    found: dict[int, list[float]] = {total: [] for total in homes}
    for _ in range(scale.rounds):
        for total, home in homes.items():
            found[total].append(await _poll(home.house, home.total, scale.polls))
    least, *others = sorted(homes)
    return [
        Figure(
            name=f"A poll with {total:,} messages on the server: CPU",
            ours=_milliseconds(found[total]),
            by_hand=f"with {least:,}: {_milliseconds(found[least])}",
            value=_ratio(found[total], found[least]),
            at_most=1.25,
        )
        for total in others
    ]


async def setting_up(home: Home, scale: Scale) -> list[Figure]:
    """Taking an entry down and setting it up with its first poll, beside the same of the rest sensors."""
    ours, hand, memory, memory_by_hand = [], [], [], []
    entry_id = home.account.entry_id
    for _ in range(scale.rounds):
        ours.append((await home.house.stopwatch("reload", entry_id=entry_id, traced=False))["cpu"])
        hand.append((await home.house.stopwatch("reload", traced=False))["cpu"])
        memory.append((await home.house.stopwatch("reload", entry_id=entry_id, traced=True))["memory"])
        memory_by_hand.append((await home.house.stopwatch("reload", traced=True))["memory"])
    return [
        Figure(
            name="Setting up an account with two recipients: CPU",
            ours=_milliseconds(ours),
            by_hand=f"six rest sensors: {_milliseconds(hand)}",
            value=_ratio(ours, hand),
        ),
        Figure(
            name="An account with two recipients and 100 messages: memory",
            ours=f"{median(memory) / 1024:.0f} KiB",
            by_hand=f"six rest sensors: {median(memory_by_hand) / 1024:.0f} KiB",
            value=_ratio(memory, memory_by_hand),
        ),
    ]


async def bursting(home: Home, scale: Scale) -> list[Figure]:
    """Many messages at the same moment, to a service that refuses what comes too fast."""
    async with _strict(home.server):
        before = await home.server.state(0)
        await home.burst("At once", scale.burst)
        after = await home.server.state(scale.burst * 2)
        await asyncio.sleep(1)
        await home.burst_by_hand("At once", scale.burst)
        last = await home.server.state(0)
    arrived = sorted(
        request["arrived"] for request in after["requests"]["list"] if request["path"].endswith("/sms/send")
    )[-scale.burst :]
    requests = _sends(after) - _sends(before)
    accepted = after["messages"]["total"] - before["messages"]["total"]
    accepted_by_hand = last["messages"]["total"] - after["messages"]["total"]
    await _ended(home)
    return [
        Figure(
            name=f"A burst of {scale.burst}: of the permitted pace",
            ours=f"{(len(arrived) - 1) / (arrived[-1] - arrived[0]):.2f} a second",
            value=(len(arrived) - 1) / (arrived[-1] - arrived[0]) / _PERMITTED * 100,
            unit="percent",
            at_least=90,
        ),
        Figure(
            name=f"A burst of {scale.burst}: refused as too fast",
            ours=f"{accepted} arrived",
            by_hand=f"{accepted_by_hand} arrived",
            value=requests - accepted,
            unit="requests",
            at_most=0,
        ),
    ]


async def writing(home: Home, scale: Scale) -> list[Figure]:
    """What a message takes on disk from its call to its delivery, with few and with many that have ended before it."""
    fresh = await _written(home, scale)
    await _remember(home)
    full = await _written(home, scale)
    return [
        Figure(
            name="A message to its delivery: written to disk",
            ours=f"{fresh['writes']:.0f} writes, {fresh['bytes'] / 1024:.1f} KiB",
            value=fresh["bytes"] / 1024,
            unit="KiB",
        ),
        Figure(
            name=f"The same after {_REMEMBERED:,} finished messages",
            ours=f"{full['writes']:.0f} writes, {full['bytes'] / 1024:.1f} KiB",
            value=full["bytes"] / fresh["bytes"],
        ),
    ]


async def idling(home: Home, scale: Scale, *, phone: bool) -> list[Figure]:
    """A day in which nothing happens, as Home Assistant's own timers and recorder live through it."""
    # An account that has sent nothing: what is counted today does not begin anew at midnight.
    if phone:
        await home.add_phone()
    # What the start has told, and the first polls, are no part of the day.
    await _pass(home, 2 * _STRIDE)
    before, polls = await _rows(home), await _polls(home.server)
    await _pass(home, scale.hours * 3600)
    after, polls = await _rows(home), await _polls(home.server) - polls
    told = "with a phone" if phone else "without a phone"
    return [
        Figure(
            name=f"An idle day {told}: rows of states and events",
            ours=f"{polls} polls in {scale.hours} hours",
            value=sum(after[name] - before[name] for name in ("states", "events")),
            unit="rows",
            at_most=0,
        ),
        Figure(
            name=f"An idle day {told}: Home Assistant's own statistics",
            ours="of sensors with a state class",
            value=after["statistics"] - before["statistics"],
            unit="rows",
        ),
    ]


async def _poll(house: TimedHouse, entity_id: str, times: int) -> float:
    """Return the CPU time of a poll, in the middle of so many."""
    found = await house.stopwatch("refresh", entity_id=entity_id, times=times, pause=PAUSE)
    return float(median(found["cpu"]))


async def _ended(home: Home) -> None:
    """Deliver all messages under way, and wait until Home Assistant has heard of it and told it."""
    await home.server.deliver()
    async with asyncio.timeout(_PATIENCE):
        while await home.account.state("in_transit") != "0":
            await asyncio.sleep(_LOOK)


async def _written(home: Home, scale: Scale) -> dict[str, float]:
    """Send a few messages, each to its end before the next, and return what one of them wrote."""
    # The first one of a run says everything anew.
    await home.send("Warm up", 1, PAUSE)
    await _ended(home)
    await home.house.stopwatch("settle")
    before = await home.house.stopwatch("written")
    for number in range(scale.rounds):
        await home.send(f"Write {number}", 1, PAUSE)
        await _ended(home)
        await home.house.stopwatch("settle")
    after = await home.house.stopwatch("written")
    return {name: (after[name] - before[name]) / scale.rounds for name in after}


async def _remember(home: Home) -> None:
    """Let the account remember as many finished messages as it ever does, by copies of one that it remembers."""
    house, entry_id = home.house, home.account.entry_id
    await house.home.command("config_entries/disable", entry_id=entry_id, disabled_by="user")
    file = house.folder / ".storage" / f"gosms.{entry_id}.ledger"
    content = json.loads(file.read_text().splitlines()[-1])
    one = content["data"]["ended"][-1]
    content["data"]["ended"] = [
        {**one, "key": f"{number:026}", "ids": [f"{number:024x}"]} for number in range(_REMEMBERED)
    ]
    file.write_text(f"{json.dumps(content)}\n")
    await house.home.command("config_entries/disable", entry_id=entry_id, disabled_by=None)
    await house.stopwatch("settle")


@asynccontextmanager
async def _strict(server: Server) -> AsyncGenerator[None]:
    """Let the service refuse what comes too fast."""
    await server.change(rate_limit=_PERMITTED)
    try:
        yield
    finally:
        await server.change(rate_limit=None)


async def _pass(home: Home, seconds: int) -> None:
    """Let time pass in the house and at the service."""
    for _ in range(seconds // _STRIDE):
        await home.house.pass_time(_STRIDE, _STEP)
        await home.server.change(advance=_STRIDE)


async def _rows(home: Home) -> dict[str, int]:
    """Return how many rows the database has that the integration can have caused."""
    mine = {entity["entity_id"] for entity in await home.house.home.entities(home.account.entry_id)}
    path = home.house.folder / "home-assistant_v2.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return {
            "states": sum(count for entity_id, count in database.execute(_STATES) if entity_id in mine),
            "events": database.execute(_EVENTS).fetchone()[0],
            "statistics": database.execute(_STATISTICS).fetchone()[0],
        }


async def _polls(server: Server) -> int:
    """Return how often the integration has asked for the messages; the rest sensors name no page."""
    requests = (await server.state(_RECORDED))["requests"]["list"]
    return sum("offset" in request["query"] for request in requests)


def _sends(state: dict[str, dict[str, dict[str, int]]]) -> int:
    """Return how many requests to send there were."""
    return state["requests"]["by_endpoint"].get("POST /sms/send", 0)


def _ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    """Return the middle of the ratios of what was measured side by side."""
    return median(mine / other for mine, other in zip(ours, others, strict=True))


def _milliseconds(seconds: Sequence[float]) -> str:
    """Return the middle of some times."""
    return f"{median(seconds) * 1000:.2f} ms"
