"""Setup, reauthentication and reconfiguration of an account."""

import asyncio
from collections.abc import Awaitable, Callable
import re
from typing import Any
from unittest.mock import patch

from aiohttp.test_utils import TestServer
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult, FlowType
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_schema_suggested_value

from custom_components.gosms import forms
from custom_components.gosms.api import DEFAULT_URL, GoSmsClient, MessagePage, Phone
from simulator import Fault, Permission, create_app
from tests import API_TOKEN
from tests.common import MUM, PHONE, SimulatedService, add_phone, send, set_up
from tests.service_faults import CANNOT_CONNECT, HARMLESS, NEW_TOKEN, SERVICE_FAULTS, ServiceFault

LOOKUP = "POST /devices/get/info"
HALL = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"
CABIN = "6654a4e8f1527149588c8aaa"

every_service_fault = pytest.mark.parametrize("service_fault", SERVICE_FAULTS.values(), ids=SERVICE_FAULTS.keys())


# Those of requests about phones: their answers hold no list, and need no permission to see messages.
every_phone_fault = pytest.mark.parametrize(
    "service_fault",
    [pytest.param(each, id=name) for name, each in SERVICE_FAULTS.items() if name not in {"no list", "may not read"}],
)

every_lookup_fault = pytest.mark.parametrize(
    "fault", sorted({each.fault for each in SERVICE_FAULTS.values() if each.fault} - {Fault.LIST_AS_TEXT})
)


async def start(hass: HomeAssistant) -> ConfigFlowResult:
    """Start to add an account."""
    return await hass.config_entries.flow.async_init("gosms", context={"source": SOURCE_USER})


async def submit(hass: HomeAssistant, flow: ConfigFlowResult, answer: dict[str, Any]) -> ConfigFlowResult:
    """Submit the form, and wait for everything that follows."""
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], answer)
    await hass.async_block_till_done()
    return result


def answers(service: SimulatedService, token: str = NEW_TOKEN, **more: str) -> dict[str, Any]:
    """Return the input of the user."""
    return {"api_token": token, "advanced": {"url": service.url}, **more}


async def test_the_user_flow_continues_with_the_first_recipient(hass: HomeAssistant, service: SimulatedService) -> None:
    service.account.token = NEW_TOKEN
    form = await start(hass)
    assert (form["type"], form["step_id"], form["errors"]) == (FlowResultType.FORM, "user", {})

    result = await submit(hass, form, answers(service))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "GoSMS.ru"
    assert result["data"] == {"api_token": NEW_TOKEN, "url": service.url}
    assert result["options"] == {}
    assert list(result["subentries"]) == []
    assert (result["result"].version, result["result"].minor_version) == (1, 1)
    assert result["result"].unique_id is None
    assert result["result"].state is ConfigEntryState.LOADED
    first, *_ = service.requests
    assert (first.endpoint, dict(first.query)) == ("GET /sms", {"limit": "1", "offset": "1"})

    kind, flow_id = result["next_flow"]
    assert kind is FlowType.CONFIG_SUBENTRIES_FLOW
    await hass.config_entries.subentries.async_configure(flow_id, {"name": "Mum", "phone_number": "+7 912 345-67-89"})
    await hass.async_block_till_done()
    await send(hass, "Hello")
    assert service.account.messages[0].phone_number == MUM


async def test_a_phone_of_the_user_flow_becomes_the_default_phone(
    hass: HomeAssistant, service: SimulatedService
) -> None:
    service.account.token = NEW_TOKEN
    result = await submit(hass, await start(hass), answers(service, device_id=f" {PHONE.upper()} "))

    (phone,) = result["result"].subentries.values()
    assert (phone.subentry_type, phone.title, phone.unique_id) == ("phone", "Pixel 8", PHONE)
    assert phone.data == {"device_id": PHONE, "sim": "default"}
    assert result["result"].options == {"default_phone": phone.subentry_id}


async def test_missing_phone_permission_does_not_stop_the_user_flow(
    hass: HomeAssistant, service: SimulatedService
) -> None:
    service.account.token = NEW_TOKEN
    service.account.permissions.remove(Permission.SEE_PHONES)
    result = await submit(hass, await start(hass), answers(service, device_id=PHONE))

    (phone,) = result["result"].subentries.values()
    assert phone.title == phone.unique_id == PHONE


async def start_with_recent_phones(
    hass: HomeAssistant, service: SimulatedService, *, device_ids: tuple[str, ...] = (CABIN, PHONE, HALL, PHONE)
) -> ConfigFlowResult:
    """Submit the first form for an account whose phones sent messages, the last one most recently."""
    service.account.token = NEW_TOKEN
    service.account.add_phone(HALL, name="Nokia in the hall", name_type="Tablet")
    for device_id in device_ids:
        service.account.add_message(message="Hello", phone_number=MUM, device_id=device_id)
    service.account.add_message(message="Hello", phone_number=MUM)
    return await submit(hass, await start(hass), answers(service, name=" Cabin "))


def choices_in(form: ConfigFlowResult) -> dict[str, str]:
    """Return the ids of the phones in a form with their labels, without the dates in them."""
    options = form["data_schema"].schema["device_id"].config["options"]
    return {each["value"]: re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d$", "<date>", each["label"]) for each in options}


async def test_recent_phones_are_offered_by_name(hass: HomeAssistant, service: SimulatedService) -> None:
    form = await start_with_recent_phones(hass, service)
    assert (form["type"], form["step_id"], form["errors"]) == (FlowResultType.FORM, "phone", {})
    # The newest one is first, and one that the account does not have any more is left out.
    assert list(choices_in(form).items()) == [
        (PHONE, "Pixel 8 · Google Pixel 8 · <date>"),
        (HALL, "Nokia in the hall · Tablet · <date>"),
    ]

    result = await submit(hass, form, {"device_id": HALL})
    assert (result["type"], result["title"]) == (FlowResultType.CREATE_ENTRY, "Cabin")
    (phone,) = result["result"].subentries.values()
    assert (phone.title, phone.unique_id) == ("Nokia in the hall", HALL)
    assert result["result"].options == {"default_phone": phone.subentry_id}


@pytest.mark.parametrize("answer", [{}, {"device_id": ""}, {"device_id": " "}])
async def test_the_phone_step_can_be_skipped(
    hass: HomeAssistant, service: SimulatedService, answer: dict[str, str]
) -> None:
    result = await submit(hass, await start_with_recent_phones(hass, service), answer)
    assert (result["type"], result["options"]) == (FlowResultType.CREATE_ENTRY, {})
    assert list(result["subentries"]) == []


async def test_the_phone_step_does_not_follow_a_typed_phone(hass: HomeAssistant, service: SimulatedService) -> None:
    service.account.token = NEW_TOKEN
    service.account.add_message(message="Hello", phone_number=MUM, device_id=PHONE)
    result = await submit(hass, await start(hass), answers(service, device_id=PHONE))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("device_id", "error"), [("hall", "invalid_device_id"), (CABIN, "unknown_device")], ids=["invalid", "unknown"]
)
async def test_a_phone_typed_in_the_phone_step_is_validated(
    hass: HomeAssistant, service: SimulatedService, device_id: str, error: str
) -> None:
    form = await submit(hass, await start_with_recent_phones(hass, service), {"device_id": device_id})
    assert (form["step_id"], form["errors"]) == ("phone", {"device_id": error})
    assert set(choices_in(form)) == {PHONE, HALL}
    assert get_schema_suggested_value(form["data_schema"].schema, "device_id") == device_id

    result = await submit(hass, form, {"device_id": f" {PHONE.upper()} "})
    assert [phone.unique_id for phone in result["result"].subentries.values()] == [PHONE]


@pytest.mark.usefixtures("short_timeout")
@pytest.mark.parametrize("recovery", [{}, {"device_id": PHONE}], ids=["skipped", "repeated"])
@every_phone_fault
async def test_the_phone_step_shows_errors_and_recovers(
    hass: HomeAssistant, service: SimulatedService, service_fault: ServiceFault, recovery: dict[str, str]
) -> None:
    form = await start_with_recent_phones(hass, service)
    service_fault.start(service)
    form = await submit(hass, form, {"device_id": PHONE})
    assert (form["step_id"], form["errors"]) == ("phone", service_fault.errors)
    assert not hass.config_entries.async_entries("gosms")

    service_fault.stop(service)
    result = await submit(hass, form, recovery)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert len(result["result"].subentries) == len(recovery)


@pytest.mark.usefixtures("short_timeout")
@every_lookup_fault
async def test_phones_that_cannot_be_asked_about_are_offered_by_their_ids(
    hass: HomeAssistant, service: SimulatedService, fault: Fault
) -> None:
    service.faults.add(fault, endpoint=LOOKUP)
    form = await start_with_recent_phones(hass, service)
    assert (form["step_id"], form["errors"]) == ("phone", {})
    assert choices_in(form) == {each: f"…{each[-6:]}" for each in (PHONE, HALL, CABIN)}


async def test_without_permission_to_see_phones_their_ids_are_offered(
    hass: HomeAssistant, service: SimulatedService
) -> None:
    service.account.permissions.remove(Permission.SEE_PHONES)
    form = await start_with_recent_phones(hass, service)
    assert choices_in(form)[PHONE] == f"…{PHONE[-6:]}"

    result = await submit(hass, form, {"device_id": PHONE})
    assert [phone.title for phone in result["result"].subentries.values()] == [PHONE]


async def test_a_phone_that_does_not_answer_does_not_hold_up_the_step(
    hass: HomeAssistant, service: SimulatedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "_LOOKUP_TIMEOUT", 2)
    service.faults.add(Fault.HANG_BEFORE, endpoint=LOOKUP, times=1)
    form = await start_with_recent_phones(hass, service, device_ids=(HALL, PHONE))
    assert choices_in(form) == {PHONE: f"…{PHONE[-6:]}", HALL: "Nokia in the hall · Tablet · <date>"}


@pytest.mark.usefixtures("no_rate_limit")
async def test_few_phones_are_asked_about_at_a_time(
    hass: HomeAssistant, service: SimulatedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most = 0, 0

    async def phone_info(_client: GoSmsClient, device_id: str) -> Phone:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return Phone(id=device_id)

    monkeypatch.setattr(GoSmsClient, "phone_info", phone_info)
    device_ids = tuple(f"{number:024x}" for number in range(20))
    form = await start_with_recent_phones(hass, service, device_ids=device_ids)
    assert list(choices_in(form)) == [*reversed(device_ids)]
    assert set(choices_in(form).values()) == {f"…{device_id[-6:]}" for device_id in device_ids}
    assert most == 3


async def test_the_user_flow_goes_on_if_the_recent_messages_do_not_come(
    hass: HomeAssistant, service: SimulatedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "_LOOKUP_TIMEOUT", 0)
    result = await start_with_recent_phones(hass, service)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_an_account_that_was_added_meanwhile_ends_the_phone_step(
    hass: HomeAssistant, service: SimulatedService
) -> None:
    form = await start_with_recent_phones(hass, service)
    MockConfigEntry(domain="gosms", data={"api_token": NEW_TOKEN, "url": service.url}).add_to_hass(hass)
    result = await submit(hass, form, {})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


@pytest.mark.parametrize(
    ("typed", "used", "title"),
    [
        ("", [], "GoSMS.ru"),
        (" \u200b ", [], "GoSMS.ru"),
        (" Cabin ", [], "Cabin"),
        ("", ["GoSMS.ru"], "GoSMS.ru 2"),
        ("", ["GoSMS.ru", "GoSMS.ru 2"], "GoSMS.ru 3"),
        ("", ["Cabin"], "GoSMS.ru"),
        ("Cabin", ["Cabin"], "Cabin 2"),
        ("Cabin", ["GoSMS.ru"], "Cabin"),
    ],
)
async def test_accounts_have_different_names(
    hass: HomeAssistant, service: SimulatedService, typed: str, used: list[str], title: str
) -> None:
    service.account.token = NEW_TOKEN
    for other in used:
        MockConfigEntry(domain="gosms", title=other, data={"api_token": other, "url": service.url}).add_to_hass(hass)
    result = await submit(hass, await start(hass), answers(service, name=typed))
    assert result["title"] == title


def test_every_fault_is_covered() -> None:
    assert {service_fault.fault for service_fault in SERVICE_FAULTS.values()} | set(HARMLESS) == {None, *Fault}


@pytest.mark.parametrize("fault", HARMLESS)
async def test_a_harmless_fault_does_not_stop_the_user_flow(
    hass: HomeAssistant, service: SimulatedService, fault: Fault
) -> None:
    service.account.token = NEW_TOKEN
    service.account.add_message(message="Hello", phone_number=MUM)
    service.faults.add(fault, seconds=0.1)
    result = await submit(hass, await start(hass), answers(service, device_id=PHONE))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("short_timeout")
@every_service_fault
async def test_the_user_flow_shows_errors_and_recovers(
    hass: HomeAssistant, service: SimulatedService, service_fault: ServiceFault
) -> None:
    service.account.token = NEW_TOKEN
    service_fault.start(service)
    form = await submit(hass, await start(hass), answers(service))
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, service_fault.errors)
    assert not hass.config_entries.async_entries("gosms")

    service_fault.stop(service)
    result = await submit(hass, form, answers(service))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("device_id", "service_fault", "errors"),
    [
        ("my phone", None, {"device_id": "invalid_device_id"}),
        (PHONE[:-1], None, {"device_id": "invalid_device_id"}),
        (PHONE[:-1] + "0", None, {"device_id": "unknown_device"}),
        ("0191f2a4-aaaa-4bbb-8ccc-1234567890ab", None, {"device_id": "unknown_device"}),
        (PHONE, {"fault": Fault.CODE, "code": 1016}, {"device_id": "unknown_device"}),
        (PHONE, {"fault": Fault.CODE, "code": 2005}, {"device_id": "invalid_device_id"}),
        (PHONE, {"fault": Fault.CODE, "code": 1002}, {"base": "api_inactive"}),
        (PHONE, {"fault": Fault.NOT_AN_OBJECT}, CANNOT_CONNECT),
        (PHONE, {"fault": Fault.CUT_AFTER}, CANNOT_CONNECT),
    ],
)
async def test_the_user_flow_shows_phone_errors_and_recovers(
    hass: HomeAssistant,
    service: SimulatedService,
    device_id: str,
    service_fault: dict[str, Any] | None,
    errors: dict[str, str],
) -> None:
    service.account.token = NEW_TOKEN
    for options in filter(None, [service_fault]):
        service.faults.add(**options, endpoint="POST /devices/get/info")
    form = await submit(hass, await start(hass), answers(service, device_id=device_id))
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, errors)

    service.faults.clear()
    result = await submit(hass, form, answers(service, device_id=PHONE))
    assert result["type"] is FlowResultType.CREATE_ENTRY


# What an address may be is in test_address.py; here are those that may break more than a rule.
@pytest.mark.parametrize(
    "url",
    [
        "http://192.168.1.2/v1",
        "https://user:password@api.gosms.ru/v1",
        "https://api.gosms.ru/v1?",
        "https://api.gosms.ru/v1#",
        "https://[::1/v1",
        "https://api.gosms.ru:99999/v1",
        "https://xn--/v1",
        "https://аpi.gosms.ru/v1",
        "https://api.gosms.ru\x00/v1",
        f"https://api.gosms.ru/{'v' * 5000}",
        "",
    ],
)
async def test_an_unsafe_url_is_rejected_before_anything_is_sent(
    hass: HomeAssistant, service: SimulatedService, url: str
) -> None:
    service.account.token = NEW_TOKEN
    form = await submit(hass, await start(hass), {"api_token": NEW_TOKEN, "advanced": {"url": url}})
    assert form["errors"] == {"advanced": "invalid_url"}
    assert service.requests == []

    result = await submit(hass, form, answers(service))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("url", ["https://api.gosms.ru/v1", "http://localhost:8080/v1", "http://[::1]:8080/v1"])
async def test_https_and_loopback_urls_are_accepted(hass: HomeAssistant, url: str) -> None:
    # Tests reach nothing but 127.0.0.1, so nobody can answer here.
    with patch.object(GoSmsClient, "list", return_value=MessagePage()):
        result = await submit(hass, await start(hass), {"api_token": NEW_TOKEN, "advanced": {"url": url}})
    assert result["data"]["url"] == url


@pytest.mark.parametrize(
    "typed",
    [
        "\n{} ",
        "Bearer {}",
        "bearer {}",
        "BEARER\u00a0{}",
        "Bearer  {}",
        "Bearer\n{}\r\n",
        "Authorization: Bearer {}",
        "authorization:bearer {}",
        "Authorization: {}",
        '"Authorization": "Bearer {}"',
        "Authorization: 'Bearer {}'",
        'Bearer "{}"',
        "'{}'",
        "«{}»",
        "“{}”",
        "`{}`",
        "\u200b{}",
        "{}\u200b",
        "\ufeff\u00a0{}\u00a0",
        "\u2003{}\u3000",
        "\u200bBea\u00adrer\u2060 \u200e{}\ufeff",
    ],
)
@pytest.mark.parametrize("inside", ["", "\u200b\u00ad\ufeff"])
async def test_pasted_prefixes_and_whitespace_are_stripped(
    hass: HomeAssistant, service: SimulatedService, typed: str, inside: str
) -> None:
    service.account.token = NEW_TOKEN
    token = typed.format(NEW_TOKEN.replace(".", f"{inside}."))
    result = await submit(hass, await start(hass), {"api_token": token, "advanced": {"url": f" {service.url}// "}})
    assert result["data"] == {"api_token": NEW_TOKEN, "url": service.url}


@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        "\u200b",
        '""',
        "two words",
        "two\u00a0words",
        "Bearer two words",
        "токен",
        "tokеn",
        "to\x00ken",
        "tok\ud800en",
    ],
)
async def test_a_malformed_token_is_rejected_without_a_request(
    hass: HomeAssistant, service: SimulatedService, token: str
) -> None:
    service.account.token = NEW_TOKEN
    form = await submit(hass, await start(hass), answers(service, token))
    assert form["errors"] == {"base": "invalid_auth"}
    assert service.requests == []

    result = await submit(hass, form, answers(service))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("typed", ["{}", "Bearer {}", "\u200b{}"])
async def test_a_key_of_the_newer_panel_is_rejected_without_a_request(
    hass: HomeAssistant, service: SimulatedService, typed: str
) -> None:
    service.account.token = NEW_TOKEN
    form = await submit(hass, await start(hass), answers(service, typed.format("gosms_1a2b3c")))
    assert form["errors"] == {"base": "new_panel_key"}
    assert service.requests == []

    result = await submit(hass, form, answers(service))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_advanced_is_open_while_its_address_is_not_the_usual_one(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    def is_open(form: ConfigFlowResult) -> bool:
        return not form["data_schema"].schema["advanced"].options["collapsed"]

    form = await start(hass)
    assert not is_open(form)
    form = await submit(hass, form, answers(service, "wrong.token"))
    assert (form["errors"], is_open(form)) == ({"base": "invalid_auth"}, True)
    form = await submit(hass, form, {"api_token": "two words", "advanced": {"url": DEFAULT_URL}})
    assert not is_open(form)
    assert is_open(await entry.start_reconfigure_flow(hass))


async def test_an_unexpected_error_is_logged_and_the_user_flow_recovers(
    hass: HomeAssistant, service: SimulatedService, caplog: pytest.LogCaptureFixture
) -> None:
    service.account.token = NEW_TOKEN
    # No fault of the service leads here: this stands for a mistake in the client itself.
    with patch.object(GoSmsClient, "list", side_effect=RuntimeError):
        form = await submit(hass, await start(hass), answers(service))
    assert form["errors"] == {"base": "unknown"}
    assert "Unexpected error while checking the token" in caplog.text

    result = await submit(hass, form, answers(service))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_the_same_account_cannot_be_added_twice(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    result = await submit(hass, await start(hass), answers(service, API_TOKEN))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_two_accounts_can_be_added(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.account.token = NEW_TOKEN
    result = await submit(hass, await start(hass), answers(service))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert len(hass.config_entries.async_loaded_entries("gosms")) == 2


async def test_reauth_applies_the_new_token_immediately(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.account.token = NEW_TOKEN
    form = await entry.start_reauth_flow(hass)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "reauth_confirm")

    result = await submit(hass, form, {"api_token": NEW_TOKEN})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    assert entry.data == {"api_token": NEW_TOKEN, "url": service.url}
    await send(hass, "Hello")
    assert len(service.account.messages) == 1


@pytest.mark.usefixtures("short_timeout")
@every_service_fault
async def test_the_reauth_flow_shows_errors_and_recovers(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, service_fault: ServiceFault
) -> None:
    await set_up(hass, entry)
    service.account.token = NEW_TOKEN
    form = await entry.start_reauth_flow(hass)
    service_fault.start(service)
    form = await submit(hass, form, {"api_token": NEW_TOKEN})
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, service_fault.errors)
    assert entry.data["api_token"] == API_TOKEN

    service_fault.stop(service)
    result = await submit(hass, form, {"api_token": NEW_TOKEN})
    assert result["reason"] == "reauth_successful"
    assert entry.data["api_token"] == NEW_TOKEN


async def test_token_and_url_can_be_reconfigured(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    aiohttp_server: Callable[..., Awaitable[TestServer]],
) -> None:
    await set_up(hass, entry)
    service.account.token = NEW_TOKEN
    form = await entry.start_reconfigure_flow(hass)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "reconfigure")
    assert API_TOKEN not in str(form["data_schema"])

    moved = SimulatedService(await aiohttp_server(create_app(service.account), host="127.0.0.1"), service.account)
    result = await submit(hass, form, answers(moved))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert entry.data == {"api_token": NEW_TOKEN, "url": moved.url}
    assert entry.state is ConfigEntryState.LOADED
    await send(hass, "Hello")
    assert len(moved.requests_to("POST /sms/send")) == 1


@pytest.mark.usefixtures("short_timeout")
@every_service_fault
async def test_the_reconfigure_flow_shows_errors_and_recovers(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, service_fault: ServiceFault
) -> None:
    await set_up(hass, entry)
    service.account.token = NEW_TOKEN
    form = await entry.start_reconfigure_flow(hass)
    service_fault.start(service)
    form = await submit(hass, form, answers(service))
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, service_fault.errors)
    assert entry.data["api_token"] == API_TOKEN

    service_fault.stop(service)
    result = await submit(hass, form, answers(service))
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["api_token"] == NEW_TOKEN


async def test_reconfiguring_without_changes_polls_at_once(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    before = len(service.requests_to("GET /sms"))
    result = await submit(hass, await entry.start_reconfigure_flow(hass), answers(service, API_TOKEN))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert result["reason"] == "reconfigure_successful"
    # One to prove the token, and a poll.
    assert len(service.requests_to("GET /sms")) == before + 2


async def test_reauth_loads_an_account_that_was_not_loaded(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    service.account.token = NEW_TOKEN
    result = await submit(hass, await entry.start_reauth_flow(hass), {"api_token": NEW_TOKEN})
    assert result["reason"] == "reauth_successful"
    assert entry.state is ConfigEntryState.LOADED


def answer_to(form: ConfigFlowResult, service: SimulatedService) -> dict[str, Any]:
    """Return the input of the user for the fields of a form."""
    return {key: value for key, value in answers(service).items() if key in form["data_schema"].schema}


every_update = pytest.mark.parametrize("step", ["start_reauth_flow", "start_reconfigure_flow"])


@every_update
async def test_the_token_of_a_configured_account_is_rejected(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, step: str
) -> None:
    MockConfigEntry(domain="gosms", data={"api_token": NEW_TOKEN, "url": service.url}).add_to_hass(hass)
    form = await getattr(entry, step)(hass)
    result = await submit(hass, form, answer_to(form, service))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert entry.data["api_token"] == API_TOKEN


@every_update
async def test_a_token_that_knows_none_of_the_phones_is_rejected(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, step: str
) -> None:
    add_phone(hass, entry, device_id=HALL)
    add_phone(hass, entry, device_id=CABIN)
    form = await getattr(entry, step)(hass)
    service.account.token = NEW_TOKEN
    form = await submit(hass, form, answer_to(form, service))
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, {"base": "wrong_account"})
    assert entry.data["api_token"] == API_TOKEN

    service.account.add_phone(CABIN)
    result = await submit(hass, form, answer_to(form, service))
    assert result["type"] is FlowResultType.ABORT
    assert entry.data["api_token"] == NEW_TOKEN


@every_update
async def test_a_new_panel_key_is_rejected_for_an_existing_account(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, step: str
) -> None:
    form = await getattr(entry, step)(hass)
    form = await submit(hass, form, {**answer_to(form, service), "api_token": "gosms_1a2b3c"})
    assert form["errors"] == {"base": "new_panel_key"}


@pytest.mark.usefixtures("short_timeout")
@every_lookup_fault
async def test_a_token_is_accepted_if_its_account_cannot_be_told(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, fault: Fault
) -> None:
    add_phone(hass, entry, device_id=HALL)
    service.account.token = NEW_TOKEN
    form = await entry.start_reconfigure_flow(hass)
    service.faults.add(fault, endpoint=LOOKUP)
    result = await submit(hass, form, answers(service))
    assert result["reason"] == "reconfigure_successful"


async def test_a_missing_permission_to_see_phones_does_not_stop_reauth(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    add_phone(hass, entry, device_id=HALL)
    service.account.token = NEW_TOKEN
    service.account.permissions.remove(Permission.SEE_PHONES)
    result = await submit(hass, await entry.start_reauth_flow(hass), {"api_token": NEW_TOKEN})
    assert result["reason"] == "reauth_successful"


async def test_the_same_token_is_accepted_though_its_phones_are_gone(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    add_phone(hass, entry, device_id=HALL)
    result = await submit(hass, await entry.start_reconfigure_flow(hass), answers(service, API_TOKEN))
    assert result["reason"] == "reconfigure_successful"
