"""Which kept connections a request may use: none whose server could be heard with something else than its response.

aiohttp takes whatever comes first for the response, and keeps a connection for longer than many servers do.
"""

import asyncio
from contextlib import suppress
from typing import Final, cast
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from .exceptions import GoSmsConnectionError

# Seconds since its last response. An unasked response soon after it might come only when the next request has left; and
# many servers close a connection after 5 seconds, perhaps at the very moment of a request.
_MIN_IDLE: Final = 0.1
_MAX_IDLE: Final = 4.0

# No more connections than that are kept at any time.
_MAX_CONNECTIONS: Final = 100

# When the last response on a connection ended, by the event loop's time.
_idle_since: Final[WeakKeyDictionary[ResponseHandler, float]] = WeakKeyDictionary()


class _UnfitError(Exception):
    """A connection must not be used. Nothing was sent on it."""


async def send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request at most once, on a connection that is fit for it; a middleware.

    Raises:
        GoSmsConnectionError: the connection was lost. Past the rate limiter, aiohttp would repeat a GET or DELETE.
    """
    send = request.send

    async def send_if_fit(conn: Connection) -> aiohttp.ClientResponse:
        _prepare(conn)
        return await send(conn)

    # There is no other moment between the choice of the connection and the first byte.
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
    """Check a connection that is about to be used, and watch it afterwards. aiohttp closes it after an error."""
    protocol = cast("ResponseHandler", connection.protocol)
    vars(protocol).pop("data_received", None)
    loop = asyncio.get_running_loop()
    since = _idle_since.pop(protocol, None)
    if protocol.should_close or not (since is None or _MIN_IDLE <= loop.time() - since <= _MAX_IDLE):
        raise _UnfitError

    def watch() -> None:
        """Note that the response ended, and close the connection after its next use if anything comes before that."""

        def receive(data: bytes) -> None:
            # Without any, aiohttp goes on with what it has.
            if data:
                protocol.force_close()
            ResponseHandler.data_received(protocol, data)

        _idle_since[protocol] = loop.time()
        protocol.data_received = receive  # type: ignore[method-assign]  # It has no listeners.

    connection.add_callback(watch)
