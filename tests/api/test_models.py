"""The responses of the service in every possible form."""

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.gosms.api import Message, MessagePage, MessageStatus, Phone, Sim
from custom_components.gosms.api.values import Json
from simulator import Status

ID = "6658053caa16b5ca5c5d72fc"
UUID = "0192fd5e-8b8f-7c3a-9d6e-2f4b6c8d0e1f"
# As on the vendor's page.
MESSAGE: dict[str, Json] = {
    "id": ID,
    "message": "Hello my friends",
    "status": 0,
    "callback_id": "",
    "device_id": "",
    "phone_number": "79929999999",
    "message_status": "Ждет обработки",
    "time_create": 1717044540,
}
CREATED = datetime(2024, 5, 30, 4, 49, tzinfo=UTC)
PHONE: dict[str, Json] = {
    "device_id": UUID,
    "device_name": "Kitchen",
    "device_name_type": "Google Pixel 8",
    "device_battery_state": 80,
    "is_active": True,
    "is_charging": False,
    "last_online_date": "2026-10-14T12:00:00Z",
    "low_battery_alert": False,
    "to_sim": -2,
    "sim_list": [{"slot_index": 0, "display_name": "MTS"}, {"slot_index": 1, "display_name": "Beeline"}],
}
NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)
# In neither form a number, a text or a list.
NONSENSE: list[Json] = [None, True, [], {}, ["x"], {"x": "y"}]


def _message(**changes: Json) -> Message:
    message = Message.from_api({**MESSAGE, **changes})
    assert message is not None
    return message


def _phone(**changes: Json) -> Phone:
    phone = Phone.from_api({**PHONE, **changes})
    assert phone is not None
    return phone


def _page(limit: int = 100, **changes: Json) -> MessagePage:
    data: dict[str, Json] = {"pagination": {"total_records": 95, "limit": 2, "offset": 1}, "sms_list": [MESSAGE]}
    page = MessagePage.from_api({**data, **changes}, limit)
    assert page is not None
    return page


def test_the_documented_message_is_parsed() -> None:
    assert _message() == Message(
        id=ID,
        phone_number="79929999999",
        text="Hello my friends",
        status_code=0,
        device_id=None,
        sim=None,
        callback_id=None,
        created=CREATED,
    )


def test_a_message_has_its_phone_sim_and_webhook() -> None:
    message = _message(device_id=UUID, to_sim=1, callback_id=ID)

    assert (message.device_id, message.sim, message.callback_id) == (UUID, 1, ID)


def test_message_repr_shows_neither_number_nor_text() -> None:
    shown = repr(_message())

    assert ID in shown
    assert "79929999999" not in shown
    assert "Hello" not in shown


def test_a_message_is_immutable() -> None:
    with pytest.raises(FrozenInstanceError):
        _message().status_code = 4  # type: ignore[misc]  # That it can't be is what is tested.


@pytest.mark.parametrize("status", Status)
def test_every_vendor_status_is_known(status: Status) -> None:
    assert _message(status=status.value).status == MessageStatus(status)
    assert _message(status=str(status.value)).status == MessageStatus(status)


def test_the_statuses_have_the_vendors_meaning() -> None:
    assert [status.name for status in sorted(MessageStatus)] == [
        "WAITING",
        "PROCESSING",
        "SENT",
        "SEND_FAILED",
        "DELIVERED",
        "DELIVERY_FAILED",
    ]


def test_only_delivered_and_failed_statuses_are_final() -> None:
    assert [status.name for status in MessageStatus if status.is_final] == [
        "SEND_FAILED",
        "DELIVERED",
        "DELIVERY_FAILED",
    ]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (6, 6),
        (42, 42),
        (-1, -1),
        ("42", 42),
        (4.5, None),
        ("delivered", None),
        ("", None),
        (" 4", None),
        ("٤", None),
        (float("nan"), None),
        (float("inf"), None),
        ("9" * 19, None),
        ("42.0", 42),
        (10**17, 10**17),
        (10**18, None),
        (10**4200, None),
        (-(10**30), None),
        (1e300, None),
        *((odd, None) for odd in NONSENSE),
    ],
)
def test_an_unknown_status_is_none(value: Json, code: int | None) -> None:
    message = _message(status=value)

    assert message.status is None
    assert message.status_code == code


@pytest.mark.parametrize("field", sorted(MESSAGE.keys() - {"id"}))
def test_a_message_with_a_missing_field_is_parsed(field: str) -> None:
    data = {key: value for key, value in MESSAGE.items() if key != field}
    message = Message.from_api(data)

    assert message is not None
    assert message.id == ID


def test_a_message_with_only_an_id_is_parsed() -> None:
    assert Message.from_api({"id": ID}) == Message(
        id=ID,
        phone_number="",
        text="",
        status_code=None,
        device_id=None,
        sim=None,
        callback_id=None,
        created=None,
    )


@pytest.mark.parametrize("odd", NONSENSE)
def test_message_fields_of_the_wrong_type_are_treated_as_missing(odd: Json) -> None:
    assert Message.from_api(dict.fromkeys(MESSAGE, odd) | {"id": ID, "to_sim": odd}) == Message.from_api({"id": ID})


@pytest.mark.parametrize("data", [*NONSENSE, "text", 5, {}])
def test_data_without_an_id_is_not_a_message(data: Json) -> None:
    assert Message.from_api(data) is None


# What is no id of anything.
ODD_IDS: list[Json] = [
    *NONSENSE,
    "",
    1.5,
    665805300000000000000000,
    ID[:-1],
    f"{ID}0",
    f"{ID}\n",
    f" {ID}",
    f"{ID[:-1]}g",
    "<script>alert(1)</script>",
    "\ud800",
    "٦" * 24,
    "f" * 1_900_000,
]


@pytest.mark.parametrize("odd", [*ODD_IDS, UUID])
def test_what_has_an_odd_id_is_no_message(odd: Json) -> None:
    assert Message.from_api({**MESSAGE, "id": odd}) is None


@pytest.mark.parametrize("odd", ODD_IDS)
def test_a_message_with_odd_ids_of_others_is_still_a_message(odd: Json) -> None:
    assert _message(device_id=odd, callback_id=odd) == _message()


@pytest.mark.parametrize("other", [ID, UUID])
def test_an_id_is_the_same_in_any_case_of_letters(other: str) -> None:
    message = _message(id=ID.upper(), device_id=other.upper(), callback_id=other.upper())

    assert (message.id, message.device_id, message.callback_id) == (ID, other, other)


def test_numbers_as_text_and_text_as_numbers_are_converted() -> None:
    message = _message(phone_number=79929999999, time_create="1717044540", to_sim="1", status=4.0, message=112)

    assert (message.phone_number, message.text) == ("79929999999", "112")
    assert (message.created, message.sim, message.status) == (CREATED, 1, MessageStatus.DELIVERED)


@pytest.mark.parametrize(
    ("listed", "digits"),
    [("+79929999999", "79929999999"), ("+7 (992) 999-99-99\n", "79929999999"), ("900", "900"), ("MyBank", "")],
)
def test_a_phone_number_is_its_digits_in_any_notation(listed: str, digits: str) -> None:
    assert _message(phone_number=listed).phone_number == digits


def test_sim_slot_zero_is_not_mistaken_for_none() -> None:
    assert _message(to_sim=0).sim == 0


@pytest.mark.parametrize("value", [10**30, -(10**30), 10**17, "9" * 18, 1e300, 253402300800, "soon", 1717044540.5])
def test_an_invalid_creation_time_is_none(value: Json) -> None:
    message = _message(time_create=value)

    assert message.created is None
    assert message.text == "Hello my friends"


@pytest.mark.parametrize("value", [0, -1, 20261014, 978307199, 4102444800, 253402300799])
def test_a_time_at_which_no_message_was_created_is_none(value: int) -> None:
    assert _message(time_create=value).created is None


@pytest.mark.parametrize(("value", "year"), [(978307200, 2001), (4102444799, 2099)])
def test_an_unlikely_creation_time_is_kept(value: int, year: int) -> None:
    created = _message(time_create=value).created

    assert created is not None
    assert created.year == year
    assert created.utcoffset() == timedelta()


@pytest.mark.parametrize("masked", ["7912***6789", "+7 912 xxx-67-89", "*"])
def test_a_masked_phone_number_is_none(masked: str) -> None:
    assert _message(phone_number=masked).phone_number == ""


def test_an_overlong_text_is_truncated() -> None:
    assert _message(message="x" * 100_000).text == "x" * 1000


def test_lone_surrogates_are_replaced() -> None:
    assert _message(message="Hello \ud83d").text == "Hello \ufffd"


def test_the_documented_page_is_parsed() -> None:
    assert _page() == MessagePage(total=95, messages=(_message(),))


def test_a_page_before_the_first_poll_is_empty() -> None:
    assert MessagePage() == MessagePage(total=None, messages=())


def test_a_null_or_empty_message_list_is_an_empty_page() -> None:
    assert _page(sms_list=None, pagination={"total_records": 0}) == MessagePage(total=0)
    assert _page(sms_list=[]) == MessagePage(total=95)


@pytest.mark.parametrize("data", [{}, {"pagination": {}}, {"sms_list": {}}, {"sms_list": "[]"}, {"sms_list": 0}])
def test_a_response_without_a_list_is_not_an_empty_page(data: dict[str, Json]) -> None:
    assert MessagePage.from_api(data, 100) is None


@pytest.mark.parametrize("odd", [*NONSENSE, "x", 5, {"message": "no id"}, {**MESSAGE, "id": "<script>"}])
def test_an_invalid_message_does_not_discard_the_page(odd: Json) -> None:
    page = _page(sms_list=[odd, MESSAGE, odd, {"id": f"{2:024}"}])

    assert [message.id for message in page.messages] == [ID, f"{2:024}"]
    assert not page.is_complete


def test_messages_beyond_the_requested_limit_are_dropped() -> None:
    many: list[Json] = [{"id": f"{number:024}"} for number in range(500)]

    assert [int(message.id) for message in _page(limit=3, sms_list=many).messages] == [0, 1, 2]


@pytest.mark.parametrize(
    ("pagination", "total"),
    [
        ({"total_records": "95"}, 95),
        ({"total_records": 0}, 0),
        ({"total_records": 10**12}, 10**12),
        ({"total_records": 10**12 + 1}, None),
        ({"total_records": 10**30}, None),
        ({"total_records": -1}, None),
        ({"total_records": float("inf")}, None),
        ({"total_records": "many"}, None),
        ("95", None),
        *((odd, None) for odd in NONSENSE),
    ],
)
def test_a_page_without_a_valid_total_is_parsed(pagination: Json, total: int | None) -> None:
    assert _page(pagination=pagination) == MessagePage(total=total, messages=(_message(),))


def test_the_documented_phone_is_parsed() -> None:
    assert _phone() == Phone(
        id=UUID,
        name="Kitchen",
        model="Google Pixel 8",
        battery=80,
        is_active=True,
        is_charging=False,
        last_online=NOON,
        sim=-2,
        sims=(Sim(slot=0, name="MTS"), Sim(slot=1, name="Beeline")),
    )


@pytest.mark.parametrize("phone_id", [UUID, ID])
def test_a_phone_with_only_an_id_is_parsed(phone_id: str) -> None:
    assert Phone.from_api({"device_id": phone_id}) == Phone(
        id=phone_id,
        name=None,
        model=None,
        battery=None,
        is_active=None,
        is_charging=None,
        last_online=None,
        sim=None,
        sims=(),
    )


@pytest.mark.parametrize(
    ("value", "phone_id"), [(UUID.upper(), UUID), (ID.upper(), ID), ("My-Phone", "My-Phone"), ("x" * 2000, "x" * 1000)]
)
def test_a_phone_is_known_by_an_id_in_any_form(value: str, phone_id: str) -> None:
    assert _phone(device_id=value).id == phone_id


@pytest.mark.parametrize("odd", NONSENSE[:1] + NONSENSE[2:])
def test_phone_fields_of_the_wrong_type_are_treated_as_missing(odd: Json) -> None:
    assert Phone.from_api(dict.fromkeys(PHONE, odd) | {"device_id": UUID}) == Phone.from_api({"device_id": UUID})


@pytest.mark.parametrize("phone_id", [*NONSENSE, "", 1.5])
def test_data_without_an_id_is_not_a_phone(phone_id: Json) -> None:
    assert Phone.from_api({**PHONE, "device_id": phone_id}) is None


@pytest.mark.parametrize(
    ("value", "battery"),
    [
        (0, 0),
        (100, 100),
        ("80", 80),
        ("0", 0),
        (80.0, 80),
        (-1, None),
        (101, None),
        ("255", None),
        ("80%", 80),
        (" 80 % ", 80),
        ("80.0", 80),
        ("80.0%", 80),
        ("101%", None),
        ("-1%", None),
        # Of a whole, or of a hundred?
        (0.8, None),
        ("0.8", None),
        ("80%%", None),
        ("%", None),
        ("full", None),
        ("", None),
        (10**30, None),
        (float("nan"), None),
        (True, None),
    ],
)
def test_a_battery_level_outside_0_to_100_is_unknown(value: Json, battery: int | None) -> None:
    assert _phone(device_battery_state=value).battery == battery


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        (1.0, True),
        ("1", True),
        ("0", False),
        ("true", True),
        ("false", False),
        (" True ", True),
        ("FALSE", False),
    ],
)
def test_a_phone_is_on_or_off_in_every_form_of_truth(value: Json, truth: object) -> None:
    phone = _phone(is_active=value, is_charging=value)

    assert (phone.is_active, phone.is_charging) == (truth, truth)


@pytest.mark.parametrize("odd", [2, -1, 0.5, float("nan"), 10**4000, "", "maybe", "on", None, [], {}])
def test_phone_flags_that_are_not_boolean_are_unknown(odd: Json) -> None:
    phone = _phone(is_active=odd, is_charging=odd)

    assert (phone.is_active, phone.is_charging) == (None, None)


@pytest.mark.parametrize(
    "value",
    [
        "2026-10-14T12:00:00Z",
        "2026-10-14T12:00:00",
        "2026-10-14 12:00:00",
        "2026-10-14T15:00:00+03:00",
        "2026-10-14T12:00:00.000000000Z",
        "2026-10-14T14:00:00.000+02:00",
        " 2026-10-14T12:00:00Z\n",
        1791979200,
        1791979200.0,
        "1791979200",
        "1791979200.0",
        1791979200000,
        1791979200000.0,
        "1791979200000",
        " 1791979200 ",
    ],
)
def test_last_online_is_parsed_in_every_date_format(value: Json) -> None:
    last_online = _phone(last_online_date=value).last_online

    assert last_online == NOON
    assert last_online.tzinfo is UTC


def test_a_last_online_date_in_1970_is_multiplied_by_1000() -> None:
    # The vendor's own example: seconds that were taken for milliseconds.
    seen = datetime(2024, 11, 10, 9, 33, 42, tzinfo=UTC)
    assert _phone(last_online_date="1970-01-21T00:53:51.222Z").last_online == seen


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2026-13-45T99:00:00Z",
        "\ud800",
        # Dates as numbers, and seconds of a time before the service was there.
        20261014,
        202610141200,
        20261014120000,
        "20261014120000",
        17119792,
        -1791979200,
        0,
        "0",
        "0000000005",
        1791979200123456,
        10**4000,
        1e300,
        float("nan"),
        float("inf"),
        True,
        [],
        None,
        "1970-01-01T00:00:00Z",
        # In UTC it would be before the year 1, and no sensor could tell it.
        "0001-01-01T00:00:00+03:00",
        "9999-12-31T23:59:59-03:00",
        # How the vendor's language writes no time.
        "0001-01-01T00:00:00Z",
        # In Tokyo it would be after the year 9999, and no form could tell it.
        "9999-12-31T23:59:59Z",
        9999999999,
    ],
)
def test_an_invalid_last_online_date_is_none(value: Json) -> None:
    phone = _phone(last_online_date=value)

    assert phone.last_online is None
    assert phone.name == "Kitchen"


def test_an_invalid_sim_does_not_hide_the_others() -> None:
    sims: list[Json] = [
        None,
        "MTS",
        {"display_name": "no slot"},
        {"slot_index": "first"},
        {"slot_index": True},
        {"slot_index": float("inf")},
        {"slot_index": 10**4000},
        {"slot_index": "1"},
        {"slot_index": 0, "display_name": ["MTS"]},
    ]

    assert _phone(sim_list=sims).sims == (Sim(slot=1, name=None), Sim(slot=0, name=None))
