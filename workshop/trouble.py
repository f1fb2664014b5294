"""What goes wrong at the simulated service while a house sends."""

from collections.abc import Mapping
from typing import Final

from .home_assistant import Json
from .service import Service

# What happens to requests, each kind as often as the others. Some come before the service took the message and some
# after it; a few say no for good.
SEND_FAULTS: Final[tuple[Json, ...]] = (
    {"fault": "cut_before"},
    {"fault": "cut_after"},
    {"fault": "cut_within"},
    {"fault": "refuse"},
    {"fault": "error_after"},
    {"fault": "unknown_error"},
    {"fault": "request_timeout"},
    {"fault": "too_many_requests", "retry_after": 1},
    {"fault": "bad_gateway"},
    {"fault": "bad_gateway", "accepted": True},
    {"fault": "truncated"},
    {"fault": "id_as_number"},
    {"fault": "slow", "seconds": 2.0},
    {"fault": "hang_after", "seconds": 12.0},
    {"fault": "code", "code": 2002},
)
LOOK_FAULTS: Final[tuple[Json, ...]] = (
    {"fault": "cut_before"},
    {"fault": "cut_within"},
    {"fault": "refuse"},
    {"fault": "bad_gateway"},
    {"fault": "too_many_requests"},
    {"fault": "truncated"},
    {"fault": "list_as_text"},
    {"fault": "missing_fields"},
    {"fault": "unknown_status"},
    {"fault": "wrong_date"},
    {"fault": "slow", "seconds": 2.0},
)
FAULTS: Final[Mapping[str, tuple[Json, ...]]] = {
    "POST /sms/send": SEND_FAULTS,
    "GET /sms": LOOK_FAULTS,
    "POST /sms/get": LOOK_FAULTS[:6],
}


class Trouble:
    """The faults of a simulator, and all that it knows."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def begin(self, share: float) -> None:
        """Let faults hit this share of the requests to each endpoint."""
        orders: list[Json] = [
            # The service asks one after the other: each is only asked where those before it have not struck.
            {**fault, "endpoint": endpoint, "share": (part := share / len(faults)) / (1 - index * part)}
            for endpoint, faults in FAULTS.items()
            for index, fault in enumerate(faults)
        ]
        await self._service.control("POST", "faults", orders)

    async def end(self) -> None:
        """Let nothing go wrong any more."""
        await self._service.control("DELETE", "faults")

    async def state(self) -> Json:
        """Return all that the simulator knows."""
        return await self._service.control("GET", "state")
