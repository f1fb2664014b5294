"""How each fault looks on the wire."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import json
import socket
import struct
from typing import Final

from aiohttp import web

from .faults import Fault, Rule
from .refusal import TOO_MANY_REQUESTS, UNAUTHORIZED, Refusal
from .wire import ACCOUNT, DATE_OFFSET, RUNNING, STOPPING, Handler, JsonObject, answer, error_response

# A client is to refuse more than 2 MiB.
_OVERSIZE: Final = 2 * 1024 * 1024 + 1
_CHUNK: Final = 64 * 1024
_UNKNOWN_STATUS: Final = 42
# How long a client that does not read can hold up the end of the server, in seconds.
_GRACE: Final = 0.5
# Fields of a message without which it is still a message.
_OPTIONAL_FIELDS: Final = ("callback_id", "device_id", "message_status", "to_sim")
# Closing with this option sends a reset, where an ordinary close would end the connection in good order.
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """A request that a fault happens to; `answered` is the service's own, None where it has not handled the request."""

    rule: Rule
    request: web.Request
    handler: Handler
    answered: web.StreamResponse | None


async def inject(rule: Rule, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a fault happen to a request, to its end even if the client leaves, as in a service behind a proxy."""
    running = request.app[RUNNING]
    play = asyncio.create_task(_play(rule, request, handler))
    running.add(play)
    play.add_done_callback(running.discard)
    return await asyncio.shield(play)


async def end_plays(app: web.Application) -> None:
    """End every wait, so that nothing of a fault outlives the server."""
    app[STOPPING].set()
    running = app[RUNNING]
    if running:
        _, stuck = await asyncio.wait(running, timeout=_GRACE)
        for play in stuck:
            play.cancel()


async def _play(rule: Rule, request: web.Request, handler: Handler) -> web.StreamResponse:
    answered = await handler(request) if rule.accepted else None
    incident = Incident(rule=rule, request=request, handler=handler, answered=answered)
    try:
        return await _PLAYS[rule.fault](incident)
    except ConnectionError:
        # The client left in the middle of a long answer.
        return web.Response()


async def _slow(incident: Incident) -> web.StreamResponse:
    await _pause(incident)
    return await incident.handler(incident.request) if incident.answered is None else incident.answered


async def _refuse(incident: Incident) -> web.StreamResponse:
    return _close(incident, reset=True)


async def _cut(incident: Incident) -> web.StreamResponse:
    return _close(incident, reset=False)


async def _hang(incident: Incident) -> web.StreamResponse:
    await _pause(incident)
    return _close(incident, reset=False)


async def _cut_within(incident: Incident) -> web.StreamResponse:
    whole = _body(incident)
    headers = {"Content-Type": "application/json", "Content-Length": str(len(whole))}
    response = web.StreamResponse(status=_status(incident), headers=headers)
    await response.prepare(incident.request)
    await response.write(whole[: len(whole) // 2])
    _close(incident, reset=False)
    return response


async def _unauthorized(incident: Incident) -> web.StreamResponse:
    return error_response(incident.request.app, Refusal(UNAUTHORIZED))


async def _forbidden(_incident: Incident) -> web.StreamResponse:
    return web.Response(status=403, text="Forbidden")


async def _request_timeout(_incident: Incident) -> web.StreamResponse:
    return web.Response(status=408, text="Request Timeout")


async def _too_many_requests(incident: Incident) -> web.StreamResponse:
    refusal = Refusal(TOO_MANY_REQUESTS, retry_after=incident.rule.retry_after)
    return error_response(incident.request.app, refusal)


async def _unknown_error(incident: Incident) -> web.StreamResponse:
    return error_response(incident.request.app, Refusal(1000))


async def _error_without_code(_incident: Incident) -> web.StreamResponse:
    return web.Response(status=500, text="Internal Server Error")


async def _code(incident: Incident) -> web.StreamResponse:
    rule = incident.rule
    refusal = Refusal(rule.code, retry_after=rule.retry_after)
    return error_response(incident.request.app, refusal, status=rule.status)


async def _captive_portal(_incident: Incident) -> web.StreamResponse:
    return web.Response(text="<html><body>Please log in to the network</body></html>", content_type="text/html")


async def _bad_gateway(_incident: Incident) -> web.StreamResponse:
    page = "<html><body><h1>502 Bad Gateway</h1></body></html>"
    return web.Response(status=502, text=page, content_type="text/html")


async def _redirect(incident: Incident) -> web.StreamResponse:
    # The same server under another name, so that a client that follows is seen, and nobody outside is asked.
    port = incident.request.url.port
    return web.Response(status=302, headers={"Location": f"http://localhost:{port}/elsewhere"})


async def _truncated(incident: Incident) -> web.StreamResponse:
    whole = _body(incident)
    return web.Response(body=whole[: len(whole) // 2], status=_status(incident), content_type="application/json")


async def _not_an_object(incident: Incident) -> web.StreamResponse:
    return answer([json.loads(_body(incident))], status=_status(incident))


async def _oversized(_incident: Incident) -> web.StreamResponse:
    return answer({"padding": "x" * _OVERSIZE})


async def _oversized_chunked(incident: Incident) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(incident.request)
    await response.write(b'{"padding": "')
    for _ in range(_OVERSIZE // _CHUNK + 1):
        await response.write(b"x" * _CHUNK)
    await response.write(b'"}')
    return response


async def _wrong_date(incident: Incident) -> web.StreamResponse:
    incident.request[DATE_OFFSET] = incident.rule.seconds
    return await incident.handler(incident.request)


def _spoiled(spoil: Callable[[JsonObject], JsonObject]) -> Callable[[Incident], Awaitable[web.StreamResponse]]:
    """A play that sends the service's own answer with every object in it spoiled."""

    async def play(incident: Incident) -> web.StreamResponse:
        return answer(json.loads(_body(incident), object_hook=spoil), status=_status(incident))

    return play


async def _repeated_id(incident: Incident) -> web.StreamResponse:
    oldest = incident.request.app[ACCOUNT].messages[-1:]

    def repeat(found: JsonObject) -> JsonObject:
        # The answer to a send is nothing but an id: what is told of the messages stays right.
        return {"id": oldest[0].id} if found.keys() == {"id"} else found

    return answer(json.loads(_body(incident), object_hook=repeat), status=_status(incident))


def _number_the_id(found: JsonObject) -> JsonObject:
    return {key: int(str(value), 16) if key == "id" else value for key, value in found.items()}


def _malform_the_id(found: JsonObject) -> JsonObject:
    return {key: f"{value}\n<script>" if key == "id" else value for key, value in found.items()}


def _flatten_lists(found: JsonObject) -> JsonObject:
    return {key: json.dumps(value) if isinstance(value, list) else value for key, value in found.items()}


def _drop_fields(found: JsonObject) -> JsonObject:
    # Only a message: to a phone its id is not optional.
    dropped = _OPTIONAL_FIELDS if "message" in found else ()
    return {key: value for key, value in found.items() if key not in dropped}


def _change_status(found: JsonObject) -> JsonObject:
    return {**found, "status": _UNKNOWN_STATUS} if "status" in found else found


def _close(incident: Incident, *, reset: bool) -> web.Response:
    """End the connection, in good order or with a reset; what is returned reaches nobody."""
    transport = incident.request.transport
    # The client may have left during a hang, and then there is nothing to end.
    if transport is not None:
        if reset:
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.close()
    return web.Response()


def _body(incident: Incident) -> bytes:
    """The bytes of the service's answer; `{}` where it has none, as after an edit."""
    body = incident.answered.body if isinstance(incident.answered, web.Response) else None
    return body if isinstance(body, bytes) else b"{}"


def _status(incident: Incident) -> int:
    """The HTTP status of the service's answer; 200 where that has no body to spoil."""
    answered = incident.answered
    return 200 if answered is None or answered.status == web.HTTPNoContent.status_code else answered.status


async def _pause(incident: Incident) -> None:
    """Wait as long as the rule says, but not beyond the end of the server."""
    try:
        async with asyncio.timeout(incident.rule.seconds):
            await incident.request.app[STOPPING].wait()
    except TimeoutError:
        return


_PLAYS: Final[dict[Fault, Callable[[Incident], Awaitable[web.StreamResponse]]]] = {
    Fault.SLOW: _slow,
    Fault.REFUSE: _refuse,
    Fault.CUT_BEFORE: _cut,
    Fault.CUT_AFTER: _cut,
    Fault.CUT_WITHIN: _cut_within,
    Fault.HANG_BEFORE: _hang,
    Fault.HANG_AFTER: _hang,
    Fault.UNAUTHORIZED: _unauthorized,
    Fault.FORBIDDEN: _forbidden,
    Fault.REQUEST_TIMEOUT: _request_timeout,
    Fault.TOO_MANY_REQUESTS: _too_many_requests,
    Fault.UNKNOWN_ERROR: _unknown_error,
    Fault.ERROR_AFTER: _error_without_code,
    Fault.CODE: _code,
    Fault.CAPTIVE_PORTAL: _captive_portal,
    Fault.BAD_GATEWAY: _bad_gateway,
    Fault.REDIRECT: _redirect,
    Fault.TRUNCATED: _truncated,
    Fault.NOT_AN_OBJECT: _not_an_object,
    Fault.ID_AS_NUMBER: _spoiled(_number_the_id),
    Fault.MALFORMED_ID: _spoiled(_malform_the_id),
    Fault.REPEATED_ID: _repeated_id,
    Fault.LIST_AS_TEXT: _spoiled(_flatten_lists),
    Fault.MISSING_FIELDS: _spoiled(_drop_fields),
    Fault.UNKNOWN_STATUS: _spoiled(_change_status),
    Fault.OVERSIZED: _oversized,
    Fault.OVERSIZED_CHUNKED: _oversized_chunked,
    Fault.WRONG_DATE: _wrong_date,
}
