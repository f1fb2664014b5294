"""The sensors."""

from datetime import UTC, datetime
import json

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_component import async_update_entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events, snapshot_platform
from syrupy.assertion import SnapshotAssertion

from simulator import Delivery, Fault, Status
from tests.common import DAD, MUM, SimulatedService, add_phone, advance_time, send, set_up
from tests.message_helpers import advance_time_in_steps
from tests.translation_checks import TRANSLATIONS

LAST = "sensor.gosms_ru_last_message"
STATUS = "sensor.gosms_ru_last_message_status"
TOTAL = "sensor.gosms_ru_total_messages"
MUMS = "sensor.mum_last_message_status"
DADS = "sensor.dad_last_message_status"
LIST = "GET /sms"

pytestmark = [
    pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"),
    pytest.mark.usefixtures("all_entities_enabled", "no_rate_limit"),
]


def states(hass: HomeAssistant) -> dict[str, str]:
    """Return the states of the sensors that need the service."""
    return {entity_id: hass.states.get(entity_id).state for entity_id in (LAST, STATUS, TOTAL, MUMS, DADS)}


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("platform", ["binary_sensor", "button", "event", "notify", "sensor", "switch"])
async def test_entities_match_the_snapshot(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
) -> None:
    add_phone(hass, entry)
    monkeypatch.setattr("custom_components.gosms._PLATFORMS", [platform])
    await set_up(hass, entry)
    await snapshot_platform(hass, entity_registry, snapshot, entry.entry_id)


@pytest.mark.usefixtures("service")
async def test_every_status_and_event_attribute_has_a_text(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    await send(hass, "Hello")
    entities = json.loads((TRANSLATIONS / "en.json").read_text(encoding="utf-8"))["entity"]
    assert set(hass.states.get(MUMS).attributes["options"]) == set(entities["sensor"]["last_message_status"]["state"])

    texts = entities["event"]["message"]["state_attributes"]
    event = hass.states.get("event.mum_message").attributes
    assert set(event) - {"event_types", "friendly_name"} == set(texts)
    assert set(event["event_types"]) == set(texts["event_type"]["state"])


async def test_an_empty_account_has_no_last_message(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService
) -> None:
    await set_up(hass, entry)
    assert not list(service.account.messages)
    assert states(hass) == {
        LAST: STATE_UNKNOWN,
        STATUS: STATE_UNKNOWN,
        TOTAL: "0",
        MUMS: STATE_UNKNOWN,
        DADS: STATE_UNKNOWN,
    }
    assert "message" not in hass.states.get(LAST).attributes


async def test_the_newest_messages_are_shown_with_recipient_names(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService
) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for number in range(12):
        service.account.add_message(message=f"Number {number}", phone_number="79000000000", created=now.timestamp())
    service.account.add_message(message="To dad", phone_number=DAD, status=Status.SEND_ERROR)
    newest = service.account.add_message(message="To mum", phone_number=MUM, status=Status.PROCESSING)
    await set_up(hass, entry)

    assert states(hass) == {
        LAST: now.isoformat(),
        STATUS: "processing",
        TOTAL: "14",
        MUMS: "processing",
        DADS: "send_failed",
    }
    attributes = hass.states.get(LAST).attributes
    expected = {
        "message_id": newest.id,
        "phone_number": MUM,
        "recipient": "Mum",
        "message": "To mum",
        "status": "processing",
    }
    assert expected.items() <= attributes.items()
    assert attributes["recent"][0] == expected | {"created": now.isoformat()}
    assert [(item["recipient"], item["message"]) for item in attributes["recent"][1:3]] == [
        ("Dad", "To dad"),
        (None, "Number 11"),
    ]
    assert len(attributes["recent"]) == 10


async def test_a_number_that_is_listed_with_a_plus_is_the_recipients(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService
) -> None:
    service.account.add_message(message="To mum", phone_number=f"+{MUM}", status=Status.DELIVERED)
    await set_up(hass, entry)
    assert states(hass)[MUMS] == "delivered"
    attributes = hass.states.get(LAST).attributes
    assert (attributes["recipient"], attributes["phone_number"]) == ("Mum", MUM)


@pytest.mark.parametrize("status", list(Status))
async def test_every_vendor_status_is_mapped_to_a_state(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, status: Status
) -> None:
    service.account.add_message(message="Hello", phone_number=MUM, status=status)
    await set_up(hass, entry)
    names = ["waiting", "processing", "sent", "send_failed", "delivered", "delivery_failed"]
    assert hass.states.get(STATUS).state == hass.states.get(MUMS).state == names[status]


async def test_an_unknown_status_affects_only_its_own_sensors(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService
) -> None:
    service.account.add_message(message="Hello", phone_number=DAD, status=Status.SENT)
    service.account.add_message(message="Hello", phone_number=MUM, status=6)
    await set_up(hass, entry)
    assert hass.states.get(STATUS).state == hass.states.get(MUMS).state == STATE_UNKNOWN
    assert hass.states.get(DADS).state == "sent"
    assert hass.states.get(LAST).attributes["status"] is None


async def test_a_sent_message_is_shown_immediately_and_tracked_until_delivery(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    assert hass.states.get(MUMS).state == "waiting"
    assert len(service.requests_to(LIST)) == 2

    for status in ("sent", "delivered"):
        await advance_time(hass, freezer, 6)
        assert hass.states.get(MUMS).state == hass.states.get(STATUS).state == status
    assert hass.states.get(DADS).state == STATE_UNKNOWN


async def test_a_burst_of_messages_causes_one_more_poll(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    for number in range(5):
        await send(hass, f"Number {number}")
    assert len(service.requests_to(LIST)) == 2
    await advance_time(hass, freezer, 3)
    assert len(service.requests_to(LIST)) == 3
    assert hass.states.get(TOTAL).state == "5"


async def test_an_idle_account_is_polled_once_a_minute_for_one_page(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    service.account.add_message(message="Hello", phone_number=MUM)
    await set_up(hass, entry)
    for _ in range(12):
        await advance_time(hass, freezer, 10)
    requests = service.requests_to(LIST)
    assert len(requests) == 3
    assert {tuple(request.query.items()) for request in requests} == {(("limit", "100"), ("offset", "1"))}


async def test_a_poll_without_changes_writes_no_state(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    service.account.add_message(message="Hello", phone_number=MUM)
    await set_up(hass, entry)
    changed = async_capture_events(hass, EVENT_STATE_CHANGED)
    reported: list[object] = []
    # Home Assistant fires this one only for listeners that filter it.
    hass.bus.async_listen(EVENT_STATE_REPORTED, reported.append, event_filter=callback(lambda _: True))
    await advance_time(hass, freezer, 61)
    assert len(service.requests_to(LIST)) == 2
    assert changed == reported == []


async def test_the_sensors_are_unavailable_in_an_outage_that_is_logged_once(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.BAD_GATEWAY)
    for _ in range(3):
        await advance_time(hass, freezer, 61)
    assert set(states(hass).values()) == {STATE_UNAVAILABLE}
    assert hass.states.get("notify.mum").state == STATE_UNKNOWN
    assert caplog.text.count("Error fetching GoSMS.ru messages data") == 1

    service.faults.clear()
    await advance_time(hass, freezer, 61)
    assert hass.states.get(TOTAL).state == "0"
    assert caplog.text.count("Fetching GoSMS.ru messages data recovered") == 1


async def test_messages_that_wait_are_listed_between_those_of_the_service(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    def listed() -> list[tuple[str, str, bool]]:
        recent = hass.states.get(LAST).attributes["recent"]
        return [(item["message"], item["status"], item["message_id"] is not None) for item in recent]

    await set_up(hass, entry)
    await send(hass, "First")
    await advance_time(hass, freezer, 61)
    service.faults.add(Fault.FORBIDDEN)
    await send(hass, "Second")
    await advance_time(hass, freezer, 61)
    await send(hass, "Third", to="notify.dad")
    assert listed() == [("Third", "queued", False), ("Second", "queued", False), ("First", "waiting", True)]
    newest = hass.states.get(LAST)
    assert newest.state == "2026-11-24T12:02:02+00:00"
    assert (newest.attributes["recipient"], newest.attributes["status"]) == ("Dad", "queued")
    assert hass.states.get(MUMS).state == "queued"
    assert hass.states.get(STATUS).state == hass.states.get(TOTAL).state == STATE_UNAVAILABLE

    # What waits is on disk.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert [message for message, _, _ in listed()] == ["Third", "Second"]

    # They stay until the service lists them. Its rate limit counts by its clock, which stands still.
    service.account.rate_limit = None
    service.faults.clear()
    service.faults.add(Fault.EMPTY_LIST, endpoint=LIST)
    await advance_time(hass, freezer, 61)
    assert [message for message, _, _ in listed()] == ["Third", "Second"]
    service.faults.clear()
    await advance_time_in_steps(hass, freezer, 180, step=10)
    assert sorted(listed()) == [(text, "waiting", True) for text in ("First", "Second", "Third")]


async def test_the_list_holds_the_newest_ten_of_those_that_were_refused(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    created = datetime(2026, 11, 24, 11, tzinfo=UTC).timestamp()
    service.account.add_message(message="On the server", phone_number=MUM, created=created)
    service.account.rate_limit = None
    await set_up(hass, entry)
    service.account.blocked = True
    for number in range(12):
        freezer.tick(1)
        with pytest.raises(HomeAssistantError):
            await send(hass, f"Number {number}")
    recent = hass.states.get(LAST).attributes["recent"]
    assert [item["message"] for item in recent] == [f"Number {number}" for number in range(11, 1, -1)]
    assert {item["status"] for item in recent} == {"refused"}


@pytest.mark.parametrize(
    "fault",
    [
        Fault.CAPTIVE_PORTAL,
        Fault.TRUNCATED,
        Fault.NOT_AN_OBJECT,
        Fault.LIST_AS_TEXT,
        Fault.OVERSIZED,
        Fault.OVERSIZED_CHUNKED,
        Fault.REDIRECT,
        Fault.CUT_WITHIN,
        Fault.REFUSE,
    ],
)
async def test_an_unreadable_response_makes_the_sensors_unavailable(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory, fault: Fault
) -> None:
    service.account.add_message(message="Hello", phone_number=MUM)
    service.faults.add(fault, endpoint=LIST)
    await set_up(hass, entry)
    assert set(states(hass).values()) == {STATE_UNAVAILABLE}

    service.faults.clear()
    await advance_time(hass, freezer, 61)
    assert hass.states.get(MUMS).state == "delivered"


@pytest.mark.parametrize(("asked", "waited"), [(30, 31), (1_000_000, 601)])
async def test_polling_respects_retry_after_up_to_a_limit(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    asked: int,
    waited: int,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, times=1, retry_after=asked)
    await advance_time(hass, freezer, 61)
    await advance_time(hass, freezer, waited - 5)
    assert hass.states.get(TOTAL).state == STATE_UNAVAILABLE
    await advance_time(hass, freezer, 5)
    assert hass.states.get(TOTAL).state == "0"


async def test_the_sensors_can_be_updated_manually(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService
) -> None:
    await set_up(hass, entry)
    service.account.add_message(message="Hello", phone_number=MUM)
    await async_update_entity(hass, TOTAL)
    assert hass.states.get(TOTAL).state == "1"
