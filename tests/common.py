"""Fixtures and helpers of all tests: the simulated service, and an account in Home Assistant."""

import asyncio
from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import Any, Final
from unittest.mock import AsyncMock

from aiohttp import ClientTimeout
from aiohttp.test_utils import TestServer
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentry, ConfigSubentryDataWithId
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.gosms.api import RateLimiter, transport
from custom_components.gosms.const import DOMAIN
from simulator import FAULTS, REQUESTS, Account, Faults, RecordedRequest, create_app
from tests import API_TOKEN

MUM: Final = "79123456789"
DAD: Final = "79991112233"
PHONE: Final = "6654a4e8f1527149588c89f2"


class SimulatedService:
    """The simulated service over a real local socket, with its account, its faults and the requests to it."""

    def __init__(self, server: TestServer, account: Account) -> None:
        self.account = account
        self.faults: Faults = server.app[FAULTS]
        self.url = str(server.make_url("/v1"))
        self._server = server

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far."""
        recorded = self._server.app[REQUESTS]
        return list(recorded)

    def requests_to(self, endpoint: str) -> list[RecordedRequest]:
        """Return the requests to one endpoint, such as `POST /sms/send`."""
        return [request for request in self.requests if request.endpoint == endpoint]

    async def close(self) -> None:
        """Stop the server, so that connections are refused."""
        await self._server.close()


@pytest.fixture
def account() -> Account:
    """An account with one phone, whose messages keep their status until a test changes it."""
    account = Account(token=API_TOKEN)
    account.add_phone(PHONE)
    return account


@pytest.fixture
async def service(
    socket_enabled: None, account: Account, aiohttp_server: Callable[..., Awaitable[TestServer]]
) -> SimulatedService:
    """The running service."""
    return SimulatedService(await aiohttp_server(create_app(account), host="127.0.0.1", access_log=None), account)


@pytest.fixture
def no_rate_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the client's rate limiter: it uses the event loop's clock, which frozen time stops."""
    monkeypatch.setattr(RateLimiter, "wait", AsyncMock())


@pytest.fixture
def no_service_rate_limit(account: Account) -> None:
    """Disable the rate limit of the service: here hours pass within a moment."""
    account.rate_limit = None


@pytest.fixture
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the client's timeout, but not so much that responses on a busy machine exceed it."""
    monkeypatch.setattr(transport, "_TIMEOUT", ClientTimeout(total=2, connect=2))


def recipient(name: str, number: str, **data: str) -> ConfigSubentryDataWithId:
    """Return a recipient subentry."""
    return ConfigSubentryDataWithId(
        data={"phone_number": number, **data},
        subentry_id=f"the_recipient_{name.lower()}",
        subentry_type="recipient",
        title=name,
        unique_id=number,
    )


def phone(subentry_id: str, device_id: str = PHONE, sim: str = "default") -> ConfigSubentryDataWithId:
    """Return a phone subentry."""
    return ConfigSubentryDataWithId(
        data={"device_id": device_id, "sim": sim},
        subentry_id=subentry_id,
        subentry_type="phone",
        title="Pixel 8",
        unique_id=device_id,
    )


def add_recipient(hass: HomeAssistant, entry: MockConfigEntry, name: str, number: str) -> None:
    """Give the account a recipient."""
    subentry = ConfigSubentry(
        data=MappingProxyType({"phone_number": number}),
        subentry_id=f"the_recipient_{name.lower()}",
        subentry_type="recipient",
        title=name,
        unique_id=number,
    )
    hass.config_entries.async_add_subentry(entry, subentry)


def add_phone(
    hass: HomeAssistant, entry: MockConfigEntry, sim: str = "default", *, name: str = "Pixel 8", device_id: str = PHONE
) -> None:
    """Add a phone to the account."""
    subentry = ConfigSubentry(
        data=MappingProxyType({"device_id": device_id, "sim": sim}),
        subentry_id="the_phone" if device_id == PHONE else device_id,
        subentry_type="phone",
        title=name,
        unique_id=device_id,
    )
    hass.config_entries.async_add_subentry(entry, subentry)


@pytest.fixture
def entry(hass: HomeAssistant, service: SimulatedService) -> MockConfigEntry:
    """An account in Home Assistant with two recipients, not set up yet."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        entry_id="the_account",
        title="GoSMS.ru",
        data={"api_token": API_TOKEN, "url": service.url},
        subentries_data=[recipient("Mum", MUM), recipient("Dad", DAD)],
    )
    entry.add_to_hass(hass)
    return entry


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set the account up and wait for its first poll."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def send(hass: HomeAssistant, message: str, *, to: str = "notify.mum", **data: Any) -> None:
    """Send through a notify entity, and wait for everything that follows, even after an error."""
    try:
        await hass.services.async_call(
            "notify", "send_message", {"entity_id": to, "message": message, **data}, blocking=True
        )
    finally:
        await hass.async_block_till_done()


def entity_id(hass: HomeAssistant, platform: str, unique_id: str) -> str:
    """Return the id of an entity."""
    found = er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id)
    assert found is not None, f"no {platform} {unique_id}"
    return found


def repairs(hass: HomeAssistant) -> list[str]:
    """Return the keys of the open repairs."""
    issues = ir.async_get(hass).issues.values()
    return sorted(str(issue.translation_key) for issue in issues if issue.domain == DOMAIN and issue.active)


async def advance_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float) -> None:
    """Advance the time, and wait for everything that is due."""
    freezer.tick(seconds)
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)


async def advance_minutes(hass: HomeAssistant, freezer: FrozenDateTimeFactory, minutes: int) -> None:
    """Advance the time minute by minute, with the polls that are due."""
    for _ in range(minutes):
        await advance_time(hass, freezer, 60)


async def wait_until(condition: Callable[[], object]) -> None:
    """Run the event loop until a condition is met, without advancing the time."""
    while not condition():
        await asyncio.sleep(0)
