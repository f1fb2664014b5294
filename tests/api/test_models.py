"""What the service tells, in every form in which it may come."""

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.gosms.api import Message, MessagePage, MessageStatus, Phone, Sim
from custom_components.gosms.api.models import Json
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


def test_the_message_of_the_vendors_page_is_understood() -> None:
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


def test_what_a_message_was_sent_with_is_told() -> None:
    message = _message(device_id=UUID, to_sim=1, callback_id=ID)

    assert (message.device_id, message.sim, message.callback_id) == (UUID, 1, ID)


def test_a_message_on_show_tells_neither_number_nor_text() -> None:
    shown = repr(_message())

    assert ID in shown
    assert "79929999999" not in shown
    assert "Hello" not in shown


def test_a_message_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        _message().status_code = 4  # type: ignore[misc]  # That it can't be is what is tested.


@pytest.mark.parametrize("status", Status)
def test_each_status_of_the_vendor_is_known(status: Status) -> None:
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


def test_only_a_failure_and_a_delivery_are_the_end_of_a_message() -> None:
    assert [status.name for status in MessageStatus if status.is_final] == [
        "SEND_FAILED",
        "DELIVERED",
        "DELIVERY_FAILED",
    ]


@pytest.mark.parametrize(
    ("told", "code"),
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
def test_a_status_that_is_not_known_is_never_delivered(told: Json, code: int | None) -> None:
    message = _message(status=told)

    assert message.status is None
    assert message.status_code == code


@pytest.mark.parametrize("field", sorted(MESSAGE.keys() - {"id"}))
def test_a_message_with_a_field_missing_is_still_a_message(field: str) -> None:
    data = {key: value for key, value in MESSAGE.items() if key != field}
    message = Message.from_api(data)

    assert message is not None
    assert message.id == ID


def test_a_message_of_nothing_but_its_id_is_still_a_message() -> None:
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
def test_fields_of_the_wrong_type_are_as_good_as_missing(odd: Json) -> None:
    assert Message.from_api(dict.fromkeys(MESSAGE, odd) | {"id": ID, "to_sim": odd}) == Message.from_api({"id": ID})


@pytest.mark.parametrize("data", [*NONSENSE, "text", 5, {}])
def test_what_has_no_id_is_no_message(data: Json) -> None:
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


def test_numbers_that_come_as_text_and_texts_that_come_as_number_are_understood() -> None:
    message = _message(phone_number=79929999999, time_create="1717044540", to_sim="1", status=4.0, message=112)

    assert (message.phone_number, message.text) == ("79929999999", "112")
    assert (message.created, message.sim, message.status) == (CREATED, 1, MessageStatus.DELIVERED)


def test_the_slot_of_the_first_sim_is_not_mistaken_for_none() -> None:
    assert _message(to_sim=0).sim == 0


@pytest.mark.parametrize("told", [10**30, -(10**30), 10**17, "9" * 18, 1e300, 253402300800, "soon", 1717044540.5])
def test_a_message_of_an_absurd_time_has_none(told: Json) -> None:
    message = _message(time_create=told)

    assert message.created is None
    assert message.text == "Hello my friends"


@pytest.mark.parametrize(("told", "year"), [(0, 1970), (-1, 1969), (4102444800, 2100)])
def test_an_unlikely_time_is_told_as_it_is(told: int, year: int) -> None:
    created = _message(time_create=told).created

    assert created is not None
    assert created.year == year
    assert created.utcoffset() == timedelta()


def test_a_text_of_no_end_is_cut() -> None:
    assert _message(message="x" * 100_000).text == "x" * 1000


def test_half_a_character_cannot_keep_home_assistant_from_writing_its_files() -> None:
    assert _message(message="Hello \ud83d").text == "Hello \ufffd"


def test_the_page_of_the_vendor_is_understood() -> None:
    assert _page() == MessagePage(total=95, messages=(_message(),))


def test_a_page_before_the_first_poll_is_empty() -> None:
    assert MessagePage() == MessagePage(total=None, messages=())


def test_an_account_without_messages_may_answer_null() -> None:
    assert _page(sms_list=None, pagination={"total_records": 0}) == MessagePage(total=0)
    assert _page(sms_list=[]) == MessagePage(total=95)


@pytest.mark.parametrize("data", [{}, {"pagination": {}}, {"sms_list": {}}, {"sms_list": "[]"}, {"sms_list": 0}])
def test_an_answer_without_a_list_is_not_taken_for_an_empty_account(data: dict[str, Json]) -> None:
    assert MessagePage.from_api(data, 100) is None


@pytest.mark.parametrize("odd", [*NONSENSE, "x", 5, {"message": "no id"}, {**MESSAGE, "id": "<script>"}])
def test_one_bad_message_does_not_cost_the_page(odd: Json) -> None:
    page = _page(sms_list=[odd, MESSAGE, odd, {"id": f"{2:024}"}])

    assert [message.id for message in page.messages] == [ID, f"{2:024}"]
    assert not page.is_complete


def test_more_messages_than_asked_for_are_left_out() -> None:
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
def test_a_page_without_a_total_is_still_a_page(pagination: Json, total: int | None) -> None:
    assert _page(pagination=pagination) == MessagePage(total=total, messages=(_message(),))


def test_the_phone_of_the_vendors_page_is_understood() -> None:
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
def test_a_phone_of_nothing_but_its_id_is_still_a_phone(phone_id: str) -> None:
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
    ("told", "phone_id"), [(UUID.upper(), UUID), (ID.upper(), ID), ("My-Phone", "My-Phone"), ("x" * 2000, "x" * 1000)]
)
def test_a_phone_is_known_by_an_id_in_any_form(told: str, phone_id: str) -> None:
    assert _phone(device_id=told).id == phone_id


@pytest.mark.parametrize("odd", NONSENSE[:1] + NONSENSE[2:])
def test_a_phone_with_fields_of_the_wrong_type_knows_nothing_of_them(odd: Json) -> None:
    assert Phone.from_api(dict.fromkeys(PHONE, odd) | {"device_id": UUID}) == Phone.from_api({"device_id": UUID})


@pytest.mark.parametrize("phone_id", [*NONSENSE, "", 1.5])
def test_what_has_no_id_is_no_phone(phone_id: Json) -> None:
    assert Phone.from_api({**PHONE, "device_id": phone_id}) is None


@pytest.mark.parametrize(
    ("told", "battery"),
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
def test_a_battery_is_between_empty_and_full_or_not_known(told: Json, battery: int | None) -> None:
    assert _phone(device_battery_state=told).battery == battery


@pytest.mark.parametrize(
    ("told", "truth"),
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
def test_a_phone_is_on_or_off_in_every_form_of_truth(told: Json, truth: object) -> None:
    phone = _phone(is_active=told, is_charging=told)

    assert (phone.is_active, phone.is_charging) == (truth, truth)


@pytest.mark.parametrize("odd", [2, -1, 0.5, float("nan"), 10**4000, "", "maybe", "on", None, [], {}])
def test_a_phone_is_neither_on_nor_off_unless_the_service_says_so(odd: Json) -> None:
    phone = _phone(is_active=odd, is_charging=odd)

    assert (phone.is_active, phone.is_charging) == (None, None)


@pytest.mark.parametrize(
    "told",
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
def test_a_phone_was_seen_at_the_same_moment_in_every_form_of_time(told: Json) -> None:
    last_online = _phone(last_online_date=told).last_online

    assert last_online == NOON
    assert last_online.tzinfo is UTC


def test_a_phone_of_the_year_1970_was_seen_a_thousand_times_later() -> None:
    # The vendor's own example: seconds that were taken for milliseconds.
    seen = datetime(2024, 11, 10, 9, 33, 42, tzinfo=UTC)
    assert _phone(last_online_date="1970-01-21T00:53:51.222Z").last_online == seen


@pytest.mark.parametrize(
    "told",
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
    ],
)
def test_a_phone_of_an_absurd_time_was_never_seen(told: Json) -> None:
    phone = _phone(last_online_date=told)

    assert phone.last_online is None
    assert phone.name == "Kitchen"


def test_a_sim_that_cannot_be_read_does_not_hide_the_other() -> None:
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
