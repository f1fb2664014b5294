"""What the service accepts in a field; every function returns the value or refuses with the field's code."""

import re
from typing import Final
import unicodedata

from .refusal import Refusal

MESSAGE_LIMIT: Final = 300
PAGE_LIMIT: Final = 100
# The phone's own default, a random one, slot one, slot two.
SIMS: Final = (-2, -1, 0, 1)

_OBJECT_ID: Final = re.compile(r"[0-9a-f]{24}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER: Final = re.compile(r"[0-9]{3,30}")
_QUERY_INTEGER: Final = re.compile(r"[0-9]{1,18}")

# `\p{L}` and `\p{P}`, and white space outside the ASCII control characters.
_ALLOWED_CATEGORIES: Final = ("L", "P", "Z")
# Only the ASCII digits, the symbols that the vendor names, and the control characters that are white space.
_ALLOWED_CHARACTERS: Final = frozenset("0123456789+=$^<>\t\n\v\f\r\x85")


def is_allowed(character: str) -> bool:
    """Whether the vendor lets this character into a message; the backtick falls out by its category Sk."""
    return character in _ALLOWED_CHARACTERS or unicodedata.category(character).startswith(_ALLOWED_CATEGORIES)


def message_text(value: object) -> str:
    """A text of 1 to 300 allowed characters."""
    if not isinstance(value, str) or not 1 <= len(value) <= MESSAGE_LIMIT or not all(map(is_allowed, value)):
        raise Refusal(2002)
    return value


def phone_number(value: object) -> str:
    """From 3 to 30 digits and nothing else."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise Refusal(2001)
    return value


def message_id(value: object) -> str:
    """A message's id: always 24 hex digits."""
    if not isinstance(value, str) or not _OBJECT_ID.fullmatch(value):
        raise Refusal(2003)
    return value


def callback_id(value: object) -> str:
    """A webhook's id, or nothing for every webhook."""
    return _optional_id(value, 2004)


def device_id(value: object) -> str:
    """A phone's id that must be there."""
    found = _optional_id(value, 2005)
    if not found:
        raise Refusal(2005)
    return found


def optional_device_id(value: object) -> str:
    """A phone's id, or nothing for any phone."""
    return _optional_id(value, 2005)


def to_sim(value: object) -> int | None:
    """One of the vendor's SIM numbers, or none; a boolean is no number although Python takes it for one."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value not in SIMS:
        raise Refusal(2008)
    return value


def is_active(value: object) -> bool:
    """A boolean; left out means false."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise Refusal(2009)
    return value


def limit(value: object) -> int:
    """The records on a page, 1 to 100, as a number or as it stands in a query."""
    found = _integer(value, 2006)
    if not 1 <= found <= PAGE_LIMIT:
        raise Refusal(2006)
    return found


def offset(value: object) -> int:
    """The number of the page, the first is 1; left out means the first."""
    found = 1 if value is None else _integer(value, 2007)
    if found < 1:
        raise Refusal(2007)
    return found


def _integer(value: object, code: int) -> int:
    if isinstance(value, str) and _QUERY_INTEGER.fullmatch(value):
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(code)
    return value


def _optional_id(value: object, code: int) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not (_OBJECT_ID.fullmatch(value) or _UUID.fullmatch(value)):
        raise Refusal(code)
    return value
