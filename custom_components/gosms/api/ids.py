"""The vendor's ids. Both cases are accepted, and converted to lower case, so that an id is always the same string."""

import re
from typing import Final

_HEX: Final = "[0-9a-fA-F]"
_OBJECT_ID: Final = re.compile(f"{_HEX}{{24}}")
# The ids of phones and webhooks come in both forms.
_UUID: Final = re.compile(f"{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}")


def parse_message_id(value: object) -> str | None:
    """Return the id of a message, 24 hex digits, or None if the value can't be one."""
    return value.lower() if isinstance(value, str) and _OBJECT_ID.fullmatch(value) else None


def parse_vendor_id(value: object) -> str | None:
    """Return the id of a phone or a webhook, 24 hex digits or a UUID, or None if the value can't be one."""
    if isinstance(value, str) and (_OBJECT_ID.fullmatch(value) or _UUID.fullmatch(value)):
        return value.lower()
    return None
