"""The faults of the service and of the connection, and the rules by which they are injected."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from .models import SeededRandom

ENDPOINTS: Final = (
    "POST /sms/send",
    "POST /sms/get",
    "DELETE /sms/del",
    "GET /sms",
    "POST /devices/get/info",
    "POST /devices/edit",
)


class Fault(StrEnum):
    """A kind of fault.

    BEFORE and AFTER are relative to the handling of the request: the service has accepted a message, or not.
    """

    # Faults of the connection.
    SLOW = auto()
    REFUSE = auto()
    CUT_BEFORE = auto()
    CUT_AFTER = auto()
    CUT_WITHIN = auto()
    HANG_BEFORE = auto()
    HANG_AFTER = auto()
    # Error responses of the service.
    UNAUTHORIZED = auto()
    FORBIDDEN = auto()
    REQUEST_TIMEOUT = auto()
    TOO_MANY_REQUESTS = auto()
    TOO_MANY_REQUESTS_UNTIL = auto()
    UNKNOWN_ERROR = auto()
    ERROR_AFTER = auto()
    CODE = auto()
    # Responses of a proxy or another network device.
    CAPTIVE_PORTAL = auto()
    BAD_GATEWAY = auto()
    REDIRECT = auto()
    # Responses that differ from the documentation.
    TRUNCATED = auto()
    NOT_AN_OBJECT = auto()
    ID_AS_NUMBER = auto()
    MALFORMED_ID = auto()
    REPEATED_ID = auto()
    LIST_AS_TEXT = auto()
    MISSING_FIELDS = auto()
    UNKNOWN_STATUS = auto()
    OVERSIZED = auto()
    OVERSIZED_CHUNKED = auto()
    WRONG_DATE = auto()
    UPPERCASE_ID = auto()
    EMPTY_LIST = auto()
    LIST_AS_NULL = auto()
    FIRST_PAGE_ONLY = auto()
    MANY_OBJECTS = auto()
    UNASKED_RESPONSE = auto()


# These modify the response of the service, so the request is always handled first.
CORRUPTING: Final = frozenset(
    {
        Fault.CUT_WITHIN,
        Fault.TRUNCATED,
        Fault.NOT_AN_OBJECT,
        Fault.ID_AS_NUMBER,
        Fault.MALFORMED_ID,
        Fault.REPEATED_ID,
        Fault.LIST_AS_TEXT,
        Fault.MISSING_FIELDS,
        Fault.UNKNOWN_STATUS,
        Fault.UPPERCASE_ID,
        Fault.EMPTY_LIST,
        Fault.LIST_AS_NULL,
        Fault.FIRST_PAGE_ONLY,
        Fault.UNASKED_RESPONSE,
    }
)
_HANDLED_FIRST: Final = CORRUPTING | {
    Fault.CUT_AFTER,
    Fault.HANG_AFTER,
    Fault.ERROR_AFTER,
    Fault.OVERSIZED,
    Fault.OVERSIZED_CHUNKED,
    Fault.MANY_OBJECTS,
}
# Default seconds: hangs exceed every timeout of a client, and the wrong clock is a day ahead.
_DEFAULT_SECONDS: Final = {
    Fault.SLOW: 1.0,
    Fault.HANG_BEFORE: 60.0,
    Fault.HANG_AFTER: 60.0,
    Fault.WRONG_DATE: 86_400.0,
    Fault.UNASKED_RESPONSE: 0.05,
}


@dataclass(kw_only=True, slots=True)
class FaultRule:
    """A fault and the requests that it applies to; `times` counts down, and None means until cleared."""

    fault: Fault
    endpoint: str | None
    times: int | None
    share: float
    seconds: float
    code: int
    status: int | None
    retry_after: int | None
    accepted: bool
    random: SeededRandom

    def applies_to(self, endpoint: str) -> bool:
        """Return whether the rule applies to this request, and count it if so."""
        if self.endpoint not in (None, endpoint) or self.times == 0:
            return False
        if self.random.random() >= self.share:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The active faults; their seed makes a run repeatable."""

    def __init__(self, seed: int = 0) -> None:
        """Start without faults."""
        self.injected: Counter[Fault] = Counter()
        self._seed = seed
        self._added = 0
        self._rules: list[FaultRule] = []

    @property
    def active(self) -> tuple[FaultRule, ...]:
        """The rules that can still apply, in the order in which they are tried."""
        return tuple(rule for rule in self._rules if rule.times != 0)

    def add(
        self,
        fault: Fault,
        *,
        endpoint: str | None = None,
        times: int | None = None,
        share: float = 1.0,
        seconds: float | None = None,
        code: int = 1000,
        status: int | None = None,
        retry_after: int | None = None,
        accepted: bool | None = None,
    ) -> FaultRule:
        """Add a fault.

        Args:
            fault: The kind of fault.
            endpoint: Such as `POST /sms/send`; None for every endpoint.
            times: The number of requests that it applies to; None for all until `clear`.
            share: The share of the matching requests that it applies to, 0 to 1.
            seconds: How long SLOW and HANG_* wait, by how much WRONG_DATE is ahead, and how long after the response
                UNASKED_RESPONSE sends another one.
            code: The vendor's error code in the response of CODE.
            status: The HTTP status of CODE and FORBIDDEN; None for the usual one.
            retry_after: The seconds in the `Retry-After` header of TOO_MANY_REQUESTS and CODE, and until the date in
                that of TOO_MANY_REQUESTS_UNTIL; None for no header.
            accepted: Whether the request is handled first; None for the default of the fault.

        Raises:
            ValueError: The endpoint does not exist, or the share is not from 0 to 1.
        """
        if endpoint is not None and endpoint not in ENDPOINTS:
            raise ValueError(f"no endpoint {endpoint!r}")
        if not 0 <= share <= 1:
            raise ValueError(f"share must be 0 to 1, not {share}")
        self._added += 1
        rule = FaultRule(
            fault=fault,
            endpoint=endpoint,
            times=times,
            share=share,
            seconds=_DEFAULT_SECONDS.get(fault, 0.0) if seconds is None else seconds,
            code=code,
            status=status,
            retry_after=retry_after,
            accepted=fault in _HANDLED_FIRST if accepted is None else accepted or fault in CORRUPTING,
            # Each rule has its own generator, so that one more rule does not change the requests of the others.
            random=SeededRandom(f"{self._seed}:{self._added}"),
        )
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Remove all faults; the counter of injected faults is kept."""
        self._rules.clear()

    def pick(self, endpoint: str) -> FaultRule | None:
        """Return the rule that applies to this request and count it, or None; unknown endpoints have no faults."""
        if endpoint not in ENDPOINTS:
            return None
        for rule in self._rules:
            if rule.applies_to(endpoint):
                self.injected[rule.fault] += 1
                return rule
        return None
