"""Phone numbers as users enter them."""

from collections.abc import Iterator
from functools import cache
import re
from typing import Any, Final

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType
import pytest

from custom_components.gosms.phone_number import InvalidPhoneNumberError, clean, normalize, with_plus
from tests.data import table

NUMBERS: Final[dict[str, Any]] = table("numbers")

REGIONS: Final = sorted(phonenumbers.SUPPORTED_REGIONS)
HOMES: Final = ("RU", "KZ", "BY", "DE", "FR", "IT", "EE", "FI", "RS", "TR", "CN", "US", "GB", "UA")
TYPES: Final = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.FIXED_LINE)
REFUSED: Final = ""

# So many digits alone are a short number everywhere, also where a whole number has no more.
SHORT: Final = re.compile(r"[0-9]{1,6}")


@pytest.mark.parametrize(
    ("written", "country", "digits"), [row for rows in NUMBERS["accepted"].values() for row in rows]
)
def test_a_number_is_normalized_from_common_formats(written: str, country: str, digits: str) -> None:
    assert normalize(written, country) == digits


@pytest.mark.parametrize(("written", "country", "reason"), NUMBERS["refused"])
def test_an_invalid_number_is_rejected_with_a_reason_without_quoting_it(
    written: str, country: str, reason: str
) -> None:
    with pytest.raises(InvalidPhoneNumberError) as error:
        normalize(written, country)
    assert error.value.reason == reason
    assert str(error.value) == reason
    assert error.value.__suppress_context__ or error.value.__context__ is None


@pytest.mark.parametrize("written", ["7" * 101, " " * 10_000_000, "mother" * 20], ids=["digits", "blanks", "letters"])
def test_a_text_that_is_too_long_is_not_looked_at(written: str) -> None:
    for read in (clean, lambda number: normalize(number, "RU")):
        with pytest.raises(InvalidPhoneNumberError) as error:
            read(written)
        assert error.value.reason == "phone_number_too_long"


@pytest.mark.parametrize("home", HOMES)
def test_a_saved_number_is_the_same_one_when_it_comes_back(home: str) -> None:
    saved = {digits for rows in NUMBERS["accepted"].values() for _, _, digits in rows}
    assert {digits: read(with_plus(digits), home) for digits in saved} == {digits: digits for digits in saved}
    back = {digits: read(digits, home) for digits in saved}
    assert {digits: number for digits, number in back.items() if number not in {digits, REFUSED}} == {}


def test_a_number_with_its_country_code_is_itself_or_refused() -> None:
    # Each number in a quarter of all countries, each country with a quarter of all numbers.
    written = [
        (digits, home, digits) for place, digits in enumerate(people()) for home in (*REGIONS[place % 4 :: 4], *HOMES)
    ]
    assert others(written) == []
    # 11 % are both, or too likely something else, such as a number in town with one digit too many.
    assert sum(read(digits, home) == REFUSED for digits, home, _ in written) < 0.12 * len(written)


def test_a_number_with_a_plus_is_never_refused() -> None:
    written = [
        (as_written, home, digits)
        for place, (digits, (number, _)) in enumerate(people().items())
        for as_written in (f"+{digits}", formatted(number, PhoneNumberFormat.INTERNATIONAL))
        for home in (*REGIONS[place % 16 :: 16], *HOMES)
    ]
    assert [row for row in written if read(row[0], row[1]) != row[2]] == []


def test_a_number_is_read_as_itself_or_refused_in_its_own_country() -> None:
    numbers = [*people().values(), *(each for person in people().values() for each in neighbors(*person))]
    written = [
        (as_written, region, e164(number))
        for number, region in numbers
        for as_written in ways_at_home(number)
        if not SHORT.fullmatch(as_written)
    ]
    assert others(written) == []


def test_a_number_as_its_country_formats_it_is_hardly_ever_refused() -> None:
    refused = [
        region
        for number, region in people().values()
        if read(formatted(number, PhoneNumberFormat.NATIONAL), region) == REFUSED
    ]
    # "(670) 234-5678" on the Northern Mariana Islands: East Timor groups its numbers in the same way.
    assert refused == ["MP"]


@pytest.mark.parametrize("between", [" ", "  ", "-", ".", "/", ", ", "; ", "\n", " x ", " +", ") ("])
def test_two_numbers_in_one_text_are_refused(between: str) -> None:
    pairs = [
        (f"{formatted(first, as_written)}{between}{formatted(second, PhoneNumberFormat.NATIONAL)}", region)
        for first, region in people().values()
        for second, other_region in people().values()
        for as_written in (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL)
        if other_region == region
    ]
    assert [pair for pair in pairs if read(*pair) != REFUSED] == []


def read(written: str, country: str) -> str:
    """Return a number as digits, or that it is refused."""
    try:
        return normalize(written, country)
    except InvalidPhoneNumberError:
        return REFUSED


@cache
def people() -> dict[str, tuple[PhoneNumber, str]]:
    """Return the numbers that the numbering plans give as examples, and their countries, by their digits."""
    examples = ((phonenumbers.example_number_for_type(region, kind), region) for region in REGIONS for kind in TYPES)
    return {e164(number): (number, region) for number, region in examples if number}


def neighbors(number: PhoneNumber, region: str) -> Iterator[tuple[PhoneNumber, str]]:
    """Yield numbers of the country that begin like another one, as far as they are in use."""
    digits = phonenumbers.national_significant_number(number)
    for kept in range(2, len(digits)):
        for end in ("01234567890123", "23456789012345", "55501985550198", "77123457712345", "98765432109876"):
            neighbor = phonenumbers.parse(f"+{number.country_code}{digits[:kept]}{end[: len(digits) - kept]}")
            if phonenumbers.is_valid_number_for_region(neighbor, region):
                yield neighbor, region


def ways_at_home(number: PhoneNumber) -> set[str]:
    """Return a number as people write it in its country: formatted, as digits alone, and without the trunk prefix."""
    national = formatted(number, PhoneNumberFormat.NATIONAL)
    return {national, re.sub("[^0-9]", "", national), phonenumbers.national_significant_number(number)}


def others(written: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Return what is neither read as the number that is meant nor refused."""
    return [row for row in written if read(row[0], row[1]) not in {row[2], REFUSED}]


def formatted(number: PhoneNumber, way: int) -> str:
    """Return a number as the library writes it."""
    return phonenumbers.format_number(number, way)


def e164(number: PhoneNumber) -> str:
    """Return the digits of a number with its country code."""
    return formatted(number, PhoneNumberFormat.E164).removeprefix("+")
