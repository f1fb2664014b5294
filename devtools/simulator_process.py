"""The simulated GoSMS.ru service as a process of its own."""

import json
from pathlib import Path
from typing import override

from aiohttp import ClientSession

from .hass_client import Json
from .server_process import ServerProcess

# Not a secret: only the simulator accepts it.
TOKEN = "invented.token.of-the-demo"


class SimulatorProcess(ServerProcess):
    """A simulator process; `url` is the address of the service that the integration is given."""

    control_url: str

    def __init__(self, folder: Path, *, token: str = TOKEN, arguments: tuple[str, ...] = ()) -> None:
        """Prepare a simulator that accepts token and logs to a file in folder."""
        super().__init__(
            "simulator", folder / "simulator.log", ["--port", "0", "--token", token, "--exit-with-stdin", *arguments]
        )
        self.token = token

    async def control(self, method: str, path: str, payload: object = None) -> Json:
        """Send a request to the simulator's controls and return its JSON, which is empty if there is none."""
        async with (
            ClientSession(raise_for_status=True) as session,
            session.request(method, f"{self.control_url}/{path}", json=payload) as response,
        ):
            result: Json = json.loads(await response.read() or "{}")
        return result

    @override
    def use(self, addresses: Json) -> None:
        super().use(addresses)
        self.control_url = addresses["control_url"]
