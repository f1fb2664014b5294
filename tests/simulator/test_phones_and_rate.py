"""The reports of phones, and the rate limit."""

from itertools import pairwise
import re

import pytest

from simulator import NEW, OLD, Account, ApiError, Generation, Phone

from .conftest import NOW, PHONE, Clock


@pytest.mark.parametrize(("wanted", "left"), [(True, True), (False, False), (None, False)])
def test_omitting_is_active_switches_the_phone_off(account: Account, wanted: object, left: object) -> None:
    account.edit_phone(PHONE, wanted)

    assert account.phone_info(PHONE).is_active is left


def test_a_phone_reports_every_five_minutes(account: Account, clock: Clock) -> None:
    phone = account.phones[PHONE]
    reports = [_report_after(phone, clock, seconds) for seconds in (0, 299, 1, 600)]

    assert [later - earlier for earlier, later in pairwise(reports)] == [0, 300, 600]


def _report_after(phone: Phone, clock: Clock, seconds: float) -> float:
    clock.tick(seconds)
    return phone.last_online(clock())


def test_an_offline_phone_does_not_report_until_it_is_back_online(account: Account, clock: Clock) -> None:
    phone = account.phones[PHONE]
    phone.set_online(online=False, now=clock())
    clock.tick(3600)

    assert phone.last_online(clock()) == NOW

    phone.set_online(online=True, now=clock())

    assert phone.last_online(clock()) == clock()


@pytest.mark.parametrize(
    ("generation", "form"), [(OLD, r"^[0-9a-f]{24}$"), (NEW, r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
)
def test_a_new_phone_has_an_id_in_the_format_of_its_generation(
    account: Account, generation: Generation, form: str
) -> None:
    account.generation = generation
    phone = account.add_phone(battery=7)

    assert phone.battery == 7
    assert account.phones[phone.device_id] is phone
    assert re.fullmatch(form, phone.device_id)


def test_each_endpoint_admits_ten_requests_per_second(account: Account, rate_clock: Clock) -> None:
    admitted = [_admits(account, "GET /sms") for _ in range(12)]
    other = _admits(account, "POST /sms/send")
    rate_clock.tick(0.999)
    still = _admits(account, "GET /sms")
    rate_clock.tick(0.001)

    assert admitted == [True] * 10 + [False] * 2
    assert other
    assert not still
    assert _admits(account, "GET /sms")


def test_the_rate_limit_uses_a_sliding_window(account: Account, rate_clock: Clock) -> None:
    early = [_admits(account, "GET /sms") for _ in range(5)]
    rate_clock.tick(0.6)
    late = [_admits(account, "GET /sms") for _ in range(5)]
    rate_clock.tick(0.6)
    last = [_admits(account, "GET /sms") for _ in range(6)]

    assert (all(early), all(late)) == (True, True)
    assert last == [True] * 5 + [False]


def test_the_rate_limit_can_be_switched_off(account: Account) -> None:
    account.rate_limit = None

    assert all(_admits(account, "GET /sms") for _ in range(100))


def _admits(account: Account, endpoint: str) -> bool:
    try:
        account.check_access(endpoint)
    except ApiError:
        return False
    return True
