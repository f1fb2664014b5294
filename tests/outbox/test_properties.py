"""In any order of faults, no accepted message is lost, none is sent twice, and each has one final event."""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final, override

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
import pytest

from custom_components.gosms.api import GoSmsApiError
from custom_components.gosms.outbox import State
from simulator import Status
from tests.common import MUM
from tests.outbox.fake_service import FAULTS, LATE, LIST_FAULTS, SLOW
from tests.outbox.fake_storage import COMMIT_TIME, FakeFile
from tests.outbox.simulation import FINAL_STATES, Simulation

# The final states of messages that the service never accepted.
NOT_SENT: Final = {State.CANCELLED.value, State.REFUSED.value, State.EXPIRED.value}

# Few recipients and texts, so that many messages are duplicates, also of the other account or of parts.
RECIPIENT: Final = st.integers(0, 1)
PARTS: Final = st.sampled_from([("Leak!",), ("Leak!",), ("Fire!",), ("Fire!", "Leak!")])
ACCOUNT: Final = st.sampled_from([0, 0, 1])
TIMES: Final = st.sampled_from([1, 1, 3])
# From the middle of a commit to the middle of an outage.
SECONDS: Final = st.sampled_from([0.005, 0.03, 0.06, 0.2, 1, 5, 12, 35, 100, 400, 700])
DOWNTIME: Final = st.sampled_from([0, 2, 60, 900])
# The crash point at which a process is killed.
POINT: Final = st.integers(1, 16)

DAY: Final = 24 * 60 * 60

# Seconds by which a wall clock is wrong: that of a small computer without a battery starts at any time.
WRONG_CLOCK: Final = st.sampled_from([0, 0, -7200, -60 * DAY, -20_000 * DAY, 7200])

# Minutes: long enough for every message to reach a final state, with a queue expiry of ten.
_SETTLING: Final = 90


class Outages(RuleBasedStateMachine):
    """All operations and faults in random order."""

    simulation: Simulation

    def __init__(self) -> None:
        super().__init__()
        self._patches = ExitStack()
        self._backup: dict[str, FakeFile] | None = None

    @initialize(
        queue_expiry=st.sampled_from([10, 10, 10, 0]),
        wrong=WRONG_CLOCK,
        lag=st.sampled_from([0, 0, 60]),
        knows_boot=st.sampled_from([True, True, False]),
    )
    def begin(self, queue_expiry: int, wrong: int, lag: int, *, knows_boot: bool) -> None:
        self.simulation = Simulation(queue_expiry, accounts=2)
        self.simulation.wall_clock_offset = wrong
        self.simulation.creation_lag = lag
        self.simulation.knows_boot = knows_boot
        self._patches.enter_context(self.simulation.patched())
        self.simulation.start()
        self.simulation.advance_time(1)

    def runs(self) -> bool:
        return self.simulation.run is not None

    def is_down(self) -> bool:
        return self.simulation.run is None

    @precondition(runs)
    @rule(recipient=RECIPIENT, parts=PARTS, times=TIMES, account=ACCOUNT)
    def send(self, recipient: int, parts: tuple[str, ...], times: int, account: int) -> None:
        for _ in range(times):
            self.simulation.send(recipient, *parts, account=account)

    @precondition(runs)
    @rule(recipient=RECIPIENT, parts=PARTS, account=ACCOUNT, times=TIMES)
    def send_once(self, recipient: int, parts: tuple[str, ...], account: int, times: int) -> None:
        for _ in range(times):
            self.simulation.send(recipient, *parts, account=account, key=f"{parts} to {recipient}")

    @precondition(runs)
    @rule(
        recipient=RECIPIENT,
        parts=PARTS,
        accounts=st.tuples(ACCOUNT, ACCOUNT),
        fault=st.sampled_from([*FAULTS, LATE, SLOW]),
        seconds=SECONDS,
    )
    def send_a_duplicate_with_a_fault(
        self, recipient: int, parts: tuple[str, ...], accounts: tuple[int, int], fault: str, seconds: float
    ) -> None:
        self.the_service_recovers()
        self.simulation.send(recipient, *parts, account=accounts[0])
        self.simulation.advance_time(seconds)
        self.simulation.faults = [fault]
        self.simulation.send(recipient, *parts, account=accounts[1])
        self.simulation.advance_time(seconds)

    @precondition(runs)
    @rule(recipient=RECIPIENT, parts=PARTS, times=TIMES, point=POINT, downtime=DOWNTIME, reboots=st.booleans())
    def send_and_kill(
        self, recipient: int, parts: tuple[str, ...], times: int, point: int, downtime: float, *, reboots: bool
    ) -> None:
        self.send(recipient, parts, times, 0)
        self.simulation.kill(point)
        self.start(downtime, reboots=reboots)

    @precondition(runs)
    @rule(recipient=RECIPIENT, parts=PARTS, account=ACCOUNT)
    def send_a_burst(self, recipient: int, parts: tuple[str, ...], account: int) -> None:
        for _ in range(12):
            self.simulation.send(recipient, *parts, account=account)

    @precondition(runs)
    @rule(recipient=RECIPIENT, parts=PARTS, account=ACCOUNT, seconds=SECONDS)
    def send_and_reload(self, recipient: int, parts: tuple[str, ...], account: int, seconds: float) -> None:
        self.simulation.send(recipient, *parts, account=account)
        self.simulation.advance_time(seconds)
        self.simulation.reload(account)

    @rule(faults=st.lists(st.sampled_from([*FAULTS, LATE, SLOW]), min_size=1, max_size=4))
    def sending_has_faults(self, faults: list[str]) -> None:
        self.simulation.faults += faults

    @rule()
    def the_connection_is_lost(self) -> None:
        self.simulation.is_offline = True

    @rule(error=st.sampled_from([GoSmsApiError(500), GoSmsApiError(403, code=1007)]))
    def lookups_fail(self, error: GoSmsApiError) -> None:
        self.simulation.lookup_error = error

    @rule(fault=st.sampled_from([*LIST_FAULTS.values()]))
    def lists_have_a_fault(self, fault: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.simulation.list_fault = fault

    @rule(status=st.sampled_from([None, Status.SEND_ERROR, Status.DELIVERY_ERROR, Status.SENT]))
    def phones_fail(self, status: int | None) -> None:
        self.simulation.phone_status = status

    @rule()
    def the_service_recovers(self) -> None:
        self.simulation.is_offline = False
        self.simulation.faults.clear()
        self.simulation.lookup_error = None
        self.simulation.list_fault = dict

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.simulation.advance_time(seconds)

    @rule(seconds=WRONG_CLOCK)
    def the_wall_clock_is_set(self, seconds: int) -> None:
        self.simulation.wall_clock_offset = seconds

    @rule()
    def the_disk_is_full(self) -> None:
        self.simulation.disk.is_full = True

    @rule()
    def the_disk_is_slow(self) -> None:
        self.simulation.disk.commit_time = 0.5

    @rule()
    def the_disk_works(self) -> None:
        self.simulation.disk.is_full = False
        self.simulation.disk.commit_time = COMMIT_TIME

    @precondition(runs)
    @rule(point=POINT)
    def kill(self, point: int) -> None:
        self.simulation.kill(point)

    @precondition(runs)
    @rule()
    def stop(self) -> None:
        self.simulation.stop()

    @precondition(runs)
    @rule(recipient=RECIPIENT)
    def a_recipient_is_removed(self, recipient: int) -> None:
        self.simulation.remove_recipient(recipient)

    @precondition(lambda self: self.runs() and self._backup is None)
    @rule(account=ACCOUNT, recipient=RECIPIENT)
    def messages_are_taken_back(self, account: int, recipient: int) -> None:
        # What a restored backup left unsent may have been sent since.
        self.simulation.cancel(recipient, account=account)

    @precondition(is_down)
    @rule(downtime=DOWNTIME, reboots=st.booleans())
    def start(self, downtime: float, *, reboots: bool) -> None:
        self.simulation.start(downtime, reboots=reboots)

    @rule()
    def a_backup_is_made(self) -> None:
        self._backup = self.simulation.backup()

    @precondition(lambda self: self._backup is not None and self.simulation.run is not None)
    @rule(point=POINT, is_killed=st.booleans(), downtime=st.sampled_from([60, 900]), reboots=st.booleans())
    def the_backup_is_restored(self, point: int, downtime: float, *, is_killed: bool, reboots: bool) -> None:
        assert self._backup is not None
        if is_killed:
            self.simulation.kill(point)
        else:
            self.simulation.stop()
        self.simulation.restore(self._backup)
        # Longer than a request can be on its way.
        self.simulation.start(downtime, reboots=reboots)

    @rule(which=st.integers(0, 9), status=st.integers(1, 5))
    def a_status_advances(self, which: int, status: int) -> None:
        messages = [message for message in self.simulation.account.messages if message.status < status]
        for message in messages[which : which + 1]:
            self.simulation.account.set_status(message.id, status)

    @precondition(lambda self: self._backup is None)
    @rule(which=st.integers(0, 3))
    def a_message_is_deleted(self, which: int) -> None:
        # A message that is deleted while its outcome is unknown cannot be distinguished from one that was not accepted,
        # nor can one of which a restored backup does not know.
        known = {part["id"] for record in self.simulation.on_disk().values() for part in record["parts"]}
        old = [
            message
            for message in self.simulation.account.messages
            if message.id in known and self.simulation.account.clock() - message.created >= 300
        ]
        for message in old[which : which + 1]:
            self.simulation.account.delete(message.id)

    @override
    def teardown(self) -> None:
        with self._patches:
            self._settle()
        assert self.simulation.violations == [], self.simulation.violations
        assert self.simulation.mistakes == []
        assert self.simulation.disk.late_commits == 0
        self._check_ends()
        self._check_calls()
        self._check_repetitions()
        self._check_the_service()

    def _settle(self) -> None:
        """End all faults, and wait until every message is final."""
        simulation = self.simulation
        self.the_service_recovers()
        self.the_disk_works()
        self.phones_fail(None)
        if simulation.run is None:
            simulation.start()
        for _ in range(_SETTLING):
            simulation.advance_time(60)
            for message in simulation.account.messages:
                if message.status <= Status.SENT:
                    simulation.account.set_status(message.id, Status.DELIVERED)
        assert simulation.run is not None
        assert not any(outbox.messages for outbox in simulation.run.outboxes)
        assert all(call.done for call in simulation.calls if call.run is simulation.run)

    def _check_ends(self) -> None:
        """Exactly one final event for each message; what a kill may repeat is checked when it is reported."""
        simulation = self.simulation
        for key, recorded in simulation.events.items():
            counted = Counter(recorded.types)
            assert max(counted.values()) <= 1 + simulation.kills, (key, recorded)
            ends = FINAL_STATES & counted.keys()
            assert ends or key in simulation.lost, (key, recorded)
            assert len(ends) <= 1 or key in simulation.uncertain, (key, recorded)

    def _check_calls(self) -> None:
        """Check that every call got a result, and that it is what happened."""
        simulation = self.simulation
        for call in simulation.calls:
            assert call.done or simulation.kills, call
            if call.result is None or call.result.status is None:
                continue
            assert simulation.accepted_ids.issuperset(call.result.message_ids), call
            if call.key in simulation.events and call.key not in simulation.lost | simulation.uncertain:
                end = simulation.events[call.key].types[-1]
                assert call.error in {None, "not_confirmed", "send_failed", "delivery_failed"} or end in NOT_SENT, (
                    call,
                    end,
                )
                assert call.result.status not in FINAL_STATES or call.result.status == end, (call, end)

    def _check_repetitions(self) -> None:
        """Check that a repeated call made no second message, unless the first one was lost with a kill."""
        made = Counter(
            call.repeatable
            for call in self.simulation.calls
            if call.repeatable and call.key and call.key not in self.simulation.lost
        )
        assert max(made.values(), default=0) <= 1, made

    def _check_the_service(self) -> None:
        """Check that the service has each sent message once, no unsent one, and perhaps the unconfirmed ones."""
        simulation = self.simulation
        on_server = Counter(simulation.accepted)
        minimum: Counter[tuple[str, str]] = Counter()
        maximum: Counter[tuple[str, str]] = Counter()
        for call in simulation.calls:
            if call.key is None:
                # The call made no message: the process was killed before, or it repeated another call.
                continue
            recorded = simulation.events.get(call.key)
            for index, part in enumerate(call.parts):
                content = call.number, part
                if recorded is None or call.key in simulation.lost | simulation.uncertain:
                    maximum[content] += 1
                    continue
                known = index < len(recorded.message.ids)
                in_doubt = index == len(recorded.message.ids) and recorded.types[-1] == "unconfirmed"
                minimum[content] += known
                maximum[content] += known or in_doubt
        for content in on_server | minimum | maximum:
            assert minimum[content] <= on_server[content] <= maximum[content], (content, minimum, on_server, maximum)


Outages.TestCase.settings = settings(
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
# Five hundred scenarios take half a minute on an idle machine; `--thorough` makes 2,000 of them.
TestOutages = pytest.mark.timeout(1800)(Outages.TestCase)


@pytest.mark.parametrize("point", range(1, 17))
def test_a_kill_and_a_stopped_clock_do_not_send_a_message_twice(point: int) -> None:
    simulation = Simulation()
    with simulation.patched():
        simulation.start()
        simulation.send(0, "Leak!")
        simulation.kill(point)
        simulation.wall_clock_offset -= 300
        simulation.start(downtime=300)
        simulation.advance_time(300)
    assert len(simulation.accepted) <= 1
    assert simulation.violations == []


@pytest.mark.parametrize("point", range(1, 17))
@pytest.mark.parametrize("parts", [("Leak!",), ("(1/2) Leak", "(2/2) Fire")])
def test_a_request_repeated_after_a_kill_sends_its_message_once(parts: tuple[str, ...], point: int) -> None:
    with Simulation().running() as simulation:
        simulation.send(0, *parts, key="leak")
        simulation.kill(point)
        simulation.start(downtime=2)
        simulation.send(0, *parts, key="leak")
        simulation.advance_time(300)
    assert simulation.accepted == [(MUM, part) for part in parts]
    assert simulation.violations == []


def test_callers_of_a_burst_do_not_wait_for_an_outage_to_end() -> None:
    with Simulation().running() as simulation:
        simulation.is_offline = True
        for number in range(20):
            simulation.send(0, f"Leak {number}!")
        simulation.advance_time(5)
        assert [(call.done, call.error) for call in simulation.calls] == [(True, None)] * 20
        assert simulation.event_types == [["queued"]] * 20

        simulation.is_offline = False
        simulation.advance_time(60)
    # They are sent in order, but may be received in another one.
    assert sorted(simulation.accepted) == sorted((MUM, f"Leak {number}!") for number in range(20))
    assert simulation.violations == []


def test_a_failed_message_is_not_mistaken_for_its_accepted_duplicate() -> None:
    simulation = Simulation()
    with simulation.patched():
        simulation.start()
        simulation.send(0, "Leak!")
        simulation.advance_time(1)
        simulation.faults = ["cut before"]
        simulation.send(0, "Leak!")
        simulation.advance_time(300)
    assert simulation.accepted == [(MUM, "Leak!")] * 2


def test_a_queued_message_survives_a_clock_correction() -> None:
    simulation = Simulation(queue_expiry=60)
    # A machine without a battery-backed clock, before it gets the time from the network.
    simulation.wall_clock_offset = -7200.0
    with simulation.running():
        simulation.is_offline = True
        for text in ("Fire!", "Leak!"):
            simulation.send(0, text)
            simulation.advance_time(5)
        simulation.wall_clock_offset = 0.0
        simulation.advance_time(300)
        simulation.reload(0)
        simulation.is_offline = False
        simulation.advance_time(120)
    assert sorted(simulation.accepted) == [(MUM, "Fire!"), (MUM, "Leak!")]


def test_a_message_expires_if_its_next_part_can_be_sent_only_too_late() -> None:
    with Simulation().running() as simulation:
        simulation.faults = ["cut after"]
        simulation.lookup_error = GoSmsApiError(500)
        simulation.send(0, "Fire!", "Leak!")
        simulation.advance_time(700)
        simulation.lookup_error = None
        simulation.advance_time(100)
    assert simulation.accepted == [(MUM, "Fire!")]
    assert simulation.event_types == [["queued", "expired"]]
    assert simulation.violations == []
