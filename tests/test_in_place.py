"""Changes of an account while it is in use: only what changed comes, goes or is renamed, and no message is lost."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import gc
from itertools import count
from typing import Any, Final, cast
from unittest.mock import patch
import weakref

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import (
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    STATE_UNAVAILABLE,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.api import GoSmsApiError
from simulator import Account, Fault, Permission, Status
from tests import API_TOKEN
from tests.common import (
    DAD,
    MUM,
    PHONE,
    SimulatedService,
    add_phone,
    add_recipient,
    advance_time,
    send,
    set_up,
    wait_until,
)
from tests.message_helpers import RecordedEvents, texts

LIST: Final = "GET /sms"
SEND: Final = "POST /sms/send"
INFO: Final = "POST /devices/get/info"
EDIT: Final = "POST /devices/edit"
NEW_TOKEN: Final = "bmV3LXRva2Vu"
GRANDMA: Final = "79031112233"
UUID: Final = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"

LAST_MESSAGE: Final = "sensor.gosms_ru_last_message"
NOON: Final = "2026-11-24T12:00:00+00:00"

MUMS: Final = {
    "button.mum_send_a_test_message",
    "event.mum_message",
    "notify.mum",
    "sensor.mum_last_message_status",
}
GRANDMAS: Final = {
    "button.grandma_send_a_test_message",
    "event.grandma_message",
    "notify.grandma",
    "sensor.grandma_last_message_status",
}
PIXELS: Final = {
    "binary_sensor.pixel_8_charging",
    "binary_sensor.pixel_8_online",
    "sensor.pixel_8_battery",
    "switch.pixel_8_sending",
}

pytestmark = pytest.mark.usefixtures("no_rate_limit")


@contextmanager
def written_states(hass: HomeAssistant) -> Iterator[dict[str, list[str | None]]]:
    """Collect what is written: the states by entities, None for one that goes."""
    written: dict[str, list[str | None]] = {}

    @callback
    def note(event: Event[Any]) -> None:
        state = event.data["new_state"]
        written.setdefault(event.data["entity_id"], []).append(state and state.state)

    stops = [
        hass.bus.async_listen(EVENT_STATE_CHANGED, note),
        # Home Assistant fires this one only for listeners that filter it.
        hass.bus.async_listen(EVENT_STATE_REPORTED, note, event_filter=callback(lambda _: True)),
    ]
    yield written
    for stop in stops:
        stop()


def change_subentry(hass: HomeAssistant, entry: MockConfigEntry, subentry_id: str, **changes: Any) -> None:
    """Change a recipient or a phone as its form does."""
    hass.config_entries.async_update_subentry(entry, entry.subentries[subentry_id], **changes)


def change_token(hass: HomeAssistant, entry: MockConfigEntry, token: str) -> None:
    """Change the token as the forms do."""
    hass.config_entries.async_update_entry(entry, data={**entry.data, "api_token": token})


def devices(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str | None, dr.DeviceEntry]:
    """Return the devices by their names."""
    return {device.name: device for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)}


def reauth_flows(hass: HomeAssistant, entry: MockConfigEntry) -> list[Any]:
    """Return the open requests for another token."""
    return list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))


@pytest.fixture
def with_phone(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Give the account a phone before it is set up."""
    add_phone(hass, entry)


type Change = Callable[[HomeAssistant, MockConfigEntry], object]


def add_grandma(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Add a recipient."""
    add_recipient(hass, entry, "Grandma", GRANDMA)


def rename_mum(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Rename a recipient."""
    change_subentry(hass, entry, "the_recipient_mum", title="Mother")


@pytest.mark.freeze_time(NOON)
@pytest.mark.usefixtures("with_phone")
@pytest.mark.parametrize(
    ("change", "touched"),
    [
        pytest.param(add_grandma, GRANDMAS, id="recipient added"),
        pytest.param(rename_mum, MUMS, id="recipient renamed"),
        pytest.param(
            lambda hass, entry: hass.config_entries.async_remove_subentry(entry, "the_recipient_mum"),
            MUMS,
            id="recipient removed",
        ),
        pytest.param(
            lambda hass, entry: change_subentry(
                hass, entry, "the_recipient_mum", data={"phone_number": MUM, "phone": "the_phone"}
            ),
            set(),
            id="recipient's phone",
        ),
        pytest.param(
            lambda hass, entry: change_subentry(hass, entry, "the_phone", data={"device_id": PHONE, "sim": "sim2"}),
            set(),
            id="SIM card",
        ),
        pytest.param(lambda hass, entry: change_subentry(hass, entry, "the_phone", title="Nokia"), PIXELS, id="phone"),
        pytest.param(
            lambda hass, entry: hass.config_entries.async_remove_subentry(entry, "the_phone"),
            PIXELS,
            id="phone removed",
        ),
        pytest.param(
            lambda hass, entry: add_phone(hass, entry, name="Spare", device_id=UUID),
            {each.replace("pixel_8", "spare") for each in PIXELS},
            id="phone added",
        ),
        pytest.param(
            lambda hass, entry: hass.config_entries.async_update_entry(
                entry, options={"queue_expiry": 5, "hourly_limit": 7, "default_phone": "the_phone", "country": "DE"}
            ),
            set(),
            id="options",
        ),
        pytest.param(lambda hass, entry: change_token(hass, entry, NEW_TOKEN), set(), id="token"),
    ],
)
async def test_a_change_writes_no_state_of_another_entity(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, change: Change, touched: set[str]
) -> None:
    service.account.add_phone(UUID)
    await set_up(hass, entry)
    await send(hass, "Hello", to="notify.dad")
    with written_states(hass) as written:
        change(hass, entry)
        service.account.token = entry.data["api_token"]
        await hass.async_block_till_done()
    assert set(written) == touched
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.freeze_time(NOON)
async def test_a_new_recipient_is_there_at_once(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    add_grandma(hass, entry)
    await hass.async_block_till_done()
    await send(hass, "Hello", to="notify.grandma")
    assert [message.phone_number for message in service.account.messages] == [GRANDMA]
    assert hass.states.get("event.grandma_message").attributes["event_type"] == "accepted"
    assert devices(hass, entry)["Grandma"].via_device_id == devices(hass, entry)["GoSMS.ru"].id


@pytest.mark.freeze_time(NOON)
async def test_a_removed_recipient_goes_and_its_waiting_message_leaves(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    await send(hass, "Water leak!")
    hass.config_entries.async_remove_subentry(entry, "the_recipient_mum")
    await hass.async_block_till_done()
    assert {each.entity_id for each in hass.states.async_all()} & MUMS == set()
    assert set(devices(hass, entry)) == {"GoSMS.ru", "Dad"}

    service.faults.clear()
    await advance_time(hass, freezer, 61)
    assert texts(service) == ["Water leak!"]
    assert recorded.types == ["queued", "accepted"]
    assert [each["recipient"] for each in recorded.attributes] == ["Mum", None]


@pytest.mark.freeze_time(NOON)
async def test_a_rename_keeps_ids_and_states_and_renames_the_device(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, recorded: RecordedEvents
) -> None:
    await set_up(hass, entry)
    await send(hass, "Hello")
    before = {entity_id: hass.states.get(entity_id) for entity_id in MUMS}
    device = devices(hass, entry)["Mum"]
    rename_mum(hass, entry)
    await hass.async_block_till_done()
    assert devices(hass, entry)["Mother"].id == device.id
    after = {entity_id: hass.states.get(entity_id) for entity_id in MUMS}
    assert [state.state for state in after.values()] == [state.state for state in before.values()]
    assert [state.last_changed for state in after.values()] == [state.last_changed for state in before.values()]
    assert hass.states.get("notify.mum").name == "Mother"

    await send(hass, "Hello again")
    assert [each["recipient"] for each in recorded.attributes] == ["Mum", "Mother"]


@pytest.mark.freeze_time(NOON)
async def test_a_name_given_in_home_assistant_survives_a_rename(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    dr.async_get(hass).async_update_device(devices(hass, entry)["Mum"].id, name_by_user="Mummy")
    rename_mum(hass, entry)
    await hass.async_block_till_done()
    assert devices(hass, entry)["Mother"].name_by_user == "Mummy"
    assert hass.states.get("notify.mum").name == "Mummy"


@pytest.mark.freeze_time(NOON)
async def test_an_account_is_renamed_with_its_device(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    hass.config_entries.async_update_entry(entry, title="Family")
    await hass.async_block_till_done()
    assert set(devices(hass, entry)) == {"Family", "Mum", "Dad"}
    assert hass.states.get("sensor.gosms_ru_queued_messages").name.startswith("Family ")
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.freeze_time(NOON)
async def test_the_newest_messages_name_a_recipient_as_it_is_called_now(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await send(hass, "Hello")
    assert hass.states.get(LAST_MESSAGE).attributes["recipient"] == "Mum"
    rename_mum(hass, entry)
    assert hass.states.get(LAST_MESSAGE).attributes["recipient"] == "Mother"
    hass.config_entries.async_remove_subentry(entry, "the_recipient_mum")
    assert hass.states.get(LAST_MESSAGE).attributes["recipient"] is None


@pytest.mark.freeze_time(NOON)
async def test_a_new_number_begins_with_a_status_of_its_own(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    def status() -> str:
        return hass.states.get("sensor.mum_last_message_status").state

    service.account.add_message(message="Of others", phone_number=GRANDMA, status=Status.SENT)
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    await send(hass, "Water leak!")
    assert status() == "queued"
    freezer.tick(1)
    change_subentry(hass, entry, "the_recipient_mum", data={"phone_number": GRANDMA}, unique_id=GRANDMA)
    await hass.async_block_till_done()
    assert status() == "sent"

    # What waits keeps the number that it was sent to.
    service.faults.clear()
    await advance_time(hass, freezer, 61)
    assert [message.phone_number for message in service.account.messages] == [MUM, GRANDMA]
    assert status() == "sent"
    await send(hass, "Hello")
    assert [message.phone_number for message in service.account.messages] == [GRANDMA, MUM, GRANDMA]
    assert status() == "waiting"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert status() == "waiting"


# Phones


@pytest.mark.freeze_time(NOON)
@pytest.mark.usefixtures("with_phone")
async def test_the_first_states_of_a_phone_are_real(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    with written_states(hass) as written:
        await set_up(hass, entry)
        assert {entity_id: written[entity_id] for entity_id in PIXELS} == {
            "binary_sensor.pixel_8_charging": ["off"],
            "binary_sensor.pixel_8_online": ["on"],
            "sensor.pixel_8_battery": ["80"],
            "switch.pixel_8_sending": ["on"],
        }
        written.clear()
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        assert {entity_id: written[entity_id] for entity_id in PIXELS} == {
            "binary_sensor.pixel_8_charging": [STATE_UNAVAILABLE, "off"],
            "binary_sensor.pixel_8_online": [STATE_UNAVAILABLE, "on"],
            "sensor.pixel_8_battery": [STATE_UNAVAILABLE, "80"],
            "switch.pixel_8_sending": [STATE_UNAVAILABLE, "on"],
        }


@pytest.mark.freeze_time(NOON)
@pytest.mark.usefixtures("with_phone")
async def test_a_removed_phone_is_not_asked_for_any_more(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    hass.config_entries.async_remove_subentry(entry, "the_phone")
    await hass.async_block_till_done()
    before = len(service.requests_to(INFO))
    for _ in range(12):
        await advance_time(hass, freezer, 60)
    assert len(service.requests_to(INFO)) == before
    assert set(devices(hass, entry)) == {"GoSMS.ru", "Mum", "Dad"}


async def ask_and_remove_phone(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, ask: Change
) -> None:
    """Remove the phone while it is asked for, and see that nothing of it stays."""
    service.faults.add(Fault.SLOW, endpoint=INFO, seconds=0.2)
    before = len(service.requests_to(INFO))
    ask(hass, entry)
    await wait_until(lambda: len(service.requests_to(INFO)) > before)
    hass.config_entries.async_remove_subentry(entry, "the_phone")
    await hass.async_block_till_done()
    assert set(devices(hass, entry)) == {"GoSMS.ru", "Mum", "Dad"}
    assert {each.entity_id for each in hass.states.async_all()} & PIXELS == set()


async def test_a_phone_that_is_removed_while_first_asked_for_stays_away(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await ask_and_remove_phone(hass, service, entry, add_phone)


async def test_a_phone_that_is_removed_while_asked_for_again_stays_away(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    add_phone(hass, entry)
    await hass.async_block_till_done()
    await ask_and_remove_phone(
        hass, service, entry, lambda hass, entry: change_token(hass, entry, entry.data["api_token"] + "=")
    )


async def test_a_phone_that_is_removed_while_asked_for_leaves_no_repair(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.permissions.remove(Permission.SEE_PHONES)
    await set_up(hass, entry)
    await ask_and_remove_phone(hass, service, entry, add_phone)
    assert hass.states.get("binary_sensor.gosms_ru_problem").attributes["reason"] == []


@pytest.mark.freeze_time(NOON)
@pytest.mark.usefixtures("with_phone")
async def test_the_repair_of_a_phone_goes_with_it(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    del service.account.phones[PHONE]
    await set_up(hass, entry)
    assert hass.states.get("binary_sensor.gosms_ru_problem").attributes["reason"] == ["unknown_phone"]
    hass.config_entries.async_remove_subentry(entry, "the_phone")
    await hass.async_block_till_done()
    assert hass.states.get("binary_sensor.gosms_ru_problem").attributes["reason"] == []


@pytest.mark.freeze_time(NOON)
@pytest.mark.usefixtures("with_phone")
async def test_a_phone_that_becomes_another_one_shows_that_one(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.add_phone(UUID).battery = 33
    await set_up(hass, entry)
    with written_states(hass) as written:
        change_subentry(hass, entry, "the_phone", data={"device_id": UUID, "sim": "default"}, unique_id=UUID)
        # Nothing is known of it before it was asked for.
        assert entry.runtime_data.phone_coordinators["the_phone"].can_send is None
        await hass.async_block_till_done()
    assert written == {"sensor.pixel_8_battery": ["33"]}
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone"})
    await send(hass, "Hello")
    assert service.account.messages[0].device_id == UUID


@pytest.mark.usefixtures("with_phone")
async def test_an_answer_about_the_phone_that_it_was_before_is_not_shown(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.add_phone(UUID).battery = 33
    service.faults.add(Fault.SLOW, endpoint=INFO, seconds=0.2, times=1)
    with written_states(hass) as written:
        assert await hass.config_entries.async_setup(entry.entry_id)
        await wait_until(lambda: len(service.requests_to(INFO)) == 1)
        change_subentry(hass, entry, "the_phone", data={"device_id": UUID, "sim": "default"}, unique_id=UUID)
        await hass.async_block_till_done()
    assert written["sensor.pixel_8_battery"] == ["33"]


@pytest.mark.usefixtures("with_phone")
async def test_a_phone_that_becomes_another_one_does_not_inherit_a_switch(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.add_phone(UUID)
    await set_up(hass, entry)
    service.faults.add(Fault.SLOW, endpoint=EDIT, seconds=0.2, times=1)
    switch = {"entity_id": "switch.pixel_8_sending"}
    with written_states(hass) as written:
        call = asyncio.create_task(hass.services.async_call("switch", "turn_off", switch, blocking=True))
        await wait_until(lambda: len(service.requests_to(EDIT)) == 1)
        change_subentry(hass, entry, "the_phone", data={"device_id": UUID, "sim": "default"}, unique_id=UUID)
        await call
        await hass.async_block_till_done()
    assert "off" not in written.get("switch.pixel_8_sending", [])
    assert (service.account.phones[PHONE].is_active, service.account.phones[UUID].is_active) == (False, True)


# Options


@pytest.mark.freeze_time(NOON)
async def test_options_count_from_the_next_message_on(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)

    def choose(**options: Any) -> None:
        hass.config_entries.async_update_entry(entry, options=options)

    choose(callback_id=UUID)
    await send(hass, "One")
    assert service.requests_to(SEND)[-1].json == {"message": "One", "phone_number": MUM, "callback_id": UUID}
    choose(hourly_limit=1)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Two")
    assert error.value.translation_key == "hourly_limit"
    choose(long_text="reject")
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Long " * 100)
    assert error.value.translation_key == "text_too_long"
    choose(queue_expiry=0)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Three")
    assert error.value.translation_key == "too_many_requests"
    assert service.requests_to(SEND)[-1].json == {"message": "Three", "phone_number": MUM}
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.freeze_time(NOON)
async def test_a_new_delivery_timeout_counts_for_messages_on_their_way(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    await send(hass, "Hello")
    hass.config_entries.async_update_entry(entry, options={"delivery_timeout": 1})
    await advance_time(hass, freezer, 40)
    assert recorded.types == ["accepted"]
    await advance_time(hass, freezer, 40)
    assert recorded.types == ["accepted", "delivery_timeout"]


# Token and address


@pytest.mark.freeze_time(NOON)
@pytest.mark.usefixtures("with_phone")
async def test_a_new_token_is_used_at_once_and_ends_the_request_for_one(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.account.token = NEW_TOKEN
    await advance_time(hass, freezer, 61)
    assert len(reauth_flows(hass, entry)) == 1
    assert hass.states.get("sensor.gosms_ru_total_messages").state == STATE_UNAVAILABLE

    change_token(hass, entry, NEW_TOKEN)
    await hass.async_block_till_done()
    assert reauth_flows(hass, entry) == []
    assert hass.states.get("sensor.gosms_ru_total_messages").state == "0"
    assert hass.states.get("binary_sensor.gosms_ru_problem").state == "off"
    assert {request.endpoint for request in service.requests[-2:]} == {LIST, INFO}
    await send(hass, "Hello")
    assert texts(service) == ["Hello"]


@pytest.mark.freeze_time(NOON)
async def test_a_new_token_that_is_refused_too_leaves_the_request_for_one(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.account.token = NEW_TOKEN
    await advance_time(hass, freezer, 61)
    change_token(hass, entry, "b3RoZXI")
    await hass.async_block_till_done()
    assert len(reauth_flows(hass, entry)) == 1


async def replace_token_during(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, endpoint: str
) -> None:
    """Replace the token once a request with the one before is in progress, which is refused then."""
    known = len(service.requests_to(endpoint))
    await wait_until(lambda: len(service.requests_to(endpoint)) > known)
    service.account.token = NEW_TOKEN
    change_token(hass, entry, NEW_TOKEN)


async def test_a_message_refused_with_the_token_before_is_sent_once(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, recorded: RecordedEvents
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.SLOW, endpoint=SEND, seconds=0.3, times=1)
    sending = hass.async_create_task(send(hass, "Water leak!"))
    await replace_token_during(hass, service, entry, SEND)
    await sending
    await wait_until(lambda: recorded.types == ["queued", "accepted"])
    assert texts(service) == ["Water leak!"]
    assert recorded.attributes[-1]["attempts"] == 2
    assert reauth_flows(hass, entry) == []


async def test_a_message_that_may_not_wait_fails_with_its_token(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 0})
    await set_up(hass, entry)
    service.faults.add(Fault.SLOW, endpoint=SEND, seconds=0.3, times=1)
    sending = hass.async_create_task(send(hass, "Water leak!"))
    await replace_token_during(hass, service, entry, SEND)
    with pytest.raises(HomeAssistantError) as error:
        await sending
    assert error.value.translation_key == "invalid_auth"
    assert texts(service) == []


async def test_the_present_token_is_refused_for_good(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.account.token = NEW_TOKEN
    change_token(hass, entry, "b3RoZXI")
    await hass.async_block_till_done(wait_background_tasks=True)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Water leak!")
    assert error.value.translation_key == "invalid_auth"
    assert len(service.requests_to(SEND)) == 1


async def test_a_poll_refused_with_the_token_before_asks_for_no_other_one(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.SLOW, endpoint=LIST, seconds=0.3, times=1)
    poll = hass.async_create_task(entry.runtime_data.coordinator.async_refresh())
    await replace_token_during(hass, service, entry, LIST)
    await poll
    await hass.async_block_till_done(wait_background_tasks=True)
    assert reauth_flows(hass, entry) == []
    assert hass.states.get("sensor.gosms_ru_total_messages").state == "0"


@pytest.mark.freeze_time(NOON)
async def test_a_repair_of_the_token_before_goes_by_proof_alone(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    def reason() -> list[str]:
        reason: list[str] = hass.states.get("binary_sensor.gosms_ru_problem").attributes["reason"]
        return reason

    await set_up(hass, entry)
    service.account.permissions.discard(Permission.SEND)
    with pytest.raises(HomeAssistantError):
        await send(hass, "Hello")
    assert reason() == ["no_send_permission"]
    service.account.token = NEW_TOKEN
    service.account.permissions.add(Permission.SEND)
    change_token(hass, entry, NEW_TOKEN)
    await hass.async_block_till_done()
    assert reason() == ["no_send_permission"]
    await send(hass, "Hello")
    assert reason() == []


@pytest.mark.freeze_time(NOON)
async def test_what_is_queued_leaves_at_once_with_a_new_address(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    url = entry.data["url"]
    hass.config_entries.async_update_entry(entry, data={**entry.data, "url": "http://127.0.0.1:9/v1"})
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    hass.config_entries.async_update_entry(entry, data={**entry.data, "url": url})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert texts(service) == ["Water leak!"]


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize("token", [API_TOKEN, NEW_TOKEN], ids=["same", "new"])
async def test_reauth_touches_nothing_that_works(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, token: str
) -> None:
    await set_up(hass, entry)
    service.account.token = "another"
    await advance_time(hass, freezer, 61)
    service.account.token = token
    (flow,) = reauth_flows(hass, entry)
    with written_states(hass) as written:
        result = await hass.config_entries.flow.async_configure(flow["flow_id"], {"api_token": token})
        await hass.async_block_till_done()
    assert result["reason"] == "reauth_successful"
    assert written.keys() & (MUMS - {"sensor.mum_last_message_status"}) == set()
    assert hass.states.get("sensor.gosms_ru_total_messages").state == "0"
    assert entry.state is ConfigEntryState.LOADED


# While messages leave


UNLIMITED: Final = {"hourly_limit": 0, "notify_actions": True}


class Callers:
    """Automations that send all the time, with the notify entity and with both actions, and note what they hear."""

    def __init__(self, hass: HomeAssistant, *, pause: float) -> None:
        self.succeeded: list[str] = []
        self.failed: list[str] = []
        self._hass = hass
        self._pause = pause
        self._numbers = count(1)
        self._calls: list[asyncio.Task[None]] = []
        self._running = hass.async_create_background_task(self._run(), "callers")

    async def _run(self) -> None:
        while True:
            for domain, action in (("notify", "send_message"), ("gosms", "send_sms"), ("notify", "mum")):
                text = f"Alarm {next(self._numbers)}"
                self._calls.append(asyncio.create_task(self._call(domain, action, text)))
            await asyncio.sleep(self._pause)

    async def _call(self, domain: str, action: str, text: str) -> None:
        data = {"entity_id": "notify.mum", "message": text} if action != "mum" else {"message": text}
        try:
            await self._hass.services.async_call(domain, action, data, blocking=True)
        except HomeAssistantError:
            self.failed.append(text)
        else:
            self.succeeded.append(text)

    async def stop(self) -> None:
        """Stop, and wait for everything that follows."""
        self._running.cancel()
        await asyncio.gather(*self._calls)
        assert len(self.succeeded) + len(self.failed) == self.number
        await self._hass.async_block_till_done()

    @property
    def number(self) -> int:
        """How many calls there were."""
        return len(self._calls)


@pytest.fixture
def unlimited(entry: MockConfigEntry, hass: HomeAssistant, account: Account) -> None:
    """Let many messages leave at once."""
    account.rate_limit = None
    hass.config_entries.async_update_entry(entry, options=UNLIMITED)


async def assert_all_told_is_true(service: SimulatedService, callers: Callers) -> None:
    """Check that each message is on the server once if its caller was told so, and not otherwise."""
    async with asyncio.timeout(30):
        # What was queued during a reload is looked for before it is sent.
        while set(callers.succeeded) - set(texts(service)):
            await asyncio.sleep(0.05)
    assert sorted(texts(service)) == sorted(callers.succeeded)


@pytest.mark.usefixtures("unlimited")
async def test_thirty_recipients_are_added_while_messages_leave(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    callers = Callers(hass, pause=0.01)
    with written_states(hass) as written:
        for number in range(30):
            add_recipient(hass, entry, f"Neighbor {number}", f"790311122{number:02}")
            await asyncio.sleep(0.01)
        await callers.stop()
    assert callers.failed == []
    await assert_all_told_is_true(service, callers)
    assert len([each for each in hass.states.async_all("notify") if each.state != STATE_UNAVAILABLE]) == 32
    assert STATE_UNAVAILABLE not in {state for states in written.values() for state in states}
    assert "notify.dad" not in written


@pytest.mark.usefixtures("unlimited", "with_phone")
async def test_everything_changes_while_an_attempt_hangs_and_no_call_is_lost(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.add_phone(UUID)
    await set_up(hass, entry)
    # Longer than all changes take, also on a busy machine.
    service.faults.add(Fault.SLOW, endpoint=SEND, seconds=2, times=1)
    hanging = asyncio.create_task(send(hass, "Hanging", to="notify.dad"))
    await wait_until(lambda: len(service.requests_to(SEND)) == 1)
    callers = Callers(hass, pause=0.02)
    changes: list[Change] = [
        add_grandma,
        rename_mum,
        lambda hass, entry: change_subentry(hass, entry, "the_phone", data={"device_id": UUID, "sim": "default"}),
        lambda hass, entry: add_phone(hass, entry, device_id=f"{PHONE[:-1]}3"),
        lambda hass, entry: hass.config_entries.async_remove_subentry(entry, "the_phone"),
        lambda hass, entry: hass.config_entries.async_remove_subentry(entry, "the_recipient_grandma"),
        lambda hass, entry: hass.config_entries.async_update_entry(entry, options={**UNLIMITED, "country": "DE"}),
        lambda hass, entry: hass.config_entries.async_update_entry(
            entry, data={**entry.data, "url": service.url.replace("http", "HTTP")}
        ),
    ]
    with written_states(hass) as written:
        for change in changes:
            change(hass, entry)
            await asyncio.sleep(0.03)
        assert not hanging.done()
        await callers.stop()
        await hanging
    assert len(written["event.dad_message"]) == 1
    assert written["notify.dad"] == [hass.states.get("notify.dad").state]
    assert callers.failed == []
    callers.succeeded.append("Hanging")
    await assert_all_told_is_true(service, callers)


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize("hanging", [0.0, 0.2], ids=["idle", "hanging attempt"])
async def test_no_call_is_lost_while_the_account_is_reloaded(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hanging: float
) -> None:
    await set_up(hass, entry)
    callers = Callers(hass, pause=0.01)
    service.faults.add(Fault.SLOW, endpoint=SEND, seconds=hanging, times=1)
    for _ in range(3):
        await asyncio.sleep(0.02)
        assert await hass.config_entries.async_reload(entry.entry_id)
    await callers.stop()
    assert callers.failed == []
    await assert_all_told_is_true(service, callers)


async def test_a_reload_does_not_show_notify_entities_as_unavailable(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await send(hass, "Hello")
    with written_states(hass) as written:
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert "sensor.mum_last_message_status" in written
    assert written.keys().isdisjoint({"notify.mum", "notify.dad"})
    assert texts(service) == ["Hello"]


@pytest.mark.usefixtures("unlimited")
async def test_events_of_a_request_that_ends_while_unloading_are_told_once(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, recorded: RecordedEvents
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.SLOW, endpoint=SEND, seconds=0.3, times=1)
    sending = asyncio.create_task(send(hass, "Hello"))
    await wait_until(lambda: len(service.requests_to(SEND)) == 1)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await sending
    assert recorded.types == ["accepted"]


async def test_what_is_sent_to_an_unloaded_account_is_an_error(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.SLOW, endpoint=SEND, seconds=0.3, times=1)
    sending = asyncio.create_task(send(hass, "Hello"))
    await wait_until(lambda: len(service.requests_to(SEND)) == 1)
    unloading = asyncio.create_task(hass.config_entries.async_unload(entry.entry_id))
    await wait_until(lambda: entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Water leak!")
    assert error.value.translation_key == "account_not_loaded"
    assert await unloading
    await sending
    assert texts(service) == ["Hello"]
    assert hass.states.get("notify.mum").state == STATE_UNAVAILABLE


async def test_a_message_to_an_entity_that_is_about_to_go_is_an_error(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    # The entity is removed by a task that has not begun.
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Water leak!")
    assert error.value.translation_key == "account_not_loaded"
    assert texts(service) == []
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.states.get("notify.mum").state == STATE_UNAVAILABLE


# Changes while the account comes and goes


def everything_that_listens(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Return how many follow the account and Home Assistant."""
    data = entry.runtime_data
    # A file of Home Assistant listens for its end only until it is written, seconds after a change.
    bus = {
        event: count for event, count in hass.bus.async_listeners().items() if event != EVENT_HOMEASSISTANT_FINAL_WRITE
    }
    return {
        "bus": bus,
        "signals": {key: len(each) for key, each in hass.data["dispatcher"].items() if each and "gosms" in str(key)},
        "entry": (len(entry.update_listeners), len(entry._on_state_change or [])),
        "outbox": (len(data.outbox._store._listeners), len(data.outbox._publisher._listeners)),
        "coordinator": len(data.coordinator._listeners),
    }


@pytest.mark.usefixtures("with_phone", "unlimited")
async def test_nothing_of_what_was_removed_goes_on_listening(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.add_phone(UUID)
    await set_up(hass, entry)
    listening = everything_that_listens(hass, entry)
    add_grandma(hass, entry)
    add_phone(hass, entry, name="Spare", device_id=UUID)
    await hass.async_block_till_done()
    assert everything_that_listens(hass, entry) != listening
    await send(hass, "Hello", to="notify.grandma")
    for each in [each for each in entry.subentries.values() if each.title in {"Grandma", "Spare"}]:
        hass.config_entries.async_remove_subentry(entry, each.subentry_id)
    await hass.async_block_till_done()
    assert everything_that_listens(hass, entry) == listening
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert everything_that_listens(hass, entry) == listening

    outbox, coordinator = weakref.ref(entry.runtime_data.outbox), weakref.ref(entry.runtime_data.coordinator)
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    gc.collect()
    assert (outbox(), coordinator()) == (None, None)
    assert [key for key, each in hass.data["dispatcher"].items() if each and "gosms_" in str(key)] == []
    assert hass.states.async_all() == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [("permissions", set(Permission) - {Permission.READ}), ("token", NEW_TOKEN)],
    ids=["permission", "token"],
)
async def test_a_request_that_outlasts_its_account_leaves_no_repair(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, setting: str, value: object
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.SLOW, endpoint=LIST, seconds=0.2, times=1)
    before = len(service.requests_to(LIST))
    asking = asyncio.create_task(entry.runtime_data.client.list(search="Leak"))
    await wait_until(lambda: len(service.requests_to(LIST)) > before)
    setattr(service.account, setting, value)
    assert await hass.config_entries.async_remove(entry.entry_id)
    with pytest.raises(GoSmsApiError):
        await asking
    await hass.async_block_till_done()
    assert ir.async_get(hass).issues == {}
    assert hass.config_entries.flow.async_progress() == []


@pytest.mark.parametrize("moment", [ConfigEntryState.UNLOAD_IN_PROGRESS, ConfigEntryState.SETUP_IN_PROGRESS])
async def test_what_changes_while_the_account_is_reloaded_counts(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, moment: ConfigEntryState
) -> None:
    await set_up(hass, entry)
    service.account.add_phone(UUID)

    def change() -> None:
        if entry.state is moment:
            add_grandma(hass, entry)
            add_phone(hass, entry, name="Spare", device_id=UUID)
            hass.config_entries.async_remove_subentry(entry, "the_recipient_dad")
            rename_mum(hass, entry)
            change_token(hass, entry, NEW_TOKEN)
            service.account.token = NEW_TOKEN

    entry.async_on_state_change(change)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert set(devices(hass, entry)) == {"GoSMS.ru", "Mother", "Grandma", "Spare"}
    assert hass.states.get("sensor.spare_battery").state == "80"
    assert hass.states.get("notify.mum").name == "Mother"
    assert hass.states.get("notify.dad") is None
    await send(hass, "Hello", to="notify.grandma")
    assert [message.phone_number for message in service.account.messages] == [GRANDMA]
    assert hass.states.get("event.grandma_message").attributes["event_type"] == "accepted"


@pytest.mark.parametrize("spare", ["added", "removed", "renamed", "another one"])
async def test_a_phone_that_changes_during_the_setup_is_asked_for_once(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    spare: str,
) -> None:
    add_phone(hass, entry)
    service.account.add_phone(UUID)
    forward = hass.config_entries.async_forward_entry_setups

    async def forward_and_change(*arguments: Any) -> None:
        await forward(*arguments)
        changes: dict[str, Change] = {
            "added": lambda hass, entry: add_phone(hass, entry, name="Spare", device_id=UUID),
            "removed": lambda hass, entry: hass.config_entries.async_remove_subentry(entry, "the_phone"),
            "renamed": lambda hass, entry: change_subentry(hass, entry, "the_phone", title="Nokia"),
            "another one": lambda hass, entry: change_subentry(
                hass, entry, "the_phone", data={"device_id": UUID, "sim": "default"}, unique_id=UUID
            ),
        }
        changes[spare](hass, entry)
        # Long enough for a poll.
        await asyncio.sleep(0.1)

    with patch.object(hass.config_entries, "async_forward_entry_setups", forward_and_change):
        await set_up(hass, entry)
    asked = [cast("dict[str, str]", request.json)["device_id"] for request in service.requests_to(INFO)]
    names = set(devices(hass, entry)) - {"GoSMS.ru", "Mum", "Dad"}
    assert (sorted(asked), names) == {
        "added": (sorted([PHONE, UUID]), {"Pixel 8", "Spare"}),
        "removed": ([], set()),
        "renamed": ([PHONE], {"Nokia"}),
        "another one": ([UUID], {"Pixel 8"}),
    }[spare]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("step", ["async_update_account_device", "async_watch_plan"])
async def test_after_a_setup_that_failed_the_next_one_goes_on(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, step: str
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    await send(hass, "Hello")
    with (
        patch(f"custom_components.gosms.{step}", side_effect=RuntimeError),
        patch.object(hass.config_entries, "async_forward_entry_setups"),
    ):
        assert not await hass.config_entries.async_reload(entry.entry_id)
    service.faults.clear()
    assert await hass.config_entries.async_reload(entry.entry_id)
    async with asyncio.timeout(30):
        while texts(service) != ["Hello"]:
            await asyncio.sleep(0.05)
    assert [domain for domain, _ in ir.async_get(hass).issues] == []


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize("step", ["async_setup_notify_actions", "async_watch_plan"])
async def test_nothing_stays_of_an_account_whose_setup_failed(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, step: str
) -> None:
    with patch(f"custom_components.gosms.{step}", side_effect=RuntimeError):
        assert not await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert "mum" not in hass.services.async_services_for_domain("notify")
    assert hass.states.get("notify.mum").state == STATE_UNAVAILABLE
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert [key for key, each in hass.data["dispatcher"].items() if each and "gosms_sent" in str(key)] == []
    assert [each for each in hass.states.async_all() if each.domain == "notify"] == []


async def test_a_notify_entity_that_was_enabled_is_there_after_the_reload(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    registry = er.async_get(hass)
    registry.async_update_entity("notify.mum", disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert hass.states.get("notify.mum") is None
    registry.async_update_entity("notify.mum", disabled_by=None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await send(hass, "Hello")
    assert texts(service) == ["Hello"]


async def test_a_disabled_account_has_no_entities(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()
    assert {state.state for state in hass.states.async_all()} == {STATE_UNAVAILABLE}
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    await send(hass, "Hello")
    assert texts(service) == ["Hello"]


@pytest.mark.freeze_time(NOON)
async def test_a_change_while_unloading_failed_breaks_nothing(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.account.add_message(message="Of others", phone_number=DAD, status=Status.DELIVERED)
    entry.mock_state(hass, ConfigEntryState.FAILED_UNLOAD)
    add_grandma(hass, entry)
    await hass.async_block_till_done()
    await send(hass, "Hello")
    assert texts(service) == ["Of others", "Hello"]
    entry.mock_state(hass, ConfigEntryState.LOADED)
