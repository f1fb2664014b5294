"""The SMS of the month: what is counted, what is left, and who is warned."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import Fault
from tests.common import MUM, SimulatedService, advance_time, send, set_up
from tests.message_helpers import full_disk
from tests.restarts import files_on_disk, start_again

USED: Final = "sensor.gosms_ru_sms_this_month"
LEFT: Final = "sensor.gosms_ru_sms_left"
HOUR: Final = 60 * 60
DAY: Final = 24 * HOUR

pytestmark = [
    pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"),
    pytest.mark.usefixtures("no_rate_limit", "no_service_rate_limit"),
]


def value(hass: HomeAssistant, entity_id: str = USED) -> str | None:
    """Return the state of a sensor, or None if there is none."""
    state = hass.states.get(entity_id)
    return state.state if state else None


def low(hass: HomeAssistant) -> ir.IssueEntry | None:
    """Return the warning that the plan is nearly used up."""
    return ir.async_get(hass).async_get_issue("gosms", "quota_low_the_account")


async def set_options(hass: HomeAssistant, entry: MockConfigEntry, **options: Any) -> None:
    """Change options, and wait until they are applied."""
    hass.config_entries.async_update_entry(entry, options={"hourly_limit": 0, **entry.options, **options})
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_sms_are_counted_as_the_phone_sends_them(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert value(hass) == "0"
    await send(hass, "Leak!")
    assert value(hass) == "1"
    # Two parts of 300 and fewer characters, of which each takes several SMS.
    await send(hass, "Протечка " * 50)
    [first, second] = [message.message for message in service.account.messages[:2]]
    assert value(hass) == str(1 + sum(-(-len(text) // 67) for text in (first, second)))
    state = hass.states.get(USED)
    assert state
    assert (state.attributes["state_class"], state.attributes["unit_of_measurement"]) == ("total", "SMS")
    assert state.attributes["last_reset"] == dt_util.start_of_local_day(date(2026, 11, 1)).isoformat()


async def test_what_was_refused_or_waits_is_not_counted(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.account.api_active = False
    with pytest.raises(HomeAssistantError):
        await send(hass, "Refused")
    service.account.api_active = True
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint="POST /sms/send")
    await send(hass, "Waits")
    assert value(hass) == "0"


async def test_what_others_sent_is_counted_as_far_as_it_is_listed(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    now = dt_util.utcnow().timestamp()
    service.account.add_message(message="Last month", phone_number=MUM, created=now - 25 * DAY)
    service.account.add_message(message="This month", phone_number=MUM, created=now - 5 * DAY)
    await set_up(hass, entry)
    assert value(hass) == "1"
    service.account.add_message(message="я" * 71, phone_number=MUM, created=now + 10)
    await advance_time(hass, freezer, 60)
    assert value(hass) == "3"
    await start_again(hass, entry, await files_on_disk(hass))
    await advance_time(hass, freezer, 60)
    assert value(hass) == "3"


async def test_the_count_outlives_a_kill(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    await send(hass, "Leak!")
    files = await files_on_disk(hass)
    await start_again(hass, entry, files)
    assert value(hass) == "1"
    # Nobody remembers any more that it was sent from here.
    await set_options(hass, entry, history_days=0)
    for _ in range(8):
        await advance_time(hass, freezer, DAY / 2)
    await start_again(hass, entry)
    await advance_time(hass, freezer, 60)
    assert value(hass) == "1"


async def test_a_disk_that_fails_costs_no_count(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    with full_disk():
        await send(hass, "Leak!")
        assert value(hass) == "1"
    await advance_time(hass, freezer, 60)
    await start_again(hass, entry, await files_on_disk(hass))
    assert value(hass) == "1"


async def test_nothing_is_written_while_nothing_is_sent(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_options(hass, entry, plan_segments=100)
    await set_up(hass, entry)
    await advance_time(hass, freezer, 60)
    states, files = [hass.states.get(each) for each in (USED, LEFT)], await files_on_disk(hass)
    for _ in range(40):
        await advance_time(hass, freezer, DAY)
    assert [hass.states.get(each) for each in (USED, LEFT)] == states
    assert await files_on_disk(hass) == files


async def test_a_new_month_begins_at_0(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_options(hass, entry, billing_day=28, plan_segments=10)
    await set_up(hass, entry)
    await send(hass, "Leak!")
    assert (value(hass), value(hass, LEFT)) == ("1", "9")
    freezer.move_to(dt_util.start_of_local_day(date(2026, 11, 28)))
    await advance_time(hass, freezer, 0)
    assert (value(hass), value(hass, LEFT)) == ("0", "10")
    state = hass.states.get(USED)
    assert state
    assert state.attributes["last_reset"] == dt_util.start_of_local_day(date(2026, 11, 28)).isoformat()


async def test_what_is_left_is_shown_while_the_plan_is_known(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert value(hass, LEFT) is None
    await set_options(hass, entry, plan_segments=5)
    assert value(hass, LEFT) == "5"
    await send(hass, "Leak!")
    assert value(hass, LEFT) == "4"
    await set_options(hass, entry, plan_segments=20)
    assert value(hass, LEFT) == "19"
    state = hass.states.get(LEFT)
    assert state
    assert state.attributes["state_class"] == "measurement"
    await set_options(hass, entry, plan_segments=0)
    assert value(hass, LEFT) is None
    assert er.async_get(hass).async_get(LEFT) is None
    await set_options(hass, entry, plan_segments=2)
    assert value(hass, LEFT) == "1"
    for _ in range(2):
        await send(hass, "Leak!")
    assert value(hass, LEFT) == "0"


async def test_a_change_of_another_account_changes_no_plan(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_options(hass, entry, plan_segments=5)
    await set_up(hass, entry)
    other = MockConfigEntry(domain="gosms", entry_id="the_other", title="Other", data=dict(entry.data))
    other.add_to_hass(hass)
    await set_up(hass, other)
    await set_options(hass, other, callback_id="")
    assert value(hass, LEFT) == "5"


# Who is warned


async def test_people_are_warned_once_when_nine_tenths_are_used(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_options(hass, entry, plan_segments=10, billing_day=28)
    await set_up(hass, entry)
    for _ in range(8):
        await send(hass, "Leak!")
    assert low(hass) is None
    await send(hass, "Leak!")
    issue = low(hass)
    assert issue
    assert (issue.severity, issue.is_fixable) == (ir.IssueSeverity.WARNING, False)
    assert issue.translation_placeholders == {
        "account": "GoSMS.ru",
        "plan": "10",
        "renews": "2026-11-28",
        "url": "https://cms.gosms.ru",
    }
    # Who has seen it is not told again in this month.
    ir.async_ignore_issue(hass, "gosms", issue.issue_id, ignore=True)
    await send(hass, "Leak!")
    again = low(hass)
    assert again
    assert again.dismissed_version
    freezer.move_to(dt_util.start_of_local_day(date(2026, 11, 28)))
    await advance_time(hass, freezer, 0)
    assert low(hass) is None


async def test_a_larger_plan_ends_the_warning_and_so_does_none(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_options(hass, entry, plan_segments=1)
    await set_up(hass, entry)
    await send(hass, "Leak!")
    assert low(hass)
    await set_options(hass, entry, plan_segments=100)
    assert low(hass) is None
    await set_options(hass, entry, plan_segments=1)
    assert low(hass)
    await set_options(hass, entry, plan_segments=0)
    assert low(hass) is None


async def test_the_warning_comes_back_after_a_restart(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_options(hass, entry, plan_segments=1)
    await set_up(hass, entry)
    await send(hass, "Leak!")
    await start_again(hass, entry)
    assert low(hass)


@pytest.mark.parametrize(("ahead", "renews"), [(0, "2026-12-05"), (12 * DAY, "2027-01-05")])
async def test_a_plan_that_is_used_up_says_when_it_renews(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, ahead: float, renews: str
) -> None:
    """By the service's clock, like the warning before it."""
    service.account.clock = lambda: dt_util.utcnow().timestamp() + ahead
    await set_options(hass, entry, billing_day=5, plan_segments=1)
    await set_up(hass, entry)
    await send(hass, "Leak!")
    service.account.quota = 0
    with pytest.raises(HomeAssistantError):
        await send(hass, "Leak!")
    issue = ir.async_get(hass).async_get_issue("gosms", "quota_reached_the_account")
    assert issue
    placeholders = issue.translation_placeholders
    assert placeholders == {"account": "GoSMS.ru", "renews": renews, "url": "https://cms.gosms.ru"}
    warning = low(hass)
    assert warning
    assert warning.translation_placeholders
    assert warning.translation_placeholders["renews"] == renews


# A year


def units(text: str) -> int:
    """Return how many SMS a text of Cyrillic letters alone takes, as the operator bills it."""
    return 1 if len(text) <= 70 else -(-len(text) // 67)


def zones(year: Random) -> Iterator[str]:
    """Yield a time zone for each day: people move now and then."""
    zone = "Europe/Moscow"
    while True:
        if year.random() < 0.1:
            zone = year.choice(["Asia/Kathmandu", "Pacific/Chatham", "America/New_York", "Europe/Berlin", "Asia/Tokyo"])
        yield zone


async def test_a_year_of_sms_is_counted_month_by_month(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_options(hass, entry, billing_day=28)
    await set_up(hass, entry)
    year = Random(28)
    zone_of_day = zones(year)
    months = set()
    began = dt_util.utcnow()
    # Every day around the billing day, and some of the others.
    days = [day for day in range(366) if 26 <= (began + timedelta(days=day)).day <= 30 or year.random() < 0.15]
    for day in days:
        freezer.move_to(max(dt_util.utcnow(), began + timedelta(days=day)))
        zone = next(zone_of_day)
        await hass.config.async_update(time_zone=zone)
        for _ in range(year.choice([0, 1, 2])):
            text = "я" * year.choice([1, 70, 71, 134, 135, 250])
            if year.random() < 0.3:
                service.account.add_message(message=text, phone_number=MUM)
            else:
                await send(hass, text)
            await advance_time(hass, freezer, year.uniform(60, 6 * HOUR))
        await advance_time(hass, freezer, HOUR - dt_util.utcnow().timestamp() % HOUR)
        today = dt_util.utcnow().astimezone(ZoneInfo(zone))
        begins = today.replace(day=28, hour=0, minute=0, second=0, microsecond=0)
        begins = (
            begins
            if today >= begins
            else begins.replace(year=begins.year - (begins.month == 1), month=(begins.month - 2) % 12 + 1)
        )
        sent = [each for each in service.account.messages if each.created >= begins.timestamp()]
        assert value(hass) == str(sum(units(each.message) for each in sent)), f"day {day}, {zone}, {today}"
        months.add(begins.date())
        if day % 60 == 33:
            await start_again(hass, entry, await files_on_disk(hass))
    assert len(months) == 13
