"""The time of an account's messages across runs: no wall clock, which may be wrong or be set, ends anything alone.

In a run, times are those of the event loop's clock, which runs evenly. On disk they are *stored times*: Unix seconds by
the service's clock, or as near to that as is known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
import time
from typing import Final, Self

# Seconds between two answers that tell the same time.
_MAX_DEVIATION: Final = 120.0

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockRecord:
    """What the next run needs to know of the time.

    Attributes:
        boot_id: see `Boot`; the boot's clock was at `boot_time` at that moment.
        stored_time: the stored time at that moment.
        is_anchored: whether the stored times are by the service's clock.
        gap: the last stored time by the service's clock before the machine was off for nobody knows how long, if the
            service has not told its time since; else None.
        doubtful: the stored time before which no stored time counts: the service's clock contradicted it, or had never
            told the time before the machine was off; None if all count.
    """

    boot_id: str | None
    boot_time: float
    stored_time: float
    is_anchored: bool
    gap: float | None
    doubtful: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Boot:
    """The boot of the machine that this run is in.

    Attributes:
        boot_id: names it, or None where that is not known.
        clock: seconds since then, also those in which the machine slept.
    """

    boot_id: str | None
    clock: Callable[[], float]

    @classmethod
    def read(cls) -> Self:
        """Return the boot of this machine. Blocks: reads a file."""
        clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        try:
            boot_id = _BOOT_ID.read_text(encoding="ascii").strip() or None
        except OSError, UnicodeDecodeError:
            boot_id = None
        return cls(boot_id=boot_id, clock=lambda: time.clock_gettime(clock))


class Clock:
    """Converts the times of a run into stored times, and back.

    Attributes:
        boot: the boot of the machine that this run is in.
        is_anchored: whether stored times are by the service's clock.
        began: when this run took them up, by the event loop's time.
    """

    def __init__(self, loop_time: Callable[[], float]) -> None:
        """Make a clock that starts at the wall clock's time, which does not count from then on."""
        self._loop_time = loop_time
        self.boot = Boot(boot_id=None, clock=loop_time)
        self.began = loop_time()
        self._offset = time.time() - self.began
        self.is_anchored = False
        self._gap: float | None = None
        self._doubtful = -inf
        self._candidate: float | None = None
        self._is_continued = False

    @property
    def is_certain(self) -> bool:
        """Return whether it is known how long ago the messages of earlier runs are; nothing of them expires before."""
        return self._gap is None

    def precedes_gap(self, loop_time: float) -> bool:
        """Return whether the machine was off for nobody knows how long since then."""
        return self._gap is not None and self.stored(loop_time) <= self._gap

    def is_doubtful(self, loop_time: float) -> bool:
        """Return whether nobody knows when that was, by the service's clock."""
        return loop_time < self._doubtful

    def continue_from(self, previous: Clock) -> None:
        """Go on from the clock of a run in the same process: the event loop's time counts for both."""
        self.boot, self.began, self._offset = previous.boot, previous.began, previous._offset
        self.is_anchored, self._gap, self._doubtful = previous.is_anchored, previous._gap, previous._doubtful
        self._is_continued = True

    def resume(self, record: ClockRecord) -> None:
        """Go on from what an earlier run stored last."""
        if self._is_continued:
            return
        self.began = self._loop_time()
        is_same_boot = record.boot_id is not None and record.boot_id == self.boot.boot_id
        elapsed = max(0.0, self.boot.clock() - record.boot_time) if is_same_boot else 0.0
        self._offset = record.stored_time + elapsed - self.began
        if record.doubtful is not None:
            self._doubtful = record.doubtful - self._offset
        if is_same_boot:
            self.is_anchored, self._gap = record.is_anchored, record.gap
            return
        # Nobody knows for how long the machine was off; the service's clock will tell, if it told before.
        self.is_anchored = False
        self._gap = record.stored_time if record.is_anchored else record.gap
        if self.is_certain:
            self._doubtful = self.began

    def anchor(self, server_time: float) -> float | None:
        """Learn the service's time, once it has told it; call this once for each answer.

        If messages of earlier runs become older by it, two answers in a row must agree: one with a wrong date, as of a
        bad server of several, must not let them expire.

        Returns:
            The seconds by which what earlier runs stored is older than it seemed, or None if nothing changed.
        """
        if self.is_anchored:
            return None
        jump = server_time - self.stored(self._loop_time())
        if self.is_certain:
            # What is stored is not by the service's clock: it is stored anew, and stays as old as it is.
            self.is_anchored = True
            self._offset += jump
            return 0.0
        candidate, self._candidate = self._candidate, server_time - self._loop_time()
        if candidate is None or abs(self._candidate - candidate) > _MAX_DEVIATION:
            return None
        self.is_anchored = True
        self._gap = None
        if jump < -_MAX_DEVIATION:
            self._doubtful = self.began
        elapsed = max(0.0, jump)
        self._offset += elapsed
        return elapsed

    def may_expire(self, created: float) -> bool:
        """Return whether a message may expire: not one of an earlier run as long as nobody knows how old it is."""
        return self.is_certain or created >= self.began

    def stored(self, loop_time: float) -> float:
        """Return a time of this run as a stored time."""
        return loop_time + self._offset

    def record(self) -> ClockRecord:
        """Return what the next run needs to know."""
        return ClockRecord(
            boot_id=self.boot.boot_id,
            boot_time=self.boot.clock(),
            stored_time=self.stored(self._loop_time()),
            is_anchored=self.is_anchored,
            gap=self._gap,
            doubtful=None if self._doubtful == -inf else self.stored(self._doubtful),
        )
