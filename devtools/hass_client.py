"""A client of Home Assistant's HTTP and websocket APIs, as the frontend uses them."""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
import itertools
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout, ClientWebSocketResponse, WSMsgType

type Json = dict[str, Any]

# Seconds. An action may wait for a delivery: gosms.send_sms waits for up to ten minutes.
ACTION_TIMEOUT = 660.0
COMMAND_TIMEOUT = 30.0
# A whole registry in one message is larger than aiohttp's default of 4 MiB allows.
MAX_MESSAGE = 64 * 1024 * 1024


class HassApiError(Exception):
    """Home Assistant answered with an error."""

    def __init__(self, message: str, *, code: str | int) -> None:
        super().__init__(message)
        self.code = code


class FlowType(StrEnum):
    """The kinds of flow, by their path in the API."""

    CONFIG = "flow"
    OPTIONS = "options/flow"
    SUBENTRY = "subentries/flow"


class WebSocket:
    """A websocket connection, on which commands may run concurrently."""

    def __init__(self, connection: ClientWebSocketResponse) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self._results: dict[int, asyncio.Future[Json]] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, session: ClientSession, url: str, token: str) -> Self:
        """Connect and authenticate."""
        connection = await session.ws_connect(f"{url}/api/websocket", max_msg_size=MAX_MESSAGE)
        await connection.receive_json()
        await connection.send_json({"type": "auth", "access_token": token})
        response: Json = await connection.receive_json()
        if response["type"] != "auth_ok":
            await connection.close()
            raise HassApiError(response.get("message", "not authenticated"), code=response["type"])
        return cls(connection)

    async def close(self) -> None:
        """Close the connection; pending commands fail."""
        await self._connection.close()
        await self._reader

    @property
    def closed(self) -> bool:
        """Whether the connection is closed, by either side."""
        return self._reader.done()

    async def command(self, kind: str, *, timeout: float = COMMAND_TIMEOUT, **fields: object) -> Any:  # noqa: ANN401, ASYNC109  # JSON; as in aiohttp.
        """Send a command and return its result, whose JSON type depends on the command."""
        command_id = next(self._ids)
        response = self._results[command_id] = asyncio.get_running_loop().create_future()
        try:
            if self.closed:
                raise ConnectionError("the websocket is closed")
            await self._connection.send_json({"id": command_id, "type": kind, **fields})
            async with asyncio.timeout(timeout):
                message = await response
        finally:
            del self._results[command_id]
        if message["success"]:
            return message["result"]
        error = message["error"]
        raise HassApiError(error["message"], code=error["code"])

    async def _read(self) -> None:
        async for raw in self._connection:
            if raw.type is not WSMsgType.TEXT:
                break
            message: Json = raw.json()
            if message["type"] == "result" and (response := self._results.get(message["id"])) and not response.done():
                response.set_result(message)
        for response in self._results.values():
            if not response.done():
                response.set_exception(ConnectionError("Home Assistant closed the websocket"))


class HomeAssistantClient:
    """A client that is logged in as the first user of a Home Assistant."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token: str | None = None
        self._session: ClientSession | None = None
        self._websocket: WebSocket | None = None
        self._connecting = asyncio.Lock()

    def open(self) -> None:
        """Open the HTTP session; needs a running event loop."""
        if self._session is None:
            self._session = ClientSession()

    async def close(self) -> None:
        """Close all connections until the next `open()`."""
        session, self._session = self._session, None
        await self.close_websocket()
        if session is not None:
            await session.close()

    async def close_websocket(self) -> None:
        """Close the websocket if it is open; the next command opens it again."""
        if websocket := self._websocket:
            self._websocket = None
            await websocket.close()

    @property
    def session(self) -> ClientSession:
        """The HTTP session; ConnectionError while Home Assistant is stopped."""
        if self._session is None:
            raise ConnectionError("Home Assistant is stopped")
        return self._session

    async def request(
        self, method: str, path: str, payload: object = None, *, form: Mapping[str, str] | None = None
    ) -> Any:  # noqa: ANN401  # JSON.
        """Send an HTTP request and return the JSON of the response."""
        async with self.session.request(
            method,
            f"{self.url}{path}",
            json=payload,
            data=form,
            headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
            timeout=ClientTimeout(total=COMMAND_TIMEOUT),
        ) as response:
            if response.status >= HTTPStatus.BAD_REQUEST:
                text = await response.text()
                raise HassApiError(f"{method} {path}: {response.status} {text}", code=response.status)
            return await response.json()

    async def websocket(self) -> WebSocket:
        """Return the websocket, connecting it if necessary."""
        async with self._connecting:
            if self._websocket is None or self._websocket.closed:
                self._websocket = await WebSocket.open(self.session, self.url, self.token or "")
            return self._websocket

    async def command(self, kind: str, *, timeout: float = COMMAND_TIMEOUT, **fields: object) -> Any:  # noqa: ANN401, ASYNC109  # Likewise.
        """Send one websocket command and return its result."""
        return await (await self.websocket()).command(kind, timeout=timeout, **fields)

    async def start_flow(self, kind: FlowType, handler: str | list[str]) -> Json:
        """Start a flow and return its first step; handler is a domain, an entry id, or [entry id, subentry type]."""
        step: Json = await self.request("POST", f"/api/config/config_entries/{kind}", {"handler": handler})
        return step

    async def get_flow(self, kind: FlowType, flow_id: str) -> Json:
        """Return the current step of a flow, such as the `next_flow` of a result."""
        step: Json = await self.request("GET", f"/api/config/config_entries/{kind}/{flow_id}")
        return step

    async def submit_flow(self, kind: FlowType, flow_id: str, user_input: Mapping[str, object]) -> Json:
        """Submit user input to a flow and return its next step or result."""
        step: Json = await self.request("POST", f"/api/config/config_entries/{kind}/{flow_id}", user_input)
        return step

    async def entries(self, domain: str) -> list[Json]:
        """Return the config entries of a domain."""
        entries: list[Json] = await self.command("config_entries/get", domain=domain)
        return entries

    async def entities(self, entry_id: str) -> list[Json]:
        """Return the entity registry entries of a config entry."""
        registry: list[Json] = await self.command("config/entity_registry/list")
        return [entity for entity in registry if entity["config_entry_id"] == entry_id]

    async def state(self, entity_id: str) -> Json | None:
        """Return the state of an entity with its attributes, or None if there is no such entity."""
        try:
            state: Json = await self.request("GET", f"/api/states/{entity_id}")
        except HassApiError as err:
            if err.code == HTTPStatus.NOT_FOUND:
                return None
            raise
        return state

    async def perform_action(
        self,
        action: str,
        data: Mapping[str, object] | None = None,
        *,
        target: Mapping[str, object] | None = None,
        response: bool = False,
    ) -> Json | None:
        """Perform an action such as `notify.send_message` and return its response if one is requested."""
        domain, _, service = action.partition(".")
        result = await self.command(
            "call_service",
            timeout=ACTION_TIMEOUT,
            domain=domain,
            service=service,
            service_data=data or {},
            return_response=response,
            **({"target": target} if target else {}),
        )
        answer: Json | None = result.get("response")
        return answer
