"""Phone numbers as people write them."""

from typing import Any, Final

import pytest

from custom_components.gosms.phone_number import InvalidPhoneNumberError, normalize
from tests.data import table

NUMBERS: Final[dict[str, Any]] = table("numbers")


@pytest.mark.parametrize(
    ("written", "country", "digits"), [row for rows in NUMBERS["accepted"].values() for row in rows]
)
def test_a_number_is_understood_as_people_write_it(written: str, country: str, digits: str) -> None:
    assert normalize(written, country) == digits


@pytest.mark.parametrize(("written", "country", "reason"), NUMBERS["refused"])
def test_what_is_no_number_is_refused_with_the_reason_and_not_quoted(written: str, country: str, reason: str) -> None:
    with pytest.raises(InvalidPhoneNumberError) as error:
        normalize(written, country)
    assert error.value.reason == reason
    assert str(error.value) == reason
    assert error.value.__suppress_context__ or error.value.__context__ is None
