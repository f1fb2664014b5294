"""Every example in the documents works as described."""

from dataclasses import dataclass
from datetime import timedelta
import fnmatch
import re
import sys
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import AsyncMock

from freezegun.api import FrozenDateTimeFactory
from homeassistant.auth import mfa_modules
from homeassistant.components.logbook import CONFIG_SCHEMA as LOGBOOK_SCHEMA
from homeassistant.components.lovelace.const import LOVELACE_DATA
from homeassistant.components.recorder import CONFIG_SCHEMA as RECORDER_SCHEMA
from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util, slugify
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from simulator import Delivery, Fault, Status
from tests import PACKAGE
from tests.automation_helpers import add_label, advance_time_until, notifications, run_script, set_states, set_up_yaml
from tests.common import DAD, MUM, PHONE, SimulatedService, add_phone, add_recipient, advance_time, send
from tests.examples import example, untested_examples
from tests.message_helpers import sent_messages

MAMA: Final = "79160000000"
PAPA: Final = "79160000001"

pytestmark = [
    pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"),
    pytest.mark.usefixtures("no_rate_limit", "init_integration"),
]


@dataclass(frozen=True, kw_only=True)
class Leak:
    """The result of a leak automation."""

    sms: tuple[str, str]
    notification: tuple[str, str]


# By the names of the automations.
LEAKS: Final = {
    "Water leak": Leak(
        sms=(MUM, "Water leak in the bathroom\nThe valve is closed. Humidity: 80 %"),
        notification=("SMS not confirmed", "Mum may not know about the water leak. Please call her."),
    ),
    "Протечка": Leak(
        sms=(MAMA, "Протечка в ванной\nКран перекрыт. Влажность: 80 %"),
        notification=("SMS не подтверждено", "Мама может не знать о протечке. Позвоните ей."),
    ),
}
# By what the examples of a first message say.
FIRST: Final = {
    "The valve is closed.": (MUM, "Water leak\nThe valve is closed."),
    "Кран перекрыт.": (MAMA, "Протечка\nКран перекрыт."),
    "Home Assistant can send SMS now: 21 °C inside.": (MUM, "Home Assistant can send SMS now: 21 deg. C inside."),
    "Home Assistant умеет отправлять SMS. В доме 21 °C.": (
        MAMA,
        "Home Assistant умеет отправлять SMS. В доме 21 град. C.",
    ),
}
# By their texts.
PREVIEWS: Final = {
    "Kitchen: 21 °C → 24 °C": ("Kitchen: 21 deg. C -> 24 deg. C", "gsm7", "deg."),
    "Кухня: 21 °C → 24 °C": ("Кухня: 21 град. C -> 24 град. C", "ucs2", "град."),
}
# By the recipients of the examples of send_sms.
BOILER: Final = {
    "notify.mum": ("Mum", MUM, "Boiler: 65 deg. C"),
    "notify.mama": ("Мама", MAMA, "Котёл: 65 град. C"),
}
NUMBERS: Final = {"mum": MUM, "dad": DAD, "mama": MAMA, "papa": PAPA}
# By the names of the automations and scripts on the page about actions.
TWO_PEOPLE: Final = {
    "SMS on a leak": (MUM, DAD, "Water leak\nBathroom, 04:00. The valve is closed."),
    "SMS при протечке": (MAMA, PAPA, "Протечка\nВанная, 04:00. Кран перекрыт."),
}
NEXT: Final = {
    "Tell one of us": (MUM, DAD, "SMS not delivered to anyone"),
    "Сообщить одному из нас": (MAMA, PAPA, "SMS никому не доставлено"),
}
REPORTS: Final = {"Daily report": (MUM, "Home on 24.11.2026", "deg."),
                  "Вечерний отчёт": (MAMA, "Дом, 24.11.2026", "град.")}  # fmt: skip
MAILBOX: Final = {"Mailbox": (DAD, "There is mail."), "Почтовый ящик": (PAPA, "Пришла почта.")}
LABELS: Final = {"Smoke": ("Family", "dad", "Smoke: Kitchen!"), "Дым": ("Семья", "papa", "Дым: Kitchen!")}
VOICE: Final = {
    "SMS by voice": ("en", "Tell mum dinner is ready", (MUM, "dinner is ready"), "The SMS is on its way."),
    "SMS по голосовой команде": ("ru", "Напиши маме, что ужин готов", (MAMA, "ужин готов"), "SMS отправляется."),
}
SIM_CARD: Final = {
    "Through the work SIM card": (DAD, "The meeting room is too warm."),
    "С рабочей SIM-карты": (PAPA, "В переговорной слишком жарко."),
}
NOT_ARRIVED: Final = {"SMS not delivered": "SMS not delivered", "SMS не дошло": "SMS не дошло"}


@pytest.fixture
def entry(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """An account with two Russian recipients more, and a phone."""
    for name, number in (("Мама", MAMA), ("Папа", PAPA)):
        add_recipient(hass, entry, name, number)
    add_phone(hass, entry)
    return entry


def disable(hass: HomeAssistant, entity_id: str) -> None:
    """Disable the entity of a recipient: an action with no other target fails before it sends anything."""
    er.async_get(hass).async_update_entity(entity_id, disabled_by=er.RegistryEntryDisabler.USER)


async def say(hass: HomeAssistant, text: str, language: str) -> str:
    """Say something to Assist, and return the answer."""
    data = {"text": text, "language": language}
    answer: Any = await hass.services.async_call("conversation", "process", data, blocking=True, return_response=True)
    return str(answer["response"]["speech"]["plain"]["speech"])


def test_every_example_is_tested() -> None:
    assert untested_examples() == set()


@example(*LEAKS)
async def test_an_undelivered_leak_alert_creates_a_notification(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    leak = LEAKS[content["alias"]]
    hass.states.async_set("sensor.bathroom_humidity", "80")
    hass.states.async_set("binary_sensor.bathroom_leak", "off")
    await set_up_yaml(hass, content)
    hass.states.async_set("binary_sensor.bathroom_leak", "on")
    began = dt_util.utcnow()
    await advance_time_until(hass, freezer, lambda: notifications(hass))
    assert sent_messages(service) == [leak.sms]
    assert notifications(hass) == [leak.notification]
    assert dt_util.utcnow() - began >= timedelta(minutes=5)


@example(*LEAKS)
async def test_a_delivered_leak_alert_creates_no_notification(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    service.account.delivery = Delivery.ending()
    hass.states.async_set("sensor.bathroom_humidity", "80")
    hass.states.async_set("binary_sensor.bathroom_leak", "off")
    await set_up_yaml(hass, content)
    hass.states.async_set("binary_sensor.bathroom_leak", "on")
    (automation,) = hass.states.async_entity_ids("automation")
    await advance_time_until(hass, freezer, lambda: sent_messages(service))
    await advance_time_until(hass, freezer, lambda: hass.states.get(automation).attributes["current"] == 0)
    await hass.async_block_till_done()
    assert sent_messages(service) == [LEAKS[content["alias"]].sms]
    assert hass.states.get("event.gosms_ru_message").attributes["event_type"] == "delivered"
    assert notifications(hass) == []


@example(*LEAKS)
async def test_a_leak_alert_to_a_disabled_recipient_creates_a_notification(
    hass: HomeAssistant, content: dict[str, Any]
) -> None:
    disable(hass, content["actions"][0]["target"]["entity_id"])
    hass.states.async_set("sensor.bathroom_humidity", "80")
    await set_up_yaml(hass, content)
    await set_states(hass, "binary_sensor.bathroom_leak", "off", "on")
    assert notifications(hass) == [LEAKS[content["alias"]].notification]


@example(*NOT_ARRIVED)
async def test_an_undelivered_message_creates_a_notification(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    await send(hass, "Before")
    await set_up_yaml(hass, content)
    await send(hass, "Hello")
    service.account.set_status(service.account.messages[0].id, Status.DELIVERY_ERROR)
    service.account.set_status(service.account.messages[1].id, Status.DELIVERED)
    await advance_time(hass, freezer, 6)
    assert notifications(hass) == [(NOT_ARRIVED[content["alias"]], "Mum: Hello")]


@example(*NOT_ARRIVED)
async def test_a_failure_of_the_very_first_message_creates_a_notification(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    await set_up_yaml(hass, content)
    service.account.quota = 0
    with pytest.raises(HomeAssistantError):
        await send(hass, "Hello")
    await hass.async_block_till_done()
    assert notifications(hass) == [(NOT_ARRIVED[content["alias"]], "Mum: Hello")]


@example("recorder")
async def test_the_recorder_excludes_the_call_service_event(content: dict[str, Any]) -> None:
    config = RECORDER_SCHEMA(content)
    assert config["recorder"]["exclude"]["event_types"] == [EVENT_CALL_SERVICE]


@example("logbook")
async def test_the_activity_filter_names_entities_that_exist(hass: HomeAssistant, content: dict[str, Any]) -> None:
    excluded = LOGBOOK_SCHEMA(content)["logbook"]["exclude"]
    assert [each for each in excluded["entities"] if hass.states.get(each) is None] == []
    (pattern,) = excluded["entity_globs"]
    assert {"sensor.dad_last_message_status", "sensor.mum_last_message_status"} <= set(
        fnmatch.filter(hass.states.async_entity_ids(), pattern)
    )


@example("notify.send_message")
async def test_notify_send_message_sends_the_given_text(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    await set_up_yaml(hass, content)
    await run_script(hass, "example")
    assert sent_messages(service) == [FIRST[content["data"]["message"]]]


@example("gosms.send_sms")
async def test_send_sms_sends_to_recipients_and_formatted_numbers(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    hass.states.async_set("sensor.boiler_temperature", "65")
    await set_up_yaml(hass, content)
    answer = await run_script(hass, "example")
    name, number, text = BOILER[content["target"]["entity_id"]]
    assert sorted(sent_messages(service)) == [(number, text), (DAD, text)]
    assert [each["recipient"] for each in answer["messages"]] == [name, "Dad"]


@example("messages")
async def test_the_response_of_send_sms_matches_the_documentation(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    service.account.delivery = Delivery.ending()
    (message,) = content["messages"]
    target = {"Mum": "notify.mum", "Мама": "notify.mama"}[message["recipient"]]
    data = {"entity_id": target, "message": "21°", "wait_for": "delivered"}
    call = hass.async_create_task(
        hass.services.async_call("gosms", "send_sms", data, blocking=True, return_response=True)
    )
    await advance_time_until(hass, freezer, call.done)
    assert call.result() == {"messages": [message | {"message_ids": [service.account.messages[0].id]}]}


@example("gosms.get_messages")
async def test_messages_of_a_number_are_listed(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    service.account.add_message(message="To mum", phone_number=content["data"]["search"])
    service.account.add_message(message="To dad", phone_number=DAD)
    await set_up_yaml(hass, content)
    answer = await run_script(hass, "example")
    assert {key: answer[key] for key in ("total", "page", "limit")} == {"total": 1, "page": 1, "limit": 5}
    assert [message["message"] for message in answer["messages"]] == ["To mum"]


@example("gosms.get_message")
async def test_one_message_is_looked_up(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    message = service.account.add_message(message="To mum", phone_number=MUM)
    content["data"]["message_id"] = message.id
    await set_up_yaml(hass, content)
    assert (await run_script(hass, "example"))["message"] == "To mum"


@example("id, phone_number, message, status, status_code, phone, sim, callback_id, created")
async def test_the_response_of_get_message_matches_the_documentation(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    created = dt_util.parse_datetime(content["created"]).timestamp()
    message = service.account.add_message(
        message=content["message"], phone_number=content["phone_number"], created=created
    )
    data = {"message_id": message.id}
    answer = await hass.services.async_call("gosms", "get_message", data, blocking=True, return_response=True)
    assert answer == content | {"id": message.id}


@example("gosms.cancel_messages")
async def test_messages_with_a_tag_are_taken_back(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint="POST /sms/send")
    for tag in ("leak", "fire"):
        data = {"phone_numbers": MUM, "message": tag, "tag": tag}
        await hass.services.async_call("gosms", "send_sms", data, blocking=True)
    await set_up_yaml(hass, content)
    assert await run_script(hass, "example") == {"cancelled": 1, "too_late": 0}


@example("gosms.delete_message")
async def test_a_message_is_deleted(hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]) -> None:
    message = service.account.add_message(message="Old", phone_number=MUM, created=0)
    content["data"]["message_id"] = [message.id]
    await set_up_yaml(hass, content)
    await run_script(hass, "example")
    assert sent_messages(service) == []


@example("gosms.preview")
async def test_a_preview_shows_the_text_as_it_would_be_sent(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    await set_up_yaml(hass, content)
    text, encoding, degree = PREVIEWS[content["data"]["message"]]
    assert await run_script(hass, "example") == {
        "text": text,
        "parts": [text],
        "characters": len(text),
        "segments": 1,
        "encoding": encoding,
        "replaced": {"°": degree, "→": "->"},
    }
    assert sent_messages(service) == []


@example(*TWO_PEOPLE)
async def test_a_leak_alert_is_sent_to_two_people(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    await set_up_yaml(hass, content)
    await set_states(hass, "binary_sensor.bathroom_leak", "off", "on")
    mother, father, text = TWO_PEOPLE[content["alias"]]
    assert sorted(sent_messages(service)) == [(mother, text), (father, text)]
    assert hass.states.get("event.gosms_ru_message").attributes["tag"] == "leak"


@example(*NEXT)
async def test_the_next_recipient_is_messaged_if_the_first_is_not_reached(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    await set_up_yaml(hass, content)
    started = dt_util.utcnow()
    call = hass.async_create_task(run_script(hass, slugify(content["alias"]), message="Fire"))
    await advance_time_until(hass, freezer, lambda: len(sent_messages(service)) == 2)
    assert dt_util.utcnow() - started >= timedelta(minutes=2)
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await advance_time_until(hass, freezer, call.done)
    mother, father, _ = NEXT[content["alias"]]
    assert sent_messages(service) == [(mother, "Fire"), (father, "Fire")]
    assert notifications(hass) == []


@example(*NEXT)
async def test_the_next_recipient_is_messaged_if_the_first_is_disabled(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    service.account.delivery = Delivery.ending()
    disable(hass, content["sequence"][0]["repeat"]["for_each"][0])
    await set_up_yaml(hass, content)
    call = hass.async_create_task(run_script(hass, slugify(content["alias"]), message="Fire"))
    await advance_time_until(hass, freezer, call.done)
    assert sent_messages(service) == [(NEXT[content["alias"]][1], "Fire")]
    assert notifications(hass) == []


@example(*NEXT)
async def test_no_other_recipient_is_messaged_if_the_first_is_reached(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    service.account.delivery = Delivery.ending()
    await set_up_yaml(hass, content)
    call = hass.async_create_task(run_script(hass, slugify(content["alias"]), message="Fire"))
    await advance_time_until(hass, freezer, call.done)
    assert sent_messages(service) == [(NEXT[content["alias"]][0], "Fire")]
    assert notifications(hass) == []


@example(*NEXT)
async def test_a_notification_is_created_if_no_recipient_is_reached(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    service.account.quota = 0
    await set_up_yaml(hass, content)
    await run_script(hass, slugify(content["alias"]), message="Fire")
    assert sent_messages(service) == []
    assert notifications(hass) == [(NEXT[content["alias"]][2], "Fire")]


@example(*REPORTS)
async def test_the_daily_report_lists_readable_temperatures(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    celsius = {"device_class": "temperature", "unit_of_measurement": "°C"}
    hass.states.async_set("sensor.kitchen", "21.5", celsius | {"friendly_name": "Kitchen"})
    hass.states.async_set("sensor.outside", "-3", celsius | {"friendly_name": "Outside"})
    hass.states.async_set("sensor.power", "300", {"device_class": "power"})
    await set_up_yaml(hass, content)
    freezer.move_to(dt_util.now().replace(hour=21))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    number, title, degree = REPORTS[content["alias"]]
    assert sent_messages(service) == [(number, f"{title}\nKitchen: 21.5 {degree} C\nOutside: -3 {degree} C")]


@example(*MAILBOX)
async def test_the_mailbox_sends_at_most_one_message_a_day(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    await set_up_yaml(hass, content)
    await set_states(hass, "binary_sensor.mailbox", "off", "on", "off", "on")
    assert sent_messages(service) == [MAILBOX[content["alias"]]]
    freezer.tick(86400)
    await set_states(hass, "binary_sensor.mailbox", "off", "on")
    assert sent_messages(service) == [MAILBOX[content["alias"]]] * 2


@example(*LABELS)
async def test_everyone_with_the_label_is_messaged(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    label, name, text = LABELS[content["alias"]]
    assert add_label(hass, label, f"notify.{name}") == content["actions"][0]["target"]["label_id"]
    await set_up_yaml(hass, content)
    await set_states(hass, "binary_sensor.smoke", "off", "on", friendly_name="Kitchen")
    assert sent_messages(service) == [(NUMBERS[name], text)]


@example("alert", into="configuration")
async def test_an_alert_repeats_to_both_until_it_is_acknowledged(
    hass: HomeAssistant,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    configuration: dict[str, Any],
) -> None:
    hass.config_entries.async_update_entry(entry, options={"notify_actions": True})
    await hass.async_block_till_done()
    numbers = [NUMBERS[name] for name in configuration["alert"]["freezer"]["notifiers"]]
    await set_states(hass, "binary_sensor.freezer", "off", "on")
    for repetition in range(1, 4):
        assert sorted(number for number, _ in sent_messages(service)) == sorted(numbers * repetition)
        await advance_time(hass, freezer, 30 * 60)
        assert hass.states.get("alert.freezer").state == "on"
    sent = len(sent_messages(service))
    assert sent == 4 * len(numbers)
    await hass.services.async_call("alert", "turn_off", {"entity_id": "alert.freezer"}, blocking=True)
    await advance_time(hass, freezer, 30 * 60)
    assert len(sent_messages(service)) == sent
    await set_states(hass, "binary_sensor.freezer", "off")
    done = configuration["alert"]["freezer"]["done_message"]
    assert sorted(sent_messages(service)[sent:]) == sorted((number, done) for number in numbers)


@example("homeassistant")
async def test_a_login_code_arrives_by_sms(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    content: dict[str, Any],
) -> None:
    # The library of Home Assistant's module is not installed here, and its codes are not what is tested.
    library = SimpleNamespace(
        random_base32=lambda **_arguments: "1" * 32,
        HOTP=lambda _secret: SimpleNamespace(at=lambda _count: "123456"),
    )
    monkeypatch.setitem(sys.modules, "pyotp", library)
    monkeypatch.setattr("homeassistant.requirements.async_process_requirements", AsyncMock())
    hass.config_entries.async_update_entry(entry, options={"notify_actions": True})
    await hass.async_block_till_done()
    [config] = [each for each in content["homeassistant"]["auth_mfa_modules"] if each["type"] == "notify"]
    module: Any = await mfa_modules.auth_mfa_module_from_config(hass, dict(config))
    [name] = module.aync_get_available_notify_services()
    assert [name] == config["include"]
    await module.async_setup_user("user", {"notify_service": name})
    await module.async_initialize_login_mfa_step("user")
    await hass.async_block_till_done()
    assert sent_messages(service) == [(NUMBERS[name], "123456 is your Home Assistant login code")]


@example(*VOICE)
@pytest.mark.parametrize("quota", [None, 0])
async def test_a_voice_command_sends_a_message_and_says_the_result(
    hass: HomeAssistant,
    service: SimulatedService,
    content: dict[str, Any],
    quota: int | None,
) -> None:
    language, command, message, answer = VOICE[content["alias"]]
    service.account.quota = quota
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "conversation", {})
    await set_up_yaml(hass, content)
    said = await say(hass, command, language)
    assert sent_messages(service) == ([] if quota == 0 else [message])
    assert said.startswith("The plan" if quota == 0 else answer)


@example(*VOICE)
async def test_a_voice_command_for_a_disabled_recipient_is_not_done(
    hass: HomeAssistant, content: dict[str, Any]
) -> None:
    language, command, _, _ = VOICE[content["alias"]]
    disable(hass, content["actions"][0]["target"]["entity_id"])
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "conversation", {})
    await set_up_yaml(hass, content)
    assert await say(hass, command, language) in {"The SMS was not sent.", "SMS не отправлено."}


@example("Send an SMS", "Отправить SMS")
async def test_a_script_sends_to_any_number_and_returns_the_response(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    await set_up_yaml(hass, content)
    answer = await run_script(hass, slugify(content["alias"]), number="8 (912) 000-00-01", message="Hello")
    assert sent_messages(service) == [("79120000001", "Hello")]
    assert answer["messages"][0]["status"] == "waiting"


@example("Send an SMS", "Отправить SMS")
async def test_a_script_sends_to_the_country_after_the_plus(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    # Without the plus, this could be a number in Russia too.
    await hass.config.async_update(country="RU")
    await set_up_yaml(hass, content)
    await run_script(hass, slugify(content["alias"]), number="+84912345678", message="Hello")
    assert sent_messages(service) == [("84912345678", "Hello")]


@example(*SIM_CARD)
async def test_a_script_sends_with_a_specific_phone_and_sim_card(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    await set_up_yaml(hass, content)
    await run_script(hass, slugify(content["alias"]))
    (request,) = service.requests_to("POST /sms/send")
    number, text = SIM_CARD[content["alias"]]
    assert request.json == {"message": text, "phone_number": number, "device_id": PHONE, "to_sim": 1}


@example("Delete delivered messages", "Удалять доставленные сообщения")
async def test_only_delivered_messages_are_deleted(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    service.account.add_message(message="Old", phone_number=MUM, created=0)
    service.account.add_message(message="Failed", phone_number=MUM, created=0, status=Status.SEND_ERROR)
    await set_up_yaml(hass, content)
    freezer.move_to(dt_util.now().replace(hour=4) + timedelta(days=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert sent_messages(service) == [(MUM, "Failed")]


# By the names of the examples: the recipient's entities are named after.
DELIVERED: Final = {"Dad has received the plan": "dad", "Папа получил план": "papa"}
LEAK_FAILED: Final = {"The leak SMS was not delivered": "SMS not delivered", "SMS о протечке не дошло": "SMS не дошло"}
DELAYED: Final = {"SMS delivery is delayed": ("mum", DAD), "SMS задерживается": ("mama", PAPA)}
QUEUED: Final = ("SMS in the queue", "SMS ждут отправки")
NOBODY: Final = {"Call if the SMS was not delivered": "mum", "Позвонить, если SMS никто не получил": "mama"}
REPORT: Final = {"Report if the queue is empty": MUM, "Отчёт, если очередь пуста": MAMA}
SMOKE: Final = {"Smoke, by SMS or notification": DAD, "Дым, по SMS или уведомлением": PAPA}


async def send_tagged(hass: HomeAssistant, name: str, message: str, tag: str) -> None:
    """Send a message with a tag."""
    data = {"entity_id": f"notify.{name}", "message": message, "tag": tag}
    await hass.services.async_call("gosms", "send_sms", data, blocking=True)


async def at(hass: HomeAssistant, freezer: FrozenDateTimeFactory, hour: int) -> None:
    """Go on to an hour of this day."""
    freezer.move_to(dt_util.now().replace(hour=hour, minute=0))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)


@example(*DELIVERED)
async def test_a_delivered_message_with_the_tag_creates_a_notification(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    await set_up_yaml(hass, content)
    for tag in ("dinner", "lunch"):
        await send_tagged(hass, DELIVERED[content["alias"]], f"Soup for {tag}", tag)
    for message in service.account.messages:
        service.account.set_status(message.id, Status.DELIVERED)
    await advance_time(hass, freezer, 6)
    [(_, text)] = notifications(hass)
    assert text is not None
    assert text.endswith("Soup for dinner")


@example(*LEAK_FAILED)
async def test_only_the_tagged_message_creates_a_notification(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    await send(hass, "Before")
    await set_up_yaml(hass, content)
    await send_tagged(hass, "mum", "Leak", "leak")
    await send(hass, "Hello", to="notify.dad")
    for message in service.account.messages:
        service.account.set_status(message.id, Status.DELIVERY_ERROR)
    await advance_time(hass, freezer, 6)
    assert notifications(hass) == [(LEAK_FAILED[content["alias"]], "Mum: Leak")]


@example(*DELAYED)
async def test_a_delayed_message_is_told_to_the_next_one(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    name, other = DELAYED[content["alias"]]
    await set_up_yaml(hass, content)
    await send(hass, "Tea", to=f"notify.{name}")
    for _ in range(12):
        await advance_time(hass, freezer, 60)
    [(_, text), (number, told)] = sent_messages(service)
    assert number == other
    assert told.endswith(text)


@example(*QUEUED)
async def test_a_queued_message_creates_a_notification(
    hass: HomeAssistant, service: SimulatedService, content: dict[str, Any]
) -> None:
    await set_up_yaml(hass, content)
    await send(hass, "Hello")
    assert notifications(hass) == []
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint="POST /sms/send")
    await send(hass, "Leak")
    [(title, text)] = notifications(hass)
    assert title == content["alias"]
    assert text.startswith("Mum")


@example(*NOBODY)
@pytest.mark.parametrize("delivered", [True, False])
async def test_a_notification_is_created_unless_somebody_got_the_last_sms(
    hass: HomeAssistant,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    content: dict[str, Any],
    delivered: bool,
) -> None:
    await set_up_yaml(hass, content)
    await send(hass, "Hello", to=f"notify.{NOBODY[content['alias']]}")
    status = Status.DELIVERED if delivered else Status.DELIVERY_ERROR
    service.account.set_status(service.account.messages[0].id, status)
    await advance_time(hass, freezer, 6)
    await at(hass, freezer, 21)
    assert len(notifications(hass)) == (not delivered)


@example(*REPORT)
@pytest.mark.parametrize("waiting", [True, False])
async def test_the_report_is_sent_unless_others_are_waiting(
    hass: HomeAssistant,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    content: dict[str, Any],
    waiting: bool,
) -> None:
    await set_up_yaml(hass, content)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint="POST /sms/send", times=int(waiting))
    await send(hass, "Hello", to="notify.dad")
    freezer.move_to(dt_util.now().replace(hour=20, minute=0))
    # The queue must not empty itself before the automation looks.
    hass.states.async_set("sensor.gosms_ru_queued_messages", str(int(waiting)))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    numbers = [number for number, _ in sent_messages(service)]
    assert (REPORT[content["alias"]] in numbers) is not waiting


@example(*SMOKE)
@pytest.mark.parametrize("online", [True, False])
async def test_smoke_is_told_by_sms_if_the_phone_is_ready(
    hass: HomeAssistant,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    content: dict[str, Any],
    online: bool,
) -> None:
    service.account.phones[PHONE].set_online(online=online, now=service.account.clock())
    await advance_time(hass, freezer, 20 * 60)
    await set_up_yaml(hass, content)
    await set_states(hass, "binary_sensor.smoke", "off", "on")
    assert [number for number, _ in sent_messages(service)] == [SMOKE[content["alias"]]] * online
    assert len(notifications(hass)) == (not online)


@example("type")
def test_the_card_of_the_example_is_the_one_that_comes_with_the_integration(content: dict[str, Any]) -> None:
    source = (PACKAGE / "frontend/gosms-card.js").read_text(encoding="utf-8")
    assert content == {"type": f"custom:{re.findall(r'^const TYPE = "(.+)";$', source, re.MULTILINE)[0]}"}


@example("lovelace")
async def test_the_resource_of_the_example_is_the_card(
    hass: HomeAssistant, content: dict[str, Any], hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "lovelace", content)
    await hass.async_block_till_done()
    [resource] = hass.data[LOVELACE_DATA].resources.async_items()
    response = await (await hass_client()).get(resource["url"])
    assert await response.text() == (PACKAGE / "frontend/gosms-card.js").read_text(encoding="utf-8")
