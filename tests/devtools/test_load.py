"""The load of a chaos run, and how it behaves when Home Assistant is killed during a call."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
import random

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.gosms.text import prepare
from devtools.chaos.load import (
    NOT_CONFIRMED,
    WITHOUT_REASON,
    CallOutcome,
    LoadGenerator,
    PlannedCall,
    RepeatedCall,
    plan,
)
from devtools.hass_client import HomeAssistantClient, Json
from tests.common import wait_until

NUMBER = "79123456701"
PLAIN = PlannedCall(recipient=NUMBER, pieces=("Leak",))
KEYED = PlannedCall(recipient=NUMBER, pieces=("Fire",), key="fire")


class CrashingServer:
    """Replaces Home Assistant; it disconnects during the first call of each text, after it accepted it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Json]] = []
        # What it answers before it crashes: status and text.
        self.responses: list[tuple[int, str]] = []

    @property
    def texts(self) -> Counter[str]:
        """How often each text was received."""
        return Counter(data["message"] for _, data in self.calls)

    async def perform_action(self, request: web.Request) -> web.Response:
        """Receive a call."""
        data = await request.json()
        if self.responses:
            status, text = self.responses.pop()
            self.calls.append(("", {"message": data["message"]}))
            return web.Response(status=status, text=text)
        self.calls.append((request.path_qs, data))
        if self.texts[data["message"]] == 1 and request.transport:
            request.transport.abort()
        response = {"service_response": {"messages": [{"status": "delivered", "message_ids": ["1", "2"]}]}}
        return web.json_response(response)


@pytest.fixture
def crashing() -> CrashingServer:
    """The server that crashes."""
    return CrashingServer()


@pytest.fixture
async def client(
    socket_enabled: None, aiohttp_server: Callable[..., Awaitable[TestServer]], crashing: CrashingServer
) -> AsyncGenerator[HomeAssistantClient]:
    """A client of it."""
    app = web.Application()
    app.router.add_post("/api/services/{domain}/{service}", crashing.perform_action)
    server = await aiohttp_server(app, host="127.0.0.1", access_log=None)
    client = HomeAssistantClient(str(server.make_url("")).rstrip("/"))
    client.open()
    yield client
    await client.close()


async def test_only_a_call_with_a_key_is_repeated_after_a_crash(
    crashing: CrashingServer, client: HomeAssistantClient
) -> None:
    load = LoadGenerator(client, [PLAIN, KEYED], {NUMBER: "notify.anna"})
    load.is_up.set()
    load.release(2)
    await load.run()
    assert crashing.texts == {"Leak": 1, "Fire": 2}
    assert Counter(load.outcomes) == {
        (PLAIN, CallOutcome.DISCONNECTED): 1,
        (KEYED, CallOutcome.DISCONNECTED): 1,
        (KEYED, CallOutcome.SUCCEEDED): 1,
    }
    keyed = {"entity_id": "notify.anna", "message": "Fire", "idempotency_key": "fire"}
    assert crashing.calls.count(("/api/services/gosms/send_sms", keyed)) == 2
    assert await load.repeat() == [RepeatedCall(call=KEYED, status="delivered", ids=("1", "2"))]
    assert crashing.calls[-1] == ("/api/services/gosms/send_sms?return_response", keyed)


async def test_calls_with_several_parts_are_kept_until_they_are_needed(
    crashing: CrashingServer, client: HomeAssistantClient
) -> None:
    long = [PlannedCall(recipient=NUMBER, pieces=("1", text), key=text) for text in ("a", "b")]
    load = LoadGenerator(client, [*long, PLAIN, KEYED], {NUMBER: "notify.anna"})
    load.is_up.set()
    load.kept_multipart = 1
    load.release(4)
    sending = asyncio.create_task(load.run())
    await wait_until(lambda: len(load.outcomes) == 5)
    assert long[1] not in {call for call, _ in load.outcomes}
    load.kept_multipart = 0
    load.release(1, multipart_first=True)
    await sending
    assert long[1] in {call for call, _ in load.outcomes}


@pytest.mark.parametrize(
    ("responses", "outcome"),
    [
        pytest.param([(400, "Refused")], CallOutcome.FAILED, id="an error"),
        pytest.param([(500, f"{NOT_CONFIRMED}, …")], CallOutcome.UNCERTAIN, id="an error that leaves it open"),
        pytest.param([(500, f"500 … {WITHOUT_REASON}")], CallOutcome.UNCERTAIN, id="an error without a reason"),
        pytest.param([(503, "")], CallOutcome.SUCCEEDED, id="not made since Home Assistant stops"),
    ],
)
async def test_the_outcome_of_a_call_is_what_its_caller_was_told(
    crashing: CrashingServer,
    client: HomeAssistantClient,
    responses: list[tuple[int, str]],
    outcome: CallOutcome,
) -> None:
    crashing.responses += responses
    load = LoadGenerator(client, [PLAIN], {NUMBER: "notify.anna"})
    load.is_up.set()
    load.release(1)
    await load.run()
    assert load.outcomes == [(PLAIN, outcome)]


async def test_calls_in_progress_and_those_that_follow_are_at_risk(
    crashing: CrashingServer, client: HomeAssistantClient
) -> None:
    load = LoadGenerator(client, [PLAIN, KEYED], {NUMBER: "notify.anna"})
    load.release(1)
    sending = asyncio.create_task(load.run())
    load.is_up.set()
    async with asyncio.timeout(10):
        await wait_until(lambda: load.outcomes)
    load.is_risky = True
    assert load.at_risk == set()
    load.release(1)
    await sending
    assert load.at_risk == {KEYED}
    load.is_risky = False
    assert load.at_risk == {KEYED}


async def test_only_released_calls_are_made(crashing: CrashingServer, client: HomeAssistantClient) -> None:
    load = LoadGenerator(client, [PLAIN, KEYED, PLAIN], {NUMBER: "notify.anna"})
    load.is_up.set()
    load.release(3, reserve=1)
    load.release(1, reserve=1)
    sending = asyncio.create_task(load.run())
    async with asyncio.timeout(10):
        await wait_until(lambda: len(load.outcomes) >= 3)
    assert crashing.texts == {"Leak": 1, "Fire": 2}
    load.release(3)
    await sending
    assert crashing.texts == {"Leak": 2, "Fire": 2}


async def test_calls_with_several_parts_can_be_released_first(client: HomeAssistantClient) -> None:
    multipart = PlannedCall(recipient=NUMBER, pieces=("Leak", "Fire"), key=None)
    load = LoadGenerator(client, [PLAIN, multipart, KEYED], {NUMBER: "notify.anna"})
    load.release(2, multipart_first=True)
    assert [load._queue.get_nowait() for _ in range(2)] == [multipart, PLAIN]


def test_a_plan_mixes_keyed_multipart_and_duplicate_messages() -> None:
    calls = plan(random.Random(1), 300, [NUMBER])
    times = Counter(calls)
    assert sum(1 if call.key else count for call, count in times.items()) == 300
    assert set(times.values()) == {1, 3, 8}
    assert sum(call.key is not None for call in times) in range(45, 61)
    assert {len(call.parts) for call in times} == {1, 2, 3}
    assert sum(len(call.parts) > 1 for call in times) in range(35, 51)
    assert plan(random.Random(1), 300, [NUMBER]) == calls


def test_planned_parts_match_those_of_the_integration() -> None:
    calls = plan(random.Random(1), 300, [NUMBER])
    split = [prepare(call.text, None, long_text="split", replace_symbols=False).parts for call in calls]
    assert split == [call.parts for call in calls]
