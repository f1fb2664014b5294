"""Random faults of the simulated service while messages are sent."""

from collections.abc import Mapping
from typing import Final

from custom_components.gosms.api import MessageStatus

from ..hass_client import Json
from ..simulator_process import SimulatorProcess

# How much faster the simulated phone is than a real one: it delivers in less than half a second.
SPEED: Final = 20.0

# Faults of requests, all equally likely. Some strike before the service accepted the message and some after; a few
# reject it for good.
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
READ_FAULTS: Final[tuple[Json, ...]] = (
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
    "GET /sms": READ_FAULTS,
    "POST /sms/get": READ_FAULTS[:6],
}


class FaultLoad:
    """Injects faults into a share of the requests to a simulator."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        self._simulator = simulator

    async def start(self, share: float) -> None:
        """Inject faults into this share of the requests to each endpoint, and no others."""
        await self.stop()
        rules: list[Json] = [
            # The simulator tries its rules in order, and each sees only the requests that the earlier ones let pass.
            {**fault, "endpoint": endpoint, "share": (part := share / len(faults)) / (1 - index * part)}
            for endpoint, faults in FAULTS.items()
            for index, fault in enumerate(faults)
        ]
        await self._simulator.control("POST", "faults", rules)

    async def start_outage(self) -> None:
        """Let the service take no message, so that each is queued, until the faults start or stop."""
        await self.stop()
        await self._simulator.control("POST", "faults", {"fault": "too_many_requests", "endpoint": "POST /sms/send"})

    async def deliver_as(self, status: MessageStatus) -> None:
        """Let the phone deliver what it sends, or fail: what the service has already keeps its state."""
        await self._simulator.control("POST", "account", {"delivery": {"status": status, "speed": SPEED}})

    async def stop(self) -> None:
        """Inject no more faults."""
        await self._simulator.control("DELETE", "faults")
