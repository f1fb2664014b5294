"""Who sends in a run of chaos, and what they do when the house dies under them."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
import random

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.gosms.text import prepare
from workshop.crowd import Answer, Ask, Crowd, Recalled, plan
from workshop.home_assistant import HomeAssistant, Json

NUMBER = "79123456701"
PLAIN = Ask(recipient=NUMBER, pieces=("Leak",))
KEYED = Ask(recipient=NUMBER, pieces=("Fire",), key="fire")


class DyingHouse:
    """Stands where Home Assistant stands; it dies in the first call of each text, after it took it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Json]] = []

    @property
    def texts(self) -> Counter[str]:
        """How often each text came."""
        return Counter(data["message"] for _, data in self.calls)

    async def act(self, request: web.Request) -> web.Response:
        """Take a call."""
        data = await request.json()
        self.calls.append((request.path_qs, data))
        if self.texts[data["message"]] == 1 and request.transport:
            request.transport.abort()
        answer = {"service_response": {"messages": [{"status": "delivered", "message_ids": ["1", "2"]}]}}
        return web.json_response(answer)


@pytest.fixture
def dying() -> DyingHouse:
    """A house that dies."""
    return DyingHouse()


@pytest.fixture
async def home(
    socket_enabled: None, aiohttp_server: Callable[..., Awaitable[TestServer]], dying: DyingHouse
) -> AsyncGenerator[HomeAssistant]:
    """What speaks to it."""
    app = web.Application()
    app.router.add_post("/api/services/{domain}/{service}", dying.act)
    server = await aiohttp_server(app, host="127.0.0.1", access_log=None)
    home = HomeAssistant(str(server.make_url("")).rstrip("/"))
    home.open()
    yield home
    await home.close()


async def test_only_a_call_with_a_key_is_made_again_when_the_house_died_in_it(
    dying: DyingHouse, home: HomeAssistant
) -> None:
    crowd = Crowd(home, [PLAIN, KEYED], {NUMBER: "notify.anna"})
    crowd.up.set()
    crowd.release(2)
    await crowd.call()
    assert dying.texts == {"Leak": 1, "Fire": 2}
    assert Counter(crowd.answers) == {(PLAIN, Answer.CUT): 1, (KEYED, Answer.CUT): 1, (KEYED, Answer.TAKEN): 1}
    keyed = {"entity_id": "notify.anna", "message": "Fire", "idempotency_key": "fire"}
    assert dying.calls.count(("/api/services/gosms/send_sms", keyed)) == 2
    assert await crowd.recall() == [Recalled(ask=KEYED, status="delivered", ids=("1", "2"))]
    assert dying.calls[-1] == ("/api/services/gosms/send_sms?return_response", keyed)


async def test_calls_are_made_as_they_are_released_and_some_are_kept(dying: DyingHouse, home: HomeAssistant) -> None:
    crowd = Crowd(home, [PLAIN, KEYED, PLAIN], {NUMBER: "notify.anna"})
    crowd.up.set()
    crowd.release(3, keep=1)
    crowd.release(1, keep=1)
    calls = asyncio.create_task(crowd.call())
    async with asyncio.timeout(10):
        while len(crowd.answers) < 3:
            await asyncio.sleep(0)
    assert dying.texts == {"Leak": 1, "Fire": 2}
    crowd.release(3)
    await calls
    assert dying.texts == {"Leak": 2, "Fire": 2}


async def test_a_call_in_several_parts_is_released_before_others_if_that_is_asked(home: HomeAssistant) -> None:
    long = Ask(recipient=NUMBER, pieces=("Leak", "Fire"), key=None)
    crowd = Crowd(home, [PLAIN, long, KEYED], {NUMBER: "notify.anna"})
    crowd.release(2, long=True)
    assert [crowd._queue.get_nowait() for _ in range(2)] == [long, PLAIN]


def test_a_plan_is_for_so_many_messages_some_of_them_with_a_key_some_in_parts_some_twins() -> None:
    asks = plan(random.Random(1), 300, [NUMBER])
    times = Counter(asks)
    assert sum(1 if ask.key else count for ask, count in times.items()) == 300
    assert set(times.values()) == {1, 3}
    assert sum(ask.key is not None for ask in times) in range(45, 61)
    assert {len(ask.parts) for ask in times} == {1, 2, 3}
    assert sum(len(ask.parts) > 1 for ask in times) in range(35, 51)
    assert plan(random.Random(1), 300, [NUMBER]) == asks


def test_the_parts_of_an_ask_are_those_that_the_integration_makes() -> None:
    asks = plan(random.Random(1), 300, [NUMBER])
    split = [prepare(ask.text, None, long_text="split", replace_symbols=False).parts for ask in asks]
    assert split == [ask.parts for ask in asks]
