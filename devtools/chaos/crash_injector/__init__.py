"""Kills the Home Assistant that it runs in at a crash point, and records every event of the event entities.

A custom integration that is put beside `gosms` in the configuration folder, so that the shipped code needs no hooks.
`hooks` is imported late, so that the tools can import `crash_points` without it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant


async def async_setup(hass: HomeAssistant, _config: dict[str, object]) -> bool:
    """Install the hooks before the entries of `gosms` are set up."""
    from homeassistant.helpers.importlib import async_import_module  # noqa: PLC0415  # See above.

    hooks = await async_import_module(hass, f"{__package__}.hooks")
    await hooks.async_install(hass, Path(hass.config.config_dir))
    return True
