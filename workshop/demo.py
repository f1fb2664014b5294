"""Shows the integration at work: a real Home Assistant, set up as a user does it, sends an SMS and tells its fate.

Started by scripts/demo. Without a token the service is the simulator, and nothing leaves this machine.
"""

import argparse
import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
import sys
import tempfile

from aiohttp import ClientError
from homeassistant.const import RESTART_EXIT_CODE, __version__

from .account import Account, AccountError, Sent
from .child import ChildError
from .home_assistant import RefusedError
from .house import PASSWORD, USER, House
from .interrupt import interruptible
from .screen import Screen
from .service import Service
from .showroom import DASHBOARD, WORDS, configuration, furnish, keep_sending, open_at_dashboard, people

FAILED = {"send_failed", "delivery_failed", "refused", "expired", "unconfirmed"}

# Seconds until delivery: of the simulator, and of a real phone in a real network.
SIMULATED_TIMEOUT = 60.0
REAL_TIMEOUT = 300.0
PAUSE = 0.5

INTERRUPTED = 130


class DemoError(Exception):
    """The demo did not end as it should."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What was asked for on the command line."""

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
    parser.add_argument("--serve", action="store_true", help="keep Home Assistant running, to be looked at")
    parser.add_argument("--language", default="en", choices=["en", "ru"], help="the interface's language")
    parser.add_argument("--token", help="send through the real service, with this API token (needs --to)")
    parser.add_argument("--to", metavar="NUMBER", help="the phone number that gets the message")
    parser.add_argument("--message", help="the text of the message")
    parser.add_argument("--url", help="another address of the service, used with --token")
    parser.add_argument("--speed", type=float, default=1.0, help="how fast the simulated messages advance")
    parser.add_argument("--timeout", type=float, help="seconds to wait for the delivery")
    found = parser.parse_args()
    if found.token and not found.to:
        parser.error("--token needs --to: a message to an invented number would go out for real")
    if found.url and not found.token:
        parser.error("--url needs --token")
    words = WORDS[found.language]
    return Options(
        token=found.token,
        name=words.first,
        to=found.to or words.recipients[words.first],
        url=found.url,
        message=found.message or words.messages[-1],
        language=found.language,
        serve=found.serve,
        speed=found.speed,
        timeout=found.timeout or (REAL_TIMEOUT if found.token else SIMULATED_TIMEOUT),
    )


async def _show(options: Options, screen: Screen) -> None:
    """Go the whole way, from nothing to a delivered message."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gosms-demo-")))
        token, url, service = options.token, options.url, None
        if token is None:
            service = await stack.enter_async_context(Service(folder, arguments=("--speed", str(options.speed))))
            token, url = service.token, service.url
            screen.step(f"The simulated service answers at {url}")
        if options.serve:
            furnish(folder, options.language)
        house = House(
            folder,
            configuration=configuration(options.language, only_first=service is None) if options.serve else {},
            language=options.language,
        )
        screen.step(f"Starting Home Assistant {__version__} in {folder}")
        try:
            await stack.enter_async_context(house)
            screen.step(f"Home Assistant runs at {house.url}")
            account, subentry_id = await _set_up(house, token, url, options, screen)
            await _send(account, subentry_id, options, screen)
            _listen(house)
        except (AccountError, ClientError, DemoError, RefusedError, TimeoutError) as err:
            raise DemoError(f"{err}\n{house.tail()}") from err
        if options.serve:
            await _serve(house, account, service, options, screen)


async def _set_up(house: House, token: str, url: str | None, options: Options, screen: Screen) -> tuple[Account, str]:
    """Add the account and a recipient through the flows that a user sees."""
    screen.step("Adding GoSMS.ru through its config flow")
    account, form = await Account.add(house.home, token, url=url)
    screen.step(f"Adding the recipient {options.name}, {options.to}")
    subentry_id = await account.add_recipient(options.name, options.to, form=form)
    await account.ready(subentry_id)
    return account, subentry_id


async def _send(account: Account, subentry_id: str, options: Options, screen: Screen) -> None:
    """Send the message and follow it through the sensors until it is delivered."""
    known = {message.message_id for message in await account.recent()}
    screen.step(f"notify.send_message to {await account.entity_id(f'{subentry_id}_sms')}: {options.message}")
    await account.send(subentry_id, options.message)
    try:
        async with asyncio.timeout(options.timeout):
            while True:
                states = await _look(account, subentry_id, screen)
                # Older messages to this number do not count.
                sent = next((m for m in await account.recent() if _is_new(m, options, known)), None)
                if sent and sent.status == "delivered" == states[0]:
                    break
                if FAILED & {states[0], sent.status if sent else None}:
                    raise DemoError(f"the message ended as {states[0]}")
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise DemoError(f"the message was not delivered within {options.timeout:.0f} seconds") from None
    screen.good(f"delivered: {options.name}'s phone has the message {sent.text!r}")


def _listen(house: House) -> None:
    """Fail if Home Assistant has anything to say against the integration."""
    if complaints := house.complaints():
        raise DemoError("\n".join(["Home Assistant complains:", *complaints]))


def _is_new(message: Sent, options: Options, known: set[str]) -> bool:
    return message.recipient == options.name and message.message_id not in known


async def _look(account: Account, subentry_id: str, screen: Screen) -> list[str]:
    """Show what the sensors say, and return it."""
    keys = [f"{subentry_id}_last_message_status", "last_message_status", "last_message", "total_messages"]
    states = [await account.state(key) for key in keys]
    screen.table({await account.entity_id(key): state for key, state in zip(keys, states, strict=True)})
    return states


async def _serve(house: House, account: Account, service: Service | None, options: Options, screen: Screen) -> None:
    """Keep the house open until Ctrl-C; the simulated account is livelier than a real one, and goes on sending."""
    await open_at_dashboard(house.home)
    sending = None
    if service is not None:
        await account.send_without_limit()
        subentries = await people(account, service, options.language)
        sending = asyncio.create_task(keep_sending(account, service, subentries, options.language))
    screen.say(f"\n  Dashboard:  {house.url}/{DASHBOARD}\n  User:       {USER}\n  Password:   {PASSWORD}\n")
    screen.say("  Ctrl-C ends it and removes everything.\n")
    try:
        while await house.child.ended(timeout=None) == RESTART_EXIT_CODE:
            screen.step("Home Assistant restarts, as the interface asked it to")
            await house.stop()
            await house.start()
    finally:
        if sending:
            sending.cancel()
    raise DemoError(f"Home Assistant ended with exit code {house.child.exit_code}\n{house.tail()}")


def main() -> int:
    """Run the demo; the exit code is 0 only if the message was delivered."""
    options = _options()
    screen = Screen()
    try:
        asyncio.run(interruptible(_show(options, screen)))
    except (ChildError, DemoError) as err:
        screen.bad("the demo failed")
        screen.say(str(err))
        return 1
    except asyncio.CancelledError, KeyboardInterrupt:
        screen.step("interrupted; nothing is left behind")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
