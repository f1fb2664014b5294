"""The named points at which Home Assistant can be killed, and the files that arm and report them."""

from enum import StrEnum
from pathlib import Path
from typing import Final

# In the configuration folder.
FOLDER: Final = "crash_injector"
EVENTS: Final = "events.jsonl"

# In the folder of the crash points: while it is there, the disk takes nothing.
FULL_DISK: Final = "full_disk"
# Likewise: the boot that the next start belongs to, and the error of its clock.
BOOT: Final = "boot.json"


class CrashPoint(StrEnum):
    """A point in the life of a message, by the name that the console shows."""

    BEFORE_COMMIT = "before a commit"
    """A message came from its caller and is in memory only."""
    WITHIN_COMMIT = "within a commit"
    """A transaction is half on its way to the disk."""
    AFTER_COMMIT = "after a commit"
    """The disk says that a request may be under way, and none was sent."""
    AFTER_REQUEST = "after the request"
    """The request was sent, and its response was not read."""
    BEFORE_ACCEPTED_COMMIT = "before the response is saved"
    """The service accepted the message, and the disk does not know."""
    BETWEEN_PARTS = "between two parts"
    """The service has one part of a message, the next one was not sent, and the disk knows of neither."""
    BEFORE_EVENT = "before an event"
    """A change is on disk, and its event was not fired."""
    AFTER_EVENT = "after an event"
    """An event was fired, and the disk says that it was not."""
    WITHIN_CHECKPOINT = "within a checkpoint"
    """The log of the database is being moved into its main file."""
    WITHIN_RELOAD = "within a reload"
    """The account was unloaded, and is not loaded again."""
    AFTER_SIGTERM = "50 ms after SIGTERM"
    """Home Assistant is stopping."""
    WITHIN_LOAD = "during setup, while loading"
    """What the last run stored is being read."""
    AFTER_START = "during setup, after starting"
    """The messages of the last run were resumed, and nothing of that is on disk."""

    @property
    def is_in_setup(self) -> bool:
        """Return whether the point is passed once in a run, before all others."""
        return self in {CrashPoint.WITHIN_LOAD, CrashPoint.AFTER_START}

    def armed_file(self, folder: Path) -> Path:
        """Return the file that arms this point."""
        return folder / f"{self.name.lower()}.armed"

    def hit_file(self, folder: Path) -> Path:
        """Return the file that reports that this point was hit."""
        return folder / f"{self.name.lower()}.hit"
