"""What can go wrong between a client and the service, and which requests it happens to."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from .models import Chance

ENDPOINTS: Final = (
    "POST /sms/send",
    "POST /sms/get",
    "DELETE /sms/del",
    "GET /sms",
    "POST /devices/get/info",
    "POST /devices/edit",
)


class Fault(StrEnum):
    """One kind of trouble."""

    # The line: nothing but the connection itself suffers.
    SLOW = auto()
    REFUSE = auto()
    CUT_BEFORE = auto()
    CUT_AFTER = auto()
    CUT_WITHIN = auto()
    HANG_BEFORE = auto()
    HANG_AFTER = auto()
    # Answers that say no, with or without a code.
    UNAUTHORIZED = auto()
    FORBIDDEN = auto()
    REQUEST_TIMEOUT = auto()
    TOO_MANY_REQUESTS = auto()
    UNKNOWN_ERROR = auto()
    ERROR_AFTER = auto()
    CODE = auto()
    # Answers of somebody in between.
    CAPTIVE_PORTAL = auto()
    BAD_GATEWAY = auto()
    REDIRECT = auto()
    # Answers of the service that are not what its pages promise.
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


# These spoil an answer of the service, so there must be one: the request is always handled first.
SPOILING: Final = frozenset(
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
    }
)
_HANDLED_FIRST: Final = SPOILING | {
    Fault.CUT_AFTER,
    Fault.HANG_AFTER,
    Fault.ERROR_AFTER,
    Fault.OVERSIZED,
    Fault.OVERSIZED_CHUNKED,
}
# Seconds, where none are given: long beyond every time-out of a client, and a clock that is a day ahead.
_DEFAULT_SECONDS: Final = {Fault.SLOW: 1.0, Fault.HANG_BEFORE: 60.0, Fault.HANG_AFTER: 60.0, Fault.WRONG_DATE: 86_400.0}


@dataclass(kw_only=True, slots=True)
class Rule:
    """A fault and the requests that it happens to; `times` counts down, None goes on until cleared."""

    fault: Fault
    endpoint: str | None
    times: int | None
    share: float
    seconds: float
    code: int
    status: int | None
    retry_after: int | None
    accepted: bool
    chance: Chance

    def strikes(self, endpoint: str) -> bool:
        """Whether this request is hit; counts down where it is."""
        if self.endpoint not in (None, endpoint) or self.times == 0:
            return False
        if self.chance.random() >= self.share:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The faults that are switched on, seeded, so that a run can be repeated."""

    def __init__(self, seed: int = 0) -> None:
        """Start without faults."""
        self.injected: Counter[Fault] = Counter()
        self._seed = seed
        self._added = 0
        self._rules: list[Rule] = []

    @property
    def active(self) -> tuple[Rule, ...]:
        """The rules that can still strike, in the order in which they are asked."""
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
    ) -> Rule:
        """Switch a fault on.

        Args:
            fault: What goes wrong.
            endpoint: Like `POST /sms/send`; None for every endpoint.
            times: How many requests it happens to; None for all until `clear`.
            share: The part of the matching requests that is hit, 0 to 1.
            seconds: How long SLOW waits, how long HANG_* holds, by how much WRONG_DATE is ahead.
            code: The vendor's code that CODE answers.
            status: The HTTP status of CODE, where the usual one is not wanted.
            retry_after: The seconds in the `Retry-After` header of TOO_MANY_REQUESTS and CODE; None for no header.
            accepted: Whether the request is handled before the fault shows, where the fault's own way is not wanted.

        Raises:
            ValueError: An endpoint that does not exist, or a share outside 0 to 1: the rule would never strike.
        """
        if endpoint is not None and endpoint not in ENDPOINTS:
            raise ValueError(f"no endpoint {endpoint!r}")
        if not 0 <= share <= 1:
            raise ValueError(f"share must be 0 to 1, not {share}")
        self._added += 1
        rule = Rule(
            fault=fault,
            endpoint=endpoint,
            times=times,
            share=share,
            seconds=_DEFAULT_SECONDS.get(fault, 0.0) if seconds is None else seconds,
            code=code,
            status=status,
            retry_after=retry_after,
            accepted=fault in _HANDLED_FIRST if accepted is None else accepted or fault in SPOILING,
            # A source of chance for each rule: one more rule does not change whom the others hit.
            chance=Chance(f"{self._seed}:{self._added}"),
        )
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Switch every fault off; the counter of what was injected stays."""
        self._rules.clear()

    def pick(self, endpoint: str) -> Rule | None:
        """The fault that happens to this request, counted, or none; what is no endpoint of the service is spared."""
        if endpoint not in ENDPOINTS:
            return None
        for rule in self._rules:
            if rule.strikes(endpoint):
                self.injected[rule.fault] += 1
                return rule
        return None
