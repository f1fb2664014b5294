"""Parsing of phone numbers as people write them into digits for the service. Pure."""

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

# Characters. No notation of a number needs as many.
_MAX_LENGTH: Final = 100

# Short numbers of services and operators are not part of a numbering plan that could be looked up.
_SHORT_NUMBER: Final = re.compile(r"[0-9]{3,6}")

_EMERGENCY_LENGTH: Final = 3

# A number that was copied from a list of contacts may include marks of its writing direction.
_INVISIBLE: Final = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")

# The beginning of a link to a number, RFC 3966.
_SCHEME: Final = re.compile(r"\Atel:", re.IGNORECASE)

_FULL_WIDTH: Final = str.maketrans("\uff0b\uff08\uff09\uff0d\uff0e", "+()-.")

# All characters of a number. Others are refused, not dropped: a letter may announce an extension, and a slash, a
# comma or a line end may separate two numbers.
_BETWEEN_DIGITS: Final = r"[ \t\u00a0\u2000-\u200a\u202f\u3000().\-\u2010-\u2015\u2212]*"
_NOTATION: Final = re.compile(rf"[ (]*(?P<plus>\+*)[ (]*(?P<digits>[0-9](?:{_BETWEEN_DIGITS}[0-9])*)\)?[.,;]?")

# The result of arithmetic: the digits after the point do not belong to the number.
_DECIMAL: Final = re.compile(r"[^.]*\.[0-9]+")

# Digits with the country code. With fewer, a number without a plus may well be a local one without its area code.
_MIN_INTERNATIONAL: Final = 10
_MAX_INTERNATIONAL: Final = 15

# The trunk prefix of Ukraine was 8 until 2009, and many people still write it before the 0 of today.
_FORMER_UKRAINIAN: Final = re.compile(r"\A8(?=0[0-9]{9}\Z)")

_MOBILE: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})

_AMBIGUOUS: Final = "ambiguous_phone_number"
_INVALID: Final = "invalid_phone_number"
_TOO_SHORT: Final = "phone_number_too_short"
_TOO_LONG: Final = "phone_number_too_long"
_UNKNOWN_COUNTRY: Final = "unknown_country_code"
_NOT_IN_USE: Final = "phone_number_not_in_use"

# Reasons for the errors of the library.
_PARSE_ERRORS: Final = {
    NumberParseException.INVALID_COUNTRY_CODE: _UNKNOWN_COUNTRY,
    NumberParseException.NOT_A_NUMBER: _INVALID,
    NumberParseException.TOO_SHORT_AFTER_IDD: _TOO_SHORT,
    NumberParseException.TOO_SHORT_NSN: _TOO_SHORT,
    NumberParseException.TOO_LONG: _TOO_LONG,
}
# Reasons for numbers that are not possible in their country. One that is possible only locally lacks the area code.
_LENGTH_ERRORS: Final = {
    ValidationResult.INVALID_COUNTRY_CODE: _UNKNOWN_COUNTRY,
    ValidationResult.INVALID_LENGTH: _NOT_IN_USE,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: _TOO_SHORT,
    ValidationResult.TOO_LONG: _TOO_LONG,
    ValidationResult.TOO_SHORT: _TOO_SHORT,
}


class InvalidPhoneNumberError(ValueError):
    """A text is not a valid phone number. The error does not quote it.

    Attributes:
        reason: the translation key of the reason.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def clean(number: str) -> str:
    """Return a number without surrounding and invisible characters, its digits and plus sign in ASCII.

    Raises:
        InvalidPhoneNumberError: it is too long.
    """
    if len(number) > _MAX_LENGTH:
        raise InvalidPhoneNumberError(_TOO_LONG)
    number = _SCHEME.sub("", _INVISIBLE.sub("", number).strip()).translate(_FULL_WIDTH)
    return re.sub(r"\d", lambda digit: str(int(digit[0])), number)


def with_plus(digits: str) -> str:
    """Return a normalized number in international notation. A short number has no country code."""
    return digits if _SHORT_NUMBER.fullmatch(digits) else f"+{digits}"


def ending(digits: str) -> str:
    """Return the end of a normalized number, by which people who know it recognize it, such as `…67-89`."""
    return f"…{digits[-2:]}" if _SHORT_NUMBER.fullmatch(digits) else f"…{digits[-4:-2]}-{digits[-2:]}"


def may_be_emergency_number(digits: str) -> bool:
    """Return whether a normalized number has three digits, as 112 and most emergency numbers have."""
    return len(digits) == _EMERGENCY_LENGTH


def normalize(number: str, country: str) -> str:
    """Return a number as digits with its country code, or as it is if it has 3 to 6 digits.

    Blocking: the first number of a country loads its numbering plan from disk.

    Args:
        number: the number as a person wrote it.
        country: the country of a number without a country code, ISO 3166-1 alpha-2.

    Raises:
        InvalidPhoneNumberError: it is not a valid phone number, or it is ambiguous.
    """
    number = clean(number)
    if _SHORT_NUMBER.fullmatch(number):
        return number
    match = _NOTATION.fullmatch(number)
    if match is None or _DECIMAL.fullmatch(match["digits"]):
        raise InvalidPhoneNumberError(_INVALID)
    groups = _digit_groups(match["digits"])
    return _e164(_parse_with_plus(groups, country) if match["plus"] else _parse_without_plus(groups, country))


def _parse_with_plus(groups: list[str], country: str) -> PhoneNumber:
    """Return the number whose digits begin with the country code.

    A number that is possible but not valid passes too, since the numbering plan may be older than the number. Without a
    country code this would turn a number that lacks a digit into another number.
    """
    international = [f"+{groups[0]}", *groups[1:]]
    parsed = _parse("".join(international), country)
    if not phonenumbers.is_valid_number(parsed) and _are_two_numbers(international, country):
        raise InvalidPhoneNumberError(_TOO_LONG)
    return parsed


def _parse_without_plus(groups: list[str], country: str) -> PhoneNumber:
    """Return the number whose digits may or may not begin with a country code."""
    digits = "".join(groups)
    international = _parse_international(digits, country)
    try:
        national = _parse_national(digits, country)
    except InvalidPhoneNumberError:
        may_be_international = _may_lack_plus(digits, country) and not _are_two_numbers(groups, country)
        if international and phonenumbers.is_valid_number(international) and may_be_international:
            return international
        raise
    if international and international != national:
        return _disambiguate(groups, national, international)
    return national


def _disambiguate(groups: list[str], national: PhoneNumber, international: PhoneNumber) -> PhoneNumber:
    """Return which of two numbers with the same digits is meant: a valid national or a possible international one."""
    digits = "".join(groups)
    national_groups = _digit_groups(phonenumbers.format_number(national, PhoneNumberFormat.NATIONAL))
    international_groups = _digit_groups(phonenumbers.format_number(international, PhoneNumberFormat.INTERNATIONAL))
    international_type = phonenumbers.number_type(international)
    # A trunk prefix 0 is never left out. An 8 or a 1 often is.
    if "".join(national_groups) == f"0{digits}" and len(digits) >= _MIN_INTERNATIONAL:
        if phonenumbers.number_type(national) == PhoneNumberType.FIXED_LINE and international_type in _MOBILE:
            return international
    elif international_type == PhoneNumberType.UNKNOWN:
        # No range of the other country contains it.
        return national
    elif len(groups) > 1 and groups == national_groups[-len(groups) :] and groups != international_groups:
        # The grouping is that of the national number only, with or without the trunk prefix.
        return national
    raise InvalidPhoneNumberError(_AMBIGUOUS)


def _parse_national(digits: str, country: str) -> PhoneNumber:
    """Return the valid number that is dialed with these digits within a country."""
    if country == "UA":
        digits = _FORMER_UKRAINIAN.sub("", digits)
    parsed = _parse(digits, country)
    if not phonenumbers.is_valid_number(parsed):
        raise InvalidPhoneNumberError(_NOT_IN_USE)
    return parsed


def _parse_international(digits: str, country: str) -> PhoneNumber | None:
    """Return the possible number whose digits begin with the country code, with or without 00, or None."""
    international = digits.removeprefix("00")
    try:
        parsed = _parse(f"+{international}", country)
    except InvalidPhoneNumberError:
        return None
    # Without a plus, a trunk prefix after the supposed country code shows that it is not one.
    return parsed if _e164(parsed) == international else None


def _may_lack_plus(digits: str, country: str) -> bool:
    """Return whether digits can begin with a country code, which a trunk prefix other than 00 rules out."""
    if digits.startswith("00"):
        return True
    trunk_prefix = phonenumbers.ndd_prefix_for_region(country, strip_non_digits=True) or "0"
    return len(digits) >= _MIN_INTERNATIONAL and not digits.startswith(trunk_prefix)


def _are_two_numbers(groups: list[str], country: str) -> bool:
    """Return whether the groups are those of two national numbers, one after the other."""
    return any(
        _is_national("".join(groups[:end]), country) and _is_national("".join(groups[end:]), country)
        for end in range(1, len(groups))
    )


def _is_national(digits: str, country: str) -> bool:
    """Return whether digits are a valid number within a country."""
    try:
        _parse_national(digits, country)
    except InvalidPhoneNumberError:
        return False
    return True


def _parse(number: str, country: str) -> PhoneNumber:
    """Return a number that is possible in its country.

    Raises:
        InvalidPhoneNumberError: it is not.
    """
    try:
        parsed = phonenumbers.parse(number, country)
    except NumberParseException as err:
        raise InvalidPhoneNumberError(_PARSE_ERRORS[err.error_type]) from None
    if (length := phonenumbers.is_possible_number_with_reason(parsed)) != ValidationResult.IS_POSSIBLE:
        raise InvalidPhoneNumberError(_LENGTH_ERRORS[length])
    if len(_e164(parsed)) > _MAX_INTERNATIONAL:
        raise InvalidPhoneNumberError(_TOO_LONG)
    return parsed


def _e164(number: PhoneNumber) -> str:
    """Return a number as digits with its country code."""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")


def _digit_groups(number: str) -> list[str]:
    """Return the groups of digits in a number."""
    return re.findall(r"[0-9]+", number)
