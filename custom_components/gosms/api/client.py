"""The requests of the GoSMS.ru API, v1."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import aiohttp

from .codes import Endpoint
from .exceptions import GoSmsError
from .ids import parse_message_id
from .models import Message, MessagePage, Phone
from .outcome import OutcomeListener, RequestOutcome, report_outcome
from .statistics import Statistics
from .transport import RateLimiter, Response, Transport, unreadable_error
from .values import Json

DEFAULT_URL: Final = "https://api.gosms.ru/v1"

# The vendor's maximum for one page of messages.
PAGE_SIZE: Final = 100


class GoSmsClient:
    """A client for one token at a time.

    No method retries or follows a redirect. Each ends within 10 seconds after the rate limiter lets its request pass.

    All methods raise:
        GoSmsConnectionError: there was no response, or none that can be read.
        GoSmsApiError: the service answered with an error.

    Attributes:
        statistics: how the requests so far ended, and how long they took.
        on_request_done: called with the outcome of each request, before the method returns or raises. Not called for a
            request that began before the last `use`: its outcome says nothing about the present token.

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
        self.use(token, url=url, rate_limiter=rate_limiter)
        # Query, response and result of the last list request: nearly every poll gets the same response again.
        self._last_list: tuple[Mapping[str, str], Response, MessagePage] | None = None

    def use(self, token: str, *, url: str, rate_limiter: RateLimiter | None = None) -> None:
        """Use this token and this address for all further requests.

        Those in progress continue with the previous ones. If one of them is refused, its error is temporary.

        Args:
            token: see `__init__`.
            url: see `__init__`.
            rate_limiter: see `__init__`.
        """
        self._transport = Transport(self._session, token, url)
        self._rate_limiter = rate_limiter or RateLimiter()

    @property
    def server_time(self) -> float | None:
        """Return the service's clock in Unix seconds, by the last response, or None before the first one."""
        return self._transport.server_time

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

        def parse(response: Response) -> MessagePage | None:
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
        parse: Callable[[Response], T | None],
        *,
        body: Mapping[str, Json] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> T:
        """Send one request, and return the result of parsing its response, which must not be None."""
        await self._rate_limiter.wait(endpoint)
        transport = self._transport
        with report_outcome(partial(self._handle_outcome, transport), endpoint, body):
            try:
                found = parse(await transport.send(endpoint, body, query))
            except GoSmsError as err:
                # What was refused to the previous token may be granted to the present one.
                err.is_temporary |= transport is not self._transport
                raise
            if found is None:
                raise unreadable_error("the answer lacks what was asked for")
            return found

    def _handle_outcome(self, transport: Transport, outcome: RequestOutcome) -> None:
        """Count a request that has ended, and report it."""
        self.statistics.add(outcome)
        if self.on_request_done and transport is self._transport:
            self.on_request_done(outcome)


def _ignore(_data: Mapping[str, Json]) -> bool:
    """Accept any content, where only success matters."""
    return True


def _message_id(data: Mapping[str, Json]) -> str | None:
    """Return the id of a message that the service accepted."""
    return parse_message_id(data.get("id"))


def _phone_body(device_id: str) -> dict[str, Json]:
    """Return a body that names a phone under both keys, since the vendor's pages disagree on which one is right."""
    return {"id": device_id, "device_id": device_id}
