"""Listing and deleting messages, and previewing texts."""

from typing import Any, Final

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from simulator import Fault, Permission, Status
from tests.common import DAD, MUM, PHONE, SimulatedService, set_up
from tests.services.actions import perform_action, placeholders

GET: Final = "POST /sms/get"
LIST: Final = "GET /sms"
DELETE: Final = "DELETE /sms/del"
LONG_AGO: Final = 1_700_000_000
NOBODYS: Final = "0123456789abcdef01234567"


async def delete(hass: HomeAssistant, *message_ids: str, **data: Any) -> None:
    """Delete messages."""
    await hass.services.async_call("gosms", "delete_message", {"message_id": list(message_ids), **data}, blocking=True)


async def test_messages_are_paged_newest_first(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    for number in range(25):
        service.account.add_message(message=f"Number {number}", phone_number=MUM, created=LONG_AGO + number)
    await set_up(hass, entry)
    first = await perform_action(hass, "get_messages")
    assert (first["total"], first["page"], first["limit"]) == (25, 1, 10)
    assert [message["message"] for message in first["messages"]] == [f"Number {n}" for n in range(24, 14, -1)]

    last = await perform_action(hass, "get_messages", limit=10, page=3)
    assert [message["message"] for message in last["messages"]] == [f"Number {n}" for n in range(4, -1, -1)]


async def test_messages_can_be_searched(hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry) -> None:
    service.account.add_message(message="Leak", phone_number=MUM, created=LONG_AGO)
    service.account.add_message(message="Fire", phone_number=DAD, created=LONG_AGO)
    await set_up(hass, entry)
    found = await perform_action(hass, "get_messages", search="leak")
    assert (found["total"], [message["phone_number"] for message in found["messages"]]) == (1, [MUM])
    assert (await perform_action(hass, "get_messages", search=""))["total"] == 2


async def test_a_message_is_returned_with_all_fields(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    message = service.account.add_message(
        message="Leak",
        phone_number=MUM,
        created=LONG_AGO,
        device_id=PHONE,
        to_sim=1,
        callback_id=NOBODYS,
        status=Status.DELIVERED,
    )
    await set_up(hass, entry)
    expected = {
        "id": message.id,
        "phone_number": MUM,
        "message": "Leak",
        "status": "delivered",
        "status_code": 4,
        "phone": PHONE,
        "sim": 1,
        "callback_id": NOBODYS,
        "created": "2023-11-14T22:13:20+00:00",
    }
    assert await perform_action(hass, "get_message", message_id=f" {message.id.upper()} ") == expected
    assert (await perform_action(hass, "get_messages"))["messages"] == [expected]


async def test_an_unknown_status_keeps_its_numeric_code(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    message = service.account.add_message(message="Leak", phone_number=MUM, created=LONG_AGO)
    await set_up(hass, entry)
    service.faults.add(Fault.UNKNOWN_STATUS, endpoint=GET)
    answer = await perform_action(hass, "get_message", message_id=message.id)
    assert answer["status"] is None
    assert answer["status_code"] > 5


@pytest.mark.parametrize("action", ["get_message", "delete_message"])
@pytest.mark.parametrize("message_id", ["", "12", "6654a4e8f1527149588c89f", "6654a4e8f1527149588c89fg", PHONE + "0"])
async def test_a_malformed_id_is_rejected_without_a_request(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, action: str, message_id: str
) -> None:
    await set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as error:
        await hass.services.async_call(
            "gosms", action, {"message_id": message_id}, blocking=True, return_response=action == "get_message"
        )
    assert error.value.translation_key == "invalid_message_id"
    assert service.requests_to(GET) + service.requests_to(DELETE) == []


async def test_an_unknown_message_is_a_validation_error(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as error:
        await perform_action(hass, "get_message", message_id=NOBODYS)
    assert error.value.translation_key == "unknown_message"


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"page": 0}, "page"),
        ({"page": 1_000_001}, "page"),
        ({"limit": "a"}, "limit"),
    ],
)
async def test_an_invalid_page_or_limit_is_rejected(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, data: dict[str, Any], key: str
) -> None:
    await set_up(hass, entry)
    before = len(service.requests_to(LIST))
    with pytest.raises(vol.Invalid) as error:
        await perform_action(hass, "get_messages", **data)
    assert key in str(error.value)
    assert len(service.requests_to(LIST)) == before


@pytest.mark.parametrize(
    ("action", "endpoint", "data"),
    [("get_messages", LIST, {}), ("get_message", GET, {"message_id": NOBODYS})],
)
@pytest.mark.parametrize(
    ("fault", "key"),
    [
        (Fault.CUT_BEFORE, "no_answer"),
        # Nothing was to be sent, so it is not the error of a message.
        (Fault.FORBIDDEN, "no_answer"),
        (Fault.BAD_GATEWAY, "service_error"),
        (Fault.UNAUTHORIZED, "invalid_auth"),
    ],
)
async def test_a_failed_request_raises_an_error(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    action: str,
    endpoint: str,
    data: dict[str, str],
    fault: Fault,
    key: str,
) -> None:
    await set_up(hass, entry)
    service.faults.add(fault, endpoint=endpoint)
    with pytest.raises(HomeAssistantError) as error:
        await perform_action(hass, action, **data)
    assert error.value.translation_key == key


@pytest.mark.parametrize(
    ("action", "endpoint"), [("get_message", GET), ("get_messages", LIST), ("delete_message", DELETE)]
)
async def test_a_refused_token_starts_reauth(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, action: str, endpoint: str
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.UNAUTHORIZED, endpoint=endpoint)
    data = {} if action == "get_messages" else {"message_id": NOBODYS}
    with pytest.raises(HomeAssistantError) as error:
        await hass.services.async_call("gosms", action, data, blocking=True, return_response=action != "delete_message")
    assert error.value.translation_key == "invalid_auth"
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == [SOURCE_REAUTH]


async def test_deleting_messages_refreshes_the_sensors(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    messages = [
        service.account.add_message(message=f"Number {number}", phone_number=MUM, created=LONG_AGO)
        for number in range(4)
    ]
    await set_up(hass, entry)
    await hass.services.async_call("gosms", "delete_message", {"message_id": messages[0].id}, blocking=True)
    await delete(hass, messages[1].id, messages[2].id.upper(), messages[1].id)
    await hass.async_block_till_done()
    assert [message.id for message in service.account.messages] == [messages[3].id]
    assert len(service.requests_to(DELETE)) == 3
    assert len(service.requests_to(LIST)) >= 2


async def test_deleting_a_recent_message_fails_and_says_how_long_to_wait(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    message = service.account.add_message(message="Leak", phone_number=MUM)
    await set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as error:
        await delete(hass, message.id)
    assert error.value.translation_key == "message_too_young"
    assert "5 minutes" in str(error.value)


async def test_a_partly_failed_deletion_raises_an_error_naming_the_failed_ids(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    old, young = (
        service.account.add_message(message="Leak", phone_number=MUM, created=LONG_AGO),
        service.account.add_message(message="Leak", phone_number=MUM),
    )
    await set_up(hass, entry)
    with pytest.raises(HomeAssistantError) as error:
        await delete(hass, young.id, old.id, NOBODYS)
    assert [message.id for message in service.account.messages] == [young.id]
    assert error.value.translation_key == "not_deleted"
    failures = placeholders(error.value)["failures"]
    assert young.id in failures
    assert NOBODYS in failures
    assert old.id not in failures


async def test_deleting_without_permission_raises_an_error(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    message = service.account.add_message(message="Leak", phone_number=MUM, created=LONG_AGO)
    await set_up(hass, entry)
    service.account.permissions.remove(Permission.DELETE)
    with pytest.raises(HomeAssistantError) as error:
        await delete(hass, message.id)
    assert error.value.translation_key == "no_delete_permission"


async def test_a_preview_returns_the_parts_and_sends_nothing(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    before = len(service.requests)
    shown = await perform_action(hass, "preview", message="21 °C " * 40, title="Дом")
    assert len(shown["parts"]) == 2
    assert shown["parts"][0].startswith("(1/2) Дом\n")
    assert shown["characters"] == sum(map(len, shown["parts"]))
    assert (shown["encoding"], shown["replaced"].keys()) == ("ucs2", {"°"})
    assert shown["segments"] > 2
    assert shown["text"].startswith("Дом\n21 ")
    assert len(service.requests) == before


@pytest.mark.parametrize(
    ("options", "message", "key"),
    [
        ({"replace_symbols": False}, "21 °C", "forbidden_symbols"),
        ({"long_text": "reject"}, "Text " * 100, "text_too_long"),
        ({}, "💧", "empty_text"),
    ],
)
async def test_a_preview_of_an_unsendable_text_raises_the_reason(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    options: dict[str, Any],
    message: str,
    key: str,
) -> None:
    hass.config_entries.async_update_entry(entry, options=options)
    await set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as error:
        await perform_action(hass, "preview", message=message)
    assert error.value.translation_key == key


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("get_messages", {}),
        ("get_message", {"message_id": NOBODYS}),
        ("delete_message", {"message_id": NOBODYS}),
        ("preview", {"message": "Leak"}),
    ],
)
async def test_an_action_of_an_account_that_is_not_loaded_says_which_one(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, action: str, data: dict[str, str]
) -> None:
    await set_up(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as error:
        await hass.services.async_call("gosms", action, data, blocking=True, return_response=action != "delete_message")
    assert error.value.translation_key == "account_not_loaded"
    assert placeholders(error.value) == {"account": "GoSMS.ru"}
