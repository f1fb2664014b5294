"""HTTP as this API needs it: one request, one response, no retry; and the rate at which requests may be sent."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
import json
import re
import time
from typing import Final

import aiohttp
from aiolimiter import AsyncLimiter

from .codes import Endpoint
from .connections import send_once
from .exceptions import GoSmsApiError, GoSmsConnectionError
from .values import LATEST, Json, parse_integer

# If the connection takes longer, the request fails before it is sent, so it is certain that nothing was done. This must
# be well below the total: when the total runs out, it is unknown whether the request was sent.
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10, connect=6)

# Bytes. A full page of the longest messages has about 200 KiB.
_MAX_BODY_SIZE: Final = 2 * 1024 * 1024

# Each of these characters may begin a value, and a body of many small values takes long to parse. A full page has about
# 1,000 of them, or about 32,000 if its texts contain nothing else.
_VALUE_BEGINNINGS: Final = (b"{", b"[", b",")
_MAX_VALUES: Final = 100_000

# The hash that the vendor's support asks for after an error. No other value of that key reaches logs or diagnostics.
_ERROR_HASH: Final = re.compile(r"[0-9a-f]{1,64}")


class RateLimiter:
    """Limits the rate of requests to each endpoint.

    The vendor allows an account 10 requests per second to one endpoint. One request every 0.105 s stays below that in
    every second; a bucket of 10 would let 19 pass in its first second. Clients with the same token and address must
    share one rate limiter.
    """

    def __init__(self) -> None:
        """Start without any request."""
        self._limiters = defaultdict[Endpoint, AsyncLimiter](lambda: AsyncLimiter(1, 0.105))

    async def wait(self, endpoint: Endpoint) -> None:
        """Wait until a request to this endpoint may be sent."""
        await self._limiters[endpoint].acquire()


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """The response to a request.

    Attributes:
        status: the HTTP status.
        body: the body.
        retry_after: seconds to wait before the next request, if the service asked for it, or None.
    """

    status: int
    body: bytes
    retry_after: int | None

    def payload(self) -> Mapping[str, Json]:
        """Return the object in the body, which is empty without a body.

        Raises:
            GoSmsConnectionError: the body is no JSON object.
            GoSmsApiError: the response is an error.
        """
        data = _parse_json(self.body)
        # The vendor does not document which status belongs to which code, so "errors" is an error with any status.
        errors = data.get("errors") if isinstance(data, Mapping) else None
        if self.status in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT} and errors is None:
            if not self.body:
                return {}
            if not isinstance(data, Mapping):
                raise unreadable_error("the answer is not a JSON object")
            return data
        details = errors if isinstance(errors, Mapping) else {}
        error_hash = details.get("hash")
        raise GoSmsApiError(
            self.status,
            code=parse_integer(details.get("code")),
            error_hash=error_hash if isinstance(error_hash, str) and _ERROR_HASH.fullmatch(error_hash) else None,
            retry_after=self.retry_after,
        )


class Transport:
    """Sends requests with one token to one address."""

    def __init__(self, session: aiohttp.ClientSession, token: str, url: str) -> None:
        """Initialize the transport.

        Args:
            session: sends the requests; it is not closed here.
            token: the API token from the control panel.
            url: the address of the API, without a trailing slash.
        """
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._url = url
        self._clock: tuple[float, float] | None = None

    @property
    def server_time(self) -> float | None:
        """Return the service's clock in Unix seconds, by the last response, or None before the first one."""
        if self._clock is None:
            return None
        server_time, received = self._clock
        return server_time + asyncio.get_running_loop().time() - received

    async def send(
        self, endpoint: Endpoint, body: Mapping[str, Json] | None, query: Mapping[str, str] | None
    ) -> Response:
        """Send one request, and return its response, even if it is an error.

        Raises:
            GoSmsConnectionError: there was no response, or one that is too large.
        """
        if self._session.closed:
            # For example while the program stops. aiohttp raises a mere RuntimeError.
            raise GoSmsConnectionError("no connection: the session is closed", maybe_accepted=False)
        try:
            async with self._session.request(
                endpoint.method,
                f"{self._url}{endpoint.path}",
                params=query,
                json=body,
                headers=self._headers,
                timeout=_TIMEOUT,
                allow_redirects=False,
                # This replaces the session's middlewares. The one of Home Assistant only concerns redirects.
                middlewares=(send_once,),
            ) as response:
                self._sync_clock(response.headers.get("Date", ""))
                return Response(
                    status=response.status, body=await _read_body(response), retry_after=_retry_after(response)
                )
        except aiohttp.ClientConnectorError as err:
            raise GoSmsConnectionError(f"no connection: {type(err).__name__}", maybe_accepted=False) from err
        # The texts of all other errors may quote the response, or the URL with the number that was searched for. "from
        # None" keeps them out of the traceback in the log.
        except (aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as err:
            raise GoSmsConnectionError(f"no connection: {type(err).__name__}", maybe_accepted=False) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            raise GoSmsConnectionError(f"no answer: {type(err).__name__}", maybe_accepted=True) from None

    def _sync_clock(self, date: str) -> None:
        """Remember the service's time, and when it was received. An impossible time is ignored."""
        if (server_time := _http_time(date)) is not None and 0 <= server_time < LATEST.timestamp():
            self._clock = server_time, asyncio.get_running_loop().time()


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the body, which must not be larger than any response of this API can be."""
    if (response.content_length or 0) > _MAX_BODY_SIZE:
        raise unreadable_error("the answer is too large")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MAX_BODY_SIZE:
            raise unreadable_error("the answer is too large")
    return bytes(body)


def _retry_after(response: aiohttp.ClientResponse) -> int | None:
    """Return the seconds to wait before the next request, if the service asks for it, or None."""
    if (asked := response.headers.get("Retry-After")) is None:
        return None
    seconds = parse_integer(asked)
    if seconds is None and (end := _http_time(asked)) is not None:
        # By the clock of whoever sent the date.
        now = _http_time(response.headers.get("Date", ""))
        seconds = round(end - (time.time() if now is None else now))
    return seconds if seconds is not None and seconds >= 0 else None


def _http_time(date: str) -> float | None:
    """Return the time of a header in Unix seconds, or None if it has none. HTTP has one form without a time zone."""
    try:
        parsed = parsedate_to_datetime(date)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except OverflowError, ValueError:
        return None


def _parse_json(body: bytes) -> Json:
    """Return the value of a JSON text, or None if it is not valid JSON, or would take too long to parse."""
    if sum(map(body.count, _VALUE_BEGINNINGS)) > _MAX_VALUES:
        return None
    try:
        parsed: Json = json.loads(body)
    except ValueError, RecursionError:
        return None
    return parsed


def unreadable_error(reason: str) -> GoSmsConnectionError:
    """Return the error for a response that can't be read: it is unknown whether anything was done."""
    return GoSmsConnectionError(reason, maybe_accepted=True)
