"""The account's rules, code by code, without HTTP."""

from collections.abc import Mapping
import unicodedata

import pytest

from simulator import ERROR_TEXTS, Account, ApiError, Permission, Phone, Status

from .conftest import NOW, PHONE, Clock

UNKNOWN_ID = "6654a4e8f1527149588c89f2"
UNKNOWN_UUID = "00000000-0000-4000-8000-000000000000"
SMS = {"message": "Hello", "phone_number": "79929999999"}


def sleeping_phone() -> Phone:
    return Phone(device_id=PHONE, registered=NOW, is_active=False)


@pytest.mark.parametrize(
    ("code", "switches", "fields"),
    [
        (1004, {"phones": {}}, {}),
        (1005, {"permissions": set(Permission) - {Permission.SEND}}, {}),
        (1006, {"quota": 0}, {}),
        (1015, {"phones": {PHONE: sleeping_phone()}}, {}),
        (1015, {"phones": {PHONE: sleeping_phone(), "x": Phone(device_id="x", registered=NOW)}}, {"device_id": PHONE}),
        (1016, {}, {"device_id": UNKNOWN_UUID}),
        (1016, {}, {"device_id": UNKNOWN_ID}),
        (1017, {}, {"to_sim": 1}),
        (1017, {}, {"to_sim": 0, "device_id": ""}),
        (2001, {}, {"phone_number": None}),
        (2001, {}, {"phone_number": 79929999999}),
        (2001, {}, {"phone_number": "79"}),
        (2001, {}, {"phone_number": "7" * 31}),
        (2001, {}, {"phone_number": "+79929999999"}),
        (2001, {}, {"phone_number": "8 912 345"}),
        (2001, {}, {"phone_number": "٧٩٢٩"}),
        (2001, {}, {"phone_number": "79929999999\n"}),
        (2002, {}, {"message": None}),
        (2002, {}, {"message": 1}),
        (2002, {}, {"message": ""}),
        (2002, {}, {"message": "x" * 301}),
        (2004, {}, {"callback_id": "not an id"}),
        (2004, {}, {"callback_id": 5}),
        (2005, {}, {"device_id": "xyz"}),
        (2005, {}, {"device_id": PHONE.upper()}),
        (2005, {}, {"device_id": 5}),
        (2008, {}, {"to_sim": 2, "device_id": PHONE}),
        (2008, {}, {"to_sim": -3, "device_id": PHONE}),
        (2008, {}, {"to_sim": "0", "device_id": PHONE}),
        (2008, {}, {"to_sim": True, "device_id": PHONE}),
    ],
)
def test_a_send_that_breaks_a_rule_is_refused_and_stores_nothing(
    account: Account, code: int, switches: Mapping[str, object], fields: Mapping[str, object]
) -> None:
    for name, value in switches.items():
        setattr(account, name, value)

    with pytest.raises(ApiError) as error:
        account.send(**{**SMS, **fields})

    assert error.value.code == code
    assert error.value.text == ERROR_TEXTS[code]
    assert len(account.messages) == 0


@pytest.mark.parametrize(
    ("code", "method", "arguments", "permissions"),
    [
        (1007, "get", [UNKNOWN_ID], set(Permission) - {Permission.READ}),
        (1007, "list_messages", [10], set(Permission) - {Permission.READ}),
        (1009, "delete", [UNKNOWN_ID], set(Permission) - {Permission.DELETE}),
        (1011, "phone_info", [PHONE], set(Permission) - {Permission.SEE_PHONES}),
        (1013, "edit_phone", [PHONE, True], set(Permission) - {Permission.EDIT_PHONES}),
        (1008, "get", [UNKNOWN_ID], set(Permission)),
        (1008, "delete", [UNKNOWN_ID], set(Permission)),
        (1012, "phone_info", [UNKNOWN_UUID], set(Permission)),
        (1012, "phone_info", [UNKNOWN_ID], set(Permission)),
        (1012, "edit_phone", [UNKNOWN_UUID, True], set(Permission)),
        (2003, "get", [None], set(Permission)),
        (2003, "get", [PHONE], set(Permission)),
        (2003, "delete", ["6654a4e8"], set(Permission)),
        (2003, "delete", [UNKNOWN_ID.upper()], set(Permission)),
        (2005, "phone_info", [None], set(Permission)),
        (2005, "phone_info", [""], set(Permission)),
        (2005, "edit_phone", ["xyz", True], set(Permission)),
        (2006, "list_messages", [None], set(Permission)),
        (2006, "list_messages", ["0"], set(Permission)),
        (2006, "list_messages", [101], set(Permission)),
        (2006, "list_messages", ["ten"], set(Permission)),
        (2006, "list_messages", ["-1"], set(Permission)),
        (2006, "list_messages", [True], set(Permission)),
        (2007, "list_messages", [10, "0"], set(Permission)),
        (2007, "list_messages", [10, "1.5"], set(Permission)),
        (2007, "list_messages", [10, "9" * 5000], set(Permission)),
        (2009, "edit_phone", [PHONE, "true"], set(Permission)),
        (2009, "edit_phone", [PHONE, 1], set(Permission)),
    ],
)
def test_a_call_that_breaks_a_rule_is_refused(
    account: Account, code: int, method: str, arguments: list[object], permissions: set[Permission]
) -> None:
    account.permissions = permissions

    with pytest.raises(ApiError) as error:
        getattr(account, method)(*arguments)

    assert error.value.code == code


@pytest.mark.parametrize(
    ("code", "switches"),
    [
        (1002, {"api_active": False}),
        (1003, {"api_deleted": True}),
        (1003, {"api_deleted": True, "api_active": False, "blocked": True}),
        (3000, {"blocked": True}),
    ],
)
def test_an_inactive_deleted_or_blocked_account_rejects_requests(
    account: Account, code: int, switches: Mapping[str, bool]
) -> None:
    for name, value in switches.items():
        setattr(account, name, value)

    with pytest.raises(ApiError) as error:
        account.check_access("GET /sms")

    assert error.value.code == code


@pytest.mark.parametrize(
    "text", ["x", "x" * 300, "Привет, 你好, עברית!", "1 + 2 = 3 $ ^ < >", "a\tb\r\nc\u00a0d\u2009e"]
)
def test_a_text_of_allowed_characters_is_accepted(account: Account, text: str) -> None:
    assert account.send(message=text, phone_number="112").message == text


@pytest.mark.parametrize("character", [*".,!?-_/%&*()[]{};:\"'@#«»–—…•¿"])
def test_any_punctuation_is_accepted(account: Account, character: str) -> None:
    assert account.send(message=character, phone_number="112").message == character


@pytest.mark.parametrize(
    "character",
    ["`", "°", "²", "№", "€", "₽", "|", "~", "©", "→", "😀", "٣", "½", "\u0301", "\u200d", "\x00", "\x1f", "\ud83d"],
)
def test_a_character_outside_the_vendors_set_is_refused(account: Account, character: str) -> None:
    with pytest.raises(ApiError) as error:
        account.send(message=f"21{character}", phone_number="112")

    assert error.value.code == 2002


def test_the_allowed_characters_match_the_vendors_rule(account: Account) -> None:
    space = {
        "\t",
        "\n",
        "\v",
        "\f",
        "\r",
        "\x85",
        " ",
        "\xa0",
        "\u1680",
        "\u2028",
        "\u2029",
        "\u202f",
        "\u205f",
        "\u3000",
    }
    space |= {chr(point) for point in range(0x2000, 0x200B)}
    expected = {
        character
        for character in map(chr, range(0x3000 + 1))
        if unicodedata.category(character)[0] in "LP" or character in "0123456789+=$^<>" or character in space
    }

    assert {character for character in map(chr, range(0x3000 + 1)) if _accepted(account, character)} == expected


def _accepted(account: Account, character: str) -> bool:
    try:
        account.send(message=character, phone_number="112")
    except ApiError:
        return False
    return True


@pytest.mark.parametrize("sim", [-2, -1, 0, 1])
def test_a_message_keeps_its_phone_webhook_and_sim(account: Account, sim: int) -> None:
    sent = account.send(**SMS, device_id=PHONE, callback_id=UNKNOWN_UUID, to_sim=sim)

    assert (sent.device_id, sent.callback_id, sent.to_sim) == (PHONE, UNKNOWN_UUID, sim)


def test_empty_and_missing_ids_mean_any_phone_and_every_webhook(account: Account) -> None:
    sent = account.send(**SMS, device_id=None, callback_id="")

    assert (sent.device_id, sent.callback_id, sent.to_sim) == ("", "", None)


def test_a_second_phone_sends_while_the_first_is_off(account: Account) -> None:
    account.phones[PHONE].is_active = False
    account.add_phone(UNKNOWN_ID)

    assert account.send(**SMS).status == Status.WAITING


def test_sending_is_refused_once_the_quota_is_used_up(account: Account) -> None:
    account.quota = 2
    account.send(**SMS)
    account.send(**SMS)

    with pytest.raises(ApiError) as error:
        account.send(**SMS)

    assert (error.value.code, account.quota) == (1006, 0)


def test_a_refused_message_costs_no_quota(account: Account) -> None:
    account.quota = 1

    with pytest.raises(ApiError):
        account.send(message="", phone_number="112")

    assert account.quota == 1


def test_a_message_id_is_an_object_id_with_its_timestamp(account: Account) -> None:
    ids = [account.send(**SMS).id for _ in range(3)]

    assert [len(found) for found in ids] == [24, 24, 24]
    assert {int(found[:8], 16) for found in ids} == {int(NOW)}
    assert ids == sorted(set(ids))


def test_ids_are_the_same_in_every_run(clock: Clock) -> None:
    first, second = (Account(token="t", clock=clock, seed=7) for _ in range(2))

    assert first.add_phone().device_id == second.add_phone().device_id
    assert (
        first.add_message(message="Hello", phone_number="112").id
        == second.add_message(message="Hello", phone_number="112").id
    )


def test_a_message_is_found_by_its_id(account: Account) -> None:
    sent = account.send(**SMS)

    assert account.get(sent.id) is sent


@pytest.mark.parametrize("age", [0, 299.9])
def test_a_recent_message_cannot_be_deleted(account: Account, clock: Clock, age: float) -> None:
    sent = account.send(**SMS)
    clock.tick(age)

    with pytest.raises(ApiError) as error:
        account.delete(sent.id)

    assert error.value.code == 1010
    assert [*account.messages] == [sent]


def test_a_message_can_be_deleted_after_five_minutes(account: Account, clock: Clock) -> None:
    kept, deleted, newer = (account.send(**SMS) for _ in range(3))
    clock.tick(300)

    account.delete(deleted.id)

    assert [*account.messages] == [newer, kept]
    with pytest.raises(ApiError):
        account.get(deleted.id)
