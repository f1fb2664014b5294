"""Messages when the service, the disk, the clock or Home Assistant itself fails."""

import asyncio
from datetime import datetime
from typing import Any, Final
from unittest.mock import Mock, patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.gosms.api import GoSmsClient
from custom_components.gosms.outbox import Recipient, SendRequest
from simulator import Delivery, Fault, Permission, Status
from tests.common import DAD, MUM, PHONE, SimulatedService, add_phone, advance_time, send, set_up, wait_until
from tests.message_helpers import RecordedEvents, advance_time_in_steps, full_disk, texts
from tests.restarts import FILE, files_on_disk, start_again

SEND: Final = "POST /sms/send"
LIST: Final = "GET /sms"
GET: Final = "POST /sms/get"
MUMS_EVENTS: Final = "event.mum_message"
MUMS_STATUS: Final = "sensor.mum_last_message_status"
OTHER_PHONE: Final = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"
QUEUED: Final = "sensor.gosms_ru_queued_messages"

pytestmark = [
    pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"),
    pytest.mark.usefixtures("no_rate_limit", "no_service_rate_limit"),
]


def call(*parts: str, number: str = MUM, **changes: Any) -> SendRequest:
    """Return a call that sends a text."""
    return SendRequest(to=(Recipient(phone_number=number),), text=" ".join(parts), parts=parts, **changes)


async def restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Reload the account, as a restart does."""
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()


async def test_events_report_each_step_of_a_message_until_delivery(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    add_phone(hass, entry)
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone"})
    service.account.delivery = Delivery.ending()
    mums, dads = RecordedEvents(hass, MUMS_EVENTS), RecordedEvents(hass, "event.dad_message")
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 15)

    assert recorded.types == mums.types == ["accepted", "sent", "delivered"]
    assert dads.types == []
    last = recorded.attributes[-1]
    assert last | {"seconds": None} == last | {
        "message_ids": [service.account.messages[0].id],
        "phone_number": MUM,
        "recipient": "Mum",
        "message": "Water leak!",
        "tag": None,
        "seconds": None,
        "attempts": 1,
        "phone": "Pixel 8",
        "error": None,
    }
    assert 8 <= last["seconds"] <= 15
    assert hass.states.get(MUMS_STATUS).state == "delivered"
    assert hass.states.get("sensor.gosms_ru_delivered_today").state == "1"
    assert hass.states.get("sensor.gosms_ru_messages_in_transit").state == "0"


@pytest.mark.parametrize(
    ("status", "event"), [(Status.SEND_ERROR, "send_failed"), (Status.DELIVERY_ERROR, "delivery_failed")]
)
async def test_a_failed_message_fires_an_event_and_is_counted_as_failed(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
    status: Status,
    event: str,
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    service.account.set_status(service.account.messages[0].id, status)
    await advance_time(hass, freezer, 6)
    assert recorded.types == ["accepted", event]
    assert hass.states.get(MUMS_STATUS).state == event
    assert hass.states.get("sensor.gosms_ru_failed_today").state == "1"


async def test_a_refused_message_fires_an_event_and_is_not_retried(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    service.account.quota = 0
    with pytest.raises(HomeAssistantError):
        await send(hass, "Water leak!")
    await hass.async_block_till_done()
    assert recorded.types == ["refused"]
    assert recorded.attributes[0]["error"] == "quota_reached"
    assert hass.states.get(MUMS_STATUS).state == "refused"

    service.account.quota = 5
    await advance_time_in_steps(hass, freezer, 60)
    assert texts(service) == []


async def test_a_message_sent_immediately_is_never_shown_as_queued(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    shown = async_capture_events(hass, EVENT_STATE_CHANGED)
    await send(hass, "Water leak!")
    states = [(event.data["entity_id"], event.data["new_state"].state) for event in shown]
    assert (MUMS_STATUS, "waiting") in states
    assert (MUMS_STATUS, "queued") not in states
    assert QUEUED not in dict(states)


async def test_messages_queued_during_an_outage_are_all_sent_after_it(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    for number in range(10):
        await send(hass, f"Number {number}")
    assert hass.states.get(QUEUED).state == "10"
    assert hass.states.get(MUMS_STATUS).state == "queued"
    await advance_time_in_steps(hass, freezer, 600)
    assert texts(service) == []
    # Growing pauses up to a minute: at most two in the first seconds of each message, then a probe a minute.
    assert len(service.requests_to(SEND)) <= 25

    service.faults.clear()
    await advance_time_in_steps(hass, freezer, 65)
    assert sorted(texts(service)) == [f"Number {number}" for number in range(10)]
    assert hass.states.get(QUEUED).state == "0"
    assert sorted(recorded.types) == ["accepted"] * 10 + ["queued"] * 10


async def test_retry_after_delays_all_queued_messages(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1, retry_after=40)
    await send(hass, "One")
    await send(hass, "Two")
    await advance_time_in_steps(hass, freezer, 35)
    assert len(service.requests_to(SEND)) == 1
    await advance_time_in_steps(hass, freezer, 10)
    assert texts(service) == ["One", "Two"]


async def test_an_expired_message_is_never_sent(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 2})
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    await send(hass, "One")
    await send(hass, "Two")
    await advance_time_in_steps(hass, freezer, 125)
    assert recorded.types == ["queued", "queued", "expired", "expired"]
    assert hass.states.get(MUMS_STATUS).state == "expired"

    service.faults.clear()
    await advance_time_in_steps(hass, freezer, 70)
    assert texts(service) == []


async def test_with_queueing_disabled_messages_fail_at_once_during_an_outage(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, recorded: RecordedEvents
) -> None:
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 0})
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    for text in ("One", "Two"):
        with pytest.raises(HomeAssistantError) as error:
            await send(hass, text)
        assert error.value.translation_key == "too_many_requests"
    await hass.async_block_till_done()
    assert recorded.types == ["expired", "expired"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault.CUT_AFTER,
        Fault.ERROR_AFTER,
        Fault.TRUNCATED,
        Fault.ID_AS_NUMBER,
        Fault.MALFORMED_ID,
        Fault.OVERSIZED,
        Fault.CUT_BEFORE,
        Fault.BAD_GATEWAY,
        Fault.UNKNOWN_ERROR,
        Fault.REQUEST_TIMEOUT,
        Fault.CAPTIVE_PORTAL,
    ],
)
async def test_a_message_with_an_unknown_outcome_is_sent_exactly_once(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
    fault: Fault,
) -> None:
    service.account.add_message(message="Water leak!", phone_number=MUM, created=1_795_000_000)
    await set_up(hass, entry)
    service.faults.add(fault, endpoint=SEND, times=1)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 60)
    assert texts(service) == ["Water leak!", "Water leak!"]
    assert recorded.types == ["queued", "accepted"]
    assert recorded.attributes[-1]["message_ids"] == [service.account.messages[0].id]


async def test_a_message_listed_with_a_time_of_zero_is_not_sent_again(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    await send(hass, "Water leak!")
    service.account.messages[0].created = 0.0
    await advance_time_in_steps(hass, freezer, 300)
    assert texts(service) == ["Water leak!"]


async def test_only_an_identical_message_waits_for_an_unknown_outcome(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    await send(hass, "Water leak!")
    await send(hass, "Water leak!")
    await send(hass, "Water leak!", to="notify.dad")
    await send(hass, "Fire!")
    assert texts(service) == ["Water leak!", "Water leak!", "Fire!"]
    await advance_time_in_steps(hass, freezer, 60)
    assert [(message.phone_number, message.message) for message in reversed(service.account.messages)] == [
        (MUM, "Water leak!"),
        (DAD, "Water leak!"),
        (MUM, "Fire!"),
        (MUM, "Water leak!"),
    ]


async def test_a_text_sent_three_times_at_once_arrives_three_times(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, recorded: RecordedEvents
) -> None:
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 0})
    await set_up(hass, entry)
    await asyncio.gather(*(send(hass, "Water leak!") for _ in range(3)))
    assert texts(service) == ["Water leak!"] * 3
    assert recorded.types == ["accepted"] * 3


@pytest.mark.parametrize("status", [Status.SENT, Status.DELIVERED])
async def test_an_id_that_another_message_has_is_not_taken_over(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
    status: Status,
) -> None:
    await set_up(hass, entry)
    await send(hass, "One")
    service.account.set_status(service.account.messages[0].id, status)
    await advance_time_in_steps(hass, freezer, 10)
    service.faults.add(Fault.REPEATED_ID, endpoint=SEND, times=1)
    await send(hass, "Two")
    await advance_time_in_steps(hass, freezer, 60)
    assert texts(service) == ["One", "Two"]
    assert recorded.types[2:] == ["queued", "accepted"]
    assert recorded.attributes[-1]["message_ids"] == [service.account.messages[0].id]


async def test_a_message_in_doubt_may_be_the_one_that_cannot_be_read(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.MALFORMED_ID)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 300)
    assert recorded.types == ["queued"]

    service.faults.clear()
    await advance_time_in_steps(hass, freezer, 70)
    assert recorded.types == ["queued", "accepted"]
    assert texts(service) == ["Water leak!"]


async def test_an_expired_message_with_an_unknown_outcome_is_not_resent(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 0})
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_BEFORE, endpoint=SEND, times=1)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Water leak!")
    assert error.value.translation_key == "not_confirmed"
    await advance_time_in_steps(hass, freezer, 60)
    assert texts(service) == []
    assert recorded.types == ["queued", "unconfirmed"]


async def test_an_unknown_outcome_ends_unconfirmed_without_read_permission(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    service.account.permissions.remove(Permission.READ)
    service.faults.add(Fault.CUT_BEFORE, endpoint=SEND, times=1)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 10)
    assert recorded.types == ["queued", "unconfirmed"]
    assert texts(service) == []


async def test_a_failed_lookup_does_not_settle_an_unknown_outcome(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    service.faults.add(Fault.BAD_GATEWAY, endpoint=LIST)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 600)
    assert recorded.types == ["queued"]

    service.faults.clear()
    await advance_time_in_steps(hass, freezer, 70)
    assert recorded.types == ["queued", "accepted"]
    assert texts(service) == ["Water leak!"]


async def test_an_unknown_outcome_ends_unconfirmed_after_three_days(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    service.faults.add(Fault.BAD_GATEWAY, endpoint=LIST)
    await send(hass, "Water leak!")
    await advance_time(hass, freezer, 2)
    await advance_time(hass, freezer, 72 * 3600)
    assert recorded.types == ["queued", "unconfirmed"]


async def test_a_wrong_server_date_does_not_cause_a_duplicate(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    service.faults.add(Fault.WRONG_DATE, endpoint=LIST, times=1)
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 60)
    assert texts(service) == ["Water leak!"]


async def test_delivery_timeout_is_reported_once_and_tracking_continues(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    service.account.set_status(service.account.messages[0].id, Status.SENT)
    await advance_time_in_steps(hass, freezer, 1200, 20)
    assert recorded.types == ["accepted", "sent", "delivery_timeout"]
    assert recorded.attributes[-1]["seconds"] == pytest.approx(600, abs=60)

    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await advance_time_in_steps(hass, freezer, 65)
    assert recorded.types[3:] == ["delivered"]


async def test_a_message_without_updates_ends_unconfirmed_after_three_days(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await advance_time(hass, freezer, 72 * 3600 + 1)
    assert recorded.types == ["accepted", "delivery_timeout", "unconfirmed"]
    polls = len(service.requests_to(LIST))
    await advance_time_in_steps(hass, freezer, 50)
    assert len(service.requests_to(LIST)) == polls


async def test_a_message_that_was_deleted_on_the_server_ends_unconfirmed(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 305)
    service.account.delete(service.account.messages[0].id)
    await advance_time_in_steps(hass, freezer, 65)
    assert recorded.types == ["accepted", "unconfirmed"]


async def test_at_most_five_messages_missing_from_the_page_are_fetched_per_poll(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    for number in range(8):
        await send(hass, f"Number {number}")
    ours = [message.id for message in service.account.messages]
    for number in range(100):
        service.account.add_message(message=f"Of others {number}", phone_number=DAD)
    service.faults.add(Fault.BAD_GATEWAY, endpoint=GET, times=1)
    await advance_time(hass, freezer, 6)
    assert len(service.requests_to(GET)) == 5
    for message_id in ours:
        service.account.set_status(message_id, Status.DELIVERED)
    await advance_time_in_steps(hass, freezer, 60)
    assert recorded.types.count("delivered") == 8


async def test_one_poll_request_covers_a_hundred_messages_in_transit(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    await asyncio.gather(*(send(hass, f"Number {number}") for number in range(100)))
    await advance_time(hass, freezer, 10)
    assert entry.runtime_data.outbox.in_transit == 100
    ours = [message.id for message in service.account.messages]
    polls = {
        Status.SENT: lambda: advance_time(hass, freezer, 10),
        Status.DELIVERED: entry.runtime_data.coordinator.async_refresh,
    }
    for status, poll in polls.items():
        for message_id in ours:
            service.account.set_status(message_id, status)
        before = len(service.requests)
        await poll()
        await hass.async_block_till_done()
        assert [request.endpoint for request in service.requests[before:]] == [LIST]
        assert recorded.types.count(status.name.lower()) == 100


async def test_tracking_works_with_every_entity_disabled_and_polling_off(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        registry.async_update_entity(entity.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    hass.config_entries.async_update_entry(entry, pref_disable_polling=True)
    await restart(hass, entry)
    assert hass.states.async_entity_ids() == []
    service.account.delivery = Delivery.ending()
    await entry.runtime_data.outbox.async_send(call("Water leak!"))
    await advance_time_in_steps(hass, freezer, 20)
    assert entry.runtime_data.outbox.history.counters.delivered == 1
    assert list(entry.runtime_data.outbox.messages) == []


async def test_a_burst_causes_no_more_polls_than_a_single_message(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    await send(hass, "One")
    await advance_time_in_steps(hass, freezer, 4, 1)
    single = len(service.requests_to(LIST))
    await advance_time_in_steps(hass, freezer, 60, 1)
    before = len(service.requests_to(LIST))
    await asyncio.gather(*(send(hass, f"Number {number}") for number in range(50)))
    await advance_time_in_steps(hass, freezer, 4, 1)
    assert len(service.requests_to(LIST)) - before <= single


async def test_an_idle_hour_takes_at_most_60_requests_and_writes_no_state(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 60)
    written: list[str] = []

    @callback
    def note(event: Event[Any]) -> None:
        written.append(event.data["entity_id"])

    for kind in (EVENT_STATE_CHANGED, EVENT_STATE_REPORTED):
        # Home Assistant fires the second one only for listeners that filter it.
        hass.bus.async_listen(kind, note, event_filter=callback(lambda _: True))
    before = len(service.requests)
    await advance_time_in_steps(hass, freezer, 3600, 10)
    assert 50 <= len(service.requests) - before <= 60
    assert written == []


async def test_queued_and_in_transit_messages_continue_after_a_restart(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    await send(hass, "Under way")
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    await send(hass, "Waiting")
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND)
    await restart(hass, entry)
    assert hass.states.get(MUMS_STATUS).state in {"queued", "waiting"}

    service.faults.clear()
    service.account.delivery = Delivery.ending()
    service.account.set_status(service.account.messages[-1].id, Status.DELIVERED)
    await advance_time_in_steps(hass, freezer, 120)
    assert sorted(texts(service)) == ["Under way", "Waiting"]
    assert recorded.types.count("delivered") == 2


async def test_events_are_published_only_after_home_assistant_has_started(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await hass.config_entries.async_unload(entry.entry_id)
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    hass.set_state(CoreState.starting)
    await set_up(hass, entry)
    await advance_time(hass, freezer, 6)
    assert recorded.types == ["accepted"]

    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await hass.async_block_till_done()
    assert recorded.types == ["accepted", "delivered"]


async def test_a_full_disk_raises_a_repair_and_allows_one_attempt(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    issue_id = ("gosms", f"storage_failed_{entry.entry_id}")
    with full_disk():
        await send(hass, "One")
        assert texts(service) == ["One"]
        assert issue_id in ir.async_get(hass).issues

        service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
        with pytest.raises(HomeAssistantError) as error:
            await send(hass, "Two")
        assert error.value.translation_key == "too_many_requests"
    await advance_time_in_steps(hass, freezer, 125)
    assert texts(service) == ["One"]
    assert recorded.types == ["accepted", "expired"]
    assert issue_id not in ir.async_get(hass).issues


async def test_a_queued_message_is_not_sent_while_the_disk_is_full(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    await send(hass, "One")
    with full_disk():
        await advance_time_in_steps(hass, freezer, 60)
        assert texts(service) == []
    await advance_time_in_steps(hass, freezer, 65)
    assert texts(service) == ["One"]


async def test_a_full_queue_rejects_new_messages(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.gosms.outbox.admission._CAPACITY", 3)
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    for number in range(3):
        await send(hass, f"Number {number}")
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "One too many")
    assert error.value.translation_key == "queue_full"


async def test_a_message_queued_at_shutdown_is_sent_after_the_restart(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    await entry.runtime_data.outbox.async_close()
    await send(hass, "Home Assistant stops")
    assert texts(service) == []
    await restart(hass, entry)
    await advance_time(hass, freezer, 1)
    assert texts(service) == ["Home Assistant stops"]


async def test_daily_counters_survive_a_restart_and_reset_at_midnight(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("UTC")
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 15)
    await restart(hass, entry)
    delivered = hass.states.get("sensor.gosms_ru_delivered_today")
    assert delivered.state == "1"
    assert delivered.attributes["last_reset"] == "2026-11-24T00:00:00+00:00"

    await advance_time(hass, freezer, 12 * 3600)
    delivered = hass.states.get("sensor.gosms_ru_delivered_today")
    assert delivered.state == "0"
    assert delivered.attributes["last_reset"] == "2026-11-25T00:00:00+00:00"


async def test_a_daily_counter_at_zero_is_not_written_at_midnight(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("UTC")
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    before = hass.states.get("sensor.gosms_ru_delivered_today")
    await advance_time(hass, freezer, 12 * 3600 + 1)
    assert hass.states.get("sensor.gosms_ru_delivered_today") is before

    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 15)
    delivered = hass.states.get("sensor.gosms_ru_delivered_today")
    assert delivered.state == "1"
    assert delivered.attributes["last_reset"] == "2026-11-25T00:00:00+00:00"


async def test_removing_an_account_deletes_its_files(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    assert await files_on_disk(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    assert await files_on_disk(hass) == {}


async def test_an_exception_in_a_listener_does_not_affect_other_listeners(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    recorded: RecordedEvents,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await set_up(hass, entry)
    entry.runtime_data.outbox.async_add_event_listener(Mock(side_effect=RuntimeError))
    await send(hass, "Water leak!")
    assert recorded.types == ["accepted"]
    assert "Unexpected error while reporting" in caplog.text


async def test_an_unexpected_client_error_does_not_lose_the_message(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await set_up(hass, entry)
    # No fault of the service leads here: this stands for a mistake in the client itself.
    with patch.object(GoSmsClient, "send", side_effect=RuntimeError):
        await send(hass, "Water leak!")
    assert "Unexpected error while sending" in caplog.text
    await advance_time_in_steps(hass, freezer, 40)
    assert texts(service) == ["Water leak!"]


async def test_a_probe_with_an_unknown_outcome_does_not_end_an_outage(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    await send(hass, "One")
    await send(hass, "Two")
    await advance_time(hass, freezer, 1)
    assert len(service.requests_to(SEND)) == 2
    await advance_time_in_steps(hass, freezer, 60)
    assert sorted(texts(service)) == ["One", "Two"]


async def test_with_a_full_disk_a_message_is_attempted_during_an_outage(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, recorded: RecordedEvents
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1, retry_after=600)
    await send(hass, "One")
    with full_disk():
        await send(hass, "Two")
    assert texts(service) == ["Two"]


async def test_sending_at_shutdown_fails_if_the_disk_is_full(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await entry.runtime_data.outbox.async_close()
    with full_disk(), pytest.raises(HomeAssistantError) as error:
        await send(hass, "Home Assistant stops")
    assert error.value.translation_key == "cannot_connect"
    assert texts(service) == []


async def test_retry_after_applies_even_if_concurrent_messages_succeed(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1, retry_after=40)
    await asyncio.gather(*(send(hass, f"Number {number}") for number in range(4)))
    assert len(texts(service)) == 3
    await advance_time_in_steps(hass, freezer, 35)
    assert len(texts(service)) == 3
    await advance_time_in_steps(hass, freezer, 10)
    assert len(texts(service)) == 4


async def test_a_delivery_is_reported_after_a_polling_outage(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    service.faults.add(Fault.BAD_GATEWAY, endpoint=LIST)
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await advance_time_in_steps(hass, freezer, 30)
    assert recorded.types == ["accepted"]
    service.faults.clear()
    await advance_time_in_steps(hass, freezer, 65)
    assert recorded.types == ["accepted", "delivered"]


async def test_only_the_deleted_message_ends_unconfirmed(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    await send(hass, "One")
    await send(hass, "Two")
    await advance_time_in_steps(hass, freezer, 305)
    service.account.delete(service.account.messages[0].id)
    await advance_time_in_steps(hass, freezer, 65)
    assert recorded.types == ["accepted", "accepted", "unconfirmed"]
    assert recorded.attributes[-1]["message"] == "Two"


async def test_unloading_releases_callers_of_messages_not_yet_sent(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    outbox = entry.runtime_data.outbox
    with patch("custom_components.gosms.outbox.dispatcher._MAX_CONCURRENT", 0):
        caller = hass.async_create_task(outbox.async_send(call("Water leak!")))
        await asyncio.sleep(0)
        await outbox.async_close()
        await caller
    await restart(hass, entry)
    await advance_time(hass, freezer, 2)
    assert texts(service) == ["Water leak!"]


async def test_canceling_the_caller_does_not_cancel_the_message(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    outbox = entry.runtime_data.outbox
    caller = hass.async_create_task(outbox.async_send(call("Water leak!")))
    await asyncio.sleep(0)
    caller.cancel()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert texts(service) == ["Water leak!"]


async def test_recipient_status_shows_the_newest_message_from_any_source(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    service.account.add_message(message="Of others", phone_number=MUM, status=Status.DELIVERED)
    await set_up(hass, entry)
    assert hass.states.get(MUMS_STATUS).state == "delivered"
    service.account.quota = 0
    with pytest.raises(HomeAssistantError):
        await send(hass, "Water leak!")
    await hass.async_block_till_done()
    assert hass.states.get(MUMS_STATUS).state == "refused"

    service.account.add_message(message="Of others", phone_number=MUM, status=Status.SENT)
    await advance_time(hass, freezer, 61)
    assert hass.states.get(MUMS_STATUS).state == "sent"


async def test_the_status_of_a_refused_message_survives_a_restart(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.add_message(message="Of others", phone_number=MUM, status=Status.DELIVERED)
    await set_up(hass, entry)
    service.account.quota = 0
    with pytest.raises(HomeAssistantError):
        await send(hass, "Water leak!")
    await restart(hass, entry)
    assert hass.states.get(MUMS_STATUS).state == "refused"


async def test_parts_are_sent_in_order_and_reported_as_one_message(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    await entry.runtime_data.outbox.async_send(call("One", "Two"))
    assert texts(service) == ["One", "Two"]
    await advance_time_in_steps(hass, freezer, 15)
    assert recorded.types == ["accepted", "sent", "delivered"]
    assert recorded.attributes[-1]["message_ids"] == [message.id for message in reversed(service.account.messages)]
    assert recorded.attributes[-1]["attempts"] == 2


@pytest.mark.parametrize(
    ("wish", "sent_with"),
    [
        ({}, {"device_id": PHONE, "to_sim": 1}),
        ({"sim": "sim1"}, {"device_id": PHONE, "to_sim": 0}),
        ({"sim": "default"}, {"device_id": PHONE}),
        ({"phone_id": PHONE}, {"device_id": PHONE, "to_sim": 1}),
        ({"phone_id": PHONE, "sim": "default"}, {"device_id": PHONE}),
        ({"phone_id": OTHER_PHONE}, {"device_id": OTHER_PHONE}),
        ({"phone_id": OTHER_PHONE, "sim": "sim1"}, {"device_id": OTHER_PHONE, "to_sim": 0}),
    ],
)
async def test_phone_and_sim_of_a_request_override_the_settings(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    wish: dict[str, Any],
    sent_with: dict[str, object],
) -> None:
    service.account.add_phone(OTHER_PHONE)
    add_phone(hass, entry, sim="sim2")
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone"})
    await set_up(hass, entry)
    await entry.runtime_data.outbox.async_send(call("One", **wish))
    (request,) = service.requests_to(SEND)
    assert request.json == {"message": "One", "phone_number": MUM, **sent_with}


async def test_the_result_of_a_request_is_reported_despite_a_reload(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.SLOW, endpoint=SEND, times=1, seconds=1)
    sending = hass.async_create_task(entry.runtime_data.outbox.async_send(call("Water leak!")))
    await wait_until(lambda: len(service.requests_to(SEND)) == 1)
    reload = hass.async_create_task(hass.config_entries.async_reload(entry.entry_id))
    await wait_until(lambda: entry.state is not ConfigEntryState.LOADED)
    while not reload.done():
        freezer.tick(0.1)
        await asyncio.sleep(0)
    await sending
    await hass.async_block_till_done()
    assert recorded.types == ["accepted"]


async def test_retry_after_pauses_polling_of_messages_in_transit(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=LIST, times=1, retry_after=100)
    await send(hass, "Water leak!")
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    polls = len(service.requests_to(LIST))
    await advance_time_in_steps(hass, freezer, 95)
    assert len(service.requests_to(LIST)) == polls
    await advance_time_in_steps(hass, freezer, 15)
    assert recorded.types == ["accepted", "delivered"]


async def test_an_exception_in_a_message_listener_does_not_block_the_caller(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    recorded: RecordedEvents,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await set_up(hass, entry)
    entry.runtime_data.outbox.async_add_message_listener(Mock(side_effect=RuntimeError))
    await send(hass, "Water leak!")
    assert recorded.types == ["accepted"]
    assert "Unexpected error while showing" in caplog.text


async def test_sending_through_an_unloaded_outbox_fails(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    outbox = entry.runtime_data.outbox
    await hass.config_entries.async_unload(entry.entry_id)
    (result,) = await outbox.async_send(call("Water leak!"))
    assert result.failure is not None
    assert result.failure.key == "cannot_connect"
    assert texts(service) == []


async def test_removing_an_account_deletes_damaged_files_set_aside(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await start_again(hass, entry, {FILE: b"{}"})
    assert len([name for name in await files_on_disk(hass) if "damaged" in name]) == 1
    await hass.config_entries.async_remove(entry.entry_id)
    assert await files_on_disk(hass) == {}


async def test_messages_to_a_removed_recipient_are_still_tracked(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    await send(hass, "Under way")
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    await send(hass, "Waiting")
    hass.config_entries.async_remove_subentry(entry, "the_recipient_mum")
    await hass.async_block_till_done()
    service.account.delivery = Delivery.ending()
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await advance_time_in_steps(hass, freezer, 30)
    assert sorted(texts(service)) == ["Under way", "Waiting"]
    assert recorded.types.count("delivered") == 2
    assert [attributes["recipient"] for attributes in recorded.attributes[-2:]] == [None, None]


@pytest.mark.parametrize(
    ("time_zone", "evening", "seconds", "last_reset"),
    [
        ("UTC", "2026-09-05T22:50:00+00:00", 81 * 60, "2026-09-06T00:00:00+00:00"),
        # In this night 23:59 is followed by 1:00.
        ("America/Santiago", "2026-09-06T03:50:00+00:00", 21 * 60, "2026-09-06T01:00:00-03:00"),
        ("Asia/Kolkata", "2026-09-05T18:20:00+00:00", 21 * 60, "2026-09-06T00:00:00+05:30"),
    ],
)
async def test_daily_counters_start_anew_with_each_local_day(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    time_zone: str,
    evening: str,
    seconds: float,
    last_reset: str,
) -> None:
    freezer.move_to(evening)
    await hass.config.async_set_time_zone(time_zone)
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 15)
    assert hass.states.get("sensor.gosms_ru_delivered_today").state == "1"
    await advance_time_in_steps(hass, freezer, seconds, 60)
    delivered = hass.states.get("sensor.gosms_ru_delivered_today")
    assert delivered.state == "0"
    assert datetime.fromisoformat(delivered.attributes["last_reset"]) == datetime.fromisoformat(last_reset)


async def test_daily_counters_start_anew_in_a_time_zone_where_it_is_tomorrow(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2026-11-24T19:00:00+00:00")
    await hass.config.async_update(time_zone="Europe/Moscow")
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 15)
    assert hass.states.get("sensor.gosms_ru_delivered_today").state == "1"
    await hass.config.async_update(time_zone="Asia/Vladivostok")
    await hass.async_block_till_done()
    assert hass.states.get("sensor.gosms_ru_delivered_today").state == "0"


async def test_both_sensors_show_the_same_if_a_failed_message_is_delivered(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    recorded: RecordedEvents,
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    for status in (Status.SENT, Status.DELIVERY_ERROR, Status.DELIVERED):
        service.account.set_status(service.account.messages[0].id, status)
        await advance_time(hass, freezer, 61)
    assert recorded.types == ["accepted", "sent", "delivery_failed"]
    assert hass.states.get(MUMS_STATUS).state == "delivered"
    assert hass.states.get("sensor.gosms_ru_last_message").attributes["status"] == "delivered"
