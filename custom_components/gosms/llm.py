"""A tool for voice assistants: texts a recipient by name.

It offers only the recipients that are exposed to the assistant. A notify entity is not, until the user exposes it.
"""

from collections import Counter
from typing import Any, Final, override

from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.components.llm import LLMTools
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, llm
import voluptuous as vol

from .const import DOMAIN
from .entity import async_notify_entities
from .errors import localize

_RECIPIENT: Final = "recipient"
_MESSAGE: Final = "message"

# Seconds until the assistant answers, even if the message is not accepted yet.
_TIMEOUT: Final = 15

# 2026.8 has neither of them, and takes the plain data.
_ANNOTATIONS: Final[Any] = getattr(llm, "ToolAnnotations", dict)(destructive=False, open_world=True)
_RESULT: Final[Any] = getattr(llm, "ToolResult", lambda data, error: data)  # noqa: ARG005

_SENT: Final = "The SMS is on its way through the phone. Whether it is delivered is not known yet."
_QUEUED: Final = (
    "The SMS is NOT sent yet: it is queued, and is sent by itself once GoSMS.ru can be reached. Tell the user so."
)


class SendSmsTool(llm.Tool):
    """Sends an SMS to a recipient."""

    name = "gosms__send_sms"
    title = "Send SMS"
    description = (
        "Send an SMS (text message) to a person. Use it only if the user asks to text, message or SMS this person, and "
        "with the message that the user asks to send. It costs money and can't be undone."
    )
    annotations = _ANNOTATIONS
    integration = DOMAIN

    def __init__(self, recipients: dict[str, str]) -> None:
        """Initialize the tool with the ids of the entities by the names of the recipients."""
        self._recipients = recipients
        self.parameters = vol.Schema({vol.Required(_RECIPIENT): vol.In(list(recipients)), vol.Required(_MESSAGE): str})

    @override
    async def async_call(self, hass: HomeAssistant, tool_input: llm.ToolInput, llm_context: llm.LLMContext) -> Any:
        """Send the SMS, and return whether it is on its way, is only queued, or why it was not sent."""
        arguments = self.parameters(tool_input.tool_args)
        data = {
            "entity_id": self._recipients[arguments[_RECIPIENT]],
            _MESSAGE: arguments[_MESSAGE],
            "timeout": _TIMEOUT,
        }
        try:
            response: Any = await hass.services.async_call(
                DOMAIN, "send_sms", data, blocking=True, context=llm_context.context, return_response=True
            )
        except HomeAssistantError as err:
            return _RESULT(data={"error": localize(hass, err)}, error=True)
        (message,) = response["messages"]
        if message["error"]:
            return _RESULT(data={"error": message["error"]["message"]}, error=True)
        explanation = _QUEUED if message["queued"] else _SENT
        return _RESULT(data={"status": message["status"], "explanation": explanation}, error=False)


@callback
def async_get_tools(hass: HomeAssistant, llm_context: llm.LLMContext, api_id: str) -> LLMTools | None:
    """Return the tool, or None if no recipient is exposed to the assistant."""
    recipients = _recipients(hass, llm_context.assistant) if api_id == llm.LLM_API_ASSIST else {}
    return LLMTools(tools=[SendSmsTool(recipients)]) if recipients else None


def _recipients(hass: HomeAssistant, assistant: str) -> dict[str, str]:
    """Return the exposed entities by all names of the recipients. A name of several has the entity in it."""
    named = [
        (name, entity.entity_id)
        for entry in hass.config_entries.async_entries(DOMAIN)
        for entity in async_notify_entities(hass, entry)
        if async_should_expose(hass, assistant, entity.entity_id)
        for name in er.async_get_entity_aliases(hass, entity, allow_empty=False)
    ]
    count = Counter(name.casefold() for name, _ in named)
    return {name if count[name.casefold()] == 1 else f"{name} ({entity_id})": entity_id for name, entity_id in named}
