"""Repairs for messages that wait for too long: for the service, or for a phone."""

from collections.abc import Callable
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.const import DOMAIN
from simulator import Account, Delivery, Fault, Permission, Status
from tests.common import PHONE, SimulatedService, add_phone, send, set_up
from tests.message_helpers import advance_time_in_steps

SPARE: Final = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"
MINUTE: Final = 60

pytestmark = [pytest.mark.freeze_time("2026-11-24T01:00:00+00:00"), pytest.mark.usefixtures("no_rate_limit")]


@pytest.fixture
def entry(hass: HomeAssistant, entry: MockConfigEntry, account: Account) -> MockConfigEntry:
    """An account with a phone that takes messages and does not send them."""
    account.rate_limit = None
    account.delivery = Delivery(steps=((0.0, Status.WAITING),))
    add_phone(hass, entry)
    return entry


def use_phone(hass: HomeAssistant, entry: MockConfigEntry, **options: int) -> None:
    """Send with the phone."""
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone", **options})


def lose(account: Account, phone: str = PHONE) -> None:
    """Let a phone lose its connection."""
    account.phones[phone].set_online(online=False, now=account.clock())


def repairs(hass: HomeAssistant) -> list[str]:
    """Return the ids of the open repairs, without the entry."""
    issues = ir.async_get(hass).issues.values()
    return sorted(issue.issue_id.replace("_the_account", "") for issue in issues if issue.domain == DOMAIN)


async def test_the_repair_names_the_phone_and_when_it_reported_last(
    hass: HomeAssistant, entry: MockConfigEntry, account: Account, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("Europe/Moscow")
    use_phone(hass, entry)
    await set_up(hass, entry)
    lose(account)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 13 * MINUTE, step=10)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "phone_out_of_touch_the_account_the_phone")
    assert issue
    assert issue.severity is ir.IssueSeverity.WARNING
    assert issue.translation_placeholders == {
        "account": "GoSMS.ru",
        "phone": "Pixel 8",
        "last_seen": "2026-11-24 04:00",
        "url": "https://cms.gosms.ru/devices",
    }


@pytest.mark.parametrize(
    ("spare", "expected"),
    [
        (lambda account: account, []),
        (lambda account: account.phones.pop(SPARE), []),
        (lambda account: lose(account, SPARE), [f"phone_out_of_touch_{SPARE}", "phone_out_of_touch_the_phone"]),
    ],
    ids=["online", "not known", "lost"],
)
async def test_a_message_for_any_phone_waits_for_a_phone_if_none_can_send(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    account: Account,
    freezer: FrozenDateTimeFactory,
    spare: Callable[[Account], object],
    expected: list[str],
) -> None:
    account.add_phone(SPARE)
    add_phone(hass, entry, name="Spare", device_id=SPARE)
    await set_up(hass, entry)
    lose(account)
    spare(account)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 17 * MINUTE, step=20)
    assert [each for each in repairs(hass) if not each.startswith("unknown_phone")] == expected


@pytest.mark.parametrize("is_waiting", [True, False], ids=["the phone is back", "another one sent it"])
async def test_the_repair_stays_until_the_phone_is_back_or_nothing_waits(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    account: Account,
    freezer: FrozenDateTimeFactory,
    *,
    is_waiting: bool,
) -> None:
    use_phone(hass, entry)
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    account.phones[PHONE].is_active = False
    await advance_time_in_steps(hass, freezer, 13 * MINUTE, step=20)
    assert repairs(hass) == ["phone_out_of_touch_the_phone"]

    # Nobody knows how the phone is.
    account.permissions.remove(Permission.SEE_PHONES)
    await advance_time_in_steps(hass, freezer, 6 * MINUTE, step=20)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await advance_time_in_steps(hass, freezer, 3 * MINUTE, step=20)
    assert repairs(hass) == ["no_device_permission", "phone_out_of_touch_the_phone"]

    account.permissions.add(Permission.SEE_PHONES)
    account.phones[PHONE].is_active = is_waiting
    account.set_status(account.messages[0].id, Status.WAITING if is_waiting else Status.DELIVERED)
    await advance_time_in_steps(hass, freezer, 6 * MINUTE, step=20)
    assert repairs(hass) == []


async def test_a_message_that_left_the_phone_does_not_wait_for_it(
    hass: HomeAssistant, entry: MockConfigEntry, account: Account, freezer: FrozenDateTimeFactory
) -> None:
    use_phone(hass, entry)
    account.delivery = Delivery(steps=((0.0, Status.SENT),))
    await set_up(hass, entry)
    lose(account)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 17 * MINUTE, step=20)
    assert repairs(hass) == []


async def test_a_phone_that_was_just_added_is_judged_after_its_first_poll(
    hass: HomeAssistant, entry: MockConfigEntry, account: Account, freezer: FrozenDateTimeFactory
) -> None:
    use_phone(hass, entry)
    await set_up(hass, entry)
    lose(account)
    await send(hass, "Water leak!")
    del entry.runtime_data.phone_coordinators["the_phone"]
    await advance_time_in_steps(hass, freezer, 13 * MINUTE, step=20)
    assert repairs(hass) == []


async def test_an_outage_is_a_repair_until_a_good_poll_also_over_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    hass.config_entries.async_update_entry(entry, options={"queue_expiry": 10})
    await set_up(hass, entry)
    service.faults.add(Fault.FORBIDDEN)
    await send(hass, "Water leak!")
    await advance_time_in_steps(hass, freezer, 4 * MINUTE, step=20)
    assert repairs(hass) == []
    await advance_time_in_steps(hass, freezer, 3 * MINUTE, step=20)
    assert repairs(hass) == ["service_unreachable"]

    # Nothing waits any more, but nothing proves that the next message would not have to.
    await advance_time_in_steps(hass, freezer, 6 * MINUTE, step=20)
    assert hass.states.get("sensor.mum_last_message_status").state == "expired"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await advance_time_in_steps(hass, freezer, 3 * MINUTE, step=20)
    assert hass.states.get("sensor.mum_last_message_status").state == "expired"
    assert repairs(hass) == ["service_unreachable"]
    service.faults.clear()
    await advance_time_in_steps(hass, freezer, 3 * MINUTE, step=20)
    assert repairs(hass) == []
