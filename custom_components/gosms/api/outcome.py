"""The outcome of a request, as reported to a listener."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from .codes import Endpoint
from .exceptions import GoSmsApiError, GoSmsError
from .values import Json


class OutcomeKind(StrEnum):
    """The ways in which a request can end."""

    OK = "ok"
    REFUSED = "refused"
    """The service answered with an error that means that nothing was done."""
    FAILED = "failed"
    """The service answered with an error that leaves open whether anything was done."""
    NO_CONNECTION = "no_connection"
    """The request was not sent."""
    NO_ANSWER = "no_answer"
    """The request may have been sent, and there was no response, or none that could be read."""
    GIVEN_UP = "given_up"
    """The caller did not wait for the response."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestOutcome:
    """A request that has ended.

    Attributes:
        endpoint: the endpoint that was called.
        device_id: the phone that the request named, or None.
        begun: when the request was sent, by the event loop's clock in seconds.
        duration: seconds from sending to the end.
        error: why it failed, or None if the service did what was requested. Not a GoSmsError if the caller gave up.
    """

    endpoint: Endpoint
    device_id: str | None
    begun: float
    duration: float
    error: BaseException | None

    @property
    def kind(self) -> OutcomeKind:
        """Return how the request ended."""
        match self.error:
            case None:
                return OutcomeKind.OK
            case GoSmsApiError():
                return OutcomeKind.FAILED if self.error.maybe_accepted else OutcomeKind.REFUSED
            case GoSmsError():
                return OutcomeKind.NO_ANSWER if self.error.maybe_accepted else OutcomeKind.NO_CONNECTION
        return OutcomeKind.GIVEN_UP


type OutcomeListener = Callable[[RequestOutcome], None]


@contextmanager
def report_outcome(listener: OutcomeListener, endpoint: Endpoint, body: Mapping[str, Json] | None) -> Iterator[None]:
    """Call a listener with the outcome of the request that is made inside."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    device_id = (body or {}).get("device_id")
    named_phone = device_id if isinstance(device_id, str) else None

    def report(error: BaseException | None) -> None:
        listener(
            RequestOutcome(endpoint=endpoint, device_id=named_phone, begun=begun, duration=clock() - begun, error=error)
        )

    try:
        yield
    except BaseException as err:
        report(err)
        raise
    report(None)
