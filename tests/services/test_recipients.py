"""The recipients of a call by entities, devices, areas and labels, and the account that sends to them."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests import API_TOKEN
from tests.common import DAD, MUM, PHONE, SimulatedService, phone, recipient, set_up
from tests.services.actions import placeholders, send_sms, send_sms_without_response

SEND: Final = "POST /sms/send"
AUNT: Final = "79161234567"


@pytest.fixture
async def second(hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry) -> MockConfigEntry:
    """A second account, with a recipient of its own and one that both have; both accounts are set up."""
    second = MockConfigEntry(
        domain="gosms",
        entry_id="the_second",
        title="Second",
        data={"api_token": API_TOKEN, "url": service.url},
        options={"callback_id": PHONE},
        subentries_data=[recipient("Aunt", AUNT), recipient("Mother", MUM), phone("the_phone")],
    )
    second.add_to_hass(hass)
    await set_up(hass, entry)
    return second


def names(answers: list[dict[str, Any]]) -> list[str | None]:
    """Return the names in a response."""
    return [answer["recipient"] for answer in answers]


@pytest.fixture
async def target_ids(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Set up an account whose recipients have an area and labels, and return the ids of all targets."""
    await set_up(hass, entry)
    registry = er.async_get(hass)
    mum, dad = registry.async_get("notify.mum"), registry.async_get("notify.dad")
    assert mum
    assert mum.device_id
    assert dad
    assert dad.device_id
    area = ar.async_get(hass).async_create("Country house").id
    dr.async_get(hass).async_update_device(dad.device_id, area_id=area)
    family, night = (lr.async_get(hass).async_create(name).label_id for name in ("Family", "At night"))
    for entity_id in ("notify.mum", "notify.dad", "sensor.mum_last_message_status"):
        registry.async_update_entity(entity_id, labels={family})
    dr.async_get(hass).async_update_device(mum.device_id, labels={night})
    registry.async_get_or_create("light", "other", "lamp", suggested_object_id="lamp")
    registry.async_update_entity("light.lamp", area_id=area, labels={family})
    return {"area": area, "family": family, "night": night, "mum": mum.device_id, "dad": dad.device_id}


@pytest.mark.parametrize(
    ("kind", "named", "expected"),
    [
        ("entity_id", ["notify.dad", "notify.mum"], ["Dad", "Mum"]),
        ("device_id", ["dad", "mum"], ["Dad", "Mum"]),
        ("device_id", "mum", ["Mum"]),
        ("area_id", "area", ["Dad"]),
        ("label_id", "family", ["Dad", "Mum"]),
        ("label_id", ["night", "family"], ["Mum", "Dad"]),
    ],
)
async def test_a_target_resolves_to_its_recipients(
    hass: HomeAssistant,
    service: SimulatedService,
    target_ids: dict[str, str],
    kind: str,
    named: str | list[str],
    expected: list[str],
) -> None:
    ids = [target_ids.get(each, each) for each in ([named] if isinstance(named, str) else named)]
    assert names(await send_sms(hass, **{kind: ids})) == expected
    assert len(service.requests_to(SEND)) == len(expected)


async def test_overlapping_targets_resolve_to_each_recipient_once(
    hass: HomeAssistant, service: SimulatedService, target_ids: dict[str, str]
) -> None:
    answers = await send_sms(
        hass,
        entity_id="notify.dad",
        device_id=target_ids["mum"],
        area_id=target_ids["area"],
        label_id=target_ids["family"],
    )
    assert names(answers) == ["Dad", "Mum"]


async def test_a_disabled_recipient_is_not_targeted(
    hass: HomeAssistant, service: SimulatedService, target_ids: dict[str, str]
) -> None:
    er.async_get(hass).async_update_entity("notify.mum", disabled_by=er.RegistryEntryDisabler.USER)
    for target in ({"entity_id": "notify.mum"}, {"device_id": target_ids["mum"]}):
        with pytest.raises(ServiceValidationError) as error:
            await send_sms(hass, **target)
        assert error.value.translation_key == "no_recipient"


async def test_recipients_get_messages_from_their_own_account(
    hass: HomeAssistant, service: SimulatedService, second: MockConfigEntry
) -> None:
    answers = await send_sms(hass, entity_id=["notify.dad", "notify.aunt", "notify.mother", "notify.mum"])
    assert names(answers) == ["Dad", "Aunt", "Mother"]
    hooks = {message.phone_number: message.callback_id for message in service.account.messages}
    assert hooks == {DAD: "", AUNT: PHONE, MUM: PHONE}


@pytest.mark.parametrize("is_loaded", [True, False])
async def test_with_two_accounts_a_number_requires_choosing_one(
    hass: HomeAssistant, service: SimulatedService, second: MockConfigEntry, is_loaded: bool
) -> None:
    await {True: hass.config_entries.async_reload, False: hass.config_entries.async_unload}[is_loaded](second.entry_id)
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, entity_id="notify.dad", phone_numbers=[AUNT])
    assert error.value.translation_key == "several_accounts"
    assert service.requests_to(SEND) == []


async def test_a_number_is_sent_to_by_the_account_that_was_chosen(
    hass: HomeAssistant, service: SimulatedService, second: MockConfigEntry
) -> None:
    assert names(await send_sms(hass, phone_numbers=[AUNT], config_entry_id="the_account")) == [None]
    assert names(await send_sms(hass, phone_numbers=[AUNT], config_entry_id="the_second")) == ["Aunt"]


async def test_a_disabled_account_is_none_to_choose_from(
    hass: HomeAssistant, service: SimulatedService, second: MockConfigEntry
) -> None:
    await hass.config_entries.async_set_disabled_by(second.entry_id, ConfigEntryDisabler.USER)
    assert names(await send_sms(hass, phone_numbers=[AUNT])) == [None]


async def test_a_phone_cannot_send_for_another_account(
    hass: HomeAssistant, service: SimulatedService, second: MockConfigEntry
) -> None:
    device_id = dr.async_get_device_id_by_identifier(
        hass, ("gosms", "the_second_the_phone"), config_entry_id="the_second"
    )
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, entity_id=["notify.aunt", "notify.dad"], phone=device_id)
    assert error.value.translation_key == "invalid_phone"
    assert service.requests_to(SEND) == []

    await send_sms(hass, entity_id="notify.aunt", phone=device_id)
    assert [message.device_id for message in service.account.messages] == [PHONE]


async def test_a_key_conflict_in_one_account_stops_both_from_sending(
    hass: HomeAssistant, service: SimulatedService, second: MockConfigEntry
) -> None:
    await send_sms(hass, entity_id="notify.aunt", message="Fire!", idempotency_key="leak")
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, entity_id=["notify.dad", "notify.aunt"], idempotency_key="leak")
    assert error.value.translation_key == "idempotency_conflict"
    assert len(service.requests_to(SEND)) == 1


NOT_LOADED: Final = [
    {"entity_id": ["notify.dad", "notify.aunt"]},
    {"entity_id": "notify.dad", "phone_numbers": AUNT, "config_entry_id": "the_second"},
]


@pytest.mark.parametrize("data", NOT_LOADED)
async def test_an_account_that_is_not_loaded_keeps_no_other_from_sending(
    hass: HomeAssistant, service: SimulatedService, second: MockConfigEntry, data: dict[str, Any]
) -> None:
    await hass.config_entries.async_unload(second.entry_id)
    dad, aunt = await send_sms(hass, **data)
    assert (dad["recipient"], dad["status"], dad["error"]) == ("Dad", "waiting", None)
    assert (aunt["recipient"], aunt["phone_number"], aunt["status"]) == ("Aunt", AUNT, "failed")
    assert (aunt["error"]["key"], aunt["error"]["code"]) == ("account_not_loaded", None)
    assert "Second" in aunt["error"]["message"]
    assert len(service.requests_to(SEND)) == 1


@pytest.mark.parametrize("data", NOT_LOADED)
async def test_one_error_names_those_whose_account_is_not_loaded(
    hass: HomeAssistant, service: SimulatedService, second: MockConfigEntry, data: dict[str, Any]
) -> None:
    await hass.config_entries.async_unload(second.entry_id)
    with pytest.raises(HomeAssistantError) as error:
        await send_sms_without_response(hass, **data)
    assert error.value.translation_key == "not_all_arrived"
    assert placeholders(error.value)["failures"].startswith("Aunt: ")
    assert [message.phone_number for message in service.account.messages] == [DAD]


@pytest.mark.parametrize(
    "data",
    [
        {"entity_id": "notify.aunt"},
        {"entity_id": ["notify.grandma", "notify.aunt", "notify.mother"]},
        {"phone_numbers": [AUNT, DAD], "config_entry_id": "the_second"},
    ],
)
async def test_where_no_account_is_loaded_the_call_is_an_error(
    hass: HomeAssistant, service: SimulatedService, second: MockConfigEntry, data: dict[str, Any]
) -> None:
    await hass.config_entries.async_unload(second.entry_id)
    for run in (send_sms, send_sms_without_response):
        with pytest.raises(ServiceValidationError) as error:
            await run(hass, **data)
        assert error.value.translation_key == "account_not_loaded"
        assert placeholders(error.value) == {"account": "Second"}
    assert service.requests_to(SEND) == []


@pytest.mark.parametrize(
    "data",
    [
        {"entity_id": ["notify.mother", "notify.dad", "notify.mum"]},
        {"entity_id": ["notify.mother", "notify.dad"], "phone_numbers": MUM, "config_entry_id": "the_account"},
    ],
)
async def test_a_person_with_two_accounts_is_reached_through_the_loaded_one(
    hass: HomeAssistant, service: SimulatedService, second: MockConfigEntry, data: dict[str, Any]
) -> None:
    await hass.config_entries.async_unload(second.entry_id)
    answers = await send_sms(hass, **data)
    assert [(answer["recipient"], answer["error"]) for answer in answers] == [("Mum", None), ("Dad", None)]


@pytest.mark.parametrize(
    ("data", "key"),
    [({"phone": "Pixel 8"}, "invalid_phone"), ({"message": " "}, "empty_text")],
)
async def test_a_wrong_call_is_wrong_whether_or_not_an_account_is_loaded(
    hass: HomeAssistant, service: SimulatedService, second: MockConfigEntry, data: dict[str, str], key: str
) -> None:
    await hass.config_entries.async_unload(second.entry_id)
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, entity_id=["notify.dad", "notify.aunt"], **data)
    assert error.value.translation_key == key
    assert service.requests_to(SEND) == []


@pytest.mark.parametrize("name", ["the_account", "the_nobody", "the_lamp"])
async def test_only_an_account_can_be_named_as_one(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, name: str
) -> None:
    await set_up(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    MockConfigEntry(domain="lamp", entry_id="the_lamp").add_to_hass(hass)
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, phone_numbers=AUNT, config_entry_id=name)
    assert (
        error.value.translation_key
        == {
            "the_account": "account_not_loaded",
            "the_nobody": "service_config_entry_not_found",
            "the_lamp": "service_config_entry_wrong_domain",
        }[name]
    )


async def test_sending_without_any_account_is_a_validation_error(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, phone_numbers=[AUNT])
    assert error.value.translation_key == "service_found_no_config_entry_for_domain"
