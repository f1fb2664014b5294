"""Starts of Home Assistant in a new process: with the files as they are, or as they were at another moment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.outbox.clock import Boot
from tests.common import set_up

FILE: Final = "gosms.the_account.db"


class Machine:
    """What Home Assistant runs on."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._boots = 1

    def boot(self, times: int = 1) -> None:
        """Start the machine anew; only the service knows for how long it was off."""
        self._boots += times

    def read(self) -> Boot:
        """Return the boot that a start finds."""
        return Boot(boot_id=f"boot {self._boots}", clock=self._hass.loop.time)


@pytest.fixture
def machine(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine whose time since its boot is the frozen one."""
    machine = Machine(hass)
    monkeypatch.setattr(Boot, "read", machine.read)
    return machine


async def files_on_disk(hass: HomeAssistant) -> dict[str, bytes]:
    """Return the files of the integration as a kill at this moment leaves them."""
    folder = Path(hass.config.path(".storage"))
    return await hass.async_add_executor_job(lambda: {path.name: path.read_bytes() for path in folder.glob("gosms.*")})


async def start_again(hass: HomeAssistant, entry: MockConfigEntry, files: Mapping[str, bytes] | None = None) -> None:
    """Start in another process, with the files of a moment: what happened after it is lost, as after a kill."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    if files is not None:
        await hass.async_add_executor_job(put_back, Path(hass.config.path(".storage")), files)
    # What one process has in memory another does not.
    hass.data.pop("gosms_outboxes")
    await set_up(hass, entry)


def put_back(folder: Path, files: Mapping[str, bytes]) -> None:
    """Have these files of the integration and no others."""
    for path in folder.glob("gosms.*"):
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
