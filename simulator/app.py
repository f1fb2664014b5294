"""The HTTP application: the vendor's routes over an account."""

from collections import deque
from collections.abc import Callable
from email.utils import formatdate
import time
from typing import Final

from aiohttp import web

from . import control, tasks
from .account import Account
from .errors import UNAUTHORIZED, ApiError
from .faults import Fault, Faults
from .injection import inject
from .models import SeededRandom
from .wire import (
    ACCOUNT,
    API,
    DATE_OFFSET,
    FAULTS,
    HASHES,
    REQUESTS,
    Handler,
    JsonObject,
    RecordedRequest,
    endpoint_of,
    error_response,
    json_response,
    message_json,
    page_json,
    parse_json,
    phone_json,
)

_RECORDED: Final = 10_000
# The longest valid body is below 2 KiB.
_BODY_LIMIT: Final = 64 * 1024
# The paths whose requests are recorded and subject to faults; the second is the target of the redirect.
_OBSERVED: Final = (f"{API}/", "/elsewhere")

type _Action = Callable[[Account, JsonObject], web.Response]


def create_app(account: Account, faults: Faults | None = None, *, seed: int = 0) -> web.Application:
    """Return the service for one account, with the base path /v1, and its controls."""
    app = web.Application(middlewares=[_observe, _handle_errors], client_max_size=_BODY_LIMIT)
    app[ACCOUNT] = account
    app[FAULTS] = Faults(seed) if faults is None else faults
    app[REQUESTS] = deque(maxlen=_RECORDED)
    app[HASHES] = SeededRandom(seed)
    app.router.add_get(f"{API}/sms", _list_messages)
    for method, path, action in _ACTIONS:
        app.router.add_route(method, f"{API}{path}", _with_body(action))
    app.router.add_route("*", "/elsewhere", _elsewhere)
    control.add_routes(app)
    app.on_response_prepare.append(_set_date)
    tasks.set_up(app)
    return app


def _send(account: Account, body: JsonObject) -> web.Response:
    accepted = account.send(
        message=body.get("message"),
        phone_number=body.get("phone_number"),
        device_id=body.get("device_id"),
        callback_id=body.get("callback_id"),
        to_sim=body.get("to_sim"),
    )
    return json_response({"id": accepted.id})


def _get(account: Account, body: JsonObject) -> web.Response:
    return json_response(message_json(account.get(body.get("id")), account.generation))


def _delete(account: Account, body: JsonObject) -> web.Response:
    account.delete(body.get("id"))
    return web.Response(status=204)


def _phone_info(account: Account, body: JsonObject) -> web.Response:
    phone = account.phone_info(_phone_id(account, body))
    return json_response(phone_json(phone, account.generation, account.clock()))


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
    """Return the phone's id from the key that this generation of the service uses."""
    return next((body[key] for key in account.generation.phone_id_keys if key in body), None)


async def _list_messages(request: web.Request) -> web.Response:
    account = _authorized(request)
    query = request.query
    page = account.list_messages(query.get("limit"), query.get("offset"), query.get("search", ""))
    return json_response(page_json(page, account.generation))


def _with_body(action: _Action) -> Handler:
    """Return a handler that authorizes the request and parses its JSON object before the action."""

    async def handle(request: web.Request) -> web.Response:
        account = _authorized(request)
        body = parse_json(await request.read())
        if not isinstance(body, dict):
            raise ApiError(1001)
        return action(account, body)

    return handle


def _authorized(request: web.Request) -> Account:
    """Return the account if the token is valid and the account accepts requests."""
    account = request.app[ACCOUNT]
    if request.headers.get("Authorization") != f"Bearer {account.token}":
        raise ApiError(UNAUTHORIZED)
    account.check_access(endpoint_of(request))
    return account


async def _elsewhere(_request: web.Request) -> web.Response:
    return web.Response(text="<html><body>Another page</body></html>", content_type="text/html")


@web.middleware
async def _observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Record requests to the API, and inject a fault if a rule applies."""
    if not request.path.startswith(_OBSERVED):
        return await handler(request)
    rule = request.app[FAULTS].pick(endpoint_of(request))
    # A request is not read from a connection that is refused.
    raw = b"" if rule is not None and rule.fault is Fault.REFUSE else await request.read()
    _record(request, raw)
    return await handler(request) if rule is None else await inject(rule, request, handler)


def _record(request: web.Request, raw: bytes) -> None:
    """Record the request as it was received, for assertions."""
    try:
        body = parse_json(raw)
    except ApiError:
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
async def _handle_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Convert errors to the vendor's error responses."""
    try:
        return await handler(request)
    except ApiError as err:
        return error_response(request.app, err)


async def _set_date(request: web.Request, response: web.StreamResponse) -> None:
    """Set the `Date` header by the account's clock, which a client may trust more than its own."""
    now = request.app[ACCOUNT].clock() + request.get(DATE_OFFSET, 0.0)
    response.headers["Date"] = formatdate(now, usegmt=True)
