"""Sending with notify entities."""

from http import HTTPStatus

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import Fault
from tests import API_TOKEN
from tests.common import DAD, MUM, PHONE, SimulatedService, phone, recipient, send, set_up

SEND = "POST /sms/send"


def fail_at_once(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Do not queue messages that cannot be sent."""
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 0})


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "Water leak in the kitchen!"),
        ({"title": "Alarm"}, "Alarm\nWater leak in the kitchen!"),
        ({"title": ""}, "Water leak in the kitchen!"),
    ],
)
async def test_a_message_is_sent_once_with_only_the_documented_fields(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, data: dict[str, str], text: str
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak in the kitchen!", **data)

    (request,) = service.requests_to(SEND)
    assert request.json == {"message": text, "phone_number": MUM}
    assert request.headers["Authorization"] == f"Bearer {API_TOKEN}"
    assert [message.message for message in service.account.messages] == [text]
    assert hass.states.get("notify.mum").state != STATE_UNKNOWN


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        ({"phone": "chosen"}, {}, {"device_id": PHONE, "to_sim": 1}),
        ({"phone": "chosen"}, {"default_phone": "default"}, {"device_id": PHONE, "to_sim": 1}),
        ({}, {"default_phone": "default"}, {"device_id": "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"}),
        ({}, {"default_phone": "removed since"}, {}),
        ({"phone": "removed since"}, {"default_phone": "default"}, {}),
        ({}, {}, {}),
    ],
    ids=["the recipient's", "the recipient's first", "the account's", "removed", "the recipient's removed", "any"],
)
async def test_the_recipients_phone_is_used_before_the_accounts(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    data: dict[str, str],
    options: dict[str, str],
    expected: dict[str, object],
) -> None:
    service.account.add_phone("0191f2a4-aaaa-4bbb-8ccc-1234567890ab")
    entry = MockConfigEntry(
        domain="gosms",
        data=dict(entry.data, api_token=API_TOKEN),
        options=options,
        subentries_data=[
            recipient("Grandmother", MUM, **data),
            phone("chosen", sim="sim2"),
            phone("default", "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"),
        ],
    )
    entry.add_to_hass(hass)
    await set_up(hass, entry)
    await send(hass, "Hello", to="notify.grandmother")

    (request,) = service.requests_to(SEND)
    assert request.json == {"message": "Hello", "phone_number": MUM, **expected}


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (1001, "invalid_request"),
        (1002, "api_inactive"),
        (1003, "invalid_auth"),
        (1004, "no_phone"),
        (1005, "no_send_permission"),
        (1006, "quota_reached"),
        (1007, "no_read_permission"),
        (1008, "unknown_message"),
        (1009, "no_delete_permission"),
        (1010, "message_too_young"),
        (1011, "no_device_permission"),
        (1012, "unknown_phone"),
        (1013, "no_device_permission"),
        (1014, "no_device_permission"),
        (1015, "no_active_phone"),
        (1016, "unknown_phone"),
        (1017, "sim_without_phone"),
        (2001, "invalid_phone_number"),
        (2002, "invalid_message"),
        (2003, "unknown_message"),
        (2004, "invalid_callback_id"),
        (2005, "invalid_device_id"),
        (2006, "invalid_request"),
        (2007, "invalid_request"),
        (2008, "invalid_sim"),
        (2009, "invalid_request"),
        (3000, "account_blocked"),
        (4711, "refused"),
    ],
)
async def test_a_refused_message_raises_its_reason_and_the_next_one_is_sent(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, code: int, key: str
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CODE, endpoint=SEND, code=code, status=400, times=1)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Water leak!")
    assert error.value.translation_key == key
    assert hass.states.get("notify.mum").state == STATE_UNKNOWN

    await send(hass, "Water leak!")
    assert len(service.account.messages) == 1


@pytest.mark.parametrize(
    ("fault", "status", "key", "accepted"),
    [
        (Fault.REFUSE, None, "not_confirmed", 0),
        (Fault.CUT_BEFORE, None, "not_confirmed", 0),
        (Fault.CUT_AFTER, None, "not_confirmed", 1),
        (Fault.ERROR_AFTER, None, "not_confirmed", 1),
        (Fault.BAD_GATEWAY, None, "not_confirmed", 0),
        (Fault.UNKNOWN_ERROR, None, "not_confirmed", 0),
        (Fault.REQUEST_TIMEOUT, None, "not_confirmed", 0),
        (Fault.CAPTIVE_PORTAL, None, "not_confirmed", 0),
        (Fault.REDIRECT, None, "not_confirmed", 0),
        (Fault.TRUNCATED, None, "not_confirmed", 1),
        (Fault.NOT_AN_OBJECT, None, "not_confirmed", 1),
        (Fault.ID_AS_NUMBER, None, "not_confirmed", 1),
        (Fault.MALFORMED_ID, None, "not_confirmed", 1),
        (Fault.OVERSIZED, None, "not_confirmed", 1),
        (Fault.OVERSIZED_CHUNKED, None, "not_confirmed", 1),
        (Fault.UNAUTHORIZED, None, "invalid_auth", 0),
        (Fault.FORBIDDEN, None, "cannot_connect", 0),
        (Fault.TOO_MANY_REQUESTS, None, "too_many_requests", 0),
        (Fault.CODE, HTTPStatus.INTERNAL_SERVER_ERROR, "invalid_message", 0),
    ],
)
async def test_a_failed_send_says_whether_the_message_may_have_been_sent(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    fault: Fault,
    status: HTTPStatus | None,
    key: str,
    accepted: int,
) -> None:
    fail_at_once(hass, entry)
    await set_up(hass, entry)
    service.faults.add(fault, endpoint=SEND, code=2002, status=status, times=1)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Water leak!")
    assert error.value.translation_key == key
    assert len(service.account.messages) == accepted

    await send(hass, "Water leak!", to="notify.dad")
    assert service.account.messages[0].phone_number == DAD


async def test_a_refused_connection_is_reported_as_not_sent(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    fail_at_once(hass, entry)
    await service.close()
    await set_up(hass, entry)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Water leak!")
    assert error.value.translation_key == "cannot_connect"


async def test_an_unsendable_text_is_a_validation_error(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={"replace_symbols": False})
    await set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as error:
        await send(hass, "21 °C")
    assert error.value.translation_key == "forbidden_symbols"
    assert service.requests_to(SEND) == []


async def test_a_message_is_sent_while_polling_fails(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.faults.add(Fault.BAD_GATEWAY, endpoint="GET /sms")
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    assert len(service.account.messages) == 1
