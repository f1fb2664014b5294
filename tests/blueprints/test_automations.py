"""Automations from the blueprints work as described."""

from datetime import timedelta
from pathlib import Path
import shutil
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from simulator import Account, Delivery, Fault, Phone, Status
from tests.automation_helpers import advance_time_until, notifications, set_states, set_up_yaml
from tests.blueprints import FOLDER
from tests.common import DAD, MUM, PHONE, SimulatedService, add_phone, advance_minutes, advance_time, send
from tests.message_helpers import sent_messages

MESSAGES: Final = "event.gosms_ru_message"
BATTERY: Final = "sensor.pixel_8_battery"
ONLINE: Final = "binary_sensor.pixel_8_online"
# Something that happens beside an SMS.
NOTE: Final = {"action": "persistent_notification.create", "data": {"title": "Note", "message": "Valve closed"}}

# Tuesday, four in the morning in the time zone of the tests.
pytestmark = [
    pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"),
    pytest.mark.usefixtures("no_rate_limit", "init_integration"),
]


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Use a configuration folder with the blueprints, as after their import."""
    shutil.copytree(FOLDER, tmp_path / "blueprints/automation/gosms")
    return str(tmp_path)


@pytest.fixture
def entry(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """An account with two recipients and a phone, not set up yet."""
    add_phone(hass, entry)
    return entry


@pytest.fixture
def pixel(account: Account) -> Phone:
    """The account's phone, which reported just now."""
    return account.phones[PHONE]


async def use(hass: HomeAssistant, blueprint: str, **inputs: Any) -> None:
    """Create an automation from a blueprint, with the defaults of inputs that are not given."""
    await set_up_yaml(hass, {"alias": "Test", "use_blueprint": {"path": f"gosms/{blueprint}.yaml", "input": inputs}})


async def fail(hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, **data: str) -> None:
    """Send a message to Mum that is not delivered."""
    data = {"entity_id": "notify.mum", "message": "Leak", **data}
    await hass.services.async_call("gosms", "send_sms", data, blocking=True)
    service.account.set_status(service.account.messages[0].id, Status.DELIVERY_ERROR)
    await advance_time(hass, freezer, 6)


async def test_escalate_forwards_a_failed_message_only_once(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await use(hass, "escalate", events=[MESSAGES], recipients=["notify.dad"])
    await fail(hass, service, freezer)
    assert sent_messages(service) == [(MUM, "Leak"), (DAD, "Mum did not receive this: Leak")]

    service.account.set_status(service.account.messages[0].id, Status.DELIVERY_ERROR)
    await advance_time(hass, freezer, 6)
    assert hass.states.get("event.dad_message").attributes["event_type"] == "delivery_failed"
    assert len(sent_messages(service)) == 2


async def test_escalate_forwards_a_message_once_that_is_late_and_then_fails(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await use(hass, "escalate", events=[MESSAGES], recipients=["notify.dad"])
    await send(hass, "Leak")
    await advance_minutes(hass, freezer, 11)
    assert sent_messages(service)[1:] == [(DAD, "Mum did not receive this: Leak")]

    service.account.set_status(service.account.messages[-1].id, Status.DELIVERY_ERROR)
    await advance_minutes(hass, freezer, 2)
    assert hass.states.get("event.mum_message").attributes["event_type"] == "delivery_failed"
    assert len(sent_messages(service)) == 2


async def test_escalate_forwards_a_message_of_ten_parts(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await use(hass, "escalate", events=[MESSAGES], recipients=["notify.dad"])
    await fail(hass, service, freezer, message="Water leak " * 240)
    assert [number for number, _ in sent_messages(service)] == [MUM] * 10 + [DAD] * 10


async def test_escalate_ignores_messages_with_another_tag(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await use(hass, "escalate", events=[MESSAGES], recipients=["notify.dad"], tag="alarm")
    await fail(hass, service, freezer)
    await fail(hass, service, freezer, tag="report")
    assert [number for number, _ in sent_messages(service)] == [MUM, MUM]
    await fail(hass, service, freezer, tag="alarm")
    assert [number for number, _ in sent_messages(service)] == [MUM, MUM, MUM, DAD]


async def test_escalate_acts_once_if_account_and_recipient_are_chosen(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    note = {"action": NOTE["action"], "data": {"message": "{{ recipient }}: {{ message }}"}}
    await use(hass, "escalate", events=[MESSAGES, "event.mum_message"], actions=[note])
    await fail(hass, service, freezer)
    assert [text for _, text in notifications(hass)] == ["Mum: Leak"]


async def test_escalate_runs_its_actions_even_if_forwarding_fails(
    hass: HomeAssistant, service: SimulatedService
) -> None:
    service.account.quota = 0
    note = {"action": NOTE["action"], "data": {"title": "{{ outcome }}", "message": "{{ recipient }}: {{ message }}"}}
    await use(hass, "escalate", events=["event.mum_message"], recipients=["notify.dad"], actions=[note])
    data = {"entity_id": "notify.mum", "message": "Leak"}
    await hass.services.async_call("gosms", "send_sms", data, blocking=True, return_response=True)
    await hass.async_block_till_done()
    assert notifications(hass) == [("refused", "Mum: Leak")]


async def test_escalate_forwards_nothing_again_after_a_reload(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await fail(hass, service, freezer)
    await use(hass, "escalate", events=[MESSAGES], recipients=["notify.dad"])
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(MESSAGES).attributes["event_type"] == "delivery_failed"
    assert sent_messages(service) == [(MUM, "Leak")]


async def test_gateway_phone_reports_a_low_battery(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, pixel: Phone
) -> None:
    await use(hass, "gateway_phone", battery=[BATTERY], online=[ONLINE])
    pixel.battery = 19
    await advance_minutes(hass, freezer, 5)
    text = "The battery is at 19 %. Charge the phone, or no SMS can be sent."
    assert notifications(hass) == [("SMS gateway: Pixel 8", text)]


async def test_gateway_phone_reports_a_long_offline_period_and_the_return(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, service: SimulatedService, pixel: Phone
) -> None:
    await use(hass, "gateway_phone", online=[ONLINE])
    pixel.set_online(online=False, now=service.account.clock())
    await advance_minutes(hass, freezer, 20)
    assert hass.states.get(ONLINE).state == "off"
    assert notifications(hass) == []

    await advance_minutes(hass, freezer, 5)
    ((title, text),) = notifications(hass)
    assert (title, text.split(",")[0]) == ("SMS gateway: Pixel 8", "The phone is offline")

    pixel.set_online(online=True, now=service.account.clock())
    await advance_minutes(hass, freezer, 5)
    assert notifications(hass) == [("SMS gateway: Pixel 8", "The phone is back online.")]


async def test_gateway_phone_reports_no_short_absence_and_no_unwanted_return(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, service: SimulatedService, pixel: Phone
) -> None:
    await use(hass, "gateway_phone", online=[ONLINE], tell_return=False, actions=[NOTE], offline_for={"hours": 1})
    pixel.set_online(online=False, now=service.account.clock())
    await advance_minutes(hass, freezer, 20)
    pixel.set_online(online=True, now=service.account.clock())
    await advance_minutes(hass, freezer, 5)
    assert hass.states.get(ONLINE).state == "on"
    assert notifications(hass) == []


@pytest.mark.parametrize(("source", "name"), [("power", "Power"), ("internet", "Internet")])
async def test_power_is_back_reports_the_outage_duration_to_all_recipients(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, source: str, name: str
) -> None:
    await use(hass, "power_is_back", recipients=["notify.mum", "notify.dad"], **{source: ["binary_sensor.mains"]})
    await set_states(hass, "binary_sensor.mains", "on", "off")
    freezer.tick(timedelta(hours=1, minutes=12))
    await set_states(hass, "binary_sensor.mains", "on")
    text = f"{name} is back at home. It was off for 1 hour 12 minutes."
    assert sorted(sent_messages(service)) == [(MUM, text), (DAD, text)]


async def test_power_is_back_ignores_short_outages_and_restarts(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await use(hass, "power_is_back", recipients=["notify.mum"], power=["binary_sensor.mains"])
    await set_states(hass, "binary_sensor.mains", "on", "off")
    freezer.tick(60)
    await set_states(hass, "binary_sensor.mains", "on", "unavailable")
    freezer.tick(3600)
    await set_states(hass, "binary_sensor.mains", "on")
    assert sent_messages(service) == []


@pytest.mark.parametrize(
    ("minutes", "texts"),
    [(2, []), (90, [(MUM, "Power is back at home. It was off for 1 hour 30 minutes.")])],
    ids=["a restart", "a power cut"],
)
async def test_power_is_back_detects_a_home_assistant_outage_by_its_heartbeat(
    hass: HomeAssistant,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    minutes: int,
    texts: list[tuple[str, str]],
) -> None:
    helper = {"last_alive": {"has_date": True, "has_time": True, "initial": "2026-11-24 04:00:00"}}
    assert await async_setup_component(hass, "input_datetime", {"input_datetime": helper})
    freezer.tick(timedelta(minutes=minutes))
    hass.set_state(CoreState.starting)
    await use(hass, "power_is_back", recipients=["notify.mum"], heartbeat=["input_datetime.last_alive"])
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    assert sent_messages(service) == texts
    alive = dt_util.utc_from_timestamp(hass.states.get("input_datetime.last_alive").attributes["timestamp"])
    assert alive == dt_util.utcnow().replace(microsecond=0)


async def test_power_is_back_updates_its_heartbeat(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    helper = {"last_alive": {"has_date": True, "has_time": True, "initial": "2026-11-24 00:00:00"}}
    assert await async_setup_component(hass, "input_datetime", {"input_datetime": helper})
    await use(hass, "power_is_back", recipients=["notify.mum"], heartbeat=["input_datetime.last_alive"])
    await advance_minutes(hass, freezer, 5)
    assert hass.states.get("input_datetime.last_alive").state == "2026-11-24 04:05:00"


async def test_power_is_back_updates_its_heartbeat_when_home_assistant_stops(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    helper = {"last_alive": {"has_date": True, "has_time": True, "initial": "2026-11-24 04:00:00"}}
    assert await async_setup_component(hass, "input_datetime", {"input_datetime": helper})
    # Between two beats.
    freezer.tick(timedelta(minutes=1))
    await use(hass, "power_is_back", recipients=["notify.mum"], heartbeat=["input_datetime.last_alive"])
    freezer.tick(timedelta(minutes=3))
    await hass.async_stop()
    assert hass.states.get("input_datetime.last_alive").state == "2026-11-24 04:04:00"


async def test_power_is_back_is_not_triggered_without_a_heartbeat(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await use(hass, "power_is_back", recipients=["notify.mum"], power=["binary_sensor.mains"])
    await advance_minutes(hass, freezer, 10)
    assert hass.states.get("automation.test").attributes["last_triggered"] is None


async def to_monday_noon(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Advance the time to the self-test."""
    freezer.move_to(dt_util.now().replace(hour=12) + timedelta(days=6))
    async_fire_time_changed(hass)


@pytest.mark.parametrize(
    ("ending", "expected"), [(Status.DELIVERED, "delivered"), (Status.DELIVERED, "sent"), (Status.SENT, "sent")]
)
async def test_self_test_runs_only_its_passed_actions_on_success(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, ending: Status, expected: str
) -> None:
    service.account.delivery = Delivery.ending(ending)
    note = {"action": NOTE["action"], "data": {"message": "{{ status }}"}}
    await use(hass, "self_test", recipient="notify.mum", expected=expected, passed=[note])
    await to_monday_noon(hass, freezer)
    await advance_time_until(hass, freezer, lambda: notifications(hass))
    assert notifications(hass) == [(None, expected)]
    assert sent_messages(service) == [
        (MUM, "Home Assistant self-test on 30.11.2026. If you can read this, everything works.")
    ]


async def test_self_test_reports_a_message_that_does_not_arrive_in_time(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    service.account.delivery = Delivery.ending(Status.SENT)
    await use(hass, "self_test", recipient="notify.mum")
    await to_monday_noon(hass, freezer)
    began = dt_util.utcnow()
    await advance_time_until(hass, freezer, lambda: notifications(hass))
    assert dt_util.utcnow() - began >= timedelta(minutes=5)
    assert notifications(hass) == [("SMS self-test failed", "Status: sent.")]


async def test_self_test_reports_the_reason_and_dismisses_it_on_success(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    service.account.quota = 0
    await use(hass, "self_test", recipient="notify.mum")
    await to_monday_noon(hass, freezer)
    await advance_time_until(hass, freezer, lambda: notifications(hass))
    ((_, text),) = notifications(hass)
    assert text.startswith("Status: refused. The plan's number of messages for this month is used up")

    service.account.quota = None
    service.account.delivery = Delivery.ending()
    freezer.tick(timedelta(days=7))
    async_fire_time_changed(hass)
    await advance_time_until(hass, freezer, lambda: not notifications(hass))
    assert len(sent_messages(service)) == 1


async def test_self_test_reports_a_disabled_recipient(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    await use(hass, "self_test", recipient="notify.mum")
    er.async_get(hass).async_update_entity("notify.mum", disabled_by=er.RegistryEntryDisabler.USER)
    await to_monday_noon(hass, freezer)
    await hass.async_block_till_done()
    assert [title for title, _ in notifications(hass)] == ["SMS self-test failed"]


async def test_alarm_reports_the_area_to_everyone_with_the_label(
    hass: HomeAssistant, service: SimulatedService, family_label: str
) -> None:
    area = ar.async_get(hass).async_create("Cellar")
    registry = er.async_get(hass)
    leak = registry.async_get_or_create("binary_sensor", "test", "1", suggested_object_id="leak")
    registry.async_update_entity(leak.entity_id, area_id=area.id)
    await use(hass, "alarm", sensors=["binary_sensor.leak", "binary_sensor.smoke"], label=family_label, actions=[NOTE])
    await set_states(hass, "binary_sensor.leak", "off", "on", friendly_name="Leak sensor")
    assert sent_messages(service) == [(DAD, "ALARM: Leak sensor, Cellar")]
    assert notifications(hass) == [("Note", "Valve closed")]
    assert hass.states.get("event.dad_message").attributes["tag"] == "alarm"


async def test_alarm_reports_each_sensor_once_per_guard_period(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, family_label: str
) -> None:
    await use(hass, "alarm", sensors=["binary_sensor.leak", "binary_sensor.smoke"], label=family_label, guard=30)
    await set_states(hass, "binary_sensor.leak", *["off", "on"] * 5)
    await set_states(hass, "binary_sensor.smoke", "off", "on")
    assert sent_messages(service) == [(DAD, "ALARM: leak"), (DAD, "ALARM: smoke")]
    freezer.tick(timedelta(minutes=30))
    await set_states(hass, "binary_sensor.leak", "off", "on")
    assert sent_messages(service)[2:] == [(DAD, "ALARM: leak")]


async def test_alarm_reports_a_leak_when_its_unavailable_sensor_returns(
    hass: HomeAssistant, service: SimulatedService, family_label: str
) -> None:
    await use(hass, "alarm", sensors=["binary_sensor.leak"], label=family_label)
    await set_states(hass, "binary_sensor.leak", "unavailable", "on")
    assert sent_messages(service) == [(DAD, "ALARM: leak")]


async def test_alarm_is_silent_while_disarmed_or_not_steady(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, family_label: str
) -> None:
    await set_states(hass, "input_boolean.away", "off")
    inputs = {"sensors": ["binary_sensor.door"], "armed": ["input_boolean.away"], "steady": {"seconds": 10}}
    await use(hass, "alarm", label=family_label, **inputs)
    await set_states(hass, "binary_sensor.door", "off", "on")
    await advance_time(hass, freezer, 11)
    await set_states(hass, "input_boolean.away", "on")
    await set_states(hass, "binary_sensor.door", "off", "on")
    await advance_time(hass, freezer, 5)
    await set_states(hass, "binary_sensor.door", "off", "on")
    await advance_time(hass, freezer, 5)
    assert sent_messages(service) == []
    await advance_time(hass, freezer, 6)
    assert sent_messages(service) == [(DAD, "ALARM: door")]


async def test_alarm_sends_the_sms_even_if_another_action_fails(
    hass: HomeAssistant, service: SimulatedService, family_label: str
) -> None:
    broken = {"action": "valve.close_valve", "target": {"entity_id": "valve.none"}}
    await use(hass, "alarm", sensors=["binary_sensor.leak"], label=family_label, actions=[broken])
    await set_states(hass, "binary_sensor.leak", "off", "on")
    assert sent_messages(service) == [(DAD, "ALARM: leak")]


async def say(hass: HomeAssistant, text: str) -> str:
    """Say something to Assist, and return the answer."""
    answer: Any = await hass.services.async_call(
        "conversation", "process", {"text": text}, blocking=True, return_response=True
    )
    return str(answer["response"]["speech"]["plain"]["speech"])


@pytest.fixture
async def assist(hass: HomeAssistant) -> None:
    """Set up Assist."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "conversation", {})


@pytest.mark.usefixtures("assist")
@pytest.mark.parametrize(
    ("sentence", "inputs"),
    [
        ("Text mum that I will be late", {}),
        ("sms Mum I will be late", {}),
        ("Send mum a text that says I will be late", {}),
        ("Напиши маме I will be late", {"sentences": ["напиши маме {message}"]}),
    ],
)
async def test_voice_sends_what_was_said(
    hass: HomeAssistant, service: SimulatedService, sentence: str, inputs: dict[str, Any]
) -> None:
    await use(hass, "voice", recipient="notify.mum", **inputs)
    assert await say(hass, sentence) == "The SMS is on its way."
    assert [(number, text.lower()) for number, text in sent_messages(service)] == [(MUM, "i will be late")]


@pytest.mark.usefixtures("assist")
async def test_voice_answers_that_the_message_is_queued_or_failed(
    hass: HomeAssistant, service: SimulatedService
) -> None:
    await use(hass, "voice", recipient="notify.mum")
    service.account.quota = 0
    assert (await say(hass, "text mum hello")).startswith("The SMS was not sent. The plan")
    service.account.quota = None
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint="POST /sms/send")
    assert "queued" in await say(hass, "text mum hello")


@pytest.mark.usefixtures("assist")
async def test_voice_answers_that_the_recipient_is_disabled(hass: HomeAssistant) -> None:
    await use(hass, "voice", recipient="notify.mum")
    er.async_get(hass).async_update_entity("notify.mum", disabled_by=er.RegistryEntryDisabler.USER)
    assert (await say(hass, "text mum hello")).startswith("The SMS was not sent.")
