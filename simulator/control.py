"""The controls: HTTP endpoints beside the API that change and inspect a running simulator."""

from collections import Counter
import dataclasses

from aiohttp import web

from .account import Account
from .changes import FLAGS, NUMBERS, add_faults, change_account
from .errors import ApiError
from .faults import FaultRule, Faults
from .models import OLD
from .wire import (
    ACCOUNT,
    FAULTS,
    REQUESTS,
    JsonObject,
    RecordedRequest,
    json_response,
    message_json,
    parse_json,
    phone_json,
)

# The errors that a wrong request to the controls can cause.
_BAD_REQUEST = (ValueError, TypeError, KeyError, ApiError)


def add_routes(app: web.Application) -> None:
    """Add the controls, which require no token and are not recorded."""
    app.router.add_post("/control/faults", _add_faults)
    app.router.add_delete("/control/faults", _clear_faults)
    app.router.add_post("/control/account", _change_account)
    app.router.add_get("/control/state", _get_state)


async def _add_faults(request: web.Request) -> web.Response:
    faults = request.app[FAULTS]
    try:
        add_faults(faults, parse_json(await request.read()))
    except _BAD_REQUEST as err:
        raise web.HTTPBadRequest(text=repr(err)) from err
    return json_response(_faults_json(faults), status=201)


async def _clear_faults(request: web.Request) -> web.Response:
    request.app[FAULTS].clear()
    return web.Response(status=204)


async def _change_account(request: web.Request) -> web.Response:
    account = request.app[ACCOUNT]
    try:
        change_account(account, parse_json(await request.read()))
    except _BAD_REQUEST as err:
        raise web.HTTPBadRequest(text=repr(err)) from err
    return json_response({"account": _account_json(account), "phones": _phones_json(account)})


async def _get_state(request: web.Request) -> web.Response:
    """Return the whole state; `limit` is the maximum number of messages and of requests, newest first."""
    try:
        limit = int(request.query["limit"]) if "limit" in request.query else None
    except ValueError as err:
        raise web.HTTPBadRequest(text=repr(err)) from err
    account, requests = request.app[ACCOUNT], request.app[REQUESTS]
    messages = account.messages
    return json_response(
        {
            "account": _account_json(account),
            "phones": _phones_json(account),
            "messages": {
                "total": len(messages),
                "by_status": Counter(int(message.status) for message in messages),
                "list": [message_json(message, account.generation) for message in messages[:limit]],
            },
            "requests": {
                "total": len(requests),
                "by_endpoint": Counter(recorded.endpoint for recorded in requests),
                "list": [_request_json(recorded) for recorded in [*reversed(requests)][:limit]],
            },
            "faults": _faults_json(request.app[FAULTS]),
        }
    )


def _account_json(account: Account) -> JsonObject:
    fields: JsonObject = {name: getattr(account, name) for name in (*FLAGS, *NUMBERS)}
    fields["permissions"] = sorted(account.permissions)
    fields["delivery"] = None if account.delivery is None else {"steps": account.delivery.steps}
    fields["generation"] = "old" if account.generation == OLD else "new"
    return fields


def _phones_json(account: Account) -> list[JsonObject]:
    return [phone_json(phone, account.generation, account.clock()) for phone in account.phones.values()]


def _faults_json(faults: Faults) -> JsonObject:
    return {"active": [_rule_json(rule) for rule in faults.active], "injected": faults.injected}


def _rule_json(rule: FaultRule) -> JsonObject:
    return {each.name: getattr(rule, each.name) for each in dataclasses.fields(rule) if each.name != "random"}


def _request_json(recorded: RecordedRequest) -> JsonObject:
    return {
        "method": recorded.method,
        "path": recorded.path,
        "query": dict(recorded.query),
        "headers": dict(recorded.headers),
        "json": recorded.json,
        "time": recorded.time,
        "arrived": recorded.arrived,
    }
