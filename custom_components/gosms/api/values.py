"""Values of the API. Parsing is lenient: what can't be read is None."""

from collections.abc import Mapping
from datetime import UTC, datetime
import re
from typing import Final

from .surrogates import join_surrogates

# Characters. No field of the API is nearly as long; a longer one is truncated.
_MAX_TEXT: Final = 1000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# No message was created earlier, and none was created and no phone reported later. A wrong time is worse than none: it
# would prove that a message is not the one that is looked up. A service whose clock is later is wrong, too. The year
# 9999 can't be converted to every local time.
_EARLIEST: Final = datetime(2001, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

# A character that hides a digit: what is left of a masked number would be another number.
_MASK: Final = re.compile(r"[*•xXхХ#?]")

# What a phone number may contain besides its digits.
_NO_DIGITS: Final = re.compile(r"[^0-9]+")

# An integer as text, and the limit for all integers: a larger one means nothing in this API, and can't be represented
# in JSON for the frontend.
_INTEGER: Final = re.compile(r"(-?[0-9]{1,18})(\.0{1,18})?")
_MAX_INTEGER: Final = 10**18

# Unix time of the years 2001 to 2286 has 10 digits in seconds and 13 in milliseconds. Other numbers may be dates, such
# as 20261014.
_UNIX_TIME: Final = re.compile(r"([1-9][0-9]{9}|[1-9][0-9]{12})(\.[0-9]{1,9})?")

_TRUTH: Final[Mapping[object, bool]] = {"true": True, "false": False, "1": True, "0": False, 1: True, 0: False}

# A value from the network, until it is validated.
type Json = Mapping[str, "Json"] | list["Json"] | str | float | bool | None


def parse_text(value: Json) -> str | None:
    """Return a text that is not empty, or None. A number is converted to text."""
    match value:
        case bool():
            return None
        case str() | int():
            return join_surrogates(str(value)[:_MAX_TEXT]) or None
    return None


def parse_integer(value: Json) -> int | None:
    """Return an integer of at most 18 digits, also from text, or None."""
    if isinstance(value, str):
        return int(found[1]) if (found := _INTEGER.fullmatch(value)) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and value.is_integer():
        return int(value) if abs(value) < _MAX_INTEGER else None
    return None


def parse_digits(number: str) -> str:
    """Return the digits of a phone number, or an empty text if some of them are masked."""
    return "" if _MASK.search(number) else _NO_DIGITS.sub("", number)


def parse_percentage(value: Json) -> int | None:
    """Return an integer percentage, with or without the percent sign, or None."""
    number = parse_integer(value.strip().removesuffix("%").rstrip() if isinstance(value, str) else value)
    return number if number is not None and 0 <= number <= 100 else None  # noqa: PLR2004


def parse_boolean(value: Json) -> bool | None:
    """Return a Boolean, also from a number or text, or None."""
    if isinstance(value, str):
        return _TRUTH.get(value.strip().lower())
    return _TRUTH.get(value) if isinstance(value, int | float) else None


def parse_unix_time(value: Json) -> datetime | None:
    """Return the time of Unix seconds, or None if no message can have been created then."""
    seconds = parse_integer(value)
    if seconds is None or not _EARLIEST.timestamp() <= seconds < LATEST.timestamp():
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _iso_time(value: str) -> datetime | None:
    """Return the time of an ISO 8601 text in UTC, which is also the default time zone, or None if it is not valid."""
    try:
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError, ValueError:
        # The first hours of the year 1 may lie before it in UTC.
        return None


def parse_report_time(value: Json) -> datetime | None:
    """Return when a phone reported, from ISO 8601 or Unix time in seconds or milliseconds, or None if it never did.

    The vendor's own example is in January 1970: seconds that were taken for milliseconds. No phone reported then, so
    such a time is corrected. The epoch and earlier times are how programming languages represent the lack of a time.
    """
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    time = _iso_time(text) if isinstance(value, str) else None
    if found := _UNIX_TIME.fullmatch(text):
        time = datetime.fromtimestamp(float(text) / (1 if len(found[1]) == 10 else 1000), UTC)  # noqa: PLR2004
    if time is None or not _EPOCH < time < LATEST:
        return None
    return time if time.year > _EPOCH.year else _EPOCH + (time - _EPOCH) * 1000
