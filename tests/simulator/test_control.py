"""The controls beside the API, as another process uses them."""

import json

import pytest

from simulator import NEW, OLD, Account, Delivery, Fault, Faults, Permission, Sim

from .conftest import NOW, PHONE, Api, Clock

SMS = {"message": "Hello", "phone_number": "112"}
OTHER_PHONE = "6654a4e8f1527149588c89f2"


async def test_a_fault_is_added_with_all_its_options(api: Api, faults: Faults) -> None:
    options = {
        "fault": "code",
        "endpoint": "POST /sms/send",
        "times": 2,
        "share": 1,
        "seconds": 0.5,
        "code": 1006,
        "status": 402,
        "retry_after": 3,
        "accepted": True,
    }

    response = await api.control("POST /faults", options)

    assert response.status == 201
    assert response.json == {"active": [options], "injected": {}}
    assert [rule.fault for rule in faults.active] == [Fault.CODE]


async def test_several_faults_are_added_and_cleared_together(api: Api, faults: Faults) -> None:
    await api.control("POST /faults", [{"fault": "slow"}, {"fault": "cut_after", "times": None}])
    active = [rule.fault for rule in faults.active]

    response = await api.control("DELETE /faults")

    assert active == [Fault.SLOW, Fault.CUT_AFTER]
    assert response.status == 204
    assert faults.active == ()


@pytest.mark.parametrize(
    "body",
    [
        "slow",
        {},
        {"fault": "nonsense"},
        {"fault": "slow", "second": 1},
        {"fault": "slow", "times": "3"},
        {"fault": "slow", "times": True},
        {"fault": "slow", "accepted": 1},
        {"fault": "slow", "share": 2},
        {"fault": "slow", "endpoint": "POST /sms"},
    ],
)
async def test_an_invalid_fault_is_rejected(api: Api, faults: Faults, body: object) -> None:
    response = await api.control("POST /faults", body)

    assert response.status == 400
    assert faults.active == ()


async def test_account_settings_are_changed(api: Api, account: Account) -> None:
    response = await api.control(
        "POST /account",
        {
            "api_active": False,
            "api_deleted": True,
            "blocked": True,
            "unauthorized_has_body": False,
            "quota": 5,
            "rate_limit": None,
            "retry_after": 2,
            "permissions": ["send", "read"],
            "generation": "old",
            "delivery": {"steps": [[1, 1], [2.5, 3]]},
        },
    )

    assert response.status == 200
    assert (account.api_active, account.api_deleted, account.blocked) == (False, True, True)
    assert (account.unauthorized_has_body, account.quota, account.rate_limit) == (False, 5, None)
    assert account.retry_after == 2
    assert account.permissions == {Permission.SEND, Permission.READ}
    assert account.generation == OLD
    assert account.delivery == Delivery(steps=((1.0, 1), (2.5, 3)))


@pytest.mark.parametrize(
    ("wanted", "plan"),
    [(None, None), ({}, Delivery.ending()), ({"status": 5, "speed": 2}, Delivery.ending(5, speed=2))],
)
async def test_the_delivery_plan_is_changed(api: Api, account: Account, wanted: object, plan: object) -> None:
    account.delivery = Delivery(steps=())

    await api.control("POST /account", {"delivery": wanted, "generation": "new"})

    assert account.delivery == plan
    assert account.generation == NEW


async def test_the_account_clock_is_advanced(api: Api, account: Account, clock: Clock) -> None:
    for _ in range(2):
        await api.control("POST /account", {"advance": 30})
    clock.tick(1)

    assert account.clock() == NOW + 61


async def test_statuses_are_forced(api: Api, account: Account) -> None:
    first, second = account.send(**SMS), account.send(**SMS)

    one = await api.control("POST /account", {"set_status": {"id": first.id, "status": 3}})
    many = await api.control("POST /account", {"set_status": [{"id": second.id, "status": 42}]})

    assert (one.status, many.status) == (200, 200)
    assert [message.status for message in account.messages] == [42, 3]


async def test_a_phone_is_set_offline_in_the_past_and_back_online(api: Api, account: Account, clock: Clock) -> None:
    await api.control("POST /account", {"phone": {"device_id": PHONE, "silent": 900}})
    assert account.phones[PHONE].last_online(clock()) == clock() - 900
    await api.control("POST /account", {"phone": {"device_id": PHONE, "online": True}})
    assert account.phones[PHONE].last_online(clock()) == clock()


async def test_the_sim_cards_of_a_phone_are_changed(api: Api, account: Account) -> None:
    await api.control("POST /account", {"phone": {"device_id": PHONE, "sims": ["T2"]}})
    assert account.phones[PHONE].sims == (Sim(slot_index=0, display_name="T2"),)


async def test_phones_are_added_changed_and_removed(api: Api, account: Account, clock: Clock) -> None:
    await api.control("POST /account", {"add_phone": {"device_id": OTHER_PHONE, "name": "Kitchen", "is_active": False}})
    await api.control("POST /account", {"phone": {"device_id": PHONE, "battery": 3, "online": False}})
    clock.tick(3600)
    added, changed = account.phones[OTHER_PHONE], account.phones[PHONE]

    response = await api.control("POST /account", {"remove_phone": OTHER_PHONE})

    assert (added.name, added.is_active, added.battery) == ("Kitchen", False, 80)
    assert (changed.battery, changed.last_online(clock())) == (3, NOW)
    assert [phone["device_id"] for phone in json.loads(response.text)["phones"]] == [PHONE]


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"nonsense": 1},
        {"blocked": 1},
        {"quota": "5"},
        {"advance": "a day"},
        {"permissions": ["everything"]},
        {"generation": "newest"},
        {"delivery": {"steps": [1]}},
        {"delivery": {"seed": 1}},
        {"set_status": {"id": OTHER_PHONE, "status": 4}},
        {"set_status": {"id": OTHER_PHONE}},
        {"add_phone": {"device_id": OTHER_PHONE, "color": "red"}},
        {"phone": {"device_id": OTHER_PHONE}},
        {"phone": {"device_id": PHONE, "sims": [1]}},
        {"remove_phone": OTHER_PHONE},
    ],
)
async def test_an_invalid_account_change_is_rejected(api: Api, body: object) -> None:
    response = await api.control("POST /account", body)

    assert response.status == 400


@pytest.mark.parametrize("endpoint", ["/control/faults", "/control/account"])
async def test_a_body_that_is_not_json_is_rejected(api: Api, endpoint: str) -> None:
    response = await api.client.post(endpoint, data=b"{")

    assert response.status == 400


async def test_the_state_includes_everything(api: Api, account: Account) -> None:
    account.rate_limit = None
    await api.control("POST /faults", {"fault": "unknown_error", "times": 1})
    await api.call("POST /sms/send", SMS)
    await api.call("POST /sms/send", SMS)
    account.add_message(message="Old", phone_number="112", created=NOW - 1)

    state = json.loads((await api.control("GET /state")).text)

    assert state["messages"]["total"] == 2
    assert state["messages"]["by_status"] == {"0": 1, "4": 1}
    assert [message["message"] for message in state["messages"]["list"]] == ["Hello", "Old"]
    assert state["requests"]["by_endpoint"] == {"POST /sms/send": 2}
    assert [request["json"] for request in state["requests"]["list"]] == [SMS, SMS]
    assert state["faults"] == {"active": [], "injected": {"unknown_error": 1}}
    assert state["account"]["delivery"] is None
    assert state["account"]["generation"] == "new"
    assert [phone["device_id"] for phone in state["phones"]] == [PHONE]


async def test_the_state_can_be_limited_to_the_newest_items(api: Api, account: Account) -> None:
    account.delivery = Delivery.ending()
    for number in range(3):
        await api.call("POST /sms/send", {**SMS, "message": str(number)})

    state = json.loads((await api.control("GET /state?limit=1")).text)

    assert state["messages"]["total"] == 3
    assert [message["message"] for message in state["messages"]["list"]] == ["2"]
    assert [request["json"]["message"] for request in state["requests"]["list"]] == ["2"]
    assert state["account"]["delivery"] == {"steps": [[1, 1], [3, 2], [8, 4]]}


async def test_a_lone_surrogate_in_a_request_does_not_break_the_state(api: Api) -> None:
    await api.call("POST /sms/send", raw=rb'{"message": "\ud83d", "phone_number": "112"}')

    state = json.loads((await api.control("GET /state")).text)

    assert state["requests"]["list"][0]["json"]["message"] == "\ud83d"


async def test_a_non_numeric_limit_is_rejected(api: Api) -> None:
    assert (await api.control("GET /state?limit=all")).status == 400
