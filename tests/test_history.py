"""What is kept of messages that ended, and for how long."""

from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import Status
from tests.common import MUM, SimulatedService, advance_time, send, set_up
from tests.message_helpers import full_disk
from tests.restarts import files_on_disk, start_again

TEXT: Final = "Secret of the bathroom"
DAY: Final = 24 * 60 * 60

pytestmark = [
    pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"),
    pytest.mark.usefixtures("no_rate_limit", "no_service_rate_limit"),
]


def kept(entry: MockConfigEntry) -> list[tuple[str, str]]:
    """Return the texts that are kept, and the statuses that they ended with, newest first."""
    return [(message.text, message.status) for message in entry.runtime_data.outbox.ended]


async def is_on_disk(hass: HomeAssistant, *secrets: str) -> bool:
    """Return whether anything of a message is in a file."""
    content = b"".join((await files_on_disk(hass)).values())
    return any(secret.encode() in content for secret in secrets)


async def deliver(hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, text: str) -> None:
    """Send a message, and have it delivered."""
    await send(hass, text)
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await advance_time(hass, freezer, 60)


async def wait_days(hass: HomeAssistant, freezer: FrozenDateTimeFactory, days: float) -> None:
    """Let days pass, in steps that no timer notices."""
    for _ in range(round(days * 4)):
        await advance_time(hass, freezer, DAY / 4)


async def test_a_message_that_ended_is_kept_for_a_week_also_over_restarts(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    await deliver(hass, service, freezer, TEXT)
    [before] = entry.runtime_data.outbox.ended
    await start_again(hass, entry, await files_on_disk(hass))
    [message] = entry.runtime_data.outbox.ended
    assert (message.text, message.phone_number, message.recipient) == (TEXT, MUM, "the_recipient_mum")
    assert [step.type for step in message.steps] == ["accepted", "delivered"]
    assert [step.time for step in message.steps] == pytest.approx([step.time for step in before.steps])
    await wait_days(hass, freezer, 6.5)
    assert kept(entry) == [(TEXT, "delivered")]
    await wait_days(hass, freezer, 1)
    assert kept(entry) == []
    assert not await is_on_disk(hass, TEXT, MUM)


async def test_without_a_history_nothing_of_a_message_stays(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    hass.config_entries.async_update_entry(entry, options={"history_days": 0})
    await set_up(hass, entry)
    await deliver(hass, service, freezer, TEXT)
    assert kept(entry) == []
    assert not await is_on_disk(hass, TEXT, MUM)
    assert len(entry.runtime_data.outbox.history) == 1


async def test_a_history_that_is_switched_off_leaves_the_disk(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    await deliver(hass, service, freezer, TEXT)
    assert await is_on_disk(hass, TEXT)
    hass.config_entries.async_update_entry(entry, options={"history_days": 0})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert kept(entry) == []
    assert not await is_on_disk(hass, TEXT, MUM)
    assert len(entry.runtime_data.outbox.history) == 1


async def test_a_history_switched_off_while_unloaded_leaves_the_disk(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    await deliver(hass, service, freezer, TEXT)
    assert await is_on_disk(hass, TEXT)
    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, options={"history_days": 0})
    await hass.async_block_till_done(wait_background_tasks=True)
    await set_up(hass, entry)
    assert kept(entry) == []
    assert not await is_on_disk(hass, TEXT, MUM)
    assert len(entry.runtime_data.outbox.history) == 1


async def test_a_shorter_history_holds_at_once(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    await deliver(hass, service, freezer, TEXT)
    await wait_days(hass, freezer, 3)
    await deliver(hass, service, freezer, "Later")
    hass.config_entries.async_update_entry(entry, options={"history_days": 2})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert kept(entry) == [("Later", "delivered")]
    assert not await is_on_disk(hass, TEXT)


async def test_a_full_disk_forgets_nothing_and_catches_up(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    await deliver(hass, service, freezer, TEXT)
    with full_disk():
        await wait_days(hass, freezer, 8)
        assert await is_on_disk(hass, TEXT)
    await wait_days(hass, freezer, 0.25)
    assert not await is_on_disk(hass, TEXT)
