"""What becomes of a message when the service, the disk, the clock or Home Assistant itself fails."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import errno
from pathlib import Path
from typing import Any, Final
from unittest.mock import Mock, patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED, STATE_UNAVAILABLE
from homeassistant.core import CoreState, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.gosms.api import GoSmsClient
from custom_components.gosms.outbox import OutgoingMessage, Recipient, SendRequest
from custom_components.gosms.outbox.journal import StorageError
from simulator import Account, Delivery, Fault, Permission, Status
from tests.service import DAD, MUM, PHONE, Service, add_phone, send, set_up, wait

SEND: Final = "POST /sms/send"
LIST: Final = "GET /sms"
GET: Final = "POST /sms/get"
MUMS_EVENTS: Final = "event.mum_message"
ACCOUNT_EVENTS: Final = "event.gosms_ru_message"
MUMS_STATUS: Final = "sensor.mum_last_message_status"
OTHER_PHONE: Final = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"
QUEUED: Final = "sensor.gosms_ru_queued_messages"

pytestmark = [pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"), pytest.mark.usefixtures("unpaced")]


class Told:
    """What an event entity told, in order."""

    def __init__(self, hass: HomeAssistant, entity_id: str) -> None:
        self.attributes: list[dict[str, Any]] = []
        self._entity_id = entity_id
        hass.bus.async_listen("state_changed", self._hear)

    @property
    def types(self) -> list[str]:
        """The types of the events."""
        return [attributes["event_type"] for attributes in self.attributes]

    @callback
    def _hear(self, event: Event[EventStateChangedData]) -> None:
        before, state = event.data["old_state"], event.data["new_state"]
        # An entity that comes back shows its last event again; that tells nothing.
        came_back = before is None or before.state == STATE_UNAVAILABLE
        if event.data["entity_id"] == self._entity_id and state and state.state != STATE_UNAVAILABLE and not came_back:
            self.attributes.append(dict(state.attributes))


@pytest.fixture
def told(hass: HomeAssistant) -> Told:
    """What is told of the messages of the account."""
    return Told(hass, ACCOUNT_EVENTS)


@pytest.fixture(autouse=True)
def unlimited(account: Account) -> None:
    """Permit any number of requests at a time: hours pass here in a moment."""
    account.rate_limit = None


def no_space(*_args: object) -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")


@contextmanager
def full_disk() -> Iterator[None]:
    """Let the disk take nothing of the integration's."""
    with (
        patch("custom_components.gosms.outbox.journal._write", side_effect=no_space),
        patch("custom_components.gosms.outbox.journal._append", side_effect=no_space),
    ):
        yield


def texts(service: Service) -> list[str]:
    """Return the texts on the server, oldest first."""
    return [message.message for message in reversed(service.account.messages)]


def call(*parts: str, number: str = MUM, **changes: Any) -> SendRequest:
    """Return a call that sends a text."""
    return SendRequest(to=(Recipient(phone_number=number),), text=" ".join(parts), parts=parts, **changes)


async def wait_in_steps(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float, step: float = 5) -> None:
    """Let time pass in steps that no timer is longer than."""
    for _ in range(int(seconds / step)):
        await wait(hass, freezer, step)


async def until(condition: Callable[[], bool]) -> None:
    """Let what is ready happen until something is so; time stands still meanwhile."""
    while not condition():
        await asyncio.sleep(0)


async def restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Reload the account, as a restart does."""
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()


async def test_a_message_is_followed_to_its_delivery_and_told_at_each_step(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    add_phone(hass, entry)
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone"})
    service.account.delivery = Delivery.ending()
    mums, dads = Told(hass, MUMS_EVENTS), Told(hass, "event.dad_message")
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await wait_in_steps(hass, freezer, 15)

    assert told.types == mums.types == ["accepted", "sent", "delivered"]
    assert dads.types == []
    last = told.attributes[-1]
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
async def test_a_failure_on_the_way_is_told_and_counted(
    hass: HomeAssistant,
    service: Service,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    told: Told,
    status: Status,
    event: str,
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    service.account.set_status(service.account.messages[0].id, status)
    await wait(hass, freezer, 6)
    assert told.types == ["accepted", event]
    assert hass.states.get(MUMS_STATUS).state == event
    assert hass.states.get("sensor.gosms_ru_failed_today").state == "1"


async def test_a_refused_message_tells_so_beside_the_error_and_is_not_tried_again(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    service.account.quota = 0
    with pytest.raises(HomeAssistantError):
        await send(hass, "Water leak!")
    await hass.async_block_till_done()
    assert told.types == ["refused"]
    assert told.attributes[0]["error"] == "quota_reached"
    assert hass.states.get(MUMS_STATUS).state == "refused"

    service.account.quota = 5
    await wait_in_steps(hass, freezer, 60)
    assert texts(service) == []


async def test_a_message_that_leaves_at_once_is_never_shown_as_queued(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    shown = async_capture_events(hass, EVENT_STATE_CHANGED)
    await send(hass, "Water leak!")
    states = [(event.data["entity_id"], event.data["new_state"].state) for event in shown]
    assert (MUMS_STATUS, "waiting") in states
    assert (MUMS_STATUS, "queued") not in states
    assert QUEUED not in dict(states)


async def test_messages_of_an_outage_leave_in_order_once_it_is_over(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    for number in range(10):
        await send(hass, f"Number {number}")
    assert hass.states.get(QUEUED).state == "10"
    assert hass.states.get(MUMS_STATUS).state == "queued"
    await wait_in_steps(hass, freezer, 600)
    assert texts(service) == []
    # Growing pauses up to a minute: at most two in the first seconds of each message, then a probe a minute.
    assert len(service.requests_to(SEND)) <= 25

    service.faults.clear()
    await wait_in_steps(hass, freezer, 65)
    assert sorted(texts(service)) == [f"Number {number}" for number in range(10)]
    assert hass.states.get(QUEUED).state == "0"
    assert sorted(told.types) == ["accepted"] * 10 + ["queued"] * 10


async def test_a_service_that_asks_for_a_pause_before_the_next_message_gets_it(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1, retry_after=40)
    await send(hass, "One")
    await send(hass, "Two")
    await wait_in_steps(hass, freezer, 35)
    assert len(service.requests_to(SEND)) == 1
    await wait_in_steps(hass, freezer, 10)
    assert texts(service) == ["One", "Two"]


async def test_a_message_that_waited_too_long_is_never_sent(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 2})
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    await send(hass, "One")
    await send(hass, "Two")
    await wait_in_steps(hass, freezer, 125)
    assert told.types == ["queued", "queued", "expired", "expired"]
    assert hass.states.get(MUMS_STATUS).state == "expired"

    service.faults.clear()
    await wait_in_steps(hass, freezer, 70)
    assert texts(service) == []


async def test_a_message_that_may_not_wait_fails_at_once_also_in_the_middle_of_an_outage(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, told: Told
) -> None:
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 0})
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    for text in ("One", "Two"):
        with pytest.raises(HomeAssistantError) as error:
            await send(hass, text)
        assert error.value.translation_key == "too_many_requests"
    await hass.async_block_till_done()
    assert told.types == ["expired", "expired"]


@pytest.mark.parametrize(
    ("fault", "events"),
    [
        (Fault.CUT_AFTER, ["queued", "accepted"]),
        (Fault.ERROR_AFTER, ["queued", "accepted"]),
        (Fault.TRUNCATED, ["queued", "accepted"]),
        (Fault.ID_AS_NUMBER, ["queued", "accepted"]),
        (Fault.MALFORMED_ID, ["queued", "accepted"]),
        (Fault.OVERSIZED, ["queued", "accepted"]),
        (Fault.CUT_BEFORE, ["queued", "accepted"]),
        (Fault.BAD_GATEWAY, ["queued", "accepted"]),
        (Fault.UNKNOWN_ERROR, ["queued", "accepted"]),
        (Fault.REQUEST_TIMEOUT, ["queued", "accepted"]),
        (Fault.CAPTIVE_PORTAL, ["queued", "accepted"]),
    ],
)
async def test_a_message_in_doubt_is_on_the_server_exactly_once_in_the_end(
    hass: HomeAssistant,
    service: Service,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    told: Told,
    fault: Fault,
    events: list[str],
) -> None:
    service.account.add_message(message="Water leak!", phone_number=MUM, created=1_795_000_000)
    await set_up(hass, entry)
    service.faults.add(fault, endpoint=SEND, times=1)
    await send(hass, "Water leak!")
    await wait_in_steps(hass, freezer, 60)
    assert texts(service) == ["Water leak!", "Water leak!"]
    assert told.types == events
    assert told.attributes[-1]["message_ids"] == [service.account.messages[0].id]


async def test_only_the_same_text_to_the_same_number_waits_for_a_message_in_doubt(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    await send(hass, "Water leak!")
    await send(hass, "Water leak!")
    await send(hass, "Water leak!", to="notify.dad")
    await send(hass, "Fire!")
    assert texts(service) == ["Water leak!", "Water leak!", "Fire!"]
    await wait_in_steps(hass, freezer, 60)
    assert [(message.phone_number, message.message) for message in reversed(service.account.messages)] == [
        (MUM, "Water leak!"),
        (DAD, "Water leak!"),
        (MUM, "Fire!"),
        (MUM, "Water leak!"),
    ]


async def test_a_text_sent_three_times_at_once_arrives_three_times(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, told: Told
) -> None:
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 0})
    await set_up(hass, entry)
    await asyncio.gather(*(send(hass, "Water leak!") for _ in range(3)))
    assert texts(service) == ["Water leak!"] * 3
    assert told.types == ["accepted"] * 3


@pytest.mark.parametrize("status", [Status.SENT, Status.DELIVERED])
async def test_an_id_that_another_message_has_is_not_taken_over(
    hass: HomeAssistant,
    service: Service,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    told: Told,
    status: Status,
) -> None:
    await set_up(hass, entry)
    await send(hass, "One")
    service.account.set_status(service.account.messages[0].id, status)
    await wait_in_steps(hass, freezer, 10)
    service.faults.add(Fault.REPEATED_ID, endpoint=SEND, times=1)
    await send(hass, "Two")
    await wait_in_steps(hass, freezer, 60)
    assert texts(service) == ["One", "Two"]
    assert told.types[2:] == ["queued", "accepted"]
    assert told.attributes[-1]["message_ids"] == [service.account.messages[0].id]


async def test_a_message_in_doubt_may_be_the_one_that_cannot_be_read(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.MALFORMED_ID)
    await send(hass, "Water leak!")
    await wait_in_steps(hass, freezer, 300)
    assert told.types == ["queued"]

    service.faults.clear()
    await wait_in_steps(hass, freezer, 70)
    assert told.types == ["queued", "accepted"]
    assert texts(service) == ["Water leak!"]


async def test_what_is_in_doubt_and_too_late_is_not_sent_again(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 0})
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_BEFORE, endpoint=SEND, times=1)
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Water leak!")
    assert error.value.translation_key == "not_confirmed"
    await wait_in_steps(hass, freezer, 60)
    assert texts(service) == []
    assert told.types == ["queued", "unconfirmed"]


async def test_without_permission_to_read_nothing_in_doubt_is_sent_again(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    service.account.permissions.remove(Permission.READ)
    service.faults.add(Fault.CUT_BEFORE, endpoint=SEND, times=1)
    await send(hass, "Water leak!")
    await wait_in_steps(hass, freezer, 10)
    assert told.types == ["queued", "unconfirmed"]
    assert texts(service) == []


async def test_a_look_that_fails_proves_nothing(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    service.faults.add(Fault.BAD_GATEWAY, endpoint=LIST)
    await send(hass, "Water leak!")
    await wait_in_steps(hass, freezer, 600)
    assert told.types == ["queued"]

    service.faults.clear()
    await wait_in_steps(hass, freezer, 70)
    assert told.types == ["queued", "accepted"]
    assert texts(service) == ["Water leak!"]


async def test_after_three_days_without_a_look_it_is_given_up(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    service.faults.add(Fault.BAD_GATEWAY, endpoint=LIST)
    await send(hass, "Water leak!")
    await wait(hass, freezer, 2)
    await wait(hass, freezer, 72 * 3600)
    assert told.types == ["queued", "unconfirmed"]


async def test_a_wrong_date_of_the_service_does_not_double_a_message(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    service.faults.add(Fault.WRONG_DATE, endpoint=LIST, times=1)
    await set_up(hass, entry)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    await send(hass, "Water leak!")
    await wait_in_steps(hass, freezer, 60)
    assert texts(service) == ["Water leak!"]


async def test_a_missing_delivery_is_told_once_and_the_message_is_followed_all_the_same(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    service.account.set_status(service.account.messages[0].id, Status.SENT)
    await wait_in_steps(hass, freezer, 1200, 20)
    assert told.types == ["accepted", "sent", "delivery_timeout"]
    assert told.attributes[-1]["seconds"] == pytest.approx(600, abs=60)

    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await wait_in_steps(hass, freezer, 65)
    assert told.types[3:] == ["delivered"]


async def test_silence_for_three_days_ends_unconfirmed(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await wait(hass, freezer, 72 * 3600 + 1)
    assert told.types == ["accepted", "delivery_timeout", "unconfirmed"]
    polls = len(service.requests_to(LIST))
    await wait_in_steps(hass, freezer, 50)
    assert len(service.requests_to(LIST)) == polls


async def test_a_message_that_was_deleted_on_the_server_ends_unconfirmed(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await wait_in_steps(hass, freezer, 305)
    service.account.delete(service.account.messages[0].id)
    await wait_in_steps(hass, freezer, 65)
    assert told.types == ["accepted", "unconfirmed"]


async def test_messages_that_left_the_page_are_asked_for_a_few_at_a_time(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    for number in range(8):
        await send(hass, f"Number {number}")
    ours = [message.id for message in service.account.messages]
    for number in range(100):
        service.account.add_message(message=f"Of others {number}", phone_number=DAD)
    service.faults.add(Fault.BAD_GATEWAY, endpoint=GET, times=1)
    await wait(hass, freezer, 6)
    assert len(service.requests_to(GET)) == 5
    for message_id in ours:
        service.account.set_status(message_id, Status.DELIVERED)
    await wait_in_steps(hass, freezer, 60)
    assert told.types.count("delivered") == 8


async def test_with_a_hundred_messages_under_way_one_poll_is_one_request(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    await asyncio.gather(*(send(hass, f"Number {number}") for number in range(100)))
    await wait(hass, freezer, 10)
    assert entry.runtime_data.outbox.in_transit == 100
    ours = [message.id for message in service.account.messages]
    polls = {
        Status.SENT: lambda: wait(hass, freezer, 10),
        Status.DELIVERED: entry.runtime_data.coordinator.async_refresh,
    }
    for status, poll in polls.items():
        for message_id in ours:
            service.account.set_status(message_id, status)
        before = len(service.requests)
        await poll()
        await hass.async_block_till_done()
        assert [request.endpoint for request in service.requests[before:]] == [LIST]
        assert told.types.count(status.name.lower()) == 100


async def test_tracking_works_with_every_entity_disabled_and_polling_off(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
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
    await wait_in_steps(hass, freezer, 20)
    assert entry.runtime_data.outbox.history.delivered == 1
    assert list(entry.runtime_data.outbox.messages) == []


async def test_a_burst_of_messages_costs_one_poll_more_than_a_single_one(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    await send(hass, "One")
    await wait_in_steps(hass, freezer, 4, 1)
    single = len(service.requests_to(LIST))
    await wait_in_steps(hass, freezer, 60, 1)
    before = len(service.requests_to(LIST))
    await asyncio.gather(*(send(hass, f"Number {number}") for number in range(50)))
    await wait_in_steps(hass, freezer, 4, 1)
    assert len(service.requests_to(LIST)) - before <= single


async def test_an_idle_hour_costs_sixty_requests_and_writes_no_state(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await wait_in_steps(hass, freezer, 60)
    written: list[str] = []

    @callback
    def note(event: Event[Any]) -> None:
        written.append(event.data["entity_id"])

    for kind in (EVENT_STATE_CHANGED, EVENT_STATE_REPORTED):
        # Home Assistant fires the second one only for listeners that filter it.
        hass.bus.async_listen(kind, note, event_filter=callback(lambda _: True))
    before = len(service.requests)
    await wait_in_steps(hass, freezer, 3600, 10)
    assert 50 <= len(service.requests) - before <= 60
    assert written == []


async def test_a_restart_goes_on_with_what_waits_and_what_is_under_way(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
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
    await wait_in_steps(hass, freezer, 120)
    assert sorted(texts(service)) == ["Under way", "Waiting"]
    assert told.types.count("delivered") == 2


async def test_what_happened_while_home_assistant_was_down_is_told_once_automations_listen(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await hass.config_entries.async_unload(entry.entry_id)
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    hass.set_state(CoreState.starting)
    await set_up(hass, entry)
    await wait(hass, freezer, 6)
    assert told.types == ["accepted"]

    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await hass.async_block_till_done()
    assert told.types == ["accepted", "delivered"]


@pytest.mark.parametrize("arrived", [1, 0], ids=["arrived", "did not arrive"])
async def test_a_message_of_a_process_killed_in_the_middle_of_its_request_is_on_the_server_once(
    hass: HomeAssistant,
    service: Service,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    told: Told,
    tmp_path: Path,
    arrived: int,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    await send(hass, "Water leak!")
    await hass.config_entries.async_unload(entry.entry_id)
    # What the file says of it between the write before the request and the one after it.
    file = tmp_path / ".storage/gosms.the_account.outbox"
    waiting = await hass.async_add_executor_job(file.read_text)
    await hass.async_add_executor_job(file.write_text, waiting.replace('"queued"', '"sending"'))
    for _ in range(arrived):
        service.account.add_message(message="Water leak!", phone_number=MUM, status=Status.WAITING)

    freezer.tick(3600 - 60)
    await set_up(hass, entry)
    await wait_in_steps(hass, freezer, 55)
    assert texts(service) == ["Water leak!"]
    assert told.types == ["queued", "accepted"]


async def test_a_full_disk_is_told_and_a_message_has_one_try(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
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
    await wait_in_steps(hass, freezer, 125)
    assert texts(service) == ["One"]
    assert told.types == ["accepted", "expired"]
    assert issue_id not in ir.async_get(hass).issues


async def test_a_queued_message_does_not_leave_while_the_disk_can_not_note_it(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    await send(hass, "One")
    with full_disk():
        await wait_in_steps(hass, freezer, 60)
        assert texts(service) == []
    await wait_in_steps(hass, freezer, 65)
    assert texts(service) == ["One"]


async def test_a_full_queue_refuses_what_comes_next(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.gosms.outbox.admission._CAPACITY", 3)
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    for number in range(3):
        await send(hass, f"Number {number}")
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "One too many")
    assert error.value.translation_key == "queue_full"


async def test_the_last_word_before_home_assistant_stops_leaves_after_the_start(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    await entry.runtime_data.outbox.async_close()
    await send(hass, "Home Assistant stops")
    assert texts(service) == []
    await restart(hass, entry)
    await wait(hass, freezer, 1)
    assert texts(service) == ["Home Assistant stops"]


async def test_the_counters_of_today_begin_anew_at_midnight_and_survive_a_restart(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("UTC")
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await wait_in_steps(hass, freezer, 15)
    await restart(hass, entry)
    delivered = hass.states.get("sensor.gosms_ru_delivered_today")
    assert delivered.state == "1"
    assert delivered.attributes["last_reset"] == "2026-11-24T00:00:00+00:00"

    await wait(hass, freezer, 12 * 3600)
    delivered = hass.states.get("sensor.gosms_ru_delivered_today")
    assert delivered.state == "0"
    assert delivered.attributes["last_reset"] == "2026-11-25T00:00:00+00:00"


async def test_a_counter_of_today_that_stays_at_zero_is_not_written_at_midnight(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("UTC")
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    before = hass.states.get("sensor.gosms_ru_delivered_today")
    await wait(hass, freezer, 12 * 3600 + 1)
    assert hass.states.get("sensor.gosms_ru_delivered_today") is before

    await send(hass, "Water leak!")
    await wait_in_steps(hass, freezer, 15)
    delivered = hass.states.get("sensor.gosms_ru_delivered_today")
    assert delivered.state == "1"
    assert delivered.attributes["last_reset"] == "2026-11-25T00:00:00+00:00"


def stored_files(folder: Path) -> list[Path]:
    """Return what the integration has on disk."""
    return list(folder.glob(".storage/gosms.*"))


async def test_a_removed_account_leaves_no_file(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, tmp_path: Path
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    assert await hass.async_add_executor_job(stored_files, tmp_path)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not await hass.async_add_executor_job(stored_files, tmp_path)


async def test_a_mistake_in_a_listener_keeps_nobody_else_from_hearing(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    await set_up(hass, entry)
    entry.runtime_data.outbox.async_add_event_listener(Mock(side_effect=RuntimeError))
    await send(hass, "Water leak!")
    assert told.types == ["accepted"]
    assert "Unexpected error while telling" in caplog.text


async def test_a_mistake_in_the_client_leaves_a_message_in_doubt_and_not_lost(
    hass: HomeAssistant,
    service: Service,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await set_up(hass, entry)
    # No fault of the service leads here: this stands for a mistake in the client itself.
    with patch.object(GoSmsClient, "send", side_effect=RuntimeError):
        await send(hass, "Water leak!")
    assert "Unexpected error while sending" in caplog.text
    await wait_in_steps(hass, freezer, 40)
    assert texts(service) == ["Water leak!"]


async def test_a_probe_in_doubt_does_not_end_an_outage(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    service.faults.add(Fault.CUT_AFTER, endpoint=SEND, times=1)
    await send(hass, "One")
    await send(hass, "Two")
    await wait(hass, freezer, 1)
    assert len(service.requests_to(SEND)) == 2
    await wait_in_steps(hass, freezer, 60)
    assert sorted(texts(service)) == ["One", "Two"]


async def test_without_a_disk_a_message_is_tried_in_the_middle_of_an_outage_too(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, told: Told
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1, retry_after=600)
    await send(hass, "One")
    with full_disk():
        await send(hass, "Two")
    assert texts(service) == ["Two"]


async def test_without_a_disk_the_last_word_before_a_stop_is_an_error(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await entry.runtime_data.outbox.async_close()
    with full_disk(), pytest.raises(HomeAssistantError) as error:
        await send(hass, "Home Assistant stops")
    assert error.value.translation_key == "cannot_connect"
    assert texts(service) == []


async def test_messages_that_leave_together_keep_the_pause_that_one_of_them_was_asked_for(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1, retry_after=40)
    await asyncio.gather(*(send(hass, f"Number {number}") for number in range(4)))
    assert len(texts(service)) == 3
    await wait_in_steps(hass, freezer, 35)
    assert len(texts(service)) == 3
    await wait_in_steps(hass, freezer, 10)
    assert len(texts(service)) == 4


async def test_a_delivery_is_seen_after_an_outage_of_the_list(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    service.faults.add(Fault.BAD_GATEWAY, endpoint=LIST)
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await wait_in_steps(hass, freezer, 30)
    assert told.types == ["accepted"]
    service.faults.clear()
    await wait_in_steps(hass, freezer, 65)
    assert told.types == ["accepted", "delivered"]


async def test_only_the_deleted_one_of_several_messages_ends_unconfirmed(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    await send(hass, "One")
    await send(hass, "Two")
    await wait_in_steps(hass, freezer, 305)
    service.account.delete(service.account.messages[0].id)
    await wait_in_steps(hass, freezer, 65)
    assert told.types == ["accepted", "accepted", "unconfirmed"]
    assert told.attributes[-1]["message"] == "Two"


async def test_a_caller_whose_turn_does_not_come_before_an_unload_is_let_go(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    outbox = entry.runtime_data.outbox
    with patch("custom_components.gosms.outbox.dispatcher._MAX_CONCURRENT", 0):
        caller = hass.async_create_task(outbox.async_send(call("Water leak!")))
        await asyncio.sleep(0)
        await outbox.async_close()
        await caller
    await restart(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert texts(service) == ["Water leak!"]


async def test_a_cancelled_caller_does_not_cancel_the_message(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    outbox = entry.runtime_data.outbox
    caller = hass.async_create_task(outbox.async_send(call("Water leak!")))
    await asyncio.sleep(0)
    caller.cancel()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert texts(service) == ["Water leak!"]


async def test_a_recipients_status_is_that_of_the_newest_message_whoever_sent_it(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
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
    await wait(hass, freezer, 61)
    assert hass.states.get(MUMS_STATUS).state == "sent"


async def test_the_status_of_a_refused_message_survives_a_restart(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry
) -> None:
    service.account.add_message(message="Of others", phone_number=MUM, status=Status.DELIVERED)
    await set_up(hass, entry)
    service.account.quota = 0
    with pytest.raises(HomeAssistantError):
        await send(hass, "Water leak!")
    await restart(hass, entry)
    assert hass.states.get(MUMS_STATUS).state == "refused"


async def test_the_parts_of_a_message_leave_one_after_the_other_and_are_told_as_one(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    await entry.runtime_data.outbox.async_send(call("One", "Two"))
    assert texts(service) == ["One", "Two"]
    await wait_in_steps(hass, freezer, 15)
    assert told.types == ["accepted", "sent", "delivered"]
    assert told.attributes[-1]["message_ids"] == [message.id for message in reversed(service.account.messages)]
    assert told.attributes[-1]["attempts"] == 2


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
async def test_what_a_call_asks_for_comes_before_the_settings(
    hass: HomeAssistant,
    service: Service,
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


async def test_a_message_that_leaves_while_the_disk_fails_to_queue_it_leaves_once(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    sender = entry.runtime_data.outbox._dispatcher
    now = hass.loop.time()
    message = OutgoingMessage(
        key="one", phone_number=MUM, text="One", parts=("One",), created=now, expires=now + 60, queued_reported=True
    )

    async def fail() -> None:
        # The outage ends during the write, so that the message's turn comes.
        sender.async_run()
        raise StorageError

    with patch.object(sender._store, "async_save", fail):
        sender._store.put(message)
        await sender._async_keep("one")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert texts(service) == ["One"]


async def test_what_a_running_request_ends_in_is_told_when_the_account_is_reloaded_meanwhile(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.SLOW, endpoint=SEND, times=1, seconds=1)
    sending = hass.async_create_task(entry.runtime_data.outbox.async_send(call("Water leak!")))
    await until(lambda: len(service.requests_to(SEND)) == 1)
    reload = hass.async_create_task(hass.config_entries.async_reload(entry.entry_id))
    await until(lambda: entry.state is not ConfigEntryState.LOADED)
    while not reload.done():
        freezer.tick(0.1)
        await asyncio.sleep(0)
    await sending
    await hass.async_block_till_done()
    assert told.types == ["accepted"]


async def test_a_service_that_asks_for_a_pause_of_the_polls_gets_it_while_messages_are_under_way(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=LIST, times=1, retry_after=100)
    await send(hass, "Water leak!")
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    polls = len(service.requests_to(LIST))
    await wait_in_steps(hass, freezer, 95)
    assert len(service.requests_to(LIST)) == polls
    await wait_in_steps(hass, freezer, 15)
    assert told.types == ["accepted", "delivered"]


async def test_a_mistake_in_what_shows_messages_keeps_no_caller_waiting(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    await set_up(hass, entry)
    entry.runtime_data.outbox.async_add_message_listener(Mock(side_effect=RuntimeError))
    await send(hass, "Water leak!")
    assert told.types == ["accepted"]
    assert "Unexpected error while showing" in caplog.text


async def test_who_still_holds_an_outbox_that_was_unloaded_gets_an_error(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    outbox = entry.runtime_data.outbox
    await hass.config_entries.async_unload(entry.entry_id)
    (result,) = await outbox.async_send(call("Water leak!"))
    assert result.failure is not None
    assert result.failure.key == "cannot_connect"
    assert texts(service) == []


async def test_a_removed_account_leaves_nothing_of_what_was_set_aside(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, tmp_path: Path
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_add_executor_job((tmp_path / ".storage/gosms.the_account.outbox").write_text, '{"version": 1}')
    await set_up(hass, entry)
    assert len(await hass.async_add_executor_job(stored_files, tmp_path)) == 2
    await hass.config_entries.async_remove(entry.entry_id)
    assert not await hass.async_add_executor_job(stored_files, tmp_path)


async def test_a_message_to_somebody_who_is_removed_meanwhile_is_followed_on_the_account(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, told: Told
) -> None:
    await set_up(hass, entry)
    await send(hass, "Under way")
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    await send(hass, "Waiting")
    hass.config_entries.async_remove_subentry(entry, "the_recipient_mum")
    await hass.async_block_till_done()
    service.account.delivery = Delivery.ending()
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await wait_in_steps(hass, freezer, 30)
    assert sorted(texts(service)) == ["Under way", "Waiting"]
    assert told.types.count("delivered") == 2
    assert [attributes["recipient"] for attributes in told.attributes[-2:]] == [None, None]
