"""Starting and stopping an account."""

import asyncio
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.const import DOMAIN
from custom_components.gosms.outbox.message import State
from simulator import Fault
from tests import API_TOKEN
from tests.service import DAD, MUM, Service, recipient, send, set_up, wait

TOTAL = "sensor.gosms_ru_total_messages"


async def test_recipients_hang_on_the_device_of_the_account(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    devices = {device.name: device for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)}
    assert set(devices) == {"GoSMS.ru", "Mum", "Dad"}
    account = devices["GoSMS.ru"]
    assert account.identifiers == {(DOMAIN, entry.entry_id)}
    assert account.entry_type is dr.DeviceEntryType.SERVICE
    assert devices["Mum"].via_device_id == devices["Dad"].via_device_id == account.id


async def test_an_account_in_configuration_yaml_is_pointed_to_the_interface(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: {}})
    issue = ir.async_get(hass).async_get_issue("homeassistant", f"config_entry_only_{DOMAIN}")
    assert issue
    assert issue.translation_key == "config_entry_only"


@pytest.mark.freeze_time("2026-11-24T12:00:00+00:00")
@pytest.mark.usefixtures("unpaced")
@pytest.mark.parametrize("fault", [Fault.CAPTIVE_PORTAL, Fault.BAD_GATEWAY, Fault.REFUSE, Fault.UNAUTHORIZED])
async def test_a_dead_service_keeps_no_entity_away_and_all_is_well_a_poll_after_it_returns(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, fault: Fault
) -> None:
    service.faults.add(fault)
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 0})
    await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get("notify.mum").state == STATE_UNKNOWN
    assert hass.states.get(TOTAL).state == STATE_UNAVAILABLE
    with pytest.raises(HomeAssistantError):
        await send(hass, "Water leak!")

    service.faults.clear()
    await wait(hass, freezer, 61)
    assert hass.states.get(TOTAL).state == "0"
    await send(hass, "Water leak in the cellar!")
    assert len(service.account.messages) == 1


async def test_a_silent_service_holds_up_neither_the_start_nor_the_stop(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry
) -> None:
    service.faults.add(Fault.HANG_BEFORE, seconds=30)
    async with asyncio.timeout(2):
        assert await hass.config_entries.async_setup(entry.entry_id)
        assert hass.states.get("notify.mum").state == STATE_UNKNOWN
        assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.freeze_time("2026-11-24T12:00:00+00:00")
@pytest.mark.usefixtures("unpaced")
async def test_a_refused_token_asks_for_a_new_one_once_and_polling_goes_on(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.account.token = "another"
    for _ in range(3):
        await wait(hass, freezer, 61)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Water leak!")
    assert error.value.translation_key == "invalid_auth"
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert len(service.requests_to("GET /sms")) == 4

    service.account.token = API_TOKEN
    await wait(hass, freezer, 61)
    assert hass.states.get(TOTAL).state == "0"


@pytest.mark.parametrize("fault", [{"fault": Fault.UNAUTHORIZED}, {"fault": Fault.CODE, "code": 1003}])
async def test_a_token_refused_by_a_send_asks_for_a_new_one(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, fault: dict[str, Any]
) -> None:
    await set_up(hass, entry)
    service.faults.add(**fault, endpoint="POST /sms/send")
    with pytest.raises(HomeAssistantError):
        await send(hass, "Water leak!")
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_an_account_can_be_unloaded_reloaded_and_removed(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert hass.states.get("notify.mum").state == STATE_UNAVAILABLE

    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(TOTAL).state == "0"
    await send(hass, "Hello")

    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.async_all() == []
    assert len(service.account.messages) == 1


async def test_home_assistant_stops_once_the_running_request_has_ended_and_its_caller_knows(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.SLOW, endpoint="POST /sms/send", seconds=0.5)
    data = {"entity_id": "notify.mum", "message": "Water leak!"}
    sending = asyncio.create_task(hass.services.async_call("notify", "send_message", data, blocking=True))
    while not service.requests_to("POST /sms/send"):
        await asyncio.sleep(0.01)
    await hass.async_stop()
    assert sending.done()
    await sending
    assert [message.message for message in service.account.messages] == ["Water leak!"]
    (record,) = entry.runtime_data.outbox.messages
    assert record.state is State.ACCEPTED


async def test_two_accounts_do_not_mix(hass: HomeAssistant, service: Service, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    other = MockConfigEntry(
        domain=DOMAIN,
        title="Second account",
        data={"api_token": "aW52ZW50ZWQ", "url": service.url},
        subentries_data=[recipient("Grandmother", DAD)],
    )
    other.add_to_hass(hass)
    await set_up(hass, other)
    assert hass.states.get("sensor.second_account_total_messages").state == STATE_UNAVAILABLE
    assert hass.states.get(TOTAL).state == "0"

    with pytest.raises(HomeAssistantError):
        await send(hass, "Hello", to="notify.grandmother")
    await send(hass, "Hello", to="notify.dad")
    assert [message.phone_number for message in service.account.messages] == [DAD]


async def test_two_entries_with_one_token_keep_one_pace(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry
) -> None:
    # The flows prevent it; an entry restored from a backup beside a new one does not ask them.
    other = MockConfigEntry(domain=DOMAIN, data=dict(entry.data), subentries_data=[recipient("Grandmother", MUM)])
    other.add_to_hass(hass)
    await set_up(hass, entry)
    # How many requests a second arrive would tell of the machine as well; the client's own tests measure a pace.
    assert entry.runtime_data.client._rate_limiter is other.runtime_data.client._rate_limiter
    await send(hass, "Hello")
    await send(hass, "Hello", to="notify.grandmother")
    assert len(service.account.messages) == 2


async def test_an_account_that_can_not_be_unloaded_goes_on_sending(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    # Home Assistant refuses in the middle of other work, which no test can bring about from outside.
    with patch.object(hass.config_entries, "async_unload_platforms", return_value=False):
        assert not await hass.config_entries.async_unload(entry.entry_id)
    await send(hass, "Water leak!")
    assert len(service.account.messages) == 1
    # Home Assistant leaves such an account alone, so the end of the test would not stop its timers.
    entry.mock_state(hass, ConfigEntryState.LOADED)
