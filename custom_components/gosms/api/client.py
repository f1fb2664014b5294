"""The requests of the GoSMS.ru API, v1."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
import json
import re
import time
from typing import Final, cast, override

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiolimiter import AsyncLimiter

from .codes import Endpoint
from .exceptions import GoSmsApiError, GoSmsConnectionError
from .ids import parse_message_id
from .models import Json, Message, MessagePage, Phone, integer
from .outcome import OutcomeListener, RequestOutcome, report_outcome
from .statistics import Statistics

DEFAULT_URL: Final = "https://api.gosms.ru/v1"

# The vendor's maximum for one page of messages.
PAGE_SIZE: Final = 100

# If the connection takes longer, the request fails before it is sent, so it is certain that nothing was done. This must
# be well below the total: when the total runs out, it is unknown whether the request was sent.
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10, connect=6)

# Bytes. A full page of the longest messages has about 200 KiB.
_MAX_BODY_SIZE: Final = 2 * 1024 * 1024

# Each bracket or comma may begin a value. A full page has about 1,000 values, and of texts of nothing but brackets and
# commas it has about 32,000 of these.
_BEGINNINGS: Final = (b"{", b"[", b",")
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
        self._limiters: dict[Endpoint, AsyncLimiter] = {}

    async def wait(self, endpoint: Endpoint) -> None:
        """Wait until a request to this endpoint may be sent."""
        limiter = self._limiters.get(endpoint)
        if limiter is None:
            limiter = self._limiters[endpoint] = AsyncLimiter(1, 0.105)
        await limiter.acquire()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Response:
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
                raise _unreadable_error("the answer is not a JSON object")
            return data
        details = errors if isinstance(errors, Mapping) else {}
        error_hash = details.get("hash")
        raise GoSmsApiError(
            self.status,
            code=integer(details.get("code")),
            error_hash=error_hash if isinstance(error_hash, str) and _ERROR_HASH.fullmatch(error_hash) else None,
            retry_after=self.retry_after,
        )


class GoSmsClient:
    """A client for one token.

    No method retries or follows a redirect. Each ends within 10 seconds after the rate limiter lets its request pass.

    All methods raise:
        GoSmsConnectionError: there was no response, or none that can be read.
        GoSmsApiError: the service answered with an error.

    Attributes:
        statistics: how the requests so far ended, and how long they took.
        on_request_done: called with the outcome of each request, before the method returns or raises.

    Source: https://docs.gosms.ru
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        token: str,
        *,
        url: str = DEFAULT_URL,
        rate_limiter: RateLimiter | None = None,
    ) -> None:
        """Initialize the client.

        Args:
            session: sends the requests; the client does not close it.
            token: the API token from the control panel.
            url: the address of the API, without a trailing slash.
            rate_limiter: shared by all clients with the same token and address; the client's own if omitted.
        """
        self.statistics = Statistics()
        self.on_request_done: OutcomeListener | None = None
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._url = url
        self._rate_limiter = rate_limiter or RateLimiter()
        self._clock: tuple[float, float] | None = None
        # Query, response and result of the last list request: nearly every poll gets the same response again.
        self._last_list: tuple[Mapping[str, str], _Response, MessagePage] | None = None

    @property
    def server_time(self) -> float | None:
        """Return the service's clock in Unix seconds, by the last response, or None before the first one."""
        if self._clock is None:
            return None
        server_time, received = self._clock
        return server_time + asyncio.get_running_loop().time() - received

    async def send(
        self,
        phone_number: str,
        text: str,
        *,
        device_id: str | None = None,
        sim: int | None = None,
        callback_id: str | None = None,
    ) -> str:
        """Ask the service to send a message, and return the message's id.

        Args:
            phone_number: the recipient, 3 to 30 digits.
            text: 1 to 300 characters: letters, digits, punctuation, white space and `+ = $ ^ < >`.
            device_id: the phone to send with; any active one if omitted.
            sim: the SIM slot of that phone, counted from 0; only together with `device_id` (error 1017).
            callback_id: the webhook that receives the callbacks of the message; all webhooks if omitted.

        Raises:
            GoSmsConnectionError: see the class; if `maybe_accepted` is true, the message may be sent all the same.
            GoSmsApiError: see the class; likewise.
        """
        body: dict[str, Json] = {"message": text, "phone_number": phone_number}
        if device_id is not None:
            body["device_id"] = device_id
        if sim is not None:
            body["to_sim"] = sim
        if callback_id is not None:
            body["callback_id"] = callback_id
        return await self._request(Endpoint.SEND, _message_id, body=body)

    async def get(self, message_id: str) -> Message:
        """Return one message. Error 1008 if the server has none with this id (24 hex digits)."""
        return await self._request(Endpoint.GET, Message.from_api, body={"id": message_id})

    async def delete(self, message_id: str) -> None:
        """Delete one message from the server. Error 1010 if it is younger than 5 minutes."""
        await self._request(Endpoint.DELETE, _ignore, body={"id": message_id})

    async def list(self, *, limit: int = PAGE_SIZE, page: int = 1, search: str | None = None) -> MessagePage:
        """Return a page of the account's messages, newest first.

        Args:
            limit: messages per page, 1 to 100.
            page: the number of the page, counted from 1 (the vendor calls it offset).
            search: only messages that contain this in their text, status text or number; case-insensitive.
        """
        query = {"limit": str(limit), "offset": str(page)}
        if search is not None:
            query["search"] = search

        def parse(response: _Response) -> MessagePage | None:
            if self._last_list and self._last_list[:2] == (query, response):
                return self._last_list[2]
            if found := MessagePage.from_api(response.payload(), limit):
                self._last_list = query, response, found
            return found

        return await self._call(Endpoint.LIST, parse, query=query)

    async def phone_info(self, device_id: str) -> Phone:
        """Return the state of a phone. Error 1012 or 1016 if the account has none with this id."""
        return await self._request(Endpoint.PHONE_INFO, Phone.from_api, body=_phone_body(device_id))

    async def set_phone_active(self, device_id: str, *, active: bool) -> None:
        """Allow a phone to send, or forbid it."""
        # Without is_active the service assumes false, so it is always sent.
        body = {**_phone_body(device_id), "is_active": active}
        await self._request(Endpoint.EDIT_PHONE, _ignore, body=body)

    async def _request[T](
        self,
        endpoint: Endpoint,
        parse: Callable[[Mapping[str, Json]], T | None],
        *,
        body: Mapping[str, Json] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> T:
        """Send one request, and return the result of parsing the object in its response, which must not be None."""
        return await self._call(endpoint, lambda response: parse(response.payload()), body=body, query=query)

    async def _call[T](
        self,
        endpoint: Endpoint,
        parse: Callable[[_Response], T | None],
        *,
        body: Mapping[str, Json] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> T:
        """Send one request, and return the result of parsing its response, which must not be None."""
        await self._rate_limiter.wait(endpoint)
        with report_outcome(self._handle_outcome, endpoint, body):
            found = parse(await self._send_request(endpoint, body, query))
            if found is None:
                raise _unreadable_error("the answer lacks what was asked for")
            return found

    def _handle_outcome(self, outcome: RequestOutcome) -> None:
        """Count a request that has ended, and report it."""
        self.statistics.add(outcome)
        if self.on_request_done:
            self.on_request_done(outcome)

    async def _send_request(
        self, endpoint: Endpoint, body: Mapping[str, Json] | None, query: Mapping[str, str] | None
    ) -> _Response:
        """Send one request, and return its response, be it an error or not."""
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
                middlewares=(_no_retry, _no_reuse),
            ) as response:
                self._sync_clock(response.headers.get("Date", ""))
                return _Response(
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
        """Remember the service's time, and when it was received."""
        if (server_time := _http_time(date)) is not None:
            self._clock = server_time, asyncio.get_running_loop().time()


async def _no_retry(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a GET or DELETE, past the rate limiter, after a lost connection."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as err:
        # aiohttp retries only after these two, so they must not reach it.
        raise GoSmsConnectionError(f"no answer: {type(err).__name__}", maybe_accepted=True) from None


async def _no_reuse(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Use each connection for one request: aiohttp would take a second response on it for that of the next request."""
    request.response_class = _LastResponse
    return await handler(request)


class _LastResponse(aiohttp.ClientResponse):
    """A response after which its connection is closed."""

    @override
    async def start(self, connection: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        # Before the response is read: if it is short, its connection is released with its last byte.
        cast("ResponseHandler", connection.protocol).force_close()
        return await super().start(connection)


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the body, which must not be larger than any response of this API can be."""
    if (response.content_length or 0) > _MAX_BODY_SIZE:
        raise _unreadable_error("the answer is too large")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MAX_BODY_SIZE:
            raise _unreadable_error("the answer is too large")
    return bytes(body)


def _retry_after(response: aiohttp.ClientResponse) -> int | None:
    """Return the seconds to wait before the next request, if the service asks for it, or None."""
    asked = response.headers.get("Retry-After", "")
    seconds = integer(asked)
    if seconds is None and (end := _http_time(asked)) is not None:
        # By the clock of whoever sent the date.
        now = _http_time(response.headers.get("Date", ""))
        seconds = round(end - (time.time() if now is None else now))
    return seconds if seconds is not None and seconds >= 0 else None


def _http_time(date: str) -> float | None:
    """Return the time of a header in Unix seconds, or None if it has none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except OverflowError, ValueError:
        return None


def _parse_json(body: bytes) -> Json:
    """Return the value of a JSON text, or None if it is not valid JSON, or would take too long to parse."""
    if sum(map(body.count, _BEGINNINGS)) > _MAX_VALUES:
        return None
    try:
        parsed: Json = json.loads(body)
    except ValueError, RecursionError:
        return None
    return parsed


def _ignore(_data: Mapping[str, Json]) -> bool:
    """Accept any content, where only success matters."""
    return True


def _message_id(data: Mapping[str, Json]) -> str | None:
    """Return the id of a message that the service accepted."""
    return parse_message_id(data.get("id"))


def _phone_body(device_id: str) -> dict[str, Json]:
    """Return a body that names a phone under both keys, since the vendor's pages disagree on which one is right."""
    return {"id": device_id, "device_id": device_id}


def _unreadable_error(reason: str) -> GoSmsConnectionError:
    """Return the error for a response that can't be read: it is unknown whether anything was done."""
    return GoSmsConnectionError(reason, maybe_accepted=True)
