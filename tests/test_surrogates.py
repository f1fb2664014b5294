"""Surrogates in calls and in answers: whatever Home Assistant is handed can be shown and stored as UTF-8."""

from pathlib import Path
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir, restore_state
from homeassistant.helpers.json import json_bytes
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from simulator import Account, Delivery, Fault, Sim
from tests.common import DAD, MUM, PHONE, SimulatedService, add_phone, advance_time, send, set_up
from tests.services.actions import perform_action, send_sms

SEND: Final = "POST /sms/send"
# What a template makes of an escaped 💧, and a half without the other.
PAIR: Final = "\ud83d\udca7"
HALF: Final = "\ud83d"
BOTH: Final = f"{PAIR} {HALF}"

pytestmark = [pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"), pytest.mark.usefixtures("no_rate_limit")]


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Let Home Assistant write its files."""
    return {}


@pytest.fixture
def account(account: Account) -> Account:
    """An account that has surrogates in every text that it can tell."""
    account.rate_limit = None
    account.phones[PHONE].name = account.phones[PHONE].name_type = BOTH
    account.phones[PHONE].sims = (Sim(slot_index=0, display_name=BOTH),)
    account.add_message(message=BOTH, phone_number=BOTH, device_id=BOTH, callback_id=BOTH)
    account.add_message(message=BOTH, phone_number=MUM)
    return account


def repairs(hass: HomeAssistant) -> list[str]:
    """Return the keys of the open repairs."""
    return [key for domain, key in ir.async_get(hass).issues if domain == "gosms"]


async def written(hass: HomeAssistant) -> dict[str, str]:
    """Let everything be written that would be at a stop, and return the files."""
    await restore_state.async_get(hass).async_dump_states()
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    folder = Path(hass.config.path(".storage"))

    def read() -> dict[str, str]:
        # The outbox's file is a database, in which texts are UTF-8 too.
        return {file.name: file.read_bytes().decode(errors="ignore") for file in folder.iterdir()}

    return await hass.async_add_executor_job(read)


async def answers(hass: HomeAssistant, message_id: str) -> dict[str, Any]:
    """Call every action that answers, with surrogates in every field, and return the answers."""
    text = {"message": f"Leak {BOTH}", "title": f"Alarm {BOTH}"}
    return {
        "send_sms": await send_sms(
            hass,
            entity_id="notify.mum",
            phone_numbers=[BOTH, MUM],
            device_id=BOTH,
            area_id=BOTH,
            tag=BOTH,
            idempotency_key=BOTH,
            **text,
        ),
        "preview": await perform_action(hass, "preview", **text),
        "get_messages": await perform_action(hass, "get_messages", search=BOTH),
        "all messages": await perform_action(hass, "get_messages"),
        "get_message": await perform_action(hass, "get_message", message_id=message_id),
    }


@pytest.mark.usefixtures("all_entities_enabled")
@pytest.mark.parametrize("fault", [[], [Fault.TOO_MANY_REQUESTS]])
async def test_surrogates_are_neither_shown_nor_stored(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    fault: list[Fault],
) -> None:
    add_phone(hass, entry)
    await set_up(hass, entry)
    for each in fault:
        service.faults.add(each, endpoint=SEND)
    handed = await answers(hass, service.account.messages[-1].id)
    await send(hass, f"Leak {BOTH}", title=BOTH, to="notify.dad")
    files = await written(hass)
    handed |= {
        "states": [state.as_dict() for state in hass.states.async_all()],
        "restored": [state.as_dict() for state in restore_state.async_get(hass).async_get_stored_states()],
        "diagnostics": await get_diagnostics_for_config_entry(hass, hass_client, entry),
    }
    shown = {name: json_bytes(value).decode() for name, value in handed.items()}
    assert [name for name, text in (shown | files).items() if "\\ud" in text.lower()] == []

    event = hass.states.get("event.mum_message")
    assert (event.attributes["tag"], event.attributes["message"]) == ("💧 \ufffd", "Alarm\nLeak")
    outbox = "".join(text for name, text in files.items() if ".db" in name)
    whole = {name for name, text in (shown | {"outbox": outbox}).items() if "💧 \ufffd" in text}
    assert whole == {"all messages", "get_message", "outbox", "restored", "send_sms", "states"}
    assert handed["preview"]["replaced"] == {"💧": "", "\ufffd": ""}
    assert {"core.restore_state", "core.device_registry"} <= files.keys()


@pytest.mark.parametrize("surrogates", [f"{PAIR} leak", HALF, "\udca7"])
@pytest.mark.parametrize("field", ["tag", "idempotency_key", "message", "title"])
async def test_surrogates_in_a_call_keep_no_later_alarm_from_being_queued(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    field: str,
    surrogates: str,
) -> None:
    await set_up(hass, entry)
    (first,) = await send_sms(hass, **{"entity_id": "notify.mum", "message": "Leak", field: f"Leak {surrogates}"})
    assert first["status"] == "waiting"
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND)
    (second,) = await send_sms(hass, entity_id="notify.dad", message="Fire")
    assert (second["status"], second["error"]) == ("queued", None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    service.faults.clear()
    service.account.delivery = Delivery.ending(speed=10)
    for _ in range(30):
        await advance_time(hass, freezer, 5)
    assert [message.phone_number for message in service.account.messages][:2] == [DAD, MUM]
    assert hass.states.get("event.dad_message").attributes["event_type"] == "delivered"
    assert hass.states.get("event.mum_message").attributes["event_type"] == "delivered"
    assert repairs(hass) == []


@pytest.mark.parametrize(
    ("message", "sent", "replaced"),
    [
        ("Leak {{ '\\ud83d\\udca7' }}", "Leak", {"💧": ""}),
        ("Leak {{ '\\ud83d' }} {{ '\\ud83d\\udca7' }}", "Leak", {"\ufffd": "", "💧": ""}),
        ("https://example.org/{{ '\\ud83d\\udca7' }}", "https://example.org/%F0%9F%92%A7", {"💧": "%F0%9F%92%A7"}),
    ],
)
async def test_the_interface_is_told_that_a_message_with_surrogates_left(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    message: str,
    sent: str,
    replaced: dict[str, str],
) -> None:
    await set_up(hass, entry)
    action = {
        "action": "gosms.send_sms",
        "target": {"entity_id": "notify.mum"},
        "data": {"message": message, "tag": message},
        "response_variable": "sms",
    }
    websocket = await hass_ws_client()
    await websocket.send_json_auto_id(
        {"type": "execute_script", "sequence": [action, {"stop": "Done", "response_variable": "sms"}]}
    )
    answer = await websocket.receive_json()
    assert answer["success"]
    (told,) = answer["result"]["response"]["messages"]
    assert (told["status"], told["error"], told["replaced"]) == ("waiting", None, replaced)
    assert service.account.messages[0].message == sent


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("config_entry_id", "service_validation_error"),
        ("phone", "service_validation_error"),
        ("sim", "invalid_format"),
        ("timeout", "invalid_format"),
    ],
)
async def test_the_interface_is_told_what_is_wrong_with_a_field_of_surrogates(
    hass: HomeAssistant,
    service: SimulatedService,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    field: str,
    code: str,
) -> None:
    await set_up(hass, entry)
    data = {"message": "Leak", "phone_numbers": MUM, field: "{{ '\\ud83d' }}"}
    websocket = await hass_ws_client()
    await websocket.send_json_auto_id(
        {"type": "execute_script", "sequence": [{"action": "gosms.send_sms", "data": data}]}
    )
    assert (await websocket.receive_json())["error"]["code"] == code
    assert service.requests_to(SEND) == []
