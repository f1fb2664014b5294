"""Repairs appear once, explain the fix, and disappear when it is done; and the problem sensor."""

from dataclasses import replace
import re
from typing import Any, Final
from unittest.mock import AsyncMock, patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.repairs import RepairsFlowManager, repairs_flow_manager
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.entity_component import async_update_entity
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    get_schema_suggested_value,
)

from custom_components.gosms.api import Endpoint, ErrorCode, GoSmsApiError, RequestOutcome
from custom_components.gosms.const import DOMAIN
from custom_components.gosms.issues import REAUTH, async_raise
from custom_components.gosms.outbox import SqliteStorage, State
from custom_components.gosms.outbox.storage import StorageError
from simulator import Account, Fault, Permission
from tests import API_TOKEN
from tests.common import DAD, MUM, PHONE, SimulatedService, add_phone, advance_time, recipient, repairs, send, set_up
from tests.translation_checks import LANGUAGES, texts_of

PROBLEM: Final = "binary_sensor.gosms_ru_problem"
BATTERY: Final = "sensor.pixel_8_battery"
SPARE: Final = "sensor.spare_battery"
TOTAL: Final = "sensor.gosms_ru_total_messages"
SENDING: Final = "switch.pixel_8_sending"
OTHER_PHONE: Final = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"
NEW_ID: Final = "6654a4e8f1527149588c89ff"

SEND: Final = "POST /sms/send"
LIST: Final = "GET /sms"
INFO: Final = "POST /devices/get/info"
EDIT: Final = "POST /devices/edit"

REASON_TEXTS: Final = "entity.binary_sensor.problem.state_attributes.reason.state."
ERROR_TEXTS: Final = "entity.event.message.state_attributes.error.state."

MINUTE: Final = 61
FIVE_MINUTES: Final = 301

pytestmark = [pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"), pytest.mark.usefixtures("no_rate_limit")]


@pytest.fixture
def entry(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """An account with two recipients and a phone, not set up yet."""
    add_phone(hass, entry)
    return entry


def the_repair(hass: HomeAssistant) -> ir.IssueEntry:
    """Return the only open repair."""
    (issue,) = [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN and issue.active]
    return issue


async def fail_to_send(hass: HomeAssistant) -> None:
    """Send a message that is refused."""
    with pytest.raises(HomeAssistantError):
        await send(hass, "Water leak!")
    await hass.async_block_till_done()


async def use_sending_switch(hass: HomeAssistant) -> None:
    """Switch the phone on."""
    await hass.services.async_call("switch", "turn_on", {"entity_id": SENDING}, blocking=True)


async def restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Reload the account and the issue registry, as a restart does."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    registry = ir.async_get(hass)
    stored = registry._data_to_save()
    registry.issues.clear()
    await registry._store.async_save(stored)
    await registry._async_load()
    await set_up(hass, entry)


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (1004, "no_sending_phone"),
        (1005, "no_send_permission"),
        (1006, "quota_reached"),
        (1015, "no_sending_phone"),
    ],
)
async def test_a_send_repair_is_cleared_only_by_an_accepted_message(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    code: int,
    key: str,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CODE, endpoint=SEND, code=code)
    created = async_capture_events(hass, ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED)
    await fail_to_send(hass)
    await fail_to_send(hass)
    assert repairs(hass) == [key]
    assert [event.data["action"] for event in created] == ["create"]
    assert the_repair(hass).issue_id == f"{key}_{entry.entry_id}"

    # Neither good polls nor a restart prove that sending works.
    service.faults.clear()
    for _ in range(6):
        await advance_time(hass, freezer, MINUTE)
    await restart(hass, entry)
    assert repairs(hass) == [key]
    assert hass.states.get(PROBLEM).state == STATE_ON

    await send(hass, "Water leak!")
    assert repairs(hass) == []
    assert hass.states.get(PROBLEM).state == STATE_OFF


async def test_a_queued_message_accepted_later_clears_the_repair(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CODE, endpoint=SEND, code=1006, times=1)
    await fail_to_send(hass)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    await send(hass, "Water leak!")
    assert repairs(hass) == ["quota_reached"]
    await advance_time(hass, freezer, MINUTE)
    assert len(service.account.messages) == 1
    assert repairs(hass) == []


@pytest.mark.parametrize(
    ("code", "key"), [(1002, "api_inactive"), (1007, "no_read_permission"), (3000, "account_blocked")]
)
@pytest.mark.parametrize("endpoint", [LIST, SEND])
async def test_an_account_repair_from_a_poll_or_send_is_cleared_by_a_good_poll(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    code: int,
    key: str,
    endpoint: str,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CODE, code=code)
    await {LIST: lambda: advance_time(hass, freezer, MINUTE), SEND: lambda: fail_to_send(hass)}[endpoint]()
    assert repairs(hass) == [key]
    await advance_time(hass, freezer, FIVE_MINUTES)
    await restart(hass, entry)
    assert repairs(hass) == [key]

    service.faults.clear()
    service.faults.add(Fault.BAD_GATEWAY, endpoint=LIST)
    await send(hass, "Water leak!")
    assert repairs(hass) == [key]
    service.faults.clear()
    await advance_time(hass, freezer, MINUTE)
    assert repairs(hass) == []


async def test_missing_phone_permission_affects_only_phone_entities(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    account: Account,
    freezer: FrozenDateTimeFactory,
) -> None:
    account.permissions.remove(Permission.SEE_PHONES)
    await set_up(hass, entry)
    assert repairs(hass) == ["no_device_permission"]
    assert hass.states.get(BATTERY).state == STATE_UNAVAILABLE
    assert hass.states.get("sensor.gosms_ru_total_messages").state == "0"
    await send(hass, "Water leak!")
    assert repairs(hass) == ["no_device_permission"]

    account.permissions.add(Permission.SEE_PHONES)
    await advance_time(hass, freezer, FIVE_MINUTES)
    assert repairs(hass) == []
    assert hass.states.get(BATTERY).state == "80"


async def test_missing_edit_permission_is_cleared_only_by_a_successful_edit(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    account: Account,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
) -> None:
    account.permissions.remove(Permission.EDIT_PHONES)
    await set_up(hass, entry)
    with pytest.raises(HomeAssistantError) as error:
        await use_sending_switch(hass)
    assert error.value.translation_key == "no_device_permission"
    account.permissions.remove(Permission.SEE_PHONES)
    await advance_time(hass, freezer, FIVE_MINUTES)
    account.permissions = set(Permission)
    await advance_time(hass, freezer, FIVE_MINUTES)
    await restart(hass, entry)
    assert repairs(hass) == ["no_device_permission"]
    await use_sending_switch(hass)
    assert repairs(hass) == []


async def test_a_deleted_phone_raises_a_repair_until_it_is_back(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    account: Account,
    freezer: FrozenDateTimeFactory,
) -> None:
    account.add_phone(OTHER_PHONE, battery=33)
    add_phone(hass, entry, name="Spare", device_id=OTHER_PHONE)
    await set_up(hass, entry)
    removed = account.phones.pop(PHONE)
    await advance_time(hass, freezer, FIVE_MINUTES)
    issue = the_repair(hass)
    assert (issue.translation_key, issue.is_fixable) == ("unknown_phone", True)
    assert issue.issue_id == f"unknown_phone_{entry.entry_id}_the_phone"
    assert hass.states.get(BATTERY).state == STATE_UNAVAILABLE
    assert hass.states.get(SPARE).state == "33"

    # The other phone's good polls say nothing of this one.
    await advance_time(hass, freezer, FIVE_MINUTES)
    await restart(hass, entry)
    assert repairs(hass) == ["unknown_phone"]
    account.phones[PHONE] = removed
    await advance_time(hass, freezer, FIVE_MINUTES)
    assert repairs(hass) == []
    assert hass.states.get(BATTERY).state == "80"


@pytest.mark.parametrize("code", [1012, 1016])
async def test_sending_with_a_deleted_phone_raises_a_repair_until_a_good_poll(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory, code: int
) -> None:
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone"})
    await set_up(hass, entry)
    service.faults.add(Fault.CODE, endpoint=SEND, code=code)
    service.faults.add(Fault.BAD_GATEWAY, endpoint=INFO)
    await fail_to_send(hass)
    assert repairs(hass) == ["unknown_phone"]
    service.faults.clear()
    await advance_time(hass, freezer, FIVE_MINUTES)
    assert repairs(hass) == []


async def test_an_unconfigured_phone_raises_no_repair(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService
) -> None:
    await set_up(hass, entry)
    with pytest.raises(GoSmsApiError):
        await entry.runtime_data.client.send(MUM, "Water leak!", device_id=OTHER_PHONE)
    assert repairs(hass) == []


async def test_a_request_begun_before_the_failure_does_not_clear_the_repair(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    begun = hass.loop.time()
    freezer.tick(1)
    service.faults.add(Fault.CODE, endpoint=SEND, code=1006, times=1)
    await fail_to_send(hass)
    accepted = RequestOutcome(endpoint=Endpoint.SEND, device_id=None, begun=begun, duration=0, error=None)
    entry.runtime_data.client.on_request_done(accepted)
    assert repairs(hass) == ["quota_reached"]
    entry.runtime_data.client.on_request_done(replace(accepted, begun=hass.loop.time()))
    assert repairs(hass) == []


async def test_removing_an_account_removes_only_its_own_repairs(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService
) -> None:
    other = MockConfigEntry(
        domain=DOMAIN,
        entry_id="another_account",
        title="Second account",
        data={"api_token": API_TOKEN, "url": service.url},
        subentries_data=[recipient("Grandmother", DAD)],
    )
    other.add_to_hass(hass)
    await set_up(hass, entry)
    service.faults.add(Fault.CODE, endpoint=SEND, code=1005)
    await fail_to_send(hass)
    with pytest.raises(HomeAssistantError):
        await send(hass, "Hello", to="notify.grandmother")
    assert repairs(hass) == ["no_send_permission"] * 2
    assert hass.states.get("binary_sensor.second_account_problem").state == STATE_ON

    await hass.config_entries.async_remove(entry.entry_id)
    assert the_repair(hass).issue_id == "no_send_permission_another_account"


async def test_removing_a_phone_removes_its_repair(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, account: Account
) -> None:
    del account.phones[PHONE]
    await set_up(hass, entry)
    assert repairs(hass) == ["unknown_phone"]
    hass.config_entries.async_remove_subentry(entry, "the_phone")
    await hass.async_block_till_done()
    assert repairs(hass) == []


async def test_removing_the_last_phone_removes_the_repair_of_permissions(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, account: Account
) -> None:
    add_phone(hass, entry, name="Spare", device_id=account.add_phone(OTHER_PHONE).device_id)
    account.permissions.remove(Permission.EDIT_PHONES)
    await set_up(hass, entry)
    with pytest.raises(HomeAssistantError):
        await use_sending_switch(hass)
    hass.config_entries.async_remove_subentry(entry, OTHER_PHONE)
    await hass.async_block_till_done()
    assert repairs(hass) == ["no_device_permission"]
    hass.config_entries.async_remove_subentry(entry, "the_phone")
    await hass.async_block_till_done()
    assert repairs(hass) == []


async def test_a_repair_names_account_and_phone_as_they_are_called_now(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, account: Account
) -> None:
    del account.phones[PHONE]
    await set_up(hass, entry)
    hass.config_entries.async_update_subentry(entry, entry.subentries["the_phone"], title="Hall")
    await hass.async_block_till_done()
    assert the_repair(hass).translation_placeholders == {
        "account": "GoSMS.ru",
        "phone": "Hall",
        "url": "https://cms.gosms.ru/devices",
    }
    hass.config_entries.async_remove_subentry(entry, "the_phone")
    service.faults.add(Fault.CODE, endpoint=SEND, code=1005)
    await fail_to_send(hass)
    hass.config_entries.async_update_entry(entry, title="House")
    await hass.async_block_till_done()
    assert the_repair(hass).translation_placeholders == {"account": "House", "url": "https://cms.gosms.ru/api"}
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, title="Dacha")
    await set_up(hass, entry)
    assert the_repair(hass).translation_placeholders == {"account": "Dacha", "url": "https://cms.gosms.ru/api"}


async def test_the_problem_sensor_reports_reauth_and_storage_failure(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry)
    assert hass.states.get(PROBLEM).state == STATE_OFF
    assert hass.states.get(PROBLEM).attributes["reason"] == []

    with monkeypatch.context() as patched:
        patched.setattr(SqliteStorage, "async_commit", AsyncMock(side_effect=StorageError))
        await send(hass, "Water leak!")
        assert hass.states.get(PROBLEM).attributes["reason"] == ["storage_failed"]
        account.token = "another"
        await fail_to_send(hass)
    assert hass.states.get(PROBLEM).attributes["reason"] == ["reauth", "storage_failed"]

    # The sensor is there while nothing else is.
    await service.close()
    await async_update_entity(hass, TOTAL)
    assert hass.states.get(TOTAL).state == STATE_UNAVAILABLE
    assert hass.states.get(PROBLEM).state == STATE_ON


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_leads_to_the_control_panel_and_says_what_is_lost(language: str) -> None:
    texts = {
        key.split(".")[1]: text
        for key, text in texts_of(language).items()
        if key.startswith("issues.") and key.endswith("description") and "unknown_phone" not in key
    }
    assert {key for key, text in texts.items() if "]({url})" not in text} == {"messages_lost", "storage_failed"}
    not_later = {"en": "not sent later", "ru": "озже (оно )?не отправ"}[language]
    assert {key for key, text in texts.items() if re.search(not_later, text)} == {
        "account_blocked",
        "api_inactive",
        "messages_lost",
        "no_send_permission",
        "no_sending_phone",
        "quota_reached",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_errors_of_sending_and_reading_say_what_is_true_of_both(language: str) -> None:
    texts = texts_of(language)
    errors = {key: texts[f"exceptions.{key}.message"] for key in ("account_blocked", "api_inactive", "invalid_auth")}
    not_later = {"en": "nothing is sent, now or later", "ru": "ничего не отправлено и позже не отправится"}[language]
    assert {key for key, text in errors.items() if not_later in text} == errors.keys()
    send_again = {"en": "send the message again", "ru": "отправьте сообщение"}[language]
    assert [key for key, text in errors.items() if send_again in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_and_every_reason_of_a_failure_has_words(language: str) -> None:
    texts = texts_of(language)
    problems = {key.split(".")[1] for key in texts if key.startswith("issues.")} | {REAUTH}
    assert {f"{REASON_TEXTS}{problem}" for problem in problems} == {key for key in texts if REASON_TEXTS in key}
    errors = {code.row.text for code in ErrorCode} | {"cannot_connect", "not_confirmed", "refused", "too_many_requests"}
    ends = {state.value for state in State if state.is_final} - {State.DELIVERED}
    assert {f"{ERROR_TEXTS}{error}" for error in errors | ends} == {key for key in texts if ERROR_TEXTS in key}


async def test_lost_messages_are_a_repair_until_somebody_has_checked(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    async_raise(hass, entry, "messages_lost")
    await advance_time(hass, freezer, MINUTE)
    await restart(hass, entry)
    issue = the_repair(hass)
    assert (issue.translation_key, issue.severity, issue.is_fixable) == (
        "messages_lost",
        ir.IssueSeverity.WARNING,
        True,
    )
    assert hass.states.get(PROBLEM).attributes["reason"] == ["messages_lost"]
    assert await async_setup_component(hass, "repairs", {})
    manager = repairs_flow_manager(hass)
    assert manager is not None
    form = await manager.async_init(DOMAIN, data={"issue_id": issue.issue_id})
    assert form["step_id"] == "confirm"
    await manager.async_configure(form["flow_id"], {})
    assert repairs(hass) == []
    assert hass.states.get(PROBLEM).state == STATE_OFF


async def begin_to_fix(hass: HomeAssistant) -> tuple[RepairsFlowManager, str]:
    """Open the repair as a user does."""
    assert await async_setup_component(hass, "repairs", {})
    manager = repairs_flow_manager(hass)
    assert manager is not None
    menu = await manager.async_init(DOMAIN, data={"issue_id": the_repair(hass).issue_id})
    assert menu["type"] is FlowResultType.MENU
    assert menu["menu_options"] == ["correct", "remove"]
    return manager, menu["flow_id"]


@pytest.fixture
async def deleted(hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, account: Account) -> None:
    """Set up an account whose phone has a new id, as after reinstalling the app."""
    account.phones[NEW_ID] = replace(account.phones.pop(PHONE), device_id=NEW_ID)
    await set_up(hass, entry)


@pytest.mark.usefixtures("deleted")
@pytest.mark.parametrize(
    ("device_id", "service_fault", "error"),
    [
        ("hall", None, {"device_id": "invalid_device_id"}),
        (PHONE, None, {"device_id": "unknown_device"}),
        (OTHER_PHONE, None, {"device_id": "already_configured"}),
        (NEW_ID, {"fault": Fault.CODE, "code": 1002}, {"base": "api_inactive"}),
        (NEW_ID, {"fault": Fault.CODE, "code": 1003}, {"base": "invalid_auth"}),
        (NEW_ID, {"fault": Fault.CODE, "code": 1007}, {"base": "no_read_permission"}),
        (NEW_ID, {"fault": Fault.CODE, "code": 3000}, {"base": "account_blocked"}),
        (NEW_ID, {"fault": Fault.CODE, "code": 4711}, {"base": "unknown"}),
        (NEW_ID, {"fault": Fault.BAD_GATEWAY}, {"base": "cannot_connect"}),
    ],
)
async def test_the_repair_flow_changes_the_id_of_a_phone(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    device_id: str,
    service_fault: dict[str, Any] | None,
    error: dict[str, str],
) -> None:
    service.account.add_phone(OTHER_PHONE)
    add_phone(hass, entry, name="Spare", device_id=OTHER_PHONE)
    await hass.async_block_till_done()
    manager, flow_id = await begin_to_fix(hass)
    form = await manager.async_configure(flow_id, {"next_step_id": "correct"})
    assert get_schema_suggested_value(form["data_schema"].schema, "device_id") == PHONE
    for fault in [service_fault] if service_fault else []:
        service.faults.add(**fault, endpoint=INFO)
    form = await manager.async_configure(flow_id, {"device_id": device_id})
    assert form["errors"] == error
    assert repairs(hass) == ["unknown_phone"]

    service.faults.clear()
    done = await manager.async_configure(flow_id, {"device_id": f" {NEW_ID.upper()}"})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert repairs(hass) == []
    assert hass.states.get(BATTERY).state == "80"
    assert entry.subentries["the_phone"].unique_id == NEW_ID
    assert entry.subentries["the_phone"].data == {"device_id": NEW_ID, "sim": "default"}


@pytest.mark.usefixtures("deleted")
async def test_the_repair_flow_accepts_the_old_id_of_a_restored_phone(
    hass: HomeAssistant, service: SimulatedService, account: Account
) -> None:
    manager, flow_id = await begin_to_fix(hass)
    await manager.async_configure(flow_id, {"next_step_id": "correct"})
    account.add_phone(PHONE)
    await manager.async_configure(flow_id, {"device_id": PHONE})
    await hass.async_block_till_done()
    assert repairs(hass) == []
    assert hass.states.get(BATTERY).state == "80"


@pytest.mark.usefixtures("deleted")
async def test_the_repair_flow_removes_a_phone(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    manager, flow_id = await begin_to_fix(hass)
    await manager.async_configure(flow_id, {"next_step_id": "remove"})
    assert "the_phone" in entry.subentries
    await manager.async_configure(flow_id, {})
    await hass.async_block_till_done()
    assert "the_phone" not in entry.subentries
    assert hass.states.get(BATTERY) is None
    assert repairs(hass) == []


@pytest.mark.usefixtures("deleted")
@pytest.mark.parametrize("step", ["correct", "remove"])
async def test_the_repair_flow_ends_if_the_phone_was_removed_meanwhile(
    hass: HomeAssistant, entry: MockConfigEntry, step: str
) -> None:
    await hass.config_entries.async_unload(entry.entry_id)
    manager, flow_id = await begin_to_fix(hass)
    await manager.async_configure(flow_id, {"next_step_id": step})
    hass.config_entries.async_remove_subentry(entry, "the_phone")
    done = await manager.async_configure(flow_id, {"correct": {"device_id": NEW_ID}, "remove": {}}[step])
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert repairs(hass) == []


@pytest.mark.usefixtures("deleted")
@pytest.mark.parametrize("step", ["correct", "remove"])
async def test_the_repair_flow_ends_if_the_account_was_removed_meanwhile(
    hass: HomeAssistant, entry: MockConfigEntry, step: str
) -> None:
    manager, flow_id = await begin_to_fix(hass)
    await manager.async_configure(flow_id, {"next_step_id": step})
    assert await hass.config_entries.async_remove(entry.entry_id)
    done = await manager.async_configure(flow_id, {"correct": {"device_id": NEW_ID}, "remove": {}}[step])
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert repairs(hass) == []


@pytest.mark.usefixtures("deleted")
async def test_the_repair_flow_ends_if_the_phone_is_removed_while_its_id_is_checked(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    manager, flow_id = await begin_to_fix(hass)
    await manager.async_configure(flow_id, {"next_step_id": "correct"})

    async def remove(*_arguments: object) -> tuple[None, dict[str, str]]:
        hass.config_entries.async_remove_subentry(entry, "the_phone")
        return None, {}

    with patch("custom_components.gosms.repairs.async_validate_phone", remove):
        done = await manager.async_configure(flow_id, {"device_id": NEW_ID})
    assert done["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("deleted")
async def test_the_repair_flow_refuses_an_id_added_while_it_was_checked(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    manager, flow_id = await begin_to_fix(hass)
    await manager.async_configure(flow_id, {"next_step_id": "correct"})

    async def add(*_arguments: object) -> tuple[None, dict[str, str]]:
        add_phone(hass, entry, name="Spare", device_id=NEW_ID)
        return None, {}

    with patch("custom_components.gosms.repairs.async_validate_phone", add):
        form = await manager.async_configure(flow_id, {"device_id": NEW_ID})
    assert form["errors"] == {"device_id": "already_configured"}


@pytest.mark.usefixtures("deleted")
async def test_opening_the_repair_of_an_already_removed_phone_closes_it(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_remove_subentry(entry, "the_phone")
    assert await async_setup_component(hass, "repairs", {})
    done = await repairs_flow_manager(hass).async_init(DOMAIN, data={"issue_id": the_repair(hass).issue_id})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert repairs(hass) == []


async def test_a_repair_that_a_newer_version_raised_is_cleared(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"sender_unknown_{entry.entry_id}",
        data={"entry_id": entry.entry_id, "resolved_by": "POST /senders/get"},
        is_fixable=False,
        is_persistent=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key="sender_unknown",
    )
    await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert repairs(hass) == []
