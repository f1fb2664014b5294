"""The properties of errors."""

import pytest

from custom_components.gosms.api import GoSmsApiError, GoSmsConnectionError, GoSmsError
from simulator import ERROR_TEXTS

# As in the vendor's table; the simulator's own codes below 1000 never go on the wire.
CODES = sorted(code for code in ERROR_TEXTS if code >= 1000)
REFUSALS = [code for code in CODES if code != 1000]
UNLISTED = [0, 999, 1018, 2000, 2010, 3001, 4711]
STATUSES = [200, 201, 204, 302, 400, 401, 403, 404, 408, 429, 500, 502, 503]


def test_every_vendor_code_is_covered() -> None:
    assert set(CODES) == {*range(1000, 1018), *range(2001, 2010), 3000}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_code_means_not_accepted_with_any_status(code: int) -> None:
    errors = [GoSmsApiError(status, code=code) for status in STATUSES]

    assert [(err.code, err.status) for err in errors] == [(code, status) for status in STATUSES]
    assert not any(err.maybe_accepted for err in errors)
    assert {err.unauthorized for err in errors} == {code == 1003}


@pytest.mark.parametrize("status", STATUSES)
def test_code_1000_means_maybe_accepted_with_any_status(status: int) -> None:
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
def test_without_a_known_code_the_status_decides(status: int, *, maybe_accepted: bool) -> None:
    errors = [GoSmsApiError(status, code=code) for code in (None, *UNLISTED)]

    assert {err.maybe_accepted for err in errors} == {maybe_accepted}
    assert {err.unauthorized for err in errors} == {status == 401}


def test_a_request_timeout_status_means_maybe_accepted() -> None:
    assert GoSmsApiError(408).maybe_accepted


@pytest.mark.parametrize("maybe_accepted", [True, False])
def test_a_connection_error_says_whether_it_may_have_been_accepted(*, maybe_accepted: bool) -> None:
    err = GoSmsConnectionError("no answer", maybe_accepted=maybe_accepted)

    assert err.maybe_accepted == maybe_accepted
    assert str(err) == "no answer"


def test_an_api_error_shows_what_the_vendors_support_needs() -> None:
    err = GoSmsApiError(403, code=1005, error_hash="6654a4e8f152", retry_after=3)

    assert str(err) == "HTTP status 403, error code 1005, hash 6654a4e8f152"
    assert (err.error_hash, err.retry_after) == ("6654a4e8f152", 3)


def test_a_generic_error_means_maybe_accepted() -> None:
    assert GoSmsError().maybe_accepted
    assert issubclass(GoSmsApiError, GoSmsError)
    assert issubclass(GoSmsConnectionError, GoSmsError)
