"""From nothing to a delivered message, and back to nothing, by clicking."""

import asyncio
from functools import partial
from pathlib import Path

from playwright.async_api import expect
import pytest

from devtools.browser import TIMEOUT
from devtools.demo_data import DASHBOARD
from devtools.entry_driver import DOMAIN, EntryDriver
from devtools.hass_client import HassApiError, HomeAssistantClient
from devtools.simulator_process import SimulatorProcess
from tests.translation_checks import texts_of

from .environment import BrowserEnvironment

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXTS = texts_of("en")
MUM = "79123456789"
DAD = "79991112233"
NEW_ID = "6654a4e8f1527149588c89ff"
BATTERY = "sensor.pixel_8_battery"
TOTAL = "sensor.gosms_ru_total_messages"
REPAIR = "issues.unknown_phone.fix_flow"
POLL_INTERVAL = 0.2
INTEGRATION = f"/config/integrations/integration/{DOMAIN}"


async def add_account_with_mum(env: BrowserEnvironment) -> None:
    entry, form = await EntryDriver.add(env.hass.client, env.simulator.token, url=env.simulator.url)
    await entry.wait_until_ready(await entry.add_recipient("Mum", MUM, form=form))


async def send(client: HomeAssistantClient, message: str) -> None:
    await client.perform_action("notify.send_message", {"message": message}, target={"entity_id": "notify.mum"})


async def sent_to(env: BrowserEnvironment, number: str) -> list[str]:
    """Return the messages to a number, whichever test sent them."""
    messages = (await env.simulator.control("GET", "state"))["messages"]["list"]
    return [message["message"] for message in messages if message["phone_number"] == number]


async def wait_for_automation(client: HomeAssistantClient, entity_id: str, *, ran: bool) -> None:
    """Wait until an automation exists, or has run."""
    async with asyncio.timeout(TIMEOUT / 1000):
        while (state := await client.state(entity_id)) is None or (ran and not state["attributes"]["last_triggered"]):
            await asyncio.sleep(POLL_INTERVAL)


async def test_an_account_and_a_recipient_are_added_after_errors(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    async with env.open_page("/config/integrations/dashboard") as ui:
        await ui.click("Add integration")
        await ui.page.get_by_placeholder("Search for a brand name").fill("gosms")
        await ui.click("GoSMS.ru")
        await ui.fill("API token", "wrong.token")
        await ui.click("Advanced")
        await ui.fill("Address of the API", env.simulator.url)
        await ui.click("Submit")
        await ui.wait_for_text(TEXTS["config.error.invalid_auth"])
        await ui.fill("API token", env.simulator.token)
        await ui.click("Submit")
        await ui.wait_for_text(TEXTS["config_subentries.recipient.step.user.description"])
        await ui.fill("Name", "Mum")
        await ui.fill("Phone number", "12")
        await ui.click("Submit")
        await ui.wait_for_text(TEXTS["config_subentries.recipient.error.phone_number_too_short"])
        await ui.fill("Phone number", "8 (912) 345-67-89")
        await ui.click("Submit")
        await ui.wait_for_text("Created configuration for Mum")
        await ui.click("Finish")
        await ui.page.get_by_role("link", name="GoSMS.ru").click()
        await ui.wait_for_text("Mum")
    [entry] = await client.entries(DOMAIN)
    assert entry["state"] == "loaded"


async def test_a_message_sent_in_an_outage_shows_queued_and_then_delivered(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    await add_account_with_mum(env)
    await env.simulator.control("POST", "faults", {"fault": "too_many_requests", "endpoint": "POST /sms/send"})
    async with env.open_page(f"/{DASHBOARD}") as dashboard:
        await dashboard.wait_for_text("No messages yet")
        tools = await dashboard.open_in_same_context("/config/tools/action")
        await tools.page.get_by_text("Action", exact=True).click()
        await tools.page.get_by_placeholder("Search").fill("notify.send_message")
        await tools.click_list_item("notify.send_message")
        await tools.click("Add target")
        await tools.click_list_item("Notifications")
        # Before the target is applied, input in other fields is lost.
        await tools.page.get_by_role("region", name="Entities").wait_for()
        await tools.row("Message").get_by_role("textbox").fill("Tea is ready")
        await tools.click("Perform action")
        status = dashboard.page.locator("gosms-card")
        await expect(status).to_contain_text("Queued")
        await env.simulator.control("DELETE", "faults")
        await expect(status).to_contain_text("Delivered")
        await dashboard.wait_for_text("Tea is ready")


async def test_the_dashboard_says_what_becomes_of_messages_in_each_trouble(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    await add_account_with_mum(env)
    refresh = partial(client.perform_action, "homeassistant.update_entity", target={"entity_id": TOTAL})
    async with env.open_page(f"/{DASHBOARD}") as dashboard:
        card = dashboard.page.locator("gosms-card")
        await env.simulator.control("POST", "account", {"api_active": False})
        with pytest.raises(HassApiError):
            await send(client, "Fire!")
        await dashboard.wait_for_text("The API is switched off: nothing is sent, now or later.")
        await expect(card.locator("li", has_text="Fire!")).to_contain_text("Refused")
        await refresh()
        await expect(card.locator("li", has_text="Fire!")).to_contain_text("Refused")
        await env.simulator.control("POST", "account", {"api_active": True})
        await refresh()
        await expect(card.locator(".alert")).to_have_count(0)

        await env.simulator.control("POST", "faults", {"fault": "refuse"})
        await send(client, "Water leak!")
        await refresh()
        await dashboard.wait_for_text("GoSMS.ru can't be reached. Messages wait here")
        await expect(card.locator("li", has_text="Water leak!")).to_contain_text("Queued")
        await expect(card.locator("li", has_text="Fire!")).to_contain_text("Refused")


async def test_an_account_is_reconfigured_and_removed(
    env: BrowserEnvironment, client: HomeAssistantClient, tmp_path: Path
) -> None:
    await add_account_with_mum(env)
    async with (
        SimulatorProcess(tmp_path, token="new.token") as simulator,
        env.open_page(INTEGRATION) as ui,
    ):
        await ui.click_menu_item("Reconfigure")
        await ui.fill("API token", "wrong.token")
        await ui.fill("Address of the API", simulator.url)
        await ui.click("Submit")
        await ui.wait_for_text(TEXTS["config.error.invalid_auth"])
        await ui.fill("API token", simulator.token)
        await ui.click("Submit")
        await ui.wait_for_text("Reconfiguration was successful")
        await send(client, "Moved")
        assert (await simulator.control("GET", "state"))["messages"]["list"][0]["message"] == "Moved"
        await ui.page.get_by_text("Close", exact=True).click()
        await ui.click_menu_item("Delete")
        await ui.click("Delete")
        await ui.wait_for_text("No entries")
    assert await client.entries(DOMAIN) == []


async def test_stored_options_are_shown_and_kept(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    await add_account_with_mum(env)
    async with env.open_page(INTEGRATION) as ui:
        row = ui.page.locator("ha-config-entry-row")
        plan = ui.page.get_by_role("spinbutton", name=TEXTS["options.step.init.sections.plan.data.plan_segments"])
        await ui.click("Configure", within=row)
        await plan.fill("1000")
        await ui.click("Submit")
        await ui.click("Finish")
        for _shown_then_kept in range(2):
            await ui.click("Configure", within=row)
            await expect(plan).to_have_value("1000")
            await ui.click("Submit")
            await ui.click("Finish")


async def test_an_automation_built_on_a_recipients_events_runs(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    await add_account_with_mum(env)
    async with env.open_page("/config/automation/edit/new") as ui:
        await ui.click("Add trigger")
        await ui.page.get_by_placeholder("Search").fill("Event received")
        await ui.click_list_item("when one or more event entities receive")
        await ui.click("Add target")
        await ui.click_list_item("Mum")
        await ui.page.get_by_role("region", name="Entities").wait_for()
        await ui.click_list_item("Event type")
        await ui.click_list_item(TEXTS["entity.event.message.state_attributes.event_type.state.delivered"])
        await ui.click("Save")
        await ui.fill("Name", "SMS arrived")
        await ui.click("Save", within=ui.page.locator("ha-dialog-footer"))
        await wait_for_automation(client, "automation.sms_arrived", ran=False)
        await send(client, "Tea is ready")
        await wait_for_automation(client, "automation.sms_arrived", ran=True)


async def test_an_automation_on_an_undelivered_sms_is_built_and_runs(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    entry, form = await EntryDriver.add(client, env.simulator.token, url=env.simulator.url)
    await entry.wait_until_ready(await entry.add_recipient("Mum", MUM, form=form))
    await entry.wait_until_ready(await entry.add_recipient("Dad", DAD))
    async with env.open_page("/config/automation/edit/new") as ui:
        await ui.click("Add trigger")
        await ui.page.get_by_placeholder("Search").fill("sms not delivered")
        await ui.click_list_item(TEXTS["triggers.message_failed.name"])
        await ui.click("Add target")
        await ui.click_list_item("Mum")
        await ui.page.get_by_role("region", name="Entities").wait_for()
        await ui.click("Add action")
        await ui.page.get_by_placeholder("Search").fill("send a notification message")
        await ui.click_list_item("Send a notification message")
        await ui.click("Add target")
        await ui.click_list_item("Dad")
        # Before the target is applied, input in other fields is lost.
        await ui.page.locator("ha-automation-action").get_by_text("Dad").first.wait_for()
        await ui.row("Message").get_by_role("textbox").fill("Mum did not get the SMS")
        await ui.click("Save")
        await ui.fill("Name", "SMS not delivered")
        await ui.click("Save", within=ui.page.locator("ha-dialog-footer"))
        await wait_for_automation(client, "automation.sms_not_delivered", ran=False)
        fault = {"fault": "code", "code": 1006, "endpoint": "POST /sms/send", "times": 1}
        await env.simulator.control("POST", "faults", fault)
        with pytest.raises(HassApiError):
            await send(client, "Tea is ready")
        await wait_for_automation(client, "automation.sms_not_delivered", ran=True)
        async with asyncio.timeout(TIMEOUT / 1000):
            while not (sent := await sent_to(env, DAD)):
                await asyncio.sleep(POLL_INTERVAL)
    assert sent == ["Mum did not get the SMS"]


async def test_a_phone_with_a_new_id_is_fixed_in_its_repair(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    simulator = env.simulator
    [phone] = (await simulator.control("GET", "state"))["phones"]
    await EntryDriver.add(client, simulator.token, url=simulator.url, device_id=phone["device_id"])
    async with env.open_page("/config/repairs") as ui:
        await ui.wait_for_text("There are currently no repairs pending")
        await simulator.control("POST", "account", {"remove_phone": phone["device_id"]})
        await simulator.control("POST", "account", {"add_phone": {"device_id": NEW_ID, "battery": 7}})
        await client.perform_action("homeassistant.update_entity", target={"entity_id": BATTERY})
        names = {"account": "GoSMS.ru", "phone": phone["device_name"]}
        await ui.page.get_by_text(TEXTS["issues.unknown_phone.title"].format(**names)).first.click()
        await ui.page.get_by_text(TEXTS[f"{REPAIR}.step.init.menu_options.correct"]).click()
        await ui.fill("Phone or its ID", phone["device_id"])
        await ui.click("Submit")
        await ui.wait_for_text(TEXTS[f"{REPAIR}.error.unknown_device"])
        await ui.fill("Phone or its ID", NEW_ID)
        await ui.click("Submit")
        await ui.wait_for_text("The issue is repaired")
        await ui.click("Finish")
        await ui.wait_for_text("There are currently no repairs pending")
    state = await client.state(BATTERY)
    assert state
    assert state["state"] == "7"
