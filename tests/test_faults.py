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
from tests.service import Service, send, set_up

TOTAL: Final = "sensor.gosms_ru_total_messages"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a fault of every request does."""

    # Whether the sensors that show the service's state go on.
    polled: bool = False
    # The key of the error that a message which may not wait ends in; none if it leaves as if nothing was wrong.
    send: str | None
    # Whether the service has the message in spite of the error.
    taken: bool = False
    # Whether a new token is asked for.
    reauth: bool = False


DOUBT: Final = Seen(send="not_confirmed")
DOUBT_BUT_TAKEN: Final = Seen(send="not_confirmed", taken=True)

FAULTS: Final = {
    Fault.SLOW: Seen(polled=True, send=None, taken=True),
    Fault.REFUSE: DOUBT,
    Fault.CUT_BEFORE: DOUBT,
    Fault.CUT_AFTER: DOUBT_BUT_TAKEN,
    Fault.CUT_WITHIN: DOUBT_BUT_TAKEN,
    Fault.HANG_BEFORE: DOUBT,
    Fault.HANG_AFTER: DOUBT_BUT_TAKEN,
    Fault.UNAUTHORIZED: Seen(send="invalid_auth", reauth=True),
    Fault.FORBIDDEN: Seen(send="refused"),
    Fault.REQUEST_TIMEOUT: DOUBT,
    Fault.TOO_MANY_REQUESTS: Seen(send="too_many_requests"),
    Fault.UNKNOWN_ERROR: DOUBT,
    Fault.ERROR_AFTER: DOUBT_BUT_TAKEN,
    Fault.CODE: DOUBT,
    Fault.CAPTIVE_PORTAL: DOUBT,
    Fault.BAD_GATEWAY: DOUBT,
    Fault.REDIRECT: DOUBT,
    Fault.TRUNCATED: DOUBT_BUT_TAKEN,
    Fault.NOT_AN_OBJECT: DOUBT_BUT_TAKEN,
    Fault.ID_AS_NUMBER: Seen(polled=True, send="not_confirmed", taken=True),
    Fault.MALFORMED_ID: Seen(polled=True, send="not_confirmed", taken=True),
    # There is no other message here; test_outbox.py has what becomes of the second one.
    Fault.REPEATED_ID: Seen(polled=True, send=None, taken=True),
    Fault.LIST_AS_TEXT: Seen(send=None, taken=True),
    Fault.MISSING_FIELDS: Seen(polled=True, send=None, taken=True),
    Fault.UNKNOWN_STATUS: Seen(polled=True, send=None, taken=True),
    Fault.OVERSIZED: DOUBT_BUT_TAKEN,
    Fault.OVERSIZED_CHUNKED: DOUBT_BUT_TAKEN,
    Fault.WRONG_DATE: Seen(polled=True, send=None, taken=True),
}
every_fault = pytest.mark.parametrize(("fault", "seen"), FAULTS.items(), ids=FAULTS)


@pytest.fixture(autouse=True)
def no_message_waits(hass: HomeAssistant, entry: MockConfigEntry, impatient: None) -> None:
    """Let a caller hear at once what became of a message."""
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 0})


def begin(service: Service, fault: Fault) -> None:
    """Let a fault strike every request; what is slow by nature stays within the time of a test."""
    service.faults.add(fault, seconds={Fault.SLOW: 0.2}.get(fault))


async def try_to_send(hass: HomeAssistant, message: str) -> str | None:
    """Send, and return the key of the error that a caller sees, if there is one."""
    try:
        await send(hass, message)
    except HomeAssistantError as err:
        return err.translation_key
    return None


def reauth_flows(hass: HomeAssistant) -> Iterator[str]:
    """The flows that ask for a new token."""
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return (flow["flow_id"] for flow in flows if flow["context"]["source"] == SOURCE_REAUTH)


def is_polled(hass: HomeAssistant) -> bool:
    return hass.states.get(TOTAL).state != STATE_UNAVAILABLE


async def poll(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Poll now; frozen time would stop the time-outs of the requests too."""
    await entry.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()


async def assert_all_is_well(hass: HomeAssistant, service: Service, entry: MockConfigEntry) -> None:
    """See that a poll and a message succeed, without a restart of anything."""
    before = len(service.account.messages)
    await poll(hass, entry)
    assert hass.states.get(TOTAL).state == str(before)
    assert await try_to_send(hass, "All is well") is None
    assert service.account.messages[0].message == "All is well"
    assert len(service.account.messages) == before + 1


def test_every_fault_has_its_place_here() -> None:
    assert set(FAULTS) == set(Fault)


@every_fault
async def test_an_account_is_set_up_under_each_fault(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, fault: Fault, seen: Seen
) -> None:
    begin(service, fault)
    await set_up(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get("notify.mum").state == STATE_UNKNOWN
    assert is_polled(hass) is seen.polled
    assert len(list(reauth_flows(hass))) == seen.reauth

    service.faults.clear()
    await assert_all_is_well(hass, service, entry)


@every_fault
async def test_a_poll_meets_each_fault(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, fault: Fault, seen: Seen
) -> None:
    await set_up(hass, entry)
    begin(service, fault)
    for _ in range(2):
        await poll(hass, entry)
    assert is_polled(hass) is seen.polled
    assert hass.states.get("notify.mum").state == STATE_UNKNOWN
    assert len(list(reauth_flows(hass))) == seen.reauth

    service.faults.clear()
    await assert_all_is_well(hass, service, entry)


@every_fault
async def test_a_message_meets_each_fault(
    hass: HomeAssistant, service: Service, entry: MockConfigEntry, fault: Fault, seen: Seen
) -> None:
    await set_up(hass, entry)
    begin(service, fault)
    assert await try_to_send(hass, "Water leak!") == seen.send
    assert [message.message for message in service.account.messages] == ["Water leak!"] * seen.taken
    assert len(list(reauth_flows(hass))) == seen.reauth

    service.faults.clear()
    await assert_all_is_well(hass, service, entry)
