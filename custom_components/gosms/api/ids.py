"""The forms of the vendor's ids: read in any case of letters, kept in small ones, so that one id is one text."""

import re
from typing import Final

_HEX: Final = "[0-9a-fA-F]"
_OBJECT_ID: Final = re.compile(f"{_HEX}{{24}}")
# The vendor writes the ids of phones and webhooks in two ways.
_UUID: Final = re.compile(f"{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}")


def read_message_id(value: object) -> str | None:
    """Return the id of a message, 24 hex digits, or None if this can't be one."""
    return value.lower() if isinstance(value, str) and _OBJECT_ID.fullmatch(value) else None


def read_vendor_id(value: object) -> str | None:
    """Return the id of a phone or a webhook, 24 hex digits or a UUID, or None if this can't be one."""
    if isinstance(value, str) and (_OBJECT_ID.fullmatch(value) or _UUID.fullmatch(value)):
        return value.lower()
    return None
