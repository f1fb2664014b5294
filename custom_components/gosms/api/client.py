"""The requests of the GoSMS.ru API, v1."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
import json
import re
from typing import Final

import aiohttp
from aiolimiter import AsyncLimiter

from .codes import Endpoint
from .exceptions import GoSmsApiError, GoSmsConnectionError
from .ids import read_message_id
from .models import Json, Message, MessagePage, Phone, integer
from .outcome import Listener, report_outcome
from .statistics import Statistics

DEFAULT_URL: Final = "https://api.gosms.ru/v1"

# The vendor's limit for one page of messages.
PAGE_SIZE: Final = 100

# A connection that takes longer is given up as never made, so that it is certain that nothing was sent. It must be
# well under the total: past the total nobody can tell any more.
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10, connect=6)

# A full page of the longest messages has about 200 KiB.
_MAX_ANSWER: Final = 2 * 1024 * 1024

# What the vendor's support asks for after an error. Anything else under its key stays out of logs and diagnostics.
_HASH: Final = re.compile(r"[0-9a-f]{1,64}")


class RateLimiter:
    """How fast requests may leave, for each endpoint, in the name of one token.

    The vendor permits 10 requests a second from one account to one endpoint. One request each 0.105 s stays under it
    in every second; a bucket of 10 would let 19 through in its first one. Clients with the same token and address
    must share one pace.
    """

    def __init__(self) -> None:
        """Start with no endpoint used."""
        self._limiters: dict[Endpoint, AsyncLimiter] = {}

    async def wait(self, endpoint: Endpoint) -> None:
        """Wait until a request to this endpoint may leave."""
        limiter = self._limiters.get(endpoint)
        if limiter is None:
            limiter = self._limiters[endpoint] = AsyncLimiter(1, 0.105)
        await limiter.acquire()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Response:
    """What came back for a request.

    Attributes:
        status: the HTTP status.
        body: what was said.
        retry_after: seconds to wait before the next request, as the service asked, or None.
    """

    status: int
    body: bytes
    retry_after: int | None

    def payload(self) -> Mapping[str, Json]:
        """Return the object in the body, empty if without content, or raise what the answer says went wrong."""
        answer = _parse(self.body)
        # The vendor does not document which status comes with which code: an error body is an error with any status.
        errors = answer.get("errors") if isinstance(answer, Mapping) else None
        if self.status in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT} and errors is None:
            if not self.body:
                return {}
            if not isinstance(answer, Mapping):
                raise _unreadable("the answer is not a JSON object")
            return answer
        details = errors if isinstance(errors, Mapping) else {}
        error_hash = details.get("hash")
        raise GoSmsApiError(
            self.status,
            code=integer(details.get("code")),
            error_hash=error_hash if isinstance(error_hash, str) and _HASH.fullmatch(error_hash) else None,
            retry_after=self.retry_after,
        )


class GoSmsClient:
    """A client for one token.

    No method tries twice or follows a redirect; each ends within 10 seconds once its request may leave.

    All methods raise:
        GoSmsConnectionError: there was no answer, or none that can be read.
        GoSmsApiError: the service answered with an error.

    Attributes:
        statistics: how the requests so far outcome, and how long they took.
        on_request_done: called with each request that outcome, before whoever asked for it learns of it.

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
        """Make a client.

        Args:
            session: sends the requests; it is not closed here.
            token: the API token from the control panel.
            url: the address of the API, without a slash at the end.
            rate_limiter: shared by all clients with the same token and address; one of its own if left out.
        """
        self.statistics = Statistics()
        self.on_request_done: Listener | None = None
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._url = url
        self._rate_limiter = rate_limiter or RateLimiter()
        self._clock: tuple[float, float] | None = None
        # What was asked, answered and read when messages were listed last: nearly every poll brings the same again.
        self._listed: tuple[Mapping[str, str], _Response, MessagePage] | None = None

    @property
    def server_time(self) -> float | None:
        """Return the service's clock in Unix seconds, as its last answer told it, or None before the first answer."""
        if self._clock is None:
            return None
        told, heard = self._clock
        return told + asyncio.get_running_loop().time() - heard

    async def send(
        self,
        phone_number: str,
        text: str,
        *,
        device_id: str | None = None,
        sim: int | None = None,
        callback_id: str | None = None,
    ) -> str:
        """Ask the service to send a message, and return the id that it gave to it.

        Args:
            phone_number: the receiver, 3 to 30 digits.
            text: 1 to 300 characters: letters, digits, punctuation, white space and `+ = $ ^ < >`.
            device_id: the phone to send with; any active one if left out.
            sim: the SIM slot of that phone, counted from 0; only together with `device_id` (error 1017).
            callback_id: the webhook to tell of it; all of them if left out.

        Raises:
            GoSmsConnectionError: see the class; `maybe_accepted` tells if the message may be sent all the same.
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
        """Return one message. Error 1008 if the server holds none with this id (24 hex digits)."""
        return await self._request(Endpoint.GET, Message.from_api, body={"id": message_id})

    async def delete(self, message_id: str) -> None:
        """Delete one message from the server. Error 1010 if it is younger than 5 minutes."""
        await self._request(Endpoint.DELETE, _any, body={"id": message_id})

    async def list(self, *, limit: int = PAGE_SIZE, page: int = 1, search: str | None = None) -> MessagePage:
        """Return a page of the account's messages, newest first.

        Args:
            limit: messages on a page, 1 to 100.
            page: the number of the page, counted from 1 (the vendor calls it offset).
            search: only messages with this in their text, status text or number, in any case of letters.
        """
        query = {"limit": str(limit), "offset": str(page)}
        if search is not None:
            query["search"] = search

        def read(answer: _Response) -> MessagePage | None:
            if self._listed and self._listed[:2] == (query, answer):
                return self._listed[2]
            if found := MessagePage.from_api(answer.payload(), limit):
                self._listed = query, answer, found
            return found

        return await self._call(Endpoint.LIST, read, query=query)

    async def phone_info(self, device_id: str) -> Phone:
        """Return what the service knows of a phone. Error 1012 or 1016 if the account has none with this id."""
        return await self._request(Endpoint.PHONE_INFO, Phone.from_api, body=_phone_id(device_id))

    async def set_phone_active(self, device_id: str, *, active: bool) -> None:
        """Switch on or off that a phone may send."""
        # Leaving is_active out means false to the service, so it is always there.
        body = {**_phone_id(device_id), "is_active": active}
        await self._request(Endpoint.EDIT_PHONE, _any, body=body)

    async def _request[T](
        self,
        endpoint: Endpoint,
        read: Callable[[Mapping[str, Json]], T | None],
        *,
        body: Mapping[str, Json] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> T:
        """Send one request and return what is read from the object in its answer, which must not be None."""
        return await self._call(endpoint, lambda answer: read(answer.payload()), body=body, query=query)

    async def _call[T](
        self,
        endpoint: Endpoint,
        read: Callable[[_Response], T | None],
        *,
        body: Mapping[str, Json] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> T:
        """Send one request and return what is read from its answer, which must not be None."""
        await self._rate_limiter.wait(endpoint)
        with self.statistics.measure(endpoint), report_outcome(self.on_request_done, endpoint, body):
            found = read(await self._send_request(endpoint, body, query))
            if found is None:
                raise _unreadable("the answer lacks what was asked for")
            return found

    async def _send_request(
        self, endpoint: Endpoint, body: Mapping[str, Json] | None, query: Mapping[str, str] | None
    ) -> _Response:
        """Return what a request was answered with, whatever that says."""
        if self._session.closed:
            # As while the program stops. aiohttp has only a RuntimeError for it.
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
                # It takes the place of the session's own ones. Home Assistant's looks at redirects alone.
                middlewares=(_no_retry,),
            ) as response:
                self._sync_clock(response.headers.get("Date", ""))
                return _Response(status=response.status, body=await _read(response), retry_after=_retry_after(response))
        except aiohttp.ClientConnectorError as err:
            raise GoSmsConnectionError(f"no connection: {type(err).__name__}", maybe_accepted=False) from err
        # The texts of all others may quote the address with the number that was searched for, or the answer. They must
        # not follow the error into a traceback in the log.
        except (aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as err:
            raise GoSmsConnectionError(f"no connection: {type(err).__name__}", maybe_accepted=False) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            raise GoSmsConnectionError(f"no answer: {type(err).__name__}", maybe_accepted=True) from None

    def _sync_clock(self, date: str) -> None:
        """Take note of the service's clock."""
        try:
            told = parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        self._clock = told, asyncio.get_running_loop().time()


async def _no_retry(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET or a DELETE a second time, past the pace, when its connection was cut."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as err:
        # It repeats after these two alone, so they must not reach it.
        raise GoSmsConnectionError(f"no answer: {type(err).__name__}", maybe_accepted=True) from None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Read the body, which must not be larger than any answer of this API can be."""
    if (response.content_length or 0) > _MAX_ANSWER:
        raise _unreadable("the answer is too large")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MAX_ANSWER:
            raise _unreadable("the answer is too large")
    return bytes(body)


def _retry_after(response: aiohttp.ClientResponse) -> int | None:
    """Return the seconds to wait that the service asks for, or None."""
    # The header's other form, a date, is too rare to be worth a look at a second clock.
    seconds = integer(response.headers.get("Retry-After"))
    return seconds if seconds is not None and seconds >= 0 else None


def _parse(body: bytes) -> Json:
    """Return what the JSON text says, or None if it is none."""
    try:
        parsed: Json = json.loads(body)
    except ValueError, RecursionError:
        return None
    return parsed


def _any(_answer: Mapping[str, Json]) -> bool:
    """Take whatever the service answered where it only has to agree."""
    return True


def _message_id(answer: Mapping[str, Json]) -> str | None:
    """Return the id that the service gave to a message."""
    return read_message_id(answer.get("id"))


def _phone_id(device_id: str) -> dict[str, Json]:
    """Name a phone under both keys: the vendor's own pages differ in which of them it is."""
    return {"id": device_id, "device_id": device_id}


def _unreadable(reason: str) -> GoSmsConnectionError:
    """Make the error for an answer that came but can't be read: nobody can tell what was done."""
    return GoSmsConnectionError(reason, maybe_accepted=True)
