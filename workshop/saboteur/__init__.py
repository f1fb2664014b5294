"""Kills the Home Assistant that it runs in, at a named moment, and writes down every event that is told.

An integration of the workshop's own, put beside `gosms` in a house's folder: the code that is shipped has no hook for
it. `wires` is imported late, so that the workshop can have `points` without Home Assistant.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant


async def async_setup(hass: HomeAssistant, _config: dict[str, object]) -> bool:
    """Put the wires in, before the accounts of `gosms` are set up."""
    from homeassistant.helpers.importlib import async_import_module  # noqa: PLC0415  # See above.

    wires = await async_import_module(hass, f"{__package__}.wires")
    wires.lay(hass, Path(hass.config.config_dir))
    return True
