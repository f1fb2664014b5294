"""Phone numbers as people write them, as digits for the service."""

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

# No number needs so many characters, however it is written.
_MAX_LENGTH: Final = 100

# Short numbers of services and operators belong to no numbering plan that could be looked up.
_SHORT: Final = re.compile(r"[0-9]{3,6}")

# A number that was copied from a list of contacts brings marks along that say in which direction it is read.
_INVISIBLE: Final = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")

# The beginning of a link to a number, RFC 3966.
_SCHEME: Final = re.compile(r"\Atel:", re.IGNORECASE)

_FULL_WIDTH: Final = str.maketrans("\uff0b\uff08\uff09\uff0d\uff0e", "+()-.")

# All that a number may consist of. What is not in here is refused, not dropped: a letter may announce an extension, a
# slash, a comma or a line end a second number.
_BETWEEN_DIGITS: Final = r"[ \t\u00a0\u2000-\u200a\u202f\u3000().\-\u2010-\u2015\u2212]*"
_WRITTEN: Final = re.compile(rf"[ (]*(?P<plus>\+*)[ (]*(?P<digits>[0-9](?:{_BETWEEN_DIGITS}[0-9])*)\)?[.,;]?")

# A number that went through arithmetic: the digits after the point do not belong to it.
_DECIMAL: Final = re.compile(r"[^.]*\.[0-9]+")

# With the country code. Below the minimum, digits without a plus are too likely a local number without its area code.
_MIN_INTERNATIONAL: Final = 10
_MAX_INTERNATIONAL: Final = 15

# Ukraine's trunk prefix was 8 until 2009, and many still write it before the 0 of today.
_FORMER_UKRAINIAN: Final = re.compile(r"\A8(?=0[0-9]{9}\Z)")

_MOBILE: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})

_AMBIGUOUS: Final = "ambiguous_phone_number"
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


def clean(number: str) -> str:
    """Return a number without what is around it and what is invisible in it, its digits and plus in ASCII.

    Raises:
        InvalidPhoneNumberError: it is too long to be looked at.
    """
    if len(number) > _MAX_LENGTH:
        raise InvalidPhoneNumberError(_TOO_LONG)
    number = _SCHEME.sub("", _INVISIBLE.sub("", number).strip()).translate(_FULL_WIDTH)
    return re.sub(r"\d", lambda digit: str(int(digit[0])), number)


def with_plus(digits: str) -> str:
    """Return a normalized number as it is written internationally; a short number has no country code."""
    return digits if _SHORT.fullmatch(digits) else f"+{digits}"


def normalize(number: str, country: str) -> str:
    """Return a number as digits with its country code, or as it is if it has 3 to 6 digits.

    Blocks: the first number of a country loads that country's numbering plan from disk.

    Args:
        number: the number as a person wrote it.
        country: where a number without a country code belongs, ISO 3166-1 alpha-2.

    Raises:
        InvalidPhoneNumberError: it is no phone number, or may be one of two.
    """
    number = clean(number)
    if _SHORT.fullmatch(number):
        return number
    written = _WRITTEN.fullmatch(number)
    if written is None or _DECIMAL.fullmatch(written["digits"]):
        raise InvalidPhoneNumberError(_INVALID)
    groups = _groups(written["digits"])
    return _e164(_read_with_plus(groups, country) if written["plus"] else _read_without_plus(groups, country))


def _read_with_plus(groups: list[str], country: str) -> PhoneNumber:
    """Return the number that begins with its country code.

    A possible number passes too, since the numbering plan here may be older than the number. Without a country code,
    that would turn a number with a digit too few into another one.
    """
    international = [f"+{groups[0]}", *groups[1:]]
    found = _parse("".join(international), country)
    if not phonenumbers.is_valid_number(found) and _are_two_numbers(international, country):
        raise InvalidPhoneNumberError(_TOO_LONG)
    return found


def _read_without_plus(groups: list[str], country: str) -> PhoneNumber:
    """Return the number that is meant by digits that may begin with a country code or not."""
    digits = "".join(groups)
    abroad = _read_abroad(digits, country)
    try:
        home = _read_at_home(digits, country)
    except InvalidPhoneNumberError:
        may_be_abroad = _may_lack_plus(digits, country) and not _are_two_numbers(groups, country)
        if abroad and phonenumbers.is_valid_number(abroad) and may_be_abroad:
            return abroad
        raise
    return _choose(groups, home, abroad) if abroad and abroad != home else home


def _choose(groups: list[str], home: PhoneNumber, abroad: PhoneNumber) -> PhoneNumber:
    """Return which number is meant by digits of one that is in use at home and of a possible one of another country."""
    digits = "".join(groups)
    national = _groups(phonenumbers.format_number(home, PhoneNumberFormat.NATIONAL))
    international = _groups(phonenumbers.format_number(abroad, PhoneNumberFormat.INTERNATIONAL))
    abroad_type = phonenumbers.number_type(abroad)
    # Where the trunk prefix is a 0, nobody leaves it out. An 8 or a 1 is often left out.
    if "".join(national) == f"0{digits}" and len(digits) >= _MIN_INTERNATIONAL:
        if phonenumbers.number_type(home) == PhoneNumberType.FIXED_LINE and abroad_type in _MOBILE:
            return abroad
    elif abroad_type == PhoneNumberType.UNKNOWN:
        # It is in no range that is in use.
        return home
    elif len(groups) > 1 and groups == national[-len(groups) :] and groups != international:
        # Grouped as only the home does it, with or without the trunk prefix.
        return home
    raise InvalidPhoneNumberError(_AMBIGUOUS)


def _read_at_home(digits: str, country: str) -> PhoneNumber:
    """Return the number that is dialed like this in a country, if it is in use."""
    if country == "UA":
        digits = _FORMER_UKRAINIAN.sub("", digits)
    parsed = _parse(digits, country)
    if not phonenumbers.is_valid_number(parsed):
        raise InvalidPhoneNumberError(_NOT_IN_USE)
    return parsed


def _read_abroad(digits: str, country: str) -> PhoneNumber | None:
    """Return the number that begins with its country code, with or without 00, if it is a possible one."""
    international = digits.removeprefix("00")
    try:
        parsed = _parse(f"+{international}", country)
    except InvalidPhoneNumberError:
        return None
    # Without a plus, a trunk prefix after the country code is a sign that this is no country code.
    return parsed if _e164(parsed) == international else None


def _may_lack_plus(digits: str, country: str) -> bool:
    """Return whether a number can begin with a country code: it must not begin as a long-distance call at home does."""
    if digits.startswith("00"):
        return True
    long_distance = phonenumbers.ndd_prefix_for_region(country, strip_non_digits=True) or "0"
    return len(digits) >= _MIN_INTERNATIONAL and not digits.startswith(long_distance)


def _are_two_numbers(groups: list[str], country: str) -> bool:
    """Return whether a number ends between two groups, and another one begins."""
    return any(
        _is_at_home("".join(groups[:end]), country) and _is_at_home("".join(groups[end:]), country)
        for end in range(1, len(groups))
    )


def _is_at_home(digits: str, country: str) -> bool:
    """Return whether a number can be dialed like this in a country."""
    try:
        _read_at_home(digits, country)
    except InvalidPhoneNumberError:
        return False
    return True


def _parse(number: str, country: str) -> PhoneNumber:
    """Return a number if it is a possible one of its country."""
    try:
        parsed = phonenumbers.parse(number, country)
    except NumberParseException as err:
        raise InvalidPhoneNumberError(_UNREADABLE[err.error_type]) from None
    if (length := phonenumbers.is_possible_number_with_reason(parsed)) != ValidationResult.IS_POSSIBLE:
        raise InvalidPhoneNumberError(_IMPOSSIBLE[length])
    if len(_e164(parsed)) > _MAX_INTERNATIONAL:
        raise InvalidPhoneNumberError(_TOO_LONG)
    return parsed


def _e164(number: PhoneNumber) -> str:
    """Return a number as digits with its country code."""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")


def _groups(number: str) -> list[str]:
    """Return the digits of a number as they are set apart."""
    return re.findall(r"[0-9]+", number)
