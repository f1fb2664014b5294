"""Fixtures of the simulator's tests: an account with a frozen clock, and a client on a real socket."""

from collections.abc import Mapping
from dataclasses import dataclass
import json

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request
import pytest
from pytest_aiohttp import AiohttpClient

from simulator import Account, Faults, create_app
from tests.loop_clock import loop_clock

__all__ = ["loop_clock"]

TOKEN = "the-token"
PHONE = "0192fd5e-8b8f-7c3a-9d6e-2f4b6c8d0e1f"
# 2026-10-14 12:00:00 UTC.
NOW = 1791979200.0


class Clock:
    """A clock that only advances on request."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float) -> None:
        """Advance the time."""
        self.now += seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiResponse:
    """A response that was read."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> object:
        """The parsed body."""
        return json.loads(self.text)

    @property
    def code(self) -> object:
        """The vendor's error code, None where the error body has none."""
        parsed = json.loads(self.text)
        return parsed["errors"].get("code")


class Api:
    """A client of the simulated service."""

    def __init__(self, client: TestClient[Request, Application]) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {TOKEN}"}

    async def request(self, endpoint: str, body: object = None, *, raw: bytes | None = None) -> ClientResponse:
        """Send a request to an endpoint such as `POST /sms/send`, without following redirects."""
        method, path = endpoint.split()
        data = raw if body is None else json.dumps(body).encode()
        return await self.client.request(method, f"/v1{path}", data=data, headers=self.headers, allow_redirects=False)

    async def call(self, endpoint: str, body: object = None, *, raw: bytes | None = None) -> ApiResponse:
        """Send a request and read the whole response."""
        response = await self.request(endpoint, body, raw=raw)
        return ApiResponse(status=response.status, headers=response.headers, text=await response.text())

    @staticmethod
    def sent_id(response: ApiResponse) -> str:
        """Return the id in the response to a send."""
        return str(json.loads(response.text)["id"])

    async def control(self, endpoint: str, body: object = None) -> ApiResponse:
        """Send a request to the controls, which require no token."""
        method, path = endpoint.split()
        response = await self.client.request(method, f"/control{path}", json=body)
        return ApiResponse(status=response.status, headers=response.headers, text=await response.text())


@pytest.fixture
def clock() -> Clock:
    """The service's wall clock."""
    return Clock()


@pytest.fixture
def rate_clock() -> Clock:
    """The clock of the rate limit."""
    return Clock()


@pytest.fixture
def account(clock: Clock, rate_clock: Clock) -> Account:
    """An account with one active phone."""
    account = Account(token=TOKEN, clock=clock, rate_clock=rate_clock)
    account.add_phone(PHONE)
    return account


@pytest.fixture
def faults() -> Faults:
    """The faults of the service, at first none."""
    return Faults(seed=1)


@pytest.fixture
def app(account: Account, faults: Faults) -> Application:
    """The service as a web application."""
    return create_app(account, faults)


@pytest.fixture
async def api(socket_enabled: None, aiohttp_client: AiohttpClient, app: Application) -> Api:
    """A client of the service."""
    return Api(await aiohttp_client(app))
