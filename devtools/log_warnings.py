"""Home Assistant's warnings about a custom integration in its log."""

from typing import Final

# About a deprecated call, and about a call that blocks the event loop.
_MARKERS: Final = ("Detected that custom integration", "event loop by custom integration")


def integration_warnings(log: str) -> list[str]:
    """Return the lines of a log in which Home Assistant warns about a custom integration."""
    return [line for line in log.splitlines() if any(marker in line for marker in _MARKERS)]
