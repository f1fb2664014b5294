"""The service over a real socket, compared with the vendor's documentation: formats, statuses, every code."""

from collections.abc import Mapping

from aiohttp.web import Application
import pytest

from simulator import ERROR_TEXTS, NEW, OLD, REQUESTS, Account, Generation, Permission, Phone, Status

from .conftest import NOW, PHONE, TOKEN, Api, Clock

UNKNOWN_ID = "6654a4e8f1527149588c89f2"
# Hashes look random and are the same in every run.
FIRST_HASH = "629fd82c07cd"
HELLO = {"message": "Hello my friends", "phone_number": "79929999999"}


pytestmark = pytest.mark.usefixtures("no_service_rate_limit")


@pytest.mark.parametrize(
    ("code", "status", "switches", "endpoint", "body"),
    [
        (1002, 403, {"api_active": False}, "GET /sms?limit=1", None),
        (1003, 401, {"api_deleted": True}, "GET /sms?limit=1", None),
        (3000, 403, {"blocked": True}, "POST /sms/send", HELLO),
        (1004, 400, {"phones": {}}, "POST /sms/send", HELLO),
        (1005, 403, {"permissions": set()}, "POST /sms/send", HELLO),
        (1006, 403, {"quota": 0}, "POST /sms/send", HELLO),
        (1007, 403, {"permissions": {Permission.SEND}}, "POST /sms/get", {"id": UNKNOWN_ID}),
        (1007, 403, {"permissions": {Permission.SEND}}, "GET /sms?limit=1", None),
        (1008, 404, {}, "POST /sms/get", {"id": UNKNOWN_ID}),
        (1008, 404, {}, "DELETE /sms/del", {"id": UNKNOWN_ID}),
        (1009, 403, {"permissions": {Permission.READ}}, "DELETE /sms/del", {"id": UNKNOWN_ID}),
        (1011, 403, {"permissions": {Permission.READ}}, "POST /devices/get/info", {"device_id": PHONE}),
        (1012, 404, {}, "POST /devices/get/info", {"device_id": UNKNOWN_ID}),
        (1012, 404, {}, "POST /devices/edit", {"device_id": UNKNOWN_ID, "is_active": True}),
        (1013, 403, {"permissions": {Permission.SEE_PHONES}}, "POST /devices/edit", {"device_id": PHONE}),
        (1015, 400, {"phones": {"x": Phone(device_id="x", registered=NOW, is_active=False)}}, "POST /sms/send", HELLO),
        (1016, 404, {}, "POST /sms/send", {**HELLO, "device_id": UNKNOWN_ID}),
        (1017, 400, {}, "POST /sms/send", {**HELLO, "to_sim": 1}),
        (2001, 400, {}, "POST /sms/send", {**HELLO, "phone_number": "+79929999999"}),
        (2001, 400, {}, "POST /sms/send", {"message": "x"}),
        (2002, 400, {}, "POST /sms/send", {**HELLO, "message": "21 °C"}),
        (2003, 400, {}, "POST /sms/get", {"id": "x"}),
        (2003, 400, {}, "DELETE /sms/del", {}),
        (2004, 400, {}, "POST /sms/send", {**HELLO, "callback_id": "x"}),
        (2005, 400, {}, "POST /sms/send", {**HELLO, "device_id": "x"}),
        (2005, 400, {}, "POST /devices/get/info", {}),
        (2006, 400, {}, "GET /sms", None),
        (2006, 400, {}, "GET /sms?limit=101", None),
        (2007, 400, {}, "GET /sms?limit=1&offset=0", None),
        (2008, 400, {}, "POST /sms/send", {**HELLO, "device_id": PHONE, "to_sim": 7}),
        (2009, 400, {}, "POST /devices/edit", {"device_id": PHONE, "is_active": "yes"}),
    ],
)
async def test_every_error_code_has_the_vendors_response_format(
    api: Api, account: Account, code: int, status: int, switches: Mapping[str, object], endpoint: str, body: object
) -> None:
    for name, value in switches.items():
        setattr(account, name, value)

    response = await api.call(endpoint, body)

    assert response.status == status
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.json == {"errors": {"code": code, "message": ERROR_TEXTS[code], "hash": FIRST_HASH}}


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"text"', b"null", b"\xff", b"[" * 60_000])
@pytest.mark.parametrize(
    "endpoint", ["POST /sms/send", "POST /sms/get", "DELETE /sms/del", "POST /devices/get/info", "POST /devices/edit"]
)
async def test_a_body_that_is_not_a_json_object_returns_code_1001(api: Api, endpoint: str, raw: bytes) -> None:
    response = await api.call(endpoint, raw=raw)

    assert (response.status, response.code) == (400, 1001)


@pytest.mark.parametrize("authorization", [{}, {"Authorization": "Bearer other"}, {"Authorization": TOKEN}])
async def test_a_wrong_token_returns_401_without_an_error_code(api: Api, authorization: dict[str, str]) -> None:
    api.headers = authorization

    response = await api.call("GET /sms?limit=1")

    assert response.status == 401
    assert response.json == {"errors": {"message": "Требуется авторизация", "hash": FIRST_HASH}}


async def test_a_wrong_token_can_return_an_empty_body(api: Api, account: Account) -> None:
    api.headers = {}
    account.unauthorized_has_body = False

    response = await api.call("POST /sms/send", HELLO)

    assert (response.status, response.text) == (401, "")
    assert len(account.messages) == 0


async def test_every_error_has_a_unique_hash(api: Api) -> None:
    first, second = [await api.call("GET /sms") for _ in range(2)]

    assert first.text != second.text


async def test_a_sent_message_is_returned_as_documented(api: Api) -> None:
    sent = await api.call("POST /sms/send", {**HELLO, "device_id": PHONE, "callback_id": UNKNOWN_ID, "to_sim": 0})
    message_id = api.sent_id(sent)

    got = await api.call("POST /sms/get", {"id": message_id})

    assert (sent.status, sent.json) == (200, {"id": message_id})
    assert got.status == 200
    assert got.json == {
        "id": message_id,
        "message": "Hello my friends",
        "status": 0,
        "callback_id": UNKNOWN_ID,
        "device_id": PHONE,
        "phone_number": "79929999999",
        "message_status": "Ждет обработки",
        "time_create": int(NOW),
        "to_sim": 0,
    }


async def test_the_old_generation_returns_no_sim(api: Api, account: Account) -> None:
    account.generation = OLD

    got = await api.call("POST /sms/get", {"id": account.send(**HELLO).id})

    assert got.json == {
        "id": account.messages[0].id,
        "message": "Hello my friends",
        "status": 0,
        "callback_id": "",
        "device_id": "",
        "phone_number": "79929999999",
        "message_status": "Ждет обработки",
        "time_create": int(NOW),
    }


async def test_text_is_returned_as_plain_utf_8(api: Api, account: Account) -> None:
    account.add_message(message="Протечка", phone_number="112", status=Status.DELIVERED)

    assert "Протечка" in (await api.call("GET /sms?limit=1")).text


async def test_a_page_of_messages_is_returned_as_documented(api: Api, account: Account) -> None:
    account.generation = OLD
    for number in range(94):
        account.add_message(message=f"Old {number}", phone_number="79929999977", created=NOW - 1000 + number)
    known = {"callback_id": "", "device_id": ""}
    second = account.add_message(message="Hello World", phone_number="79929999988", created=NOW - 60)
    first = account.send(**HELLO)

    response = await api.call("GET /sms?limit=2&offset=1")

    assert response.status == 200
    assert response.json == {
        "pagination": {"total_records": 96, "limit": 2, "offset": 1},
        "sms_list": [
            {
                **known,
                "id": first.id,
                "message": "Hello my friends",
                "status": 0,
                "phone_number": "79929999999",
                "message_status": "Ждет обработки",
                "time_create": int(NOW),
            },
            {
                **known,
                "id": second.id,
                "message": "Hello World",
                "status": 4,
                "phone_number": "79929999988",
                "message_status": "Доставлено",
                "time_create": int(NOW) - 60,
            },
        ],
    }


async def test_a_search_filters_messages_by_the_query(api: Api, account: Account) -> None:
    account.add_message(message="Кухня", phone_number="111")
    account.add_message(message="Подвал", phone_number="222")

    response = await api.call("GET /sms?limit=5&offset=1&search=кух")

    assert '"total_records": 1' in response.text
    assert "Подвал" not in response.text


async def test_deleting_reads_the_id_from_the_body_and_returns_no_content(
    api: Api, account: Account, clock: Clock
) -> None:
    sent = account.send(**HELLO)
    young = await api.call("DELETE /sms/del", {"id": sent.id})
    clock.tick(300)

    old = await api.call("DELETE /sms/del", {"id": sent.id})

    assert (young.status, young.code) == (400, 1010)
    assert (old.status, old.text) == (204, "")
    assert len(account.messages) == 0


@pytest.mark.parametrize(
    ("generation", "key", "other", "battery"), [(NEW, "device_id", "id", 41), (OLD, "id", "device_id", "41")]
)
async def test_phone_info_accepts_only_the_id_key_of_the_generation(
    api: Api, account: Account, generation: Generation, key: str, other: str, battery: object
) -> None:
    account.generation = generation
    account.phones[PHONE].battery = 41

    response = await api.call("POST /devices/get/info", {key: PHONE})
    ignored = await api.call("POST /devices/get/info", {other: PHONE})

    assert response.status == 200
    assert response.json == {
        "device_id": PHONE,
        "device_name": "Pixel 8",
        "device_name_type": "Google Pixel 8",
        "device_battery_state": battery,
        "is_active": True,
        "is_charging": False,
        "last_online_date": "2026-10-14T12:00:00Z",
        "low_battery_alert": False,
        "to_sim": -2,
        "sim_list": [{"slot_index": 0, "display_name": "MTS"}, {"slot_index": 1, "display_name": "Beeline"}],
    }
    assert (ignored.status, ignored.code) == (400, 2005)


async def test_a_request_with_both_id_keys_works_with_either_generation(api: Api, account: Account) -> None:
    account.generation = OLD
    old = await api.call("POST /devices/get/info", {"id": PHONE, "device_id": PHONE})
    account.generation = NEW
    new = await api.call("POST /devices/get/info", {"id": PHONE, "device_id": PHONE})

    assert (old.status, new.status) == (200, 200)


@pytest.mark.parametrize(
    ("body", "active"),
    [({"is_active": True}, True), ({"is_active": False}, False), ({}, False)],
)
async def test_a_phone_is_switched_on_and_off(
    api: Api, account: Account, body: dict[str, object], active: object
) -> None:
    response = await api.call("POST /devices/edit", {"device_id": PHONE, **body})

    assert (response.status, response.text) == (204, "")
    assert account.phones[PHONE].is_active is active


async def test_the_eleventh_request_in_a_second_returns_429(api: Api, account: Account) -> None:
    account.rate_limit = 10

    responses = [await api.call("GET /sms?limit=1") for _ in range(11)]
    other = await api.call("POST /sms/send", HELLO)

    assert [response.status for response in responses] == [200] * 10 + [429]
    assert "Retry-After" not in responses[-1].headers
    assert responses[-1].code is None
    assert other.status == 200


async def test_a_429_can_include_retry_after(api: Api, account: Account) -> None:
    account.rate_limit = 0
    account.retry_after = 7

    response = await api.call("GET /sms?limit=1")

    assert (response.status, response.headers["Retry-After"]) == (429, "7")


@pytest.mark.parametrize(
    ("endpoint", "status"),
    [("GET /sms?limit=1", 200), ("GET /sms", 400), ("GET /nothing", 404), ("GET /sms/send", 405)],
)
async def test_every_response_has_the_date_of_the_service(api: Api, clock: Clock, endpoint: str, status: int) -> None:
    clock.tick(-3600)

    response = await api.call(endpoint)

    assert (response.status, response.headers["Date"]) == (status, "Wed, 14 Oct 2026 11:00:00 GMT")


async def test_requests_are_recorded_as_received(api: Api, app: Application, clock: Clock) -> None:
    await api.call("POST /sms/send", HELLO)
    clock.tick(5)
    await api.call("GET /sms?limit=3&search=кухня")
    await api.call("POST /sms/send", raw=b"{")

    sent, listed, broken = app[REQUESTS]

    assert (sent.method, sent.path, sent.endpoint, sent.json) == ("POST", "/v1/sms/send", "POST /sms/send", HELLO)
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert (listed.endpoint, dict(listed.query), listed.json) == ("GET /sms", {"limit": "3", "search": "кухня"}, None)
    assert (sent.time, listed.time, broken.json) == (NOW, NOW + 5, None)
    assert sent.arrived < listed.arrived < broken.arrived


async def test_an_oversized_body_returns_413(api: Api, account: Account) -> None:
    response = await api.call("POST /sms/send", raw=b" " * 100_000)

    assert response.status == 413
    assert len(account.messages) == 0


async def test_control_requests_are_not_recorded(api: Api, app: Application) -> None:
    await api.control("GET /state")

    assert len(app[REQUESTS]) == 0
