"""The system health page."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info

from custom_components.gosms.const import DOMAIN
from simulator import Fault
from tests import API_TOKEN
from tests.common import SimulatedService, send, set_up
from tests.translation_checks import LANGUAGES, texts_of


@pytest.fixture(autouse=True)
async def page(hass: HomeAssistant) -> None:
    """The page itself."""
    assert await async_setup_component(hass, "system_health", {})


async def health(hass: HomeAssistant) -> dict[str, object]:
    """Return the content of the page."""
    info = await get_system_health_info(hass, DOMAIN)
    return info | {"can_reach_server": await info["can_reach_server"]}


async def test_a_healthy_account(hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    await send(hass, "Hello")
    assert await health(hass) == {
        "can_reach_server": "ok",
        "accounts": 1,
        "queued_messages": 0,
        "messages_in_transit": 1,
    }


async def test_an_outage_with_queued_messages(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await service.close()
    await send(hass, "Hello")
    assert await health(hass) == {
        "can_reach_server": {"type": "failed", "error": "unreachable"},
        "accounts": 1,
        "queued_messages": 1,
        "messages_in_transit": 0,
    }


async def test_one_of_two_accounts_is_unreachable(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    # Nobody listens at port 1.
    MockConfigEntry(domain=DOMAIN, data={"api_token": API_TOKEN, "url": "http://127.0.0.1:1/v1"}).add_to_hass(hass)
    await set_up(hass, entry)
    shown = await health(hass)
    assert shown["can_reach_server"] == {"type": "failed", "error": "unreachable"}
    assert shown["accounts"] == 2


async def test_the_token_is_not_sent(
    hass: HomeAssistant, entry: MockConfigEntry, aiohttp_server: Callable[..., Awaitable[TestServer]]
) -> None:
    await set_up(hass, entry)
    asked: list[web.Request] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(status=401)

    app = web.Application()
    app.router.add_get("/v1", handle)
    url = str((await aiohttp_server(app, host="127.0.0.1", access_log=None)).make_url("/v1"))
    MockConfigEntry(domain=DOMAIN, data={"api_token": API_TOKEN, "url": url}).add_to_hass(hass)
    # A refusal is an answer too: somebody is there.
    assert (await health(hass))["can_reach_server"] == "ok"
    assert [API_TOKEN in str((request.raw_headers, request.url)) for request in asked] == [False]


async def test_each_line_has_a_text(hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry) -> None:
    service.faults.add(Fault.BAD_GATEWAY)
    await set_up(hass, entry)
    lines = {f"system_health.info.{key}" for key in await health(hass)}
    for language in LANGUAGES:
        assert {key for key in texts_of(language) if key.startswith("system_health.")} == lines
