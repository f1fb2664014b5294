"""Which connections are used again, by a server that counts them and speaks whenever a test wants."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
import json
from typing import Final

from aiohttp import ClientSession
import pytest

from custom_components.gosms.api import GoSmsClient, GoSmsConnectionError
from tests import API_TOKEN
from tests.api.conftest import wait_until_noticed
from tests.common import MUM, wait_until
from tests.loop_clock import LoopClock

# Seconds after which a connection may be used again, and after which it may not any more.
IDLE: Final = 0.15
TOO_LONG: Final = 4.1


def page(total: int) -> bytes:
    """Return a response with a page that can be told from others."""
    body = json.dumps({"sms_list": [], "pagination": {"total_records": total}}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Server:
    """Answers every request with a page whose total is the number of the request, counted from 1."""

    def __init__(self) -> None:
        self.url = ""
        # The connections, and for each request the number of its connection.
        self.writers: list[asyncio.StreamWriter] = []
        self.used: list[int] = []
        # Seconds before each response, what comes in one piece with it, and whether the next request is left without.
        self.delay = 0.0
        self.attached = b""
        self.is_deaf = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.writers.append(writer)
        number = len(self.writers)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if length := [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]:
                    await reader.readexactly(int(length[0].split(b":")[1]))
                self.used.append(number)
                if self.is_deaf:
                    break
                total = len(self.used)
                await asyncio.sleep(self.delay)
                writer.write(page(total) + self.attached)
        writer.close()

    def say(self, data: bytes) -> None:
        """Send bytes on the newest connection, asked or not."""
        self.writers[-1].write(data)


@pytest.fixture
async def server(socket_enabled: None) -> AsyncGenerator[Server]:
    server = Server()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
        yield server
        for writer in server.writers:
            writer.close()


@pytest.fixture
def client(session: ClientSession, server: Server) -> GoSmsClient:
    return GoSmsClient(session, API_TOKEN, url=server.url)


async def test_a_quiet_connection_is_used_again(client: GoSmsClient, server: Server, loop_clock: LoopClock) -> None:
    for number in (1, 2, 3):
        assert (await client.list()).total == number
        loop_clock.advance(IDLE)

    assert server.used == [1, 1, 1]


async def test_requests_at_the_same_time_have_their_own_connections(session: ClientSession, server: Server) -> None:
    clients = [GoSmsClient(session, API_TOKEN, url=server.url) for _ in range(3)]
    await asyncio.gather(*(client.list() for client in clients))

    assert sorted(server.used) == [1, 2, 3]


@pytest.mark.parametrize("unasked", [page(99), page(99)[:-1], page(99)[:20], b"\r\n"], ids=len)
async def test_a_connection_with_unasked_bytes_is_not_used_again(
    session: ClientSession, client: GoSmsClient, server: Server, loop_clock: LoopClock, unasked: bytes
) -> None:
    await client.list()
    server.say(unasked)
    await wait_until_noticed(session)
    loop_clock.advance(IDLE)

    assert (await client.list()).total == 2
    assert server.used == [1, 2]


@pytest.mark.parametrize("unasked", [page(99), page(99)[:-1]], ids=len)
async def test_unasked_bytes_together_with_a_response_are_noticed(
    client: GoSmsClient, server: Server, loop_clock: LoopClock, unasked: bytes
) -> None:
    server.attached = unasked
    await client.list()
    loop_clock.advance(IDLE)

    assert (await client.list()).total == 2
    assert server.used == [1, 2]


async def test_a_connection_rests_since_an_unasked_response_may_come(
    session: ClientSession, server: Server, loop_clock: LoopClock
) -> None:
    # Each with a pace of its own.
    first, second = (GoSmsClient(session, API_TOKEN, url=server.url) for _ in range(2))
    await first.list()
    server.delay = IDLE
    pages = asyncio.create_task(second.list())
    await wait_until(lambda: len(server.used) == 2)
    server.writers[0].write(page(99))
    loop_clock.advance(IDLE)

    assert (await pages).total == 2
    assert server.used == [1, 2]


async def test_a_connection_that_was_idle_for_long_is_not_used_again(
    client: GoSmsClient, server: Server, loop_clock: LoopClock
) -> None:
    await client.list()
    loop_clock.advance(TOO_LONG)
    await client.list()

    assert server.used == [1, 2]


async def test_a_connection_that_the_server_closed_is_not_used_again(
    session: ClientSession, client: GoSmsClient, server: Server, loop_clock: LoopClock
) -> None:
    await client.list()
    server.writers[0].close()
    await wait_until_noticed(session)
    loop_clock.advance(IDLE)

    assert (await client.list()).total == 2
    assert server.used == [1, 2]


@pytest.mark.parametrize("is_send", [True, False])
async def test_no_request_is_repeated_after_a_lost_connection(
    client: GoSmsClient, server: Server, loop_clock: LoopClock, is_send: bool
) -> None:
    await client.list()
    loop_clock.advance(IDLE)
    server.is_deaf = True
    with pytest.raises(GoSmsConnectionError) as caught:
        await (client.send(MUM, "Leak!") if is_send else client.list())

    assert caught.value.maybe_accepted
    assert server.used == [1, 1]


async def test_unasked_bytes_to_others_of_the_session_are_noticed(
    session: ClientSession, client: GoSmsClient, server: Server
) -> None:
    async with session.get(server.url) as response:
        await response.read()
    server.say(page(99))
    await wait_until_noticed(session)

    assert (await client.list()).total == 2
    assert server.used == [1, 2]


async def test_a_server_that_always_speaks_first_is_given_up(
    client: GoSmsClient, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiohttp.client_proto.ResponseHandler.should_close", True)
    with pytest.raises(GoSmsConnectionError) as caught:
        await client.send(MUM, "Leak!")

    assert not caught.value.maybe_accepted
    assert server.used == []
