"""What can go wrong with a request, told by what the caller may do next."""

from http import HTTPStatus
from typing import Final

# The one vendor code that says nothing about what became of the request.
UNKNOWN_ERROR: Final = 1000

# Every other code that the vendor documents says that the request was refused.
REFUSALS: Final = frozenset({*range(1001, 1018), *range(2001, 2010), 3000})


# The instance of the API that the token belongs to was deleted, and the token with it.
TOKEN_DELETED: Final = 1003


class GoSmsError(Exception):
    """A request that did not succeed.

    Attributes:
        maybe_accepted: True if the service may have carried the request out all the same, so that asking again
            could do it twice: look first. False if it is certain that nothing was done.
        is_temporary: True if time alone may cure it.
    """

    maybe_accepted: bool = True
    is_temporary: bool = True


class GoSmsConnectionError(GoSmsError):
    """No answer, or none that can be read."""

    def __init__(self, reason: str, *, maybe_accepted: bool) -> None:
        """Store the reason: what happened, without anything of the request's content."""
        super().__init__(reason)
        self.maybe_accepted = maybe_accepted


class GoSmsApiError(GoSmsError):
    """The service answered with an error.

    Attributes:
        status: the HTTP status, 100 to 599.
        code: the vendor's error code, or None if the answer carried none.
        error_hash: what the vendor's support asks for, or None.
        retry_after: seconds to wait before the next request, as the service asked, or None.
    """

    def __init__(
        self,
        status: int,
        *,
        code: int | None = None,
        error_hash: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Store what the answer said, except the vendor's text, which may quote the request."""
        super().__init__(f"HTTP status {status}, error code {code}, hash {error_hash}")
        self.status = status
        self.code = code
        self.error_hash = error_hash
        self.retry_after = retry_after
        self.maybe_accepted = code not in REFUSALS and (
            code == UNKNOWN_ERROR
            or status == HTTPStatus.REQUEST_TIMEOUT
            or not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        )
        self.is_temporary = self.maybe_accepted or (code not in REFUSALS and status == HTTPStatus.TOO_MANY_REQUESTS)

    @property
    def unauthorized(self) -> bool:
        """Tell if the service does not know the token (any more)."""
        if self.code in REFUSALS or self.code == UNKNOWN_ERROR:
            return self.code == TOKEN_DELETED
        # Without a code that is known, the HTTP status is all there is to go by.
        return self.status == HTTPStatus.UNAUTHORIZED
