"""Each fault of the service at each moment: what the user sees, and that all is well once it is over.

The forms are in test_config_flow.py and test_subentry_flow.py; here are set-up, poll and send.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.const import DOMAIN
from simulator import Fault
from tests.common import SimulatedService, send, set_up

TOTAL: Final = "sensor.gosms_ru_total_messages"


@dataclass(frozen=True, kw_only=True)
class Effects:
    """The effects of a fault of every request."""

    # Whether the sensors that show the service's state go on.
    polled: bool = False
    # The key of the error that a message which may not wait ends in; none if it leaves as if nothing was wrong.
    send: str | None
    # Whether the service has the message in spite of the error.
    accepted: bool = False
    # Whether a new token is asked for.
    reauth: bool = False


UNKNOWN: Final = Effects(send="not_confirmed")
UNKNOWN_BUT_ACCEPTED: Final = Effects(send="not_confirmed", accepted=True)

FAULTS: Final = {
    Fault.SLOW: Effects(polled=True, send=None, accepted=True),
    Fault.REFUSE: UNKNOWN,
    Fault.CUT_BEFORE: UNKNOWN,
    Fault.CUT_AFTER: UNKNOWN_BUT_ACCEPTED,
    Fault.CUT_WITHIN: UNKNOWN_BUT_ACCEPTED,
    Fault.HANG_BEFORE: UNKNOWN,
    Fault.HANG_AFTER: UNKNOWN_BUT_ACCEPTED,
    Fault.UNAUTHORIZED: Effects(send="invalid_auth", reauth=True),
    Fault.FORBIDDEN: Effects(send="cannot_connect"),
    Fault.REQUEST_TIMEOUT: UNKNOWN,
    Fault.TOO_MANY_REQUESTS: Effects(send="too_many_requests"),
    Fault.TOO_MANY_REQUESTS_UNTIL: Effects(send="too_many_requests"),
    Fault.UNKNOWN_ERROR: UNKNOWN,
    Fault.ERROR_AFTER: UNKNOWN_BUT_ACCEPTED,
    Fault.CODE: UNKNOWN,
    Fault.CAPTIVE_PORTAL: UNKNOWN,
    Fault.BAD_GATEWAY: UNKNOWN,
    Fault.REDIRECT: UNKNOWN,
    Fault.TRUNCATED: UNKNOWN_BUT_ACCEPTED,
    Fault.NOT_AN_OBJECT: UNKNOWN_BUT_ACCEPTED,
    Fault.ID_AS_NUMBER: Effects(polled=True, send="not_confirmed", accepted=True),
    Fault.MALFORMED_ID: Effects(polled=True, send="not_confirmed", accepted=True),
    # There is no other message here; test_outbox.py has what becomes of the second one.
    Fault.REPEATED_ID: Effects(polled=True, send=None, accepted=True),
    Fault.LIST_AS_TEXT: Effects(send=None, accepted=True),
    Fault.MISSING_FIELDS: Effects(polled=True, send=None, accepted=True),
    Fault.UNKNOWN_STATUS: Effects(polled=True, send=None, accepted=True),
    Fault.OVERSIZED: UNKNOWN_BUT_ACCEPTED,
    Fault.OVERSIZED_CHUNKED: UNKNOWN_BUT_ACCEPTED,
    Fault.WRONG_DATE: Effects(polled=True, send=None, accepted=True),
    Fault.UPPERCASE_ID: Effects(polled=True, send=None, accepted=True),
    Fault.EMPTY_LIST: Effects(polled=True, send=None, accepted=True),
    Fault.LIST_AS_NULL: Effects(polled=True, send=None, accepted=True),
    Fault.FIRST_PAGE_ONLY: Effects(polled=True, send=None, accepted=True),
    Fault.MANY_OBJECTS: UNKNOWN_BUT_ACCEPTED,
    Fault.UNASKED_RESPONSE: Effects(polled=True, send=None, accepted=True),
}
every_fault = pytest.mark.parametrize(("fault", "effects"), FAULTS.items(), ids=FAULTS)


@pytest.fixture(autouse=True)
def no_message_waits(hass: HomeAssistant, entry: MockConfigEntry, short_timeout: None) -> None:
    """Disable the queue, so that callers get the result immediately."""
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 0})


def inject(service: SimulatedService, fault: Fault) -> None:
    """Inject a fault into every request; a slow response stays within the time of a test."""
    service.faults.add(fault, seconds={Fault.SLOW: 0.2}.get(fault))


async def try_to_send(hass: HomeAssistant, message: str) -> str | None:
    """Send, and return the translation key of the error, if any."""
    try:
        await send(hass, message)
    except HomeAssistantError as err:
        return err.translation_key
    return None


def reauth_flows(hass: HomeAssistant) -> Iterator[str]:
    """Return the reauthentication flows."""
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return (flow["flow_id"] for flow in flows if flow["context"]["source"] == SOURCE_REAUTH)


def is_polled(hass: HomeAssistant) -> bool:
    return hass.states.get(TOTAL).state != STATE_UNAVAILABLE


async def poll(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Poll now; frozen time would stop the timeouts of requests too."""
    await entry.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()


async def assert_recovered(hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry) -> None:
    """Check that a poll and a message succeed, without a reload."""
    before = len(service.account.messages)
    await poll(hass, entry)
    assert hass.states.get(TOTAL).state == str(before)
    assert await try_to_send(hass, "All is well") is None
    assert service.account.messages[0].message == "All is well"
    assert len(service.account.messages) == before + 1


def test_every_fault_is_covered() -> None:
    assert set(FAULTS) == set(Fault)


@every_fault
async def test_setup_succeeds_and_recovers_under_every_fault(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, fault: Fault, effects: Effects
) -> None:
    inject(service, fault)
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get("notify.mum").state == STATE_UNKNOWN
    assert is_polled(hass) is effects.polled
    assert len(list(reauth_flows(hass))) == effects.reauth

    service.faults.clear()
    await assert_recovered(hass, service, entry)


@every_fault
async def test_polling_recovers_from_every_fault(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, fault: Fault, effects: Effects
) -> None:
    await set_up(hass, entry)
    inject(service, fault)
    for _ in range(2):
        await poll(hass, entry)
    assert is_polled(hass) is effects.polled
    assert hass.states.get("notify.mum").state == STATE_UNKNOWN
    assert len(list(reauth_flows(hass))) == effects.reauth

    service.faults.clear()
    await assert_recovered(hass, service, entry)


@every_fault
async def test_sending_recovers_from_every_fault(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, fault: Fault, effects: Effects
) -> None:
    await set_up(hass, entry)
    inject(service, fault)
    assert await try_to_send(hass, "Water leak!") == effects.send
    assert [message.message for message in service.account.messages] == ["Water leak!"] * effects.accepted
    assert len(list(reauth_flows(hass))) == effects.reauth

    service.faults.clear()
    await assert_recovered(hass, service, entry)
