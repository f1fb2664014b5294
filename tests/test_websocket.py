"""The feed of the card: what a browser is told of an account's messages."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_get_translations
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket, WebSocketGenerator

from simulator import Fault, Status
from tests.common import DAD, MUM, PHONE, SimulatedService, add_phone, advance_time, send, set_up
from tests.services.test_permissions import CONTROL, READ, own_entities, policy

AUNT: Final = "79161234567"
SUBSCRIBE: Final = "gosms/messages/subscribe"
LONG_AGO: Final = 1_700_000_000

pytestmark = pytest.mark.usefixtures("no_rate_limit")


class Browser:
    """A browser that looks at the feed: it keeps what it is told, as the card does."""

    def __init__(self, websocket: MockHAClientWebSocket) -> None:
        self.account: dict[str, Any] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.has_more: bool | None = None
        self._websocket = websocket

    @property
    def texts(self) -> list[str]:
        """The texts of the list, newest first."""
        return [row["message"] for row in self.newest_first]

    @property
    def newest_first(self) -> list[dict[str, Any]]:
        """The rows in the order of the card."""
        return sorted(self.rows.values(), key=lambda row: (row["created"], row["key"]), reverse=True)

    @property
    def row(self) -> dict[str, Any]:
        """The newest row."""
        return self.newest_first[0]

    async def ask(self, **fields: Any) -> dict[str, Any]:
        """Subscribe, and return the answer."""
        await self._websocket.send_json_auto_id({"type": SUBSCRIBE, **fields})
        answer: dict[str, Any] = await self._websocket.receive_json()
        return answer

    async def receive(self) -> dict[str, Any]:
        """Wait for an event, and take it in."""
        event: dict[str, Any] = (await asyncio.wait_for(self._websocket.receive_json(), 10))["event"]
        self.account = event.get("account", self.account)
        self.has_more = event.get("has_more", self.has_more)
        self.rows |= {row["key"]: row for row in event.get("messages", ())}
        for key in event.get("removed", ()):
            del self.rows[key]
        return event

    async def receive_until(self, condition: Callable[[Browser], object]) -> None:
        """Take events in until something can be seen."""
        while not condition(self):
            await self.receive()

    async def is_told_nothing(self) -> bool:
        """Return whether no event is under way: a ping is answered after all of them."""
        await asyncio.sleep(0.3)
        await self._websocket.send_json_auto_id({"type": "ping"})
        answer = await self._websocket.receive_json()
        return bool(answer["type"] == "pong")

    async def close(self) -> None:
        """Close the window."""
        await self._websocket.close()


async def look(hass_ws_client: WebSocketGenerator, **fields: Any) -> Browser:
    """Open a browser that looks at the account."""
    browser = Browser(await hass_ws_client())
    answer = await browser.ask(**fields)
    assert (answer["success"], answer["result"]) == (True, None)
    await browser.receive()
    return browser


async def test_a_sent_message_is_followed_live(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    freezer: FrozenDateTimeFactory,
) -> None:
    await set_up(hass, entry)
    browser = await look(hass_ws_client)
    assert (browser.rows, browser.has_more) == ({}, False)
    await send(hass, "Water leak")
    await browser.receive_until(lambda browser: browser.rows and browser.row["parts"][0]["id"])
    [row] = browser.newest_first
    [stored] = service.account.messages
    assert (row["phone_number"], row["recipient"], row["recipient_id"]) == (MUM, "Mum", "the_recipient_mum")
    assert (row["message"], row["status"], row["status_text"]) == ("Water leak", "waiting", "Waiting")
    assert (row["attempts"], row["segments"], row["tag"], row["error"]) == (1, 1, None, None)
    assert row["parts"] == [{"id": stored.id, "text": "Water leak", "status": "waiting", "status_text": "Waiting"}]
    assert not row["can_resend"]
    service.account.set_status(stored.id, Status.DELIVERED)
    await advance_time(hass, freezer, 60)
    await browser.receive_until(lambda browser: browser.row["status"] == "delivered")
    assert browser.texts == ["Water leak"]


async def test_what_others_sent_is_listed_by_its_id(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    stored = service.account.add_message(message="By hand", phone_number=DAD, created=LONG_AGO)
    service.account.add_message(message="To a stranger", phone_number=AUNT, created=LONG_AGO - 1, status=9)
    await set_up(hass, entry)
    browser = await look(hass_ws_client)
    assert browser.newest_first[0] == {
        "key": f"gosms:{stored.id}",
        "phone_number": DAD,
        "recipient": "Dad",
        "recipient_id": "the_recipient_dad",
        "message": "By hand",
        "status": "delivered",
        "status_text": "Delivered",
        "created": "2023-11-14T22:13:20.000+00:00",
        "finished": None,
        "tag": None,
        "attempts": None,
        "segments": 1,
        "parts": [{"id": stored.id, "text": "By hand", "status": "delivered", "status_text": "Delivered"}],
        "steps": [],
        "error": None,
        "error_text": None,
        "can_cancel": False,
        "can_resend": False,
    }
    stranger = browser.newest_first[1]
    assert (stranger["recipient"], stranger["recipient_id"], stranger["status"]) == (None, None, None)


async def test_what_waits_stays_in_the_list_in_an_outage(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    freezer: FrozenDateTimeFactory,
) -> None:
    service.account.add_message(message="Before", phone_number=MUM, created=LONG_AGO)
    await set_up(hass, entry)
    browser = await look(hass_ws_client)
    assert browser.account["available"]
    service.faults.add(Fault.REFUSE)
    await advance_time(hass, freezer, 60)
    await send(hass, "No power")
    await browser.receive_until(lambda browser: browser.account["waiting"] and not browser.account["available"])
    assert browser.texts == ["No power", "Before"]
    assert (browser.row["status"], browser.row["can_resend"]) == ("queued", False)


async def test_a_refused_message_says_why_in_the_language_of_the_browser(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    await set_up(hass, entry)
    browser = await look(hass_ws_client, language="ru")
    service.account.api_active = False
    with pytest.raises(HomeAssistantError):
        await send(hass, "Refused")
    await browser.receive_until(lambda browser: browser.account["problem"])
    russian = await async_get_translations(hass, "ru", "exceptions", ["gosms"])
    text = russian["component.gosms.exceptions.api_inactive.message"]
    assert browser.account["problem"] == {
        "reason": "api_inactive",
        "text": text,
        "issue_id": "api_inactive_the_account",
    }
