"""Runs automations with the triggers and conditions of the integration in a real Home Assistant, over a restart.

For a release of Home Assistant that the test plugin does not support yet; `scripts/test --newest` starts it.
"""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
import sys
import tempfile
from typing import Final

from homeassistant.const import __version__

from simulator import Status

from .console import Console
from .entry_driver import EntryDriver, EntryDriverError
from .hass_client import HassApiError, HomeAssistantClient, Json
from .hass_process import HomeAssistantProcess
from .process import ProcessError
from .signals import INTERRUPTED, interruptible
from .simulator_process import SimulatorProcess

# Seconds until a message is followed to its end.
TIMEOUT = 60.0
POLL_INTERVAL = 0.5
# Seconds in which a trigger that must not fire would have fired.
QUIET = 3.0

EVENT: Final = "event.mum_message"
DELIVERED: Final = {
    "condition": "gosms.last_message_delivered",
    "target": {"entity_id": "sensor.mum_last_message_status"},
}
# The conditions of the automation of each trigger, each of which counts how often it ran.
AUTOMATIONS: Final[dict[str, list[Json]]] = {
    "message_delivered": [DELIVERED],
    "message_failed": [{"condition": "not", "conditions": [DELIVERED]}],
    "message_queued": [],
    "message_delayed": [],
}


class CheckError(Exception):
    """An automation did not run, or ran too often."""


def _configuration() -> Json:
    """Return a counter for each trigger, and an automation that counts."""
    return {
        "counter": {name: {} for name in AUTOMATIONS},
        "automation": [
            {
                "id": name,
                "alias": name,
                "mode": "queued",
                "triggers": [{"trigger": f"gosms.{name}", "target": {"entity_id": EVENT}}],
                "conditions": conditions,
                "actions": [{"action": "counter.increment", "target": {"entity_id": f"counter.{name}"}}],
            }
            for name, conditions in AUTOMATIONS.items()
        ],
    }


async def _counts(client: HomeAssistantClient) -> dict[str, int]:
    """Return how often each automation ran."""
    states = {name: await client.state(f"counter.{name}") for name in AUTOMATIONS}
    return {name: int(state["state"]) if state else 0 for name, state in states.items()}


async def _expect(client: HomeAssistantClient, console: Console, **expected: int) -> None:
    """Wait until automations ran so often, and no other one did."""
    wanted = dict.fromkeys(AUTOMATIONS, 0) | expected
    try:
        async with asyncio.timeout(TIMEOUT):
            while await _counts(client) != wanted:
                await asyncio.sleep(POLL_INTERVAL)
    except TimeoutError:
        raise CheckError(f"expected {wanted}, found {await _counts(client)}") from None
    console.success(f"fired: {wanted}")


async def _run(console: Console) -> None:
    """Send messages that are delivered, fail and wait, restart, and count what fired."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gosms-automations-")))
        simulator = await stack.enter_async_context(SimulatorProcess(folder, arguments=("--speed", "4")))
        hass = HomeAssistantProcess(folder, configuration=_configuration())
        console.step(f"Starting Home Assistant {__version__} in {folder}")
        try:
            await stack.enter_async_context(hass)
            entry, form = await EntryDriver.add(hass.client, simulator.token, url=simulator.url)
            mum = await entry.add_recipient("Mum", "8 (912) 345-67-89", form=form)
            await entry.wait_until_ready(mum)
            await entry.send(mum, "Water leak")
            await _expect(hass.client, console, message_delivered=1)
            await simulator.control("POST", "account", {"delivery": {"status": Status.SEND_ERROR}})
            await entry.send(mum, "Power cut")
            await _expect(hass.client, console, message_delivered=1, message_failed=1)
            console.step("Restarting Home Assistant")
            await hass.stop()
            await hass.start()
            await entry.wait_until_ready(mum)
            await asyncio.sleep(QUIET)
            await _expect(hass.client, console, message_delivered=1, message_failed=1)
            await simulator.control("POST", "account", {"delivery": {}})
            await simulator.control("POST", "faults", {"fault": "forbidden"})
            await entry.send(mum, "The freezer is open")
            await _expect(hass.client, console, message_delivered=1, message_failed=1, message_queued=1)
        except (EntryDriverError, CheckError, HassApiError, TimeoutError) as err:
            raise CheckError(f"{err!r}\n{hass.log_tail()}") from err


def main() -> int:
    """Run the check; the exit code is 0 only if every trigger fired as it should."""
    console = Console()
    try:
        asyncio.run(interruptible(_run(console)))
    except (CheckError, ProcessError) as err:
        console.error("the automations did not run as they should")
        console.print(str(err))
        return 1
    except asyncio.CancelledError, KeyboardInterrupt:
        console.step("interrupted; everything was removed")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
