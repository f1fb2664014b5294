"""The moments at which a house can be killed by name, and the files that tell of them."""

from enum import StrEnum
from pathlib import Path
from typing import Final

# In the house's folder.
FOLDER: Final = "saboteur"
EVENTS: Final = "events.jsonl"


class Point(StrEnum):
    """A moment in the way of a message, by what people call it."""

    BEFORE_WRITE = "before the write"
    """A message was taken and is in memory only."""
    WITHIN_WRITE = "within a write"
    """A line of a file is half written."""
    AFTER_WRITE = "after the write"
    """The file says that a request may be under way, and none has left."""
    AFTER_REQUEST = "after the request"
    """The request has left, and its answer was not read."""
    BEFORE_SAVING = "before the answer is saved"
    """The service took the message, the caller was told so, and the file does not know."""
    BETWEEN_PARTS = "between two parts"
    """The service has a part of a message, the next one has not left, and the file knows of neither."""
    BETWEEN_FILES = "between the two files"
    """The ledger has a message that ended, and the file of the messages has it too."""
    BEFORE_TELLING = "between saving and telling"
    """Something is on disk that no automation has heard of."""
    AFTER_TELLING = "after telling"
    """Automations have heard of something, and the file says that they have not."""
    LOADING = "during set-up, after reading"
    """The files were read, and there are no entities yet."""
    STARTING = "during set-up, after starting"
    """What an earlier run left has been taken up, and nothing of that is on disk."""

    @property
    def is_in_set_up(self) -> bool:
        """Tell if the moment passes once in a run, before all others."""
        return self in {Point.LOADING, Point.STARTING}

    def armed(self, folder: Path) -> Path:
        """Return the file that asks for a kill at this moment."""
        return folder / f"{self.name.lower()}.armed"

    def struck(self, folder: Path) -> Path:
        """Return the file that tells that it happened."""
        return folder / f"{self.name.lower()}.struck"
