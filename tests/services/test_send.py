"""Sending with the action: recipients, responses and errors."""

import asyncio
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import Delivery, Fault, Status
from tests.common import DAD, MUM, PHONE, SimulatedService, add_phone, advance_time, send, set_up
from tests.message_helpers import sent_messages
from tests.services.actions import placeholders, send_sms, send_sms_without_response

SEND: Final = "POST /sms/send"
LIST: Final = "GET /sms"
OTHER_PHONE: Final = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"

pytestmark = [
    pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"),
    pytest.mark.usefixtures("no_rate_limit", "no_service_rate_limit"),
]


def numbers(count: int) -> list[str]:
    """Return different phone numbers."""
    return [f"+7 912 345 {number:04}" for number in range(count)]


async def test_sending_to_recipients_and_numbers_returns_a_result_for_each(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    answers = await send_sms(
        hass, message="21 °C", title="Alarm", entity_id="notify.mum", phone_numbers=["8 (916) 123-45-67", "112"]
    )
    assert sorted(sent_messages(service)) == sorted(
        (number, "Alarm\n21 deg. C") for number in (MUM, "79161234567", "112")
    )
    ids = {message.phone_number: message.id for message in service.account.messages}
    assert answers == [
        {
            "phone_number": number,
            "recipient": name,
            "message_ids": [ids[number]],
            "status": "waiting",
            "queued": False,
            "segments": 1,
            "encoding": "gsm7",
            "parts": 1,
            "replaced": {"°": "deg."},
            "error": None,
        }
        for number, name in ((MUM, "Mum"), ("79161234567", None), ("112", None))
    ]


async def test_without_response_a_call_succeeds_if_all_messages_are_accepted(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await send_sms_without_response(hass, entity_id=["notify.mum", "notify.dad"])
    assert sorted(sent_messages(service)) == [(MUM, "Water leak!"), (DAD, "Water leak!")]


async def test_a_number_given_several_times_gets_one_message(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    answers = await send_sms(
        hass,
        entity_id=["notify.dad", "notify.mum", "notify.dad"],
        phone_numbers=["8 912 345 67 89", "+79161234567", "79161234567"],
    )
    assert [(each["phone_number"], each["recipient"]) for each in answers] == [
        (DAD, "Dad"),
        (MUM, "Mum"),
        ("79161234567", None),
    ]
    assert len(service.account.messages) == 3


async def test_a_recipients_number_fires_the_recipients_event(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    (answer,) = await send_sms(hass, phone_numbers=MUM, tag="leak")
    await hass.async_block_till_done()
    assert answer["recipient"] == "Mum"
    event = hass.states.get("event.mum_message")
    assert (event.attributes["event_type"], event.attributes["tag"]) == ("accepted", "leak")


async def test_a_number_without_country_code_uses_the_configured_country(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={"country": "DE"})
    await set_up(hass, entry)
    (answer,) = await send_sms(hass, phone_numbers=["0151 23456789"])
    assert answer["phone_number"] == "4915123456789"


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({}, "no_recipient"),
        ({"entity_id": "light.kitchen"}, "no_recipient"),
        ({"entity_id": "all"}, "no_recipient"),
        ({"entity_id": "notify.nobody"}, "no_recipient"),
        ({"phone_numbers": []}, "no_recipient"),
        ({"phone_numbers": ["call me"]}, "invalid_phone_number"),
        ({"phone_numbers": ["call me", "+7 912"]}, "invalid_phone_number"),
        ({"phone_numbers": MUM, "message": "  "}, "empty_text"),
        ({"phone_numbers": MUM, "message": "word " * 1000}, "too_many_parts"),
        ({"phone_numbers": MUM, "phone": "Pixel 8"}, "invalid_phone"),
    ],
)
async def test_an_invalid_call_raises_a_validation_error_and_sends_nothing(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, data: dict[str, Any], key: str
) -> None:
    await set_up(hass, entry)
    for run in (send_sms, send_sms_without_response):
        with pytest.raises(ServiceValidationError) as error:
            await run(hass, **data)
        assert error.value.translation_key == key
    assert service.requests_to(SEND) == []


async def test_one_invalid_number_does_not_stop_the_others(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    answers = await send_sms(hass, phone_numbers=[*numbers(19), "8 912 34"])
    assert len(service.account.messages) == 19
    assert [each["error"] for each in answers[:-1]] == [None] * 19
    bad = answers[-1]
    assert (bad["phone_number"], bad["status"], bad["message_ids"], bad["queued"]) == ("8 912 34", "failed", [], False)
    assert (bad["error"]["key"], bad["error"]["code"]) == ("phone_number_too_short", None)
    assert bad["error"]["message"]


async def test_without_response_the_error_names_only_the_invalid_number(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    with pytest.raises(HomeAssistantError) as error:
        await send_sms_without_response(hass, phone_numbers=[*numbers(19), "8 912 34"])
    assert len(service.account.messages) == 19
    assert error.value.translation_key == "not_all_arrived"
    failures = placeholders(error.value)["failures"]
    assert failures.startswith("…34: ")
    assert failures.count("…") == 1


async def test_the_error_names_recipients_but_no_full_number(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.account.quota = 1
    with pytest.raises(HomeAssistantError) as error:
        await send_sms_without_response(
            hass, entity_id=["notify.mum", "notify.dad"], phone_numbers=["+79161234567", "0890"]
        )
    assert len(service.account.messages) == 1
    failures = placeholders(error.value)["failures"]
    assert failures.startswith("Dad, …4567, …90: ")
    assert DAD not in str(error.value)


async def test_the_error_names_what_has_no_digit_as_it_was_typed(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    with pytest.raises(HomeAssistantError) as error:
        await send_sms_without_response(
            hass, entity_id="notify.mum", phone_numbers=["call me", "call me as soon as you can, please"]
        )
    assert placeholders(error.value)["failures"].startswith("call me, call me as soon as y…: ")


async def test_errors_in_the_response_use_the_configured_language(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    hass.config.language = "ru"
    await set_up(hass, entry)
    service.account.quota = 0
    (answer,) = await send_sms(hass, entity_id="notify.mum")
    assert (answer["status"], answer["error"]["key"], answer["error"]["code"]) == ("refused", "quota_reached", 1006)
    assert "тариф" in answer["error"]["message"]


async def test_a_single_failed_message_raises_its_own_error(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.account.quota = 0
    with pytest.raises(HomeAssistantError) as error:
        await send_sms_without_response(hass, entity_id="notify.mum")
    assert error.value.translation_key == "quota_reached"


async def test_a_refused_token_starts_reauth(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.UNAUTHORIZED, endpoint=SEND, times=1)
    (answer,) = await send_sms(hass, entity_id="notify.mum")
    assert answer["error"]["key"] == "invalid_auth"
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == [SOURCE_REAUTH]


async def test_a_message_queued_in_an_outage_is_not_an_error(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    (answer,) = await send_sms(hass, entity_id="notify.mum")
    assert (answer["status"], answer["queued"], answer["message_ids"], answer["error"]) == ("queued", True, [], None)


@pytest.mark.parametrize("expire_after", [0, "00:00:00", {"seconds": 0}])
async def test_expire_after_zero_disables_queueing(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, expire_after: Any
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    (answer,) = await send_sms(hass, entity_id="notify.mum", expire_after=expire_after)
    assert (answer["status"], answer["queued"], answer["error"]["key"]) == ("expired", False, "too_many_requests")


async def test_expire_after_sets_when_a_message_expires(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    await send_sms(hass, entity_id="notify.mum", expire_after={"minutes": 2})
    for _ in range(25):
        await advance_time(hass, freezer, 5)
    assert hass.states.get("event.mum_message").attributes["event_type"] == "expired"


async def test_an_unknown_outcome_is_returned_as_not_confirmed(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    (answer,) = await send_sms(hass, entity_id="notify.mum", expire_after=0)
    assert (answer["status"], answer["error"]["key"]) == ("queued", "not_confirmed")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"phone": OTHER_PHONE.upper()}, {"device_id": OTHER_PHONE}),
        ({"phone": OTHER_PHONE, "sim": "sim1"}, {"device_id": OTHER_PHONE, "to_sim": 0}),
        ({"phone": PHONE, "sim": "default"}, {"device_id": PHONE}),
        ({"sim": "sim2"}, {}),
    ],
)
async def test_the_requested_phone_and_sim_are_used(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    data: dict[str, str],
    expected: dict[str, Any],
) -> None:
    service.account.add_phone(OTHER_PHONE)
    await set_up(hass, entry)
    await send_sms(hass, entity_id="notify.mum", **data)
    (request,) = service.requests_to(SEND)
    assert request.json == {"message": "Water leak!", "phone_number": MUM, **expected}


async def test_a_phone_can_be_selected_by_its_device(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    add_phone(hass, entry, sim="sim2")
    await set_up(hass, entry)
    device_id = dr.async_get_device_id_by_identifier(
        hass, ("gosms", "the_account_the_phone"), config_entry_id="the_account"
    )
    await send_sms(hass, entity_id="notify.mum", phone=device_id)
    (request,) = service.requests_to(SEND)
    assert request.json == {"message": "Water leak!", "phone_number": MUM, "device_id": PHONE, "to_sim": 1}


async def test_a_device_that_is_not_a_phone_is_rejected(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    add_phone(hass, entry)
    await set_up(hass, entry)
    device_id = dr.async_get_device_id_by_identifier(hass, ("gosms", "the_account"), config_entry_id="the_account")
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, entity_id="notify.mum", phone=device_id)
    assert error.value.translation_key == "invalid_phone"
    assert service.requests_to(SEND) == []


async def test_the_configured_webhook_is_sent_with_the_message(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={"callback_id": PHONE})
    await set_up(hass, entry)
    await send_sms(hass, entity_id="notify.mum")
    (request,) = service.requests_to(SEND)
    assert request.json == {"message": "Water leak!", "phone_number": MUM, "callback_id": PHONE}


# Long texts


async def test_a_long_text_is_sent_in_parts_and_returned_as_one_message(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    (answer,) = await send_sms(hass, entity_id="notify.mum", message="All windows are open. " * 30)
    texts = [text for _, text in sent_messages(service)]
    assert [text[:6] for text in texts] == ["(1/3) ", "(2/3) ", "(3/3) "]
    assert answer["message_ids"] == [message.id for message in reversed(service.account.messages)]
    assert (answer["parts"], answer["status"], answer["encoding"]) == (3, "waiting", "gsm7")
    assert answer["segments"] >= 3


@pytest.mark.parametrize("expire_after", [0, 600])
async def test_a_refused_part_stops_the_rest_and_is_named_in_the_error(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, expire_after: int
) -> None:
    await set_up(hass, entry)
    service.account.quota = 1
    (answer,) = await send_sms(
        hass, entity_id="notify.mum", message="All windows are open. " * 30, expire_after=expire_after
    )
    assert [text[:6] for _, text in sent_messages(service)] == ["(1/3) "]
    assert (answer["status"], len(answer["message_ids"])) == ("refused", 1)
    assert (answer["error"]["key"], answer["error"]["code"]) == ("quota_reached", 1006)
    assert "2" in answer["error"]["message"]
    assert "3" in answer["error"]["message"]


async def test_without_response_the_error_names_the_part(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.account.quota = 1
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "All windows are open. " * 30)
    assert error.value.translation_key == "part_failed"
    values = placeholders(error.value)
    assert (values["part"], values["parts"]) == ("2", "3")


async def test_all_parts_are_sent_with_queueing_disabled(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 0})
    await set_up(hass, entry)
    await send(hass, "All windows are open. " * 30)
    assert [text[:6] for _, text in sent_messages(service)] == ["(1/3) ", "(2/3) ", "(3/3) "]


@pytest.mark.parametrize(("option", "key"), [("reject", "text_too_long"), ("truncate", None)])
async def test_a_long_text_is_rejected_or_truncated_as_configured(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, option: str, key: str | None
) -> None:
    hass.config_entries.async_update_entry(entry, options={"long_text": option})
    await set_up(hass, entry)
    keys: list[str | None] = []
    try:
        await send(hass, "All windows are open. " * 30)
        keys.append(None)
    except ServiceValidationError as err:
        keys.append(err.translation_key)
    assert keys == [key]
    assert all(len(text) <= 300 and text.endswith("...") for _, text in sent_messages(service))


# The hourly limit


async def test_messages_over_the_hourly_limit_fail_until_an_hour_has_passed(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("Europe/Moscow")
    hass.config_entries.async_update_entry(entry, options={"hourly_limit": 3})
    await set_up(hass, entry)
    await send(hass, "Earlier")
    freezer.tick(600)
    answers = await send_sms(hass, phone_numbers=numbers(4))
    assert [each["status"] for each in answers] == ["waiting", "waiting", "failed", "failed"]
    assert [each["error"] and each["error"]["key"] for each in answers] == [None, None, *["hourly_limit"] * 2]
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Too many")
    assert error.value.translation_key == "hourly_limit"
    # An hour after the first one, which was sent at 12:00 UTC.
    assert error.value.translation_placeholders == {"limit": "3", "time": "16:00"}

    freezer.tick(3000)
    await send(hass, "Open again")
    with pytest.raises(HomeAssistantError):
        await send(hass, "Too many again")
    assert len(service.account.messages) == 4


async def test_the_hourly_limit_survives_a_restart(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    hass.config_entries.async_update_entry(entry, options={"hourly_limit": 2})
    await set_up(hass, entry)
    await send(hass, "One")
    await send(hass, "Two")
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await advance_time(hass, freezer, 6)
    assert entry.runtime_data.outbox.history.counters.delivered == 1

    assert await hass.config_entries.async_reload(entry.entry_id)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Three")
    assert error.value.translation_key == "hourly_limit"


async def test_failed_messages_do_not_count_toward_the_hourly_limit(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={"hourly_limit": 1, "queue_expiry": 0})
    await set_up(hass, entry)
    service.account.quota = 0
    for _ in range(2):
        (answer,) = await send_sms(hass, entity_id="notify.mum")
        assert answer["error"]["key"] == "quota_reached"
    service.account.quota = 5
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    (answer,) = await send_sms(hass, entity_id="notify.mum")
    assert answer["error"]["key"] == "too_many_requests"

    (answer,) = await send_sms(hass, entity_id="notify.mum")
    assert answer["error"] is None


async def test_an_hourly_limit_of_zero_means_no_limit(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={"hourly_limit": 0})
    await set_up(hass, entry)
    answers = await send_sms(hass, phone_numbers=numbers(120))
    assert [each["error"] for each in answers] == [None] * 120


# The same call once more


async def test_a_repeated_call_returns_the_first_result_and_sends_nothing(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    call = {"phone_numbers": numbers(3), "idempotency_key": "leak"}
    first = await send_sms(hass, **call)
    assert await send_sms(hass, **call) == first
    # In whatever order and form the same numbers come.
    turned = await send_sms(hass, idempotency_key="leak", phone_numbers=["79123450002", "79123450000", "79123450001"])
    assert turned == [first[2], first[0], first[1]]
    assert len(service.requests_to(SEND)) == 3


async def test_concurrent_calls_with_the_same_key_send_one_message(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    answers = await asyncio.gather(*(send_sms(hass, entity_id="notify.mum", idempotency_key="leak") for _ in range(5)))
    assert len(service.requests_to(SEND)) == 1
    assert [answer[0]["message_ids"] for answer in answers] == [[service.account.messages[0].id]] * 5


@pytest.mark.parametrize("status", [Status.SENT, Status.DELIVERED])
async def test_a_call_with_a_key_is_recognized_after_a_restart(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    status: Status,
) -> None:
    await set_up(hass, entry)
    (first,) = await send_sms(hass, entity_id="notify.mum", idempotency_key="leak")
    service.account.set_status(first["message_ids"][0], status)
    await advance_time(hass, freezer, 6)
    assert await hass.config_entries.async_reload(entry.entry_id)
    (again,) = await send_sms(hass, entity_id="notify.mum", idempotency_key="leak")
    assert again == {**first, "status": status.name.lower()}
    assert len(service.requests_to(SEND)) == 1


async def test_a_repeated_call_returns_the_first_failure(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.account.quota = 0
    (first,) = await send_sms(hass, entity_id="notify.mum", idempotency_key="leak")
    await hass.async_block_till_done()
    assert await hass.config_entries.async_reload(entry.entry_id)
    service.account.quota = 5
    (again,) = await send_sms(hass, entity_id="notify.mum", idempotency_key="leak")
    assert again == first
    assert again["error"]["code"] == 1006
    assert len(service.requests_to(SEND)) == 1


@pytest.mark.parametrize("other", [{"message": "Fire!"}, {"entity_id": ["notify.mum", "notify.dad"]}])
async def test_reusing_a_key_for_a_different_call_is_rejected(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, other: dict[str, Any]
) -> None:
    await set_up(hass, entry)
    await send_sms(hass, entity_id="notify.mum", idempotency_key="leak")
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, **{"entity_id": "notify.mum", "idempotency_key": "leak", **other})
    assert error.value.translation_key == "idempotency_conflict"
    assert len(service.requests_to(SEND)) == 1


@pytest.mark.parametrize("status", [Status.SENT, Status.DELIVERED])
async def test_a_key_can_be_used_again_the_next_day(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    status: Status,
) -> None:
    await set_up(hass, entry)
    (first,) = await send_sms(hass, entity_id="notify.mum", idempotency_key="report")
    service.account.set_status(first["message_ids"][0], status)
    await advance_time(hass, freezer, 6)
    await advance_time(hass, freezer, 24 * 3600)
    await send_sms(hass, entity_id="notify.mum", message="Another day", idempotency_key="report")
    assert [text for _, text in sent_messages(service)] == ["Water leak!", "Another day"]


# Waiting


async def waiting(hass: HomeAssistant, **data: Any) -> asyncio.Task[list[dict[str, Any]]]:
    """Start a call that waits for a state, and wait for its first request."""
    # Unknown to Home Assistant, which would wait for it where the tests let things happen.
    task = asyncio.create_task(send_sms(hass, entity_id="notify.mum", **data))
    await asyncio.sleep(0)
    await hass.async_block_till_done(wait_background_tasks=True)
    return task


@pytest.mark.parametrize(
    ("wait_for", "status"),
    [("sent", Status.SENT), ("sent", Status.DELIVERED), ("delivered", Status.DELIVERED)],
)
async def test_wait_for_returns_once_the_status_is_reached(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    wait_for: str,
    status: Status,
) -> None:
    await set_up(hass, entry)
    task = await waiting(hass, wait_for=wait_for)
    assert not task.done()
    service.account.set_status(service.account.messages[0].id, status)
    await advance_time(hass, freezer, 6)
    (answer,) = await task
    assert (answer["status"], answer["error"]) == (status.name.lower(), None)


async def test_several_calls_waiting_for_one_message_share_one_poll(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    tasks = [await waiting(hass, wait_for="delivered", idempotency_key="leak") for _ in range(3)]
    before = len(service.requests)
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await advance_time(hass, freezer, 6)
    assert [(await task)[0]["status"] for task in tasks] == ["delivered"] * 3
    assert len(service.requests) - before == 1


async def test_a_wait_that_times_out_returns_the_last_status(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    task = await waiting(hass, wait_for="delivered", timeout={"seconds": 20})
    service.account.set_status(service.account.messages[0].id, Status.SENT)
    await advance_time(hass, freezer, 10)
    assert not task.done()
    await advance_time(hass, freezer, 11)
    (answer,) = await task
    assert (answer["status"], answer["error"]) == ("sent", None)


@pytest.mark.parametrize(
    ("status", "key"), [(Status.SEND_ERROR, "send_failed"), (Status.DELIVERY_ERROR, "delivery_failed")]
)
async def test_a_failed_status_ends_the_wait_with_an_error(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    status: Status,
    key: str,
) -> None:
    await set_up(hass, entry)
    task = await waiting(hass, wait_for="sent")
    service.account.set_status(service.account.messages[0].id, status)
    await advance_time(hass, freezer, 6)
    (answer,) = await task
    assert (answer["status"], answer["error"]["key"], answer["error"]["code"]) == (key, key, None)


async def test_canceling_a_waiting_call_does_not_stop_its_message(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    outbox = entry.runtime_data.outbox
    task = await waiting(hass, wait_for="delivered")
    task.cancel()
    await asyncio.wait([task])
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await advance_time(hass, freezer, 6)
    assert outbox.history.counters.delivered == 1


async def test_unloading_ends_a_wait_with_the_last_status(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    task = await waiting(hass, wait_for="delivered")
    service.account.set_status(service.account.messages[0].id, Status.SENT)
    await advance_time(hass, freezer, 6)
    assert await hass.config_entries.async_unload(entry.entry_id)
    (answer,) = await task
    assert (answer["status"], answer["error"]) == ("sent", None)


async def test_sending_at_shutdown_returns_queued_without_waiting(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await entry.runtime_data.outbox.async_close()
    (answer,) = await send_sms(hass, entity_id="notify.mum", wait_for="delivered")
    assert (answer["status"], answer["queued"], answer["error"]) == ("queued", True, None)


async def test_waiting_for_a_queued_message_ends_when_it_is_delivered(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    task = await waiting(hass, wait_for="delivered")
    for _ in range(6):
        await advance_time(hass, freezer, 5)
    (answer,) = await task
    assert answer["status"] == "delivered"
