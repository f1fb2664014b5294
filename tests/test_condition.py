"""The conditions: true only for what is known to be true."""

from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.condition import (
    ConditionConfig,
    async_from_config,
    async_get_all_descriptions,
    async_validate_condition_config,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.gosms.condition import PhoneReady, async_get_conditions
from simulator import Account, Fault, Status
from tests.common import PHONE, SimulatedService, add_phone, advance_time, send

MUM: Final = "sensor.mum_last_message_status"
DAD: Final = "sensor.dad_last_message_status"
QUEUED: Final = "sensor.gosms_ru_queued_messages"
ONLINE: Final = "binary_sensor.pixel_8_online"
SENDING: Final = "switch.pixel_8_sending"

pytestmark = [
    pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"),
    pytest.mark.usefixtures("no_rate_limit", "init_integration"),
]


@pytest.fixture
def entry(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """An account with two recipients and a phone, not set up yet."""
    add_phone(hass, entry)
    return entry


async def holds(hass: HomeAssistant, key: str, target: dict[str, Any], **options: Any) -> bool | None:
    """Return whether a condition is met."""
    assert await async_setup_component(hass, "automation", {})
    config = {"condition": f"gosms.{key}", "target": target, "options": options}
    checker = await async_from_config(hass, await async_validate_condition_config(hass, config))
    try:
        return checker.async_check()
    finally:
        checker.async_unload()


def entities(*entity_ids: str) -> dict[str, list[str]]:
    return {"entity_id": list(entity_ids)}


async def test_the_last_message_is_delivered_only_after_its_report(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    assert not await holds(hass, "last_message_delivered", entities(MUM))
    await send(hass, "Hello")
    assert not await holds(hass, "last_message_delivered", entities(MUM))
    service.account.set_status(service.account.messages[0].id, Status.DELIVERED)
    await advance_time(hass, freezer, 6)
    assert await holds(hass, "last_message_delivered", entities(MUM))
    assert not await holds(hass, "last_message_delivered", entities(MUM), **{"for": {"minutes": 5}})
    await advance_time(hass, freezer, 301)
    assert await holds(hass, "last_message_delivered", entities(MUM), **{"for": {"minutes": 5}})
    await send(hass, "Again")
    assert not await holds(hass, "last_message_delivered", entities(MUM))


@pytest.mark.parametrize("unknown", ["unknown", "unavailable"])
async def test_what_is_not_known_is_not_delivered(hass: HomeAssistant, unknown: str) -> None:
    hass.states.async_set(MUM, "delivered")
    hass.states.async_set(DAD, unknown)
    assert await holds(hass, "last_message_delivered", entities(MUM, DAD), behavior="any")
    assert not await holds(hass, "last_message_delivered", entities(MUM, DAD), behavior="all")
    hass.states.async_set(DAD, "delivered")
    assert await holds(hass, "last_message_delivered", entities(MUM, DAD), behavior="all")


@pytest.mark.parametrize("behavior", ["any", "all"])
@pytest.mark.parametrize("key", ["last_message_delivered", "messages_waiting", "phone_ready"])
async def test_no_condition_is_met_without_an_entity_of_its_own(hass: HomeAssistant, key: str, behavior: str) -> None:
    # The base class in Home Assistant has no such attribute.
    own_key: str = (await async_get_conditions(hass))[key]._key  # type: ignore[attr-defined]
    for domain in ("sensor", "binary_sensor"):
        foreign = er.async_get(hass).async_get_or_create(
            domain, "other", "1", suggested_object_id="other", translation_key=own_key
        )
        hass.states.async_set(foreign.entity_id, "delivered" if domain == "sensor" else "on")
    target = entities("sensor.other", "binary_sensor.other", "sensor.missing", "event.mum_message")
    assert await holds(hass, key, target, behavior=behavior) is False


async def test_messages_wait_from_the_outage_to_its_end(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory
) -> None:
    account = {"device_id": er.async_get(hass).async_get(QUEUED).device_id}
    assert not await holds(hass, "messages_waiting", account)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint="POST /sms/send", times=1)
    await send(hass, "Hello")
    assert await holds(hass, "messages_waiting", account)
    await advance_time(hass, freezer, 60)
    assert not await holds(hass, "messages_waiting", account)


def phone_device(hass: HomeAssistant) -> dict[str, str]:
    return {"device_id": er.async_get(hass).async_get(ONLINE).device_id or ""}


async def test_a_phone_is_ready_while_it_is_online_and_may_send(
    hass: HomeAssistant, account: Account, freezer: FrozenDateTimeFactory
) -> None:
    assert hass.states.get(SENDING).state == "on"
    assert await holds(hass, "phone_ready", phone_device(hass))
    await hass.services.async_call("switch", "turn_off", {"entity_id": SENDING}, blocking=True)
    assert not await holds(hass, "phone_ready", phone_device(hass))
    await hass.services.async_call("switch", "turn_on", {"entity_id": SENDING}, blocking=True)
    assert await holds(hass, "phone_ready", phone_device(hass))
    account.phones[PHONE].set_online(online=False, now=account.clock())
    await advance_time(hass, freezer, 20 * 60)
    assert not await holds(hass, "phone_ready", phone_device(hass))


async def test_a_phone_without_its_switch_is_ready_while_it_is_online(hass: HomeAssistant) -> None:
    er.async_get(hass).async_remove(SENDING)
    await hass.async_block_till_done()
    assert await holds(hass, "phone_ready", entities(ONLINE))


async def test_a_label_of_the_phone_is_a_target(hass: HomeAssistant, family_label: str) -> None:
    assert not await holds(hass, "phone_ready", {"label_id": family_label})
    dr.async_get(hass).async_update_device(phone_device(hass)["device_id"], labels={family_label})
    assert await holds(hass, "phone_ready", {"label_id": family_label})


async def test_the_readiness_of_a_phone_is_polled(hass: HomeAssistant) -> None:
    # It depends on the switch too, whose changes are not tracked.
    config = ConditionConfig(target=entities(ONLINE), options={"behavior": "any"})
    assert PhoneReady(hass, config).needs_polling


async def test_every_condition_is_described_for_the_editor(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(hass, "automation", {})
    keys = {f"gosms.{key}" for key in await async_get_conditions(hass)}
    assert keys == {"gosms.last_message_delivered", "gosms.messages_waiting", "gosms.phone_ready"}
    descriptions = await async_get_all_descriptions(hass)
    fields = {key: set((descriptions[key] or {})["fields"]) for key in keys}
    assert fields == {
        "gosms.last_message_delivered": {"behavior", "for"},
        "gosms.messages_waiting": {"behavior", "for"},
        "gosms.phone_ready": {"behavior"},
    }
    client = await hass_ws_client()
    offered: dict[str, set[str]] = {}
    for entity_id in (MUM, QUEUED, ONLINE):
        device = {"device_id": er.async_get(hass).async_get(entity_id).device_id}
        await client.send_json_auto_id({"type": "get_conditions_for_target", "target": device})
        offered[entity_id] = {key for key in (await client.receive_json())["result"] if key.startswith("gosms.")}
    assert "gosms.last_message_delivered" in offered[MUM]
    assert "gosms.messages_waiting" in offered[QUEUED]
    assert "gosms.phone_ready" in offered[ONLINE]
