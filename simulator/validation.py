"""Validation of fields; each function returns the valid value or raises ApiError with the code of the field."""

import re
from typing import Final
import unicodedata

from .errors import ApiError

MESSAGE_LIMIT: Final = 300
PAGE_LIMIT: Final = 100
# The phone's default, a random one, slot 1, slot 2.
SIMS: Final = (-2, -1, 0, 1)

_OBJECT_ID: Final = re.compile(r"[0-9a-f]{24}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER: Final = re.compile(r"[0-9]{3,30}")
_QUERY_INTEGER: Final = re.compile(r"[0-9]{1,18}")

# `\p{L}` and `\p{P}`, and white space except ASCII control characters.
_ALLOWED_CATEGORIES: Final = ("L", "P", "Z")
# ASCII digits, the symbols that the vendor lists, and control characters that are white space.
_ALLOWED_CHARACTERS: Final = frozenset("0123456789+=$^<>\t\n\v\f\r\x85")


def is_allowed(character: str) -> bool:
    """Return whether a message may contain this character; the backtick, of category Sk, is not allowed."""
    return character in _ALLOWED_CHARACTERS or unicodedata.category(character).startswith(_ALLOWED_CATEGORIES)


def message_text(value: object) -> str:
    """Return a text of 1 to 300 allowed characters."""
    if not isinstance(value, str) or not 1 <= len(value) <= MESSAGE_LIMIT or not all(map(is_allowed, value)):
        raise ApiError(2002)
    return value


def phone_number(value: object) -> str:
    """Return a number of 3 to 30 digits."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise ApiError(2001)
    return value


def message_id(value: object) -> str:
    """Return the id of a message: 24 hex digits."""
    if not isinstance(value, str) or not _OBJECT_ID.fullmatch(value):
        raise ApiError(2003)
    return value


def callback_id(value: object) -> str:
    """Return the id of a webhook, or an empty text for all webhooks."""
    return _optional_id(value, 2004)


def device_id(value: object) -> str:
    """Return the id of a phone, which is required."""
    found = _optional_id(value, 2005)
    if not found:
        raise ApiError(2005)
    return found


def optional_device_id(value: object) -> str:
    """Return the id of a phone, or an empty text for any phone."""
    return _optional_id(value, 2005)


def to_sim(value: object) -> int | None:
    """Return one of the vendor's SIM numbers, or None; a boolean is not a number, unlike in Python."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value not in SIMS:
        raise ApiError(2008)
    return value


def is_active(value: object) -> bool:
    """Return a boolean, or False if it is missing."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise ApiError(2009)
    return value


def limit(value: object) -> int:
    """Return the size of a page, 1 to 100, from a number or a query string."""
    found = _integer(value, 2006)
    if not 1 <= found <= PAGE_LIMIT:
        raise ApiError(2006)
    return found


def offset(value: object) -> int:
    """Return the number of a page, from 1, or 1 if it is missing."""
    found = 1 if value is None else _integer(value, 2007)
    if found < 1:
        raise ApiError(2007)
    return found


def _integer(value: object, code: int) -> int:
    if isinstance(value, str) and _QUERY_INTEGER.fullmatch(value):
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ApiError(code)
    return value


def _optional_id(value: object, code: int) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not (_OBJECT_ID.fullmatch(value) or _UUID.fullmatch(value)):
        raise ApiError(code)
    return value
