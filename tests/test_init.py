"""Setup and unload of an account."""

import asyncio
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.const import DOMAIN
from custom_components.gosms.outbox import State
from simulator import Fault
from tests import API_TOKEN
from tests.common import DAD, MUM, SimulatedService, add_phone, advance_time, recipient, send, set_up, wait_until

TOTAL = "sensor.gosms_ru_total_messages"


async def test_recipient_devices_are_linked_to_the_account_device(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    devices = {device.name: device for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)}
    assert set(devices) == {"GoSMS.ru", "Mum", "Dad"}
    account = devices["GoSMS.ru"]
    assert account.identifiers == {(DOMAIN, entry.entry_id)}
    assert account.entry_type is dr.DeviceEntryType.SERVICE
    assert devices["Mum"].via_device_id == devices["Dad"].via_device_id == account.id


async def test_yaml_configuration_raises_a_repair(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: {}})
    issue = ir.async_get(hass).async_get_issue("homeassistant", f"config_entry_only_{DOMAIN}")
    assert issue
    assert issue.translation_key == "config_entry_only"


@pytest.mark.freeze_time("2026-11-24T12:00:00+00:00")
@pytest.mark.usefixtures("no_rate_limit")
@pytest.mark.parametrize("fault", [Fault.CAPTIVE_PORTAL, Fault.BAD_GATEWAY, Fault.REFUSE, Fault.UNAUTHORIZED])
async def test_setup_succeeds_without_the_service_and_recovers_with_a_poll(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, fault: Fault
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
    await advance_time(hass, freezer, 61)
    assert hass.states.get(TOTAL).state == "0"
    await send(hass, "Water leak in the cellar!")
    assert len(service.account.messages) == 1


async def test_a_hanging_service_delays_neither_setup_nor_unload(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.faults.add(Fault.HANG_BEFORE, seconds=30)
    async with asyncio.timeout(10):
        assert await hass.config_entries.async_setup(entry.entry_id)
        assert hass.states.get("notify.mum").state == STATE_UNKNOWN
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_a_hanging_service_does_not_hold_up_the_start_of_home_assistant(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.faults.add(Fault.HANG_BEFORE, seconds=30)
    add_phone(hass, entry)
    hass.set_state(CoreState.not_running)
    assert await hass.config_entries.async_setup(entry.entry_id)
    # Home Assistant waits like this before it says that it has started. Once the poll has failed, the sensor is
    # unavailable.
    await hass.async_block_till_done()
    assert hass.states.get(TOTAL).state == STATE_UNKNOWN
    hass.set_state(CoreState.running)


@pytest.mark.freeze_time("2026-11-24T12:00:00+00:00")
@pytest.mark.usefixtures("no_rate_limit")
async def test_a_refused_token_starts_one_reauth_flow_and_polling_continues(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.account.token = "another"
    for _ in range(3):
        await advance_time(hass, freezer, 61)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Water leak!")
    assert error.value.translation_key == "invalid_auth"
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert len(service.requests_to("GET /sms")) == 4

    service.account.token = API_TOKEN
    await advance_time(hass, freezer, 61)
    assert hass.states.get(TOTAL).state == "0"


@pytest.mark.parametrize("fault", [{"fault": Fault.UNAUTHORIZED}, {"fault": Fault.CODE, "code": 1003}])
async def test_a_token_refused_by_a_send_starts_reauth(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, fault: dict[str, Any]
) -> None:
    await set_up(hass, entry)
    service.faults.add(**fault, endpoint="POST /sms/send")
    with pytest.raises(HomeAssistantError):
        await send(hass, "Water leak!")
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_an_account_can_be_unloaded_reloaded_and_removed(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    await hass.async_block_till_done()
    assert hass.states.get("notify.mum").state == STATE_UNAVAILABLE

    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(TOTAL).state == "0"
    await send(hass, "Hello")

    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.async_all() == []
    assert len(service.account.messages) == 1


async def test_shutdown_waits_for_the_running_request_and_its_caller(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.SLOW, endpoint="POST /sms/send", seconds=0.5)
    data = {"entity_id": "notify.mum", "message": "Water leak!"}
    sending = asyncio.create_task(hass.services.async_call("notify", "send_message", data, blocking=True))
    await wait_until(lambda: service.requests_to("POST /sms/send"))
    await hass.async_stop()
    assert sending.done()
    await sending
    assert [message.message for message in service.account.messages] == ["Water leak!"]
    (record,) = entry.runtime_data.outbox.messages
    assert record.state is State.ACCEPTED


async def test_two_accounts_are_independent(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
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


async def test_entries_with_the_same_token_share_a_rate_limiter(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
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


async def test_sending_continues_if_unloading_fails(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    # Home Assistant refuses in the middle of other work, which no test can bring about from outside.
    with patch.object(hass.config_entries, "async_unload_platforms", return_value=False):
        assert not await hass.config_entries.async_unload(entry.entry_id)
    await send(hass, "Water leak!")
    assert len(service.account.messages) == 1
    # Home Assistant leaves such an account alone, so the end of the test would not stop its timers.
    entry.mock_state(hass, ConfigEntryState.LOADED)
