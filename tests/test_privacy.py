"""What Home Assistant itself keeps of a message, as the READMEs tell."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import restore_state
from homeassistant.helpers.json import json_bytes
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests import API_TOKEN
from tests.common import MUM, SimulatedService, send, set_up

pytestmark = [pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"), pytest.mark.usefixtures("no_rate_limit")]

EVENTS = {"event.gosms_ru_message", "event.mum_message"}


def kept(hass: HomeAssistant, secret: str) -> set[str]:
    """The entities with which something is written into `.storage/core.restore_state`."""
    states = restore_state.async_get(hass).async_get_stored_states()
    return {stored.state.entity_id for stored in states if secret.encode() in json_bytes(stored.as_dict())}


async def test_only_the_last_event_is_kept_with_number_and_text(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    await send(hass, "All is dry")
    assert kept(hass, "Water leak!") == set()
    assert kept(hass, "All is dry") == kept(hass, MUM) == EVENTS


async def test_the_last_event_is_forgotten_a_week_after_its_entity(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(hass, entry)
    await send(hass, "Water leak!")
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    freezer.tick(timedelta(days=6))
    assert kept(hass, "Water leak!") == EVENTS
    freezer.tick(timedelta(days=2))
    assert kept(hass, "Water leak!") == set()


async def test_only_the_config_entries_have_the_token_and_the_numbers(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    await set_up(hass, entry)
    hass.config_entries.async_update_entry(entry, title="Home")
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert {"core.config_entries", "core.device_registry", "core.entity_registry"} <= hass_storage.keys()
    for secret in (API_TOKEN, MUM):
        assert [key for key, stored in hass_storage.items() if secret.encode() in json_bytes(stored)] == [
            "core.config_entries"
        ]
