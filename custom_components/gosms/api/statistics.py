"""Statistics of a client's requests: how many, how they ended and how long they took. Nothing of their content."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from .codes import Endpoint
from .exceptions import GoSmsError
from .outcome import OutcomeKind, RequestOutcome

_MILLISECONDS: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class LastError:
    """The last request that failed.

    Attributes:
        time: when it ended.
        outcome: how it ended.
        error: the text of the exception: status, code and the vendor's hash, or the kind of failure.
    """

    time: datetime
    outcome: OutcomeKind
    error: str


@dataclass(kw_only=True, slots=True)
class EndpointStatistics:
    """The requests to one endpoint.

    Attributes:
        outcomes: the number of requests by how they ended.
        total: the duration of all of them together, in milliseconds.
        longest: the longest duration, in milliseconds.
        last: the duration of the last one, in milliseconds.
        last_error: the last one that failed, or None.
    """

    outcomes: Counter[OutcomeKind] = field(default_factory=Counter)
    total: float = 0.0
    longest: float = 0.0
    last: float = 0.0
    last_error: LastError | None = None

    @property
    def mean(self) -> float:
        """Return the average duration in milliseconds, or 0 before the first request has ended."""
        return self.total / (self.outcomes.total() or 1)

    def add(self, outcome: OutcomeKind, milliseconds: float) -> None:
        """Count a request."""
        self.outcomes[outcome] += 1
        self.total += milliseconds
        self.longest = max(self.longest, milliseconds)
        self.last = milliseconds


class Statistics:
    """The requests of one client. Its size does not grow with the number of requests."""

    def __init__(self) -> None:
        """Start without any request."""
        self.since = datetime.now(UTC)
        self._endpoints: dict[Endpoint, EndpointStatistics] = {}

    @property
    def endpoints(self) -> Mapping[Endpoint, EndpointStatistics]:
        """Return the statistics of each endpoint that was called."""
        return self._endpoints

    def add(self, outcome: RequestOutcome) -> None:
        """Count a request that has ended."""
        endpoint = self._endpoints.setdefault(outcome.endpoint, EndpointStatistics())
        endpoint.add(outcome.kind, outcome.duration * _MILLISECONDS)
        if isinstance(outcome.error, GoSmsError):
            endpoint.last_error = LastError(time=datetime.now(UTC), outcome=outcome.kind, error=str(outcome.error))
