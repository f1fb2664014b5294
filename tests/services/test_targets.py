"""What the targets of a call contain: groups count as their members, and nothing is left out without a word."""

from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.common import DAD, MUM, SimulatedService, set_up
from tests.services.actions import placeholders, send_sms, send_sms_without_response

SEND: Final = "POST /sms/send"
MUM_AND_DAD: Final = ["notify.mum", "notify.dad"]


@pytest.fixture(autouse=True)
async def account_is_set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set the account up before any group, as its entities have to be known."""
    await set_up(hass, entry)


async def add_old_groups(hass: HomeAssistant, **groups: list[str]) -> None:
    """Add groups as configuration.yaml does."""
    assert await async_setup_component(
        hass, "group", {"group": {key: {"entities": ids} for key, ids in groups.items()}}
    )
    await hass.async_block_till_done()


async def add_group(hass: HomeAssistant, name: str, members: list[str]) -> MockConfigEntry:
    """Add a group of notify entities as the helper in the interface does."""
    group = MockConfigEntry(
        domain="group",
        title=name,
        options={"entities": members, "group_type": "notify", "hide_members": False, "name": name},
    )
    group.add_to_hass(hass)
    assert await hass.config_entries.async_setup(group.entry_id)
    await hass.async_block_till_done()
    return group


def add_phone_app(hass: HomeAssistant) -> None:
    """Add the notify entity of another integration."""
    er.async_get(hass).async_get_or_create("notify", "mobile_app", "phone", suggested_object_id="phone")


def numbers(service: SimulatedService) -> list[str]:
    """Return who was sent something, by number, in order of the numbers."""
    return sorted(message.phone_number for message in service.account.messages)


def rows(answers: list[dict[str, Any]]) -> list[tuple[str | None, str | None]]:
    """Return whom an answer tells of, each with the key of the error."""
    return [(answer["recipient"], answer["error"] and answer["error"]["key"]) for answer in answers]


# Groups


async def test_a_group_of_the_configuration_counts_as_its_members(
    hass: HomeAssistant, service: SimulatedService
) -> None:
    await add_old_groups(hass, family=["notify.dad", "notify.mum"])
    assert rows(await send_sms(hass, entity_id="group.family")) == [("Dad", None), ("Mum", None)]
    assert numbers(service) == [MUM, DAD]


async def test_a_notify_group_helper_counts_as_its_members(hass: HomeAssistant, service: SimulatedService) -> None:
    await add_group(hass, "Family", ["notify.dad", "notify.mum"])
    assert rows(await send_sms(hass, entity_id="notify.family")) == [("Dad", None), ("Mum", None)]
    assert numbers(service) == [MUM, DAD]


@pytest.mark.parametrize(
    "named",
    [
        ["notify.family", "notify.mum"],
        ["notify.mum", "notify.family"],
        ["notify.family", "group.house"],
        "group.house",
        "notify.everybody",
    ],
)
async def test_groups_in_groups_reach_each_person_once(
    hass: HomeAssistant, service: SimulatedService, named: str | list[str]
) -> None:
    await add_old_groups(hass, house=["notify.everybody", "notify.dad", "notify.family"])
    await add_group(hass, "Family", MUM_AND_DAD)
    await add_group(hass, "Everybody", ["notify.family", "notify.dad"])
    await send_sms_without_response(hass, entity_id=named)
    assert numbers(service) == [MUM, DAD]


async def test_groups_that_contain_each_other_come_to_an_end(hass: HomeAssistant, service: SimulatedService) -> None:
    await add_old_groups(hass, one=["group.one", "group.two", "notify.mum"], two=["group.one", "notify.dad"])
    assert rows(await send_sms(hass, entity_id="group.one")) == [("Dad", None), ("Mum", None)]


async def test_a_deep_chain_of_groups_is_followed_to_its_end(hass: HomeAssistant, service: SimulatedService) -> None:
    for depth in range(2000):
        hass.states.async_set(f"group.depth_{depth}", "on", {"entity_id": [f"group.depth_{depth + 1}"]})
    hass.states.async_set("group.depth_2000", "on", {"entity_id": ("notify.mum", None)})
    assert rows(await send_sms(hass, entity_id="group.depth_0")) == [("Mum", None)]


async def test_a_group_that_is_found_by_label_or_area_counts_as_its_members(
    hass: HomeAssistant, service: SimulatedService
) -> None:
    add_phone_app(hass)
    await add_group(hass, "Family", [*MUM_AND_DAD, "notify.phone"])
    label = lr.async_get(hass).async_create("Night").label_id
    area = ar.async_get(hass).async_create("Hall").id
    er.async_get(hass).async_update_entity("notify.family", labels={label}, area_id=area)
    for target in ({"label_id": label}, {"area_id": area}):
        assert rows(await send_sms(hass, **target)) == [("Mum", None), ("Dad", None)]


async def test_the_hidden_members_of_a_group_are_reached(hass: HomeAssistant, service: SimulatedService) -> None:
    er.async_get(hass).async_update_entity("notify.mum", hidden_by=er.RegistryEntryHider.INTEGRATION)
    await add_group(hass, "Family", MUM_AND_DAD)
    await send_sms_without_response(hass, entity_id="notify.family")
    assert numbers(service) == [MUM, DAD]


@pytest.mark.parametrize("by_registry_id", [False, True])
async def test_a_group_whose_members_are_unavailable_has_the_same_members(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, by_registry_id: bool
) -> None:
    registry = er.async_get(hass)
    ids = {False: MUM_AND_DAD, True: [registry.entities[entity_id].id for entity_id in MUM_AND_DAD]}[by_registry_id]
    await add_group(hass, "Family", ids)
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get("notify.family").state == "unavailable"
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, entity_id="notify.family")
    assert error.value.translation_key == "account_not_loaded"


async def test_members_of_other_integrations_are_named(hass: HomeAssistant, service: SimulatedService) -> None:
    add_phone_app(hass)
    hass.states.async_set("light.lamp", "on")
    await add_old_groups(hass, house=["light.lamp", "notify.mum", "notify.phone", "notify.gone"])
    assert rows(await send_sms(hass, entity_id="group.house")) == [
        ("light.lamp", "not_a_recipient"),
        ("Mum", None),
        ("notify.phone", "not_a_recipient"),
        ("notify.gone", "unknown_target"),
    ]


async def test_a_group_that_leads_to_nobody_is_named_itself(hass: HomeAssistant, service: SimulatedService) -> None:
    await add_group(hass, "Family", MUM_AND_DAD)
    er.async_get(hass).async_update_entity("notify.family", disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    hass.states.async_set("group.empty", "off", {"entity_id": []})
    assert rows(await send_sms(hass, entity_id=["notify.family", "group.empty", "group.gone", "notify.mum"])) == [
        ("notify.family", "not_a_recipient"),
        ("group.empty", "not_a_recipient"),
        ("group.gone", "unknown_target"),
        ("Mum", None),
    ]


# What was left out


async def test_a_target_that_does_not_exist_has_a_row_of_its_own(
    hass: HomeAssistant, service: SimulatedService
) -> None:
    answers = await send_sms(hass, entity_id=["notify.grandma", "notify.mum"])
    assert list(answers[0]) == list(answers[1])
    assert answers[0] == {
        "phone_number": None,
        "recipient": "notify.grandma",
        "message_ids": [],
        "status": "failed",
        "queued": False,
        "segments": 0,
        "encoding": None,
        "parts": 0,
        "replaced": {},
        "error": {"key": "unknown_target", "code": None, "message": answers[0]["error"]["message"]},
    }
    assert rows(answers[1:]) == [("Mum", None)]
    assert numbers(service) == [MUM]


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ({"device_id": "no_device"}, "no_device"),
        ({"area_id": "no_area"}, "no_area"),
        ({"floor_id": "no_floor"}, "no_floor"),
        ({"label_id": "no_label"}, "no_label"),
        ({"area_id": ["notify.dad"]}, "notify.dad"),
        ({"entity_id": "all"}, "all"),
    ],
)
async def test_devices_areas_floors_and_labels_that_do_not_exist_are_named(
    hass: HomeAssistant, service: SimulatedService, target: dict[str, str], name: str
) -> None:
    answers = await send_sms(hass, phone_numbers=MUM, **target)
    assert rows(answers) == [(name, "unknown_target"), ("Mum", None)]


@pytest.mark.parametrize("kind", ["entity_id", "device_id", "area_id", "floor_id", "label_id"])
async def test_none_as_a_target_is_no_target(hass: HomeAssistant, service: SimulatedService, kind: str) -> None:
    assert rows(await send_sms(hass, phone_numbers=MUM, **{kind: "none"})) == [("Mum", None)]


async def test_a_disabled_recipient_is_named_where_it_was_named(hass: HomeAssistant, service: SimulatedService) -> None:
    mum = er.async_get(hass).async_update_entity("notify.mum", disabled_by=er.RegistryEntryDisabler.USER)
    answers = await send_sms(hass, entity_id=["notify.dad", "notify.mum"])
    assert rows(answers) == [("Dad", None), ("notify.mum", "recipient_disabled")]
    answers = await send_sms(hass, entity_id="notify.dad", device_id=mum.device_id)
    assert rows(answers) == [("Dad", None)]


async def test_a_hidden_recipient_is_reached_by_name_not_by_area_or_label(
    hass: HomeAssistant, service: SimulatedService
) -> None:
    area = ar.async_get(hass).async_create("Hall").id
    label = lr.async_get(hass).async_create("Night").label_id
    mum = er.async_get(hass).async_update_entity("notify.mum", hidden_by=er.RegistryEntryHider.USER, labels={label})
    assert mum.device_id
    dr.async_get(hass).async_update_device(mum.device_id, area_id=area, labels={label})
    for target in ({"device_id": mum.device_id}, {"area_id": area}, {"label_id": label}):
        with pytest.raises(ServiceValidationError) as error:
            await send_sms(hass, **target)
        assert error.value.translation_key == "no_recipient"
    assert rows(await send_sms(hass, entity_id="notify.mum")) == [("Mum", None)]


async def test_without_an_answer_the_error_names_who_was_left_out(
    hass: HomeAssistant, service: SimulatedService
) -> None:
    add_phone_app(hass)
    with pytest.raises(HomeAssistantError) as error:
        await send_sms_without_response(hass, entity_id=["notify.mum", "notify.grandma", "notify.phone"])
    assert error.value.translation_key == "not_all_arrived"
    failures = placeholders(error.value)["failures"]
    assert failures.startswith("notify.grandma: ")
    assert " notify.phone: " in failures
    assert "Mum" not in failures
    assert numbers(service) == [MUM]


async def test_a_target_is_named_once_however_often_it_was_named(
    hass: HomeAssistant, service: SimulatedService
) -> None:
    await add_old_groups(hass, family=["notify.mum", "notify.gone"])
    answers = await send_sms(hass, entity_id=["notify.gone", "group.family", "notify.gone"])
    assert rows(answers) == [("notify.gone", "unknown_target"), ("Mum", None)]


async def test_a_bad_number_explains_more_than_a_bad_target(hass: HomeAssistant, service: SimulatedService) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, entity_id="notify.grandma", phone_numbers="8 912 34")
    assert error.value.translation_key == "phone_number_too_short"
    assert service.requests_to(SEND) == []


async def test_the_log_names_no_target(
    hass: HomeAssistant, service: SimulatedService, caplog: pytest.LogCaptureFixture
) -> None:
    await send_sms(hass, entity_id=["notify.mum", "notify.aunt_polly", "notify.aunt_polly"], area_id="pollys_room")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("custom_components")]
    assert "Targets of gosms.send_sms do not exist: 2" in ours
    assert "polly" not in "".join(ours)
