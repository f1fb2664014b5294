"""The entities of a phone: battery, connectivity, sending; and their effect on messages."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events, async_mock_service

from simulator import NEW, OLD, Account, Fault, Generation, Permission, Phone, Sim, Status
from tests.common import PHONE, SimulatedService, add_phone, advance_minutes, advance_time, send, set_up

INFO: Final = "POST /devices/get/info"
EDIT: Final = "POST /devices/edit"
SEND: Final = "POST /sms/send"
UUID: Final = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"

BATTERY: Final = "sensor.pixel_8_battery"
LAST_SEEN: Final = "sensor.pixel_8_last_seen"
SIM: Final = "sensor.pixel_8_sim_card"
CHARGING: Final = "binary_sensor.pixel_8_charging"
ONLINE: Final = "binary_sensor.pixel_8_online"
SENDING: Final = "switch.pixel_8_sending"
PROBLEM: Final = "binary_sensor.gosms_ru_problem"
TOTAL: Final = "sensor.gosms_ru_total_messages"

MINUTE: Final = 60
NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)

pytestmark = [pytest.mark.freeze_time(NOON), pytest.mark.usefixtures("no_rate_limit")]


@pytest.fixture
def pixel(account: Account) -> Phone:
    """The account's phone, which reported just now."""
    return account.phones[PHONE]


@pytest.fixture
def entry(hass: HomeAssistant, entry: MockConfigEntry, account: Account) -> MockConfigEntry:
    """An account with two recipients and a phone, not set up yet."""
    # Hours pass here within a moment of the service's own stopwatch.
    account.rate_limit = None
    add_phone(hass, entry)
    return entry


def states(hass: HomeAssistant, *entity_ids: str) -> list[str]:
    """Return the states of some entities."""
    return [hass.states.get(entity_id).state for entity_id in entity_ids or (BATTERY, CHARGING, ONLINE, SENDING)]


@pytest.mark.usefixtures("all_entities_enabled")
@pytest.mark.parametrize("generation", [OLD, NEW], ids=["old", "new"])
@pytest.mark.parametrize("device_id", [PHONE, UUID], ids=["hex", "uuid"])
async def test_a_phone_works_with_every_api_generation_and_id_format(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, generation: Generation, device_id: str
) -> None:
    service.account.generation = generation
    service.account.add_phone(UUID, battery=17, is_charging=True, to_sim=1)
    subentry = entry.subentries["the_phone"]
    hass.config_entries.async_update_subentry(entry, subentry, data={"device_id": device_id, "sim": "default"})
    await set_up(hass, entry)

    expected = {PHONE: ["80", "off", "on", "on", "default"], UUID: ["17", "on", "on", "on", "Beeline"]}
    assert states(hass, BATTERY, CHARGING, ONLINE, SENDING, SIM) == expected[device_id]
    assert hass.states.get(LAST_SEEN).state == NOON.isoformat()


async def test_the_device_of_a_phone_is_described_by_gosms(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, pixel: Phone
) -> None:
    pixel.name, pixel.name_type = "Xiaomi Mi Note 10 Lite", "Mobile phone"
    await set_up(hass, entry)
    registry = dr.async_get(hass)
    devices = {device.name: device for device in dr.async_entries_for_config_entry(registry, entry.entry_id)}
    device = devices["Pixel 8"]
    assert device.via_device_id == devices["GoSMS.ru"].id
    assert (device.name, device.model, device.model_id) == ("Pixel 8", "Mobile phone", "Xiaomi Mi Note 10 Lite")
    # The names of its SIM cards are no version of its hardware, which is what the interface would call them.
    assert (device.manufacturer, device.hw_version, device.entry_type) == (None, None, None)
    assert device.configuration_url == "https://cms.gosms.ru/devices"

    # A dead service after a restart takes nothing away again; another name shows.
    service.faults.add(Fault.BAD_GATEWAY)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert registry.async_get(device.id).model_id == "Xiaomi Mi Note 10 Lite"
    service.faults.clear()
    pixel.name = "Xiaomi Mi 9"
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert registry.async_get(device.id).model_id == "Xiaomi Mi 9"


@pytest.mark.parametrize("age", [0, 1, 150, 299])
async def test_a_reporting_phone_never_appears_offline(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    pixel: Phone,
    freezer: FrozenDateTimeFactory,
    age: int,
) -> None:
    pixel.registered -= age
    await set_up(hass, entry)
    online = [hass.states.get(ONLINE).state]
    for _ in range(60):
        await advance_time(hass, freezer, MINUTE)
        online.append(hass.states.get(ONLINE).state)
    assert set(online) == {STATE_ON}
    assert len(service.requests_to(INFO)) == 13


@pytest.mark.parametrize("drift", [0, 7200, -7200])
async def test_a_silent_phone_goes_offline_on_time_by_the_server_clock(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    account: Account,
    pixel: Phone,
    freezer: FrozenDateTimeFactory,
    drift: int,
) -> None:
    # Home Assistant's own clock is wrong.
    freezer.move_to(NOON + timedelta(seconds=drift))
    own_clock = account.clock
    account.clock = lambda: own_clock() - drift
    pixel.registered = account.clock()
    await set_up(hass, entry)
    pixel.set_online(online=False, now=account.clock())
    await advance_minutes(hass, freezer, 10)
    await advance_time(hass, freezer, 59)
    assert hass.states.get(ONLINE).state == STATE_ON
    await advance_time(hass, freezer, 1)
    assert hass.states.get(ONLINE).state == STATE_OFF
    assert hass.states.get(BATTERY).state == "80"

    pixel.set_online(online=True, now=account.clock())
    await advance_minutes(hass, freezer, 5)
    assert hass.states.get(ONLINE).state == STATE_ON


async def test_the_online_state_of_a_phone_that_never_reported_is_unknown(
    hass: HomeAssistant, entry: MockConfigEntry, pixel: Phone
) -> None:
    pixel.frozen_last_online = datetime(1, 1, 1, tzinfo=UTC).timestamp()
    await set_up(hass, entry)
    assert hass.states.get(ONLINE).state == STATE_UNKNOWN


async def test_missing_phone_permission_makes_only_phones_unavailable(
    hass: HomeAssistant, entry: MockConfigEntry, account: Account, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    account.permissions.remove(Permission.SEE_PHONES)
    await advance_minutes(hass, freezer, 6)
    assert set(states(hass)) == {STATE_UNAVAILABLE}
    assert hass.states.get(TOTAL).state == "0"

    account.permissions.add(Permission.SEE_PHONES)
    await advance_minutes(hass, freezer, 5)
    assert states(hass) == ["80", "off", "on", "on"]


async def test_a_phone_is_unavailable_in_an_outage_that_is_logged_once(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.BAD_GATEWAY, endpoint=INFO)
    await advance_minutes(hass, freezer, 16)
    assert set(states(hass)) == {STATE_UNAVAILABLE}
    assert caplog.text.count("Error fetching GoSMS.ru phone data") == 1

    service.faults.clear()
    await advance_minutes(hass, freezer, 5)
    assert states(hass) == ["80", "off", "on", "on"]
    assert caplog.text.count("Fetching GoSMS.ru phone data recovered") == 1


async def test_a_phone_is_back_as_soon_as_the_service_is(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.FORBIDDEN)
    await advance_time(hass, freezer, 5 * MINUTE)
    assert hass.states.get(BATTERY).state == hass.states.get(TOTAL).state == STATE_UNAVAILABLE
    service.faults.clear()
    polls = len(service.requests_to(INFO))
    await advance_time(hass, freezer, MINUTE)
    assert hass.states.get(TOTAL).state == "0"
    assert hass.states.get(BATTERY).state == "80"
    assert len(service.requests_to(INFO)) == polls + 1


@pytest.mark.usefixtures("all_entities_enabled")
async def test_an_unchanged_report_updates_only_last_seen(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, pixel: Phone, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    written: list[str] = []

    @callback
    def note(event: Event[Any]) -> None:
        written.append(event.data["entity_id"])

    hass.bus.async_listen(EVENT_STATE_CHANGED, note)
    # Home Assistant fires this one only for listeners that filter it.
    hass.bus.async_listen(EVENT_STATE_REPORTED, note, event_filter=callback(lambda _: True))
    await advance_minutes(hass, freezer, 6)
    assert len(service.requests_to(INFO)) == 2
    assert written == [LAST_SEEN]

    pixel.battery = 79
    await advance_minutes(hass, freezer, 5)
    assert written == [LAST_SEEN, BATTERY, LAST_SEEN]


async def test_a_phone_is_polled_with_all_its_entities_disabled(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    registry = er.async_get(hass)
    for entity_id in (BATTERY, CHARGING, ONLINE, SENDING):
        registry.async_update_entity(entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    before = len(service.requests_to(INFO))
    await advance_minutes(hass, freezer, 11)
    assert len(service.requests_to(INFO)) == before + 2


@pytest.mark.parametrize(
    ("sim", "sims", "state"),
    [
        (-2, (), "default"),
        (-1, (), "random"),
        (0, (Sim(slot_index=0, display_name="MTS"), Sim(slot_index=1, display_name="Beeline")), "MTS"),
        (1, (Sim(slot_index=1, display_name=""),), "SIM 2"),
        (0, (), "SIM 1"),
        (0, (Sim(slot_index=0, display_name="M" * 300),), "M" * 255),
        (None, (), STATE_UNKNOWN),
    ],
)
@pytest.mark.usefixtures("all_entities_enabled")
async def test_the_sim_card_sensor_shows_the_name_from_the_phone(
    hass: HomeAssistant, entry: MockConfigEntry, pixel: Phone, sim: int, sims: tuple[Sim, ...], state: str
) -> None:
    pixel.to_sim, pixel.sims = sim, sims
    await set_up(hass, entry)
    assert hass.states.get(SIM).state == state


async def use_sending_switch(hass: HomeAssistant, *, on: bool) -> None:
    """Use the switch, and wait for everything that follows."""
    await hass.services.async_call("switch", "turn_on" if on else "turn_off", {"entity_id": SENDING}, blocking=True)
    await hass.async_block_till_done()


@pytest.mark.parametrize("on", [True, False])
async def test_the_switch_sends_the_requested_state_and_refreshes(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, pixel: Phone, *, on: bool
) -> None:
    pixel.is_active = not on
    await set_up(hass, entry)
    await use_sending_switch(hass, on=on)
    (request,) = service.requests_to(EDIT)
    assert request.json == {"id": PHONE, "device_id": PHONE, "is_active": on}
    assert pixel.is_active is on
    assert hass.states.get(SENDING).state == (STATE_ON if on else STATE_OFF)
    assert [request.endpoint for request in service.requests][-2:] == [EDIT, INFO]


async def test_the_switch_shows_the_accepted_state_until_the_next_poll(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, pixel: Phone, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    changed = async_capture_events(hass, EVENT_STATE_CHANGED)
    service.faults.add(Fault.BAD_GATEWAY, endpoint=INFO, times=1)
    await use_sending_switch(hass, on=False)
    assert [event.data["new_state"].state for event in changed if event.data["entity_id"] == SENDING] == [
        STATE_OFF,
        STATE_UNAVAILABLE,
    ]
    # Somebody switched it on again in the control panel.
    pixel.is_active = True
    await advance_minutes(hass, freezer, 6)
    assert hass.states.get(SENDING).state == STATE_ON


@pytest.mark.parametrize(
    ("fault", "code", "key"),
    [
        (Fault.CODE, 1012, "unknown_phone"),
        (Fault.CODE, 1013, "no_device_permission"),
        (Fault.CODE, 1016, "unknown_phone"),
        (Fault.CODE, 3000, "account_blocked"),
        (Fault.UNAUTHORIZED, 1000, "invalid_auth"),
        (Fault.BAD_GATEWAY, 1000, "service_error"),
        (Fault.REFUSE, 1000, "no_answer"),
        (Fault.CUT_BEFORE, 1000, "no_answer"),
    ],
)
async def test_a_refused_switch_raises_the_reason_and_keeps_its_state(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    pixel: Phone,
    fault: Fault,
    code: int,
    key: str,
) -> None:
    await set_up(hass, entry)
    service.faults.add(fault, endpoint=EDIT, code=code)
    with pytest.raises(HomeAssistantError) as error:
        await use_sending_switch(hass, on=False)
    assert error.value.translation_key == key
    assert hass.states.get(SENDING).state == STATE_ON
    assert pixel.is_active


async def test_a_switch_without_a_response_shows_the_actual_state(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=EDIT)
    with pytest.raises(HomeAssistantError):
        await use_sending_switch(hass, on=False)
    assert hass.states.get(SENDING).state == STATE_OFF


async def test_home_assistants_battery_triggers_fire_for_the_phone(
    hass: HomeAssistant, entry: MockConfigEntry, pixel: Phone, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    called = async_mock_service(hass, "test", "low")
    charging = async_mock_service(hass, "test", "charging")
    below = {"threshold": {"type": "below", "value": {"number": 20}}}
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": [
                {
                    "triggers": {
                        "trigger": "battery.level_crossed_threshold",
                        "target": {"entity_id": BATTERY},
                        "options": below,
                    },
                    "actions": {"action": "test.low"},
                },
                {
                    "triggers": {"trigger": "battery.started_charging", "target": {"entity_id": CHARGING}},
                    "actions": {"action": "test.charging"},
                },
            ]
        },
    )
    await hass.async_block_till_done()
    pixel.battery = 19
    await advance_minutes(hass, freezer, 5)
    assert (len(called), len(charging)) == (1, 0)
    pixel.is_charging = True
    await advance_minutes(hass, freezer, 5)
    assert (len(called), len(charging)) == (1, 1)


@pytest.mark.parametrize("status", [None, Status.SEND_ERROR])
async def test_a_failed_message_refreshes_its_phone(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    pixel: Phone,
    freezer: FrozenDateTimeFactory,
    status: Status | None,
) -> None:
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone"})
    await set_up(hass, entry)
    pixel.battery = 3
    for code in [1006] if status is None else []:
        service.faults.add(Fault.CODE, endpoint=SEND, code=code)
    with contextlib.suppress(HomeAssistantError):
        await send(hass, "Water leak!")
    await hass.async_block_till_done(wait_background_tasks=True)
    for message in service.account.messages:
        service.account.set_status(message.id, status or 0)
    await advance_time(hass, freezer, MINUTE)
    assert hass.states.get(BATTERY).state == "3"
    assert len(service.requests_to(INFO)) == 2


async def test_a_failed_message_without_a_chosen_phone_refreshes_no_phone(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CODE, endpoint=SEND, code=1006)
    with pytest.raises(HomeAssistantError):
        await send(hass, "Water leak!")
    await advance_time(hass, freezer, MINUTE)
    assert len(service.requests_to(INFO)) == 1


@pytest.mark.parametrize(
    ("lost", "switched_off", "spare", "sent_with"),
    [
        (True, False, True, None),
        (False, True, True, None),
        (True, False, False, PHONE),
        (False, False, True, PHONE),
    ],
    ids=["offline", "off", "no other", "fit"],
)
async def test_any_phone_is_used_if_the_chosen_one_cannot_send_but_another_can(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    pixel: Phone,
    caplog: pytest.LogCaptureFixture,
    *,
    lost: bool,
    switched_off: bool,
    spare: bool,
    sent_with: str | None,
) -> None:
    service.account.add_phone(UUID, is_active=spare)
    add_phone(hass, entry, name="Spare", device_id=UUID)
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone"})
    pixel.frozen_last_online = pixel.registered - 12 * MINUTE if lost else None
    pixel.is_active = not switched_off
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    (message,) = service.account.messages
    assert message.device_id == (sent_with or "")
    assert hass.states.get("event.mum_message").attributes["phone"] == (sent_with and "Pixel 8")
    assert caplog.text.count("A message is sent with any phone") == (sent_with is None)
    assert "Pixel 8" not in [record.message for record in caplog.records if "leaves with any" in record.message]


async def test_there_is_no_fallback_from_a_phone_in_an_unknown_state(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, pixel: Phone
) -> None:
    service.account.add_phone(UUID)
    add_phone(hass, entry, name="Spare", device_id=UUID)
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone"})
    pixel.is_active = False
    service.faults.add(Fault.BAD_GATEWAY, endpoint=INFO)
    await set_up(hass, entry)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Water leak!")
    assert error.value.translation_key == "no_active_phone"


async def test_phone_states_when_offline_without_permission_and_deleted(
    hass: HomeAssistant, entry: MockConfigEntry, account: Account, pixel: Phone, freezer: FrozenDateTimeFactory
) -> None:
    def seen() -> list[str | list[str]]:
        return [*states(hass, BATTERY, ONLINE), hass.states.get(PROBLEM).attributes["reason"]]

    await set_up(hass, entry)
    assert seen() == ["80", "on", []]
    pixel.set_online(online=False, now=account.clock())
    await advance_minutes(hass, freezer, 11)
    assert seen() == ["80", "off", []]
    pixel.set_online(online=True, now=account.clock())
    await advance_minutes(hass, freezer, 5)
    assert seen() == ["80", "on", []]
    account.permissions.remove(Permission.SEE_PHONES)
    await advance_minutes(hass, freezer, 5)
    assert seen() == ["unavailable", "unavailable", ["no_device_permission"]]
    account.permissions.add(Permission.SEE_PHONES)
    await advance_minutes(hass, freezer, 5)
    assert seen() == ["80", "on", []]
    del account.phones[PHONE]
    await advance_minutes(hass, freezer, 5)
    assert seen() == ["unavailable", "unavailable", ["unknown_phone"]]
    hass.config_entries.async_remove_subentry(entry, "the_phone")
    await hass.async_block_till_done()
    assert hass.states.get(BATTERY) is hass.states.get(ONLINE) is None
    assert hass.states.get(PROBLEM).attributes["reason"] == []
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert {device.name for device in devices} == {"GoSMS.ru", "Mum", "Dad"}
