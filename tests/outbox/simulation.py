"""A deterministic simulation of the outbox in which connection, disk, clock and process can fail.

Unlike other tests it uses neither the test plugin's Home Assistant nor the simulator's server: hundreds of scenarios of
hours and days need virtual time, which sockets and threads do not follow, and no fault of the simulator can kill the
process between two lines of code. The account is the simulator's own.
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
from simulator.errors import HTTP_STATUSES, ApiError
from simulator.wire import message_json, page_json
from tests import API_TOKEN
from tests.common import DAD, MUM, recipient
from tests.outbox.virtual_time import VirtualTimeLoop

# The service's time at the start, in Unix seconds.
START_TIME: Final = 1_800_000_000.0

# The config entries in Home Assistant, which share one account of the service; the first one's files are named.
ACCOUNTS: Final = ("the_account", "the_second_account")
QUEUE: Final = "gosms.the_account.outbox"

# Seconds of one way to the service, and of a disk operation.
_LATENCY: Final = 0.05
_DISK_TIME: Final = 0.01

# The errors of a request to send, before and after the service has received it.
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
# The connection is lost, and the service receives the request so many seconds later, within the grace period.
LATE: Final = "late"
_DELAY: Final = 15.0
# The service answers with the id of its oldest message.
REPEATED_ID: Final = "repeated id"
# The service responds after so many seconds.
SLOW: Final = "slow"
_SLOWNESS: Final = 6.0


@dataclass(kw_only=True)
class AutomationCall:
    """A call of an automation, and its result."""

    number: str
    parts: tuple[str, ...]
    run: Run
    # The account and the idempotency key of a call that may be repeated.
    repeatable: tuple[int, str] | None = None
    key: str | None = None
    done: bool = False
    error: str | None = None


@dataclass(kw_only=True)
class MessageEvents:
    """The events of one message, over all runs."""

    message: OutgoingMessage
    types: list[str] = field(default_factory=list)


_caller: ContextVar[AutomationCall] = ContextVar("caller")


class Simulation:
    """The service, the disk and the clocks, which outlive the runs of Home Assistant, and the current run, if any."""

    def __init__(self, queue_expiry: int, accounts: int = 1) -> None:
        """Create a simulation without a run; messages may be queued for so many minutes."""
        self.run: Run | None = None
        # Seconds since the start, without the current run.
        self._elapsed = 0.0
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
        self.recipients = list(self.entries[0].subentries.values())
        self.files: dict[str, bytes] = {}
        self.disk_is_full = False
        # Files that do not fit on the disk, though smaller ones do.
        self.files_without_room: set[str] = set()
        # Whether all connections fail, the faults of the next requests to send, and the error of all lookups.
        self.is_offline = False
        # The rate limiter of all requests to send, if any, and the times at which the service received them.
        self.rate_limiter: RateLimiter | None = None
        self.request_times: list[float] = []
        self.faults: list[str] = []
        self.lookup_error: Exception | None = None
        self.lookups = 0
        # Seconds by which Home Assistant's wall clock is wrong.
        self.wall_clock_offset = 0.0
        self.kills = 0
        self.calls: list[AutomationCall] = []
        # The number and text of every message that the service has accepted.
        self.accepted: list[tuple[str, str]] = []
        self.events: dict[str, MessageEvents] = {}
        # Keys of messages whose last change was lost with a killed run.
        self.uncertain: set[str] = set()
        # Keys of messages that were lost with a killed run.
        self.lost: set[str] = set()
        self.violations: list[object] = []
        # The events that the next run may repeat after the last kill, and whether a write to the disk has ever failed.
        self._repeated: set[tuple[str, str]] = set()
        self._disk_failed = False
        self._late_requests: list[tuple[float, str, str]] = []

    # Clocks

    def server_clock(self) -> float:
        """Return the service's time in Unix seconds; it is always right."""
        return START_TIME + self._elapsed + (self.run.uptime if self.run else 0.0)

    def _wall_clock(self) -> datetime:
        return datetime.fromtimestamp(self.server_clock() + self.wall_clock_offset, UTC)

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Let Home Assistant use the disk and the clocks of this simulation."""

        async def run_disk_job[T](_journal: Journal, work: Callable[[], T]) -> T:
            return await self.current_run().run_disk_job(work)

        def key() -> str:
            call = _caller.get()
            call.key = f"{len(self.calls)}.{self.calls.index(call)}"
            return call.key

        with (
            patch.object(Journal, "_async_run", run_disk_job),
            # Home Assistant's own files are not simulated.
            patch.object(Store, "_async_write_data", AsyncMock()),
            patch.object(Path, "read_bytes", lambda path: self.content(path.name)),
            patch("custom_components.gosms.outbox.journal.write_file", lambda path, line: self.write(path.name, line)),
            patch(
                "custom_components.gosms.outbox.journal.append",
                lambda path, end, line: self.write(path.name, self.content(path.name)[:end] + line),
            ),
            patch.object(dt_util, "utcnow", self._wall_clock),
            patch.object(dt_util, "now", self._wall_clock),
            patch("custom_components.gosms.outbox.admission.ulid_now", key),
        ):
            yield
            self.kill_if_running()

    # Runs

    def start(self, downtime: float = 0.0) -> None:
        """Start Home Assistant, so many seconds after the last run ended."""
        self._elapsed += downtime
        self._repeated = self._unmarked_events()
        self.run = Run(self)
        self.run.loop.run_until_complete(self.run.start())

    def advance_time(self, seconds: float) -> None:
        """Advance the time, also of the service."""
        if self.run is None:
            self._elapsed += seconds
        else:
            self.run.loop.run_for(seconds)
            if self.run.is_dead:
                self._discard_run()
        self.deliver_late_requests()

    def kill(self, point: int) -> None:
        """Kill the process at its next or a later crash point, or after a minute."""
        run = self.current_run()
        run.points_left = point
        run.loop.run_for(60)
        self._discard_run()

    def kill_if_running(self) -> None:
        """End the current run, if any, without a shutdown."""
        if self.run is not None:
            self._discard_run()
            self.kills -= 1

    def stop(self) -> None:
        """Shut Home Assistant down; if the disk is full, that counts as a kill."""
        run = self.current_run()
        for outbox in run.outboxes:
            run.loop.run_until_complete(outbox.async_unload())
        self._discard_run()
        self.kills -= not (self.disk_is_full or self.files_without_room)

    def current_run(self) -> Run:
        """Return the current run, which there must be."""
        assert self.run is not None
        return self.run

    def _discard_run(self) -> None:
        """Discard the current run, and record what was lost with it."""
        run = self.current_run()
        for outbox in run.outboxes:
            self.record_losses(outbox)
        self.kills += 1
        self._elapsed += run.uptime
        self.run = None
        run.shut_down()

    def reload(self, account: int) -> None:
        """Reload an account; if the disk is full, that counts as a kill."""
        run = self.current_run()
        run.loop.run_until_complete(run.reload(account))
        self.kills += self.disk_is_full or bool(self.files_without_room)

    def _unmarked_events(self, *accounts: str) -> set[tuple[str, str]]:
        """Return the events that a new run would repeat, unless a full disk is the reason, of these or all accounts."""
        return {
            (key, each["type"])
            for key, record in self.on_disk(*accounts).items()
            for each in record["pending_events"]
            if key in self.events and each["type"] in self.events[key].types and not self._disk_failed
        }

    def remove_recipient(self, index: int) -> None:
        """Remove a recipient of the first account, even with messages in transit; automations may still use the id."""
        entry, subentry_id = self.entries[0], self.recipients[index].subentry_id
        left = {key: subentry for key, subentry in entry.subentries.items() if key != subentry_id}
        object.__setattr__(entry, "subentries", MappingProxyType(left))
        self.reload(0)

    def record_losses(self, outbox: Outbox) -> None:
        """Record the messages that the next run does not know, or not in their last state."""
        on_disk = self.on_disk()
        ended = {each["key"] for line in self._read("ledger") for each in line["ended"]}
        for message in outbox.messages:
            if message.key not in on_disk:
                self.lost.add(message.key)
            elif message.state.is_final and not State(on_disk[message.key]["state"]).is_final:
                self.uncertain.add(message.key)
        remembered = {each.key for each in outbox.history.ended}
        self.uncertain |= {key for key in remembered - ended if key in on_disk}
        self.lost |= remembered - ended - on_disk.keys()
        if f"gosms.{outbox._entry.entry_id}.outbox" not in self.files:
            # It contains the secret without which repeated calls are not recognized.
            self.lost |= remembered

    def content(self, file: str) -> bytes:
        """Return the content of a file."""
        if file not in self.files:
            raise FileNotFoundError
        return self.files[file]

    def write(self, file: str, content: bytes) -> None:
        """Write a file, unless the disk is full."""
        if self.disk_is_full or file in self.files_without_room:
            self._disk_failed = True
            raise OSError(errno.ENOSPC, "No space left on device")
        self.files[file] = content

    def _read(self, file: str, *accounts: str) -> list[dict[str, Any]]:
        """Return the valid records in the files with this name, of these or all accounts."""
        contents = [self.files.get(f"gosms.{account}.{file}", b"") for account in accounts or ACCOUNTS]
        found = [line for content in contents for line in content.splitlines()]
        return [json.loads(line)["data"] for line in found if line.startswith(b"{")]

    def on_disk(self, *accounts: str) -> dict[str, dict[str, Any]]:
        """Return the messages that the next run will load, by their keys, of these or all accounts."""
        found: dict[str, dict[str, Any]] = {}
        for line in self._read("outbox", *accounts):
            found |= {record["key"]: record for record in line["messages"]}
            for key in line.get("gone", ()):
                found.pop(key, None)
        return found

    # The service

    def accept(self, number: str, text: str) -> str:
        """Let the service accept a message, within its rate limit."""
        self.request_times.append(self.server_clock())
        try:
            self.account.check_access("POST /sms/send")
            accepted = self.account.send(message=text, phone_number=number)
        except ApiError as err:
            raise GoSmsApiError(HTTP_STATUSES.get(err.code, 400), code=err.code) from err
        self.accepted.append((number, text))
        return accepted.id

    def delay_request(self, number: str, text: str) -> None:
        """Let the service receive a request after its client has given up."""
        self._late_requests.append((self.server_clock() + _DELAY, number, text))

    def deliver_late_requests(self) -> None:
        """Let the service receive the delayed requests that are due."""
        now = self.server_clock()
        due_requests = [each for each in self._late_requests if each[0] <= now]
        self._late_requests = [each for each in self._late_requests if each[0] > now]
        for due, number, text in due_requests:
            with patch.object(self.account, "clock", partial(float, due)):
                self.accept(number, text)

    # Calls

    def send(self, index: int, *parts: str, account: int = 0, key: str | None = None, **options: float | None) -> None:
        """Send a message from an automation that waits for the result; options are those of a call."""
        run = self.current_run()
        to = self.recipients[index]
        call = AutomationCall(
            number=to.data["phone_number"], parts=parts, run=run, repeatable=(account, key) if key else None
        )
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

    def record_event(self, account: str, message: OutgoingMessage, occurrence: MessageEvent) -> None:
        """Record an event."""
        assert occurrence.type in EVENT_TYPES
        if unmarked_events := self._unmarked_events(account) - self._repeated:
            self.violations.append(f"not yet marked as published on disk: {unmarked_events}")
        recorded = self.events.setdefault(message.key, MessageEvents(message=message))
        recorded.message = message
        recorded.types.append(occurrence.type)


class Run:
    """One run of Home Assistant, from its start to its end."""

    def __init__(self, simulation: Simulation) -> None:
        """Create the event loop, whose clock starts at a minute."""
        self.simulation = simulation
        self.loop = VirtualTimeLoop(60.0)
        self.loop.set_debug(False)
        self.loop.set_exception_handler(lambda _loop, context: simulation.violations.append(context))
        self.is_dead = False
        # The number of crash points until the process is killed, if it is to be.
        self.points_left: int | None = None
        self.hass: HomeAssistant
        self.outboxes: list[Outbox] = []
        self._states: dict[str, State] = {}
        self._unsubscribe: dict[Outbox, list[Callable[[], None]]] = {}

    @property
    def uptime(self) -> float:
        """The duration of the run in seconds."""
        return self.loop.time() - 60.0

    @property
    def outbox(self) -> Outbox:
        """The outbox of the first account."""
        return self.outboxes[0]

    async def start(self) -> None:
        """Set up the accounts."""
        self.hass = HomeAssistant("/nowhere")
        self.hass.config_entries = ConfigEntries(self.hass, {})
        self.hass.set_state(CoreState.running)
        for entry in self.simulation.entries:
            self.outboxes.append(await self._set_up(entry))

    async def reload(self, account: int) -> None:
        """Reload an account as the integration does: its entities are removed first, and added before any event."""
        outbox = self.outboxes[account]
        outbox.async_pause_events()
        for unsubscribe in self._unsubscribe.pop(outbox):
            unsubscribe()
        await outbox.async_unload()
        self.simulation.record_losses(outbox)
        # If the disk was full, messages continue from their state on disk.
        self._states.clear()
        self.outboxes[account] = await self._set_up(self.simulation.entries[account])

    async def _set_up(self, entry: MockConfigEntry) -> Outbox:
        """Set up an account as the integration does."""
        client = FakeClient(self)

        async def poll() -> MessagePage | None:
            try:
                page = await client.list()
            except GoSmsError:
                return None
            outbox.async_take(page)
            return page

        outbox = Outbox(self.hass, entry, cast("GoSmsClient", client), poll)
        await outbox.async_load()
        self._unsubscribe[outbox] = [outbox.async_add_event_listener(partial(self._record_event, entry.entry_id))]
        notice = outbox._on_change

        def check_and_notify(message: OutgoingMessage) -> None:
            self._check_transition(message)
            notice(message)

        with patch.object(outbox, "_on_change", check_and_notify):
            outbox.async_start()
        self.hass.async_create_background_task(poll(), "first poll", eager_start=False)
        return outbox

    async def crash_point(self) -> None:
        """Pass a point at which the process may be killed; in a killed process this never returns."""
        if self.points_left is not None and not self.is_dead:
            self.points_left -= 1
            if self.points_left <= 0:
                self.is_dead = True
                self.loop.stop()
        if self.is_dead:
            await self.loop.create_future()

    async def run_disk_job[T](self, work: Callable[[], T]) -> T:
        """Run a disk operation, completely or not at all."""
        await self.crash_point()
        await asyncio.sleep(_DISK_TIME)
        try:
            result = work()
        except OSError as err:
            raise StorageError from err
        await self.crash_point()
        return result

    def shut_down(self) -> None:
        """Cancel everything in this run."""
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

    def _record_event(self, account: str, message: OutgoingMessage, occurrence: MessageEvent) -> None:
        if not self.is_dead:
            self.simulation.record_event(account, message, occurrence)

    def _check_transition(self, message: OutgoingMessage) -> None:
        """Check a change of state against the table of transitions."""
        before = self._states.get(message.key, message.state)
        if message.state is not before and message.state not in TRANSITIONS[before]:
            self.simulation.violations.append(f"{before} to {message.state}")
        self._states[message.key] = message.state


class FakeClient:
    """Replaces the client: the same methods and errors, connected to the simulator's account."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._simulation = run.simulation
        self._clock: tuple[float, float] | None = None

    @property
    def server_time(self) -> float | None:
        """The service's clock, as of the last response."""
        if self._clock is None:
            return None
        server_time, received = self._clock
        return server_time + self._run.loop.time() - received

    async def send(self, phone_number: str, text: str, **_options: object) -> str:
        """Send a message."""
        if self._simulation.rate_limiter:
            await self._simulation.rate_limiter.wait(Endpoint.SEND)
        await self._transmit()
        fault = self._simulation.faults.pop(0) if self._simulation.faults else ""
        if fault == LATE:
            self._simulation.delay_request(phone_number, text)
            raise GoSmsConnectionError("no answer", maybe_accepted=True)
        before, after = FAULTS.get(fault, (None, None))
        if before:
            raise before
        message_id = self._simulation.accept(phone_number, text)
        if fault == SLOW:
            await asyncio.sleep(_SLOWNESS)
        await self._transmit(back=True)
        if after:
            raise after
        self._sync_clock()
        return self._simulation.account.messages[-1].id if fault == REPEATED_ID else message_id

    async def list(self, *, limit: int = 100, page: int = 1, search: str | None = None) -> MessagePage:
        """Return a page of messages."""
        account = self._simulation.account
        found = await self._request(
            lambda: page_json(account.list_messages(limit, page, search or ""), account.generation)
        )
        return cast("MessagePage", MessagePage.from_api(json.loads(json.dumps(found)), limit))

    async def get(self, message_id: str) -> Message:
        """Return one message."""
        account = self._simulation.account
        found = await self._request(lambda: message_json(account.get(message_id), account.generation))
        return cast("Message", Message.from_api(json.loads(json.dumps(found))))

    async def _request(self, respond: Callable[[], dict[str, object]]) -> dict[str, object]:
        self._simulation.lookups += 1
        await self._transmit()
        if self._simulation.lookup_error:
            raise self._simulation.lookup_error
        self._simulation.deliver_late_requests()
        try:
            found = respond()
        except ApiError as err:
            raise GoSmsApiError(HTTP_STATUSES.get(err.code, 400), code=err.code) from err
        await self._transmit(back=True)
        self._sync_clock()
        return found

    async def _transmit(self, *, back: bool = False) -> None:
        """Transmit a request to the service, or its response back."""
        await self._run.crash_point()
        if self._simulation.is_offline:
            raise GoSmsConnectionError("the connection is lost", maybe_accepted=back)
        await asyncio.sleep(_LATENCY)

    def _sync_clock(self) -> None:
        self._clock = float(int(self._simulation.server_clock())), self._run.loop.time()
