"""What a client counts of its requests: how many, how they outcome, how long they took; nothing of their content."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
import time
from typing import Final

from .codes import Endpoint
from .exceptions import GoSmsApiError, GoSmsError

_MILLISECONDS: Final = 1000


class Outcome(StrEnum):
    """How a request outcome."""

    OK = "ok"
    REFUSED = "refused"
    """The service answered with an error that says that nothing was done."""
    FAILED = "failed"
    """The service answered with an error that says nothing of what was done."""
    NO_CONNECTION = "no_connection"
    """The request did not leave."""
    NO_ANSWER = "no_answer"
    """The request may have left, and no answer came, or none that can be read."""
    GIVEN_UP = "given_up"
    """Whoever asked did not wait for the end."""

    @classmethod
    def of(cls, err: GoSmsError) -> Outcome:
        """Return how a request outcome that failed with this error."""
        if isinstance(err, GoSmsApiError):
            return cls.FAILED if err.maybe_accepted else cls.REFUSED
        return cls.NO_ANSWER if err.maybe_accepted else cls.NO_CONNECTION


@dataclass(frozen=True, kw_only=True, slots=True)
class LastError:
    """A request that failed.

    Attributes:
        time: when it outcome.
        outcome: what that means for the request.
        error: what happened, as the exception says it: status, code and the vendor's hash, or the kind of failure.
    """

    time: datetime
    outcome: Outcome
    error: str


@dataclass(kw_only=True, slots=True)
class EndpointStatistics:
    """The requests to one endpoint.

    Attributes:
        outcomes: how many outcome in which way.
        total: milliseconds that all of them took together, from leaving to the end.
        longest: milliseconds that the slowest took.
        last: milliseconds that the newest took.
        last_error: the newest that failed, or None.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    total: float = 0.0
    longest: float = 0.0
    last: float = 0.0
    last_error: LastError | None = None

    @property
    def mean(self) -> float:
        """Return the milliseconds that one took on average, 0 before the first outcome."""
        return self.total / (self.outcomes.total() or 1)

    def add(self, outcome: Outcome, milliseconds: float) -> None:
        """Count a request that outcome."""
        self.outcomes[outcome] += 1
        self.total += milliseconds
        self.longest = max(self.longest, milliseconds)
        self.last = milliseconds


class Statistics:
    """The requests of one client, in as much memory as it has endpoints, however long it runs."""

    def __init__(self) -> None:
        """Start with no request."""
        self.since = datetime.now(UTC)
        self._endpoints: dict[Endpoint, EndpointStatistics] = {}

    @property
    def endpoints(self) -> Mapping[Endpoint, EndpointStatistics]:
        """Return what was counted, by endpoint."""
        return self._endpoints

    @contextmanager
    def measure(self, endpoint: Endpoint) -> Iterator[None]:
        """Measure a request, from leaving to its end."""
        counted = self._endpoints.setdefault(endpoint, EndpointStatistics())
        begun = time.perf_counter()
        outcome = Outcome.GIVEN_UP
        try:
            yield
            outcome = Outcome.OK
        except GoSmsError as err:
            outcome = Outcome.of(err)
            counted.last_error = LastError(time=datetime.now(UTC), outcome=outcome, error=str(err))
            raise
        finally:
            counted.add(outcome, (time.perf_counter() - begun) * _MILLISECONDS)
