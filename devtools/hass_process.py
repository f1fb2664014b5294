"""A real Home Assistant in a folder of its own, onboarded and ready to use.

    async with HomeAssistantProcess(folder) as hass:
        await hass.client.start_flow(FlowType.CONFIG, "gosms")

The folder and the port stay the same over `stop()` or `kill()` and another `start()`, so that recovery from a power
failure can be tested.
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

from .hass_client import HassApiError, HomeAssistantClient, Json
from .log_warnings import integration_warnings
from .process import LOOPBACK, ROOT, ChildProcess, ProcessError, free_port

EXIT_WITH_PARENT = ROOT / "devtools" / "exit_with_parent.py"

USER = "demo"
PASSWORD = "demo"
# Seconds. A start takes three on an ordinary machine, more if Python has to compile everything first.
START_TIMEOUT = 90.0
# Home Assistant saves most of its files after one second, some after ten.
SAVE_TIMEOUT = 30.0
POLL_INTERVAL = 0.1

# The one thing in a configuration that YAML can express and JSON cannot.
INCLUDE = re.compile(r'"(!include [\w.]+)"')

CORE: Json = {
    "name": "Home",
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
    # Two system libraries that only cameras need; each is reported missing with a traceback.
    "haffmpeg": "critical",
    "homeassistant.components.camera.img_util": "critical",
}


class HomeAssistantProcessError(ProcessError):
    """Home Assistant did not start."""


class HomeAssistantProcess:
    """A Home Assistant process with its configuration, its first user and a client."""

    def __init__(
        self,
        folder: Path,
        *,
        configuration: Mapping[str, object] | None = None,
        language: str = "en",
        port: int | None = None,
    ) -> None:
        """Prepare a Home Assistant in an existing folder; configuration is added to configuration.yaml."""
        self.folder = folder
        self.port = port or free_port()
        self.language = language
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.client = HomeAssistantClient(self.url)
        self._configuration = configuration or {}
        self._process: ChildProcess | None = None

    async def __aenter__(self) -> Self:
        self._write_files()
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
    def process(self) -> ChildProcess:
        """The process of the current or the last run."""
        if self._process is None:
            raise HomeAssistantProcessError("Home Assistant was never started")
        return self._process

    async def start(self) -> None:
        """Start Home Assistant and wait until it is running; the first start creates the user."""
        self.client.open()
        self._process = await ChildProcess.start(
            # Home Assistant must install no packages: what is missing has to be pinned in requirements_test.txt. -P
            # keeps the parent's folder off the import path, where its custom_components would come first.
            ["-P", str(EXIT_WITH_PARENT), "homeassistant", "--config", ".", "--skip-pip", "--log-no-color"],
            folder=self.folder,
            log=self.folder / "output.log",
        )
        try:
            async with asyncio.timeout(START_TIMEOUT):
                if self.client.token is None:
                    await self._onboard()
                await self._wait_until_running()
        except TimeoutError:
            raise self._error(f"Home Assistant did not start within {START_TIMEOUT:.0f} seconds") from None

    async def stop(self) -> None:
        """Stop Home Assistant, and kill it if it does not stop."""
        if self._process is not None:
            await self._process.stop()
        await self.client.close()

    async def kill(self) -> None:
        """Kill Home Assistant, as a power failure does."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        await self.client.close()

    def log_tail(self) -> str:
        """Return the end of Home Assistant's log under a heading, or nothing if the log is empty."""
        log = self._process.log_tail() if self._process else ""
        return f"\nThe end of Home Assistant's log:\n{log}" if log else ""

    def integration_warnings(self) -> list[str]:
        """Return Home Assistant's warnings about the integration in all runs."""
        return integration_warnings(self.process.log.read_text(errors="replace"))

    async def wait_until_saved(self, store: str, text: str) -> None:
        """Wait until a file in .storage contains a text: until then, a kill would undo the change."""
        file = self.folder / ".storage" / store
        async with asyncio.timeout(SAVE_TIMEOUT):
            while not _contains(file, text):
                await asyncio.sleep(POLL_INTERVAL)

    def _write_files(self) -> None:
        """Write the configuration, skip the rest of the onboarding, and link the integration."""
        storage = self.folder / ".storage"
        storage.mkdir(parents=True, exist_ok=True)
        integrations = self.folder / "custom_components"
        integrations.mkdir(exist_ok=True)
        if not (link := integrations / "gosms").exists():
            link.symlink_to(ROOT / "custom_components" / "gosms", target_is_directory=True)
        # JSON is valid YAML.
        configuration = {
            "homeassistant": {**CORE, "language": self.language},
            "config": {},
            "logger": {"default": "warning", "logs": LOGS},
            **self._configuration,
        }
        text = json.dumps(configuration, indent=2, ensure_ascii=False)
        (self.folder / "configuration.yaml").write_text(INCLUDE.sub(r"\1", text))
        # An `http:` section in YAML is only tried for five minutes; then Home Assistant restarts on port 8123 of every
        # interface. The stored setting stays.
        _write_store(
            storage,
            "http",
            version=2,
            minor=2,
            data={"stable": self._http(), "pending": None, "yaml_migration_done": True},
        )
        # Finishing the core step through the API would set up weather, radio and voice from the internet.
        done = ["core_config", "analytics", "integration"]
        _write_store(storage, "onboarding", version=4, minor=1, data={"done": done})

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

    async def _onboard(self) -> None:
        """Create the first user, which completes the onboarding, and get a token that survives restarts."""
        await self._wait_for_response("/api/onboarding")
        client_id = f"{self.url}/"
        user = {"name": "Demo", "username": USER, "password": PASSWORD, "language": self.language}
        response = await self.client.request("POST", "/api/onboarding/users", {**user, "client_id": client_id})
        form = {"client_id": client_id, "grant_type": "authorization_code", "code": response["auth_code"]}
        self.client.token = (await self.client.request("POST", "/auth/token", form=form))["access_token"]
        token = await self.client.command("auth/long_lived_access_token", client_name="Development", lifespan=3650)
        await self.client.command("frontend/set_user_data", key="language", value={"language": self.language})
        # A kill right after the start must not lose the user.
        await self.wait_until_saved("auth", _token_id(token))
        await self.client.close_websocket()
        self.client.token = token

    async def _wait_until_running(self) -> None:
        while True:
            config = await self._wait_for_response("/api/config")
            if config["recovery_mode"]:
                raise self._error("Home Assistant started in recovery mode")
            if config["state"] == "RUNNING":
                return
            await asyncio.sleep(POLL_INTERVAL)

    async def _wait_for_response(self, path: str) -> Json:
        """Repeat a request until it is answered: at first the port is closed, then the path not registered."""
        while self.process.is_running:
            try:
                response: Json = await self.client.request("GET", path)
            except ClientConnectionError:
                pass
            except HassApiError as err:
                if err.code != HTTPStatus.NOT_FOUND:
                    raise
            else:
                return response
            await asyncio.sleep(POLL_INTERVAL)
        raise self._error(f"Home Assistant exited with code {self.process.exit_code}")

    def _error(self, text: str) -> HomeAssistantProcessError:
        return HomeAssistantProcessError(f"{text}\n{self.log_tail()}")


def _write_store(folder: Path, key: str, *, version: int, minor: int, data: Json) -> None:
    content = {"version": version, "minor_version": minor, "key": key, "data": data}
    (folder / key).write_text(json.dumps(content))


def _contains(file: Path, text: str) -> bool:
    return file.exists() and text in file.read_text()


def _token_id(token: str) -> str:
    """Return the id under which Home Assistant stores a token: the claim `iss` in its middle part."""
    claims = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iss"])
