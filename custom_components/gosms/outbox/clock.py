"""Times of an account's messages across runs. The wall clock alone never ends a message: it may be wrong or be changed.

Within a run, times are those of the event loop's clock, which is monotonic. On disk they are *stored times*: Unix
seconds by the service's clock, or the closest known approximation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
import time
from typing import Final, Self

# In seconds: two responses agree on the time if they differ by no more than this.
_MAX_DEVIATION: Final = 120.0

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockRecord:
    """What the next run needs to know about the time.

    Attributes:
        boot_id: the boot in which the record was made; see `Boot`.
        boot_time: the boot's clock when the record was made.
        stored_time: the stored time when the record was made.
        is_anchored: whether stored times follow the service's clock.
        gap: the last anchored stored time before the machine was off for an unknown time; None if there was no such
            gap, or the service's clock has shown its length since.
        doubtful: stored times before this one are unreliable: the service's clock contradicted them, or was never known
            before the machine was off. None if all are reliable.
    """

    boot_id: str | None
    boot_time: float
    stored_time: float
    is_anchored: bool
    gap: float | None
    doubtful: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Boot:
    """The boot of the machine in which this run takes place.

    Attributes:
        boot_id: identifies the boot, or None if unknown.
        clock: returns the seconds since the boot, including suspend.
    """

    boot_id: str | None
    clock: Callable[[], float]

    @classmethod
    def read(cls) -> Self:
        """Return the current boot of this machine. Blocks: reads a file."""
        clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        try:
            boot_id = _BOOT_ID.read_text(encoding="ascii").strip() or None
        except OSError, UnicodeDecodeError:
            boot_id = None
        return cls(boot_id=boot_id, clock=lambda: time.clock_gettime(clock))


class Clock:
    """Converts between times of a run and stored times.

    Attributes:
        boot: the boot of the machine in which this run takes place.
        is_anchored: whether stored times follow the service's clock.
        began: when this run took over the stored times, by the event loop's clock.
    """

    def __init__(self, loop_time: Callable[[], float]) -> None:
        """Initialize the clock from the wall clock, which is not used after that."""
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
        """Return whether the age of messages from earlier runs is known. Until then, none of them expires."""
        return self._gap is None

    def precedes_gap(self, loop_time: float) -> bool:
        """Return whether the machine was off for an unknown time after this."""
        return self._gap is not None and self.stored(loop_time) <= self._gap

    def is_doubtful(self, loop_time: float) -> bool:
        """Return whether it is unknown what time this was by the service's clock."""
        return loop_time < self._doubtful

    def continue_from(self, previous: Clock) -> None:
        """Continue the clock of a previous outbox in the same process, which has the same event loop's clock."""
        self.boot, self.began, self._offset = previous.boot, previous.began, previous._offset
        self.is_anchored, self._gap, self._doubtful = previous.is_anchored, previous._gap, previous._doubtful
        self._is_continued = True

    def resume(self, record: ClockRecord) -> None:
        """Resume from the last record of an earlier run."""
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
        # It is unknown how long the machine was off. If the stored times were anchored, the service's clock will show
        # it.
        self.is_anchored = False
        self._gap = record.stored_time if record.is_anchored else record.gap
        if self.is_certain:
            self._doubtful = self.began

    def anchor(self, server_time: float) -> float | None:
        """Anchor the stored times to the service's clock, if they are not. Call this once for each response.

        If this can make messages of earlier runs older, two consecutive responses must agree: a single wrong date, for
        example from one bad server of several, must not expire them.

        Returns:
            The seconds by which everything that earlier runs stored is older than assumed, or None if nothing changed.
        """
        if self.is_anchored:
            return None
        jump = server_time - self.stored(self._loop_time())
        if self.is_certain:
            # The stored times do not follow the service's clock: they are written again, and keep their age.
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
        """Return whether a message created then may expire: not one of an earlier run while its age is unknown."""
        return self.is_certain or created >= self.began

    def stored(self, loop_time: float) -> float:
        """Convert a time of this run to a stored time."""
        return loop_time + self._offset

    def record(self) -> ClockRecord:
        """Return the record for the next run."""
        return ClockRecord(
            boot_id=self.boot.boot_id,
            boot_time=self.boot.clock(),
            stored_time=self.stored(self._loop_time()),
            is_anchored=self.is_anchored,
            gap=self._gap,
            doubtful=None if self._doubtful == -inf else self.stored(self._doubtful),
        )
