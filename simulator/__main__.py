"""Runs the simulator as a process: `python -m simulator`."""

import argparse
import asyncio
from collections.abc import Sequence
import ipaddress
import json
import os
import signal
import sys
from typing import Final

from aiohttp import web

from .account import Account
from .app import create_app
from .faults import Faults
from .models import NEW, OLD, Delivery
from .wire import API

# Seconds between the messages of the history.
_HISTORY_STEP: Final = 60
# Seconds that running requests get when the process is stopped.
_SHUTDOWN_TIMEOUT: Final = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the process is stopped."""
    asyncio.run(_serve(_parse(arguments)))
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator", description="A simulated GoSMS.ru API on localhost.")
    parser.add_argument("--host", type=_loopback, default="127.0.0.1", help="an IPv4 loopback address (127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free port (0)")
    parser.add_argument("--token", default="simulated-token", help="the API token that is accepted")
    parser.add_argument("--speed", type=float, default=1.0, help="speed of the delivery; 0 leaves messages waiting (1)")
    parser.add_argument("--phones", type=int, default=1, help="number of phones (1)")
    parser.add_argument("--device-id", action="append", default=[], help="id of an additional phone")
    parser.add_argument("--history", type=int, default=0, help="delivered messages in the past, one per minute (0)")
    parser.add_argument("--quota", type=int, default=None, help="messages left this month (no limit)")
    parser.add_argument("--rate-limit", type=int, default=10, help="requests per second and endpoint; 0: no limit (10)")
    parser.add_argument("--generation", choices=("old", "new"), default="new", help="form of the responses (new)")
    parser.add_argument("--seed", type=int, default=0, help="seed of random ids and faults (0)")
    parser.add_argument("--exit-with-stdin", action="store_true", help="stop when standard input closes")
    return parser.parse_args(arguments)


def _loopback(host: str) -> str:
    """Return a loopback address: the controls require no token."""
    if not ipaddress.IPv4Address(host).is_loopback:
        raise argparse.ArgumentTypeError(f"{host} is not a loopback address")
    return host


def _build(options: argparse.Namespace) -> web.Application:
    account = Account(token=options.token, seed=options.seed)
    account.generation = OLD if options.generation == "old" else NEW
    account.quota = options.quota
    account.rate_limit = options.rate_limit or None
    account.delivery = Delivery.ending(speed=options.speed) if options.speed > 0 else None
    for device_id in (*options.device_id, *[None] * options.phones):
        account.add_phone(device_id)
    now = account.clock()
    for age in range(options.history, 0, -1):
        account.add_message(message=f"History {age}", phone_number="79990000000", created=now - age * _HISTORY_STEP)
    return create_app(account, Faults(options.seed), seed=options.seed)


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(_build(options), access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port)
        await site.start()
        _print_addresses(runner, options.token)
        if options.exit_with_stdin:
            loop.add_reader(sys.stdin.fileno(), _watch_stdin, stop)
        await stop.wait()
    finally:
        await runner.cleanup()


def _print_addresses(runner: web.AppRunner, token: str) -> None:
    """Print the addresses of the simulator as one line of JSON."""
    host, port = runner.addresses[0]
    base = f"http://{host}:{port}"
    addresses = {"url": f"{base}{API}", "control_url": f"{base}/control", "token": token}
    sys.stdout.write(f"{json.dumps(addresses)}\n")
    sys.stdout.flush()


def _watch_stdin(stop: asyncio.Event) -> None:
    """Stop at the end of standard input, and discard its content."""
    if not os.read(sys.stdin.fileno(), 1024):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


if __name__ == "__main__":
    sys.exit(main())
