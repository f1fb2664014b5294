"""A real Home Assistant in a folder of its own, moved into and ready to be used.

    async with House(folder) as house:
        await house.home.start_flow(Flow.CONFIG, "gosms")

The folder and the port stay the same over `stop()` or `kill()` and another `start()`, so what a house knows after a
power cut can be tested.
"""

import asyncio
import base64
from collections.abc import Mapping
from http import HTTPStatus
import json
from pathlib import Path
import re
import signal
from types import TracebackType
from typing import Self

from aiohttp import ClientConnectionError

from .child import LOOPBACK, ROOT, Child, ChildError, free_port
from .complaints import complaints_in
from .home_assistant import HomeAssistant, Json, RefusedError

TETHER = ROOT / "workshop" / "tether.py"

USER = "demo"
PASSWORD = "workshop"
# A start takes three seconds on an ordinary machine, more when Python has to compile everything first.
START_TIMEOUT = 90.0
# Home Assistant writes what it knows with a delay of one second, some of it with ten.
SAVE_TIMEOUT = 30.0
PAUSE = 0.1

# The one thing of YAML that JSON cannot say, and a configuration may.
INCLUDE = re.compile(r'"(!include [\w.]+)"')

CORE: Json = {
    "name": "Workshop",
    "country": "RU",
    "time_zone": "Europe/Moscow",
    "unit_system": "metric",
    "latitude": 55.75,
    "longitude": 37.62,
    "elevation": 150,
    "currency": "RUB",
}

LOGS = {
    "custom_components.gosms": "debug",
    # Two libraries of the system that cameras would need, told of with a traceback each.
    "haffmpeg": "critical",
    "homeassistant.components.camera.img_util": "critical",
}


class HouseError(ChildError):
    """Home Assistant did not start."""


class House:
    """A Home Assistant process with its configuration, its first user and a way to speak to it."""

    def __init__(
        self,
        folder: Path,
        *,
        configuration: Mapping[str, object] | None = None,
        language: str = "en",
        port: int | None = None,
    ) -> None:
        """Plan a house in folder, which must exist; configuration adds to configuration.yaml."""
        self.folder = folder
        self.port = port or free_port()
        self.language = language
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.home = HomeAssistant(self.url)
        self._configuration = configuration or {}
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        self._furnish()
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def child(self) -> Child:
        """The process of the present or the last start."""
        if self._child is None:
            raise HouseError("the house was never started")
        return self._child

    async def start(self) -> None:
        """Start Home Assistant and wait until all of it runs; the first start makes the user."""
        self.home.open()
        self._child = await Child.start(
            # No package is installed on the way: what is missing must be pinned, not fetched unseen. -P keeps the
            # starter's folder off the path of imports, where its custom_components would come first.
            ["-P", str(TETHER), "homeassistant", "--config", ".", "--skip-pip", "--log-no-color"],
            folder=self.folder,
            log=self.folder / "output.log",
        )
        try:
            async with asyncio.timeout(START_TIMEOUT):
                if self.home.token is None:
                    await self._move_in()
                await self._until_running()
        except TimeoutError:
            raise self._failure(f"Home Assistant did not start within {START_TIMEOUT:.0f} seconds") from None

    async def stop(self) -> None:
        """Stop Home Assistant in good order; one that is stuck is killed."""
        if self._child is not None:
            await self._child.stop()
        await self.home.close()

    async def kill(self) -> None:
        """End Home Assistant as a power cut does."""
        self.child.send(signal.SIGKILL)
        await self.child.ended()
        await self.home.close()

    def tail(self) -> str:
        """Return the end of Home Assistant's log under a heading, or nothing where there is none."""
        log = self._child.tail() if self._child else ""
        return f"\nThe end of Home Assistant's log:\n{log}" if log else ""

    def complaints(self) -> list[str]:
        """Return what Home Assistant said against the integration, in all its starts."""
        return complaints_in(self.child.log.read_text(errors="replace"))

    async def saved(self, store: str, text: str) -> None:
        """Wait until a file of .storage contains a text: before that, a kill undoes what was done."""
        file = self.folder / ".storage" / store
        async with asyncio.timeout(SAVE_TIMEOUT):
            while not _contains(file, text):
                await asyncio.sleep(PAUSE)

    def _furnish(self) -> None:
        """Write the configuration and what Home Assistant would otherwise ask for, and link the integration."""
        storage = self.folder / ".storage"
        storage.mkdir(parents=True, exist_ok=True)
        integrations = self.folder / "custom_components"
        integrations.mkdir(exist_ok=True)
        if not (link := integrations / "gosms").exists():
            link.symlink_to(ROOT / "custom_components" / "gosms", target_is_directory=True)
        # JSON is YAML too.
        configuration = {
            "homeassistant": {**CORE, "language": self.language},
            "config": {},
            "logger": {"default": "warning", "logs": LOGS},
            **self._configuration,
        }
        text = json.dumps(configuration, indent=2, ensure_ascii=False)
        (self.folder / "configuration.yaml").write_text(INCLUDE.sub(r"\1", text))
        # An `http:` section of the YAML is only tried for five minutes; then Home Assistant restarts itself on port
        # 8123 of every address. The stored setting stays.
        _store(
            storage,
            "http",
            version=2,
            minor=2,
            data={"stable": self._http(), "pending": None, "yaml_migration_done": True},
        )
        # Finishing the core step through the API would set up weather, radio and speech from the internet.
        _store(storage, "onboarding", version=4, minor=1, data={"done": ["core_config", "analytics", "integration"]})

    def _http(self) -> Json:
        return {
            "server_host": [LOOPBACK],
            "server_port": self.port,
            "cors_allowed_origins": [],
            "login_attempts_threshold": -1,
            "ip_ban_enabled": False,
            "ssl_profile": "modern",
            "use_x_frame_options": True,
            "created_at": "2026-01-01T00:00:00+00:00",
            "error": None,
            "error_message": None,
        }

    async def _move_in(self) -> None:
        """Make the first user, which ends the onboarding, and get a token that outlives restarts."""
        await self._answered("/api/onboarding")
        client = f"{self.url}/"
        person = {"name": "Demo", "username": USER, "password": PASSWORD, "language": self.language}
        code = (await self.home.request("POST", "/api/onboarding/users", {**person, "client_id": client}))["auth_code"]
        form = {"client_id": client, "grant_type": "authorization_code", "code": code}
        self.home.token = (await self.home.request("POST", "/auth/token", form=form))["access_token"]
        token = await self.home.command("auth/long_lived_access_token", client_name="Workshop", lifespan=3650)
        await self.home.command("frontend/set_user_data", key="language", value={"language": self.language})
        # A kill right after the start must not lose the user again.
        await self.saved("auth", _issuer(token))
        await self.home.hang_up()
        self.home.token = token

    async def _until_running(self) -> None:
        while True:
            config = await self._answered("/api/config")
            if config["recovery_mode"]:
                raise self._failure("Home Assistant fell into its recovery mode")
            if config["state"] == "RUNNING":
                return
            await asyncio.sleep(PAUSE)

    async def _answered(self, path: str) -> Json:
        """Ask until there is an answer: the port is not open at first, and the page not there."""
        while self.child.running:
            try:
                answer: Json = await self.home.request("GET", path)
            except ClientConnectionError:
                pass
            except RefusedError as err:
                if err.code != HTTPStatus.NOT_FOUND:
                    raise
            else:
                return answer
            await asyncio.sleep(PAUSE)
        raise self._failure(f"Home Assistant ended with exit code {self.child.exit_code}")

    def _failure(self, text: str) -> HouseError:
        return HouseError(f"{text}\n{self.tail()}")


def _store(folder: Path, key: str, *, version: int, minor: int, data: Json) -> None:
    content = {"version": version, "minor_version": minor, "key": key, "data": data}
    (folder / key).write_text(json.dumps(content))


def _contains(file: Path, text: str) -> bool:
    return file.exists() and text in file.read_text()


def _issuer(token: str) -> str:
    """Return the id by which Home Assistant keeps a token: the claim `iss` of its middle part."""
    claims = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iss"])
