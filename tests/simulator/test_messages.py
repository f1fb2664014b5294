"""How messages are listed, searched and advanced."""

from freezegun.api import FrozenDateTimeFactory
import pytest

from simulator import Account, Delivery, Status

from .conftest import NOW, Clock

UNKNOWN_ID = "6654a4e8f1527149588c89f2"
UNKNOWN_UUID = "00000000-0000-4000-8000-000000000000"
SMS = {"message": "Hello", "phone_number": "79929999999"}


def test_messages_are_listed_newest_first_regardless_of_insertion_order(account: Account) -> None:
    times = [5.0, 1.0, 3.0, 3.0, 9.0, 2.0]
    stored = [account.add_message(message=str(index), phone_number="112", created=at) for index, at in enumerate(times)]

    found = account.list_messages(100).messages

    assert [message.message for message in found] == ["4", "0", "3", "2", "5", "1"]
    assert [*account.messages] == [*found]
    assert account.messages[0] is stored[4]
    assert account.messages[-1] is stored[1]
    assert account.messages[1:3] == [stored[0], stored[3]]


def test_the_offset_is_a_page_number(account: Account) -> None:
    for number in range(5):
        account.add_message(message=str(number), phone_number="112")

    pages = [account.list_messages("2", offset) for offset in (None, "1", "2", "3", "4")]

    assert [[message.message for message in page.messages] for page in pages] == [
        ["4", "3"], ["4", "3"], ["2", "1"], ["0"], []
    ]  # fmt: skip
    assert {(page.total, page.limit) for page in pages} == {(5, 2)}
    assert [page.offset for page in pages] == [1, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("протечка", ["Протечка на кухне"]),
        ("НА КУХ", ["Протечка на кухне"]),
        ("доставлено", ["Hello"]),
        ("ОШИБКА", ["Протечка на кухне"]),
        ("7991", ["Hello"]),
        ("000", ["Hello", "Протечка на кухне"]),
        ("nothing", []),
    ],
)
def test_a_search_covers_text_status_and_number(account: Account, search: str, found: list[str]) -> None:
    account.add_message(message="Протечка на кухне", phone_number="79920000002", status=Status.DELIVERY_ERROR)
    account.add_message(message="Hello", phone_number="79910000001")

    page = account.list_messages(1, 1, search)

    assert [message.message for message in page.messages] == found[:1]
    assert page.total == len(found)


@pytest.mark.parametrize(
    ("ending", "seen"),
    [
        (Status.DELIVERED, [0, 1, 2, 2, 4]),
        (Status.DELIVERY_ERROR, [0, 1, 2, 2, 5]),
        (Status.SEND_ERROR, [0, 1, 3, 3, 3]),
        (Status.SENT, [0, 1, 2, 2, 2]),
    ],
)
def test_a_message_advances_with_the_clock(account: Account, clock: Clock, ending: int, seen: list[int]) -> None:
    account.delivery = Delivery.ending(ending)
    sent = account.send(**SMS)

    assert [_status_after(account, clock, sent.id, seconds) for seconds in (0, 1, 2, 4, 1)] == seen


def _status_after(account: Account, clock: Clock, message_id: str, seconds: float) -> int:
    clock.tick(seconds)
    return account.get(message_id).status


def test_a_faster_plan_delivers_earlier(account: Account, clock: Clock) -> None:
    account.delivery = Delivery.ending(speed=8)
    account.send(**SMS)

    clock.tick(1)

    assert account.messages[0].status == Status.DELIVERED


def test_messages_stop_advancing_without_a_delivery_plan(account: Account, clock: Clock) -> None:
    account.delivery = Delivery(steps=((1, 1), (5, 2)))
    sent = account.send(**SMS)
    clock.tick(1)
    account.delivery = None
    clock.tick(100)

    assert account.get(sent.id).status == Status.PROCESSING


def test_a_message_never_returns_to_an_earlier_status(account: Account, clock: Clock) -> None:
    account.delivery = Delivery(steps=((1, 2),))
    sent = account.send(**SMS)
    clock.tick(1)
    account.delivery = Delivery(steps=((1, 1),))

    assert account.get(sent.id).status == Status.SENT


@pytest.mark.parametrize("status", [*Status, 42])
def test_a_forced_status_stays(account: Account, clock: Clock, status: int) -> None:
    account.delivery = Delivery.ending()
    sent = account.send(**SMS)
    account.set_status(sent.id, status)
    clock.tick(100)

    assert account.get(sent.id).status == status


def test_the_final_status_stays_when_the_plan_changes(account: Account, clock: Clock) -> None:
    account.delivery = Delivery.ending(Status.DELIVERED)
    sent = account.send(**SMS)
    clock.tick(10)
    account.delivery = Delivery.ending(Status.DELIVERY_ERROR)

    assert account.get(sent.id).status == Status.DELIVERED


def test_added_messages_do_not_advance(account: Account, clock: Clock) -> None:
    account.delivery = Delivery.ending()
    account.add_message(message="Hello", phone_number="112", status=Status.WAITING)
    clock.tick(100)

    assert account.messages[0].status == Status.WAITING


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "Ждет обработки"),
        (1, "В обработке"),
        (2, "Отправлено"),
        (3, "Ошибка отправки"),
        (4, "Доставлено"),
        (5, "Ошибка доставки"),
        (42, "Неизвестный статус"),
    ],
)
def test_every_status_has_its_russian_text(account: Account, status: int, text: str) -> None:
    assert account.add_message(message="Hello", phone_number="112", status=status).message_status == text


def test_the_default_clock_follows_frozen_time(freezer: FrozenDateTimeFactory) -> None:
    account = Account(token="t")
    freezer.move_to("2026-10-14T12:00:00Z")

    assert account.add_message(message="Hello", phone_number="112").time_create == NOW
