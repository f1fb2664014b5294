"""A world for the outbox in which everything may fail: the line, the disk, the clock, the process.

Neither the test plugin's Home Assistant nor the simulator's server is used here, although tests elsewhere use nothing
else: hundreds of histories of hours and days need a time that jumps, which sockets and threads do not follow, and no
fault of the simulator can kill the process between two lines. The rules of the account are the simulator's own.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
import errno
from functools import partial
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import ConfigEntries
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.api import (
    Endpoint,
    GoSmsApiError,
    GoSmsClient,
    GoSmsConnectionError,
    Message,
    MessagePage,
    RateLimiter,
)
from custom_components.gosms.api.exceptions import GoSmsError
from custom_components.gosms.outbox import (
    EVENT_TYPES,
    MessageEvent,
    Outbox,
    OutgoingMessage,
    Recipient,
    SendRequest as Request,
    State,
)
from custom_components.gosms.outbox.journal import Journal, StorageError
from custom_components.gosms.outbox.message import TRANSITIONS
from simulator import Account
from simulator.refusal import Refusal
from simulator.wire import HTTP_STATUSES, message_json, page_json
from tests import API_TOKEN
from tests.outbox.virtual_time import VirtualTimeLoop
from tests.service import DAD, MUM, recipient

# Unix seconds by the service's clock when the world begins.
BEGINNING: Final = 1_800_000_000.0

# The accounts in Home Assistant, which are one at the service; the files of the first one are named.
ACCOUNTS: Final = ("the_account", "the_second_account")
QUEUE: Final = "gosms.the_account.outbox"

# Seconds of one way to the service, and of what is done with the disk.
_LATENCY: Final = 0.05
_DISK: Final = 0.01

# What happens to a request to send before the service gets it, or None, and after that.
FAULTS: Final[dict[str, tuple[GoSmsError | None, GoSmsError | None]]] = {
    "no connection": (GoSmsConnectionError("no connection", maybe_accepted=False), None),
    "refused": (GoSmsApiError(403, code=1006), None),
    "too many requests": (GoSmsApiError(429), None),
    "come back later": (GoSmsApiError(429, retry_after=90), None),
    "come back at once": (GoSmsApiError(429, retry_after=0), None),
    "come back in a year": (GoSmsApiError(429, retry_after=31_536_000), None),
    "cut before": (GoSmsConnectionError("no answer", maybe_accepted=True), None),
    "cut after": (None, GoSmsConnectionError("no answer", maybe_accepted=True)),
    "error after": (None, GoSmsApiError(500)),
}
# The line is cut, and the service gets the request this many seconds later, well within the grace that it has.
LATE: Final = "late"
_DELAY: Final = 15.0
# The service answers with the id of its oldest message.
REPEATED_ID: Final = "repeated id"
# The service takes its time for the answer; in seconds.
SLOW: Final = "slow"
_SLOWNESS: Final = 6.0


@dataclass(kw_only=True)
class Call:
    """A call that asked for a message, and what it was told."""

    number: str
    parts: tuple[str, ...]
    run: Run
    # The account and the key of a call that may be repeated.
    repeatable: tuple[int, str] | None = None
    key: str | None = None
    done: bool = False
    error: str | None = None


@dataclass(kw_only=True)
class Told:
    """What was told of one message, over all runs."""

    message: OutgoingMessage
    types: list[str] = field(default_factory=list)


_caller: ContextVar[Call] = ContextVar("caller")


class World:
    """The service, the disk and the clocks, which outlive any run of Home Assistant; and the run there is, if any."""

    def __init__(self, queue_expiry: int, accounts: int = 1) -> None:
        """Begin without a run; messages may wait for this many minutes."""
        self.run: Run | None = None
        # Seconds since the beginning, without the run there is.
        self._passed = 0.0
        self.account = Account(token=API_TOKEN, clock=self.server_clock)
        self.account.add_phone()
        self.account.rate_limit = None
        self.entries = [
            MockConfigEntry(
                domain="gosms",
                entry_id=entry_id,
                options={"queue_expiry": queue_expiry, "delivery_timeout": 1, "hourly_limit": 0},
                subentries_data=[recipient("Mum", MUM), recipient("Dad", DAD)],
            )
            for entry_id in ACCOUNTS[:accounts]
        ]
        self.people = list(self.entries[0].subentries.values())
        self.files: dict[str, bytes] = {}
        self.disk_is_full = False
        # Files that have no room even so: the queue may need more than the ledger.
        self.files_without_room: set[str] = set()
        # Whether nothing gets through, what happens to the next requests to send, and to all that look.
        self.line_is_dead = False
        # What every request to send waits for, or None for no pace; and when the service got each of them.
        self.rate_limiter: RateLimiter | None = None
        self.arrived: list[float] = []
        self.faults: list[str] = []
        self.looking_fails: Exception | None = None
        self.looks = 0
        # Seconds by which Home Assistant's clock is wrong.
        self.wall_offset = 0.0
        self.kills = 0
        self.calls: list[Call] = []
        # The number and text of everything that the service ever took.
        self.taken: list[tuple[str, str]] = []
        self.told: dict[str, Told] = {}
        # Keys of messages whose last news a killed run took with it.
        self.shaky: set[str] = set()
        # Keys that a killed run took with it altogether.
        self.gone: set[str] = set()
        self.troubles: list[object] = []
        # What the last kill lets be told once more, and whether the disk ever failed to take what was told.
        self._repeated: set[tuple[str, str]] = set()
        self._disk_failed = False
        self._late: list[tuple[float, str, str]] = []

    # Clocks

    def server_clock(self) -> float:
        """The service's time, in Unix seconds; it is always right."""
        return BEGINNING + self._passed + (self.run.uptime if self.run else 0.0)

    def _wall_clock(self) -> datetime:
        return datetime.fromtimestamp(self.server_clock() + self.wall_offset, UTC)

    @contextmanager
    def rules(self) -> Iterator[None]:
        """Let Home Assistant live in this world."""

        async def use_disk[T](_journal: Journal, work: Callable[[], T]) -> T:
            return await self.living().use_disk(work)

        def key() -> str:
            call = _caller.get()
            call.key = f"{len(self.calls)}.{self.calls.index(call)}"
            return call.key

        with (
            patch.object(Journal, "_async_run", use_disk),
            # Home Assistant's own files are nobody's concern here.
            patch.object(Store, "_async_write_data", AsyncMock()),
            patch.object(Path, "read_bytes", lambda path: self.content(path.name)),
            patch("custom_components.gosms.outbox.journal._write", lambda path, line: self.write(path.name, line)),
            patch(
                "custom_components.gosms.outbox.journal._append",
                lambda path, end, line: self.write(path.name, self.content(path.name)[:end] + line),
            ),
            patch.object(dt_util, "utcnow", self._wall_clock),
            patch.object(dt_util, "now", self._wall_clock),
            patch("custom_components.gosms.outbox.admission.ulid_now", key),
        ):
            yield
            self.stop_dead()

    # Runs

    def start(self, downtime: float = 0.0) -> None:
        """Start Home Assistant, some seconds after the last run ended."""
        self._passed += downtime
        self._repeated = self._unmarked()
        self.run = Run(self)
        self.run.loop.run_until_complete(self.run.start())

    def pass_time(self, seconds: float) -> None:
        """Let time pass, also for the service."""
        if self.run is None:
            self._passed += seconds
        else:
            self.run.loop.run_for(seconds)
            if self.run.is_dead:
                self._bury()
        self.arrive()

    def kill(self, point: int) -> None:
        """Kill the process when it does its next, or a later thing with the disk or the line, or else in a minute."""
        run = self.living()
        run.fuse = point
        run.loop.run_for(60)
        self._bury()

    def stop_dead(self) -> None:
        """End the run there is without a word, if there is one."""
        if self.run is not None:
            self._bury()
            self.kills -= 1

    def stop(self) -> None:
        """Stop Home Assistant in good order; without a disk to remember it, that is no better than a kill."""
        run = self.living()
        for outbox in run.outboxes:
            run.loop.run_until_complete(outbox.async_unload())
        self._bury()
        self.kills -= not (self.disk_is_full or self.files_without_room)

    def living(self) -> Run:
        assert self.run is not None
        return self.run

    def _bury(self) -> None:
        """Let the process be gone, and see what it took along."""
        run = self.living()
        for outbox in run.outboxes:
            self.see_what_is_lost(outbox)
        self.kills += 1
        self._passed += run.uptime
        self.run = None
        run.end()

    def reload(self, account: int) -> None:
        """Reload an account; without a disk to remember it, that is no better than a kill."""
        run = self.living()
        run.loop.run_until_complete(run.reload(account))
        self.kills += self.disk_is_full or bool(self.files_without_room)

    def _unmarked(self, *accounts: str) -> set[tuple[str, str]]:
        """What a run that began now would tell again of these accounts or all; nothing if a full disk is to blame."""
        return {
            (key, each["type"])
            for key, record in self.on_disk(*accounts).items()
            for each in record["pending_events"]
            if key in self.told and each["type"] in self.told[key].types and not self._disk_failed
        }

    def remove_recipient(self, person: int) -> None:
        """Remove a recipient of the first account, whatever is on its way to him; automations may still name him."""
        entry, subentry_id = self.entries[0], self.people[person].subentry_id
        left = {key: subentry for key, subentry in entry.subentries.items() if key != subentry_id}
        object.__setattr__(entry, "subentries", MappingProxyType(left))
        self.reload(0)

    def see_what_is_lost(self, outbox: Outbox) -> None:
        """Take note of the messages of which the next run does not know, or not what was told last."""
        on_disk = self.on_disk()
        ended = {each["key"] for line in self._read("ledger") for each in line["ended"]}
        for message in outbox.messages:
            if message.key not in on_disk:
                self.gone.add(message.key)
            elif message.state.is_final and not State(on_disk[message.key]["state"]).is_final:
                self.shaky.add(message.key)
        remembered = {each.key for each in outbox.history.ended}
        self.shaky |= {key for key in remembered - ended if key in on_disk}
        self.gone |= remembered - ended - on_disk.keys()
        if f"gosms.{outbox._entry.entry_id}.outbox" not in self.files:
            # The secret stands there, without which no call is known again.
            self.gone |= remembered

    def content(self, file: str) -> bytes:
        """What a file contains."""
        if file not in self.files:
            raise FileNotFoundError
        return self.files[file]

    def write(self, file: str, content: bytes) -> None:
        """Put this in a file, if there is room for it."""
        if self.disk_is_full or file in self.files_without_room:
            self._disk_failed = True
            raise OSError(errno.ENOSPC, "No space left on device")
        self.files[file] = content

    def _read(self, file: str, *accounts: str) -> list[dict[str, Any]]:
        """The records in the files of this name, of these accounts or all; damage tells nothing."""
        contents = [self.files.get(f"gosms.{account}.{file}", b"") for account in accounts or ACCOUNTS]
        found = [line for content in contents for line in content.splitlines()]
        return [json.loads(line)["data"] for line in found if line.startswith(b"{")]

    def on_disk(self, *accounts: str) -> dict[str, dict[str, Any]]:
        """The messages that the next run will know, by their keys, of these accounts or all."""
        found: dict[str, dict[str, Any]] = {}
        for line in self._read("outbox", *accounts):
            found |= {record["key"]: record for record in line["messages"]}
            for key in line.get("gone", ()):
                found.pop(key, None)
        return found

    # The service

    def take(self, number: str, text: str) -> str:
        """Let the service take a message, if it does not come too fast."""
        self.arrived.append(self.server_clock())
        try:
            self.account.admit("POST /sms/send")
            accepted = self.account.send(message=text, phone_number=number)
        except Refusal as refusal:
            raise GoSmsApiError(HTTP_STATUSES.get(refusal.code, 400), code=refusal.code) from refusal
        self.taken.append((number, text))
        return accepted.id

    def delay(self, number: str, text: str) -> None:
        """Let a message arrive at the service when everybody has given it up."""
        self._late.append((self.server_clock() + _DELAY, number, text))

    def arrive(self) -> None:
        """Let what is on its way arrive, if it is time."""
        now = self.server_clock()
        arriving = [each for each in self._late if each[0] <= now]
        self._late = [each for each in self._late if each[0] > now]
        for due, number, text in arriving:
            with patch.object(self.account, "clock", partial(float, due)):
                self.take(number, text)

    # What people ask for

    def send(self, person: int, *parts: str, account: int = 0, key: str | None = None, **options: float | None) -> None:
        """Send a message of one part or several from an automation that waits for the result; options are a call's."""
        run = self.living()
        to = self.people[person]
        call = Call(number=to.data["phone_number"], parts=parts, run=run, repeatable=(account, key) if key else None)
        self.calls.append(call)

        async def automation() -> None:
            _caller.set(call)
            addressee = Recipient(phone_number=call.number, recipient=to.subentry_id)
            content: dict[str, Any] = {"text": " ".join(parts), "parts": parts, "idempotency_key": key, **options}
            request = Request(to=(addressee,), **content)
            (result,) = await run.outboxes[account].async_send(request)
            call.error = result.failure.key if result.failure else None
            call.done = True

        run.hass.async_create_background_task(automation(), "an automation", eager_start=False)

    def hear(self, account: str, message: OutgoingMessage, occurrence: MessageEvent) -> None:
        """Take note of what is told."""
        assert occurrence.type in EVENT_TYPES
        if unmarked := self._unmarked(account) - self._repeated:
            self.troubles.append(f"the file does not know yet that {unmarked} was told")
        told = self.told.setdefault(message.key, Told(message=message))
        told.message = message
        told.types.append(occurrence.type)


class Run:
    """One run of Home Assistant, from its start to its end."""

    def __init__(self, world: World) -> None:
        """Make the run's loop; it begins a minute after its machine."""
        self.world = world
        self.loop = VirtualTimeLoop(60.0)
        self.loop.set_debug(False)
        self.loop.set_exception_handler(lambda _loop, context: world.troubles.append(context))
        self.is_dead = False
        # What the process may still do with the line and the disk before it is killed.
        self.fuse: int | None = None
        self.hass: HomeAssistant
        self.outboxes: list[Outbox] = []
        self._states: dict[str, State] = {}
        self._leave: dict[Outbox, list[Callable[[], None]]] = {}

    @property
    def uptime(self) -> float:
        """How long the run has lasted, in seconds."""
        return self.loop.time() - 60.0

    @property
    def outbox(self) -> Outbox:
        """The outbox of the first account."""
        return self.outboxes[0]

    async def start(self) -> None:
        """Set the accounts up."""
        self.hass = HomeAssistant("/nowhere")
        self.hass.config_entries = ConfigEntries(self.hass, {})
        self.hass.set_state(CoreState.running)
        for entry in self.world.entries:
            self.outboxes.append(await self._set_up(entry))

    async def reload(self, account: int) -> None:
        """Reload an account as the integration does: its entities go first, and come before anything is told."""
        outbox = self.outboxes[account]
        outbox.async_pause_events()
        for leave in self._leave.pop(outbox):
            leave()
        await outbox.async_unload()
        self.world.see_what_is_lost(outbox)
        # Without a disk a message goes on from where the file has it.
        self._states.clear()
        self.outboxes[account] = await self._set_up(self.world.entries[account])

    async def _set_up(self, entry: MockConfigEntry) -> Outbox:
        """Set an account up as the integration does."""
        client = Line(self)

        async def poll() -> MessagePage | None:
            try:
                page = await client.list()
            except GoSmsError:
                return None
            outbox.async_take(page)
            return page

        outbox = Outbox(self.hass, entry, cast("GoSmsClient", client), poll)
        await outbox.async_load()
        self._leave[outbox] = [outbox.async_add_event_listener(partial(self._hear, entry.entry_id))]
        notice = outbox._on_change

        def see(message: OutgoingMessage) -> None:
            self._see(message)
            notice(message)

        with patch.object(outbox, "_on_change", see):
            outbox.async_start()
        self.hass.async_create_background_task(poll(), "first poll", eager_start=False)
        return outbox

    async def point(self) -> None:
        """Come to a point where the process may be killed; what is killed never comes back from here."""
        if self.fuse is not None and not self.is_dead:
            self.fuse -= 1
            if self.fuse <= 0:
                self.is_dead = True
                self.loop.stop()
        if self.is_dead:
            await self.loop.create_future()

    async def use_disk[T](self, work: Callable[[], T]) -> T:
        """Do something with the disk, altogether or not at all."""
        await self.point()
        await asyncio.sleep(_DISK)
        try:
            result = work()
        except OSError as err:
            raise StorageError from err
        await self.point()
        return result

    def end(self) -> None:
        """Let nothing of the run go on."""
        self.is_dead = True
        for outbox in self.outboxes:
            outbox._store.close()
            outbox._dispatcher._closed = True
        tasks = asyncio.all_tasks(self.loop)
        self.loop.run_until_complete(self._cancel(tasks))
        self.loop.close()

    @staticmethod
    async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _hear(self, account: str, message: OutgoingMessage, occurrence: MessageEvent) -> None:
        if not self.is_dead:
            self.world.hear(account, message, occurrence)

    def _see(self, message: OutgoingMessage) -> None:
        """Hold every change against the table of what may follow."""
        before = self._states.get(message.key, message.state)
        if message.state is not before and message.state not in TRANSITIONS[before]:
            self.world.troubles.append(f"{before} to {message.state}")
        self._states[message.key] = message.state


class Line:
    """Stands in for the client: the same methods and errors, with the simulator's account at the other end."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._world = run.world
        self._clock: tuple[float, float] | None = None

    @property
    def server_time(self) -> float | None:
        """The service's clock, as the last answer told it."""
        if self._clock is None:
            return None
        told, heard = self._clock
        return told + self._run.loop.time() - heard

    async def send(self, phone_number: str, text: str, **_options: object) -> str:
        """Ask the service to send a message."""
        if self._world.rate_limiter:
            await self._world.rate_limiter.wait(Endpoint.SEND)
        await self._travel()
        fault = self._world.faults.pop(0) if self._world.faults else ""
        if fault == LATE:
            self._world.delay(phone_number, text)
            raise GoSmsConnectionError("no answer", maybe_accepted=True)
        before, after = FAULTS.get(fault, (None, None))
        if before:
            raise before
        message_id = self._world.take(phone_number, text)
        if fault == SLOW:
            await asyncio.sleep(_SLOWNESS)
        await self._travel(back=True)
        if after:
            raise after
        self._sync_clock()
        return self._world.account.messages[-1].id if fault == REPEATED_ID else message_id

    async def list(self, *, limit: int = 100, page: int = 1, search: str | None = None) -> MessagePage:
        """Ask for a page of messages."""
        account = self._world.account
        found = await self._look(
            lambda: page_json(account.list_messages(limit, page, search or ""), account.generation)
        )
        return cast("MessagePage", MessagePage.from_api(json.loads(json.dumps(found)), limit))

    async def get(self, message_id: str) -> Message:
        """Ask for one message."""
        account = self._world.account
        found = await self._look(lambda: message_json(account.get(message_id), account.generation))
        return cast("Message", Message.from_api(json.loads(json.dumps(found))))

    async def _look(self, look: Callable[[], dict[str, object]]) -> dict[str, object]:
        self._world.looks += 1
        await self._travel()
        if self._world.looking_fails:
            raise self._world.looking_fails
        self._world.arrive()
        try:
            found = look()
        except Refusal as refusal:
            raise GoSmsApiError(HTTP_STATUSES.get(refusal.code, 400), code=refusal.code) from refusal
        await self._travel(back=True)
        self._sync_clock()
        return found

    async def _travel(self, *, back: bool = False) -> None:
        """Let the request travel to the service, or its answer back."""
        await self._run.point()
        if self._world.line_is_dead:
            raise GoSmsConnectionError("the line is dead", maybe_accepted=back)
        await asyncio.sleep(_LATENCY)

    def _sync_clock(self) -> None:
        self._clock = float(int(self._world.server_clock())), self._run.loop.time()
