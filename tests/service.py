"""The simulated service, and a Home Assistant that uses it."""

from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import Any, Final
from unittest.mock import AsyncMock

from aiohttp import ClientTimeout
from aiohttp.test_utils import TestServer
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentry, ConfigSubentryDataWithId
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.gosms.api import RateLimiter, client
from custom_components.gosms.const import DOMAIN
from simulator import FAULTS, REQUESTS, Account, Faults, RecordedRequest, create_app
from tests import API_TOKEN

MUM: Final = "79123456789"
DAD: Final = "79991112233"
PHONE: Final = "6654a4e8f1527149588c89f2"


class Service:
    """The simulated service over a real local socket: its address, its account, its faults, what it was asked."""

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
        """The requests to one endpoint, such as `POST /sms/send`."""
        return [request for request in self.requests if request.endpoint == endpoint]

    async def close(self) -> None:
        """Go away for good: nobody listens at the address any more."""
        await self._server.close()


@pytest.fixture
def account() -> Account:
    """An account with one phone, whose messages stay where they are until a test moves them."""
    account = Account(token=API_TOKEN)
    account.add_phone(PHONE)
    return account


@pytest.fixture
async def service(
    socket_enabled: None, account: Account, aiohttp_server: Callable[..., Awaitable[TestServer]]
) -> Service:
    """The running service."""
    return Service(await aiohttp_server(create_app(account), host="127.0.0.1", access_log=None), account)


@pytest.fixture
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests leave at once: the pace is kept by the event loop's clock, which frozen time stops for ever."""
    monkeypatch.setattr(RateLimiter, "wait", AsyncMock())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a silent service after a moment, which a busy machine does not take for an ordinary answer."""
    monkeypatch.setattr(client, "_TIMEOUT", ClientTimeout(total=2, connect=2))


def recipient(name: str, number: str, **data: str) -> ConfigSubentryDataWithId:
    """A person to send to."""
    return ConfigSubentryDataWithId(
        data={"phone_number": number, **data},
        subentry_id=f"the_recipient_{name.lower()}",
        subentry_type="recipient",
        title=name,
        unique_id=number,
    )


def phone(subentry_id: str, device_id: str = PHONE, sim: str = "default") -> ConfigSubentryDataWithId:
    """A phone to send with."""
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
    """Give the account a phone."""
    subentry = ConfigSubentry(
        data=MappingProxyType({"device_id": device_id, "sim": sim}),
        subentry_id="the_phone" if device_id == PHONE else device_id,
        subentry_type="phone",
        title=name,
        unique_id=device_id,
    )
    hass.config_entries.async_add_subentry(entry, subentry)


@pytest.fixture
def entry(hass: HomeAssistant, service: Service) -> MockConfigEntry:
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
    """Send with a notify entity, and let what follows happen, also if that is an error."""
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


async def wait(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float) -> None:
    """Let time pass, and the polls that are due."""
    freezer.tick(seconds)
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
