"""A deterministic simulation of the outbox in which connection, disk, clocks and process can fail.

Unlike other tests it uses neither the test plugin's Home Assistant nor the simulator's server: hundreds of scenarios of
hours and days need virtual time, which sockets and threads do not follow, and no fault of the simulator can kill the
process between two lines of code. The account is the simulator's own.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
import logging
import random
from types import MappingProxyType
from typing import Any, Final, cast, override
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import ConfigEntries, ConfigSubentry
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.api import GoSmsApiError, GoSmsClient, MessagePage, RateLimiter
from custom_components.gosms.api.exceptions import GoSmsError
from custom_components.gosms.outbox import (
    EVENT_TYPES,
    MessageEvent,
    Outbox,
    OutgoingMessage,
    Recipient,
    SendRequest,
    SendResult,
    State,
)
from custom_components.gosms.outbox.clock import Boot
from simulator import HTTP_STATUSES, Account, ApiError
from tests import API_TOKEN
from tests.common import DAD, MUM, recipient
from tests.outbox.fake_service import FakeClient
from tests.outbox.fake_storage import FakeDisk, FakeFile, FakeStorage
from tests.outbox.virtual_time import VirtualTimeLoop

# The service's time at the start, in Unix seconds.
START_TIME: Final = 1_800_000_000.0

# The config entries in Home Assistant, which share one account of the service.
ACCOUNTS: Final = ("the_account", "the_second_account")

FINAL_STATES: Final = frozenset(state.value for state in State if state.is_final)

# Seconds after which the service receives a request that came late, within the grace period.
_DELAY: Final = 15.0


@dataclass(kw_only=True)
class AutomationCall:
    """A call of an automation, and its result."""

    number: str
    parts: tuple[str, ...]
    account: str
    run: Run
    # The account and the idempotency key of a call that may be repeated.
    repeatable: tuple[int, str] | None = None
    key: str | None = None
    result: SendResult | None = None

    @property
    def done(self) -> bool:
        """Return whether the caller got its result."""
        return self.result is not None

    @property
    def error(self) -> str | None:
        """Return the key of the failure in the result, or None."""
        return self.result.failure.key if self.result and self.result.failure else None


@dataclass(kw_only=True)
class MessageEvents:
    """The events of one message, over all runs."""

    message: OutgoingMessage
    types: list[str] = field(default_factory=list)


class _MistakeHandler(logging.Handler):
    """Records unexpected errors that are logged."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__()
        self._mistakes = mistakes

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self._mistakes.append(f"{record.getMessage()}: {record.exc_info[1]!r}")


_caller: ContextVar[AutomationCall] = ContextVar("caller")


class Simulation:
    """The service, the disk and the clocks, which outlast the runs of Home Assistant, and the current run, if any."""

    def __init__(self, queue_expiry: int = 10, accounts: int = 1) -> None:
        """Create a simulation without a run; messages may be queued for this many minutes."""
        # The pauses between attempts are random.
        random.seed(0)
        self.run: Run | None = None
        # Seconds since the start, without the current run.
        self._elapsed = 0.0
        # Seconds by which the service's clock for its messages is behind its clock for responses.
        self.creation_lag = 0.0
        # Seconds by which the time in the service's responses is wrong.
        self.date_offset = 0.0
        self.account = Account(token=API_TOKEN, clock=lambda: self.server_clock() - self.creation_lag)
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
        self.disk = FakeDisk()
        # Whether all connections fail, the faults of the next requests to send, and the error of all lookups.
        self.is_offline = False
        # The rate limiter of all requests to send, if any, and the times at which the service received them.
        self.rate_limiter: RateLimiter | None = None
        self.request_times: list[float] = []
        self.faults: list[str] = []
        self.lookup_error: Exception | None = None
        self.lookups = 0
        # The ids of the messages that were requested individually.
        self.fetched: list[str] = []
        # The fault in all lists of messages, and the status that phones report for all new messages.
        self.list_fault: Callable[[dict[str, Any]], dict[str, Any]] = dict
        self.phone_status: int | None = None
        # Whether a phone is known to be able to send, by its id.
        self.can_send: Callable[[str], bool | None] = lambda _device_id: None
        # Seconds by which Home Assistant's wall clock is wrong.
        self.wall_clock_offset = 0.0
        # The boot of the machine: whether it can be known, which one it is, and when it was.
        self.knows_boot = True
        self._boot = 0
        self._booted = 0.0
        self.kills = 0
        self.calls: list[AutomationCall] = []
        # The number and text of every message that the service has accepted, and their ids.
        self.accepted: list[tuple[str, str]] = []
        self.accepted_ids: set[str] = set()
        self.events: dict[str, MessageEvents] = {}
        # Keys of messages whose last change was lost when a run was killed or a backup was restored.
        self.uncertain: set[str] = set()
        # Keys of messages that were lost when a run was killed or a backup was restored.
        self.lost: set[str] = set()
        self.violations: list[object] = []
        # Unexpected errors that were logged.
        self.mistakes: list[str] = []
        # The events of each account that a kill would repeat, and the number of commits when they were published.
        self._reported: dict[str, dict[tuple[str, str], int]] = {}
        self._late_requests: list[tuple[float, str, str]] = []

    # Clocks

    def server_clock(self) -> float:
        """Return the service's time in Unix seconds; it is always correct."""
        return START_TIME + self._elapsed + (self.run.uptime if self.run else 0.0)

    def wall_clock(self) -> float:
        """Return the wall clock of Home Assistant's machine in Unix seconds."""
        return self.server_clock() + self.wall_clock_offset

    def boot(self) -> Boot:
        """Return the current boot of the machine."""
        booted = self._booted
        return Boot(
            boot_id=f"boot {self._boot}" if self.knows_boot else None, clock=lambda: self.server_clock() - booted
        )

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Let Home Assistant use the clocks of this simulation."""

        def key() -> str:
            call = _caller.get()
            call.key = f"{len(self.calls)}.{self.calls.index(call)}"
            return call.key

        def wall_clock(_time_zone: object = None) -> datetime:
            return datetime.fromtimestamp(self.wall_clock(), UTC)

        handler = _MistakeHandler(self.mistakes)
        logger = logging.getLogger("custom_components.gosms")
        logger.addHandler(handler)
        with (
            # Home Assistant's own files are not simulated.
            patch.object(Store, "_async_write_data", AsyncMock()),
            patch("time.time", self.wall_clock),
            patch.object(dt_util, "utcnow", wall_clock),
            patch.object(dt_util, "now", wall_clock),
            patch("custom_components.gosms.outbox.admission.ulid_now", key),
        ):
            try:
                yield
                self.kill_if_running()
            finally:
                logger.removeHandler(handler)

    # Runs

    @contextmanager
    def running(self) -> Iterator[Simulation]:
        """Start Home Assistant, and let a second pass in which the account is polled."""
        with self.patched():
            self.start()
            self.advance_time(1)
            yield self

    def start(self, downtime: float = 0.0, *, reboots: bool = False) -> None:
        """Start Home Assistant, this many seconds after the last run ended."""
        self._elapsed += downtime
        if reboots:
            self._boot += 1
            self._booted = self.server_clock() - downtime / 2
        self.deliver_late_requests()
        self._reported.clear()
        self.run = Run(self)
        self.run.loop.run_until_complete(self.run.start())

    def advance_time(self, seconds: float) -> None:
        """Advance the time, including the service's."""
        if self.run is None:
            self._elapsed += seconds
        else:
            self.run.loop.run_for(seconds)
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
        """Shut down Home Assistant; if the disk is full, this counts as a kill."""
        run = self.current_run()
        for outbox in run.outboxes:
            run.loop.run_until_complete(outbox.async_unload())
        self._discard_run()
        self.kills -= not self.disk.is_full

    def current_run(self) -> Run:
        """Return the current run, which must exist."""
        assert self.run is not None
        return self.run

    def _discard_run(self) -> None:
        """Discard the current run, and record what was lost with it."""
        run = self.current_run()
        for entry in self.entries:
            self.record_losses(entry.entry_id)
        self.kills += 1
        self._elapsed += run.uptime
        self.run = None
        run.shut_down()

    def reload(self, account: int) -> None:
        """Reload an account; if the disk is full, this counts as a kill."""
        run = self.current_run()
        run.loop.run_until_complete(run.reload(account))
        self.kills += self.disk.is_full

    def remove_recipient(self, index: int) -> None:
        """Remove a recipient of the first account, even with messages in transit; automations may still use the id."""
        entry, subentry_id = self.entries[0], self.recipients[index].subentry_id
        left = {key: subentry for key, subentry in entry.subentries.items() if key != subentry_id}
        object.__setattr__(entry, "subentries", MappingProxyType(left))
        self.reload(0)

    def cancel(self, index: int, account: int = 0) -> tuple[int, int]:
        """Cancel what was not sent to a recipient. Return how many were canceled, and how many were not."""
        run, number = self.current_run(), self.recipients[index].data["phone_number"]
        return run.loop.run_until_complete(
            run.outboxes[account].async_cancel(lambda message: message.phone_number == number)
        )

    def add_phone(self, device_id: str) -> None:
        """Give the first account a phone, before the first run."""
        entry = self.entries[0]
        added = ConfigSubentry(
            data=MappingProxyType({"device_id": device_id, "sim": "default"}),
            subentry_id=device_id,
            subentry_type="phone",
            title="Pixel 8",
            unique_id=device_id,
        )
        object.__setattr__(entry, "subentries", MappingProxyType({**entry.subentries, device_id: added}))

    # The disk

    def backup(self) -> dict[str, FakeFile]:
        """Return a backup of what is on disk."""
        return {account: file.copy() for account, file in self.disk.files.items()}

    def restore(self, backup: dict[str, FakeFile]) -> None:
        """Restore a backup while Home Assistant is not running."""
        assert self.run is None
        self.kills += 1
        self.disk.files = {account: file.copy() for account, file in backup.items()}
        for call in self.calls:
            file = self.disk.files.get(call.account, FakeFile())
            if call.key in file.messages:
                # Its later events may happen again, as far as Home Assistant knows.
                self.uncertain.add(call.key)
            elif call.key and call.key not in file.finished:
                self.lost.add(call.key)

    def on_disk(self) -> dict[str, dict[str, Any]]:
        """Return the messages that the next run will load, by their keys."""
        return {key: record for file in self.disk.files.values() for key, record in file.messages.items()}

    def record_losses(self, account: str) -> None:
        """Record the messages of an account that the next run will not know, or not in their last state."""
        file = self.disk.files.get(account, FakeFile())
        for call in self.calls:
            if call.key is None or call.account != account or call.key in file.finished:
                continue
            told = call.result is not None and call.key not in self.lost | self.uncertain
            if call.key in file.messages:
                told_end = call.result is not None and call.result.status in FINAL_STATES
                is_over = self._has_ended(call.key) or told_end
                if is_over and file.messages[call.key]["state"] not in FINAL_STATES:
                    self._record_loss(self.uncertain, call.key, told=told)
            else:
                self._record_loss(self.lost, call.key, told=told)

    def _record_loss(self, kind: set[str], key: str, *, told: bool) -> None:
        """Record a loss, which is a violation if the disk never failed."""
        if told and not self.disk.has_failed:
            self.violations.append(f"told, and not on disk: {key}")
        kind.add(key)

    def _has_ended(self, key: str) -> bool:
        """Return whether a final event of a message was published."""
        return key in self.events and not FINAL_STATES.isdisjoint(self.events[key].types)

    # The service

    def accept(self, number: str, text: str) -> str:
        """Let the service accept a message, unless it is over the rate limit."""
        self.request_times.append(self.server_clock())
        try:
            self.account.check_access("POST /sms/send")
            accepted = self.account.send(message=text, phone_number=number)
        except ApiError as err:
            raise GoSmsApiError(HTTP_STATUSES.get(err.code, 400), code=err.code) from err
        self.accepted.append((number, text))
        self.accepted_ids.add(accepted.id)
        if self.phone_status is not None:
            self.account.set_status(accepted.id, self.phone_status)
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
            with patch.object(self.account, "clock", partial(float, due - self.creation_lag)):
                self.accept(number, text)

    def add_messages_of_others(self, count: int, phone_number: str = MUM, created: float | None = None) -> None:
        """Let the service have messages that Home Assistant did not send."""
        for number in range(count):
            self.account.add_message(message=f"Of others {number}", phone_number=phone_number, created=created)

    # Calls

    def send(self, index: int, *parts: str, account: int = 0, key: str | None = None, **options: Any) -> None:
        """Send a message from an automation that waits for the result; `options` are further fields of the request."""
        run = self.current_run()
        to = self.recipients[index]
        call = AutomationCall(
            number=to.data["phone_number"],
            parts=parts,
            account=ACCOUNTS[account],
            run=run,
            repeatable=(account, key) if key else None,
        )
        self.calls.append(call)

        async def automation() -> None:
            _caller.set(call)
            addressee = Recipient(phone_number=call.number, recipient=to.subentry_id)
            request = SendRequest(to=(addressee,), text=" ".join(parts), parts=parts, idempotency_key=key, **options)
            (result,) = await run.outboxes[account].async_send(request)
            if not run.is_dead:
                self._check_answer(call, result)
                call.result = result

        run.hass.async_create_background_task(automation(), "an automation", eager_start=False)

    def _check_answer(self, call: AutomationCall, result: SendResult) -> None:
        """Check that the result of a call is on disk, unless the disk has ever failed."""
        file = self.disk.files.get(call.account)
        if file is None or call.key is None or result.status is None or self.disk.has_failed:
            return
        if call.key in file.finished:
            state = State(file.finished[call.key][1]["state"])
        elif call.key in file.messages:
            state = State(file.messages[call.key]["state"])
        else:
            self.violations.append(f"told, and not on disk: {result}")
            return
        if result.status in FINAL_STATES and state != result.status:
            self.violations.append(f"told {result.status}, and {state} on disk")

    # Notifications

    @property
    def event_types(self) -> list[list[str]]:
        """The types of the events of each message."""
        return [recorded.types for recorded in self.events.values()]

    def check_saved(self, account: str, messages: Collection[OutgoingMessage]) -> None:
        """Check that what listeners are notified of is on disk, unless the last commit failed."""
        file = self.disk.files[account]
        for message in messages:
            record = file.messages.get(message.key)
            if self.disk.last_failed:
                continue
            if record is None or (record["state"], record["reported_events"], record["attempts"]) != (
                message.state,
                message.reported_events,
                message.attempts,
            ):
                self.violations.append(f"shown, and not on disk: {message} {record}")

    def record_event(self, account: str, message: OutgoingMessage, event: MessageEvent) -> None:
        """Record an event, and check that a kill would repeat the events of at most one commit."""
        assert event.type in EVENT_TYPES
        recorded = self.events.setdefault(message.key, MessageEvents(message=message))
        recorded.message = message
        recorded.types.append(event.type)
        file = self.disk.files[account]
        if self.disk.has_failed:
            return
        if event.type not in file.pending_events(message.key):
            self.violations.append(f"reported, and not on disk: {event.type} of {message.key}")
        # When the events were published that are still pending on disk.
        reported = self._reported.setdefault(account, {})
        reported[message.key, event.type] = file.commits
        unmarked = {key: commit for key, commit in reported.items() if key[1] in file.pending_events(key[0])}
        self._reported[account] = unmarked
        if len(set(unmarked.values())) > 1:
            self.violations.append(f"a kill would repeat the events of several commits: {unmarked}")


class Run:
    """One run of Home Assistant, from its start to its end."""

    def __init__(self, simulation: Simulation) -> None:
        """Create the event loop, whose clock starts at one minute."""
        self.simulation = simulation
        self.loop = VirtualTimeLoop(60.0)
        self.loop.set_debug(False)
        self.loop.set_exception_handler(self._record_exception)
        self.is_dead = False
        # The number of crash points until the process is killed, or None.
        self.points_left: int | None = None
        self.hass: HomeAssistant
        self.outboxes: list[Outbox] = []
        self.storages: list[FakeStorage] = []
        # The polls of the accounts, by the ids of their entries.
        self.polls: dict[str, Callable[[], Coroutine[Any, Any, MessagePage | None]]] = {}
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
            entry.add_to_hass(self.hass)
        self.outboxes += await asyncio.gather(*(self._set_up(entry) for entry in self.simulation.entries))

    async def reload(self, account: int) -> None:
        """Reload an account as the integration does: requests end, entities are replaced, then events continue."""
        outbox, entry = self.outboxes[account], self.simulation.entries[account]
        await outbox.async_pause()
        for unsubscribe in self._unsubscribe.pop(outbox):
            unsubscribe()
        await outbox.async_unload()
        self.simulation.record_losses(entry.entry_id)
        # If the disk was full, messages continue from their state on disk.
        self._states.clear()
        self.outboxes[account] = await self._set_up(entry)

    async def remove(self, account: int) -> None:
        """Remove an account as Home Assistant does."""
        entry = self.simulation.entries[account]
        async with entry.setup_lock:
            await self.outboxes[account].async_pause()
            await self.outboxes[account].async_unload()
            await asyncio.sleep(0)
            del self.hass.config_entries._entries[entry.entry_id]
            await Outbox.async_remove(self.hass, entry.entry_id)

    async def _set_up(self, entry: MockConfigEntry) -> Outbox:
        """Set up an account as the integration does."""
        client = FakeClient(self)
        storage = FakeStorage(self.simulation.disk, entry.entry_id, pass_point=self.crash_point)

        async def poll() -> MessagePage | None:
            try:
                page = await client.list()
            except GoSmsError:
                return None
            outbox.async_apply(page)
            return page

        async def first_polls() -> None:
            await poll()
            # The service's time is used once two responses agree.
            await asyncio.sleep(60)
            await poll()

        self.polls[entry.entry_id] = poll
        self.storages.append(storage)
        outbox = Outbox(
            self.hass,
            entry,
            cast("GoSmsClient", client),
            poll,
            self.simulation.can_send,
            storage=storage,
            boot=self.simulation.boot(),
        )
        await outbox.async_load()
        self._unsubscribe[outbox] = [
            outbox.async_add_event_listener(partial(self._record_event, entry.entry_id)),
            outbox.async_add_message_listener(partial(self._check_saved, entry.entry_id)),
        ]
        outbox.async_start()
        self.hass.async_create_background_task(first_polls(), "first polls", eager_start=False)
        return outbox

    async def crash_point(self) -> None:
        """Pass a point at which the process may be killed; in a killed process, this never returns."""
        if self.points_left is not None and not self.is_dead:
            self.points_left -= 1
            if self.points_left <= 0:
                self.is_dead = True
                self.loop.stop()
        if self.is_dead:
            await self.loop.create_future()

    def shut_down(self) -> None:
        """Cancel everything in this run; it has no effect any more."""
        self.is_dead = True
        while tasks := asyncio.all_tasks(self.loop):
            self.loop.run_until_complete(self._cancel(tasks))
        self.loop.close()

    @staticmethod
    async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _record_exception(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not self.is_dead:
            self.simulation.violations.append(context)

    def _record_event(self, account: str, message: OutgoingMessage, event: MessageEvent) -> None:
        if not self.is_dead:
            self.simulation.record_event(account, message, event)

    def _check_saved(self, account: str, messages: Collection[OutgoingMessage]) -> None:
        if self.is_dead:
            return
        self.simulation.check_saved(account, messages)
        for message in messages:
            before = self._states.get(message.key, message.state)
            is_step_back = before.is_final or (before.is_tracked and not message.state.is_final)
            if message.state is not before and is_step_back and message.state is not State.SENT:
                self.simulation.violations.append(f"{before} to {message.state}")
            self._states[message.key] = message.state
