"""The statistics of requests: number, outcome, duration."""

import asyncio
from datetime import UTC, datetime
import re

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.gosms.api import Endpoint, EndpointStatistics, GoSmsClient, GoSmsError, LastError, OutcomeKind
from simulator import Fault
from tests.api.conftest import ClientFactory
from tests.common import MUM, SimulatedService, wait_until

SEND = Endpoint.SEND


def test_latencies_are_aggregated() -> None:
    endpoint = EndpointStatistics()
    assert endpoint.mean == 0
    for milliseconds in (20.0, 70.0, 30.0):
        endpoint.add(OutcomeKind.OK, milliseconds)
    assert (endpoint.mean, endpoint.longest, endpoint.last) == (40.0, 70.0, 30.0)
    assert endpoint.outcomes == {OutcomeKind.OK: 3}


async def test_a_request_is_counted_with_its_latency(client: GoSmsClient, service: SimulatedService) -> None:
    service.faults.add(Fault.SLOW, seconds=0.05, times=1)
    await client.send(MUM, "Hello")
    await client.list()
    endpoints = client.statistics.endpoints
    assert {name: dict(endpoint.outcomes) for name, endpoint in endpoints.items()} == {
        SEND: {OutcomeKind.OK: 1},
        Endpoint.LIST: {OutcomeKind.OK: 1},
    }
    assert endpoints[SEND].last >= 50
    assert endpoints[SEND].last_error is None


@pytest.mark.parametrize(
    ("fault", "code", "outcome", "error"),
    [
        (Fault.CODE, 1006, OutcomeKind.REFUSED, r"HTTP status 4\d\d, error code 1006, hash [0-9a-f]{12}"),
        (Fault.TOO_MANY_REQUESTS, 0, OutcomeKind.REFUSED, r"HTTP status 429, error code None, hash [0-9a-f]{12}"),
        (Fault.CODE, 1000, OutcomeKind.FAILED, r"HTTP status 500, error code 1000, hash [0-9a-f]{12}"),
        (Fault.BAD_GATEWAY, 0, OutcomeKind.FAILED, "HTTP status 502, error code None, hash None"),
        (Fault.CUT_BEFORE, 0, OutcomeKind.NO_ANSWER, "no answer: ServerDisconnectedError"),
        (Fault.CAPTIVE_PORTAL, 0, OutcomeKind.NO_ANSWER, "the answer is not a JSON object"),
    ],
)
async def test_a_failure_is_recorded_with_its_outcome(
    client: GoSmsClient,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    fault: Fault,
    code: int,
    outcome: OutcomeKind,
    error: str,
) -> None:
    freezer.move_to("2026-11-25 12:00:00")
    service.faults.add(fault, code=code, times=1)
    with pytest.raises(GoSmsError):
        await client.send(MUM, "Hello")
    endpoint = client.statistics.endpoints[SEND]
    assert endpoint.outcomes == {outcome: 1}
    assert endpoint.last_error is not None
    assert re.fullmatch(error, endpoint.last_error.error)
    assert endpoint.last_error == LastError(
        time=datetime(2026, 11, 25, 12, tzinfo=UTC), outcome=outcome, error=endpoint.last_error.error
    )


async def test_a_response_without_the_requested_data_counts_as_no_answer(client_for_response: ClientFactory) -> None:
    client = await client_for_response(web.json_response({}))
    with pytest.raises(GoSmsError):
        await client.list()
    assert client.statistics.endpoints[Endpoint.LIST].outcomes == {OutcomeKind.NO_ANSWER: 1}


async def test_a_refused_connection_counts_as_no_connection(client: GoSmsClient, service: SimulatedService) -> None:
    await service.close()
    with pytest.raises(GoSmsError):
        await client.list()
    assert client.statistics.endpoints[Endpoint.LIST].outcomes == {OutcomeKind.NO_CONNECTION: 1}


async def test_a_canceled_request_is_counted(client: GoSmsClient, service: SimulatedService) -> None:
    service.faults.add(Fault.HANG_BEFORE, times=1)
    listing = asyncio.create_task(client.list())
    await wait_until(lambda: service.requests)
    listing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listing
    assert client.statistics.endpoints[Endpoint.LIST].outcomes == {OutcomeKind.GIVEN_UP: 1}


async def test_requests_to_one_endpoint_share_one_entry(
    client: GoSmsClient, service: SimulatedService, no_rate_limit: None
) -> None:
    service.account.rate_limit = None
    for number in range(20):
        await client.list(search=str(number))
    assert list(client.statistics.endpoints) == ["GET /sms"]
    assert client.statistics.endpoints[Endpoint.LIST].outcomes == {OutcomeKind.OK: 20}
