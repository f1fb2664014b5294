"""What a browser says to Home Assistant: its HTTP API and its websocket, method by method."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from http import HTTPStatus
import itertools
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout, ClientWebSocketResponse, WSMsgType

type Json = dict[str, Any]

# An action may wait for a delivery: gosms.send_sms does for ten minutes at most.
ACTION_TIMEOUT = 660.0
COMMAND_TIMEOUT = 30.0
# A whole registry in one message is larger than aiohttp's default of 4 MiB allows.
MAX_MESSAGE = 64 * 1024 * 1024


class RefusedError(Exception):
    """Home Assistant answered with an error."""

    def __init__(
        self, message: str, *, code: str | int, key: str | None = None, placeholders: Json | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.key = key
        self.placeholders = placeholders or {}


class Flow(StrEnum):
    """The kinds of flow, by their place in the API."""

    CONFIG = "flow"
    OPTIONS = "options/flow"
    SUBENTRY = "subentries/flow"


class Socket:
    """A websocket connection; commands may run side by side on it."""

    def __init__(self, connection: ClientWebSocketResponse) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._events: dict[int, asyncio.Queue[Json | None]] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, session: ClientSession, url: str, token: str) -> Self:
        """Connect and authenticate."""
        connection = await session.ws_connect(f"{url}/api/websocket", max_msg_size=MAX_MESSAGE)
        await connection.receive_json()
        await connection.send_json({"type": "auth", "access_token": token})
        answer: Json = await connection.receive_json()
        if answer["type"] != "auth_ok":
            await connection.close()
            raise RefusedError(answer.get("message", "not authenticated"), code=answer["type"])
        return cls(connection)

    async def close(self) -> None:
        """Close the connection; waiting commands fail."""
        await self._connection.close()
        await self._reader

    @property
    def closed(self) -> bool:
        """Whether the connection is gone, whoever closed it."""
        return self._reader.done()

    async def command(self, kind: str, *, timeout: float = COMMAND_TIMEOUT, **fields: object) -> Any:  # noqa: ANN401, ASYNC109 - JSON; the callers' word
        """Send a command and return its result, of whatever JSON type that command has."""
        number = next(self._ids)
        return await self._ask(number, kind, fields, timeout)

    @asynccontextmanager
    async def events(self, kind: str = "subscribe_events", **fields: object) -> AsyncGenerator[AsyncGenerator[Json]]:
        """Subscribe; gives what comes as an asynchronous iterator, which ends with the connection."""
        number = next(self._ids)
        queue = self._events[number] = asyncio.Queue[Json | None]()

        async def stream() -> AsyncGenerator[Json]:
            while (event := await queue.get()) is not None:
                yield event

        try:
            await self._ask(number, kind, fields, COMMAND_TIMEOUT)
            yield stream()
        finally:
            del self._events[number]
            if not self.closed:
                with suppress(RefusedError):
                    await self.command("unsubscribe_events", subscription=number)

    async def _ask(self, number: int, kind: str, fields: Mapping[str, object], seconds: float) -> Any:  # noqa: ANN401 - JSON
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            if self.closed:
                raise ConnectionError("the websocket is closed")
            await self._connection.send_json({"id": number, "type": kind, **fields})
            async with asyncio.timeout(seconds):
                message = await answer
        finally:
            del self._answers[number]
        if message["success"]:
            return message["result"]
        error = message["error"]
        raise RefusedError(
            error["message"],
            code=error["code"],
            key=error.get("translation_key"),
            placeholders=error.get("translation_placeholders"),
        )

    async def _read(self) -> None:
        async for raw in self._connection:
            if raw.type is not WSMsgType.TEXT:
                break
            message: Json = raw.json()
            if message["type"] == "event" and (queue := self._events.get(message["id"])):
                queue.put_nowait(message["event"])
            elif message["type"] == "result" and (answer := self._answers.get(message["id"])) and not answer.done():
                answer.set_result(message)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError("Home Assistant closed the websocket"))
        for queue in self._events.values():
            queue.put_nowait(None)


class HomeAssistant:
    """One Home Assistant, as the first user sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token: str | None = None
        self._session: ClientSession | None = None
        self._socket: Socket | None = None
        self._connecting = asyncio.Lock()

    def open(self) -> None:
        """Make ready for requests; needs a running event loop."""
        if self._session is None:
            self._session = ClientSession()

    async def close(self) -> None:
        """Close all connections, until the next `open()`."""
        session, self._session = self._session, None
        await self.hang_up()
        if session is not None:
            await session.close()

    async def hang_up(self) -> None:
        """Close the websocket, if there is one; the next command opens it again."""
        if socket := self._socket:
            self._socket = None
            await socket.close()

    @property
    def session(self) -> ClientSession:
        """The HTTP session; ConnectionError while Home Assistant is stopped."""
        if self._session is None:
            raise ConnectionError("Home Assistant is stopped")
        return self._session

    async def request(
        self, method: str, path: str, payload: object = None, *, form: Mapping[str, str] | None = None
    ) -> Any:  # noqa: ANN401 - JSON
        """Send an HTTP request and return the JSON of its answer."""
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
                raise RefusedError(f"{method} {path}: {response.status} {text}", code=response.status)
            return await response.json()

    async def socket(self) -> Socket:
        """Return the websocket, connected."""
        async with self._connecting:
            if self._socket is None or self._socket.closed:
                self._socket = await Socket.open(self.session, self.url, self.token or "")
            return self._socket

    async def command(self, kind: str, *, timeout: float = COMMAND_TIMEOUT, **fields: object) -> Any:  # noqa: ANN401, ASYNC109 - as above
        """Send one websocket command and return its result."""
        return await (await self.socket()).command(kind, timeout=timeout, **fields)

    async def start_flow(self, kind: Flow, handler: str | list[str], **context: str) -> Json:
        """Start a flow; handler: a domain, an entry id, or [entry id, subentry type]; returns its first step."""
        step: Json = await self.request("POST", f"/api/config/config_entries/{kind}", {"handler": handler, **context})
        return step

    async def look_at_flow(self, kind: Flow, flow_id: str) -> Json:
        """Return the step a flow is at, such as the one that `next_flow` of a result names."""
        step: Json = await self.request("GET", f"/api/config/config_entries/{kind}/{flow_id}")
        return step

    async def answer_flow(self, kind: Flow, flow_id: str, answer: Mapping[str, object]) -> Json:
        """Answer a flow's step; returns the next step or the result."""
        step: Json = await self.request("POST", f"/api/config/config_entries/{kind}/{flow_id}", answer)
        return step

    async def entries(self, domain: str) -> list[Json]:
        """Return the config entries of a domain."""
        entries: list[Json] = await self.command("config_entries/get", domain=domain)
        return entries

    async def entities(self, entry_id: str) -> list[Json]:
        """Return what the entity registry holds of a config entry."""
        registry: list[Json] = await self.command("config/entity_registry/list")
        return [entity for entity in registry if entity["config_entry_id"] == entry_id]

    async def state(self, entity_id: str) -> Json | None:
        """Return the state of an entity with its attributes, or None if it has none."""
        try:
            state: Json = await self.request("GET", f"/api/states/{entity_id}")
        except RefusedError as err:
            if err.code == HTTPStatus.NOT_FOUND:
                return None
            raise
        return state

    async def act(
        self,
        action: str,
        data: Mapping[str, object] | None = None,
        *,
        target: Mapping[str, object] | None = None,
        response: bool = False,
    ) -> Json | None:
        """Perform an action (`notify.send_message`) and return its response, where one is asked for."""
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
