"""Whom a call names with entities, devices, areas and labels, and which account sends to them."""

from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests import API_TOKEN
from tests.service import DAD, MUM, PHONE, Service, phone, recipient, set_up
from tests.services.actions import send_sms, send_sms_without_response

SEND: Final = "POST /sms/send"
AUNT: Final = "79161234567"


@pytest.fixture
async def second(hass: HomeAssistant, service: Service, entry: MockConfigEntry) -> MockConfigEntry:
    """A second account of the home, with a recipient of its own and one that both have; both are set up."""
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
    """Return whom an answer tells of."""
    return [answer["recipient"] for answer in answers]


@pytest.fixture
async def home(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """A set-up account whose recipients stand in an area and under labels, with the ids to name them by."""
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
        ("entity_id", ["light.lamp", "notify.dad"], ["Dad"]),
        ("device_id", ["dad", "mum"], ["Dad", "Mum"]),
        ("device_id", "mum", ["Mum"]),
        ("area_id", "area", ["Dad"]),
        ("label_id", "family", ["Dad", "Mum"]),
        ("label_id", ["night", "family"], ["Mum", "Dad"]),
    ],
)
async def test_a_target_means_the_recipients_in_it(
    hass: HomeAssistant,
    service: Service,
    home: dict[str, str],
    kind: str,
    named: str | list[str],
    expected: list[str],
) -> None:
    ids = [home.get(each, each) for each in ([named] if isinstance(named, str) else named)]
    assert names(await send_sms(hass, **{kind: ids})) == expected
    assert len(service.requests_to(SEND)) == len(expected)


async def test_several_kinds_of_targets_name_each_recipient_once(
    hass: HomeAssistant, service: Service, home: dict[str, str]
) -> None:
    answers = await send_sms(
        hass, entity_id="notify.dad", device_id=home["mum"], area_id=home["area"], label_id=home["family"]
    )
    assert names(answers) == ["Dad", "Mum"]


async def test_a_disabled_recipient_gets_nothing_from_a_target(
    hass: HomeAssistant, service: Service, home: dict[str, str]
) -> None:
    er.async_get(hass).async_update_entity("notify.mum", disabled_by=er.RegistryEntryDisabler.USER)
    for target in ({"entity_id": "notify.mum"}, {"device_id": home["mum"]}):
        with pytest.raises(ServiceValidationError) as error:
            await send_sms(hass, **target)
        assert error.value.translation_key == "no_recipient"


async def test_a_target_that_does_not_exist_is_told_in_the_log_without_its_name(
    hass: HomeAssistant, service: Service, home: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert names(await send_sms(hass, entity_id=["notify.mum", "notify.aunt_polly"])) == ["Mum"]
    assert "Targets of gosms.send_sms do not exist: 1" in caplog.text
    assert "aunt_polly" not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("custom_components")
    )


async def test_recipients_of_two_accounts_get_it_each_from_their_own(
    hass: HomeAssistant, service: Service, second: MockConfigEntry
) -> None:
    answers = await send_sms(hass, entity_id=["notify.dad", "notify.aunt", "notify.mother", "notify.mum"])
    assert names(answers) == ["Dad", "Aunt", "Mother"]
    hooks = {message.phone_number: message.callback_id for message in service.account.messages}
    assert hooks == {DAD: "", AUNT: PHONE, MUM: PHONE}


async def test_with_two_accounts_a_number_needs_one_of_them(
    hass: HomeAssistant, service: Service, second: MockConfigEntry
) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, phone_numbers=[AUNT])
    assert error.value.translation_key == "service_found_multiple_config_entry_for_domain"
    assert service.requests_to(SEND) == []

    assert names(await send_sms(hass, phone_numbers=[AUNT], config_entry_id="the_account")) == [None]
    assert names(await send_sms(hass, phone_numbers=[AUNT], config_entry_id="the_second")) == ["Aunt"]


async def test_a_phone_of_one_account_can_not_send_for_another(
    hass: HomeAssistant, service: Service, second: MockConfigEntry
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


async def test_a_key_that_one_of_two_accounts_knows_for_another_call_keeps_both_from_sending(
    hass: HomeAssistant, service: Service, second: MockConfigEntry
) -> None:
    await send_sms(hass, entity_id="notify.aunt", message="Fire!", idempotency_key="leak")
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, entity_id=["notify.dad", "notify.aunt"], idempotency_key="leak")
    assert error.value.translation_key == "idempotency_conflict"
    assert len(service.requests_to(SEND)) == 1


@pytest.mark.parametrize("data", [{"entity_id": ["notify.dad", "notify.aunt"]}, {"phone_numbers": DAD}])
async def test_an_account_that_is_not_loaded_is_an_error_before_anything_is_sent(
    hass: HomeAssistant, service: Service, second: MockConfigEntry, data: dict[str, Any]
) -> None:
    await hass.config_entries.async_unload(second.entry_id)
    with pytest.raises(ServiceValidationError) as error:
        await send_sms_without_response(hass, config_entry_id="the_second", **data)
    assert error.value.translation_key == "service_config_entry_not_loaded"
    assert service.requests_to(SEND) == []


async def test_without_an_account_the_actions_say_so(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, phone_numbers=[AUNT])
    assert error.value.translation_key == "service_found_no_config_entry_for_domain"
