"""The ids of repair issues."""

from typing import Final

STORAGE_FAILED: Final = "storage_failed"
