"""Diagnostics, which must be safe to post in public."""

from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
    get_diagnostics_for_device,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion
from syrupy.filters import paths

from custom_components.gosms.api import DEFAULT_URL
from custom_components.gosms.const import DOMAIN
from custom_components.gosms.outbox import SqliteStorage
from custom_components.gosms.outbox.storage import StorageError
from simulator import Delivery, Fault, Status
from tests.common import DAD, MUM, SimulatedService, add_phone, advance_time, send, set_up

pytestmark = [pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"), pytest.mark.usefixtures("no_rate_limit")]

LIST = "GET /sms"
SEND = "POST /sms/send"

type Diagnose = Callable[..., Awaitable[Any]]


@pytest.fixture
def diagnose(hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: MockConfigEntry) -> Diagnose:
    """Download the diagnostics of the account, or of the device of one of its subentries."""

    async def download(subentry_id: str | None = None) -> Any:
        if subentry_id is None:
            return await get_diagnostics_for_config_entry(hass, hass_client, entry)
        device = dr.async_get(hass).async_get_or_create(
            config_entry_id=entry.entry_id,
            config_subentry_id=subentry_id,
            identifiers={(DOMAIN, f"{entry.entry_id}_{subentry_id}")},
        )
        return await get_diagnostics_for_device(hass, hass_client, entry, device)

    return download


async def test_diagnostics_of_a_new_account(
    hass: HomeAssistant, entry: MockConfigEntry, diagnose: Diagnose, snapshot: SnapshotAssertion
) -> None:
    await set_up(hass, entry)
    latencies = f"requests.endpoints.{LIST}.milliseconds"
    assert await diagnose() == snapshot(exclude=paths(*(f"{latencies}.{key}" for key in ("mean", "longest", "last"))))


async def test_messages_on_the_server_are_counted_by_status(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, diagnose: Diagnose
) -> None:
    for status in (Status.DELIVERED, Status.DELIVERED, Status.SENT, 42):
        service.account.add_message(message="Hello", phone_number=MUM, status=status)
    await set_up(hass, entry)
    messages = (await diagnose())["messages"]
    assert messages["statuses"] == {"delivered": 2, "sent": 1, "unknown (42)": 1}
    assert (messages["newest_messages"], messages["total"]) == (4, 4)


async def test_a_refused_message_leaves_details_for_the_vendors_support(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, diagnose: Diagnose
) -> None:
    service.faults.add(Fault.CODE, endpoint=SEND, code=1006, times=1)
    await set_up(hass, entry)
    with pytest.raises(HomeAssistantError):
        await send(hass, "Hello")
    diagnostics = await diagnose()
    endpoint = diagnostics["requests"]["endpoints"][SEND]
    assert endpoint["outcomes"] == {"refused": 1}
    assert endpoint["last_error"]["outcome"] == "refused"
    assert endpoint["last_error"]["time"] == "2026-11-24T12:00:00+00:00"
    assert "error code 1006, hash " in endpoint["last_error"]["error"]
    assert diagnostics["outbox"]["failed_today"] == 1


async def test_an_outage_shows_the_age_of_queued_messages(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    diagnose: Diagnose,
) -> None:
    await set_up(hass, entry)
    service.faults.add(Fault.TOO_MANY_REQUESTS, retry_after=900)
    await send(hass, "Hello")
    await advance_time(hass, freezer, 61)
    diagnostics = await diagnose()
    assert diagnostics["messages"]["last_exception"] == "too_many_requests"
    assert diagnostics["messages"]["last_update_success"] is False
    outbox = diagnostics["outbox"]
    assert (outbox["queued"], outbox["in_transit"]) == (1, 0)
    assert outbox["states"] == {"queued": 1}
    assert outbox["most_attempts"] == 1
    assert outbox["oldest_age"] == pytest.approx(61, abs=5)


async def test_an_unexpected_poll_error_shows_only_its_type(
    hass: HomeAssistant, entry: MockConfigEntry, diagnose: Diagnose
) -> None:
    with patch("custom_components.gosms.api.GoSmsClient.list", side_effect=ValueError(MUM)):
        await set_up(hass, entry)
    assert (await diagnose())["messages"]["last_exception"] == "ValueError"


async def test_problems_of_the_account_are_listed(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, diagnose: Diagnose
) -> None:
    service.faults.add(Fault.UNAUTHORIZED)
    await set_up(hass, entry)
    with patch.object(SqliteStorage, "async_commit", side_effect=StorageError):
        with pytest.raises(HomeAssistantError):
            await send(hass, "Hello")
        assert (await diagnose())["account"]["problems"] == ["reauth", "storage_failed"]


async def test_an_unloaded_account_still_shows_its_settings(
    hass: HomeAssistant, entry: MockConfigEntry, diagnose: Diagnose
) -> None:
    await set_up(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    assert set(await diagnose()) == {"account", "options"}
    assert set(await diagnose("the_recipient_mum")) == {"account", "options", "recipient"}
    assert (await diagnose())["account"]["state"] == "not_loaded"


@pytest.mark.usefixtures("service")
async def test_the_default_url_is_not_redacted(hass: HomeAssistant, entry: MockConfigEntry, diagnose: Diagnose) -> None:
    await set_up(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "url": DEFAULT_URL})
    assert (await diagnose())["account"]["url"] == DEFAULT_URL


async def test_identifying_options_show_only_whether_they_are_set(
    hass: HomeAssistant, entry: MockConfigEntry, diagnose: Diagnose
) -> None:
    add_phone(hass, entry)
    hass.config_entries.async_update_entry(
        entry, options={"callback_id": "6654a4e8f1527149588c89aa", "default_phone": "the_phone", "queue_expiry": 5}
    )
    await set_up(hass, entry)
    options = (await diagnose())["options"]
    assert (options["callback_id"], options["default_phone"], options["queue_expiry"]) == (True, True, 5)


async def test_a_recipients_diagnostics_show_its_own_messages(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, diagnose: Diagnose
) -> None:
    service.account.add_message(message="Hello", phone_number=DAD, status=Status.SEND_ERROR)
    await set_up(hass, entry)
    await send(hass, "Hello")
    diagnostics = await diagnose("the_recipient_mum")
    recipient = diagnostics["recipient"]
    assert (recipient["digits"], recipient["phone"]) == (11, False)
    assert recipient["messages"]["statuses"] == {"waiting": 1}
    assert recipient["outbox"]["states"] == {"accepted": 1}
    assert diagnostics["messages"]["newest_messages"] == 2


async def test_a_phones_diagnostics_show_the_messages_sent_with_it(
    hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService, diagnose: Diagnose
) -> None:
    service.account.delivery = Delivery.ending()
    service.account.add_message(message="Hello", phone_number=DAD, status=Status.SEND_ERROR)
    add_phone(hass, entry, sim="sim2")
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone"})
    await set_up(hass, entry)
    await send(hass, "Hello")
    phone = (await diagnose("the_phone"))["phone"]
    assert (phone["sim"], phone["default_phone"], phone["recipients"]) == ("sim2", True, 0)
    assert phone["messages"]["newest_messages"] == phone["messages"]["with_a_sim"] == 1
    assert phone["outbox"]["states"] == {"accepted": 1}
    assert phone["state"] == {
        "last_update_success": True,
        "last_exception": None,
        "update_interval": 300,
        "online": True,
        "can_send": True,
        "is_active": True,
        "is_charging": False,
        "battery": 80,
        "last_online_age": 0,
        "default_sim": -2,
        "sims": 2,
    }
