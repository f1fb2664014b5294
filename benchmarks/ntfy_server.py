"""A local server that answers Home Assistant's own ntfy integration, the second alternative in the benchmarks.

`python -m benchmarks.ntfy_server` serves until its standard input closes.
"""

import asyncio
import json
import signal
import sys
import time
from typing import Final

from aiohttp import web

from devtools.process import LOOPBACK

_STATS: Final = {
    f"{name}{suffix}": 0
    for name in ("messages", "emails", "calls", "reservations", "attachment_total_size")
    for suffix in ("", "_remaining")
}


async def _publish(request: web.Request) -> web.Response:
    """Accept a message."""
    message = await request.json()
    now = int(time.time())
    answer = {"id": f"{time.monotonic_ns():x}", "time": now, "expires": now + 43_200, "event": "message", **message}
    return web.json_response(answer)


async def _account(_request: web.Request) -> web.Response:
    """Return an anonymous account."""
    return web.json_response({"username": "*", "role": "anonymous", "stats": _STATS})


async def _version(_request: web.Request) -> web.Response:
    """Return the version of the server."""
    return web.json_response({"version": "2.17.0", "commit": "0", "date": "2026-01-01T00:00:00Z"})


async def _subscribe(request: web.Request) -> web.WebSocketResponse:
    """Accept a subscriber, who hears nothing: what the event entity costs must not count for the notify entity."""
    socket = web.WebSocketResponse(heartbeat=30)
    await socket.prepare(request)
    async for _ in socket:
        pass
    return socket


async def _serve() -> None:
    """Serve until the process is stopped, or its standard input ends."""
    app = web.Application()
    app.add_routes(
        [
            web.post("/", _publish),
            web.get("/v1/account", _account),
            web.get("/v1/version", _version),
            web.get("/{topics}/ws", _subscribe),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_reader(sys.stdin, stop.set)
    host, port = runner.addresses[0][:2]
    print(json.dumps({"url": f"http://{host}:{port}"}), flush=True)
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
