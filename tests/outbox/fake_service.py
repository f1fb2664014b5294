"""A client that is connected to the simulator's account in virtual time, and the faults of that connection."""

import asyncio
from collections.abc import Callable
import json
from typing import TYPE_CHECKING, Any, Final

from custom_components.gosms.api import (
    PAGE_SIZE,
    Endpoint,
    GoSmsApiError,
    GoSmsConnectionError,
    GoSmsError,
    Message,
    MessagePage,
)
from simulator import HTTP_STATUSES, ApiError
from simulator.wire import message_json, page_json

if TYPE_CHECKING:
    from tests.outbox.simulation import Run

# Seconds of one way to the service.
_LATENCY: Final = 0.05

# The errors of a request to send, before and after the service has received it.
FAULTS: Final[dict[str, tuple[GoSmsError | None, GoSmsError | None]]] = {
    "no connection": (GoSmsConnectionError("no connection", maybe_accepted=False), None),
    "refused": (GoSmsApiError(403, code=1006), None),
    "too many requests": (GoSmsApiError(429), None),
    "come back later": (GoSmsApiError(429, retry_after=90), None),
    "come back at once": (GoSmsApiError(429, retry_after=0), None),
    "come back in a year": (GoSmsApiError(429, retry_after=31_536_000), None),
    "cut before": (GoSmsConnectionError("no answer", maybe_accepted=True), None),
    "cut after": (None, GoSmsConnectionError("no answer", maybe_accepted=True)),
    "error after": (None, GoSmsApiError(500)),
}
# The connection is lost, and the service receives the request some seconds later, within the grace period.
LATE: Final = "late"
# The service answers with the id of its oldest message.
REPEATED_ID: Final = "repeated id"
# The service responds after so many seconds.
SLOW: Final = "slow"
_SLOWNESS: Final = 6.0


def _contradict(page: dict[str, Any]) -> dict[str, Any]:
    """Tell of no message, but count them."""
    return page | {"sms_list": None}


def _cut(page: dict[str, Any]) -> dict[str, Any]:
    """Leave out all messages but the newest."""
    return page | {"sms_list": page["sms_list"][:1]}


def _damage(page: dict[str, Any]) -> dict[str, Any]:
    """Name the newest message by what is no id."""
    return page | {"sms_list": [each | {"id": "<html>"} for each in page["sms_list"][:1]] + page["sms_list"][1:]}


def _hide_numbers(page: dict[str, Any]) -> dict[str, Any]:
    """Say nothing of who the messages are for."""
    return page | {"sms_list": [each | {"phone_number": None} for each in page["sms_list"]]}


def _hide_texts(page: dict[str, Any]) -> dict[str, Any]:
    """Say nothing of what the messages say."""
    return page | {"sms_list": [each | {"message": ""} for each in page["sms_list"]]}


def _hide_total(page: dict[str, Any]) -> dict[str, Any]:
    """Count nothing."""
    return {"sms_list": page["sms_list"]}


def _hide_all(_page: dict[str, Any]) -> dict[str, Any]:
    """Tell of no message, and count nothing."""
    return {"sms_list": None}


# What can be wrong with a list of messages. One that is cut, and counts no more than it tells, can't be told from a
# true one.
LIST_FAULTS: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "contradicts itself": _contradict,
    "is cut": _cut,
    "is damaged": _damage,
    "has no numbers": _hide_numbers,
    "has no texts": _hide_texts,
    "has no total": _hide_total,
    "has nothing": _hide_all,
}


class FakeClient:
    """Replaces the client: the same methods and errors, connected to the simulator's account."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._simulation = run.simulation
        self._clock: tuple[float, float] | None = None

    @property
    def server_time(self) -> float | None:
        """The service's clock, as of the last response."""
        if self._clock is None:
            return None
        server_time, received = self._clock
        return server_time + self._run.loop.time() - received

    async def send(self, phone_number: str, text: str, **_options: object) -> str:
        """Send a message."""
        if self._simulation.rate_limiter:
            await self._simulation.rate_limiter.wait(Endpoint.SEND)
        await self._transmit()
        fault = self._simulation.faults.pop(0) if self._simulation.faults else ""
        if fault == LATE:
            self._simulation.delay_request(phone_number, text)
            raise GoSmsConnectionError("no answer", maybe_accepted=True)
        before, after = FAULTS.get(fault, (None, None))
        if before:
            raise before
        message_id = self._simulation.accept(phone_number, text)
        if fault == SLOW:
            await asyncio.sleep(_SLOWNESS)
        await self._transmit(back=True)
        if after:
            raise after
        self._sync_clock()
        return self._simulation.account.messages[-1].id if fault == REPEATED_ID else message_id

    async def list(self, *, limit: int = PAGE_SIZE, page: int = 1, search: str | None = None) -> MessagePage:
        """Return a page of messages."""
        account = self._simulation.account

        def respond() -> dict[str, Any]:
            told = page_json(account.list_messages(limit, page, search or ""), account.generation)
            return self._simulation.list_fault(told)

        answer = MessagePage.from_api(await self._request(respond), limit)
        assert answer is not None
        return answer

    async def get(self, message_id: str) -> Message:
        """Return one message."""
        account = self._simulation.account
        self._simulation.fetched.append(message_id)
        answer = Message.from_api(
            await self._request(lambda: message_json(account.get(message_id), account.generation))
        )
        assert answer is not None
        return answer

    async def _request(self, respond: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        self._simulation.lookups += 1
        await self._transmit()
        if self._simulation.lookup_error:
            self._sync_clock()
            raise self._simulation.lookup_error
        self._simulation.deliver_late_requests()
        try:
            found = respond()
        except ApiError as err:
            raise GoSmsApiError(HTTP_STATUSES.get(err.code, 400), code=err.code) from err
        await self._transmit(back=True)
        self._sync_clock()
        answer: dict[str, Any] = json.loads(json.dumps(found))
        return answer

    async def _transmit(self, *, back: bool = False) -> None:
        """Transmit a request to the service, or its response back."""
        await self._run.crash_point()
        if self._simulation.is_offline:
            raise GoSmsConnectionError("the connection is lost", maybe_accepted=back)
        await asyncio.sleep(_LATENCY)

    def _sync_clock(self) -> None:
        told = self._simulation.server_clock() + self._simulation.date_offset
        self._clock = float(int(told)), self._run.loop.time()
