"""Adding, changing and removing recipients and phones."""

import asyncio
import re
from typing import Any, Final

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_schema_suggested_value

from custom_components.gosms.forms import PHONES_LINK
from simulator import Fault, Permission
from tests.common import DAD, MUM, PHONE, SimulatedService, add_phone, add_recipient, send, set_up
from tests.service_faults import SERVICE_FAULTS, ServiceFault

OTHER_PHONE: Final = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"
MUMS_ENTRY: Final = "the_recipient_mum"


async def add(hass: HomeAssistant, entry: MockConfigEntry, kind: str) -> SubentryFlowResult:
    """Start to add a recipient or a phone."""
    return await hass.config_entries.subentries.async_init((entry.entry_id, kind), context={"source": SOURCE_USER})


async def change(hass: HomeAssistant, entry: MockConfigEntry, subentry_id: str) -> SubentryFlowResult:
    """Start to change a recipient or a phone."""
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, entry.subentries[subentry_id].subentry_type),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id},
    )


async def submit(hass: HomeAssistant, flow: SubentryFlowResult, answer: dict[str, Any]) -> SubentryFlowResult:
    """Submit the form, and wait for everything that follows."""
    result = await hass.config_entries.subentries.async_configure(flow["flow_id"], answer)
    await hass.async_block_till_done()
    return result


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("8 (912) 345-67-80", "79123456780"),
        ("+7 912 345-67-80", "79123456780"),
        ("79123456780", "79123456780"),
        ("9123456780", "79123456780"),
        ("+49 30 901820", "4930901820"),
        ("4915112345678", "4915112345678"),
        ("+7 000 345-67-80", "70003456780"),
        (" 9000 ", "9000"),
        ("111222", "111222"),
    ],
)
async def test_a_recipient_is_added_with_a_number_in_any_common_format(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, written: str, number: str
) -> None:
    hass.config.country = "RU"
    await set_up(hass, entry)
    form = await add(hass, entry, "recipient")
    assert (form["type"], form["step_id"], form["errors"]) == (FlowResultType.FORM, "user", {})

    result = await submit(hass, form, {"name": " Grandmother ", "phone_number": written})
    assert (result["type"], result["title"]) == (FlowResultType.CREATE_ENTRY, "Grandmother")
    assert (result["data"], result["unique_id"]) == ({"phone_number": number}, number)
    await send(hass, "Hello", to="notify.grandmother")
    assert service.account.messages[0].phone_number == number


@pytest.mark.parametrize(("country", "options"), [("DE", {}), ("RU", {"country": "DE"}), (None, {"country": "DE"})])
async def test_a_national_number_uses_the_country_of_options_or_home(
    hass: HomeAssistant, entry: MockConfigEntry, country: str | None, options: dict[str, str]
) -> None:
    hass.config.country = country
    hass.config_entries.async_update_entry(entry, options=options)
    result = await submit(hass, await add(hass, entry, "recipient"), {"name": "Aunt", "phone_number": "030 901820"})
    assert result["data"] == {"phone_number": "4930901820"}


async def test_a_national_number_is_russian_by_default(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    hass.config.country = None
    answer = {"name": "Aunt", "phone_number": "8 912 345 67 80"}
    result = await submit(hass, await add(hass, entry, "recipient"), answer)
    assert result["data"] == {"phone_number": "79123456780"}


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "invalid_phone_number"),
        ("mother", "invalid_phone_number"),
        ("912345678", "phone_number_too_short"),
        ("+7912345678912345678", "phone_number_too_long"),
        ("9" * 300, "phone_number_too_long"),
        ("+999 123 45 67", "unknown_country_code"),
        ("8 912 345 67 8", "phone_number_not_in_use"),
        ("84912345678", "ambiguous_phone_number"),
    ],
)
async def test_an_invalid_number_shows_the_reason_and_can_be_corrected(
    hass: HomeAssistant, entry: MockConfigEntry, written: str, reason: str
) -> None:
    hass.config.country = "RU"
    form = await submit(hass, await add(hass, entry, "recipient"), {"name": "Grandmother", "phone_number": written})
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, {"phone_number": reason})
    assert get_schema_suggested_value(form["data_schema"].schema, "name") == "Grandmother"

    result = await submit(hass, form, {"name": "Grandmother", "phone_number": "+7 912 345-67-80"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("name", ["", " ", "\t\n", "\u00a0", "\u200b", " \ufeff\u2060 "])
async def test_a_blank_name_is_refused(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> None:
    form = await submit(hass, await add(hass, entry, "recipient"), {"name": name, "phone_number": "+79123456780"})
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, {"name": "blank_name"})
    assert get_schema_suggested_value(form["data_schema"].schema, "phone_number") == "+79123456780"

    result = await submit(hass, form, {"name": "👩‍👧", "phone_number": "+79123456780"})
    assert (result["type"], result["title"]) == (FlowResultType.CREATE_ENTRY, "👩‍👧")


async def test_all_errors_of_a_form_are_shown_together(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    form = await submit(hass, await add(hass, entry, "recipient"), {"name": " ", "phone_number": "8 912"})
    assert form["errors"] == {"name": "blank_name", "phone_number": "phone_number_too_short"}


async def test_a_number_belongs_to_one_recipient_in_any_format(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    hass.config.country = "RU"
    answer = {"name": "Mother", "phone_number": "8 (912) 345-67-89"}
    form = await submit(hass, await add(hass, entry, "recipient"), answer)
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, {"phone_number": "already_configured"})
    assert form["description_placeholders"] == {"owner": "Mum"}
    fields = form["data_schema"].schema
    assert {key: get_schema_suggested_value(fields, key) for key in answer} == answer

    result = await submit(hass, form, {"name": "Mother", "phone_number": "8 (912) 345-67-80"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_number_cannot_be_changed_to_that_of_another_recipient(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    form = await submit(
        hass, await change(hass, entry, "the_recipient_dad"), {"name": "Dad", "phone_number": f"+{MUM}"}
    )
    assert (form["errors"], form["description_placeholders"]) == (
        {"phone_number": "already_configured"},
        {"owner": "Mum"},
    )
    assert entry.subentries["the_recipient_dad"].data == {"phone_number": DAD}

    result = await submit(hass, form, {"name": "Dad", "phone_number": "+79123456780"})
    assert result["reason"] == "reconfigure_successful"


@pytest.mark.parametrize("name", ["Mum", "mum", " MUM "])
async def test_a_second_recipient_of_one_name_is_confirmed(
    hass: HomeAssistant, entry: MockConfigEntry, name: str
) -> None:
    answer = {"name": name, "phone_number": "+79123456780"}
    form = await submit(hass, await add(hass, entry, "recipient"), answer)
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, {"name": "same_name"})
    assert form["description_placeholders"] == {"phone_number": "…67-89"}

    result = await submit(hass, form, answer)
    assert (result["type"], result["title"]) == (FlowResultType.CREATE_ENTRY, name.strip())


async def test_each_name_is_warned_of_once(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    answer = {"name": "Mum", "phone_number": "+79123456780"}
    form = await submit(hass, await add(hass, entry, "recipient"), answer)
    form = await submit(hass, form, {**answer, "name": "Dad"})
    assert (form["errors"], form["description_placeholders"]) == ({"name": "same_name"}, {"phone_number": "…22-33"})
    result = await submit(hass, form, answer)
    assert result["title"] == "Mum"


async def test_a_name_that_stays_is_not_warned_of(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    add_recipient(hass, entry, "mum", "79123456780")
    result = await submit(
        hass, await change(hass, entry, MUMS_ENTRY), {"name": "Mum", "phone_number": "+7 912 345-67-81"}
    )
    assert result["reason"] == "reconfigure_successful"

    form = await submit(
        hass, await change(hass, entry, "the_recipient_dad"), {"name": "Mum", "phone_number": f"+{DAD}"}
    )
    assert form["errors"] == {"name": "same_name"}


async def test_a_number_of_three_digits_is_confirmed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    answer = {"name": "Emergency", "phone_number": "112"}
    form = await submit(hass, await add(hass, entry, "recipient"), answer)
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, {"phone_number": "short_number"})
    form = await submit(hass, form, {**answer, "phone_number": "911"})
    assert form["errors"] == {"phone_number": "short_number"}

    result = await submit(hass, form, answer)
    assert (result["type"], result["data"]) == (FlowResultType.CREATE_ENTRY, {"phone_number": "112"})
    assert result["description"] == "no_button"


async def test_a_changed_number_of_three_digits_is_confirmed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    add_recipient(hass, entry, "Bank", "900")
    answer = {"name": "The bank", "phone_number": "900"}
    result = await submit(hass, await change(hass, entry, "the_recipient_bank"), answer)
    assert result["reason"] == "reconfigure_successful"

    form = await submit(
        hass, await change(hass, entry, "the_recipient_bank"), {"name": "Emergency", "phone_number": "112"}
    )
    assert form["errors"] == {"phone_number": "short_number"}


async def test_the_end_of_the_flow_says_how_to_send_a_test_message(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    result = await submit(hass, await add(hass, entry, "recipient"), {"name": "Aunt", "phone_number": "+79123456780"})
    assert result["description"] == "test_button"
    assert result["description_placeholders"] == {
        "name": "Aunt",
        "integration_url": "/config/integrations/integration/gosms",
    }


async def test_the_model_of_a_recipient_is_the_end_of_the_number(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    add_recipient(hass, entry, "Bank", "900")
    await set_up(hass, entry)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    models = {device.name: (device.model, device.manufacturer) for device in devices}
    assert models == {
        "GoSMS.ru": (None, "GoSMS.ru"),
        "Mum": ("…67-89", None),
        "Dad": ("…22-33", None),
        "Bank": ("…00", None),
    }


async def test_a_recipient_can_be_reconfigured(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    add_phone(hass, entry, sim="sim1")
    await set_up(hass, entry)
    form = await change(hass, entry, MUMS_ENTRY)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "reconfigure")
    fields = form["data_schema"].schema
    assert get_schema_suggested_value(fields, "name") == "Mum"
    assert get_schema_suggested_value(fields, "phone_number") == f"+{MUM}"

    result = await submit(hass, form, {"name": "Mother", "phone_number": "+7 912 345-67-80", "phone": "the_phone"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    mother = entry.subentries[MUMS_ENTRY]
    assert (mother.title, mother.unique_id) == ("Mother", "79123456780")
    assert mother.data == {"phone_number": "79123456780", "phone": "the_phone"}
    await send(hass, "Hello")
    (request,) = service.requests_to("POST /sms/send")
    assert request.json == {"message": "Hello", "phone_number": "79123456780", "device_id": PHONE, "to_sim": 0}


@pytest.mark.parametrize(
    ("home", "number", "shown"),
    [
        ("DE", "4915123456789", "+4915123456789"),
        ("DE", "79123456780", "+79123456780"),
        ("DE", "491711234567", "+491711234567"),
        ("RU", "84912345678", "+84912345678"),
        ("KZ", "84912345678", "+84912345678"),
        ("US", "3546111234", "+3546111234"),
        ("RU", "900", "900"),
        ("AD", "312345", "312345"),
        # No plan has them any more; renaming does not depend on it.
        ("RU", "7912345678", "+7912345678"),
        ("RU", "99912345678", "+99912345678"),
    ],
)
@pytest.mark.parametrize("typed", ["{shown}", "{number}", " {shown} ", "\u202a{shown}\u202c", "tel:{shown}"])
async def test_a_number_that_was_not_changed_stays(
    hass: HomeAssistant, entry: MockConfigEntry, home: str, number: str, shown: str, typed: str
) -> None:
    hass.config.country = home
    add_recipient(hass, entry, "Aunt", number)
    form = await change(hass, entry, "the_recipient_aunt")
    assert get_schema_suggested_value(form["data_schema"].schema, "phone_number") == shown

    answer = {"name": "Polly", "phone_number": typed.format(shown=shown, number=number)}
    result = await submit(hass, form, answer)
    assert result["reason"] == "reconfigure_successful"
    polly = entry.subentries["the_recipient_aunt"]
    assert (polly.title, polly.unique_id) == ("Polly", number)
    assert polly.data == {"phone_number": number}


async def test_a_number_that_was_refused_is_shown_as_it_was_typed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    form = await submit(hass, await change(hass, entry, MUMS_ENTRY), {"name": "Mum", "phone_number": "8 912"})
    assert form["errors"] == {"phone_number": "phone_number_too_short"}
    assert get_schema_suggested_value(form["data_schema"].schema, "phone_number") == "8 912"


async def test_the_phone_of_a_recipient_can_be_cleared(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    add_phone(hass, entry)
    mum = {"name": "Mum", "phone_number": f"+{MUM}"}
    form = await change(hass, entry, MUMS_ENTRY)
    await submit(hass, form, {**mum, "phone": "the_phone"})
    form = await change(hass, entry, MUMS_ENTRY)
    assert get_schema_suggested_value(form["data_schema"].schema, "phone") == "the_phone"
    await submit(hass, form, mum)
    assert entry.subentries[MUMS_ENTRY].data == {"phone_number": MUM}


async def test_a_recipient_whose_phone_was_removed_can_be_changed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    add_phone(hass, entry)
    add_phone(hass, entry, device_id=OTHER_PHONE)
    mum = {"name": "Mum", "phone_number": f"+{MUM}"}
    await submit(hass, await change(hass, entry, MUMS_ENTRY), {**mum, "phone": "the_phone"})
    hass.config_entries.async_remove_subentry(entry, "the_phone")

    form = await change(hass, entry, MUMS_ENTRY)
    # The interface submits what it is told to show, and a phone that is not among the choices is refused.
    shown = {
        key: get_schema_suggested_value(form["data_schema"].schema, key) for key in ("name", "phone_number", "phone")
    }
    assert shown == {**mum, "phone": None}


@pytest.mark.parametrize("before", [(), ("async_unload",)], ids=["loaded", "not loaded"])
async def test_removing_a_recipient_removes_its_entities_and_device(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, before: tuple[str, ...]
) -> None:
    await set_up(hass, entry)
    for step in before:
        await getattr(hass.config_entries, step)(entry.entry_id)
    hass.config_entries.async_remove_subentry(entry, MUMS_ENTRY)
    await hass.async_block_till_done()

    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert "notify.mum" not in {entity.entity_id for entity in entities}
    assert "notify.dad" in {entity.entity_id for entity in entities}
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert {device.name for device in devices} == {"GoSMS.ru", "Dad"}


@pytest.mark.parametrize("before", [(), ("async_unload",)], ids=["loaded", "not loaded"])
async def test_a_phone_is_chosen_by_name(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, before: tuple[str, ...]
) -> None:
    service.account.add_phone(OTHER_PHONE, name="Nokia in the hall", name_type="Tablet")
    service.account.add_message(message="Hello", phone_number=MUM, device_id=OTHER_PHONE)
    service.account.add_message(message="Hello", phone_number=MUM, device_id=PHONE)
    service.account.add_message(message="Hello", phone_number=MUM)
    add_phone(hass, entry)
    await set_up(hass, entry)
    for step in before:
        await getattr(hass.config_entries, step)(entry.entry_id)
    form = await add(hass, entry, "phone")
    (choice,) = form["data_schema"].schema["device_id"].config["options"]
    assert choice["value"] == OTHER_PHONE
    assert re.fullmatch(r"Nokia in the hall · Tablet · \d{4}-\d\d-\d\d \d\d:\d\d", choice["label"])

    result = await submit(hass, form, {"device_id": OTHER_PHONE, "sim": "sim2"})
    assert (result["title"], result["unique_id"]) == ("Nokia in the hall", OTHER_PHONE)
    assert result["data"] == {"device_id": OTHER_PHONE, "sim": "sim2"}


async def test_a_changed_phone_is_among_the_choices(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.add_message(message="Hello", phone_number=MUM, device_id=PHONE)
    add_phone(hass, entry)
    form = await change(hass, entry, "the_phone")
    assert [each["value"] for each in form["data_schema"].schema["device_id"].config["options"]] == [PHONE]


async def test_phones_are_asked_about_once_in_a_flow(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.add_message(message="Hello", phone_number=MUM, device_id=PHONE)
    form = await add(hass, entry, "phone")
    form = await submit(hass, form, {"device_id": "hall", "sim": "default"})
    assert form["errors"] == {"device_id": "invalid_device_id"}
    assert len(form["data_schema"].schema["device_id"].config["options"]) == 1
    assert len(service.requests_to("GET /sms")) == len(service.requests_to("POST /devices/get/info")) == 1


async def test_a_form_asks_only_about_phones_that_can_be_chosen(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.add_phone(OTHER_PHONE)
    service.account.add_message(message="Hello", phone_number=MUM, device_id=OTHER_PHONE)
    service.account.add_message(message="Hello", phone_number=MUM, device_id=PHONE)
    add_phone(hass, entry)
    await add(hass, entry, "phone")
    (request,) = service.requests_to("POST /devices/get/info")
    assert request.json == {"id": OTHER_PHONE, "device_id": OTHER_PHONE}


async def test_a_phone_is_added_with_a_custom_name(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    answer = {"device_id": f" {PHONE.upper()}", "name": " Hall ", "sim": "default"}
    result = await submit(hass, await add(hass, entry, "phone"), answer)
    assert (result["title"], result["data"]) == ("Hall", {"device_id": PHONE, "sim": "default"})


@pytest.mark.parametrize(
    ("device_id", "service_fault", "errors"),
    [
        ("hall", None, {"device_id": "invalid_device_id"}),
        (OTHER_PHONE, None, {"device_id": "unknown_device"}),
        (PHONE, {"fault": Fault.CODE, "code": 1016}, {"device_id": "unknown_device"}),
        (PHONE, {"fault": Fault.CODE, "code": 2005}, {"device_id": "invalid_device_id"}),
        (PHONE, {"fault": Fault.CODE, "code": 1002}, {"base": "api_inactive"}),
        (PHONE, {"fault": Fault.CODE, "code": 1007}, {"base": "no_read_permission"}),
        (PHONE, {"fault": Fault.CODE, "code": 3000}, {"base": "account_blocked"}),
    ],
)
async def test_an_invalid_phone_shows_an_error_and_can_be_corrected(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    device_id: str,
    service_fault: dict[str, Any] | None,
    errors: dict[str, str],
) -> None:
    for options in filter(None, [service_fault]):
        service.faults.add(**options)
    form = await submit(hass, await add(hass, entry, "phone"), {"device_id": device_id, "sim": "sim1"})
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, errors)

    service.faults.clear()
    result = await submit(hass, form, {"device_id": PHONE, "sim": "sim1"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("short_timeout")
@pytest.mark.parametrize(
    "service_fault",
    # An answer about a phone holds no list that could be spoilt.
    [
        service_fault
        for service_fault in SERVICE_FAULTS.values()
        if service_fault.fault not in {None, Fault.LIST_AS_TEXT}
    ],
    ids=lambda service_fault: service_fault.fault,
)
async def test_adding_a_phone_shows_every_fault_and_recovers(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, service_fault: ServiceFault
) -> None:
    service.account.add_message(message="Hello", phone_number=MUM, device_id=PHONE)
    service_fault.start(service)
    form = await add(hass, entry, "phone")
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, {})
    form = await submit(hass, form, {"device_id": PHONE, "sim": "sim1"})
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, service_fault.errors)

    service_fault.stop(service)
    result = await submit(hass, form, {"device_id": PHONE, "sim": "sim1"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_phone_is_added_without_permission_to_see_phones(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.permissions.remove(Permission.SEE_PHONES)
    result = await submit(hass, await add(hass, entry, "phone"), {"device_id": PHONE, "sim": "sim1"})
    assert (result["type"], result["title"]) == (FlowResultType.CREATE_ENTRY, PHONE)


async def test_the_same_phone_cannot_be_added_twice(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.add_phone(OTHER_PHONE, name="Nokia")
    add_phone(hass, entry)
    answer = {"device_id": PHONE, "name": "Hall", "sim": "sim1"}
    form = await submit(hass, await add(hass, entry, "phone"), answer)
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, {"device_id": "already_configured"})
    assert form["description_placeholders"] == {**PHONES_LINK, "owner": "Pixel 8"}
    fields = form["data_schema"].schema
    assert {key: get_schema_suggested_value(fields, key) for key in answer} == answer

    result = await submit(hass, form, {**answer, "device_id": OTHER_PHONE})
    assert (result["type"], result["title"]) == (FlowResultType.CREATE_ENTRY, "Hall")


async def test_a_phone_that_two_forms_add_at_the_same_time_is_added_once(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    forms = [await add(hass, entry, "phone") for _ in range(2)]
    answer = {"device_id": PHONE, "sim": "default"}
    first, second = await asyncio.gather(*(submit(hass, form, answer) for form in forms))
    assert first["type"] is FlowResultType.CREATE_ENTRY
    assert (second["type"], second["errors"]) == (FlowResultType.FORM, {"device_id": "already_configured"})
    assert second["description_placeholders"] == {**PHONES_LINK, "owner": "Pixel 8"}


async def test_name_and_sim_of_a_phone_can_be_changed_during_an_outage(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await service.close()
    add_phone(hass, entry)
    form = await change(hass, entry, "the_phone")
    assert get_schema_suggested_value(form["data_schema"].schema, "name") == "Pixel 8"

    result = await submit(hass, form, {"device_id": PHONE, "name": "Hall", "sim": "sim2"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert entry.subentries["the_phone"].title == "Hall"
    assert entry.subentries["the_phone"].data == {"device_id": PHONE, "sim": "sim2"}


async def test_a_phone_can_be_replaced_by_another(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.add_phone(OTHER_PHONE, name="Nokia")
    add_phone(hass, entry)
    await set_up(hass, entry)
    form = await change(hass, entry, "the_phone")
    form = await submit(hass, form, {"device_id": OTHER_PHONE[:-1] + "0", "sim": "sim2"})
    assert form["errors"] == {"device_id": "unknown_device"}

    await submit(hass, form, {"device_id": OTHER_PHONE, "sim": "sim2"})
    assert (entry.subentries["the_phone"].title, entry.subentries["the_phone"].unique_id) == ("Nokia", OTHER_PHONE)


async def test_removing_the_default_phone_lets_the_service_choose(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    add_phone(hass, entry)
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone"})
    await set_up(hass, entry)
    hass.config_entries.async_remove_subentry(entry, "the_phone")
    await hass.async_block_till_done()
    await send(hass, "Hello")
    (request,) = service.requests_to("POST /sms/send")
    assert request.json == {"message": "Hello", "phone_number": MUM}
