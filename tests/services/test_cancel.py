"""Taking messages back."""

from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.auth.const import GROUP_ID_READ_ONLY
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from simulator import Fault
from tests.common import DAD, MUM, SimulatedService, recipient, set_up, wait_until
from tests.message_helpers import RecordedEvents, advance_time_in_steps, texts
from tests.restarts import files_on_disk, start_again
from tests.services.actions import perform_action, send_sms
from tests.services.test_permissions import CONTROL, add_user, add_user_with, policy

AUNT: Final = "79161234567"

pytestmark = [pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"), pytest.mark.usefixtures("no_rate_limit")]


async def cancel(hass: HomeAssistant, **data: Any) -> tuple[int, int]:
    """Take messages back, and return for how many that worked, and for how many it was too late."""
    answer = await perform_action(hass, "cancel_messages", **data)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert answer.keys() == {"cancelled", "too_late"}
    return answer["cancelled"], answer["too_late"]


@pytest.fixture
async def outage(hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry) -> None:
    """Three messages wait for an outage to end."""
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint="POST /sms/send")
    for number, tag in ((MUM, "leak"), (DAD, "leak"), (AUNT, "fire")):
        await send_sms(hass, phone_numbers=number, message=f"To {number}", tag=tag)


async def arrived(hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory) -> list[str]:
    """End the outage, and return the numbers of the messages that arrive."""
    service.faults.clear()
    await advance_time_in_steps(hass, freezer, 180)
    return sorted(text.removeprefix("To ") for text in texts(service))


@pytest.mark.usefixtures("outage")
@pytest.mark.parametrize(
    ("named", "left"),
    [
        ({}, []),
        ({"tag": "leak"}, [AUNT]),
        ({"phone_numbers": AUNT}, [MUM, DAD]),
        ({"phone_numbers": ["8 (912) 345-67-89", AUNT]}, [DAD]),
        ({"entity_id": "notify.mum"}, [AUNT, DAD]),
        ({"entity_id": "notify.mum", "phone_numbers": [AUNT]}, [DAD]),
        ({"entity_id": ["notify.mum", "notify.dad"], "tag": "fire"}, [MUM, AUNT, DAD]),
        ({"tag": "nothing has it"}, [MUM, AUNT, DAD]),
    ],
)
async def test_what_waits_is_taken_back_and_never_sent(
    hass: HomeAssistant,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
    named: dict[str, Any],
    left: list[str],
) -> None:
    assert await cancel(hass, **named) == (3 - len(left), 0)
    assert recorded.types.count("cancelled") == 3 - len(left)
    assert await arrived(hass, service, freezer) == sorted(left)


@pytest.mark.usefixtures("outage")
async def test_one_message_is_taken_back_by_its_key(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    [mum, *_] = entry.runtime_data.outbox.messages
    assert await cancel(hass, keys=[mum.key]) == (1, 0)
    assert hass.states.get("sensor.mum_last_message_status").state == "cancelled"
    assert await arrived(hass, service, freezer) == [AUNT, DAD]


@pytest.mark.usefixtures("outage")
async def test_without_a_response_it_answers_nothing(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.services.async_call("gosms", "cancel_messages", {}, blocking=True)
    await hass.async_block_till_done()
    assert not entry.runtime_data.outbox.messages


@pytest.mark.usefixtures("outage")
async def test_what_was_taken_back_is_told_as_such_and_has_not_failed(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, recorded: RecordedEvents
) -> None:
    await cancel(hass, phone_numbers=MUM)
    last = recorded.attributes[-1]
    assert (last["event_type"], last["phone_number"], last["message_ids"]) == ("cancelled", MUM, [])
    assert hass.states.get("sensor.gosms_ru_failed_today").state == "0"
    assert await cancel(hass, phone_numbers=MUM) == (0, 0)


@pytest.mark.usefixtures("outage")
async def test_what_was_taken_back_stays_so_after_a_kill(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await cancel(hass, tag="leak")
    await start_again(hass, entry, await files_on_disk(hass))
    assert await arrived(hass, service, freezer) == [AUNT]


@pytest.mark.usefixtures("outage")
async def test_what_an_earlier_run_left_queued_is_taken_back(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await start_again(hass, entry)
    assert await cancel(hass) == (3, 0)
    assert await arrived(hass, service, freezer) == []


async def test_it_is_too_late_for_what_may_have_arrived(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await send_sms(hass, phone_numbers=DAD, message="Accepted")
    service.faults.add(Fault.CUT_AFTER, endpoint="POST /sms/send")
    await send_sms(hass, phone_numbers=MUM, message="In doubt")
    assert await cancel(hass) == (0, 1)
    assert await cancel(hass, phone_numbers=[MUM, DAD]) == (0, 2)
    assert await cancel(hass, tag="none") == (0, 0)


async def test_whoever_still_waits_is_told_that_it_was_taken_back(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint="POST /sms/send")
    waiting = hass.async_create_task(send_sms(hass, phone_numbers=MUM, wait_for="delivered"))
    await wait_until(lambda: entry.runtime_data.outbox.queued == 1)
    assert await cancel(hass) == (1, 0)
    [answer] = await waiting
    assert (answer["status"], answer["error"]["key"]) == ("cancelled", "cancelled")


# What is wrong with a call


@pytest.mark.usefixtures("outage")
@pytest.mark.parametrize(
    "named",
    [
        {"tag": ""},
        {"tag": "  "},
        {"tag": None},
        {"phone_numbers": ""},
        {"phone_numbers": []},
        {"phone_numbers": None},
        {"phone_numbers": [MUM, ""]},
        {"keys": []},
        {"keys": None},
        {"keys": [" "]},
        {"entity_id": ""},
        {"entity_id": 79123456789},
        {"config_entry_id": ""},
        {"config_entry_id": None},
    ],
)
async def test_an_empty_field_takes_nothing_back(
    hass: HomeAssistant, entry: MockConfigEntry, named: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await cancel(hass, **named)
    assert len(entry.runtime_data.outbox.messages) == 3


@pytest.mark.usefixtures("outage")
@pytest.mark.parametrize(
    ("named", "key"),
    [
        ({"entity_id": "light.lamp"}, "unknown_target"),
        ({"entity_id": ["notify.mum", "event.mum_message"]}, "not_a_recipient"),
        ({"entity_id": "none"}, "no_recipient"),
        ({"entity_id": []}, "no_recipient"),
        ({"entity_id": None}, "no_recipient"),
        ({"device_id": None}, "no_recipient"),
        ({"phone_numbers": "+7 912"}, "phone_number_too_short"),
    ],
)
async def test_a_target_that_is_no_recipient_takes_nothing_back(
    hass: HomeAssistant, entry: MockConfigEntry, named: dict[str, Any], key: str
) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await cancel(hass, **named)
    assert error.value.translation_key == key
    assert len(entry.runtime_data.outbox.messages) == 3


@pytest.mark.usefixtures("outage")
async def test_an_account_that_is_not_loaded_is_named(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.config_entries.async_unload(entry.entry_id)
    for named in ({}, {"entity_id": "notify.mum"}, {"phone_numbers": MUM}):
        with pytest.raises(ServiceValidationError) as error:
            await cancel(hass, **named)
        assert error.value.translation_key == "account_not_loaded"


@pytest.mark.usefixtures("outage")
async def test_recipients_of_several_accounts_are_taken_back_at_once(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    second = MockConfigEntry(
        domain="gosms",
        entry_id="the_second",
        title="Second",
        data=dict(entry.data),
        subentries_data=[recipient("Mother", MUM)],
    )
    second.add_to_hass(hass)
    await set_up(hass, second)
    await send_sms(hass, entity_id="notify.mother")
    assert await cancel(hass, entity_id=["notify.mum", "notify.mother"]) == (2, 0)
    with pytest.raises(ServiceValidationError) as error:
        await cancel(hass)
    assert error.value.translation_key == "several_accounts"
    assert await cancel(hass, config_entry_id="the_account") == (2, 0)


# Who may


@pytest.mark.usefixtures("outage")
async def test_taking_back_needs_the_right_to_send(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    reader, mums = await add_user(hass, GROUP_ID_READ_ONLY), add_user_with(hass, policy(CONTROL, "notify.mum"))

    async def cancel_as(user_id: str, **data: Any) -> Any:
        return await hass.services.async_call(
            "gosms", "cancel_messages", data, blocking=True, context=Context(user_id=user_id), return_response=True
        )

    for named in ({}, {"phone_numbers": MUM}, {"entity_id": "notify.mum"}, {"keys": ["a"]}):
        with pytest.raises(Unauthorized):
            await cancel_as(reader.id, **named)
    with pytest.raises(Unauthorized):
        await cancel_as(mums.id, entity_id=["notify.mum", "notify.dad"])
    assert len(entry.runtime_data.outbox.messages) == 3
    assert (await cancel_as(mums.id, entity_id="notify.mum"))["cancelled"] == 1
    assert (await cancel_as(mums.id, phone_numbers=AUNT))["cancelled"] == 1
