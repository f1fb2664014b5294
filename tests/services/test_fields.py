"""What the fields of the actions take, and what is refused before anything is done."""

import math
import time
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.json import json_bytes
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from tests.automation_helpers import run_script, set_up_yaml
from tests.common import DAD, MUM, PHONE, SimulatedService, set_up
from tests.services.actions import perform_action, placeholders, send_sms, send_sms_without_response

SEND: Final = "POST /sms/send"
LIST: Final = "GET /sms"

NOTHING: Final = [None, "", " \n"]
OPTIONAL: Final = [
    "area_id",
    "config_entry_id",
    "device_id",
    "expire_after",
    "floor_id",
    "label_id",
    "phone",
    "phone_numbers",
    "sim",
    "tag",
    "timeout",
    "title",
    "wait_for",
]

pytestmark = [
    pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"),
    pytest.mark.usefixtures("no_rate_limit", "no_service_rate_limit"),
]


# Nothing in a field


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("field", OPTIONAL)
async def test_nothing_in_an_optional_field_means_left_out(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, field: str, nothing: str | None
) -> None:
    await set_up(hass, entry)
    (answer,) = await send_sms(hass, **{"entity_id": "notify.mum", field: nothing})
    assert (answer["recipient"], answer["status"], answer["error"]) == ("Mum", "waiting", None)
    (request,) = service.requests_to(SEND)
    assert request.json == {"message": "Water leak!", "phone_number": MUM}
    await hass.async_block_till_done()
    assert hass.states.get("event.mum_message").attributes["tag"] is None


async def test_all_optional_fields_may_have_nothing_in_them(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await send_sms_without_response(hass, entity_id="notify.mum", idempotency_key=None, **dict.fromkeys(OPTIONAL, None))
    assert len(service.requests_to(SEND)) == 1


@pytest.mark.parametrize("nothing", NOTHING)
async def test_without_targets_nothing_in_them_is_nobody(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, nothing: str | None
) -> None:
    await set_up(hass, entry)
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, entity_id=nothing, phone_numbers=nothing)
    assert error.value.translation_key == "no_recipient"


@pytest.mark.parametrize("rows", [[""], [" "], [None], "", " ", None, [], ["", None, "\t"]])
async def test_empty_rows_do_not_count_beside_a_target(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, rows: Any
) -> None:
    await set_up(hass, entry)
    await send_sms_without_response(hass, entity_id="notify.mum", phone_numbers=rows)
    assert [message.phone_number for message in service.account.messages] == [MUM]


async def test_empty_rows_do_not_count_between_numbers(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    answers = await send_sms(hass, phone_numbers=[None, "+79123456789", "", " ", "+79991112233", None])
    assert [(answer["phone_number"], answer["error"]) for answer in answers] == [(MUM, None), (DAD, None)]


async def test_a_template_without_a_result_fills_in_nothing(
    hass: HomeAssistant, service: SimulatedService, init_integration: None, entry: MockConfigEntry
) -> None:
    data = {"message": "Leak", "title": "{{ none }}", "tag": "{{ '' }}", "phone_numbers": ["{{ none }}"]}
    await set_up_yaml(hass, {"action": "gosms.send_sms", "target": {"entity_id": "notify.mum"}, "data": data})
    await run_script(hass, "example")
    assert [message.message for message in service.account.messages] == ["Leak"]


@pytest.mark.parametrize("empty", ["", " "])
async def test_an_empty_idempotency_key_is_refused(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, empty: str
) -> None:
    await set_up(hass, entry)
    with pytest.raises(vol.Invalid, match="idempotency_key"):
        await send_sms(hass, entity_id="notify.mum", idempotency_key=empty)
    assert service.requests_to(SEND) == []


@pytest.mark.parametrize("data", [{"message": None}, {"message": []}, {"message": ["Leak"]}])
async def test_a_message_can_not_be_left_out(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, data: dict[str, Any]
) -> None:
    await set_up(hass, entry)
    with pytest.raises(vol.Invalid, match="message"):
        await send_sms(hass, entity_id="notify.mum", **data)
    assert service.requests_to(SEND) == []


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("field", ["config_entry_id", "limit", "page", "search"])
async def test_nothing_in_a_field_of_the_list_means_left_out(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, field: str, nothing: str | None
) -> None:
    await set_up(hass, entry)
    service.account.add_message(message="Leak", phone_number=MUM)
    found = await perform_action(hass, "get_messages", **{field: nothing})
    assert (found["limit"], found["page"], len(found["messages"])) == (10, 1, 1)
    assert "search" not in service.requests_to(LIST)[-1].query


@pytest.mark.parametrize("nothing", NOTHING)
async def test_a_preview_without_a_title_is_that_of_the_text(
    hass: HomeAssistant, entry: MockConfigEntry, nothing: str | None
) -> None:
    await set_up(hass, entry)
    assert (await perform_action(hass, "preview", message="Leak", title=nothing, config_entry_id=nothing))[
        "text"
    ] == "Leak"


# Bounds


@pytest.mark.parametrize("field", ["config_entry_id", "idempotency_key", "phone", "phone_numbers", "tag"])
async def test_a_field_that_is_too_long_is_refused(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, field: str
) -> None:
    await set_up(hass, entry)
    for length in (256, 10_000_000):
        with pytest.raises(vol.Invalid, match=field) as error:
            await send_sms(hass, **{"entity_id": "notify.mum", field: "x" * length})
        assert "xx" not in str(error.value)
    assert service.requests_to(SEND) == []


async def test_fields_as_long_as_may_be_are_taken(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    (answer,) = await send_sms(
        hass, phone_numbers="+7 912 345-67-89".ljust(100), tag="💧" * 255, idempotency_key="💧" * 255
    )
    assert (answer["phone_number"], answer["error"]) == (MUM, None)
    await hass.async_block_till_done()
    assert hass.states.get("event.mum_message").attributes["tag"] == "💧" * 255


async def test_too_many_numbers_are_refused(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    with pytest.raises(vol.Invalid, match="phone_numbers"):
        await send_sms(hass, phone_numbers=[f"+7912345{number:04}" for number in range(1001)])
    assert service.requests_to(SEND) == []


async def test_a_thousand_numbers_are_taken(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    # They are all one.
    (answer,) = await send_sms(hass, phone_numbers=[MUM] * 1000)
    assert answer["phone_number"] == MUM


@pytest.mark.parametrize(
    ("action", "data", "field"),
    [
        ("get_messages", {"search": "x" * 256}, "search"),
        ("get_messages", {"config_entry_id": "x" * 256}, "config_entry_id"),
        ("get_message", {"message_id": "x" * 256}, "message_id"),
        ("preview", {"message": "Leak", "config_entry_id": "x" * 256}, "config_entry_id"),
    ],
)
async def test_a_field_of_a_question_that_is_too_long_is_refused(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    action: str,
    data: dict[str, Any],
    field: str,
) -> None:
    await set_up(hass, entry)
    before = len(service.requests)
    with pytest.raises(vol.Invalid, match=field):
        await perform_action(hass, action, **data)
    assert len(service.requests) == before


@pytest.mark.parametrize("number", [math.inf, math.nan, 10**400, 0, -1, [], "ten"])
@pytest.mark.parametrize("field", ["limit", "page"])
async def test_an_invalid_number_is_refused(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, field: str, number: Any
) -> None:
    await set_up(hass, entry)
    before = len(service.requests_to(LIST))
    with pytest.raises(vol.Invalid, match=field):
        await perform_action(hass, "get_messages", **{field: number})
    assert len(service.requests_to(LIST)) == before


@pytest.mark.parametrize("number", [79123456789, 0, True, math.nan])
async def test_a_number_is_no_entity(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, number: float
) -> None:
    await set_up(hass, entry)
    with pytest.raises(vol.Invalid, match="entity_id"):
        await send_sms(hass, entity_id=number)
    assert service.requests_to(SEND) == []


async def test_lists_in_lists_are_refused(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    rows: list[Any] = [MUM]
    for _ in range(2_000):
        rows = [rows]
    with pytest.raises(vol.Invalid, match="phone_numbers"):
        await send_sms(hass, phone_numbers=rows)
    assert service.requests_to(SEND) == []


@pytest.mark.parametrize("message_ids", ["x" * 256, [PHONE] * 1001, []])
async def test_too_much_to_delete_is_refused(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, message_ids: Any
) -> None:
    await set_up(hass, entry)
    with pytest.raises(vol.Invalid, match="message_id"):
        await hass.services.async_call("gosms", "delete_message", {"message_id": message_ids}, blocking=True)
    assert service.requests_to("DELETE /sms/del") == []


@pytest.mark.parametrize("character", ["a", "°", "€", "💧", "\ud83d", "\u0301", " "])
@pytest.mark.parametrize("field", ["message", "title"])
async def test_a_text_of_a_million_characters_is_refused_at_once(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, field: str, character: str
) -> None:
    await set_up(hass, entry)
    data = {"message": "!", field: f"Leak{character * 1_000_000}!"}
    calls: dict[str, dict[str, Any]] = {"preview": {}, "send_sms": {"entity_id": "notify.mum"}}
    for action, call in calls.items():
        seconds: list[float] = []
        # A busy machine takes longer, never shorter: the best of three counts.
        for _ in range(3):
            before = time.thread_time()
            with pytest.raises(ServiceValidationError) as error:
                await perform_action(hass, action, **data, **call)
            seconds.append(time.thread_time() - before)
        assert min(seconds) < 0.1
        assert error.value.translation_key == "too_many_characters"
        assert placeholders(error.value) in ({"characters": "1000005"}, {"characters": "1000006"})
    with pytest.raises(ServiceValidationError) as error:
        await hass.services.async_call("notify", "send_message", {"entity_id": "notify.mum", **data}, blocking=True)
    assert error.value.translation_key == "too_many_characters"
    assert service.requests_to(SEND) == []


# Durations


@pytest.mark.parametrize("duration", [math.inf, math.nan, 1e300, {"hours": 1e300}, -1, "00:10:01", "soon", [], {}])
@pytest.mark.parametrize("field", ["timeout", "expire_after"])
async def test_an_invalid_duration_is_refused(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, field: str, duration: Any
) -> None:
    await set_up(hass, entry)
    if (field, duration) == ("expire_after", "00:10:01"):
        duration = {"days": 1, "seconds": 1}
    with pytest.raises(vol.Invalid, match=field):
        await send_sms(hass, entity_id="notify.mum", **{field: duration})
    assert service.requests_to(SEND) == []


# Surrogates


@pytest.mark.parametrize("surrogates", ["\ud83d\udca7", "\udca7"])
@pytest.mark.parametrize(
    ("field", "error"),
    [
        ("config_entry_id", ServiceValidationError),
        ("device_id", ServiceValidationError),
        ("entity_id", vol.Invalid),
        ("expire_after", vol.Invalid),
        ("phone", ServiceValidationError),
        ("sim", vol.Invalid),
        ("timeout", vol.Invalid),
        ("wait_for", vol.Invalid),
    ],
)
async def test_an_error_quotes_no_surrogate(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    field: str,
    error: type[Exception],
    surrogates: str,
) -> None:
    await set_up(hass, entry)
    with pytest.raises(error) as raised:
        await send_sms(hass, **{"phone_numbers": ["call me"], field: surrogates})
    assert json_bytes([str(raised.value), getattr(raised.value, "translation_placeholders", None)])
    assert service.requests_to(SEND) == []
