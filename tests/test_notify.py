"""Sending with notify entities."""

from http import HTTPStatus

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import Fault
from tests import API_TOKEN
from tests.service import DAD, MUM, PHONE, Service, phone, recipient, send, set_up

SEND = "POST /sms/send"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "Water leak in the kitchen!"),
        ({"title": "Alarm"}, "Alarm\nWater leak in the kitchen!"),
        ({"title": ""}, "Water leak in the kitchen!"),
    ],
)
async def test_a_message_leaves_once_with_nothing_but_the_documented_fields(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, data: dict[str, str], text: str
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak in the kitchen!", **data)

    (request,) = service.requests_to(SEND)
    assert request.json == {"message": text, "phone_number": MUM}
    assert request.headers["Authorization"] == f"Bearer {API_TOKEN}"
    assert [message.message for message in service.account.messages] == [text]
    assert hass.states.get("notify.mum").state != STATE_UNKNOWN
