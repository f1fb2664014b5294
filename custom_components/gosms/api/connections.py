"""Choice of a connection for a request: one on which nothing but the response to this request can arrive.

aiohttp takes whatever arrives first for the response, and keeps an idle connection for longer than many servers do.
"""

import asyncio
from contextlib import suppress
from typing import Final, cast
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from .exceptions import GoSmsConnectionError

# Seconds since the last response on a connection that may be used again. Sooner, an unexpected second response might
# still be on its way. Later, the server might close the connection just when the request is sent: many close it after 5
# seconds.
_MIN_IDLE: Final = 0.1
_MAX_IDLE: Final = 4.0

# Connections that are tried for one request. aiohttp does not keep more of them.
_MAX_CONNECTIONS: Final = 100

# When the last response on a connection ended, by the event loop's time.
_idle_since: Final[WeakKeyDictionary[ResponseHandler, float]] = WeakKeyDictionary()


class _UnfitError(Exception):
    """A connection must not be used again. Nothing was sent on it."""


async def send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request at most once, on a connection that may be used for it; a middleware of aiohttp.

    Raises:
        GoSmsConnectionError: the connection was lost. aiohttp itself would repeat a GET or DELETE, without waiting for
            the rate limiter.
    """
    send = request.send

    async def send_if_fit(conn: Connection) -> aiohttp.ClientResponse:
        _prepare(conn)
        return await send(conn)

    # The only place between the choice of the connection and the first byte that is sent.
    request.send = send_if_fit  # type: ignore[method-assign]  # aiohttp has no hook there.
    try:
        for _ in range(_MAX_CONNECTIONS):
            with suppress(_UnfitError):
                return await handler(request)
    except aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as err:
        # aiohttp retries only after these two, so they must not reach it.
        raise GoSmsConnectionError(f"no answer: {type(err).__name__}", maybe_accepted=True) from None
    raise GoSmsConnectionError("no connection: the server speaks before it is asked", maybe_accepted=False)


def _prepare(connection: Connection) -> None:
    """Prepare a connection that is about to be used.

    Raises:
        _UnfitError: it must not be used. aiohttp closes it then.
    """
    protocol = cast("ResponseHandler", connection.protocol)
    vars(protocol).pop("data_received", None)
    loop = asyncio.get_running_loop()
    since = _idle_since.pop(protocol, None)
    if protocol.should_close or not (since is None or _MIN_IDLE <= loop.time() - since <= _MAX_IDLE):
        raise _UnfitError

    def watch() -> None:
        """Remember when the response ended. If anything arrives before the next request, it closes the connection."""

        def receive(data: bytes) -> None:
            # aiohttp passes no data if it only continues with what it has received.
            if data:
                protocol.force_close()
            ResponseHandler.data_received(protocol, data)

        _idle_since[protocol] = loop.time()
        protocol.data_received = receive  # type: ignore[method-assign]  # It has no listeners.

    connection.add_callback(watch)
