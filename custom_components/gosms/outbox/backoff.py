"""Exponential backoff, shared by all workers. Pure: time is passed in."""

import random
from typing import Final

# Seconds before the second attempt, doubled with each failure up to the limit.
_FIRST_PAUSE: Final = 1.0
MAX_PAUSE: Final = 60.0
# More doublings would not lengthen a pause, and a thousand would overflow.
_MAX_DOUBLINGS: Final = 6
# In seconds: longer pauses requested by the service are shortened, so that a misconfigured proxy can't block an alarm
# for a day.
_MAX_RETRY_AFTER: Final = 600.0


class Backoff:
    """Counts consecutive failures, and determines when the next attempt is due.

    Attributes:
        failures: failures since the last success.
        due: when the next attempt may start.
    """

    def __init__(self) -> None:
        """Initialize the backoff without failures."""
        self.failures = 0
        self.due = float("-inf")
        self._is_requested = False

    @property
    def is_active(self) -> bool:
        """Return whether the last attempt failed, or a pause requested by the service is not over."""
        return self.failures > 0

    def fail(self, now: float, retry_after: float | None = None) -> None:
        """Count a failure: the pause grows, and is at least as long as the service requested."""
        if not self.is_active or now >= self.due:
            # Concurrent attempts that fail together count as one.
            self.failures += 1
            self._is_requested = False
            pause = min(_FIRST_PAUSE * 2.0 ** min(self.failures - 1, _MAX_DOUBLINGS), MAX_PAUSE)
            self.due = now + pause * random.uniform(0.5, 1)  # noqa: S311  # Jitter, no secret.
        if retry_after is not None and (end := now + min(retry_after, _MAX_RETRY_AFTER)) >= self.due:
            self.due = end
            self._is_requested = True

    def succeed(self, now: float) -> None:
        """End the pause, unless the service requested it and it is not over."""
        if not self._is_requested or now >= self.due:
            self.failures = 0
            self._is_requested = False
            self.due = float("-inf")

    def bring_forward(self, due: float) -> None:
        """Let the next attempt start at this time at the latest, unless the service requested the pause."""
        if not self._is_requested:
            self.due = min(self.due, due)
