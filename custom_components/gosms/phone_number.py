"""Phone numbers as people write them, as digits for the service."""

import re
from typing import Final

import phonenumbers

# Short numbers of services and operators belong to no numbering plan that could be looked up.
_SHORT: Final = re.compile(r"[0-9]{3,6}")

# Long enough to hold a country code: digits that make no sense at home may be an international number without its plus.
_INTERNATIONAL: Final = re.compile(r"[0-9]{10,15}")


class InvalidPhoneNumberError(ValueError):
    """A text that is no phone number. Does not quote it."""


def normalize(number: str, country: str) -> str:
    """Return a number as digits with its country code, or as it is if it has 3 to 6 digits.

    Blocks: the first number of a country loads that country's numbering plan from disk.

    Args:
        number: the number as a person wrote it.
        country: where a number without a country code belongs, ISO 3166-1 alpha-2.

    Raises:
        InvalidPhoneNumberError: it is no phone number.
    """
    number = number.strip()
    if _SHORT.fullmatch(number):
        return number
    # The numbering plan here may be older than a number. With the country code written out, a possible number passes
    # too; without it, a digit too few would turn one number into another.
    accept = phonenumbers.is_possible_number if number.startswith("+") else phonenumbers.is_valid_number
    for attempt in [number, f"+{number}"] if _INTERNATIONAL.fullmatch(number) else [number]:
        parsed = _parse(attempt, country)
        if parsed and accept(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
    raise InvalidPhoneNumberError


def _parse(number: str, country: str) -> phonenumbers.PhoneNumber | None:
    """Return what a text may mean as a phone number, or None."""
    try:
        return phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
