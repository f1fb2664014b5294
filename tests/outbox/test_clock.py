"""The time across runs and boots."""

from dataclasses import dataclass
from pathlib import Path
import time
from typing import Final
from unittest.mock import patch

import pytest

from custom_components.gosms.outbox.clock import Boot, Clock, ClockRecord
from tests.common import MUM
from tests.outbox.simulation import START_TIME, Simulation

HOUR: Final = 60 * 60
DAY: Final = 24 * HOUR
NOW: Final = 1_800_000_000.0


@dataclass
class Times:
    """The clocks of a machine: that of the event loop, and that of the boot."""

    loop: float = 60.0
    boot: float = 1000.0

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.loop += seconds
        self.boot += seconds

    def clock(self, boot_id: str | None = "one", record: ClockRecord | None = None, *, wall: float = NOW) -> Clock:
        """Return the clock of a run that starts."""
        with patch("time.time", lambda: wall):
            clock = Clock(lambda: self.loop)
        clock.boot = Boot(boot_id=boot_id, clock=lambda: self.boot)
        for each in filter(None, [record]):
            clock.resume(each)
        return clock


def run_time(clock: Clock, stored_time: float) -> float:
    """Return a stored time as a time of this run."""
    return stored_time - clock.stored(0.0)


@pytest.fixture
def times() -> Times:
    """The clocks."""
    return Times()


def test_a_first_run_starts_at_the_wall_clocks_time(times: Times) -> None:
    clock = times.clock()
    assert (clock.stored(60.0), run_time(clock, NOW + 5)) == (NOW, 65.0)
    assert (clock.is_anchored, clock.is_certain) == (False, True)
    assert clock.record() == ClockRecord(boot_id="one", boot_time=1000.0, stored_time=NOW, is_anchored=False, gap=None)


@pytest.mark.parametrize("wrong", [-7200, -60 * DAY, -20_000 * DAY, 7200])
def test_what_a_wrong_wall_clock_stored_stays_as_old_as_it_is(times: Times, wrong: float) -> None:
    clock = times.clock(wall=NOW + wrong)
    times.pass_time(100)
    assert clock.anchor(NOW + 100) == 0.0
    assert clock.stored(times.loop) == NOW + 100
    assert clock.anchor(NOW + 5000) is None


def test_the_wall_clock_does_not_count_in_the_same_boot(times: Times) -> None:
    record = times.clock().record()
    times.pass_time(90)
    clock = times.clock(record=record, wall=NOW + 30 * DAY)
    assert clock.stored(times.loop) == NOW + 90
    assert clock.is_certain


def test_the_boot_clock_never_makes_anything_younger(times: Times) -> None:
    record = times.clock().record()
    times.boot -= 50
    assert times.clock(record=record).stored(times.loop) == NOW


@pytest.mark.parametrize(("before", "after"), [("one", "two"), ("one", None), (None, None)])
def test_another_boot_is_certain_once_the_service_told_its_time(
    times: Times, before: str | None, after: str | None
) -> None:
    clock = times.clock(before)
    clock.anchor(NOW)
    record = clock.record()

    later = times.clock(after, record, wall=NOW + 30 * DAY)
    created = run_time(later, NOW - 10)
    assert (later.is_anchored, later.is_certain, later.stored(times.loop)) == (False, False, NOW)
    assert not later.may_expire(created)
    assert later.may_expire(times.loop)
    assert later.precedes_gap(created)

    times.pass_time(5)
    assert later.anchor(NOW + 905) is None
    assert later.anchor(NOW + 905) == 900.0
    assert later.stored(times.loop) == NOW + 905
    assert later.may_expire(created)
    assert not later.precedes_gap(created)


def test_a_service_whose_time_goes_back_makes_nothing_younger(times: Times) -> None:
    clock = times.clock()
    clock.anchor(NOW)
    later = times.clock("two", clock.record())
    assert [later.anchor(NOW - 500) for _ in range(2)] == [None, 0.0]


def test_one_wrong_time_of_the_service_makes_nothing_older(times: Times) -> None:
    clock = times.clock()
    clock.anchor(NOW)
    later = times.clock("two", clock.record())
    times.pass_time(30)
    assert [later.anchor(NOW + seconds) for seconds in (30 + DAY, 30, 90)] == [None, None, 60.0]
    assert later.is_certain


@pytest.mark.parametrize("boots", [["two", "three"], ["two", "two"], [None, None]], ids=str)
def test_several_starts_without_the_service_stay_uncertain(times: Times, boots: list[str | None]) -> None:
    clock = times.clock()
    clock.anchor(NOW)
    for boot in boots:
        clock = times.clock(boot, clock.record())
        times.pass_time(5)
    assert not clock.is_certain
    assert clock.precedes_gap(run_time(clock, NOW))
    assert not clock.precedes_gap(run_time(clock, NOW + 2))
    # What was stored before the first of them keeps its stored time.
    loaded = run_time(clock, NOW - 10)
    assert clock.anchor(NOW + 3600) is None
    elapsed = clock.anchor(NOW + 3600)
    assert elapsed is not None
    assert clock.stored(loaded - elapsed) == NOW - 10


def test_ages_stay_as_they_are_if_the_service_never_told_its_time(times: Times) -> None:
    later = times.clock("two", times.clock().record())
    assert (later.is_certain, later.stored(times.loop)) == (True, NOW)


def test_a_reload_goes_on_with_the_clock_of_the_same_process(times: Times) -> None:
    clock = times.clock()
    clock.anchor(NOW + 500)
    record = clock.record()
    times.pass_time(10)
    reloaded = times.clock(wall=NOW - DAY)
    reloaded.continue_from(clock)
    reloaded.resume(record)
    assert (reloaded.is_anchored, reloaded.began, reloaded.stored(times.loop)) == (True, 60.0, NOW + 510)


def test_the_boot_of_this_machine_can_be_read() -> None:
    boot = Boot.read()
    assert boot.boot_id
    assert boot.clock() > 0


@pytest.mark.parametrize("content", [OSError(), UnicodeDecodeError("ascii", b"", 0, 1, ""), "\n"])
def test_a_machine_that_does_not_tell_its_boot_has_none(content: object) -> None:
    with patch.object(Path, "read_text", side_effect=[content]):
        assert Boot.read().boot_id is None


def test_a_machine_without_a_boot_clock_has_a_monotonic_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    assert Boot.read().clock() == pytest.approx(time.monotonic(), abs=5)


# The wall clock of a small computer is wrong when an alarm is queued, is set, and Home Assistant or the machine starts
# anew: nothing of that ends a message, or sends it twice.


@pytest.mark.parametrize("fault", ["too many requests", "cut before", "cut after"])
@pytest.mark.parametrize("wrong", [-7200, -60 * DAY, -20_000 * DAY, 7200])
@pytest.mark.parametrize("reboots", [False, True])
@pytest.mark.parametrize("is_killed", [False, True])
def test_a_wrong_wall_clock_neither_ends_nor_repeats_a_message(
    fault: str, wrong: int, *, reboots: bool, is_killed: bool
) -> None:
    simulation = Simulation(queue_expiry=60)
    simulation.wall_clock_offset = wrong
    simulation.is_offline = True
    with simulation.running():
        simulation.is_offline = False
        simulation.faults = [fault] + ["too many requests"] * 20
        simulation.send(0, "Leak!")
        simulation.advance_time(0.5)
        simulation.wall_clock_offset = 0.0
        simulation.advance_time(10)
        end = {True: lambda: simulation.kill(1), False: simulation.stop}
        end[is_killed]()
        simulation.faults = []
        simulation.start(60, reboots=reboots)
        simulation.advance_time(300)
    assert simulation.accepted == [(MUM, "Leak!")]
    assert [types[:2] for types in simulation.event_types] == [["queued", "accepted"]]


@pytest.mark.parametrize(("downtime", "end"), [(60, "accepted"), (DAY, "expired")])
@pytest.mark.parametrize("boots", [1, 2])
def test_a_message_is_as_old_as_the_service_tells_after_other_boots(downtime: float, end: str, boots: int) -> None:
    with Simulation(queue_expiry=60).running() as simulation:
        simulation.is_offline = True
        simulation.send(0, "Leak!")
        simulation.advance_time(5)
        for _ in range(boots):
            simulation.kill(1)
            simulation.wall_clock_offset -= downtime
            simulation.start(downtime, reboots=True)
            simulation.advance_time(10)
        assert simulation.event_types == [["queued"]]
        simulation.is_offline = False
        simulation.advance_time(120)
    (types,) = simulation.event_types
    assert types[1] == end


def test_a_message_of_a_boot_without_the_service_does_not_expire_too_soon() -> None:
    with Simulation(queue_expiry=60).running() as simulation:
        simulation.send(0, "Leak!")
        simulation.advance_time(5)
        simulation.stop()
        simulation.is_offline = True
        simulation.start(2 * DAY, reboots=True)
        simulation.send(0, "Power is back")
        simulation.advance_time(5)
        simulation.stop()
        simulation.is_offline = False
        simulation.start(60, reboots=True)
        simulation.advance_time(120)
    assert simulation.accepted == [(MUM, "Leak!"), (MUM, "Power is back")]


@pytest.mark.parametrize(
    ("wrong_before", "wrong_after"),
    [(20 * HOUR, 20 * HOUR), (20 * HOUR, 0), (10 * DAY, 0), (-20 * HOUR, -20 * HOUR), (0, 20 * HOUR)],
)
@pytest.mark.parametrize("downtime", [600, 2 * DAY])
@pytest.mark.parametrize("reboots", [True, False])
def test_a_wrong_time_of_the_service_does_not_repeat_a_request(
    wrong_before: float, wrong_after: float, downtime: float, *, reboots: bool
) -> None:
    simulation = Simulation(queue_expiry=60)
    simulation.date_offset = wrong_before
    with simulation.patched():
        simulation.start()
        simulation.advance_time(70)
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.3)
        simulation.kill(1)
        simulation.date_offset = wrong_after
        simulation.start(downtime, reboots=reboots)
        simulation.advance_time(300)
    assert simulation.accepted == [(MUM, "Leak!")]


@pytest.mark.parametrize("starts", [1, 2])
@pytest.mark.parametrize("wrong", [0, -HOUR])
def test_a_request_before_the_service_ever_told_the_time_is_not_repeated(starts: int, wrong: float) -> None:
    simulation = Simulation(queue_expiry=60)
    simulation.wall_clock_offset = wrong
    simulation.is_offline = True
    with simulation.running():
        simulation.is_offline = False
        simulation.faults = ["cut after"]
        simulation.send(0, "Leak!")
        simulation.advance_time(0.3)
        simulation.kill(1)
        simulation.is_offline = True
        simulation.start(3 * DAY, reboots=True)
        for _ in range(starts - 1):
            simulation.advance_time(30)
            simulation.stop()
            simulation.start(60)
        simulation.advance_time(30)
        simulation.is_offline = False
        simulation.advance_time(300)
    assert simulation.accepted == [(MUM, "Leak!")]


def test_a_late_wall_clock_does_not_take_an_old_message_for_a_new_one() -> None:
    simulation = Simulation(queue_expiry=60)
    simulation.account.add_message(message="Leak!", phone_number=MUM, created=START_TIME - 3 * DAY)
    simulation.wall_clock_offset = -7 * DAY
    with simulation.running():
        simulation.faults = ["cut before"]
        simulation.send(0, "Leak!")
        simulation.advance_time(120)
    assert simulation.accepted == [(MUM, "Leak!")]


def test_the_clock_of_a_run_that_could_read_nothing_does_not_count() -> None:
    simulation = Simulation(queue_expiry=60)
    simulation.is_offline = True
    with simulation.running():
        simulation.send(0, "Leak!")
        simulation.advance_time(10)
        simulation.kill(1)
        simulation.disk.is_unreadable = True
        simulation.wall_clock_offset = 2 * HOUR
        simulation.start(60)
        simulation.disk.is_unreadable = False
        simulation.reload(0)
        simulation.is_offline = False
        simulation.advance_time(120)
    assert simulation.accepted == [(MUM, "Leak!")]
