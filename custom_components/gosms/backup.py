"""Backups by Home Assistant: what is copied of an account is what was on disk at one moment."""

from homeassistant.core import HomeAssistant

from .const import DOMAIN
from .runtime_data import GoSmsConfigEntry


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Keep the files consistent while they are copied.

    An account whose disk fails does not stop the backup of the whole house: what its disk holds is consistent as well.
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
