"""What an error says about what may be done next."""

import pytest

from custom_components.gosms.api import GoSmsApiError, GoSmsConnectionError, GoSmsError
from simulator import TEXTS

# As in the vendor's table; the simulator's own codes below 1000 never go on the wire.
CODES = sorted(code for code in TEXTS if code >= 1000)
REFUSALS = [code for code in CODES if code != 1000]
UNLISTED = [0, 999, 1018, 2000, 2010, 3001, 4711]
STATUSES = [200, 201, 204, 302, 400, 401, 403, 404, 408, 429, 500, 502, 503]


def test_every_code_of_the_vendor_is_judged_here() -> None:
    assert set(CODES) == {*range(1000, 1018), *range(2001, 2010), 3000}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_code_that_says_no_means_no_whatever_the_status(code: int) -> None:
    errors = [GoSmsApiError(status, code=code) for status in STATUSES]

    assert [(err.code, err.status) for err in errors] == [(code, status) for status in STATUSES]
    assert not any(err.maybe_accepted for err in errors)
    assert {err.unauthorized for err in errors} == {code == 1003}


@pytest.mark.parametrize("status", STATUSES)
def test_the_code_for_an_unknown_error_leaves_it_open_whatever_the_status(status: int) -> None:
    err = GoSmsApiError(status, code=1000)

    assert err.maybe_accepted
    assert not err.unauthorized


@pytest.mark.parametrize(
    ("status", "maybe_accepted"),
    [
        (200, True),
        (202, True),
        (204, True),
        (301, True),
        (302, True),
        (304, True),
        (399, True),
        (400, False),
        (401, False),
        (403, False),
        (404, False),
        (413, False),
        (418, False),
        (429, False),
        (499, False),
        (500, True),
        (502, True),
        (503, True),
        (504, True),
        (599, True),
    ],
)
def test_without_a_code_that_is_known_the_status_decides(status: int, *, maybe_accepted: bool) -> None:
    errors = [GoSmsApiError(status, code=code) for code in (None, *UNLISTED)]

    assert {err.maybe_accepted for err in errors} == {maybe_accepted}
    assert {err.unauthorized for err in errors} == {status == 401}


def test_a_request_that_the_service_waited_for_in_vain_may_have_been_accepted() -> None:
    assert GoSmsApiError(408).maybe_accepted


@pytest.mark.parametrize("maybe_accepted", [True, False])
def test_an_error_of_the_line_says_if_the_request_may_have_arrived(*, maybe_accepted: bool) -> None:
    err = GoSmsConnectionError("no answer", maybe_accepted=maybe_accepted)

    assert err.maybe_accepted == maybe_accepted
    assert str(err) == "no answer"


def test_an_error_of_the_service_can_be_told_to_the_vendors_support() -> None:
    err = GoSmsApiError(403, code=1005, error_hash="6654a4e8f152", retry_after=3)

    assert str(err) == "HTTP status 403, error code 1005, hash 6654a4e8f152"
    assert (err.error_hash, err.retry_after) == ("6654a4e8f152", 3)


def test_an_error_that_says_no_more_counts_as_maybe_accepted() -> None:
    assert GoSmsError().maybe_accepted
    assert issubclass(GoSmsApiError, GoSmsError)
    assert issubclass(GoSmsConnectionError, GoSmsError)
