"""How each fault appears to a client on a real socket."""

import asyncio
import json
import socket
import time

from aiohttp import ClientConnectionError, ClientError, ClientOSError, ClientPayloadError, ServerDisconnectedError
from aiohttp.web import Application
import pytest

from simulator import ERROR_TEXTS, REQUESTS, Account, Fault, Faults
from simulator.tasks import RUNNING
from tests.common import wait_until
from tests.loop_clock import LoopClock, settle

from .conftest import PHONE, TOKEN, Api

SEND = "POST /sms/send"
PAGE = "GET /sms?limit=10"
HELLO = {"message": "Hello", "phone_number": "79929999999"}
LIMIT = 2 * 1024 * 1024
# Seconds that a client waits for a response.
PATIENCE = 10
# Seconds in which a server stops even on a busy machine; without an end of its faults it takes a minute.
STOPPED_WITHIN = 30


pytestmark = pytest.mark.usefixtures("no_service_rate_limit")


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the oversized response larger than the socket buffers for a client that does not read."""
    monkeypatch.setattr("simulator.injection._OVERSIZE", 64 * 1024 * 1024)


async def _wait_for_faults(app: Application) -> None:
    """Wait until the faults that are running have ended."""
    await asyncio.gather(*app[RUNNING])


async def _time_out(api: Api, app: Application, loop_clock: LoopClock) -> None:
    """Send a message that the service receives, and wait for a response in vain."""

    async def send() -> None:
        async with asyncio.timeout(PATIENCE):
            await api.call(SEND, HELLO)

    sending = asyncio.create_task(send())
    await wait_until(lambda: app[REQUESTS])
    await settle()
    loop_clock.advance(PATIENCE)
    with pytest.raises(TimeoutError):
        await sending


@pytest.mark.parametrize(
    ("fault", "error", "accepted", "message"),
    [
        (Fault.REFUSE, ClientOSError, 0, "Connection reset by peer"),
        (Fault.CUT_BEFORE, ServerDisconnectedError, 0, "Server disconnected"),
        (Fault.CUT_AFTER, ServerDisconnectedError, 1, "Server disconnected"),
    ],
)
async def test_a_cut_connection_returns_no_response(
    api: Api, account: Account, faults: Faults, fault: Fault, error: type[Exception], accepted: int, message: str
) -> None:
    faults.add(fault, times=1)

    with pytest.raises(error, match=message):
        await api.call(SEND, HELLO)
    again = await api.call(SEND, HELLO)

    assert again.status == 200
    assert len(account.messages) == accepted + 1
    assert faults.injected == {fault: 1}


async def test_a_refused_connection_is_not_read_from(api: Api, app: Application, faults: Faults) -> None:
    faults.add(Fault.REFUSE)

    with pytest.raises(ClientConnectionError):
        await api.call(SEND, HELLO)

    assert [(recorded.endpoint, recorded.json) for recorded in app[REQUESTS]] == [(SEND, None)]


async def test_a_connection_cut_mid_response_leaves_a_partial_body(api: Api, account: Account, faults: Faults) -> None:
    faults.add(Fault.CUT_WITHIN)

    response = await api.request(SEND, HELLO)
    with pytest.raises(ClientPayloadError):
        await response.read()

    assert response.status == 200
    assert len(account.messages) == 1


@pytest.mark.parametrize(("fault", "accepted"), [(Fault.HANG_BEFORE, 0), (Fault.HANG_AFTER, 1)])
async def test_a_hanging_service_makes_the_client_time_out(
    api: Api,
    app: Application,
    account: Account,
    faults: Faults,
    loop_clock: LoopClock,
    fault: Fault,
    accepted: int,
) -> None:
    faults.add(fault)

    await _time_out(api, app, loop_clock)

    assert len(account.messages) == accepted


@pytest.mark.parametrize(("fault", "accepted"), [(Fault.HANG_BEFORE, 0), (Fault.HANG_AFTER, 1)])
async def test_a_hang_is_bounded_and_ends_with_a_cut_connection(
    api: Api, account: Account, faults: Faults, fault: Fault, accepted: int
) -> None:
    faults.add(fault, seconds=0.05)

    with pytest.raises(ServerDisconnectedError):
        await api.call(SEND, HELLO)

    assert len(account.messages) == accepted


async def test_a_slow_service_accepts_a_message_after_the_client_timed_out(
    api: Api, app: Application, account: Account, faults: Faults, loop_clock: LoopClock
) -> None:
    faults.add(Fault.SLOW, times=1, seconds=2 * PATIENCE)
    await _time_out(api, app, loop_clock)
    before = len(account.messages)
    loop_clock.advance(PATIENCE)
    await _wait_for_faults(app)

    assert (before, len(account.messages)) == (0, 1)


@pytest.mark.usefixtures("endless")
async def test_an_unread_response_does_not_block_the_server_shutdown(
    api: Api, app: Application, faults: Faults
) -> None:
    faults.add(Fault.OVERSIZED_CHUNKED)
    unread = await _leave_unread(app, api.client.port)
    stuck = len(app[RUNNING])
    started = time.monotonic()

    await api.client.server.close()

    assert stuck == 1
    assert time.monotonic() - started < STOPPED_WITHIN
    assert app[RUNNING] == set()
    unread.close()


async def _leave_unread(app: Application, port: int | None) -> asyncio.StreamWriter:
    """Request a page and never read the response, with the smallest possible receive buffer."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(0)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    _, writer = await asyncio.open_connection(sock=connection, limit=1024)
    writer.write(f"GET /v1/sms?limit=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
    while not app[RUNNING]:
        await asyncio.sleep(0)
    return writer


async def test_a_client_that_timed_out_during_a_hang_can_reconnect(
    api: Api, app: Application, account: Account, faults: Faults, loop_clock: LoopClock
) -> None:
    faults.add(Fault.HANG_AFTER, times=1, seconds=2 * PATIENCE)
    await _time_out(api, app, loop_clock)
    loop_clock.advance(PATIENCE)
    await _wait_for_faults(app)

    response = await api.call(PAGE)

    assert response.status == 200
    assert account.messages[0].id in response.text


async def test_a_hang_does_not_block_the_server_shutdown(app: Application, faults: Faults, api: Api) -> None:
    faults.add(Fault.HANG_AFTER, seconds=600)
    hanging = asyncio.create_task(api.call(SEND, HELLO))
    await wait_until(lambda: app[REQUESTS])
    assert [recorded.endpoint for recorded in app[REQUESTS]] == [SEND]
    started = time.monotonic()

    await api.client.server.close()

    assert time.monotonic() - started < STOPPED_WITHIN
    with pytest.raises(ClientError):
        await hanging


@pytest.mark.parametrize("accepted", [False, True])
async def test_a_slow_service_responds_eventually(api: Api, account: Account, faults: Faults, accepted: object) -> None:
    faults.add(Fault.SLOW, seconds=0.05, accepted=bool(accepted))
    started = time.monotonic()

    response = await api.call(SEND, HELLO)

    assert time.monotonic() - started >= 0.05
    assert response.status == 200
    assert len(account.messages) == 1


async def test_a_slow_service_can_accept_before_the_client_times_out(
    api: Api, app: Application, account: Account, faults: Faults, loop_clock: LoopClock
) -> None:
    faults.add(Fault.SLOW, seconds=2 * PATIENCE, accepted=True)

    await _time_out(api, app, loop_clock)

    assert len(account.messages) == 1


@pytest.mark.parametrize(
    ("fault", "status", "accepted", "content_type", "text"),
    [
        (Fault.UNAUTHORIZED, 401, 0, "application/json; charset=utf-8", "Требуется авторизация"),
        (Fault.FORBIDDEN, 403, 0, "text/plain; charset=utf-8", "Forbidden"),
        (Fault.REQUEST_TIMEOUT, 408, 0, "text/plain; charset=utf-8", "Request Timeout"),
        (Fault.TOO_MANY_REQUESTS, 429, 0, "application/json; charset=utf-8", "Слишком много запросов"),
        (Fault.TOO_MANY_REQUESTS_UNTIL, 429, 0, "application/json; charset=utf-8", "Слишком много запросов"),
        (Fault.UNKNOWN_ERROR, 500, 0, "application/json; charset=utf-8", '"code": 1000'),
        (Fault.ERROR_AFTER, 500, 1, "text/plain; charset=utf-8", "Internal Server Error"),
        (Fault.CAPTIVE_PORTAL, 200, 0, "text/html; charset=utf-8", "log in to the network"),
        (Fault.BAD_GATEWAY, 502, 0, "text/html; charset=utf-8", "502 Bad Gateway"),
    ],
)
async def test_an_error_fault_returns_its_error_response(
    api: Api,
    account: Account,
    faults: Faults,
    fault: Fault,
    status: int,
    accepted: int,
    content_type: str,
    text: str,
) -> None:
    faults.add(fault)

    response = await api.call(SEND, HELLO)

    assert (response.status, response.headers["Content-Type"]) == (status, content_type)
    assert text in response.text
    assert "Retry-After" not in response.headers
    assert len(account.messages) == accepted


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY, Fault.UNKNOWN_ERROR, Fault.REQUEST_TIMEOUT, Fault.REFUSE])
async def test_any_fault_can_hide_an_accepted_message(api: Api, account: Account, faults: Faults, fault: Fault) -> None:
    faults.add(fault, accepted=True)

    await asyncio.gather(api.call(SEND, HELLO), return_exceptions=True)

    assert len(account.messages) == 1


async def test_a_429_can_include_a_date_to_retry_after(api: Api, faults: Faults) -> None:
    faults.add(Fault.TOO_MANY_REQUESTS_UNTIL, retry_after=120)

    response = await api.call(SEND, HELLO)

    assert (response.status, response.headers["Retry-After"]) == (429, "Wed, 14 Oct 2026 12:02:00 GMT")


@pytest.mark.parametrize("status", [404, 405, 451])
async def test_a_proxy_can_forbid_a_request_with_another_status(api: Api, faults: Faults, status: int) -> None:
    faults.add(Fault.FORBIDDEN, status=status)

    assert (await api.call(SEND, HELLO)).status == status


async def test_a_429_can_include_retry_after(api: Api, faults: Faults) -> None:
    faults.add(Fault.TOO_MANY_REQUESTS, retry_after=3)

    response = await api.call(SEND, HELLO)

    assert (response.status, response.headers["Retry-After"]) == (429, "3")


@pytest.mark.parametrize("code", [code for code in ERROR_TEXTS if code >= 1000])
async def test_every_vendor_code_can_be_injected(api: Api, account: Account, faults: Faults, code: int) -> None:
    faults.add(Fault.CODE, code=code)

    response = await api.call(SEND, HELLO)

    assert response.code == code
    assert ERROR_TEXTS[code] in response.text
    assert response.status in {400, 401, 403, 404, 500}
    assert len(account.messages) == 0


async def test_an_unknown_code_can_be_injected_with_any_http_status(api: Api, faults: Faults) -> None:
    faults.add(Fault.CODE, code=4711, status=418, retry_after=9)

    response = await api.call(SEND, HELLO)

    assert (response.status, response.code, response.headers["Retry-After"]) == (418, 4711, "9")


async def test_a_redirect_leads_to_another_host_where_it_is_recorded(
    api: Api, app: Application, faults: Faults
) -> None:
    faults.add(Fault.REDIRECT)

    response = await api.call(PAGE)
    await api.client.get("/elsewhere")

    assert response.status == 302
    assert response.headers["Location"] == f"http://localhost:{api.client.port}/elsewhere"
    assert [recorded.path for recorded in app[REQUESTS]] == ["/v1/sms", "/elsewhere"]


async def test_a_truncated_response_is_half_of_the_json(api: Api, account: Account, faults: Faults) -> None:
    whole = await api.call(PAGE)
    faults.add(Fault.TRUNCATED)

    response = await api.call(PAGE)

    assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
    assert response.text == whole.text[: len(whole.text) // 2]
    assert len(account.messages) == 0


async def test_a_list_is_returned_instead_of_an_object(api: Api, account: Account, faults: Faults) -> None:
    faults.add(Fault.NOT_AN_OBJECT)

    response = await api.call(SEND, HELLO)

    assert response.json == [{"id": account.messages[0].id}]


async def test_an_id_is_returned_as_a_number(api: Api, account: Account, faults: Faults) -> None:
    faults.add(Fault.ID_AS_NUMBER)

    sent = await api.call(SEND, HELLO)
    listed = json.loads((await api.call(PAGE)).text)

    assert sent.json == {"id": int(account.messages[0].id, 16)}
    assert listed["sms_list"][0]["id"] == int(account.messages[0].id, 16)


async def test_an_id_comes_with_what_no_id_has(api: Api, account: Account, faults: Faults) -> None:
    faults.add(Fault.MALFORMED_ID)

    sent = await api.call(SEND, HELLO)
    listed = json.loads((await api.call(PAGE)).text)

    assert sent.json == {"id": f"{account.messages[0].id}\n<script>"}
    assert listed["sms_list"][0]["id"] == f"{account.messages[0].id}\n<script>"


async def test_a_send_is_answered_with_the_id_of_the_oldest_message(api: Api, account: Account, faults: Faults) -> None:
    oldest = account.send(**HELLO)
    account.send(**HELLO)
    faults.add(Fault.REPEATED_ID)

    sent = await api.call(SEND, HELLO)
    listed = json.loads((await api.call(PAGE)).text)

    assert sent.json == {"id": oldest.id}
    assert [each["id"] for each in listed["sms_list"]] == [message.id for message in account.messages]
    assert len(account.messages) == 3


async def test_an_id_is_returned_in_capitals(api: Api, account: Account, faults: Faults) -> None:
    faults.add(Fault.UPPERCASE_ID, endpoint=SEND)

    sent = await api.call(SEND, HELLO)

    assert sent.json == {"id": account.messages[0].id.upper()}


@pytest.mark.parametrize(("fault", "listed"), [(Fault.EMPTY_LIST, []), (Fault.LIST_AS_NULL, None)])
async def test_a_list_is_missing_although_its_total_is_not(
    api: Api, account: Account, faults: Faults, fault: Fault, listed: list[object] | None
) -> None:
    account.send(**HELLO)
    faults.add(fault)

    page = json.loads((await api.call(PAGE)).text)

    assert (page["sms_list"], page["pagination"]["total_records"]) == (listed, 1)


async def test_only_the_first_page_is_returned(api: Api, account: Account, faults: Faults) -> None:
    for _ in range(11):
        account.send(**HELLO)
    faults.add(Fault.FIRST_PAGE_ONLY)

    pages = [json.loads((await api.call(f"{PAGE}&offset={page}")).text) for page in (1, 2)]

    assert [len(page["sms_list"]) for page in pages] == [10, 0]


async def test_a_response_of_many_objects_is_as_large_as_it_may_be(api: Api, faults: Faults) -> None:
    faults.add(Fault.MANY_OBJECTS)

    body = await (await api.request(PAGE)).read()

    assert LIMIT - 100 < len(body) <= LIMIT
    assert body.count(b"{}") > 600_000


async def test_a_second_response_follows_unasked(api: Api, app: Application, account: Account, faults: Faults) -> None:
    faults.add(Fault.UNASKED_RESPONSE, times=1)

    sent = await api.call(SEND, HELLO)
    await _wait_for_faults(app)
    unasked = await api.call(PAGE)

    # A client that keeps the connection takes it for the answer to its next request.
    assert sent.json == unasked.json == {"id": account.messages[0].id}


async def test_the_message_list_is_returned_as_text(api: Api, account: Account, faults: Faults) -> None:
    sent = account.send(**HELLO)
    faults.add(Fault.LIST_AS_TEXT)

    listed = json.loads((await api.call(PAGE)).text)

    assert json.loads(listed["sms_list"])[0]["id"] == sent.id
    assert listed["pagination"]["total_records"] == 1


async def test_only_the_optional_fields_of_a_message_are_omitted(api: Api, account: Account, faults: Faults) -> None:
    account.send(**HELLO)
    faults.add(Fault.MISSING_FIELDS)

    listed = json.loads((await api.call(PAGE)).text)
    phone = json.loads((await api.call("POST /devices/get/info", {"device_id": PHONE})).text)

    assert set(listed["sms_list"][0]) == {"id", "message", "status", "phone_number", "time_create"}
    assert phone["device_id"] == PHONE


async def test_an_unknown_status_is_returned(api: Api, account: Account, faults: Faults) -> None:
    account.send(**HELLO)
    faults.add(Fault.UNKNOWN_STATUS)

    listed = json.loads((await api.call(PAGE)).text)

    assert listed["sms_list"][0]["status"] == 42
    assert account.messages[0].status == 0


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.NOT_AN_OBJECT, Fault.MISSING_FIELDS, Fault.CUT_WITHIN])
async def test_a_corrupted_error_keeps_its_http_status(api: Api, faults: Faults, fault: Fault) -> None:
    faults.add(fault)

    response = await api.request("POST /sms/get", {"id": "6654a4e8f1527149588c89f2"})

    assert response.status == 404


async def test_corrupting_an_empty_response_gives_it_a_body(api: Api, faults: Faults) -> None:
    faults.add(Fault.NOT_AN_OBJECT)

    response = await api.call("POST /devices/edit", {"device_id": PHONE, "is_active": True})

    assert (response.status, response.json) == (200, [{}])


async def test_an_oversized_response_has_a_content_length(api: Api, faults: Faults) -> None:
    faults.add(Fault.OVERSIZED)

    response = await api.request(PAGE)

    assert int(response.headers["Content-Length"]) > LIMIT
    assert len(await response.read()) > LIMIT


async def test_an_oversized_chunked_response_has_no_content_length(api: Api, faults: Faults) -> None:
    faults.add(Fault.OVERSIZED_CHUNKED)

    response = await api.request(PAGE)
    body = await response.read()

    assert "Content-Length" not in response.headers
    assert len(body) > LIMIT
    assert list(json.loads(body)) == ["padding"]


@pytest.mark.usefixtures("endless")
async def test_an_oversized_response_can_be_left_unread(api: Api, app: Application, faults: Faults) -> None:
    faults.add(Fault.OVERSIZED_CHUNKED, times=1)

    (await api.request(PAGE)).close()
    await _wait_for_faults(app)

    assert (await api.call(PAGE)).status == 200
    assert app[RUNNING] == set()


@pytest.mark.parametrize(
    ("seconds", "date"), [(None, "Thu, 15 Oct 2026 12:00:00 GMT"), (-60, "Wed, 14 Oct 2026 11:59:00 GMT")]
)
async def test_the_date_of_one_response_is_wrong(api: Api, faults: Faults, seconds: float | None, date: str) -> None:
    faults.add(Fault.WRONG_DATE, times=1, seconds=seconds)

    wrong, right = await api.call(PAGE), await api.call(PAGE)

    assert (wrong.status, wrong.headers["Date"]) == (200, date)
    assert right.headers["Date"] == "Wed, 14 Oct 2026 12:00:00 GMT"
