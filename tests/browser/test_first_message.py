"""The first steps: from an empty Home Assistant to a delivered message, without typing an id, and to an action."""

from collections.abc import AsyncGenerator, Mapping
from importlib.resources import files
import json
from pathlib import Path

from aiohttp import ClientSession
from playwright.async_api import expect
import pytest
import pytest_asyncio

from devtools.entry_driver import DOMAIN, EntryDriver
from devtools.hass_client import HomeAssistantClient
from devtools.simulator_process import SimulatorProcess
from tests.translation_checks import texts_of

from .environment import BrowserEnvironment

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHONE = "Pixel 8 · Google Pixel 8"


def interface_texts(language: str) -> dict[str, str]:
    """Return the texts of Home Assistant's own interface."""
    folder = Path(str(files("hass_frontend"))) / "static" / "translations"
    texts: dict[str, str] = {}
    for part in (folder, folder / "config"):
        (file,) = part.glob(f"{language}-{'[0-9a-f]' * 32}.json")
        texts |= json.loads(file.read_text(encoding="utf-8"))
    return texts


async def send_with(simulator: SimulatorProcess, phone: Mapping[str, str]) -> None:
    """Send a message with a phone past Home Assistant, as from the control panel."""
    message = {"message": "Hello", "phone_number": "79990000000", "device_id": phone["device_id"]}
    headers = {"Authorization": f"Bearer {simulator.token}"}
    async with (
        ClientSession(raise_for_status=True, headers=headers) as session,
        session.post(f"{simulator.url}/sms/send", json=message),
    ):
        pass


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["en", "ru"])
async def env(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[BrowserEnvironment]:
    """Start Home Assistant in a language."""
    async with BrowserEnvironment.start(tmp_path_factory.mktemp("config"), request.param) as environment:
        yield environment


async def test_the_first_message_is_delivered_by_clicking(env: BrowserEnvironment, client: HomeAssistantClient) -> None:
    ours, theirs = texts_of(env.hass.language), interface_texts(env.hass.language)
    submit = theirs["ui.panel.config.integrations.config_flow.submit"]
    [phone] = (await env.simulator.control("GET", "state"))["phones"]
    await send_with(env.simulator, phone)
    async with env.open_page("/config/integrations/dashboard") as ui:
        await ui.click(theirs["ui.panel.config.integrations.add_integration"])
        await ui.page.get_by_placeholder(theirs["ui.panel.config.integrations.search_brand"]).fill("gosms")
        await ui.click("GoSMS.ru")
        await ui.fill(ours["config.step.user.data.api_token"], env.simulator.token)
        # A user leaves this one alone.
        await ui.click(ours["config.step.user.sections.advanced.name"])
        await ui.fill(ours["config.step.user.sections.advanced.data.url"], env.simulator.url)
        await ui.click(submit)

        await ui.wait_for_text(ours["config.step.phone.title"])
        await ui.choose(ours["config.step.phone.data.device_id"], PHONE)
        await ui.click(submit)

        await ui.wait_for_text(ours["config_subentries.recipient.step.user.description"])
        await ui.fill(ours["config_subentries.recipient.step.user.data.name"], "Anna")
        await ui.fill(ours["config_subentries.recipient.step.user.data.phone_number"], "8 (912) 345-67-89")
        await ui.click(submit)

        button = ours["entity.button.test_message.name"]
        await ui.wait_for_text(button)
        await ui.page.locator(f"dialog-data-entry-flow a[href*='{DOMAIN}']").click()
        await ui.page.locator("ha-config-entry-device-row").filter(has_text="Anna").first.click()
        await ui.page.locator("hui-button-entity-row").filter(has_text=button).get_by_role("button").click()
        await ui.wait_for_text(ours["entity.sensor.last_message_status.state.delivered"])
    message, _ = (await env.simulator.control("GET", "state"))["messages"]["list"]
    assert message["message"] == ours["selector.test_message.options.text"]
    assert message["device_id"] == phone["device_id"]


@pytest.mark.parametrize("search", ["sms", "gosms"])
async def test_a_search_for_actions_lists_send_sms_first(
    env: BrowserEnvironment, client: HomeAssistantClient, search: str
) -> None:
    name = texts_of(env.hass.language)["services.send_sms.name"]
    await EntryDriver.add(client, env.simulator.token, url=env.simulator.url)
    async with env.open_page("/config/automation/edit/new") as ui:
        await ui.page.locator("ha-automation-action ha-button").first.click()
        await ui.page.get_by_placeholder(interface_texts(env.hass.language)["ui.common.search"]).fill(search)
        # The form of the demo has a script of the same name.
        await expect(ui.page.locator("ha-combo-box-item").first).to_contain_text(f"GoSMS.ru: {name}")
