"""The requests of the client, their responses, and their errors."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
import gzip
import json
import socket
import time
import traceback
from typing import override
from unittest.mock import patch

from aiohttp import ClientSession, TCPConnector, web
from aiohttp.abc import AbstractResolver, ResolveResult
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.gosms.api import (
    DEFAULT_URL,
    PAGE_SIZE,
    Endpoint,
    GoSmsApiError,
    GoSmsClient,
    GoSmsConnectionError,
    GoSmsError,
    MessagePage,
    MessageStatus,
    RateLimiter,
    RequestOutcome,
    Sim,
)
from simulator import ENDPOINTS, ERROR_TEXTS, NEW, OLD, Account, Fault, Generation, Permission
from tests import API_TOKEN
from tests.api.conftest import ClientFactory, wait_until_noticed
from tests.common import DAD, MUM, PHONE, SimulatedService, wait_until
from tests.loop_clock import LoopClock, settle

TEXT = "Water leak in the kitchen!"
UUID = "0192fd5e-8b8f-7c3a-9d6e-2f4b6c8d0e1f"
WEBHOOK = "6654a4e8f1527149588c89aa"
UNKNOWN_ID = "0123456789abcdef01234567"
SEND, GET, DELETE, LIST, INFO, EDIT = ENDPOINTS
# Old enough to be deleted, in seconds.
OLD_ENOUGH = 400
# Seconds after which the next request to one endpoint may not be sent yet, and after which it may.
TOO_SOON = 0.1
GAP = 0.106
# Seconds after which a client without a connection gives up, and after which one without a response does.
CONNECT_TIMEOUT = 7
TIMEOUT = 11

type Call = Callable[[GoSmsClient], Awaitable[object]]

CALLS: dict[str, Call] = {
    SEND: lambda client: client.send(MUM, TEXT),
    GET: lambda client: client.get(UNKNOWN_ID),
    DELETE: lambda client: client.delete(UNKNOWN_ID),
    LIST: lambda client: client.list(search=MUM),
    INFO: lambda client: client.phone_info(PHONE),
    EDIT: lambda client: client.set_phone_active(PHONE, active=False),
}


async def _failure(request: Awaitable[object]) -> GoSmsError:
    """Return the error that a request raises."""
    with pytest.raises(GoSmsError) as caught:
        await request
    return caught.value


async def _refused(request: Awaitable[object]) -> GoSmsApiError:
    """Return the API error that a request raises."""
    with pytest.raises(GoSmsApiError) as caught:
        await request
    return caught.value


async def _unanswered(request: Awaitable[object]) -> GoSmsConnectionError:
    """Return the connection error that a request raises."""
    with pytest.raises(GoSmsConnectionError) as caught:
        await request
    return caught.value


def _texts(service: SimulatedService) -> list[str]:
    """Return the texts that the service has accepted."""
    return [message.message for message in service.account.messages]


# On the wire


def test_default_url_and_page_size() -> None:
    assert DEFAULT_URL == "https://api.gosms.ru/v1"
    assert PAGE_SIZE == 100


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({}, {}),
        ({"device_id": PHONE}, {"device_id": PHONE}),
        ({"device_id": UUID}, {"device_id": UUID}),
        ({"device_id": PHONE, "sim": 0}, {"device_id": PHONE, "to_sim": 0}),
        ({"device_id": PHONE, "sim": 1}, {"device_id": PHONE, "to_sim": 1}),
        ({"callback_id": WEBHOOK}, {"callback_id": WEBHOOK}),
        ({"callback_id": UUID}, {"callback_id": UUID}),
        (
            {"device_id": PHONE, "sim": 1, "callback_id": WEBHOOK},
            {"device_id": PHONE, "to_sim": 1, "callback_id": WEBHOOK},
        ),
    ],
)
async def test_a_message_is_sent_with_only_the_given_fields(
    client: GoSmsClient, service: SimulatedService, options: dict[str, str | int], fields: dict[str, str | int]
) -> None:
    service.account.add_phone(UUID)

    message_id = await client.send(MUM, TEXT, **options)  # type: ignore[arg-type]  # Parametrized, so of any kind.

    (request,) = service.requests
    assert request.endpoint == SEND
    assert request.json == {"message": TEXT, "phone_number": MUM, **fields}
    assert dict(request.query) == {}
    (stored,) = service.account.messages
    assert (stored.id, stored.message, stored.phone_number) == (message_id, TEXT, MUM)


@pytest.mark.parametrize(
    "text", ["21 градус? Да!", 'Quotes " and \\ and {"json": 1}', "Two\nlines", "x" * 300, "+=$^<>"]
)
async def test_a_text_arrives_unchanged(client: GoSmsClient, service: SimulatedService, text: str) -> None:
    message_id = await client.send(MUM, text)

    assert _texts(service) == [text]
    assert (await client.get(message_id)).text == text


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({}, {"limit": "100", "offset": "1"}),
        ({"limit": 10, "page": 3}, {"limit": "10", "offset": "3"}),
        ({"search": MUM}, {"limit": "100", "offset": "1", "search": MUM}),
        ({"search": "50% & +7 #1=да?"}, {"limit": "100", "offset": "1", "search": "50% & +7 #1=да?"}),
    ],
)
async def test_a_list_request_has_limit_page_and_search(
    client: GoSmsClient, service: SimulatedService, options: dict[str, str | int], query: dict[str, str]
) -> None:
    await client.list(**options)  # type: ignore[arg-type]  # Parametrized, so of any kind.

    (request,) = service.requests
    assert request.endpoint == LIST
    assert dict(request.query) == query
    assert request.json is None


async def test_a_message_is_fetched_by_its_id(client: GoSmsClient, service: SimulatedService) -> None:
    stored = service.account.add_message(message=TEXT, phone_number=MUM, status=2)

    message = await client.get(stored.id)

    (request,) = service.requests
    assert (request.endpoint, request.json) == (GET, {"id": stored.id})
    assert (message.id, message.text, message.phone_number) == (stored.id, TEXT, MUM)
    assert message.status is MessageStatus.SENT
    assert message.created is not None
    assert message.created.timestamp() == stored.time_create


async def test_a_message_is_deleted_by_its_id_in_the_body(client: GoSmsClient, service: SimulatedService) -> None:
    stored = service.account.add_message(message=TEXT, phone_number=MUM, created=service.account.clock() - OLD_ENOUGH)

    await client.delete(stored.id)

    (request,) = service.requests
    assert (request.endpoint, request.json) == (DELETE, {"id": stored.id})
    assert dict(request.query) == {}
    assert _texts(service) == []


@pytest.mark.parametrize("active", [True, False])
async def test_switching_a_phone_sends_its_id_under_both_keys(
    client: GoSmsClient, service: SimulatedService, *, active: bool
) -> None:
    await client.set_phone_active(PHONE, active=active)

    (request,) = service.requests
    assert (request.endpoint, request.json) == (EDIT, {"id": PHONE, "device_id": PHONE, "is_active": active})
    assert service.account.phones[PHONE].is_active == active


async def test_fetching_a_phone_sends_its_id_under_both_keys(client: GoSmsClient, service: SimulatedService) -> None:
    await client.phone_info(PHONE)

    (request,) = service.requests
    assert (request.endpoint, request.json) == (INFO, {"id": PHONE, "device_id": PHONE})


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_the_token_is_sent_only_in_the_authorization_header(
    client: GoSmsClient, service: SimulatedService, endpoint: str
) -> None:
    service.faults.add(Fault.CODE, code=1006)

    await _refused(CALLS[endpoint](client))

    (request,) = service.requests
    assert request.headers["Authorization"] == f"Bearer {API_TOKEN}"
    assert request.headers["Accept"] == "application/json"
    assert set(request.headers) - {"Content-Type", "Content-Length"} == {
        "Host",
        "Authorization",
        "Accept",
        "Accept-Encoding",
        "User-Agent",
    }
    assert API_TOKEN not in json.dumps([request.path, dict(request.query), request.json])


# Both forms in which the service speaks


@pytest.mark.parametrize("generation", [OLD, NEW], ids=["old", "new"])
@pytest.mark.parametrize("phone_id", [PHONE, UUID], ids=["object id", "uuid"])
async def test_a_phone_is_parsed_from_either_api_generation(
    client: GoSmsClient, account: Account, generation: Generation, phone_id: str
) -> None:
    account.generation = generation
    account.add_phone(phone_id, name="Kitchen", battery=7, is_charging=True, to_sim=1)

    await client.set_phone_active(phone_id, active=False)
    phone = await client.phone_info(phone_id)

    assert (phone.id, phone.name, phone.model) == (phone_id, "Kitchen", "Google Pixel 8")
    assert (phone.battery, phone.is_charging, phone.is_active, phone.sim) == (7, True, False, 1)
    assert phone.sims == (Sim(slot=0, name="MTS"), Sim(slot=1, name="Beeline"))
    assert phone.last_online is not None
    assert 0 <= account.clock() - phone.last_online.timestamp() < 300


@pytest.mark.parametrize(("generation", "sim"), [(OLD, None), (NEW, 0)], ids=["old", "new"])
@pytest.mark.parametrize("phone_id", [PHONE, UUID], ids=["object id", "uuid"])
async def test_a_message_is_parsed_from_either_api_generation(
    client: GoSmsClient, account: Account, generation: Generation, sim: int | None, phone_id: str
) -> None:
    account.generation = generation
    account.add_phone(phone_id)

    message_id = await client.send(MUM, TEXT, device_id=phone_id, sim=0, callback_id=UUID)
    message = await client.get(message_id)
    page = await client.list()

    assert (message.id, message.device_id, message.sim, message.callback_id) == (message_id, phone_id, sim, UUID)
    assert message.status is MessageStatus.WAITING
    assert page == MessagePage(total=1, messages=(message,))


async def test_pages_start_at_one_with_the_newest_message_first(client: GoSmsClient, account: Account) -> None:
    for number in range(5):
        account.add_message(message=f"Number {number}", phone_number=MUM, created=1_700_000_000 + number)

    pages = [await client.list(limit=2, page=page) for page in (1, 3)]

    assert [[message.text[-1] for message in page.messages] for page in pages] == [["4", "3"], ["0"]]
    assert {page.total for page in pages} == {5}


async def test_a_search_finds_the_messages_to_a_number(client: GoSmsClient, account: Account) -> None:
    account.add_message(message="One", phone_number=MUM)
    account.add_message(message="Two", phone_number=DAD)

    page = await client.list(search=MUM)

    assert [message.text for message in page.messages] == ["One"]
    assert page.total == 1


async def test_an_account_without_messages_has_an_empty_page(client: GoSmsClient) -> None:
    assert await client.list() == MessagePage(total=0, messages=())


async def test_an_unchanged_page_is_not_parsed_again(client: GoSmsClient, account: Account) -> None:
    message = account.add_message(message="One", phone_number=MUM, status=0)
    first, second = await client.list(), await client.list()
    account.set_status(message.id, 4)
    third = await client.list()
    narrower = await client.list(limit=1)

    assert second is first
    assert [page.messages[0].status_code for page in (first, third)] == [0, 4]
    assert narrower == third


# Answers that say no


@pytest.mark.parametrize("code", [code for code in ERROR_TEXTS if code >= 1000])
async def test_the_error_code_takes_precedence_over_the_http_status(
    session: ClientSession, service: SimulatedService, code: int
) -> None:
    statuses = [200, 302, 400, 401, 403, 404, 408, 429, 500, 503]
    service.account.rate_limit = None
    for status in statuses:
        service.faults.add(Fault.CODE, code=code, status=status, times=1)

    # Each client has a pace of its own, so nothing is waited for.
    errors = [await _refused(GoSmsClient(session, API_TOKEN, url=service.url).send(MUM, TEXT)) for _ in statuses]

    assert [err.status for err in errors] == statuses
    assert {err.code for err in errors} == {code}
    assert {err.maybe_accepted for err in errors} == {code == 1000}
    assert {err.unauthorized for err in errors} == {code == 1003}
    assert all(err.error_hash is not None and len(err.error_hash) == 12 for err in errors)


@pytest.mark.parametrize(
    ("status", "maybe_accepted"),
    [(400, False), (401, False), (403, False), (404, False), (429, False), (500, True), (503, True)],
)
async def test_an_unknown_error_code_is_classified_by_its_http_status(
    client: GoSmsClient, service: SimulatedService, status: int, *, maybe_accepted: bool
) -> None:
    service.faults.add(Fault.CODE, code=4711, status=status)

    err = await _refused(client.send(MUM, TEXT))

    assert (err.code, err.status) == (4711, status)
    assert err.maybe_accepted == maybe_accepted
    assert err.unauthorized == (status == 401)


@pytest.mark.parametrize(
    ("break_it", "endpoint", "code"),
    [
        (lambda account: account.permissions.discard(Permission.SEND), SEND, 1005),
        (lambda account: account.permissions.discard(Permission.READ), LIST, 1007),
        (lambda account: account.permissions.discard(Permission.READ), GET, 1007),
        (lambda account: account.permissions.discard(Permission.DELETE), DELETE, 1009),
        (lambda account: account.permissions.discard(Permission.SEE_PHONES), INFO, 1011),
        (lambda account: account.permissions.discard(Permission.EDIT_PHONES), EDIT, 1013),
        (lambda account: setattr(account, "quota", 0), SEND, 1006),
        (lambda account: setattr(account, "blocked", True), LIST, 3000),
        (lambda account: setattr(account, "api_active", False), LIST, 1002),
        (lambda account: account.phones.clear(), SEND, 1004),
        (lambda account: account.phones.clear(), INFO, 1012),
        (lambda account: account.messages, GET, 1008),
        (lambda account: account.messages, DELETE, 1008),
    ],
)
async def test_a_refused_request_raises_its_error_code(
    client: GoSmsClient, account: Account, break_it: Callable[[Account], object], endpoint: str, code: int
) -> None:
    break_it(account)

    err = await _refused(CALLS[endpoint](client))

    assert err.code == code
    assert not err.maybe_accepted
    assert not err.unauthorized
    assert len(account.messages) == 0


async def test_a_recent_message_cannot_be_deleted(client: GoSmsClient, service: SimulatedService) -> None:
    message_id = await client.send(MUM, TEXT)

    assert (await _refused(client.delete(message_id))).code == 1010
    assert _texts(service) == [TEXT]


async def test_a_sim_without_a_phone_is_refused(client: GoSmsClient) -> None:
    assert (await _refused(client.send(MUM, TEXT, sim=1))).code == 1017


@pytest.mark.parametrize("explained", [True, False])
async def test_an_unknown_token_is_unauthorized_with_or_without_an_error_body(
    session: ClientSession, service: SimulatedService, *, explained: bool
) -> None:
    service.account.unauthorized_has_body = explained

    err = await _refused(GoSmsClient(session, "another", url=service.url).send(MUM, TEXT))

    assert err.unauthorized
    assert not err.maybe_accepted
    assert (err.status, err.code) == (401, None)
    assert _texts(service) == []


async def test_a_deleted_token_is_unauthorized(client: GoSmsClient, account: Account) -> None:
    account.api_deleted = True

    err = await _refused(client.list())

    assert err.unauthorized
    assert err.code == 1003


async def test_a_page_of_texts_full_of_brackets_is_read(client: GoSmsClient, account: Account) -> None:
    for _ in range(100):
        account.add_message(message="{[," * 100, phone_number=MUM)

    assert {message.text for message in (await client.list()).messages} == {"{[," * 100}


async def test_a_response_of_very_many_objects_is_not_parsed(client: GoSmsClient, service: SimulatedService) -> None:
    service.faults.add(Fault.MANY_OBJECTS)
    with patch("custom_components.gosms.api.transport.json.loads", wraps=json.loads) as loads:
        assert (await _failure(client.list())).maybe_accepted

    assert all(len(call.args[0]) < 1000 for call in loads.call_args_list)


async def test_a_second_response_is_never_read_as_the_next_one(
    session: ClientSession, client: GoSmsClient, service: SimulatedService, loop_clock: LoopClock
) -> None:
    service.faults.add(Fault.UNASKED_RESPONSE, times=1)

    message_id = await client.send(MUM, TEXT)
    loop_clock.advance(0.15)
    await wait_until_noticed(session)
    page = await client.list()

    assert [message.id for message in page.messages] == [message_id]


@pytest.mark.parametrize("asked", [None, 0, 3, 3600])
@pytest.mark.parametrize("kind", [Fault.TOO_MANY_REQUESTS, Fault.CODE])
async def test_retry_after_is_read_from_the_response(
    client: GoSmsClient, service: SimulatedService, kind: Fault, asked: int | None
) -> None:
    service.faults.add(kind, retry_after=asked)

    assert (await _refused(client.list())).retry_after == asked


async def test_retry_after_can_be_a_date(client: GoSmsClient, service: SimulatedService) -> None:
    service.account.clock = lambda: 1_795_000_000.0
    service.faults.add(Fault.TOO_MANY_REQUESTS_UNTIL, retry_after=120)

    assert (await _refused(client.list())).retry_after == 120


@pytest.mark.parametrize(("date", "seconds"), [("Wed, 14 Oct 2026 11:58:00 GMT", 120), ("yesterday", 7200)])
async def test_a_date_to_retry_after_is_by_the_clock_of_its_sender(
    client_for_response: ClientFactory, freezer: FrozenDateTimeFactory, date: str, seconds: int
) -> None:
    freezer.move_to("2026-10-14T10:00:00+00:00")
    headers = {"Retry-After": "Wed, 14 Oct 2026 12:00:00 GMT", "Date": date}
    client = await client_for_response(web.Response(status=429, headers=headers))

    assert (await _refused(client.list())).retry_after == seconds


@pytest.mark.parametrize(
    "header", ["Wed, 15 Oct 2025 12:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 -0000", "-5", "1.5", "soon", "", "9" * 30]
)
async def test_an_invalid_retry_after_is_ignored(client_for_response: ClientFactory, header: str) -> None:
    client = await client_for_response(web.Response(status=429, headers={"Retry-After": header}))

    err = await _refused(client.send(MUM, TEXT))

    assert (err.status, err.retry_after, err.maybe_accepted) == (429, None, False)


@pytest.mark.parametrize(
    ("errors", "code", "error_hash"),
    [
        ({"code": "1005", "hash": "6654a4e8f152"}, 1005, "6654a4e8f152"),
        ({"code": 1005.0, "hash": ""}, 1005, None),
        ({"code": 1005, "hash": 5}, 1005, None),
        ({"code": 1005, "hash": f"to {MUM}: {TEXT}"}, 1005, None),
        ({"code": 1005, "hash": "a" * 65}, 1005, None),
        ({"code": True}, None, None),
        ({"code": None}, None, None),
        ({"code": [1005]}, None, None),
        ({}, None, None),
        ([], None, None),
        ("no", None, None),
        (0, None, None),
    ],
)
async def test_a_malformed_error_body_is_still_an_error(
    client_for_response: ClientFactory, errors: object, code: int | None, error_hash: str | None
) -> None:
    client = await client_for_response(web.json_response({"id": UNKNOWN_ID, "errors": errors}))

    err = await _refused(client.send(MUM, TEXT))

    assert (err.status, err.code, err.error_hash) == (200, code, error_hash)
    # Success by its status, an error by its body: who knows, unless a code says no.
    assert err.maybe_accepted == (code is None)


async def test_a_null_errors_field_is_not_an_error(client_for_response: ClientFactory) -> None:
    client = await client_for_response(web.json_response({"id": UNKNOWN_ID, "errors": None}, status=201))

    assert await client.send(MUM, TEXT) == UNKNOWN_ID


@pytest.mark.parametrize(
    ("status", "maybe_accepted"), [(202, True), (301, True), (304, True), (400, False), (599, True)]
)
@pytest.mark.parametrize("body", ["", "{}", "no JSON", "[]"])
async def test_a_response_without_a_code_is_classified_by_its_http_status(
    client_for_response: ClientFactory, status: int, body: str, *, maybe_accepted: bool
) -> None:
    client = await client_for_response(web.Response(status=status, text=body))

    err = await _refused(client.send(MUM, TEXT))

    assert (err.status, err.code, err.error_hash) == (status, None, None)
    assert err.maybe_accepted == maybe_accepted


# Faults. For each: the error, whether the message may have been accepted by what the client knows, and whether it was.

TROUBLE: dict[Fault, tuple[type[GoSmsError], bool, bool]] = {
    Fault.REFUSE: (GoSmsConnectionError, True, False),
    Fault.CUT_BEFORE: (GoSmsConnectionError, True, False),
    Fault.CUT_AFTER: (GoSmsConnectionError, True, True),
    Fault.CUT_WITHIN: (GoSmsConnectionError, True, True),
    Fault.UNAUTHORIZED: (GoSmsApiError, False, False),
    Fault.FORBIDDEN: (GoSmsApiError, False, False),
    Fault.REQUEST_TIMEOUT: (GoSmsApiError, True, False),
    Fault.TOO_MANY_REQUESTS: (GoSmsApiError, False, False),
    Fault.TOO_MANY_REQUESTS_UNTIL: (GoSmsApiError, False, False),
    Fault.UNKNOWN_ERROR: (GoSmsApiError, True, False),
    Fault.ERROR_AFTER: (GoSmsApiError, True, True),
    Fault.CODE: (GoSmsApiError, True, False),
    Fault.CAPTIVE_PORTAL: (GoSmsConnectionError, True, False),
    Fault.BAD_GATEWAY: (GoSmsApiError, True, False),
    Fault.REDIRECT: (GoSmsApiError, True, False),
    Fault.TRUNCATED: (GoSmsConnectionError, True, True),
    Fault.NOT_AN_OBJECT: (GoSmsConnectionError, True, True),
    Fault.ID_AS_NUMBER: (GoSmsConnectionError, True, True),
    Fault.MALFORMED_ID: (GoSmsConnectionError, True, True),
    Fault.OVERSIZED: (GoSmsConnectionError, True, True),
    Fault.OVERSIZED_CHUNKED: (GoSmsConnectionError, True, True),
    Fault.MANY_OBJECTS: (GoSmsConnectionError, True, True),
}
# What never responds, with the texts that it has accepted.
HANGS: dict[Fault, list[str]] = {Fault.HANG_BEFORE: [], Fault.HANG_AFTER: [TEXT]}
# What does not spoil the answer to a send.
HARMLESS = [
    Fault.SLOW,
    # The client sees only that it is an id: which ids other messages have is known to the outbox.
    Fault.REPEATED_ID,
    Fault.LIST_AS_TEXT,
    Fault.MISSING_FIELDS,
    Fault.UNKNOWN_STATUS,
    Fault.WRONG_DATE,
    Fault.UPPERCASE_ID,
    Fault.EMPTY_LIST,
    Fault.LIST_AS_NULL,
    Fault.FIRST_PAGE_ONLY,
    Fault.UNASKED_RESPONSE,
]


def test_every_fault_is_covered() -> None:
    assert {*TROUBLE, *HANGS, *HARMLESS} == {*Fault}
    # Where the client says "not sent", it was not.
    assert all(maybe_accepted or not accepted for _, maybe_accepted, accepted in TROUBLE.values())


@pytest.mark.parametrize(
    ("fault", "kind", "maybe_accepted", "accepted"), [(fault, *outcome) for fault, outcome in TROUBLE.items()]
)
async def test_a_fault_never_makes_an_accepted_message_look_unsent(
    client: GoSmsClient,
    service: SimulatedService,
    fault: Fault,
    kind: type[GoSmsError],
    *,
    maybe_accepted: bool,
    accepted: bool,
) -> None:
    service.faults.add(fault, times=1)

    err = await _failure(client.send(MUM, TEXT))

    assert type(err) is kind
    assert err.maybe_accepted == maybe_accepted
    assert _texts(service) == [TEXT] * accepted
    assert len(service.requests) == 1
    _assert_no_personal_data(err)
    # The trouble over, everything works again.
    assert (await client.list()).total == accepted


@pytest.mark.parametrize(("fault", "texts"), HANGS.items())
async def test_a_message_is_maybe_accepted_if_no_response_comes(
    client: GoSmsClient, service: SimulatedService, loop_clock: LoopClock, fault: Fault, texts: list[str]
) -> None:
    service.faults.add(fault, times=1)

    sending = asyncio.create_task(_unanswered(client.send(MUM, TEXT)))
    await wait_until(lambda: service.requests and _texts(service) == texts)
    loop_clock.advance(TIMEOUT)
    err = await sending

    assert err.maybe_accepted
    assert len(service.requests) == 1
    _assert_no_personal_data(err)
    assert (await client.list()).total == len(texts)


@pytest.mark.parametrize("fault", [Fault.REQUEST_TIMEOUT, Fault.UNKNOWN_ERROR, Fault.BAD_GATEWAY, Fault.REDIRECT])
async def test_a_message_accepted_despite_an_error_is_maybe_accepted(
    client: GoSmsClient, service: SimulatedService, fault: Fault
) -> None:
    service.faults.add(fault, accepted=True)

    err = await _failure(client.send(MUM, TEXT))

    assert err.maybe_accepted
    assert _texts(service) == [TEXT]


@pytest.mark.parametrize("fault", HARMLESS)
async def test_a_send_succeeds_despite_a_harmless_fault(
    client: GoSmsClient, service: SimulatedService, fault: Fault
) -> None:
    service.faults.add(fault, seconds=0.05)

    assert await client.send(MUM, TEXT) == service.account.messages[0].id


# An id that is none does not keep a list from being read; a list that is a text does.
ODD_IDS = [Fault.ID_AS_NUMBER, Fault.MALFORMED_ID]


@pytest.mark.parametrize("fault", [*sorted(TROUBLE.keys() - {*ODD_IDS}), Fault.LIST_AS_TEXT])
async def test_a_failed_list_request_raises_and_later_requests_succeed(
    client: GoSmsClient, service: SimulatedService, fault: Fault
) -> None:
    stored = service.account.add_message(message=TEXT, phone_number=MUM)
    service.faults.add(fault, times=1)

    with pytest.raises(GoSmsError):
        await client.list()

    assert (await client.get(stored.id)).text == TEXT


@pytest.mark.parametrize("fault", HANGS)
async def test_a_list_request_times_out_and_later_requests_succeed(
    client: GoSmsClient, service: SimulatedService, loop_clock: LoopClock, fault: Fault
) -> None:
    stored = service.account.add_message(message=TEXT, phone_number=MUM)
    service.faults.add(fault, times=1)

    listing = asyncio.create_task(_unanswered(client.list()))
    await wait_until(lambda: service.requests)
    loop_clock.advance(TIMEOUT)
    await listing

    assert (await client.get(stored.id)).text == TEXT


@pytest.mark.parametrize("fault", ODD_IDS)
async def test_messages_with_odd_ids_are_left_out_of_a_list(
    client: GoSmsClient, service: SimulatedService, fault: Fault
) -> None:
    stored = service.account.add_message(message=TEXT, phone_number=MUM)
    service.faults.add(fault)

    assert await client.list() == MessagePage(total=1, is_complete=False)
    assert (await _unanswered(client.get(stored.id))).maybe_accepted


@pytest.mark.parametrize("fault", [Fault.MISSING_FIELDS, Fault.UNKNOWN_STATUS, Fault.REPEATED_ID, Fault.WRONG_DATE])
async def test_a_malformed_field_does_not_discard_the_page(
    client: GoSmsClient, service: SimulatedService, fault: Fault
) -> None:
    service.account.add_message(message=TEXT, phone_number=MUM)
    service.faults.add(fault)

    page = await client.list()

    assert [(message.text, message.phone_number) for message in page.messages] == [(TEXT, MUM)]
    assert page.total == 1


async def test_an_unknown_status_keeps_its_numeric_code(client: GoSmsClient, service: SimulatedService) -> None:
    stored = service.account.add_message(message=TEXT, phone_number=MUM)
    service.account.set_status(stored.id, 7)

    message = await client.get(stored.id)

    assert (message.status, message.status_code) == (None, 7)


async def test_a_redirect_is_not_followed(
    client: GoSmsClient, session: ClientSession, client_for_response: ClientFactory, service: SimulatedService
) -> None:
    service.faults.add(Fault.REDIRECT, times=1)
    elsewhere = await client_for_response(
        web.Response(status=307, headers={"Location": f"{service.url.removesuffix('/v1')}/elsewhere"})
    )

    errors = [await _refused(client.send(MUM, TEXT)), await _refused(elsewhere.send(MUM, TEXT))]

    assert [err.status for err in errors] == [302, 307]
    assert [err.maybe_accepted for err in errors] == [True, True]
    assert [request.path for request in service.requests] == ["/v1/sms/send"]


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.CUT_BEFORE, Fault.CUT_AFTER])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("before", [[], [INFO]], ids=["fresh connection", "open connection"])
async def test_a_request_is_sent_once_when_its_connection_is_cut(
    client: GoSmsClient,
    service: SimulatedService,
    loop_clock: LoopClock,
    fault: Fault,
    endpoint: str,
    before: list[str],
) -> None:
    # aiohttp by itself repeats what it takes for harmless, and so tells of a deleted message that it never existed.
    for other in before:
        await CALLS[other](client)
    # A connection rests before it is used again.
    loop_clock.advance(0.15)
    service.faults.add(fault, times=1)

    err = await _unanswered(CALLS[endpoint](client))

    assert err.maybe_accepted
    assert [request.endpoint for request in service.requests] == [*before, endpoint]


# Answers that no fault has


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"5",
        b'"text"',
        b"\xff\xfe\xfd",
        b'{"id": "',
        b'{"id": ""}',
        b'{"id": null}',
        b'{"id": true}',
        b'{"id": ["x"]}',
        b'{"id": "6654a4e8f1527149588c89f"}',
        b'{"id": "6654a4e8f1527149588c89f2\\n"}',
        b'{"id": "6654a4e8f1527149588c89g2"}',
        '{"id": "٦٦٥٤a4e8f1527149588c89f2"}'.encode(),
        b'{"id": "0192fd5e-8b8f-7c3a-9d6e-2f4b6c8d0e1f"}',
        b'{"id": "<script>alert(1)</script>"}',
        b'{"id": "\\ud800"}',
        b'{"id": "' + b"a" * 1_900_000 + b'"}',
        b'{"id": 665405480152714958880902}',
        b'{"id": 1e400}',
        b"[" * 500_000,
        b'{"a":' * 200_000,
        b'{"id": ' + b"9" * 5000 + b"}",
    ],
    ids=[
        "empty",
        "no-fields",
        "null",
        "number",
        "text",
        "no-utf-8",
        "cut",
        "empty-id",
        "null-id",
        "true-id",
        "list-id",
        "short-id",
        "id-with-line-end",
        "id-with-other-letter",
        "id-with-foreign-digits",
        "uuid",
        "script",
        "half-a-surrogate-pair",
        "huge-id",
        "number-as-id",
        "infinite-id",
        "deep-lists",
        "deep-objects",
        "huge-number",
    ],
)
async def test_a_send_response_without_an_id_is_maybe_accepted(client_for_response: ClientFactory, body: bytes) -> None:
    client = await client_for_response(web.Response(body=body, content_type="application/json"))

    err = await _unanswered(client.send(MUM, TEXT))

    assert err.maybe_accepted


@pytest.mark.parametrize("endpoint", [GET, LIST, INFO])
@pytest.mark.parametrize("body", [b"", b"{}", b'{"id": "", "device_id": "", "sms_list": {}}', b"[]"])
async def test_a_response_without_the_requested_data_is_unreadable(
    client_for_response: ClientFactory, endpoint: str, body: bytes
) -> None:
    client = await client_for_response(web.Response(body=body, content_type="application/json"))

    assert (await _unanswered(CALLS[endpoint](client))).maybe_accepted


@pytest.mark.parametrize("endpoint", [DELETE, EDIT])
@pytest.mark.parametrize("status", [200, 204])
async def test_an_empty_response_to_delete_or_edit_is_success(
    client_for_response: ClientFactory, endpoint: str, status: int
) -> None:
    client = await client_for_response(web.Response(status=status))

    await CALLS[endpoint](client)


@pytest.mark.parametrize("endpoint", [DELETE, EDIT])
async def test_a_captive_portal_page_is_not_taken_for_success(
    client: GoSmsClient, service: SimulatedService, endpoint: str
) -> None:
    service.faults.add(Fault.CAPTIVE_PORTAL)

    assert (await _unanswered(CALLS[endpoint](client))).maybe_accepted
    assert service.account.phones[PHONE].is_active


async def test_null_is_an_empty_list_of_messages(client_for_response: ClientFactory) -> None:
    client = await client_for_response(web.json_response({"sms_list": None, "pagination": {"total_records": 0}}))

    assert await client.list() == MessagePage(total=0)


async def test_an_id_in_capitals_is_the_same_id(client_for_response: ClientFactory) -> None:
    client = await client_for_response(web.json_response({"id": PHONE.upper(), "sms_list": [{"id": PHONE.upper()}]}))

    assert await client.send(MUM, TEXT) == PHONE
    assert [message.id for message in (await client.list()).messages] == [PHONE]
    assert (await client.get(PHONE)).id == PHONE


async def test_messages_beyond_the_requested_limit_are_dropped(client_for_response: ClientFactory) -> None:
    client = await client_for_response(
        web.json_response({"sms_list": [{"id": f"{number:024}"} for number in range(200)]})
    )

    page = await client.list(limit=2)

    assert [message.id for message in page.messages] == [f"{0:024}", f"{1:024}"]
    assert len((await client.list()).messages) == PAGE_SIZE


async def test_a_full_page_of_the_longest_messages_is_accepted(client: GoSmsClient, account: Account) -> None:
    for _ in range(PAGE_SIZE):
        account.add_message(message="Ж" * 300, phone_number="7" * 30, device_id=UUID, callback_id=UUID)

    page = await client.list()

    assert {message.text for message in page.messages} == {"Ж" * 300}
    assert len(page.messages) == PAGE_SIZE


async def test_a_decompression_bomb_is_rejected(client_for_response: ClientFactory) -> None:
    packed = gzip.compress(b'{"id": "' + b"x" * 40 * 1024 * 1024 + b'"}')
    client = await client_for_response(
        web.Response(body=packed, content_type="application/json", headers={"Content-Encoding": "gzip"})
    )

    assert (await _unanswered(client.send(MUM, TEXT))).maybe_accepted


# Certainly not sent


class FailingResolver(AbstractResolver):
    """Resolves no name, without the network."""

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError(None, "Name or service not known")

    @override
    async def close(self) -> None:
        """Do nothing."""


async def test_a_refused_connection_means_not_accepted(client: GoSmsClient, service: SimulatedService) -> None:
    await service.close()

    err = await _unanswered(client.send(MUM, TEXT))

    assert not err.maybe_accepted
    assert _texts(service) == []


async def test_a_failed_name_resolution_means_not_accepted(socket_enabled: None) -> None:
    async with ClientSession(connector=TCPConnector(resolver=FailingResolver())) as session:
        err = await _unanswered(GoSmsClient(session, API_TOKEN, url="https://api.gosms.invalid/v1").send(MUM, TEXT))

    assert not err.maybe_accepted


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/v1", "http://[/v1", "", "/v1"])
async def test_an_invalid_url_means_not_accepted(session: ClientSession, url: str) -> None:
    assert not (await _unanswered(GoSmsClient(session, API_TOKEN, url=url).send(MUM, TEXT))).maybe_accepted


async def test_a_connect_timeout_means_not_accepted(session: ClientSession, loop_clock: LoopClock) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        async with AsyncExitStack() as stack:
            # The system takes one connection that nobody accepts; the others wait forever.
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.settimeout(0)
                waiting.connect_ex(server.getsockname())
            client = GoSmsClient(session, API_TOKEN, url=f"http://127.0.0.1:{server.getsockname()[1]}/v1")

            sending = asyncio.create_task(_unanswered(client.send(MUM, TEXT)))
            await settle()
            loop_clock.advance(CONNECT_TIMEOUT)
            err = await sending

    assert not err.maybe_accepted


async def _errors_of_two(call: Call, service: SimulatedService, loop_clock: LoopClock) -> list[GoSmsConnectionError]:
    """Return the errors of a call that gets no response, and of one that waits for its connection."""
    async with ClientSession(connector=TCPConnector(limit=1)) as session:
        hanging, waiting = (GoSmsClient(session, API_TOKEN, url=service.url) for _ in range(2))
        errors = [asyncio.create_task(_unanswered(call(hanging)))]
        await wait_until(lambda: service.requests)
        errors.append(asyncio.create_task(_unanswered(call(waiting))))
        await settle()
        loop_clock.advance(CONNECT_TIMEOUT)
        await errors[1]
        loop_clock.advance(TIMEOUT - CONNECT_TIMEOUT)
        return await asyncio.gather(*errors)


async def test_a_connection_pool_timeout_means_not_accepted(service: SimulatedService, loop_clock: LoopClock) -> None:
    service.faults.add(Fault.HANG_AFTER)
    errors = await _errors_of_two(CALLS[SEND], service, loop_clock)

    assert [err.maybe_accepted for err in errors] == [True, False]
    assert _texts(service) == [TEXT]


async def test_a_closed_session_means_not_accepted(session: ClientSession, service: SimulatedService) -> None:
    client = GoSmsClient(session, API_TOKEN, url=service.url)
    await session.close()

    assert not (await _unanswered(client.send(MUM, TEXT))).maybe_accepted
    assert service.requests == []


async def test_a_canceled_request_does_not_block_the_next_one(client: GoSmsClient, service: SimulatedService) -> None:
    service.faults.add(Fault.HANG_BEFORE, times=1)

    sending = asyncio.create_task(client.send(MUM, TEXT))
    await wait_until(lambda: service.requests)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending

    assert await client.send(MUM, TEXT) == service.account.messages[0].id


# What an error may say


async def _respond_without_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(f"to {MUM}: {TEXT}\r\n\r\n".encode())
    writer.close()


async def _send_invalid_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    writer.write(f'{{"sms_list": [{{"phone_number": "{MUM}", "message": "{TEXT}"}}]}}\r\n'.encode())
    writer.close()


@pytest.mark.parametrize("behave", [_respond_without_http, _send_invalid_chunks])
async def test_a_failed_search_does_not_reveal_the_number(
    session: ClientSession, behave: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> None:
    async with await asyncio.start_server(behave, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        err = await _unanswered(GoSmsClient(session, API_TOKEN, url=f"http://127.0.0.1:{port}/v1").list(search=MUM))

    assert err.maybe_accepted
    _assert_no_personal_data(err)


async def test_a_search_that_times_out_does_not_reveal_the_number(
    service: SimulatedService, loop_clock: LoopClock
) -> None:
    service.faults.add(Fault.HANG_BEFORE)
    errors = await _errors_of_two(lambda client: client.list(search=MUM), service, loop_clock)

    assert [err.maybe_accepted for err in errors] == [True, False]
    _assert_no_personal_data(errors[0])
    _assert_no_personal_data(errors[1])


async def test_a_refused_connection_does_not_reveal_the_number(client: GoSmsClient, service: SimulatedService) -> None:
    await service.close()

    err = await _unanswered(client.list(search=MUM))

    _assert_no_personal_data(err)
    # What the system said is worth having in the log.
    assert "Connect call failed" in "".join(traceback.format_exception(err))


def _assert_no_personal_data(err: GoSmsError) -> None:
    """Check that neither an error nor its traceback contains personal data."""
    text = f"{err} {err!r} {''.join(traceback.format_exception(err))}"
    assert API_TOKEN not in text
    assert MUM not in text
    assert TEXT not in text


# RateLimiter


async def _assert_rate_limited(service: SimulatedService, loop_clock: LoopClock, count: int) -> None:
    """Check that so many requests to one endpoint arrive with a gap between any two."""
    service.account.rate_clock = loop_clock
    for number in range(1, count + 1):
        while len(service.requests) < number:
            await asyncio.sleep(0)
        loop_clock.advance(TOO_SOON)
        await settle()
        assert len(service.requests) == number
        loop_clock.advance(GAP - TOO_SOON)


async def test_a_burst_to_one_endpoint_is_rate_limited(
    client: GoSmsClient, service: SimulatedService, loop_clock: LoopClock
) -> None:
    texts = [f"Number {number}" for number in range(12)]
    sending = asyncio.gather(*(client.send(MUM, text) for text in texts))

    await _assert_rate_limited(service, loop_clock, len(texts))

    await sending
    assert _texts(service)[::-1] == texts


async def test_a_burst_without_the_rate_limiter_is_refused(session: ClientSession, service: SimulatedService) -> None:
    service.account.rate_clock = lambda: 0.0
    clients = [GoSmsClient(session, API_TOKEN, url=service.url) for _ in range(12)]

    answers = await asyncio.gather(*(client.list() for client in clients), return_exceptions=True)

    assert [answer.status for answer in answers if isinstance(answer, GoSmsApiError)] == [429, 429]


async def test_clients_can_share_a_rate_limiter(
    session: ClientSession, service: SimulatedService, loop_clock: LoopClock
) -> None:
    pace = RateLimiter()
    clients = [GoSmsClient(session, API_TOKEN, url=service.url, rate_limiter=pace) for _ in range(2)]
    listing = asyncio.gather(*(client.list() for client in clients * 2))

    await _assert_rate_limited(service, loop_clock, 4)

    await listing


async def test_a_new_token_is_used_and_requests_with_the_old_one_are_only_counted(
    client: GoSmsClient, service: SimulatedService
) -> None:
    outcomes: list[RequestOutcome] = []
    client.on_request_done = outcomes.append
    service.faults.add(Fault.SLOW, seconds=0.2, times=1)
    before = asyncio.create_task(client.list())
    await wait_until(lambda: service.requests)
    service.account.token = "bmV3"
    client.use("bmV3", url=service.url)
    with pytest.raises(GoSmsApiError) as refusal:
        await before
    # With the new token it may succeed.
    assert (refusal.value.unauthorized, refusal.value.is_temporary) == (True, True)
    assert outcomes == []
    await client.list()
    assert [outcome.error for outcome in outcomes] == [None]
    assert client.statistics.endpoints[Endpoint.LIST].outcomes.total() == 2


async def test_requests_to_different_endpoints_do_not_wait_for_each_other(
    client: GoSmsClient, service: SimulatedService, loop_clock: LoopClock
) -> None:
    await asyncio.gather(*(call(client) for call in CALLS.values()), return_exceptions=True)

    assert {request.endpoint for request in service.requests} == set(ENDPOINTS)


async def test_requests_to_one_endpoint_arrive_in_order_and_rate_limited(
    client: GoSmsClient, service: SimulatedService, loop_clock: LoopClock
) -> None:
    listing = asyncio.gather(*(client.list(page=page) for page in (1, 2, 3)))

    await _assert_rate_limited(service, loop_clock, 3)

    await listing
    assert [request.query["offset"] for request in service.requests] == ["1", "2", "3"]


@pytest.fixture
def in_moscow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine be in another time zone than the service."""
    with monkeypatch.context() as patches:
        patches.setenv("TZ", "Europe/Moscow")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    "date", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
@pytest.mark.usefixtures("in_moscow")
async def test_server_time_is_read_in_every_form_and_time_zone(client_for_response: ClientFactory, date: str) -> None:
    client = await client_for_response(web.json_response({"sms_list": []}, headers={"Date": date}))
    await client.list()
    assert client.server_time == pytest.approx(784_111_777, abs=0.5)


async def test_server_time_is_known_after_the_first_response_and_advances(
    client: GoSmsClient, service: SimulatedService, loop_clock: LoopClock
) -> None:
    service.account.clock = lambda: 1_795_000_000.0
    times = [client.server_time]
    await client.list()
    times.append(client.server_time)
    loop_clock.advance(60)
    times.append(client.server_time)
    assert times == [None, 1_795_000_000, pytest.approx(1_795_000_060)]


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "Tue, 99 Nov 2026 12:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 01 Jan 2100 00:00:00 GMT",
        "Wed, 31 Dec 1969 23:59:59 GMT",
    ],
)
async def test_an_invalid_date_header_leaves_the_server_time_unknown(
    client_for_response: Callable[[web.Response], Awaitable[GoSmsClient]], date: str
) -> None:
    client = await client_for_response(web.json_response({"sms_list": []}, headers={"Date": date}))
    await client.list()
    assert client.server_time is None
