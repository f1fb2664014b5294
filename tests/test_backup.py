"""Backups that Home Assistant makes while messages are on their way, and what a restored one does."""

import io
from pathlib import Path
import tarfile
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import Account, Delivery, Fault
from tests.common import SimulatedService, advance_time, send, set_up
from tests.restarts import put_back

SEND: Final = "POST /sms/send"

pytestmark = [
    pytest.mark.freeze_time("2026-11-26T12:00:00+00:00"),
    pytest.mark.usefixtures("no_rate_limit"),
]


@pytest.fixture
async def running(hass: HomeAssistant, entry: MockConfigEntry, account: Account) -> None:
    """An account in a Home Assistant that can make backups."""
    account.rate_limit = None
    account.delivery = Delivery.ending()
    await set_up(hass, entry)
    assert await async_setup_component(hass, "backup", {})
    await hass.async_block_till_done()


async def back_up(hass: HomeAssistant) -> dict[str, bytes]:
    """Make a backup, and return the files of the integration in it by their names."""
    await hass.services.async_call("backup", "create", blocking=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    return await hass.async_add_executor_job(_files_in, Path(hass.config.path("backups")))


def _files_in(folder: Path) -> dict[str, bytes]:
    [path] = folder.glob("*.tar")
    with tarfile.open(path) as backup:
        [archive] = _contents(backup, "homeassistant.tar.gz").values()
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        return _contents(files, "data/.storage/gosms.*")


def _contents(archive: tarfile.TarFile, pattern: str) -> dict[str, bytes]:
    """Return the files of an archive that match a pattern."""
    found = [member for member in archive.getmembers() if Path(member.name).match(pattern)]
    contents = {Path(member.name).name: archive.extractfile(member) for member in found}
    return {name: content.read() for name, content in contents.items() if content is not None}


async def restore(hass: HomeAssistant, entry: MockConfigEntry, files: dict[str, bytes]) -> None:
    """Start with the files of a backup in the place of the present ones."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_add_executor_job(put_back, Path(hass.config.path(".storage")), files)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def _let_it_end(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let two minutes pass, after which nothing waits."""
    for _ in range(24):
        await advance_time(hass, freezer, 5)


@pytest.mark.parametrize("pause", [600, 86_400], ids=["10-minutes", "a-day"])
async def test_a_message_sent_since_the_backup_is_not_sent_again(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    running: None,
    freezer: FrozenDateTimeFactory,
    pause: float,
) -> None:
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    await send(hass, "Leak")
    assert hass.states.get("sensor.gosms_ru_queued_messages").state == "1"
    files = await back_up(hass)
    service.faults.clear()
    await _let_it_end(hass, freezer)
    assert [message.message for message in service.account.messages] == ["Leak"]
    await advance_time(hass, freezer, pause)
    await restore(hass, entry, files)
    await _let_it_end(hass, freezer)
    assert [message.message for message in service.account.messages] == ["Leak"]
    assert hass.states.get("sensor.gosms_ru_queued_messages").state == "0"
    assert hass.states.get("event.gosms_ru_message").attributes["event_type"] == "delivered"


async def test_a_message_that_waited_at_the_backup_is_sent_by_it(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    running: None,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The machine broke down right after the backup."""
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    await send(hass, "Leak")
    files = await back_up(hass)
    await restore(hass, entry, files)
    service.faults.clear()
    await _let_it_end(hass, freezer)
    assert [message.message for message in service.account.messages] == ["Leak"]


async def test_messages_are_sent_and_kept_after_a_backup(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    running: None,
    freezer: FrozenDateTimeFactory,
) -> None:
    await back_up(hass)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    await send(hass, "Leak")
    assert await hass.config_entries.async_reload(entry.entry_id)
    service.faults.clear()
    await _let_it_end(hass, freezer)
    assert [message.message for message in service.account.messages] == ["Leak"]


async def test_a_backup_succeeds_without_a_loaded_account(
    hass: HomeAssistant, entry: MockConfigEntry, running: None
) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert list(await back_up(hass)) == ["gosms.the_account.db"]
