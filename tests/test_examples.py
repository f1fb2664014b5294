"""Every example of the documents is put into a Home Assistant and does what it promises."""

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import CONFIG_SCHEMA as RECORDER_SCHEMA
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from simulator import Delivery, Status
from tests.examples import example, unclaimed
from tests.home import notifications, pass_time_until, put_in, run, sent, switch
from tests.service import DAD, MUM, PHONE, Service, send, wait

MAMA: Final = "79160000000"

pytestmark = [pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"), pytest.mark.usefixtures("unpaced", "home")]


@dataclass(frozen=True, kw_only=True)
class Leak:
    """What an automation says of a leak."""

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
    "The house can text now: 21 °C inside.": (MUM, "The house can text now: 21 deg. C inside."),
    "Дом теперь умеет писать SMS. Внутри 21 °C.": (MAMA, "Дом теперь умеет писать SMS. Внутри 21 град. C."),
}
NOT_ARRIVED: Final = {"An SMS has not arrived": "SMS has not arrived", "SMS не дошло": "SMS не дошло"}


@pytest.fixture
def entry(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """An account with a Russian recipient too."""
    person = ConfigSubentry(
        data=MappingProxyType({"phone_number": MAMA}), subentry_type="recipient", title="Мама", unique_id=MAMA
    )
    hass.config_entries.async_add_subentry(entry, person)
    return entry


def test_every_example_is_run() -> None:
    assert unclaimed() == set()


@example(*LEAKS)
async def test_a_leak_is_told_and_another_channel_used_where_the_delivery_is_not(
    hass: HomeAssistant, service: Service, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    leak = LEAKS[content["alias"]]
    hass.states.async_set("sensor.bathroom_humidity", "80")
    hass.states.async_set("binary_sensor.bathroom_leak", "off")
    await put_in(hass, content)
    hass.states.async_set("binary_sensor.bathroom_leak", "on")
    began = dt_util.utcnow()
    await pass_time_until(hass, freezer, lambda: notifications(hass))
    assert sent(service) == [leak.sms]
    assert notifications(hass) == [leak.notification]
    assert dt_util.utcnow() - began >= timedelta(minutes=5)


@example(*LEAKS)
async def test_a_leak_that_was_told_needs_no_other_channel(
    hass: HomeAssistant, service: Service, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    service.account.delivery = Delivery.ending()
    hass.states.async_set("sensor.bathroom_humidity", "80")
    hass.states.async_set("binary_sensor.bathroom_leak", "off")
    await put_in(hass, content)
    hass.states.async_set("binary_sensor.bathroom_leak", "on")
    (automation,) = hass.states.async_entity_ids("automation")
    await pass_time_until(hass, freezer, lambda: sent(service))
    await pass_time_until(hass, freezer, lambda: hass.states.get(automation).attributes["current"] == 0)
    await hass.async_block_till_done()
    assert sent(service) == [LEAKS[content["alias"]].sms]
    assert hass.states.get("event.gosms_ru_message").attributes["event_type"] == "delivered"
    assert notifications(hass) == []


@example(*NOT_ARRIVED)
async def test_what_did_not_arrive_is_told_in_the_interface(
    hass: HomeAssistant, service: Service, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    await send(hass, "Before")
    await put_in(hass, content)
    await send(hass, "Hello")
    service.account.set_status(service.account.messages[0].id, Status.DELIVERY_ERROR)
    service.account.set_status(service.account.messages[1].id, Status.DELIVERED)
    await wait(hass, freezer, 6)
    assert notifications(hass) == [(NOT_ARRIVED[content["alias"]], "Mum: Hello")]


@example(*NOT_ARRIVED)
async def test_also_the_first_message_of_all_is_told_of_if_it_does_not_arrive(
    hass: HomeAssistant, service: Service, content: dict[str, Any]
) -> None:
    await put_in(hass, content)
    service.account.quota = 0
    with pytest.raises(HomeAssistantError):
        await send(hass, "Hello")
    await hass.async_block_till_done()
    assert notifications(hass) == [(NOT_ARRIVED[content["alias"]], "Mum: Hello")]


@example("recorder")
async def test_no_text_and_no_number_reaches_the_database(content: dict[str, Any]) -> None:
    config = RECORDER_SCHEMA(content)
    assert config["recorder"]["exclude"]["event_types"] == [EVENT_CALL_SERVICE]


@example("notify.send_message")
async def test_home_assistants_own_action_sends_what_it_is_given(
    hass: HomeAssistant, service: Service, content: dict[str, Any]
) -> None:
    await put_in(hass, content)
    await run(hass, "example")
    assert sent(service) == [FIRST[content["data"]["message"]]]


@example("gosms.send_sms")
async def test_recipients_and_numbers_as_people_write_them_get_a_message(
    hass: HomeAssistant, service: Service, content: dict[str, Any]
) -> None:
    hass.states.async_set("sensor.boiler_temperature", "65")
    await put_in(hass, content)
    answer = await run(hass, "example")
    assert sorted(sent(service)) == [(MUM, "Boiler: 65 deg. C"), (DAD, "Boiler: 65 deg. C")]
    assert [each["recipient"] for each in answer["messages"]] == ["Mum", "Dad"]


@example("messages")
async def test_the_answer_to_a_send_has_the_shape_of_the_document(
    hass: HomeAssistant, service: Service, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    service.account.delivery = Delivery.ending()
    data = {"entity_id": "notify.mum", "message": "21°", "wait_for": "delivered"}
    call = hass.async_create_task(
        hass.services.async_call("gosms", "send_sms", data, blocking=True, return_response=True)
    )
    await pass_time_until(hass, freezer, call.done)
    (message,) = content["messages"]
    assert call.result() == {"messages": [message | {"message_ids": [service.account.messages[0].id]}]}


@example("gosms.get_messages")
async def test_messages_of_a_number_are_listed(hass: HomeAssistant, service: Service, content: dict[str, Any]) -> None:
    service.account.add_message(message="To mum", phone_number=MUM)
    service.account.add_message(message="To dad", phone_number=DAD)
    await put_in(hass, content)
    answer = await run(hass, "example")
    assert {key: answer[key] for key in ("total", "page", "limit")} == {"total": 1, "page": 1, "limit": 5}
    assert [message["message"] for message in answer["messages"]] == ["To mum"]


@example("gosms.get_message")
async def test_one_message_is_looked_up(hass: HomeAssistant, service: Service, content: dict[str, Any]) -> None:
    message = service.account.add_message(message="To mum", phone_number=MUM)
    content["data"]["message_id"] = message.id
    await put_in(hass, content)
    assert (await run(hass, "example"))["message"] == "To mum"


@example("id, phone_number, message, status, status_code, phone, sim, callback_id, created")
async def test_a_message_in_an_answer_has_the_shape_of_the_document(
    hass: HomeAssistant, service: Service, content: dict[str, Any]
) -> None:
    created = dt_util.parse_datetime(content["created"]).timestamp()
    message = service.account.add_message(message=content["message"], phone_number=MUM, created=created)
    data = {"message_id": message.id}
    answer = await hass.services.async_call("gosms", "get_message", data, blocking=True, return_response=True)
    assert answer == content | {"id": message.id}


@example("gosms.delete_message")
async def test_a_message_is_deleted(hass: HomeAssistant, service: Service, content: dict[str, Any]) -> None:
    message = service.account.add_message(message="Old", phone_number=MUM, created=0)
    content["data"]["message_id"] = [message.id]
    await put_in(hass, content)
    await run(hass, "example")
    assert sent(service) == []


@example("gosms.preview")
async def test_a_text_is_shown_as_it_would_be_sent(
    hass: HomeAssistant, service: Service, content: dict[str, Any]
) -> None:
    await put_in(hass, content)
    assert await run(hass, "example") == {
        "text": "Kitchen: 21 deg. C -> 24 deg. C",
        "parts": ["Kitchen: 21 deg. C -> 24 deg. C"],
        "characters": 31,
        "segments": 1,
        "encoding": "gsm7",
        "replaced": {"°": "deg.", "→": "->"},
    }
    assert sent(service) == []


@example("SMS on a leak")
async def test_a_leak_is_told_to_two_people(hass: HomeAssistant, service: Service, content: dict[str, Any]) -> None:
    await put_in(hass, content)
    await switch(hass, "binary_sensor.bathroom_leak", "off", "on")
    text = "Water leak\nBathroom, 04:00. The valve is closed."
    assert sorted(sent(service)) == [(MUM, text), (DAD, text)]
    assert hass.states.get("event.gosms_ru_message").attributes["tag"] == "leak"


@example("Tell one of us")
async def test_the_next_one_is_told_if_the_first_was_not_reached(
    hass: HomeAssistant, service: Service, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    await put_in(hass, content)
    started = dt_util.utcnow()
    call = hass.async_create_task(run(hass, "tell_one_of_us", message="Fire"))
    await pass_time_until(hass, freezer, lambda: len(sent(service)) == 2)
    assert dt_util.utcnow() - started >= timedelta(minutes=2)
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await pass_time_until(hass, freezer, call.done)
    assert sent(service) == [(MUM, "Fire"), (DAD, "Fire")]
    assert notifications(hass) == []


@example("Tell one of us")
async def test_nobody_else_is_told_if_the_first_was_reached(
    hass: HomeAssistant, service: Service, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    service.account.delivery = Delivery.ending()
    await put_in(hass, content)
    call = hass.async_create_task(run(hass, "tell_one_of_us", message="Fire"))
    await pass_time_until(hass, freezer, call.done)
    assert sent(service) == [(MUM, "Fire")]
    assert notifications(hass) == []


@example("Tell one of us")
async def test_that_nobody_was_reached_is_told_in_the_interface(
    hass: HomeAssistant, service: Service, content: dict[str, Any]
) -> None:
    service.account.quota = 0
    await put_in(hass, content)
    await run(hass, "tell_one_of_us", message="Fire")
    assert sent(service) == []
    assert notifications(hass) == [("Nobody was reached", "Fire")]


@example("Daily report")
async def test_the_temperatures_of_the_day_are_readable(
    hass: HomeAssistant, service: Service, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    celsius = {"device_class": "temperature", "unit_of_measurement": "°C"}
    hass.states.async_set("sensor.kitchen", "21.5", celsius | {"friendly_name": "Kitchen"})
    hass.states.async_set("sensor.outside", "-3", celsius | {"friendly_name": "Outside"})
    hass.states.async_set("sensor.power", "300", {"device_class": "power"})
    await put_in(hass, content)
    freezer.move_to(dt_util.now().replace(hour=21))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert sent(service) == [(MUM, "Home on 24.11.2026\nKitchen: 21.5 deg. C\nOutside: -3 deg. C")]


@example("Mailbox")
async def test_one_message_a_day_is_sent_however_often_the_box_is_opened(
    hass: HomeAssistant, service: Service, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    await put_in(hass, content)
    await switch(hass, "binary_sensor.mailbox", "off", "on", "off", "on")
    assert sent(service) == [(DAD, "There is mail.")]
    freezer.tick(86400)
    await switch(hass, "binary_sensor.mailbox", "off", "on")
    assert sent(service) == [(DAD, "There is mail.")] * 2


@example("Smoke")
async def test_everybody_with_a_label_is_told(
    hass: HomeAssistant, service: Service, family: str, content: dict[str, Any]
) -> None:
    await put_in(hass, content)
    await switch(hass, "binary_sensor.smoke", "off", "on", friendly_name="Kitchen")
    assert sent(service) == [(DAD, "Smoke: Kitchen!")]


@example("notify, alert", into="configuration")
async def test_an_alert_reaches_everybody_of_its_group_until_it_is_over(hass: HomeAssistant, service: Service) -> None:
    await switch(hass, "binary_sensor.freezer", "off", "on")
    text = "Freezer open for 0 seconds"
    assert sorted(sent(service)) == [(MUM, text), (DAD, text)]
    await switch(hass, "binary_sensor.freezer", "off")
    assert sorted(sent(service)[2:]) == [(MUM, "Freezer closed"), (DAD, "Freezer closed")]


@example("SMS by voice")
@pytest.mark.parametrize(
    ("quota", "messages", "answer"), [(None, [(MUM, "dinner is ready")], "I have told her."), (0, [], "The plan")]
)
async def test_a_sentence_sends_and_tells_how_it_went(
    hass: HomeAssistant,
    service: Service,
    content: dict[str, Any],
    quota: int | None,
    messages: list[tuple[str, str]],
    answer: str,
) -> None:
    service.account.quota = quota
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "conversation", {})
    await put_in(hass, content)
    said: Any = await hass.services.async_call(
        "conversation", "process", {"text": "Tell mum dinner is ready"}, blocking=True, return_response=True
    )
    assert sent(service) == messages
    assert said["response"]["speech"]["plain"]["speech"].startswith(answer)


@example("Send an SMS")
async def test_a_form_sends_to_any_number_and_hands_the_answer_on(
    hass: HomeAssistant, service: Service, content: dict[str, Any]
) -> None:
    await put_in(hass, content)
    answer = await run(hass, "send_an_sms", number="8 (912) 000-00-01", message="Hello")
    assert sent(service) == [("79120000001", "Hello")]
    assert answer["messages"][0]["status"] == "waiting"


@example("Through the work SIM card")
async def test_a_certain_phone_sends_with_a_certain_sim_card(
    hass: HomeAssistant, service: Service, content: dict[str, Any]
) -> None:
    await put_in(hass, content)
    await run(hass, "through_the_work_sim_card")
    (request,) = service.requests_to("POST /sms/send")
    expected = {"message": "The meeting room is too warm.", "phone_number": DAD, "device_id": PHONE, "to_sim": 1}
    assert request.json == expected


@example("Delete what was delivered")
async def test_what_was_delivered_is_deleted_and_nothing_else(
    hass: HomeAssistant, service: Service, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    service.account.add_message(message="Old", phone_number=MUM, created=0)
    service.account.add_message(message="Failed", phone_number=MUM, created=0, status=Status.SEND_ERROR)
    await put_in(hass, content)
    freezer.move_to(dt_util.now().replace(hour=4) + timedelta(days=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert sent(service) == [(MUM, "Failed")]


@example("The leak SMS has not arrived")
async def test_only_the_message_with_the_tag_is_told_of(
    hass: HomeAssistant, service: Service, freezer: FrozenDateTimeFactory, content: dict[str, Any]
) -> None:
    await send(hass, "Before")
    await put_in(hass, content)
    data = {"entity_id": "notify.mum", "message": "Leak", "tag": "leak"}
    await hass.services.async_call("gosms", "send_sms", data, blocking=True)
    await send(hass, "Hello", to="notify.dad")
    for message in service.account.messages:
        service.account.set_status(message.id, Status.DELIVERY_ERROR)
    await wait(hass, freezer, 6)
    assert notifications(hass) == [("SMS has not arrived", "Mum: Leak")]
