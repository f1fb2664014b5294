"""The named points at which Home Assistant can be killed, and the files that arm and report them."""

from enum import StrEnum
from pathlib import Path
from typing import Final

# In the configuration folder.
FOLDER: Final = "crash_injector"
EVENTS: Final = "events.jsonl"


class CrashPoint(StrEnum):
    """A point in the life of a message, by the name that the console shows."""

    BEFORE_WRITE = "before the write"
    """A message was accepted from its caller and is in memory only."""
    DURING_WRITE = "during a write"
    """A line of a file is half written."""
    AFTER_WRITE = "after the write"
    """The file says that a request may be under way, and none was sent."""
    AFTER_REQUEST = "after the request"
    """The request was sent, and its response was not read."""
    BEFORE_ACCEPTED_WRITE = "before the response is saved"
    """The service accepted the message, the caller knows, and the file does not."""
    BETWEEN_PARTS = "between two parts"
    """The service has one part of a message, the next one was not sent, and the file knows of neither."""
    BETWEEN_FILES = "between the two files"
    """A finished message is in the history, and still in the queue."""
    BEFORE_EVENT = "before an event"
    """A change is on disk, and its event was not fired."""
    AFTER_EVENT = "after an event"
    """An event was fired, and the file says that it was not."""
    AFTER_LOAD = "during setup, after loading"
    """The files were read, and there are no entities yet."""
    AFTER_START = "during setup, after starting"
    """The messages of the last run were resumed, and nothing of that is on disk."""

    @property
    def is_in_setup(self) -> bool:
        """Return whether the point is passed once in a run, before all others."""
        return self in {CrashPoint.AFTER_LOAD, CrashPoint.AFTER_START}

    def armed_file(self, folder: Path) -> Path:
        """Return the file that arms this point."""
        return folder / f"{self.name.lower()}.armed"

    def hit_file(self, folder: Path) -> Path:
        """Return the file that reports that this point was hit."""
        return folder / f"{self.name.lower()}.hit"
