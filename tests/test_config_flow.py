"""Setup, reauthentication and reconfiguration of an account."""

from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import patch

from aiohttp.test_utils import TestServer
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult, FlowType
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.api import GoSmsClient, MessagePage
from simulator import Fault, Permission, create_app
from tests import API_TOKEN
from tests.common import MUM, PHONE, SimulatedService, send, set_up
from tests.service_faults import CANNOT_CONNECT, HARMLESS, NEW_TOKEN, SERVICE_FAULTS, ServiceFault

every_service_fault = pytest.mark.parametrize("service_fault", SERVICE_FAULTS.values(), ids=SERVICE_FAULTS.keys())


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
    await hass.async_block_till_done()
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


@pytest.mark.parametrize("step", ["start_reauth_flow", "start_reconfigure_flow"])
async def test_the_token_of_another_account_is_rejected(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, step: str
) -> None:
    MockConfigEntry(domain="gosms", data={"api_token": NEW_TOKEN, "url": service.url}).add_to_hass(hass)
    form = await getattr(entry, step)(hass)
    answer = {key: value for key, value in answers(service).items() if key in form["data_schema"].schema}
    result = await submit(hass, form, answer)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert entry.data["api_token"] == API_TOKEN
