"""Backups by Home Assistant: the copied files of an account are consistent."""

from homeassistant.core import HomeAssistant

from .const import DOMAIN
from .runtime_data import GoSmsConfigEntry


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Keep the files consistent while they are copied.

    A storage error of an account does not stop the backup: what is on its disk is consistent too.
    """
    for entry in _loaded_entries(hass):
        await entry.runtime_data.outbox.async_begin_backup()


async def async_post_backup(hass: HomeAssistant) -> None:
    """Let the files change as usual."""
    for entry in _loaded_entries(hass):
        entry.runtime_data.outbox.async_end_backup()


def _loaded_entries(hass: HomeAssistant) -> list[GoSmsConfigEntry]:
    """Return the accounts that have an outbox."""
    return hass.config_entries.async_loaded_entries(DOMAIN)
