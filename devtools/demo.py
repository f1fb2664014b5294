"""Shows the integration at work: sets up a real Home Assistant as a user does, sends an SMS and follows its delivery.

Started by scripts/demo. Without a token the service is the simulator, and nothing leaves this machine.
"""

import argparse
import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
import sys
import tempfile
from typing import Final

from aiohttp import ClientError
from homeassistant.const import RESTART_EXIT_CODE, __version__

from custom_components.gosms.outbox import State

from .console import Console
from .demo_data import (
    DASHBOARD,
    DEMO_DATA,
    add_included_files,
    add_recipients_and_phone,
    configuration,
    send_continuously,
    set_default_dashboard,
)
from .entry_driver import EntryDriver, EntryDriverError, RecentMessage
from .hass_client import HassApiError
from .hass_process import PASSWORD, USER, HomeAssistantProcess
from .process import ProcessError
from .signals import INTERRUPTED, interruptible
from .simulator_process import SimulatorProcess

FAILED: Final = {state.value for state in State if state.is_final} - {State.DELIVERED.value}

# Seconds until delivery: by the simulator, and by a real phone in a real network.
SIMULATED_TIMEOUT = 60.0
REAL_TIMEOUT = 300.0
POLL_INTERVAL = 0.5


class DemoError(Exception):
    """The demo failed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """The options of the command line."""

    token: str | None
    name: str
    to: str
    url: str | None
    message: str
    language: str
    serve: bool
    speed: float
    timeout: float


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="keep Home Assistant running, with a dashboard")
    parser.add_argument("--language", default="en", choices=list(DEMO_DATA), help="language of the interface (en)")
    parser.add_argument("--token", help="send through the real service, with this API token (needs --to)")
    parser.add_argument("--to", metavar="NUMBER", help="phone number of the recipient")
    parser.add_argument("--message", help="text of the message")
    parser.add_argument("--url", help="another address of the service, used with --token")
    parser.add_argument("--speed", type=float, default=1.0, help="speed of the simulated delivery (1)")
    parser.add_argument("--timeout", type=float, help="seconds to wait for the delivery (60, or 300 with --token)")
    found = parser.parse_args()
    if found.token and not found.to:
        parser.error("--token needs --to: a message to an invented number would really be sent")
    if found.url and not found.token:
        parser.error("--url needs --token")
    data = DEMO_DATA[found.language]
    return Options(
        token=found.token,
        name=data.first_recipient,
        to=found.to or data.recipients[data.first_recipient],
        url=found.url,
        message=found.message or data.messages[-1],
        language=found.language,
        serve=found.serve,
        speed=found.speed,
        timeout=found.timeout or (REAL_TIMEOUT if found.token else SIMULATED_TIMEOUT),
    )


async def _run(options: Options, console: Console) -> None:
    """Set up Home Assistant, send a message and follow it to its delivery."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gosms-demo-")))
        token, url, simulator = options.token, options.url, None
        if token is None:
            console.step("Starting the simulated service")
            simulator = await stack.enter_async_context(
                SimulatorProcess(folder, arguments=("--speed", str(options.speed)))
            )
            token, url = simulator.token, simulator.url
            console.step(f"The simulated service runs at {url}")
        if options.serve:
            add_included_files(folder, options.language)
        hass = HomeAssistantProcess(
            folder,
            configuration=configuration(options.language) if options.serve else {},
            language=options.language,
        )
        console.step(f"Starting Home Assistant {__version__} in {folder}")
        try:
            await stack.enter_async_context(hass)
            console.step(f"Home Assistant runs at {hass.url}")
            entry, subentry_id = await _set_up(hass, token, url, options, console)
            await _send(entry, subentry_id, options, console)
            _check_log(hass)
        except (EntryDriverError, ClientError, DemoError, HassApiError, TimeoutError) as err:
            raise DemoError(f"{err}\n{hass.log_tail()}") from err
        if options.serve:
            await _serve(hass, entry, simulator, options, console)


async def _set_up(
    hass: HomeAssistantProcess, token: str, url: str | None, options: Options, console: Console
) -> tuple[EntryDriver, str]:
    """Add the account and a recipient through their flows."""
    console.step("Adding GoSMS.ru through its config flow")
    entry, form = await EntryDriver.add(hass.client, token, url=url)
    console.step(f"Adding the recipient {options.name}, {options.to}")
    subentry_id = await entry.add_recipient(options.name, options.to, form=form)
    await entry.wait_until_ready(subentry_id)
    return entry, subentry_id


async def _send(entry: EntryDriver, subentry_id: str, options: Options, console: Console) -> None:
    """Send the message, and follow it in the sensors until it is delivered."""
    known_ids = {message.message_id for message in await entry.recent_messages()}
    console.step(f"notify.send_message to {await entry.entity_id(f'{subentry_id}_sms')}: {options.message}")
    await entry.send(subentry_id, options.message)
    try:
        async with asyncio.timeout(options.timeout):
            while True:
                status = await _show_states(entry, subentry_id, console)
                # Older messages to this number do not count.
                recent = await entry.recent_messages()
                sent = next((message for message in recent if _is_new(message, options, known_ids)), None)
                if sent and sent.status == State.DELIVERED == status:
                    break
                if FAILED & {status, sent.status if sent else None}:
                    raise DemoError(f"the status of the message is {status}")
                await asyncio.sleep(POLL_INTERVAL)
    except TimeoutError:
        raise DemoError(f"the message was not delivered within {options.timeout:.0f} seconds") from None
    console.success(f"delivered: {options.name}'s phone received {sent.text!r}")


def _check_log(hass: HomeAssistantProcess) -> None:
    """Raise an error if Home Assistant logged a warning about the integration."""
    if warnings := hass.integration_warnings():
        raise DemoError("\n".join(["Home Assistant warns about the integration:", *warnings]))


def _is_new(message: RecentMessage, options: Options, known_ids: set[str]) -> bool:
    return message.recipient == options.name and message.message_id not in known_ids


async def _show_states(entry: EntryDriver, subentry_id: str, console: Console) -> str:
    """Show the states of the sensors, and return the status of the recipient's last message."""
    keys = [f"{subentry_id}_last_message_status", "last_message", "total_messages"]
    states = [await entry.state(key) for key in keys]
    console.table({await entry.entity_id(key): state for key, state in zip(keys, states, strict=True)})
    return states[0]


async def _serve(
    hass: HomeAssistantProcess,
    entry: EntryDriver,
    simulator: SimulatorProcess | None,
    options: Options,
    console: Console,
) -> None:
    """Keep Home Assistant running until Ctrl-C; with the simulated service, go on sending messages."""
    await set_default_dashboard(hass.client)
    sending = None
    if simulator is not None:
        await entry.disable_hourly_limit()
        subentries = await add_recipients_and_phone(entry, simulator, options.language)
        sending = asyncio.create_task(send_continuously(entry, simulator, subentries, options.language))
    console.print(f"\n  Dashboard:  {hass.url}/{DASHBOARD}\n  User:       {USER}\n  Password:   {PASSWORD}\n")
    if simulator is not None:
        console.print(f"  Simulator:  {simulator.url}\n  Controls:   {simulator.control_url}")
    console.print(f"  Log:        {hass.process.log}\n\n  Press Ctrl-C to stop and remove everything.\n")
    try:
        while await hass.process.wait(timeout=None) == RESTART_EXIT_CODE:
            console.step("Home Assistant restarts, as requested in the interface")
            await hass.stop()
            await hass.start()
    finally:
        if sending:
            sending.cancel()
    raise DemoError(f"Home Assistant exited with code {hass.process.exit_code}\n{hass.log_tail()}")


def main() -> int:
    """Run the demo; the exit code is 0 only if the message was delivered."""
    options = _options()
    console = Console()
    try:
        asyncio.run(interruptible(_run(options, console)))
    except (DemoError, ProcessError) as err:
        console.error("the demo failed")
        console.print(str(err))
        return 1
    except asyncio.CancelledError, KeyboardInterrupt:
        console.step("interrupted; everything was removed")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
