"""Whatever happens, in whatever order: nothing accepted is lost, nothing is sent twice, and the end is told once."""

from collections import Counter
from contextlib import ExitStack
from typing import Final, override

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
import pytest

from custom_components.gosms.api import GoSmsApiError
from custom_components.gosms.outbox import State
from tests.outbox.world import FAULTS, LATE, QUEUE, SLOW, World
from tests.service import MUM

FINAL: Final = {state.value for state in State if state.is_final}
# Ends that say that the service never had the message.
NOT_SENT: Final = {"refused", "expired"}

# Few people and few texts, so that many messages are twins, of messages of the other account or parts of others too.
PERSON: Final = st.integers(0, 1)
PARTS: Final = st.sampled_from([("Leak!",), ("Leak!",), ("Fire!",), ("Fire!", "Leak!")])
ACCOUNT: Final = st.sampled_from([0, 0, 1])
TIMES: Final = st.sampled_from([1, 1, 3])
# From the middle of a write to the middle of an outage.
SECONDS: Final = st.sampled_from([0.005, 0.03, 0.06, 0.2, 1, 5, 12, 35, 100, 400, 700])
DOWNTIME: Final = st.sampled_from([0, 2, 60, 900])
# At which of the next things with the disk or the line a process is killed.
POINT: Final = st.integers(1, 16)

DAY: Final = 24 * 60 * 60

# Minutes: long enough for every message to end, with the queue's expiry of ten.
_SETTLING: Final = 90


class Outages(RuleBasedStateMachine):
    """A house with everything that can go wrong in it."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self._rules = ExitStack()
        # Whether the clock has jumped over the day for which a repeated call is known again.
        self._leaps = False
        # Whether there was a time in which the disk did not take what was told.
        self._forgets = False

    @initialize(queue_expiry=st.sampled_from([10, 10, 10, 0]))
    def begin(self, queue_expiry: int) -> None:
        self.world = World(queue_expiry, accounts=2)
        self._rules.enter_context(self.world.rules())
        self.world.start()
        self.world.pass_time(1)

    def runs(self) -> bool:
        return self.world.run is not None

    def is_down(self) -> bool:
        return self.world.run is None

    @precondition(runs)
    @rule(person=PERSON, parts=PARTS, times=TIMES, account=ACCOUNT)
    def send(self, person: int, parts: tuple[str, ...], times: int, account: int) -> None:
        for _ in range(times):
            self.world.send(person, *parts, account=account)

    @precondition(runs)
    @rule(person=PERSON, parts=PARTS, account=ACCOUNT, times=TIMES)
    def send_once(self, person: int, parts: tuple[str, ...], account: int, times: int) -> None:
        for _ in range(times):
            self.world.send(person, *parts, account=account, key=f"{parts} to {person}")

    @precondition(runs)
    @rule(
        person=PERSON,
        parts=PARTS,
        accounts=st.tuples(ACCOUNT, ACCOUNT),
        fault=st.sampled_from([*FAULTS, LATE, SLOW]),
        seconds=SECONDS,
    )
    def send_a_twin_in_trouble(
        self, person: int, parts: tuple[str, ...], accounts: tuple[int, int], fault: str, seconds: float
    ) -> None:
        self.the_service_recovers()
        self.world.send(person, *parts, account=accounts[0])
        self.world.pass_time(seconds)
        self.world.faults = [fault]
        self.world.send(person, *parts, account=accounts[1])
        self.world.pass_time(seconds)

    @precondition(runs)
    @rule(person=PERSON, parts=PARTS, times=TIMES, point=POINT, downtime=DOWNTIME, keeps_time=st.booleans())
    def send_and_kill(
        self, person: int, parts: tuple[str, ...], times: int, point: int, downtime: float, *, keeps_time: bool
    ) -> None:
        self.send(person, parts, times, 0)
        self.world.kill(point)
        self.start(downtime, keeps_time=keeps_time)

    @precondition(runs)
    @rule(person=PERSON, parts=PARTS, account=ACCOUNT, seconds=SECONDS)
    def send_and_reload(self, person: int, parts: tuple[str, ...], account: int, seconds: float) -> None:
        self.world.send(person, *parts, account=account)
        self.world.pass_time(seconds)
        self.world.reload(account)

    @rule(faults=st.lists(st.sampled_from([*FAULTS, LATE, SLOW]), min_size=1, max_size=4))
    def sending_fails(self, faults: list[str]) -> None:
        self.world.faults += faults

    @rule()
    def the_line_is_dead(self) -> None:
        self.world.line_is_dead = True

    @rule(error=st.sampled_from([GoSmsApiError(500), GoSmsApiError(403, code=1007)]))
    def looking_fails(self, error: GoSmsApiError) -> None:
        self.world.looking_fails = error

    @rule()
    def the_service_recovers(self) -> None:
        self.world.line_is_dead = False
        self.world.faults.clear()
        self.world.looking_fails = None

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @rule(seconds=st.sampled_from([0, 0, 30, 600, 172_800]))
    def the_clock_jumps(self, seconds: int) -> None:
        # It may be late, and be set right. It is never early: a clock that was, at an attempt before the first answer
        # of a run, and lost time afterwards, together hide a message from the search.
        self.world.wall_offset = -seconds
        self._leaps |= seconds > DAY

    @rule()
    def the_disk_is_full(self) -> None:
        self.world.disk_is_full = self._forgets = True

    @rule()
    def the_disk_has_room_for_the_ledger_alone(self) -> None:
        self.world.files_without_room = {QUEUE}
        self._forgets = True

    @rule()
    def the_disk_has_room(self) -> None:
        self.world.disk_is_full = False
        self.world.files_without_room.clear()

    @precondition(runs)
    @rule(point=POINT)
    def kill(self, point: int) -> None:
        self.world.kill(point)

    @precondition(runs)
    @rule()
    def stop(self) -> None:
        self.world.stop()

    @precondition(runs)
    @rule(person=PERSON)
    def a_recipient_is_removed(self, person: int) -> None:
        self.world.remove_recipient(person)

    @precondition(is_down)
    @rule(downtime=DOWNTIME, keeps_time=st.booleans())
    def start(self, downtime: float, *, keeps_time: bool) -> None:
        # A small computer without a clock of its own goes on where it stopped.
        self.world.wall_offset -= 0 if keeps_time else downtime
        self.world.start(downtime)

    @rule(which=st.integers(0, 9), status=st.integers(1, 5))
    def a_message_gets_on(self, which: int, status: int) -> None:
        messages = [message for message in self.world.account.messages if message.status < status]
        for message in messages[which : which + 1]:
            self.world.account.set_status(message.id, status)

    @rule(which=st.integers(0, 3))
    def somebody_deletes_a_message(self, which: int) -> None:
        # One that is deleted while the outbox still looks for it can't be told from one that never arrived.
        known = {message_id for record in self.world.on_disk().values() for message_id in record["ids"]}
        old = [
            message
            for message in self.world.account.messages
            if message.id in known and self.world.server_clock() - message.created >= 300
        ]
        for message in old[which : which + 1]:
            self.world.account.delete(message.id)

    @override
    def teardown(self) -> None:
        with self._rules:
            self._settle()
        assert self.world.troubles == [], self.world.troubles
        self._check_ends()
        self._check_calls()
        self._check_repetitions()
        self._check_the_service()

    def _settle(self) -> None:
        """Let everything be well again, for long enough."""
        world = self.world
        self.the_service_recovers()
        self.the_disk_has_room()
        if world.run is None:
            world.start()
        for _ in range(_SETTLING):
            world.pass_time(60)
            for message in world.account.messages:
                world.account.set_status(message.id, max(message.status, 4))
        assert world.run is not None
        assert not any(outbox.messages for outbox in world.run.outboxes)
        assert all(call.done for call in world.calls if call.run is world.run)

    def _check_ends(self) -> None:
        """Exactly one final event for each message; a kill may repeat, of each account, the one told and not marked."""
        world = self.world
        repeated = sum(len(told.types) - len(set(told.types)) for told in world.told.values())
        assert self._forgets or repeated <= world.kills * len(world.entries), world.told
        for key, told in world.told.items():
            counted = Counter(told.types)
            assert max(counted.values()) <= 1 + world.kills, (key, told)
            ends = FINAL & counted.keys()
            assert ends or key in world.gone, (key, told)
            assert len(ends) <= 1 or key in world.shaky, (key, told)

    def _check_calls(self) -> None:
        """Every call was answered, and what it was answered holds."""
        world = self.world
        for call in world.calls:
            assert call.done or world.kills, call
            if call.key in world.told and call.key not in world.gone | world.shaky:
                end = world.told[call.key].types[-1]
                assert call.error in {None, "not_confirmed"} or end in NOT_SENT, (call, end)

    def _check_repetitions(self) -> None:
        """A repeated call made no second message, unless a kill took the first one along."""
        made = Counter(
            call.repeatable
            for call in self.world.calls
            if call.repeatable and call.key and call.key not in self.world.gone
        )
        assert self._leaps or max(made.values(), default=0) <= 1, made

    def _check_the_service(self) -> None:
        """Each message that was sent is there once, what was not sent is not, and what is unconfirmed may be."""
        world = self.world
        there = Counter(world.taken)
        least: Counter[tuple[str, str]] = Counter()
        most: Counter[tuple[str, str]] = Counter()
        for call in world.calls:
            if call.key is None:
                # It made no message: it was killed before that, or it repeated another call.
                continue
            told = world.told.get(call.key)
            for place, part in enumerate(call.parts):
                content = call.number, part
                if told is None or call.key in world.gone | world.shaky:
                    most[content] += 1
                    continue
                known = place < len(told.message.ids)
                in_doubt = place == len(told.message.ids) and told.types[-1] == "unconfirmed"
                least[content] += known
                most[content] += known or in_doubt
        for content in there | least | most:
            assert least[content] <= there[content] <= most[content], (content, least, there, most)


Outages.TestCase.settings = settings(
    max_examples=200,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
# Two hundred histories take half a minute of a machine that does nothing else.
TestOutages = pytest.mark.timeout(600)(Outages.TestCase)


@pytest.mark.parametrize("point", range(1, 17))
def test_a_kill_before_the_first_answer_and_a_clock_that_stood_still_send_no_message_twice(point: int) -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.send(0, "Leak!")
        world.kill(point)
        world.wall_offset -= 300
        world.start(downtime=300)
        world.pass_time(300)
    assert len(world.taken) <= 1
    assert world.troubles == []


@pytest.mark.parametrize("point", range(1, 17))
@pytest.mark.parametrize("parts", [("Leak!",), ("(1/2) Leak", "(2/2) Fire")])
def test_a_call_that_is_repeated_after_a_kill_at_whatever_moment_sends_its_message_once(
    parts: tuple[str, ...], point: int
) -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.send(0, *parts, key="leak")
        world.kill(point)
        world.start(downtime=2)
        world.send(0, *parts, key="leak")
        world.pass_time(300)
    assert world.taken == [(MUM, part) for part in parts]
    assert world.troubles == []


def test_the_callers_of_a_burst_that_an_outage_meets_need_not_wait_for_its_end() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.line_is_dead = True
        for number in range(20):
            world.send(0, f"Leak {number}!")
        world.pass_time(5)
        assert [(call.done, call.error) for call in world.calls] == [(True, None)] * 20
        assert [told.types for told in world.told.values()] == [["queued"]] * 20

        world.line_is_dead = False
        world.pass_time(60)
    # They leave in order; on the way some are faster than others.
    assert sorted(world.taken) == sorted((MUM, f"Leak {number}!") for number in range(20))
    assert world.troubles == []


def test_a_message_that_fails_beside_its_twin_is_not_mistaken_for_it() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.send(0, "Leak!")
        world.pass_time(1)
        world.faults = ["cut before"]
        world.send(0, "Leak!")
        world.pass_time(300)
    assert world.taken == [(MUM, "Leak!")] * 2


def leave_a_message_that_ended_in_the_queue(world: World) -> None:
    """Let a message end of which the disk takes the end in the ledger alone, and kill the run."""
    world.start()
    world.pass_time(1)
    world.send(0, "Leak!")
    # The file says by now that a request is under way.
    world.pass_time(0.03)
    world.files_without_room = {QUEUE}
    world.pass_time(1)
    world.account.set_status(world.account.messages[0].id, 4)
    world.pass_time(10)
    world.kill(1)
    world.files_without_room.clear()


def test_a_message_that_ended_is_not_sent_again_by_a_run_that_finds_it_in_the_queue() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        leave_a_message_that_ended_in_the_queue(world)
        world.start()
        world.pass_time(60)
    assert world.taken == [(MUM, "Leak!")]
    assert [told.types for told in world.told.values()] == [["accepted", "delivered"]]


@pytest.mark.parametrize("idle", [3600, 25 * 3600], ids=["an hour", "a day"])
def test_a_message_that_ended_is_not_told_again_by_a_later_run(idle: int) -> None:
    world = World(queue_expiry=10)
    with world.rules():
        leave_a_message_that_ended_in_the_queue(world)
        world.start()
        world.pass_time(idle)
        world.stop()
        world.start(downtime=60)
        world.pass_time(400)
    assert world.taken == [(MUM, "Leak!")]
    assert [told.types for told in world.told.values()] == [["accepted", "delivered"]]


def test_a_message_that_waits_outlives_a_clock_that_is_set_right() -> None:
    world = World(queue_expiry=60)
    # A machine without a clock of its own, before it gets the time from the network.
    world.wall_offset = -7200.0
    with world.rules():
        world.start()
        world.pass_time(1)
        world.line_is_dead = True
        for text in ("Fire!", "Leak!"):
            world.send(0, text)
            world.pass_time(5)
        world.wall_offset = 0.0
        world.pass_time(300)
        world.reload(0)
        world.line_is_dead = False
        world.pass_time(120)
    assert sorted(world.taken) == [(MUM, "Fire!"), (MUM, "Leak!")]


def test_a_message_whose_next_part_comes_too_late_is_seen_to_end_last() -> None:
    world = World(queue_expiry=10)
    with world.rules():
        world.start()
        world.pass_time(1)
        world.faults = ["cut after"]
        world.looking_fails = GoSmsApiError(500)
        world.send(0, "Fire!", "Leak!")
        world.pass_time(700)
        world.looking_fails = None
        world.pass_time(100)
    assert world.taken == [(MUM, "Fire!")]
    assert [told.types for told in world.told.values()] == [["queued", "expired"]]
    assert world.troubles == []
