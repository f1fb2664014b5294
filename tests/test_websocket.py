"""The feed of the card: what a browser is told of an account's messages."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from time import thread_time
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_get_translations
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket, WebSocketGenerator

from custom_components.gosms.api import MessagePage
from custom_components.gosms.feed import Feed, async_load_texts
from custom_components.gosms.issues import async_raise
from custom_components.gosms.permissions import Rights
from simulator import Fault, Status
from tests.common import DAD, MUM, SimulatedService, add_phone, add_recipient, advance_time, send, set_up, wait_until
from tests.services.test_permissions import CONTROL, READ, policy

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
    await browser.receive_until(lambda browser: browser.rows and browser.row["steps"])
    [row] = browser.newest_first
    [stored] = service.account.messages
    assert (row["phone_number"], row["recipient"], row["recipient_id"]) == (MUM, "Mum", "the_recipient_mum")
    assert (row["message"], row["status"], row["status_text"]) == ("Water leak", "waiting", "Waiting")
    assert (row["attempts"], row["segments"], row["tag"], row["error"]) == (1, 1, None, None)
    assert row["parts"] == [{"id": stored.id, "text": "Water leak", "status": "waiting", "status_text": "Waiting"}]
    assert [(step["type"], step["text"]) for step in row["steps"]] == [("accepted", "Accepted")]
    assert (row["can_resend"], row["can_cancel"]) == (False, False)
    service.account.set_status(stored.id, Status.DELIVERED)
    await advance_time(hass, freezer, 60)
    await browser.receive_until(lambda browser: browser.row["finished"])
    assert browser.texts == ["Water leak"]
    row = browser.row
    assert (row["status"], row["parts"][0]["status"], row["can_resend"]) == ("delivered", "delivered", False)
    assert [step["type"] for step in row["steps"]] == ["accepted", "delivered"]
    created, ended = (datetime.fromisoformat(row[key]) for key in ("created", "finished"))
    assert created == datetime.fromisoformat(row["steps"][0]["time"]) == ended - timedelta(seconds=60)
    assert ended == datetime.fromisoformat(row["steps"][1]["time"])


async def test_a_failed_message_that_is_delivered_after_all_is_not_resent(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    freezer: FrozenDateTimeFactory,
) -> None:
    await set_up(hass, entry)
    browser = await look(hass_ws_client)
    await send(hass, "Water leak")
    [stored] = service.account.messages
    service.account.set_status(stored.id, Status.DELIVERY_ERROR)
    await advance_time(hass, freezer, 60)
    await browser.receive_until(lambda browser: browser.rows and browser.row["finished"])
    assert (browser.row["status"], browser.row["can_resend"]) == ("delivery_failed", True)
    service.account.set_status(stored.id, Status.DELIVERED)
    await entry.runtime_data.coordinator.async_refresh()
    await browser.receive_until(lambda browser: browser.row["status"] != "delivery_failed")
    [row] = browser.newest_first
    assert (row["status"], row["status_text"], row["can_resend"]) == ("delivered", "Delivered", False)
    assert (row["parts"][0]["status"], row["error"]) == ("delivered", None)


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
    await browser.receive_until(lambda browser: not browser.account["available"] and browser.row["steps"])
    assert (browser.texts, browser.account["waiting"]) == (["No power", "Before"], 1)
    row = browser.row
    assert (row["status"], row["can_resend"], row["can_cancel"]) == ("queued", False, False)
    # Its request may have arrived.
    assert [step["type"] for step in row["steps"]] == ["queued"]


async def test_what_can_be_taken_back_is_taken_back_by_its_key(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint="POST /sms/send")
    browser = await look(hass_ws_client)
    await send(hass, "Never mind")
    await browser.receive_until(lambda browser: browser.account["waiting"])
    assert browser.row["can_cancel"]
    await hass.services.async_call("gosms", "cancel_messages", {"keys": [browser.row["key"]]}, blocking=True)
    await browser.receive_until(lambda browser: browser.row["finished"])
    row = browser.row
    assert (row["status"], row["status_text"], row["error"]) == ("cancelled", "Canceled", "cancelled")
    assert (row["can_cancel"], row["can_resend"], browser.account["waiting"]) == (False, True, 0)


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
    await browser.receive_until(lambda browser: browser.rows and browser.row["finished"])
    row = browser.row
    assert (row["status"], row["status_text"], row["can_resend"]) == ("refused", "Отклонено", True)
    assert (row["error"], row["error_text"]) == ("api_inactive", text)


async def test_the_list_is_as_long_as_asked_for(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    for minute in range(3):
        service.account.add_message(message=f"No. {minute}", phone_number=MUM, created=LONG_AGO + 60 * minute)
    await set_up(hass, entry)
    browser = await look(hass_ws_client, limit=2)
    assert (browser.texts, browser.has_more) == (["No. 2", "No. 1"], True)
    await send(hass, "New")
    await browser.receive_until(lambda browser: "New" in browser.texts)
    assert browser.texts == ["New", "No. 2"]
    other = await look(hass_ws_client, limit=3)
    assert (other.texts, other.has_more) == (["New", "No. 2", "No. 1"], True)
    await send(hass, "For both")
    await other.receive_until(lambda browser: browser.row["message"] == "For both")
    await browser.receive_until(lambda browser: browser.row["message"] == "For both")


async def test_what_does_not_fit_any_more_leaves_the_list(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    stored = service.account.add_message(message="Old", phone_number=MUM, created=LONG_AGO)
    await set_up(hass, entry)
    browser = await look(hass_ws_client, limit=1)
    assert not browser.has_more
    await send(hass, "New")
    event = await browser.receive()
    assert (event["removed"], event["has_more"]) == ([f"gosms:{stored.id}"], True)
    assert browser.texts == ["New"]


async def test_a_message_without_a_time_stands_beside_the_one_before_it(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    for text in ("Old", "Timeless", "New"):
        service.account.add_message(message=text, phone_number=MUM, created=LONG_AGO)
    await set_up(hass, entry)
    coordinator = entry.runtime_data.coordinator
    new, timeless, old = coordinator.data.messages
    old = replace(old, created=old.created - timedelta(hours=1))
    coordinator.async_set_updated_data(MessagePage(messages=(new, replace(timeless, created=None), old)))
    browser = await look(hass_ws_client)
    assert {row["message"]: row["created"] for row in browser.rows.values()} == {
        "New": "2023-11-14T22:13:20.000+00:00",
        "Timeless": "2023-11-14T22:13:20.000+00:00",
        "Old": "2023-11-14T21:13:20.000+00:00",
    }


async def test_what_is_gone_from_the_service_is_removed(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    stored = service.account.add_message(message="By hand", phone_number=MUM, created=LONG_AGO)
    await set_up(hass, entry)
    browser = await look(hass_ws_client)
    service.account.delete(stored.id)
    await entry.runtime_data.coordinator.async_refresh()
    assert await browser.receive() == {"removed": [f"gosms:{stored.id}"]}
    await entry.runtime_data.coordinator.async_refresh()
    assert await browser.is_told_nothing()


async def test_the_list_outlives_a_reload_of_the_account(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    await set_up(hass, entry)
    browser = await look(hass_ws_client)
    await send(hass, "Before")
    await browser.receive_until(lambda browser: browser.rows)
    await hass.config_entries.async_unload(entry.entry_id)
    await browser.receive_until(lambda browser: not browser.account["available"])
    assert browser.texts == ["Before"]
    await set_up(hass, entry)
    await browser.receive_until(lambda browser: browser.account["available"])
    await send(hass, "After")
    await browser.receive_until(lambda browser: "After" in browser.texts)
    assert browser.texts == ["After", "Before"]


async def test_nobody_is_called_once_the_window_is_closed(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    await set_up(hass, entry)
    data, registry_listeners = entry.runtime_data, hass.bus.async_listeners().get(er.EVENT_ENTITY_REGISTRY_UPDATED, 0)
    before = len(data.outbox._store._listeners), len(data.coordinator._listeners)
    browser = await look(hass_ws_client)
    assert len(data.outbox._store._listeners) == before[0] + 1
    # A change that is still to be told.
    async_raise(hass, entry, "messages_lost")
    await browser.close()
    async with asyncio.timeout(30):
        await wait_until(lambda: len(data.coordinator._listeners) <= before[1])
    assert (len(data.outbox._store._listeners), len(data.coordinator._listeners)) == before
    assert hass.bus.async_listeners()[er.EVENT_ENTITY_REGISTRY_UPDATED] == registry_listeners


async def test_the_account_tells_what_can_be_done_and_shown(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    add_phone(hass, entry)
    await set_up(hass, entry)
    browser = await look(hass_ws_client)
    assert browser.account == {
        "config_entry_id": "the_account",
        "title": "GoSMS.ru",
        "available": True,
        "recipients": [
            {"id": "the_recipient_mum", "name": "Mum", "entity_id": "notify.mum", "is_short": False},
            {"id": "the_recipient_dad", "name": "Dad", "entity_id": "notify.dad", "is_short": False},
        ],
        "may_send_numbers": True,
        "waiting": 0,
        "problem": None,
        "phones": [
            {
                "id": "the_phone",
                "name": "Pixel 8",
                "battery": "sensor.pixel_8_battery",
                "charging": "binary_sensor.pixel_8_charging",
                "last_seen": None,
                "online": "binary_sensor.pixel_8_online",
                "sending": "switch.pixel_8_sending",
            }
        ],
        "segments": {"used": 0, "plan": 0, "left": None},
    }
    hass.config_entries.async_update_entry(entry, options={"plan_segments": 100})
    await browser.receive_until(lambda browser: browser.account["segments"]["left"] == 100)
    await send(hass, "я" * 71)
    await browser.receive_until(lambda browser: browser.account["segments"]["left"] == 98)
    er.async_get(hass).async_update_entity("notify.dad", disabled_by=er.RegistryEntryDisabler.USER)
    await browser.receive_until(lambda browser: len(browser.account["recipients"]) == 1)


async def test_recipients_of_one_name_are_told_apart_by_their_numbers(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    add_recipient(hass, entry, "Aunt", AUNT)
    await set_up(hass, entry)
    browser = await look(hass_ws_client)
    hass.config_entries.async_update_subentry(entry, entry.subentries["the_recipient_dad"], title="mum")
    await browser.receive()
    assert [each["name"] for each in browser.account["recipients"]] == ["Mum …67-89", "mum …22-33", "Aunt"]


async def test_a_rejected_token_is_a_problem_in_words(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    await set_up(hass, entry)
    browser = await look(hass_ws_client)
    service.account.token = "another"
    await entry.runtime_data.coordinator.async_refresh()
    await browser.receive_until(lambda browser: browser.account["problem"])
    problem = browser.account["problem"]
    assert (problem["reason"], problem["issue_id"]) == ("reauth", "config_entry_reauth_gosms_the_account")
    assert problem["text"].startswith("GoSMS.ru no longer accepts the API token")


async def test_a_problem_without_a_text_for_messages_is_named(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    add_phone(hass, entry)
    await set_up(hass, entry)
    phone = entry.subentries["the_phone"]
    async_raise(hass, entry, "phone_out_of_touch", phone=phone, placeholders={"last_seen": "noon"})
    browser = await look(hass_ws_client)
    assert browser.account["problem"] == {
        "reason": "phone_out_of_touch",
        "text": "Messages of GoSMS.ru are waiting for the phone Pixel 8",
        "issue_id": "phone_out_of_touch_the_account_the_phone",
    }


async def test_the_problem_of_a_phone_names_the_phone(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    add_phone(hass, entry)
    await set_up(hass, entry)
    async_raise(hass, entry, "unknown_phone", phone=entry.subentries["the_phone"])
    browser = await look(hass_ws_client)
    assert browser.account["problem"]["text"] == "GoSMS.ru has no phone Pixel 8"


async def test_an_error_weighs_more_than_a_warning(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    await set_up(hass, entry)
    async_raise(hass, entry, "messages_lost")
    browser = await look(hass_ws_client)
    async_raise(hass, entry, "storage_failed")
    await browser.receive()
    assert browser.account["problem"]["reason"] == "storage_failed"


# Who may look


async def test_a_user_with_one_recipient_sees_the_messages_to_that_one_alone(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: MockUser,
) -> None:
    for number in (MUM, DAD, AUNT):
        service.account.add_message(message=f"By hand to {number}", phone_number=number, created=LONG_AGO)
    add_phone(hass, entry)
    await set_up(hass, entry)
    hass_admin_user.groups = []
    hass_admin_user.mock_policy(policy(READ | CONTROL, "notify.mum", "event.mum_message", "sensor.pixel_8_battery"))
    browser = await look(hass_ws_client)
    assert browser.texts == [f"By hand to {MUM}"]
    assert [each["name"] for each in browser.account["recipients"]] == ["Mum"]
    [phone] = browser.account["phones"]
    assert [key for key, value in phone.items() if value] == ["id", "name", "battery"]
    assert browser.account["segments"] is None
    service.faults.add(Fault.REFUSE)
    for number in (DAD, AUNT, MUM):
        await hass.services.async_call(
            "gosms", "send_sms", {"phone_numbers": number, "message": f"To {number}"}, blocking=True
        )
        await hass.async_block_till_done()
    await browser.receive_until(lambda browser: browser.account["waiting"])
    assert browser.texts == [f"To {MUM}", f"By hand to {MUM}"]
    assert browser.account["waiting"] == 1


async def test_who_may_only_read_can_send_nothing(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: MockUser,
) -> None:
    service.account.add_message(message="To a stranger", phone_number=AUNT, created=LONG_AGO)
    await set_up(hass, entry)
    hass_admin_user.groups = []
    hass_admin_user.mock_policy({"entities": {"all": READ}})
    browser = await look(hass_ws_client)
    assert browser.texts == ["To a stranger"]
    assert (browser.account["recipients"], browser.account["may_send_numbers"]) == ([], False)
    service.account.api_active = False
    for number in (MUM, AUNT):
        with pytest.raises(HomeAssistantError):
            await hass.services.async_call(
                "gosms", "send_sms", {"phone_numbers": number, "message": "Leak"}, blocking=True
            )
    await browser.receive_until(lambda browser: browser.row["status"] == "refused")
    assert not any(row["can_resend"] for row in browser.rows.values())


@pytest.mark.parametrize(
    "allowed", [{}, policy(READ, "notify.mum"), policy(CONTROL, "event.mum_message"), policy(READ, "event.other")]
)
async def test_who_may_see_nothing_of_the_account_is_turned_away(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: MockUser,
    allowed: dict[str, Any],
) -> None:
    await set_up(hass, entry)
    hass_admin_user.groups = []
    hass_admin_user.mock_policy(allowed)
    answer = await Browser(await hass_ws_client()).ask()
    assert (answer["success"], answer["error"]["code"]) == (False, "unauthorized")


async def test_who_sends_to_one_recipient_sees_a_list_without_messages(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: MockUser,
) -> None:
    service.account.add_message(message="Secret", phone_number=MUM, created=LONG_AGO)
    add_phone(hass, entry)
    await set_up(hass, entry)
    hass_admin_user.groups = []
    hass_admin_user.mock_policy(policy(CONTROL, "notify.mum"))
    browser = await look(hass_ws_client)
    assert (browser.texts, browser.account["may_send_numbers"], browser.account["phones"]) == ([], True, [])


async def test_an_account_has_to_be_there_and_loaded_and_the_only_one_or_named(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    await set_up(hass, entry)
    browser = Browser(await hass_ws_client())
    assert (await browser.ask(config_entry_id="another"))["error"]["code"] == "not_found"
    second = MockConfigEntry(domain="gosms", entry_id="the_second", title="Second", data=dict(entry.data))
    second.add_to_hass(hass)
    assert (await browser.ask())["error"]["code"] == "not_found"
    assert (await browser.ask(config_entry_id="the_second"))["error"]["code"] == "not_found"
    assert (await browser.ask(config_entry_id="the_account"))["success"]


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 201}, {"limit": "5"}, {"language": "../en"}, {"config_entry_id": "x" * 256}]
)
async def test_what_makes_no_sense_is_refused(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    wrong: dict[str, Any],
) -> None:
    await set_up(hass, entry)
    answer = await Browser(await hass_ws_client()).ask(**wrong)
    assert (answer["success"], answer["error"]["code"]) == (False, "invalid_format")


# What it costs


async def test_a_look_at_a_thousand_messages_does_not_hold_others_up(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={"hourly_limit": 0})
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint="POST /sms/send")
    numbers = [f"7912{number:07}" for number in range(1000)]
    await hass.services.async_call("gosms", "send_sms", {"phone_numbers": numbers, "message": "я" * 500}, blocking=True)
    rights = Rights(hass=hass, entry=entry, user=None)
    texts = await async_load_texts(hass, "en")

    def seconds_to_look(feed: Feed) -> float:
        began = thread_time()
        view = feed.look()
        seconds = thread_time() - began
        assert (len(view.rows), view.has_more, view.account["waiting"]) == (200, True, 1000)
        return seconds

    # A busy machine takes longer, never shorter: the best of five counts.
    feeds = [Feed(rights, texts, 200) for _ in range(5)]
    first = min(map(seconds_to_look, feeds))
    # The event loop may be blocked for 20 ms; a slow machine of the tests gets more.
    assert first < 0.1
    assert min(map(seconds_to_look, feeds)) < first
