"""The account over HTTP: the vendor's routes, real requests and real answers."""

import asyncio
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
import time
from typing import Final

from aiohttp import web

from . import control
from .account import Account
from .faults import Fault, Faults
from .injection import end_plays, inject
from .models import Chance
from .refusal import UNAUTHORIZED, Refusal
from .wire import (
    ACCOUNT,
    API,
    DATE_OFFSET,
    FAULTS,
    HASHES,
    REQUESTS,
    RUNNING,
    STOPPING,
    Handler,
    JsonObject,
    RecordedRequest,
    answer,
    endpoint_of,
    error_response,
    message_json,
    page_json,
    parse_json,
    phone_json,
)

_RECORDED: Final = 10_000
# The longest body that the documents allow is below 2 KiB.
_BODY_LIMIT: Final = 64 * 1024
# Paths whose requests are recorded and suffer faults; the second is where the redirect leads.
_OBSERVED: Final = (f"{API}/", "/elsewhere")

type _Action = Callable[[Account, JsonObject], web.Response]


def create_app(account: Account, faults: Faults | None = None, *, seed: int = 0) -> web.Application:
    """The service for one account, with the base path /v1 and the controls beside it."""
    app = web.Application(middlewares=[_observe, _refuse], client_max_size=_BODY_LIMIT)
    app[ACCOUNT] = account
    app[FAULTS] = Faults(seed) if faults is None else faults
    app[REQUESTS] = deque(maxlen=_RECORDED)
    app[STOPPING] = asyncio.Event()
    app[RUNNING] = set()
    app[HASHES] = Chance(seed)
    app.router.add_get(f"{API}/sms", _list_messages)
    for method, path, action in _ACTIONS:
        app.router.add_route(method, f"{API}{path}", _with_body(action))
    app.router.add_route("*", "/elsewhere", _elsewhere)
    control.add_routes(app)
    app.on_response_prepare.append(_set_date)
    app.on_shutdown.append(end_plays)
    return app


def _send(account: Account, body: JsonObject) -> web.Response:
    accepted = account.send(
        message=body.get("message"),
        phone_number=body.get("phone_number"),
        device_id=body.get("device_id"),
        callback_id=body.get("callback_id"),
        to_sim=body.get("to_sim"),
    )
    return answer({"id": accepted.id})


def _get(account: Account, body: JsonObject) -> web.Response:
    return answer(message_json(account.get(body.get("id")), account.generation))


def _delete(account: Account, body: JsonObject) -> web.Response:
    account.delete(body.get("id"))
    return web.Response(status=204)


def _phone_info(account: Account, body: JsonObject) -> web.Response:
    phone = account.phone_info(_phone_id(account, body))
    return answer(phone_json(phone, account.generation, account.clock()))


def _edit_phone(account: Account, body: JsonObject) -> web.Response:
    account.edit_phone(_phone_id(account, body), body.get("is_active"))
    return web.Response(status=204)


_ACTIONS: Final[tuple[tuple[str, str, _Action], ...]] = (
    ("POST", "/sms/send", _send),
    ("POST", "/sms/get", _get),
    ("DELETE", "/sms/del", _delete),
    ("POST", "/devices/get/info", _phone_info),
    ("POST", "/devices/edit", _edit_phone),
)


def _phone_id(account: Account, body: JsonObject) -> object:
    """The phone's id under the key that this generation of the service reads."""
    return next((body[key] for key in account.generation.phone_id_keys if key in body), None)


async def _list_messages(request: web.Request) -> web.Response:
    account = _admitted(request)
    query = request.query
    page = account.list_messages(query.get("limit"), query.get("offset"), query.get("search", ""))
    return answer(page_json(page, account.generation))


def _with_body(action: _Action) -> Handler:
    """A handler that admits the request and reads its JSON object before it acts."""

    async def handle(request: web.Request) -> web.Response:
        account = _admitted(request)
        body = parse_json(await request.read())
        if not isinstance(body, dict):
            raise Refusal(1001)
        return action(account, body)

    return handle


def _admitted(request: web.Request) -> Account:
    """The account, if the token is its own and nothing else stands against the request."""
    account = request.app[ACCOUNT]
    if request.headers.get("Authorization") != f"Bearer {account.token}":
        raise Refusal(UNAUTHORIZED)
    account.admit(endpoint_of(request))
    return account


async def _elsewhere(_request: web.Request) -> web.Response:
    return web.Response(text="<html><body>Somebody else's page</body></html>", content_type="text/html")


@web.middleware
async def _observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Record what came for the API, and let a fault happen to it if one is due."""
    if not request.path.startswith(_OBSERVED):
        return await handler(request)
    rule = request.app[FAULTS].pick(endpoint_of(request))
    # A connection that is refused at once is never read from.
    raw = b"" if rule is not None and rule.fault is Fault.REFUSE else await request.read()
    _record(request, raw)
    return await handler(request) if rule is None else await inject(rule, request, handler)


def _record(request: web.Request, raw: bytes) -> None:
    """Keep the request as it came, for assertions on the wire."""
    try:
        body = parse_json(raw)
    except Refusal:
        body = None
    recorded = RecordedRequest(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=request.headers,
        json=body,
        time=request.app[ACCOUNT].clock(),
        arrived=time.monotonic(),
    )
    request.app[REQUESTS].append(recorded)


@web.middleware
async def _refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say no in the vendor's form."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return error_response(request.app, refusal)


async def _set_date(request: web.Request, response: web.StreamResponse) -> None:
    """Tell the time by the account's clock: a client may trust it more than its own."""
    now = request.app[ACCOUNT].clock() + request.get(DATE_OFFSET, 0.0)
    response.headers["Date"] = formatdate(now, usegmt=True)
