"""From nothing to a delivered message, and back to nothing, by clicking."""

import asyncio
from pathlib import Path

from playwright.async_api import expect
import pytest

from tests.translation_checks import texts_of
from workshop.account import DOMAIN, Account
from workshop.browser import TIMEOUT
from workshop.home_assistant import HomeAssistant
from workshop.service import Service
from workshop.showroom import DASHBOARD

from .stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXTS = texts_of("en")
MUM = "79123456789"
NEW_ID = "6654a4e8f1527149588c89ff"
BATTERY = "sensor.pixel_8_battery"
REPAIR = "issues.unknown_phone.fix_flow"
PAUSE = 0.2
INTEGRATION = f"/config/integrations/integration/{DOMAIN}"


async def add_account_with_mum(stage: Stage) -> None:
    account, form = await Account.add(stage.house.home, stage.service.token, url=stage.service.url)
    await account.ready(await account.add_recipient("Mum", MUM, form=form))


async def send(home: HomeAssistant, message: str) -> None:
    await home.act("notify.send_message", {"message": message}, target={"entity_id": "notify.mum"})


async def automation(home: HomeAssistant, entity_id: str, *, ran: bool) -> None:
    """Wait until an automation is there, or has run."""
    async with asyncio.timeout(TIMEOUT / 1000):
        while (state := await home.state(entity_id)) is None or (ran and not state["attributes"]["last_triggered"]):
            await asyncio.sleep(PAUSE)


async def test_an_account_and_a_recipient_are_added_although_the_first_tries_fail(
    stage: Stage, home: HomeAssistant
) -> None:
    async with stage.visit("/config/integrations/dashboard") as screen:
        await screen.press("Add integration")
        await screen.page.get_by_placeholder("Search for a brand name").fill("gosms")
        await screen.press("GoSMS.ru")
        await screen.fill("API token", "wrong.token")
        await screen.press("Advanced")
        await screen.fill("Address of the API", stage.service.url)
        await screen.press("Submit")
        await screen.sees(TEXTS["config.error.invalid_auth"])
        await screen.fill("API token", stage.service.token)
        await screen.press("Submit")
        await screen.sees(TEXTS["config_subentries.recipient.step.user.description"])
        await screen.fill("Name", "Mum")
        await screen.fill("Phone number", "12")
        await screen.press("Submit")
        await screen.sees(TEXTS["config_subentries.recipient.error.phone_number_too_short"])
        await screen.fill("Phone number", "8 (912) 345-67-89")
        await screen.press("Submit")
        await screen.sees("Created configuration for Mum")
        await screen.press("Finish")
        await screen.page.get_by_role("link", name="GoSMS.ru").click()
        await screen.sees("Mum")
    [entry] = await home.entries(DOMAIN)
    assert entry["state"] == "loaded"


async def test_a_message_sent_in_an_outage_is_seen_to_wait_and_then_to_arrive(
    stage: Stage, home: HomeAssistant
) -> None:
    await add_account_with_mum(stage)
    await stage.service.control("POST", "faults", {"fault": "too_many_requests", "endpoint": "POST /sms/send"})
    async with stage.visit(f"/{DASHBOARD}") as dashboard:
        await dashboard.sees("No messages yet")
        tools = await dashboard.beside("/config/tools/action")
        await tools.page.get_by_text("Action", exact=True).click()
        await tools.page.get_by_placeholder("Search").fill("notify.send_message")
        await tools.pick("notify.send_message")
        await tools.press("Add target")
        await tools.pick("Notifications")
        # Until the target is taken over, whatever is written beside it is lost.
        await tools.page.get_by_role("region", name="Entities").wait_for()
        await tools.row("Message").get_by_role("textbox").fill("Tea is ready")
        await tools.press("Perform action")
        status = dashboard.tile("Mum")
        await expect(status).to_contain_text("Queued", timeout=TIMEOUT)
        await stage.service.control("DELETE", "faults")
        await expect(status).to_contain_text("Delivered", timeout=TIMEOUT)
        await dashboard.sees("Tea is ready")


async def test_an_account_moves_to_a_new_token_and_is_removed(
    stage: Stage, home: HomeAssistant, tmp_path: Path
) -> None:
    await add_account_with_mum(stage)
    async with (
        Service(tmp_path, token="new.token") as service,
        stage.visit(INTEGRATION) as screen,
    ):
        await screen.choose("Reconfigure")
        await screen.fill("API token", "wrong.token")
        await screen.press("Advanced")
        await screen.fill("Address of the API", service.url)
        await screen.press("Submit")
        await screen.sees(TEXTS["config.error.invalid_auth"])
        await screen.fill("API token", service.token)
        await screen.press("Submit")
        await screen.sees("Reconfiguration was successful")
        await send(home, "Moved")
        assert (await service.control("GET", "state"))["messages"]["list"][0]["message"] == "Moved"
        await screen.page.get_by_text("Close", exact=True).click()
        await screen.choose("Delete")
        await screen.press("Delete")
        await screen.sees("No entries")
    assert await home.entries(DOMAIN) == []


async def test_an_automation_that_is_built_on_a_recipients_events_runs(stage: Stage, home: HomeAssistant) -> None:
    await add_account_with_mum(stage)
    async with stage.visit("/config/automation/edit/new") as screen:
        await screen.press("Add trigger")
        await screen.page.get_by_placeholder("Search").fill("Event received")
        await screen.pick("when one or more event entities receive")
        await screen.press("Add target")
        await screen.pick("Mum")
        await screen.page.get_by_role("region", name="Entities").wait_for()
        await screen.pick("Event type")
        await screen.pick(TEXTS["entity.event.message.state_attributes.event_type.state.delivered"])
        await screen.press("Save")
        await screen.fill("Name", "SMS arrived")
        await screen.press("Save", within=screen.page.locator("ha-dialog-footer"))
        await automation(home, "automation.sms_arrived", ran=False)
        await send(home, "Tea is ready")
        await automation(home, "automation.sms_arrived", ran=True)


async def test_a_phone_that_got_a_new_id_is_told_of_and_mended_in_its_repair(stage: Stage, home: HomeAssistant) -> None:
    service = stage.service
    [phone] = (await service.control("GET", "state"))["phones"]
    await Account.add(home, service.token, url=service.url, device_id=phone["device_id"])
    async with stage.visit("/config/repairs") as screen:
        await screen.sees("There are currently no repairs pending")
        await service.control("POST", "account", {"remove_phone": phone["device_id"]})
        await service.control("POST", "account", {"add_phone": {"device_id": NEW_ID, "battery": 7}})
        await home.act("homeassistant.update_entity", target={"entity_id": BATTERY})
        names = {"account": "GoSMS.ru", "phone": phone["device_name"]}
        await screen.page.get_by_text(TEXTS["issues.unknown_phone.title"].format(**names)).first.click()
        await screen.page.get_by_text(TEXTS[f"{REPAIR}.step.init.menu_options.correct"]).click()
        await screen.fill("ID of the phone", phone["device_id"])
        await screen.press("Submit")
        await screen.sees(TEXTS[f"{REPAIR}.error.unknown_device"])
        await screen.fill("ID of the phone", NEW_ID)
        await screen.press("Submit")
        await screen.sees("The issue is repaired")
        await screen.press("Finish")
        await screen.sees("There are currently no repairs pending")
    state = await home.state(BATTERY)
    assert state
    assert state["state"] == "7"
