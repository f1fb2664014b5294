"""The card in a real browser: what a user sees and does, by mouse, by keyboard and with a screen reader."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from playwright.async_api import Locator, Page, expect
import pytest

from devtools.browser import DESKTOP, PHONE
from devtools.demo_data import DASHBOARD
from devtools.entry_driver import EntryDriver
from devtools.hass_client import FlowType, HomeAssistantClient
from tests import ROOT
from tests.translation_checks import texts_of

from .environment import BrowserEnvironment

pytestmark = pytest.mark.asyncio(loop_scope="module")

AXE: Final = ROOT / ".venv/npm/node_modules/axe-core/axe.min.js"
MUM: Final = "79123456789"
DAD: Final = "79123456780"
BATTERY: Final = "sensor.pixel_8_battery"
RESOURCE: Final = "/gosms/gosms-card.js"
SMALL: Final = (320, 640)
# CSS pixels: what a finger hits.
TARGET: Final = 44
# The first call of an action is carried out, but the browser does not learn of it.
LOSE_ONE_ANSWER: Final = """(service) => {
    const { connection } = document.querySelector("home-assistant").hass;
    const send = connection.sendMessagePromise.bind(connection);
    let isLost = false;
    connection.sendMessagePromise = async (message) => {
        const answer = await send(message);
        if (message.service !== service || isLost) return answer;
        isLost = true;
        throw { type: "result", success: false, error: { code: 3, message: "Connection lost" } };
    };
}"""
HTML: Final = "<img src=x onerror=\"document.title='hacked'\">"

READ_ONLY: Final = {"permissions": ["read", "delete", "see_phones", "edit_phones"]}
ALL_PERMISSIONS: Final = {"permissions": ["read", "send", "delete", "see_phones", "edit_phones"]}
HELD: Final = {"delivery": {"steps": [[0, 0]]}}
AS_USUAL: Final[dict[str, Any]] = {"delivery": {}}


class Card:
    """The card on a page, whose parts are found by the names that a user sees."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator("gosms-card").first

    @property
    def text(self) -> Locator:
        """The field for the text."""
        return self.root.locator("textarea")

    def button(self, name: str) -> Locator:
        """Return a button by its whole name."""
        return self.root.get_by_role("button", name=name, exact=True)

    def row(self, text: str) -> Locator:
        """Return the message with a text."""
        return self.root.locator("ul.messages > li").filter(has_text=text)

    async def send(self, text: str) -> None:
        """Write a text and press Send."""
        await self.text.fill(text)
        await self.button("Send").click()

    async def expect_status(self, text: str, status: str) -> None:
        """Wait until the message with a text has a status."""
        await expect(self.row(text)).to_contain_text(status)


async def add_account(env: BrowserEnvironment, *, with_phone: bool = False) -> EntryDriver:
    """Add an account with the recipient Mum, and its phone."""
    simulator = env.simulator
    [phone] = (await simulator.control("GET", "state"))["phones"]
    device_id = phone["device_id"] if with_phone else None
    entry, form = await EntryDriver.add(env.hass.client, simulator.token, url=simulator.url, device_id=device_id)
    await entry.wait_until_ready(await entry.add_recipient("Mum", MUM, form=form))
    return entry


@asynccontextmanager
async def open_card(env: BrowserEnvironment, **options: Any) -> AsyncGenerator[Card]:
    """Open the dashboard with the card."""
    async with env.open_page(f"/{DASHBOARD}", **options) as ui:
        card = Card(ui.page)
        await card.text.wait_for()
        yield card


async def poll(client: HomeAssistantClient) -> None:
    """Let Home Assistant ask for the newest messages now."""
    await client.perform_action("homeassistant.update_entity", target={"entity_id": "sensor.gosms_ru_total_messages"})


async def violations(card: Card) -> list[str]:
    """Return what the accessibility rules call serious or critical in the card."""
    await card.page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = await card.root.evaluate("async (card) => (await axe.run(card)).violations")
    return [
        f"{each['id']}: {node['html']} {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
        if each["impact"] in {"serious", "critical"}
    ]


async def overflow(card: Card) -> list[str]:
    """Return the elements of the card that stand out of it to the right."""
    found: list[str] = await card.root.evaluate(
        """(card) => {
            const edge = card.getBoundingClientRect().right + 1;
            return [...card.shadowRoot.querySelectorAll("ha-card *:not(.hidden)")]
                .filter((each) => each.getBoundingClientRect().right > edge)
                .map((each) => each.outerHTML.slice(0, 200));
        }"""
    )
    return found


async def small_targets(card: Card) -> list[str]:
    """Return the visible controls of the card that a finger can hardly hit."""
    found: list[str] = await card.root.evaluate(
        """(card, size) => [...card.shadowRoot.querySelectorAll("button, select, input, textarea, a")]
            .filter((each) => each.getClientRects().length > 0)
            .filter((each) => Math.min(each.clientWidth, each.clientHeight) + 2 < size)
            .map((each) => each.outerHTML.slice(0, 200))""",
        TARGET,
    )
    return found


async def save_dashboard(client: HomeAssistantClient, path: str, card: dict[str, Any]) -> None:
    """Save a new dashboard with one card."""
    await client.command("lovelace/dashboards/create", url_path=path, title=path, mode="storage")
    await client.command("lovelace/config/save", url_path=path, config={"views": [{"title": "SMS", "cards": [card]}]})


async def card_resources(client: HomeAssistantClient) -> list[str]:
    """Return the dashboard resources of the card."""
    resources = await client.command("lovelace/resources")
    return [each["url"] for each in resources if each["url"].startswith(RESOURCE)]


async def test_the_card_works_on_the_first_page_after_installation(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    await add_account(env)
    async with open_card(env) as card:
        await expect(card.root).to_contain_text("All well")
        await expect(card.root.get_by_label("To")).to_have_value("notify.mum")


async def test_a_message_is_sent_and_followed_to_its_delivery(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    await add_account(env)
    await env.simulator.control("POST", "account", HELD)
    async with open_card(env) as card:
        await card.send("Tea is ready")
        await expect(card.root.locator(".notice")).to_contain_text("GoSMS.ru accepted the message to Mum")
        await expect(card.text).to_have_value("")
        await card.expect_status("Tea is ready", "Waiting")
        await env.simulator.control("POST", "account", AS_USUAL)
        await card.send("Coffee is ready")
        await card.expect_status("Coffee is ready", "Delivered")
        newest = card.root.locator("ul.messages > li").first
        await expect(newest).to_contain_text("Coffee is ready")
        await newest.get_by_role("button").click()
        await expect(newest.locator("dl")).to_contain_text("+79123456789")


async def test_a_refused_message_keeps_its_text_and_says_why(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    await add_account(env)
    await env.simulator.control("POST", "account", READ_ONLY)
    async with open_card(env) as card:
        await card.send("Will this arrive?")
        await expect(card.root.locator(".notice")).to_contain_text("Not sent. The API token has no permission to send")
        await expect(card.text).to_have_value("Will this arrive?")
        await card.expect_status("Will this arrive?", "Refused")
        refused = card.row("Will this arrive?")
        await refused.get_by_role("button").first.click()
        await expect(refused.locator("dl")).to_be_visible()
        await expect(refused.get_by_text("no permission to send")).to_have_count(1)
        await card.root.get_by_role("link", name="Open repair").click()
        await card.page.wait_for_url("**/config/repairs")
        await card.page.get_by_text("No permission to send", exact=False).first.wait_for()
    await env.simulator.control("POST", "account", ALL_PERMISSIONS)


async def test_a_message_waits_in_an_outage_and_leaves_by_itself(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    await add_account(env)
    async with open_card(env) as card:
        await card.send("Before")
        await card.expect_status("Before", "Delivered")
        await env.simulator.control("POST", "faults", {"fault": "too_many_requests"})
        await card.send("In the outage")
        await expect(card.root.locator(".notice")).to_contain_text("Queued for Mum")
        await card.expect_status("In the outage", "Queued")
        await card.expect_status("Before", "Delivered")
        await expect(card.root.locator(".header")).to_contain_text("1 queued")
        await poll(client)
        await expect(card.root).to_contain_text("GoSMS.ru can't be reached")
        await env.simulator.control("DELETE", "faults")
        await poll(client)
        await card.expect_status("In the outage", "Delivered")
        await expect(card.root.locator(".header")).to_contain_text("All well")


async def test_what_failed_is_sent_again(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    await add_account(env)
    await env.simulator.control("POST", "account", {"delivery": {"status": 3}})
    async with open_card(env) as card:
        await card.send("Once more")
        await card.expect_status("Once more", "Not sent")
        await env.simulator.control("POST", "account", AS_USUAL)
        await card.button("Send again to Mum").first.click()
        await expect(card.row("Once more")).to_have_count(2)
        newest = card.row("Once more").first
        await expect(newest).to_contain_text("Delivered")
        await newest.get_by_role("button").first.click()
        await expect(newest.locator(".steps")).to_contain_text("Delivered")


async def test_what_waits_is_canceled_and_never_leaves(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    await add_account(env)
    before = await env.simulator.control("GET", "state")
    await env.simulator.control("POST", "faults", {"fault": "too_many_requests", "endpoint": "POST /sms/send"})
    async with open_card(env) as card:
        await card.send("Not needed")
        await card.expect_status("Not needed", "Queued")
        await card.button("Cancel the message to Mum").click()
        await expect(card.root.locator(".notice")).to_contain_text("Canceled")
        await card.expect_status("Not needed", "Canceled")
        await card.page.evaluate(LOSE_ONE_ANSWER, "cancel_messages")
        await card.send("Not needed either")
        await card.button("Cancel the message to Mum").click()
        await expect(card.root.locator(".notice")).to_contain_text("The connection to Home Assistant was lost")
        await expect(card.root.locator(".notice")).not_to_contain_text("Not canceled")
        await card.expect_status("Not needed either", "Canceled")
        await expect(card.root.locator(".header")).to_contain_text("All well")
    await env.simulator.control("DELETE", "faults")
    await poll(client)
    assert (await env.simulator.control("GET", "state"))["messages"] == before["messages"]


async def test_an_answer_that_was_lost_sends_nothing_twice(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    await add_account(env)
    async with open_card(env) as card:
        await card.page.evaluate(LOSE_ONE_ANSWER, "send_sms")
        await card.send("Only once")
        await expect(card.root.locator(".notice")).to_contain_text("The connection to Home Assistant was lost")
        await expect(card.text).to_have_value("Only once")
        await card.button("Send").click()
        await expect(card.root.locator(".notice")).to_contain_text("GoSMS.ru accepted the message to Mum")
        await card.expect_status("Only once", "Delivered")
    messages = (await env.simulator.control("GET", "state"))["messages"]["list"]
    assert [message["message"] for message in messages].count("Only once") == 1


async def test_older_messages_are_shown_on_request(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    await add_account(env)
    for number in range(12):
        await client.perform_action(
            "notify.send_message", {"message": f"Number {number}"}, target={"entity_id": "notify.mum"}
        )
    async with open_card(env) as card:
        rows = card.root.locator("ul.messages > li")
        await expect(rows).to_have_count(10)
        await card.button("Show more").click()
        await expect(card.row("Number 0")).to_be_visible()
        await card.send("The newest")
        await expect(rows.first).to_contain_text("The newest")


async def test_a_card_of_one_recipient_shows_no_other(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    await add_account(env)
    await client.perform_action("gosms.send_sms", {"phone_numbers": ["8 912 000-00-00"], "message": "To somebody else"})
    await client.perform_action("notify.send_message", {"message": "To Mum"}, target={"entity_id": "notify.mum"})
    await save_dashboard(client, "sms-mum", {"type": "custom:gosms-card", "recipient": "notify.mum", "rows": 200})
    async with env.open_page("/sms-mum/0") as ui:
        card = Card(ui.page)
        await card.expect_status("To Mum", "Delivered")
        await expect(card.row("To somebody else")).to_have_count(0)
        await expect(card.root.get_by_role("combobox", name="To").locator("option")).to_have_text(["Mum"])
        await card.send("From her card")
        await card.expect_status("From her card", "Delivered")


async def test_a_text_is_counted_while_it_is_written(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    await add_account(env)
    async with open_card(env) as card:
        count = card.root.locator(".count")
        await card.text.fill("21 °C 😀")
        await expect(count).to_contain_text("7 characters · 1 SMS")
        await expect(count).to_contain_text("Replaced: ° → deg.")
        await expect(count).to_contain_text("Removed: 😀")
        await card.text.fill("слово " * 100)
        await expect(count).to_contain_text("600 characters · 11 SMS · in 3 messages")
        await card.text.fill("")
        await expect(count).to_be_empty()
        await card.button("Send").click()
        await expect(card.root.locator(".notice")).to_contain_text("Write a message first")


async def test_a_number_of_three_digits_is_asked_about(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    await add_account(env)
    before = await env.simulator.control("GET", "state")
    async with open_card(env) as card:
        await card.root.get_by_label("To").select_option(label="Another number…")
        await card.root.get_by_label("Phone number").fill("112")
        await card.send("Only a test")
        dialog = card.root.get_by_role("dialog")
        await expect(dialog).to_contain_text("112 may be an emergency number")
        await dialog.get_by_role("button", name="Cancel").click()
        await expect(dialog).to_be_hidden()
        await expect(card.text).to_have_value("Only a test")
        assert (await env.simulator.control("GET", "state"))["messages"] == before["messages"]
        await card.button("Send").click()
        await dialog.get_by_role("button", name="Send").click()
        await card.expect_status("Only a test", "Delivered")


async def test_a_recipient_who_got_a_number_of_three_digits_is_asked_about(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    entry = await add_account(env)
    await env.simulator.control("POST", "account", {"delivery": {"status": 3}})
    async with open_card(env) as card:
        await card.send("To the old number")
        await card.expect_status("To the old number", "Not sent")
        [mum] = await entry.subentries()
        change = {"handler": [entry.entry_id, "recipient"], "subentry_id": mum["subentry_id"]}
        form = await client.request("POST", "/api/config/config_entries/subentries/flow", change)
        for _warning_then_saved in range(2):
            answer = {"name": "Mum", "phone_number": "112"}
            await client.submit_flow(FlowType.SUBENTRY, form["flow_id"], answer)
        await card.button("Send again to Mum").first.click()
        dialog = card.root.get_by_role("dialog")
        await expect(dialog).to_contain_text("Mum may be an emergency number")
        await dialog.get_by_role("button", name="Cancel").click()
    await env.simulator.control("POST", "account", AS_USUAL)


async def test_the_list_survives_reloads_and_is_the_same_in_two_tabs(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    entry = await add_account(env)
    async with open_card(env) as first, open_card(env) as second:
        await first.send("To both")
        await first.expect_status("To both", "Delivered")
        await second.expect_status("To both", "Delivered")
        await first.text.fill("Not sent yet")
        await client.request("POST", f"/api/config/config_entries/entry/{entry.entry_id}/reload")
        await second.send("After the reload")
        await first.expect_status("After the reload", "Delivered")
        await expect(first.text).to_have_value("Not sent yet")
        await first.page.reload()
        await first.expect_status("To both", "Delivered")


async def test_html_in_a_message_stays_text(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    await add_account(env)
    async with open_card(env) as card:
        await card.send(HTML)
        row = card.row(HTML)
        await row.get_by_role("button").first.click()
        await expect(row.locator("dl")).to_be_visible()
        assert await row.locator("img").count() == 0
        assert await card.page.title() != "hacked"


async def test_the_card_and_its_resource_leave_with_the_account(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    entry = await add_account(env)
    [url] = await card_resources(client)
    async with open_card(env) as card:
        await client.request("DELETE", f"/api/config/config_entries/entry/{entry.entry_id}")
        await expect(card.root).to_contain_text("Messages are not available")
    assert await card_resources(client) == []
    await add_account(env)
    assert await card_resources(client) == [url]


async def test_a_card_without_an_account_shows_one_that_is_added_again(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    entry = await add_account(env)
    async with open_card(env) as card:
        await client.request("DELETE", f"/api/config/config_entries/entry/{entry.entry_id}")
        await expect(card.root).to_contain_text("Messages are not available")
        await add_account(env)
        await expect(card.root).to_contain_text("All well")
        await card.send("To the new account")
        await card.expect_status("To the new account", "Delivered")


async def test_a_text_never_goes_to_another_recipient_than_the_chosen_one(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    entry = await add_account(env)
    dad = await entry.add_recipient("Dad", DAD)
    await entry.wait_until_ready(dad)
    async with open_card(env) as card:
        to = card.root.get_by_role("combobox", name="To")
        await to.select_option(label="Dad")
        await card.text.fill("For Dad alone")
        await client.command("config_entries/subentries/delete", entry_id=entry.entry_id, subentry_id=dad)
        await expect(to.locator("option")).to_have_text(["Mum", "Another number…"])
        await card.button("Send").click()
        await expect(card.root.locator(".notice")).to_contain_text("Choose a recipient first")
        await expect(card.text).to_have_value("For Dad alone")


async def test_the_phone_is_shown_and_switched(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    await add_account(env, with_phone=True)
    async with open_card(env) as card:
        footer = card.root.locator(".footer")
        await expect(footer).to_contain_text("Online")
        await expect(footer).to_contain_text("80%")
        switch = card.root.get_by_role("switch", name="Pixel 8 sends SMS")
        await expect(switch).to_be_checked()
        await switch.click()
        await expect(switch).not_to_be_checked()
        [phone] = (await env.simulator.control("GET", "state"))["phones"]
        assert not phone["is_active"]
        await switch.click()
        await expect(switch).to_be_checked()


async def test_no_switch_claims_that_a_phone_is_off_while_it_is_unknown(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    await add_account(env, with_phone=True)
    refresh = partial(client.perform_action, "homeassistant.update_entity", target={"entity_id": BATTERY})
    async with open_card(env) as card:
        switch = card.root.get_by_role("switch", name="Pixel 8 sends SMS")
        await expect(switch).to_be_checked()
        await env.simulator.control("POST", "faults", {"fault": "bad_gateway"})
        await refresh()
        await expect(card.root.locator(".footer")).to_contain_text("Connection unknown")
        await expect(switch).to_have_count(0)
        await env.simulator.control("DELETE", "faults")
        await refresh()
        await expect(switch).to_be_checked()


async def test_the_keyboard_alone_sends_and_opens(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    await add_account(env)
    async with open_card(env) as card:
        await card.root.get_by_label("To").focus()
        await card.page.keyboard.press("Tab")
        await card.page.keyboard.type("By keyboard")
        await card.page.keyboard.press("Tab")
        await card.page.keyboard.press("Enter")
        await card.expect_status("By keyboard", "Delivered")
        await card.page.keyboard.press("Tab")
        toggle = card.row("By keyboard").get_by_role("button")
        await expect(toggle).to_be_focused()
        await card.page.keyboard.press("Enter")
        await expect(toggle).to_have_attribute("aria-expanded", "true")
        await expect(toggle).to_be_focused()


@pytest.mark.parametrize("size", [DESKTOP, PHONE, SMALL], ids=["desktop", "phone", "small"])
async def test_everything_fits_and_is_large_enough_for_a_finger(
    env: BrowserEnvironment, client: HomeAssistantClient, size: tuple[int, int]
) -> None:
    await add_account(env, with_phone=True)
    await env.simulator.control("POST", "account", READ_ONLY)
    word = f"{size[0]}_pixels_without_any_space_"
    async with open_card(env, size=size) as card:
        await card.send(word * 12)
        await expect(card.root.locator(".notice")).to_contain_text("Not sent")
        await env.simulator.control("POST", "account", ALL_PERMISSIONS)
        await card.button("Send").click()
        row = card.row(word)
        await row.get_by_role("button").first.click()
        await expect(row.locator("dl")).to_be_visible()
        assert await overflow(card) == []
        assert await small_targets(card) == []


async def test_the_card_speaks_russian(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    await add_account(env)
    await client.command("frontend/set_user_data", key="language", value={"language": "ru"})
    async with open_card(env) as card:
        await expect(card.root).to_contain_text("Всё в порядке")
        await card.text.fill("Чай готов")
        await expect(card.root.locator(".count")).to_contain_text("9 символов · 1 SMS")
        await card.button("Отправить").click()
        delivered = texts_of("ru")["entity.sensor.last_message_status.state.delivered"]
        await card.expect_status("Чай готов", delivered)
    await client.command("frontend/set_user_data", key="language", value={"language": "en"})


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is missing: install npm and run scripts/setup again")
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_accessibility_rules_find_nothing_serious(
    env: BrowserEnvironment, client: HomeAssistantClient, theme: str
) -> None:
    await add_account(env, with_phone=True)
    await env.simulator.control("POST", "account", READ_ONLY)
    async with open_card(env, theme=theme) as card:
        await card.root.get_by_label("To").select_option(label="Another number…")
        await card.root.get_by_label("Phone number").fill("8 912 345-67-89")
        await card.send("Too early 😀")
        await expect(card.root.locator(".notice")).to_contain_text("Not sent")
        await env.simulator.control("POST", "account", ALL_PERMISSIONS)
        await card.send(f"In the {theme} 😀")
        await card.expect_status(f"In the {theme}", "Delivered")
        await card.row(f"In the {theme}").get_by_role("button").first.click()
        await card.text.fill("The next one 😀")
        await expect(card.root.locator(".count")).to_contain_text("Removed")
        assert await violations(card) == []
        await card.root.get_by_label("Phone number").fill("112")
        await card.button("Send").click()
        await expect(card.root.get_by_role("dialog")).to_be_visible()
        assert await violations(card) == []


async def test_the_card_is_set_up_in_the_visual_editor(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    await add_account(env)
    await save_dashboard(client, "sms-edited", {"type": "custom:gosms-card"})
    async with env.open_page("/sms-edited/0?edit=1") as ui:
        await ui.page.get_by_role("button", name="Edit", exact=True).last.click()
        editor = ui.page.locator("hui-dialog-edit-card")
        form = editor.get_by_role("switch").first
        await expect(form).to_be_checked()
        await editor.get_by_role("textbox", name="Title").fill("From home")
        await form.press("Space")
        await ui.click("Save", within=editor)
        card = Card(ui.page)
        await expect(card.root.get_by_role("heading", name="From home")).to_be_visible()
        await expect(card.text).to_be_hidden()
    saved = await client.command("lovelace/config", url_path="sms-edited")
    assert saved["views"][0]["cards"] == [{"type": "custom:gosms-card", "title": "From home", "form": False}]


async def test_the_card_is_suggested_for_messages_not_for_phones(
    env: BrowserEnvironment, client: HomeAssistantClient
) -> None:
    await add_account(env, with_phone=True)
    async with open_card(env) as card:
        suggest = """(id) => {
            const { hass } = document.querySelector("home-assistant");
            const own = window.customCards.find((card) => card.type === "gosms-card");
            return own.getEntitySuggestion(hass, id);
        }"""
        config = {"type": "custom:gosms-card"}
        assert await card.page.evaluate(suggest, "sensor.gosms_ru_total_messages") == {"config": config}
        mum = {"config": {**config, "recipient": "notify.mum"}}
        assert await card.page.evaluate(suggest, "event.mum_message") == mum
        assert await card.page.evaluate(suggest, "sensor.pixel_8_battery") is None
        assert await card.page.evaluate(suggest, "sun.sun") is None
