"""The tool of voice assistants: it texts exposed recipients by name."""

from typing import Any, Final

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import entity_registry as er, llm
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
import voluptuous as vol

from simulator import Fault
from tests.common import DAD, MUM, SimulatedService, add_recipient
from tests.message_helpers import texts

SEND: Final = "POST /sms/send"
TOOL: Final = "gosms__send_sms"

pytestmark = [pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"), pytest.mark.usefixtures("no_rate_limit")]


@pytest.fixture(autouse=True)
async def assist(hass: HomeAssistant, init_integration: None) -> None:
    """Set up Assist with its tools, and expose Mum to it."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "llm", {})
    expose(hass, "notify.mum")


def expose(hass: HomeAssistant, entity_id: str, *, exposed: bool = True) -> None:
    async_expose_entity(hass, "conversation", entity_id, exposed)


async def get_tool(hass: HomeAssistant, context: Context | None = None) -> tuple[llm.APIInstance, llm.Tool | None]:
    """Return the API of Assist, and the tool if it is offered."""
    llm_context = llm.LLMContext("test", context or Context(), "en", "conversation", None)
    api = await llm.async_get_api(hass, llm.LLM_API_ASSIST, llm_context)
    return api, next((tool for tool in api.tools if tool.name == TOOL), None)


async def call(hass: HomeAssistant, recipient: str, message: str = "Hello", context: Context | None = None) -> Any:
    """Call the tool as a language model does, and return the data of the result."""
    api, tool = await get_tool(hass, context)
    assert tool is not None
    arguments = {"recipient": recipient, "message": message}
    result: Any = await api.async_call_tool(llm.ToolInput(tool_name=TOOL, tool_args=arguments))
    await hass.async_block_till_done()
    # 2026.8 has no class for results.
    return getattr(result, "data", result)


async def test_an_exposed_recipient_is_texted_by_name(hass: HomeAssistant, service: SimulatedService) -> None:
    answer = await call(hass, "Mum")
    assert answer["status"] == "waiting"
    assert "on its way" in answer["explanation"]
    assert [(message.phone_number, message.message) for message in service.account.messages] == [(MUM, "Hello")]


async def test_the_answer_says_that_a_message_is_only_queued(hass: HomeAssistant, service: SimulatedService) -> None:
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    answer = await call(hass, "Mum")
    assert answer["status"] == "queued"
    assert "NOT sent yet" in answer["explanation"]


async def test_the_answer_gives_the_reason_of_a_failure(hass: HomeAssistant, service: SimulatedService) -> None:
    service.account.quota = 0
    answer = await call(hass, "Mum")
    assert answer.keys() == {"error"}
    assert answer["error"].startswith("The plan")


async def test_an_account_that_is_not_loaded_is_an_error(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    answer = await call(hass, "Mum")
    assert answer.keys() == {"error"}
    assert "GoSMS.ru" in answer["error"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"recipient": "Dad", "message": "Hello"},
        {"recipient": MUM, "message": "Hello"},
        {"recipient": "notify.mum", "message": "Hello"},
        {"recipient": "Mum"},
        {"recipient": "Mum", "message": "Hello", "phone_number": DAD},
    ],
)
async def test_nobody_else_can_be_texted(
    hass: HomeAssistant, service: SimulatedService, arguments: dict[str, str]
) -> None:
    api, _ = await get_tool(hass)
    with pytest.raises(vol.Invalid):
        await api.async_call_tool(llm.ToolInput(tool_name=TOOL, tool_args=arguments))
    assert texts(service) == []


async def test_there_is_no_tool_unless_a_recipient_is_exposed(hass: HomeAssistant) -> None:
    expose(hass, "notify.mum", exposed=False)
    assert (await get_tool(hass))[1] is None
    expose(hass, "event.mum_message")
    assert (await get_tool(hass))[1] is None
    expose(hass, "notify.dad")
    assert (await get_tool(hass))[1] is not None
    er.async_get(hass).async_update_entity("notify.dad", disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    assert (await get_tool(hass))[1] is None


async def test_other_apis_have_no_tool(hass: HomeAssistant) -> None:
    from custom_components.gosms.llm import async_get_tools  # noqa: PLC0415  # Needs its dependencies.

    context = llm.LLMContext("test", None, "en", "conversation", None)
    assert async_get_tools(hass, context, "other") is None


async def test_a_recipient_is_texted_by_an_alias(hass: HomeAssistant, service: SimulatedService) -> None:
    er.async_get(hass).async_update_entity("notify.mum", aliases=["Mother", er.COMPUTED_NAME])
    await call(hass, "Mother", "One")
    await call(hass, "Mum", "Two")
    assert texts(service) == ["One", "Two"]


async def test_recipients_with_one_name_are_told_apart(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    add_recipient(hass, entry, "mum ", "79160000001")
    await hass.async_block_till_done()
    expose(hass, "notify.mum_2")
    with pytest.raises(vol.Invalid):
        await call(hass, "Mum")
    await call(hass, "mum (notify.mum_2)")
    assert [message.phone_number for message in service.account.messages] == ["79160000001"]


async def test_a_user_needs_the_right_to_control_the_recipient(
    hass: HomeAssistant, service: SimulatedService, hass_read_only_user: MockUser
) -> None:
    answer = await call(hass, "Mum", context=Context(user_id=hass_read_only_user.id))
    assert answer == {"error": str(Unauthorized())}
    assert texts(service) == []
