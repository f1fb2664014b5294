"""A client of the simulated service, and clients of servers with other responses."""

from collections.abc import AsyncGenerator, Awaitable, Callable

from aiohttp import ClientSession, web
from aiohttp.client_proto import ResponseHandler
from aiohttp.test_utils import TestServer
import pytest

from custom_components.gosms.api import GoSmsClient
from tests import API_TOKEN
from tests.common import SimulatedService, wait_until
from tests.loop_clock import loop_clock

__all__ = ["loop_clock"]

type ClientFactory = Callable[[web.Response], Awaitable[GoSmsClient]]


@pytest.fixture
async def session(socket_enabled: None) -> AsyncGenerator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
def client(session: ClientSession, service: SimulatedService) -> GoSmsClient:
    return GoSmsClient(session, API_TOKEN, url=service.url)


@pytest.fixture
def client_for_response(session: ClientSession, aiohttp_server: Callable[..., Awaitable[TestServer]]) -> ClientFactory:
    """Return a factory of clients whose server sends one response to every request, for what no fault can send."""

    async def start(answer: web.Response) -> GoSmsClient:
        async def handle(_request: web.Request) -> web.Response:
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        server = await aiohttp_server(app, host="127.0.0.1", access_log=None)
        return GoSmsClient(session, API_TOKEN, url=str(server.make_url("/v1")))

    return start


async def wait_until_noticed(session: ClientSession) -> None:
    """Wait until the client has noticed what the server did on its idle connection."""
    assert session.connector is not None
    [[(protocol, _)]] = session.connector._conns.values()
    assert isinstance(protocol, ResponseHandler)
    await wait_until(lambda: protocol.should_close or not protocol.is_connected())
