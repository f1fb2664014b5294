"""Phone numbers as people write them, as digits for the service."""

from contextlib import suppress
import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

# Short numbers of services and operators belong to no numbering plan that could be looked up.
_SHORT: Final = re.compile(r"[0-9]{3,6}")

# A number that was copied from a list of contacts brings marks along that say in which direction it is read.
_INVISIBLE: Final = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")

# With a country code in it, and no longer than a number of any country.
_INTERNATIONAL: Final = range(10, 16)

_INVALID: Final = "invalid_phone_number"
_TOO_SHORT: Final = "phone_number_too_short"
_TOO_LONG: Final = "phone_number_too_long"
_UNKNOWN_COUNTRY: Final = "unknown_country_code"
_NOT_IN_USE: Final = "phone_number_not_in_use"

# What the library calls a text that it can't read.
_UNREADABLE: Final = {
    NumberParseException.INVALID_COUNTRY_CODE: _UNKNOWN_COUNTRY,
    NumberParseException.NOT_A_NUMBER: _INVALID,
    NumberParseException.TOO_SHORT_AFTER_IDD: _TOO_SHORT,
    NumberParseException.TOO_SHORT_NSN: _TOO_SHORT,
    NumberParseException.TOO_LONG: _TOO_LONG,
}
# What it calls a number that its country can't have. One that can be dialled only in its town lacks the area code.
_IMPOSSIBLE: Final = {
    ValidationResult.INVALID_COUNTRY_CODE: _UNKNOWN_COUNTRY,
    ValidationResult.INVALID_LENGTH: _NOT_IN_USE,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: _TOO_SHORT,
    ValidationResult.TOO_LONG: _TOO_LONG,
    ValidationResult.TOO_SHORT: _TOO_SHORT,
}


class InvalidPhoneNumberError(ValueError):
    """A text that is no phone number. Does not quote it.

    Attributes:
        reason: the translation key of what is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def normalize(number: str, country: str) -> str:
    """Return a number as digits with its country code, or as it is if it has 3 to 6 digits.

    Blocks: the first number of a country loads that country's numbering plan from disk.

    Args:
        number: the number as a person wrote it.
        country: where a number without a country code belongs, ISO 3166-1 alpha-2.

    Raises:
        InvalidPhoneNumberError: it is no phone number.
    """
    number = _INVISIBLE.sub("", number).strip()
    if _SHORT.fullmatch(number):
        return number
    # The numbering plan here may be older than a number. With the country code written out, a possible number passes
    # too; without it, a digit too few would turn one number into another.
    if number.startswith("+"):
        return _digits(number, country, in_use=False)
    try:
        return _digits(number, country, in_use=True)
    except InvalidPhoneNumberError:
        # What makes no sense at home may be an international number without its plus.
        if _may_lack_plus(number, country):
            with suppress(InvalidPhoneNumberError):
                return _digits(f"+{number}", country, in_use=True)
        raise


def _may_lack_plus(number: str, country: str) -> bool:
    """Tell if a number can begin with a country code: it must not begin as a long-distance call at home does."""
    digits = phonenumbers.normalize_digits_only(number)
    long_distance = phonenumbers.ndd_prefix_for_region(country, strip_non_digits=True) or "0"
    return len(digits) in _INTERNATIONAL and not digits.startswith(long_distance)


def _digits(number: str, country: str, *, in_use: bool) -> str:
    """Return a number as digits if it is a possible one, and if asked for, one of a range that is in use."""
    try:
        parsed = phonenumbers.parse(number, country)
    except NumberParseException as err:
        raise InvalidPhoneNumberError(_UNREADABLE[err.error_type]) from None
    if (length := phonenumbers.is_possible_number_with_reason(parsed)) != ValidationResult.IS_POSSIBLE:
        raise InvalidPhoneNumberError(_IMPOSSIBLE[length])
    if parsed.extension:
        # No SMS reaches somebody behind a switchboard.
        raise InvalidPhoneNumberError(_INVALID)
    if in_use and not phonenumbers.is_valid_number(parsed):
        raise InvalidPhoneNumberError(_NOT_IN_USE)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
