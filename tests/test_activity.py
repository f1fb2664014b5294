"""What Activity (the logbook) shows of one SMS, and the time that a notify entity shows."""

from collections import Counter
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from simulator import Delivery, Fault
from tests.common import MUM, SimulatedService, advance_time, send, set_up
from tests.examples import EXAMPLES, Example
from tests.services.actions import send_sms, send_sms_without_response

SEND: Final = "POST /sms/send"
MUM_NOTIFY: Final = "notify.mum"
DAD_NOTIFY: Final = "notify.dad"

pytestmark = [pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"), pytest.mark.usefixtures("no_rate_limit")]


@pytest.fixture(autouse=True)
def integration_is_found(request: pytest.FixtureRequest) -> None:
    """Enable custom integrations after the recorder has its database, which must exist before Home Assistant."""
    request.getfixturevalue("async_test_recorder")
    request.getfixturevalue("enable_custom_integrations")


async def rows_of_one_sms(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
) -> Counter[str]:
    """Send a message that is delivered, and return how many rows Activity has of each entity."""
    service.account.delivery = Delivery.ending()
    await set_up(hass, entry)
    await advance_time(hass, freezer, 61)
    # The first state of an entity has no row.
    for message in ("Hello", "Water leak!"):
        await async_wait_recording_done(hass)
        start = dt_util.utcnow()
        freezer.tick(1)
        await send(hass, message)
        for _ in range(8):
            await advance_time(hass, freezer, 6)
    await async_wait_recording_done(hass)
    client = await hass_ws_client()
    await client.send_json_auto_id({"type": "logbook/get_events", "start_time": start.isoformat()})
    return Counter(row["entity_id"] for row in (await client.receive_json())["result"])


@pytest.mark.usefixtures("recorder_mock")
async def test_each_step_of_an_sms_is_one_row_of_each_entity(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
) -> None:
    assert await async_setup_component(hass, "logbook", {})
    assert await rows_of_one_sms(hass, hass_ws_client, entry, service, freezer) == {
        "notify.mum": 1,
        "event.mum_message": 3,
        "sensor.mum_last_message_status": 3,
        "event.gosms_ru_message": 3,
        "sensor.gosms_ru_last_message": 1,
    }


@pytest.mark.usefixtures("recorder_mock")
@pytest.mark.parametrize("example", [each for each in EXAMPLES if each.name == "logbook"], ids=str)
async def test_with_the_documented_filter_an_sms_has_four_rows(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    example: Example,
) -> None:
    assert await async_setup_component(hass, "logbook", example.content)
    rows = await rows_of_one_sms(hass, hass_ws_client, entry, service, freezer)
    assert rows == {"notify.mum": 1, "event.mum_message": 3}


async def test_send_sms_records_the_time_on_the_recipients_notify_entity(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    await send_sms(hass, message="Water leak!", entity_id="notify.mum", phone_numbers=["+79160000000"])
    first = dt_util.utcnow().isoformat()
    assert [hass.states.get(each).state for each in (MUM_NOTIFY, DAD_NOTIFY)] == [first, STATE_UNKNOWN]

    freezer.tick(10)
    service.faults.add(Fault.CODE, endpoint=SEND, code=1005, times=1)
    await send_sms(hass, message="Fire!", entity_id=MUM_NOTIFY)
    assert hass.states.get(MUM_NOTIFY).state == first

    # Queued is sent as far as the caller is concerned, as with notify.send_message.
    freezer.tick(10)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    await send_sms_without_response(hass, phone_numbers=[MUM])
    assert hass.states.get(MUM_NOTIFY).state == dt_util.utcnow().isoformat()
