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


@pytest.mark.parametrize("status", [200, 202, 204, 301, 302, 304, 399, 408, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("code", [None, *UNLISTED])
def test_no_client_error_means_maybe_accepted_without_a_known_code(status: int, code: int | None) -> None:
    err = GoSmsApiError(status, code=code)

    assert (err.maybe_accepted, err.is_temporary, err.unauthorized) == (True, True, False)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 414, 418, 422, 451, 499])
@pytest.mark.parametrize("code", UNLISTED)
def test_an_unknown_code_with_a_client_error_is_a_refusal(status: int, code: int) -> None:
    err = GoSmsApiError(status, code=code)

    assert (err.maybe_accepted, err.is_temporary, err.unauthorized) == (False, False, status == 401)


@pytest.mark.parametrize("status", [400, 401, 413, 414, 422])
def test_a_request_that_cannot_succeed_is_refused_without_a_code(status: int) -> None:
    err = GoSmsApiError(status)

    assert (err.maybe_accepted, err.is_temporary, err.unauthorized) == (False, False, status == 401)


@pytest.mark.parametrize("status", [402, 403, 404, 405, 407, 409, 410, 418, 421, 429, 451, 499])
def test_a_client_error_without_a_code_is_temporary(status: int) -> None:
    err = GoSmsApiError(status)

    assert (err.maybe_accepted, err.is_temporary, err.unauthorized) == (False, True, False)


def test_too_many_requests_are_temporary_with_any_unknown_code() -> None:
    assert {GoSmsApiError(429, code=code).is_temporary for code in UNLISTED} == {True}


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
