"""The triggers: each fires once for each message, and only for what happens."""

from collections.abc import Callable
import json
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.trigger import async_get_all_descriptions, async_validate_trigger_config
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service
from pytest_homeassistant_custom_component.typing import WebSocketGenerator
import voluptuous as vol

from custom_components.gosms.outbox import EVENT_TYPES, State
from custom_components.gosms.trigger import async_get_triggers
from simulator import Fault, Status
from tests import PACKAGE
from tests.common import SimulatedService, advance_time, send
from tests.translation_checks import texts_of

ACCOUNT: Final = "event.gosms_ru_message"
MUM: Final = "event.mum_message"
SEND: Final = "POST /sms/send"

pytestmark = [
    pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"),
    pytest.mark.usefixtures("no_rate_limit", "init_integration"),
]


async def listen(hass: HomeAssistant, *keys: str, target: dict[str, Any], **options: str) -> list[ServiceCall]:
    """Run an automation with these triggers, and return its runs, each with the trigger's data."""
    runs = async_mock_service(hass, "test", "run")
    automation = {
        "id": "test",
        "alias": "Test",
        "triggers": [{"trigger": f"gosms.{key}", "target": target, "options": options} for key in keys],
        "actions": {
            "action": "test.run",
            "data": {
                "entity_id": "{{ trigger.entity_id }}",
                "event_type": "{{ trigger.event_type }}",
                "recipient": "{{ trigger.recipient }}",
                "message": "{{ trigger.message }}",
                "tag": "{{ trigger.tag }}",
            },
        },
        "mode": "queued",
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await hass.async_block_till_done()
    return runs


def seen(runs: list[ServiceCall]) -> list[tuple[str, str]]:
    """Return the type and the text of the events."""
    return [(run.data["event_type"], run.data["message"]) for run in runs]


async def send_tagged(hass: HomeAssistant, message: str, tag: str, to: str = "notify.mum") -> None:
    data = {"entity_id": to, "message": message, "tag": tag}
    await hass.services.async_call("gosms", "send_sms", data, blocking=True, return_response=True)
    await hass.async_block_till_done()


async def settle(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, status: Status
) -> None:
    """Give the newest message a status, and wait until it was polled."""
    service.account.set_status(service.account.messages[0].id, status)
    await advance_time(hass, freezer, 6)


@pytest.mark.parametrize("status", [Status.SEND_ERROR, Status.DELIVERY_ERROR, Status.DELIVERED])
async def test_delivered_and_failed_messages_fire_their_trigger_only(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, status: Status
) -> None:
    key = "message_delivered" if status is Status.DELIVERED else "message_failed"
    runs = await listen(hass, key, target={"entity_id": ACCOUNT})
    await send(hass, "Hello")
    assert runs == []
    await settle(hass, service, freezer, status)
    names = {Status.SEND_ERROR: "send_failed", Status.DELIVERY_ERROR: "delivery_failed", Status.DELIVERED: "delivered"}
    assert seen(runs) == [(names[status], "Hello")]
    # Nothing follows a final event.
    await advance_time(hass, freezer, 60)
    assert len(runs) == 1


async def test_a_refused_first_message_fires_failed(hass: HomeAssistant, service: SimulatedService) -> None:
    runs = await listen(hass, "message_failed", "message_delivered", target={"entity_id": MUM})
    assert hass.states.get(MUM).state == STATE_UNKNOWN
    service.account.quota = 0
    await send_tagged(hass, "Hello", "")
    assert seen(runs) == [("refused", "Hello")]


async def test_a_queued_message_fires_queued_and_then_delivered(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    runs = await listen(hass, "message_queued", "message_delivered", target={"entity_id": MUM})
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=1)
    await send(hass, "Hello")
    assert seen(runs) == [("queued", "Hello")]
    await advance_time(hass, freezer, 60)
    await settle(hass, service, freezer, Status.DELIVERED)
    assert seen(runs) == [("queued", "Hello"), ("delivered", "Hello")]


async def test_a_slow_delivery_fires_delayed_once(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    runs = await listen(hass, "message_delayed", target={"entity_id": MUM})
    await send(hass, "Hello")
    for _ in range(25):
        await advance_time(hass, freezer, 60)
    assert seen(runs) == [("delivery_timeout", "Hello")]


async def test_the_data_of_a_trigger_has_all_attributes_of_the_event(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    place = "entity.event.message.state_attributes."
    attributes = {key.removeprefix(place).split(".")[0] for key in texts_of("en") if key.startswith(place)}
    assert len(attributes) == 10
    runs = async_mock_service(hass, "test", "run")
    automation = {
        "triggers": {"trigger": "gosms.message_failed", "target": {"entity_id": MUM}},
        "actions": {"action": "test.run", "data": {name: f"{{{{ trigger.{name} }}}}" for name in attributes}},
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await send_tagged(hass, "Leak", "alarm")
    await settle(hass, service, freezer, Status.DELIVERY_ERROR)
    [run] = runs
    event = hass.states.get(MUM).attributes
    assert (event["event_type"], event["tag"], event["message"]) == ("delivery_failed", "alarm", "Leak")
    # A template makes a number of the digits.
    assert run.data | {"phone_number": str(run.data["phone_number"])} == {name: event[name] for name in attributes}


@pytest.mark.parametrize("target", [ACCOUNT, MUM, [ACCOUNT, MUM, "event.dad_message"]], ids=["account", "mum", "all"])
async def test_a_message_fires_once_whatever_entities_of_it_are_targeted(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, target: str | list[str]
) -> None:
    runs = await listen(hass, "message_delivered", target={"entity_id": target})
    await send(hass, "Hello")
    await settle(hass, service, freezer, Status.DELIVERED)
    assert seen(runs) == [("delivered", "Hello")]


async def test_a_recipient_is_followed_while_the_account_is_disabled(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    runs = await listen(hass, "message_delivered", target={"entity_id": [ACCOUNT, MUM]})
    er.async_get(hass).async_update_entity(ACCOUNT, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    await send(hass, "Hello")
    await settle(hass, service, freezer, Status.DELIVERED)
    assert [run.data["entity_id"] for run in runs] == [MUM]


def device_target(hass: HomeAssistant) -> dict[str, str]:
    return {"device_id": er.async_get(hass).async_get("notify.mum").device_id or ""}


def area_target(hass: HomeAssistant) -> dict[str, str]:
    area = ar.async_get(hass).async_create("Home")
    for entity_id in ("notify.mum", ACCOUNT):
        device_id = er.async_get(hass).async_get(entity_id).device_id
        dr.async_get(hass).async_update_device(device_id or "", area_id=area.id)
    return {"area_id": area.id}


@pytest.mark.parametrize("target_of", [device_target, area_target])
async def test_devices_and_areas_are_targets(
    hass: HomeAssistant,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    target_of: Callable[[HomeAssistant], dict[str, str]],
) -> None:
    runs = await listen(hass, "message_delivered", target=target_of(hass))
    await send(hass, "Hello")
    await settle(hass, service, freezer, Status.DELIVERED)
    assert seen(runs) == [("delivered", "Hello")]


async def test_a_label_is_a_target_and_others_under_it_do_not_fire(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, family_label: str
) -> None:
    foreign = er.async_get(hass).async_get_or_create(
        "event", "other", "1", suggested_object_id="other", translation_key="message"
    )
    er.async_get(hass).async_update_entity(foreign.entity_id, labels={family_label})
    runs = await listen(hass, "message_delivered", target={"label_id": family_label})
    for event in ("1", "2"):
        hass.states.async_set(foreign.entity_id, event, {"event_type": "delivered"})
        await hass.async_block_till_done()
    await send(hass, "Hello")
    await settle(hass, service, freezer, Status.DELIVERED)
    assert runs == []
    await send(hass, "Hello, Dad", to="notify.dad")
    await settle(hass, service, freezer, Status.DELIVERED)
    assert seen(runs) == [("delivered", "Hello, Dad")]


@pytest.mark.parametrize(("tag", "expected"), [("alarm", ["Leak"]), ("", ["Leak", "Report"])])
async def test_a_tag_selects_messages_and_an_empty_one_all(
    hass: HomeAssistant, service: SimulatedService, tag: str, expected: list[str]
) -> None:
    runs = await listen(hass, "message_failed", target={"entity_id": ACCOUNT}, tag=tag)
    service.account.quota = 0
    await send_tagged(hass, "Leak", "alarm")
    await send_tagged(hass, "Report", "report")
    assert [run.data["message"] for run in runs] == expected


async def test_nothing_fires_when_the_account_is_reloaded(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, entry: MockConfigEntry
) -> None:
    runs = await listen(hass, "message_delivered", target={"entity_id": [ACCOUNT, MUM]})
    await send(hass, "Hello")
    await settle(hass, service, freezer, Status.DELIVERED)
    assert len(runs) == 1
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(MUM).attributes["event_type"] == "delivered"
    assert len(runs) == 1
    await send(hass, "Again")
    await settle(hass, service, freezer, Status.DELIVERED)
    assert seen(runs)[1:] == [("delivered", "Again")]


async def test_an_automation_that_is_there_before_the_account_fires(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, entry: MockConfigEntry
) -> None:
    # As at a start of Home Assistant, where the entities are still unavailable when automations begin to listen.
    await send(hass, "Before")
    await settle(hass, service, freezer, Status.DELIVERED)
    assert await hass.config_entries.async_unload(entry.entry_id)
    runs = await listen(hass, "message_delivered", target={"entity_id": [ACCOUNT, MUM]})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert (hass.states.get(MUM).attributes["event_type"], runs) == ("delivered", [])
    await send(hass, "Hello")
    await settle(hass, service, freezer, Status.DELIVERED)
    assert seen(runs) == [("delivered", "Hello")]


async def test_the_trace_says_why_a_message_did_not_fire(
    hass: HomeAssistant,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    hass_ws_client: WebSocketGenerator,
) -> None:
    assert await async_setup_component(hass, "trace", {})
    await listen(hass, "message_failed", target={"entity_id": MUM}, tag="alarm")
    await send_tagged(hass, "Private text", "report")
    await settle(hass, service, freezer, Status.DELIVERY_ERROR)
    client = await hass_ws_client()
    results: list[dict[str, Any]] = []
    await client.send_json_auto_id({"type": "trace/list", "domain": "automation", "item_id": "test"})
    for trace in (await client.receive_json())["result"]:
        await client.send_json_auto_id(
            {"type": "trace/get", "domain": "automation", "item_id": "test", "run_id": trace["run_id"]}
        )
        [step] = (await client.receive_json())["result"]["trace"]["trigger/0"]
        results.append(step["result"])
    assert {"reason": "event_type_not_matching", "data": {"entity_id": MUM, "event_type": "accepted"}} in results
    assert {"reason": "tag_not_matching", "data": {"entity_id": MUM}} in results
    assert "Private text" not in json.dumps(results)


@pytest.mark.parametrize("options", [{"tags": "alarm"}, {"tag": ["alarm"]}, {"behavior": "each"}, {"tag": None}])
async def test_other_options_are_refused(hass: HomeAssistant, options: dict[str, Any]) -> None:
    assert await async_setup_component(hass, "automation", {})
    config = [{"platform": "gosms.message_failed", "target": {"entity_id": MUM}, "options": options}]
    with pytest.raises(vol.Invalid):
        await async_validate_trigger_config(hass, config)


async def test_every_trigger_is_described_for_the_editor(hass: HomeAssistant) -> None:
    descriptions = await async_get_all_descriptions(hass)
    keys = set(await async_get_triggers(hass))
    assert keys == {"message_delayed", "message_delivered", "message_failed", "message_queued"}
    for key in keys:
        assert descriptions[f"gosms.{key}"] == {
            "fields": {"tag": {"selector": {"text": {"multiline": False, "multiple": False}}}},
            "target": {"entity": [{"domain": ["event"], "integration": "gosms"}]},
        }


async def test_every_final_event_has_a_trigger_but_a_cancellation(hass: HomeAssistant) -> None:
    triggers = await async_get_triggers(hass)
    # The base class in Home Assistant has no such attribute.
    event_types: dict[str, set[str]] = {key: trigger._event_types for key, trigger in triggers.items()}  # type: ignore[attr-defined]
    assert set(EVENT_TYPES) - set().union(*event_types.values()) - {"cancelled"} == {State.ACCEPTED, State.SENT}
    assert event_types["message_failed"] == {
        "send_failed",
        "delivery_failed",
        "refused",
        "expired",
        "unconfirmed",
    }


def test_the_file_of_descriptions_is_shipped() -> None:
    assert {"conditions.yaml", "triggers.yaml"} <= {file.name for file in PACKAGE.iterdir()}


async def test_the_editor_offers_the_triggers_for_the_device_of_a_recipient(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(hass, "automation", {})
    client = await hass_ws_client()
    await client.send_json_auto_id({"type": "get_triggers_for_target", "target": device_target(hass)})
    offered = (await client.receive_json())["result"]
    assert {f"gosms.{key}" for key in await async_get_triggers(hass)} <= set(offered)
