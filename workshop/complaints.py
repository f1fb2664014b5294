"""What Home Assistant says against an integration in its log."""

from typing import Final

# About a way of calling it that ends soon, and about a call that stops the event loop.
_MARKS: Final = ("Detected that custom integration", "event loop by custom integration")


def complaints_in(log: str) -> list[str]:
    """Return the lines of a log in which Home Assistant complains."""
    return [line for line in log.splitlines() if any(mark in line for mark in _MARKS)]
