"""Injects faults into requests: what the client gets instead of the service's own response."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
import json
import socket
import struct
from typing import Final

from aiohttp import web

from . import tasks
from .corruptions import CORRUPTIONS, Corruption, empty_lists
from .errors import TOO_MANY_REQUESTS, UNAUTHORIZED, ApiError
from .faults import Fault, FaultRule
from .wire import ACCOUNT, DATE_OFFSET, Handler, JsonObject, error_response, json_response

# A client must refuse more than 2 MiB.
_OVERSIZE: Final = 2 * 1024 * 1024 + 1
_CHUNK: Final = 64 * 1024
# With this option, closing the connection sends a reset.
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultContext:
    """A request with a fault; `response` is the service's own, or None if it has not handled the request."""

    rule: FaultRule
    request: web.Request
    handler: Handler
    response: web.StreamResponse | None


async def inject(rule: FaultRule, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Inject a fault into a request, to its end even if the client disconnects, as in a service behind a proxy."""
    return await asyncio.shield(tasks.start(request.app, _run(rule, request, handler)))


async def _run(rule: FaultRule, request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request) if rule.accepted else None
    context = FaultContext(rule=rule, request=request, handler=handler, response=response)
    try:
        return await _IMPLEMENTATIONS[rule.fault](context)
    except ConnectionError:
        # The client disconnected during a long response.
        return web.Response()


async def _slow(context: FaultContext) -> web.StreamResponse:
    await _pause(context)
    return await context.handler(context.request) if context.response is None else context.response


async def _refuse(context: FaultContext) -> web.StreamResponse:
    return _close(context, reset=True)


async def _cut(context: FaultContext) -> web.StreamResponse:
    return _close(context, reset=False)


async def _hang(context: FaultContext) -> web.StreamResponse:
    await _pause(context)
    return _close(context, reset=False)


async def _cut_within(context: FaultContext) -> web.StreamResponse:
    body = _body(context)
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    response = web.StreamResponse(status=_status(context), headers=headers)
    await response.prepare(context.request)
    await response.write(body[: len(body) // 2])
    _close(context, reset=False)
    return response


async def _unauthorized(context: FaultContext) -> web.StreamResponse:
    return error_response(context.request.app, ApiError(UNAUTHORIZED))


async def _forbidden(context: FaultContext) -> web.StreamResponse:
    return web.Response(status=context.rule.status or 403, text="Forbidden")


async def _request_timeout(_context: FaultContext) -> web.StreamResponse:
    return web.Response(status=408, text="Request Timeout")


async def _too_many_requests(context: FaultContext) -> web.StreamResponse:
    error = ApiError(TOO_MANY_REQUESTS, retry_after=context.rule.retry_after)
    return error_response(context.request.app, error)


async def _too_many_requests_until(context: FaultContext) -> web.StreamResponse:
    response = error_response(context.request.app, ApiError(TOO_MANY_REQUESTS))
    if context.rule.retry_after is not None:
        until = context.request.app[ACCOUNT].clock() + context.rule.retry_after
        response.headers["Retry-After"] = formatdate(until, usegmt=True)
    return response


async def _unknown_error(context: FaultContext) -> web.StreamResponse:
    return error_response(context.request.app, ApiError(1000))


async def _error_without_code(_context: FaultContext) -> web.StreamResponse:
    return web.Response(status=500, text="Internal Server Error")


async def _code(context: FaultContext) -> web.StreamResponse:
    rule = context.rule
    error = ApiError(rule.code, retry_after=rule.retry_after)
    return error_response(context.request.app, error, status=rule.status)


async def _captive_portal(_context: FaultContext) -> web.StreamResponse:
    return web.Response(text="<html><body>Please log in to the network</body></html>", content_type="text/html")


async def _bad_gateway(_context: FaultContext) -> web.StreamResponse:
    page = "<html><body><h1>502 Bad Gateway</h1></body></html>"
    return web.Response(status=502, text=page, content_type="text/html")


async def _redirect(context: FaultContext) -> web.StreamResponse:
    # The same server under another host name, so that a client that follows the redirect is noticed.
    port = context.request.url.port
    return web.Response(status=302, headers={"Location": f"http://localhost:{port}/elsewhere"})


async def _truncated(context: FaultContext) -> web.StreamResponse:
    body = _body(context)
    return web.Response(body=body[: len(body) // 2], status=_status(context), content_type="application/json")


async def _not_an_object(context: FaultContext) -> web.StreamResponse:
    return json_response([json.loads(_body(context))], status=_status(context))


async def _oversized(_context: FaultContext) -> web.StreamResponse:
    return json_response({"padding": "x" * _OVERSIZE})


async def _oversized_chunked(context: FaultContext) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(context.request)
    await response.write(b'{"padding": "')
    for _ in range(_OVERSIZE // _CHUNK + 1):
        await response.write(b"x" * _CHUNK)
    await response.write(b'"}')
    return response


async def _wrong_date(context: FaultContext) -> web.StreamResponse:
    context.request[DATE_OFFSET] = context.rule.seconds
    return await context.handler(context.request)


async def _many_objects(_context: FaultContext) -> web.StreamResponse:
    # As many as fit into what a client reads.
    body = b",".join([b"{}"] * (_OVERSIZE // 3 - 10))
    return web.Response(body=b'{"sms_list": [' + body + b"]}", content_type="application/json")


async def _unasked_response(context: FaultContext) -> web.StreamResponse:
    body = _body(context)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    tasks.start(context.request.app, _respond_again(context, context.request.transport, head + body))
    return web.Response(body=body, status=_status(context), content_type="application/json")


async def _respond_again(context: FaultContext, transport: asyncio.BaseTransport | None, response: bytes) -> None:
    await _pause(context)
    if isinstance(transport, asyncio.Transport) and not transport.is_closing():
        transport.write(response)


async def _first_page_only(context: FaultContext) -> web.StreamResponse:
    is_first = context.request.query.get("offset", "1") == "1"
    return _respond_changed(context, (lambda found: found) if is_first else empty_lists)


async def _repeated_id(context: FaultContext) -> web.StreamResponse:
    oldest = context.request.app[ACCOUNT].messages[-1:]

    def repeat(found: JsonObject) -> JsonObject:
        # Only the response to a send consists of an id alone; listed messages keep theirs.
        return {"id": oldest[0].id} if found.keys() == {"id"} else found

    return _respond_changed(context, repeat)


async def _corrupted(context: FaultContext) -> web.StreamResponse:
    return _respond_changed(context, CORRUPTIONS[context.rule.fault])


def _respond_changed(context: FaultContext, change: Corruption) -> web.Response:
    """Return the service's response with a change to every JSON object in it."""
    return json_response(json.loads(_body(context), object_hook=change), status=_status(context))


def _close(context: FaultContext, *, reset: bool) -> web.Response:
    """Close the connection, normally or with a reset; the returned response is never sent."""
    transport = context.request.transport
    # The client may have disconnected during a hang.
    if transport is not None:
        if reset:
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.close()
    return web.Response()


def _body(context: FaultContext) -> bytes:
    """Return the body of the service's response, or `{}` if it is empty, as after an edit."""
    body = context.response.body if isinstance(context.response, web.Response) else None
    return body if isinstance(body, bytes) else b"{}"


def _status(context: FaultContext) -> int:
    """Return the HTTP status of the service's response, or 200 if that has no body."""
    response = context.response
    return 200 if response is None or response.status == web.HTTPNoContent.status_code else response.status


async def _pause(context: FaultContext) -> None:
    """Wait for the seconds of the rule."""
    await tasks.pause(context.request.app, context.rule.seconds)


_IMPLEMENTATIONS: Final[dict[Fault, Callable[[FaultContext], Awaitable[web.StreamResponse]]]] = {
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
    Fault.TOO_MANY_REQUESTS_UNTIL: _too_many_requests_until,
    Fault.UNKNOWN_ERROR: _unknown_error,
    Fault.ERROR_AFTER: _error_without_code,
    Fault.CODE: _code,
    Fault.CAPTIVE_PORTAL: _captive_portal,
    Fault.BAD_GATEWAY: _bad_gateway,
    Fault.REDIRECT: _redirect,
    Fault.TRUNCATED: _truncated,
    Fault.NOT_AN_OBJECT: _not_an_object,
    Fault.REPEATED_ID: _repeated_id,
    Fault.OVERSIZED: _oversized,
    Fault.OVERSIZED_CHUNKED: _oversized_chunked,
    Fault.WRONG_DATE: _wrong_date,
    Fault.FIRST_PAGE_ONLY: _first_page_only,
    Fault.MANY_OBJECTS: _many_objects,
    Fault.UNASKED_RESPONSE: _unasked_response,
    **dict.fromkeys(CORRUPTIONS, _corrupted),
}
