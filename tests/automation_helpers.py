"""Helpers to run automations and scripts that send messages."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.persistent_notification import DOMAIN as NOTIFICATIONS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, label_registry as lr
from homeassistant.setup import async_setup_component
from homeassistant.util import slugify
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from simulator import Account
from tests.common import set_up, wait_until


@pytest.fixture
def configuration() -> dict[str, Any]:
    """The content of configuration.yaml when Home Assistant starts."""
    return {}


@pytest.fixture
async def init_integration(
    hass: HomeAssistant, entry: MockConfigEntry, account: Account, configuration: dict[str, Any]
) -> AsyncGenerator[None]:
    """Set up the account with the recipients Mum and Dad; frozen time would make its rate limit permanent."""
    account.rate_limit = None
    assert await async_setup_component(hass, "persistent_notification", {})
    await set_up_yaml(hass, configuration)
    await set_up(hass, entry)
    yield
    # An automation that waits for a time has a timer.
    for automation in hass.states.async_entity_ids("automation"):
        await hass.services.async_call("automation", "turn_off", {"entity_id": automation}, blocking=True)


def add_label(hass: HomeAssistant, name: str, entity_id: str) -> str:
    """Create a label, give it to the device of an entity, and return its ID."""
    label = lr.async_get(hass).async_create(name)
    entity = er.async_get(hass).async_get(entity_id)
    assert entity is not None
    assert entity.device_id is not None
    dr.async_get(hass).async_update_device(entity.device_id, labels={label.label_id})
    return label.label_id


@pytest.fixture
def family_label(hass: HomeAssistant, init_integration: None) -> str:
    """A label of Dad's device."""
    return add_label(hass, "Family", "notify.dad")


def notifications(hass: HomeAssistant) -> list[tuple[str | None, str]]:
    """Return the title and the text of each persistent notification."""
    return [(each["title"], each["message"]) for each in hass.data.get(NOTIFICATIONS, {}).values()]


async def _advance_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float) -> None:
    """Advance the time, without waiting for automations that wait themselves."""
    freezer.tick(seconds)
    async_fire_time_changed(hass)
    # The service responds over a real socket, and the clock of the event loop is frozen too.
    for _ in range(50):
        await asyncio.sleep(0)
    # A job of a slow disk must end before the time is advanced again.
    await wait_until(lambda: all(isinstance(each, asyncio.Task) for each in (*hass._tasks, *hass._background_tasks)))


async def advance_time_until(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, condition: Callable[[], object]
) -> None:
    """Advance the time second by second until a condition is met, for an hour at most."""
    for _ in range(3600):
        if condition():
            return
        await _advance_time(hass, freezer, 1)
    pytest.fail("The condition was not met within an hour")


async def run_script(hass: HomeAssistant, script: str, **data: Any) -> dict[str, Any]:
    """Run a script and return its response."""
    answer = await hass.services.async_call("script", script, data, blocking=True, return_response=True)
    await hass.async_block_till_done()
    assert isinstance(answer, dict)
    return answer


async def set_states(hass: HomeAssistant, entity_id: str, *states: str, **attributes: Any) -> None:
    """Set the states of an entity one after another, and wait for everything that follows."""
    for state in states:
        hass.states.async_set(entity_id, state, attributes)
        await hass.async_block_till_done()


async def set_up_yaml(hass: HomeAssistant, content: dict[str, Any]) -> None:
    """Set up YAML: an automation, a script, a part of configuration.yaml, or an action as the script `example`."""
    match content:
        case {"triggers": _} | {"use_blueprint": _}:
            assert await async_setup_component(hass, "automation", {"automation": content})
            assert hass.states.get(f"automation.{slugify(content['alias'])}").state == "on"
        case {"action": _}:
            # The script returns the response of the action.
            answer = {"response_variable": content["response_variable"]} if "response_variable" in content else {}
            sequence = [content, {"stop": "Done", **answer}]
            assert await async_setup_component(hass, "script", {"script": {"example": {"sequence": sequence}}})
        case {"sequence": _}:
            assert await async_setup_component(hass, "script", {"script": {slugify(content["alias"]): content}})
            assert hass.services.has_service("script", slugify(content["alias"]))
        case _:
            for integration in content:
                assert await async_setup_component(hass, integration, content)
    await hass.async_block_till_done()
