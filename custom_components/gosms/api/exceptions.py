"""Errors of a request, classified by what the caller may do next."""

from http import HTTPStatus
from typing import Final

from .codes import ErrorCode, Meaning

# Statuses that mean a refusal even without a code: a proxy would refuse the same request again, and 401 is that of an
# unknown token.
_REFUSALS: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.REQUEST_URI_TOO_LONG,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


class GoSmsError(Exception):
    """A request that did not succeed.

    Attributes:
        maybe_accepted: True if the service may have carried out the request all the same, so that a retry could do it
            twice: look first. False if it is certain that nothing was done.
        is_temporary: True if a later request may succeed without any change.
        retry_after: seconds to wait before the next request, if the service asked for it, or None.
    """

    maybe_accepted: bool = True
    is_temporary: bool = True
    retry_after: int | None = None


class GoSmsConnectionError(GoSmsError):
    """There was no response, or none that can be read."""

    def __init__(self, reason: str, *, maybe_accepted: bool) -> None:
        """Store the reason, which must not quote the request."""
        super().__init__(reason)
        self.maybe_accepted = maybe_accepted


class GoSmsApiError(GoSmsError):
    """The service answered with an error.

    Attributes:
        status: the HTTP status, 100 to 599.
        code: the vendor's error code, or None if the response has none.
        row: the details of the code, or None without a documented code.
        error_hash: the hash that the vendor's support asks for, or None.
    """

    def __init__(
        self,
        status: int,
        *,
        code: int | None = None,
        error_hash: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        """Store the details of the response, except the vendor's text, which may quote the request."""
        super().__init__(f"HTTP status {status}, error code {code}, hash {error_hash}")
        self.status = status
        self.code = code
        known = ErrorCode.find(code)
        self.row = known.row if known else None
        self.error_hash = error_hash
        self.retry_after = retry_after
        # The code decides, whatever the status. Without a documented code, only the status is left to judge by.
        meaning = self.row.meaning if self.row else _meaning_of_status(status, has_code=code is not None)
        self.maybe_accepted = meaning is Meaning.UNKNOWN
        self.is_temporary = meaning is not Meaning.REFUSED

    @property
    def unauthorized(self) -> bool:
        """Return whether the token is unknown to the service, or was deleted."""
        if self.row:
            return self.code == ErrorCode.TOKEN_DELETED
        return self.status == HTTPStatus.UNAUTHORIZED


def _meaning_of_status(status: int, *, has_code: bool) -> Meaning:
    """Return what an HTTP status means for the request.

    Args:
        status: the HTTP status.
        has_code: whether the response has a code of the vendor, which is not a documented one.
    """
    is_client_error = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if not is_client_error or status == HTTPStatus.REQUEST_TIMEOUT:
        return Meaning.UNKNOWN
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Meaning.TEMPORARY
    # Without a code the response is not from the API but from a proxy or a portal, which did not let the request pass.
    return Meaning.REFUSED if has_code or status in _REFUSALS else Meaning.TEMPORARY
