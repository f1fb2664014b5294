"""A home with people in it that sends them messages: how automations are put into it, and what comes of them."""

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
from tests.service import Service, set_up


@pytest.fixture
def configuration() -> dict[str, Any]:
    """What stands in configuration.yaml when Home Assistant starts."""
    return {}


@pytest.fixture
async def home(
    hass: HomeAssistant, entry: MockConfigEntry, account: Account, configuration: dict[str, Any]
) -> AsyncGenerator[None]:
    """A home with two recipients, Mum and Dad, and no limit on the requests in a frozen second."""
    account.rate_limit = None
    assert await async_setup_component(hass, "persistent_notification", {})
    await put_in(hass, configuration)
    await set_up(hass, entry)
    yield
    # The next time an automation waits for is a timer.
    for automation in hass.states.async_entity_ids("automation"):
        await hass.services.async_call("automation", "turn_off", {"entity_id": automation}, blocking=True)


@pytest.fixture
def family(hass: HomeAssistant, home: None) -> str:
    """A label that Dad has."""
    label = lr.async_get(hass).async_create("Family")
    entity = er.async_get(hass).async_get("notify.dad")
    assert entity is not None
    assert entity.device_id is not None
    dr.async_get(hass).async_update_device(entity.device_id, labels={label.label_id})
    return label.label_id


async def until(condition: Callable[[], object]) -> None:
    """Let what is ready happen until something is so; time stands still meanwhile."""
    while not condition():
        await asyncio.sleep(0)


def sent(service: Service) -> list[tuple[str, str]]:
    """Return who was sent what, oldest first."""
    return [(message.phone_number, message.message) for message in reversed(service.account.messages)]


def notifications(hass: HomeAssistant) -> list[tuple[str | None, str]]:
    """Return the title and the text of each notification in the interface."""
    return [(each["title"], each["message"]) for each in hass.data.get(NOTIFICATIONS, {}).values()]


async def pass_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float) -> None:
    """Let time pass, without waiting for automations that themselves wait."""
    freezer.tick(seconds)
    async_fire_time_changed(hass)
    # The answers of the service come over a real socket, and the clock of the event loop stands still too.
    for _ in range(50):
        await asyncio.sleep(0)
    # A slow disk must not make hours of it.
    await until(lambda: all(isinstance(each, asyncio.Task) for each in (*hass._tasks, *hass._background_tasks)))


async def pass_time_until(hass: HomeAssistant, freezer: FrozenDateTimeFactory, condition: Callable[[], object]) -> None:
    """Let time pass second by second until something is so, which must be within an hour."""
    for _ in range(3600):
        if condition():
            return
        await pass_time(hass, freezer, 1)
    pytest.fail("It did not happen in an hour")


async def run(hass: HomeAssistant, script: str, **data: Any) -> dict[str, Any]:
    """Run a script, and return what it answers."""
    answer = await hass.services.async_call("script", script, data, blocking=True, return_response=True)
    await hass.async_block_till_done()
    assert isinstance(answer, dict)
    return answer


async def switch(hass: HomeAssistant, entity_id: str, *states: str, **attributes: Any) -> None:
    """Let an entity change, step by step, and everything happen that hangs on it."""
    for state in states:
        hass.states.async_set(entity_id, state, attributes)
        await hass.async_block_till_done()


async def put_in(hass: HomeAssistant, content: dict[str, Any]) -> None:
    """Put something in: automation, script, piece of configuration.yaml, or an action as the script `example`."""
    match content:
        case {"triggers": _} | {"use_blueprint": _}:
            assert await async_setup_component(hass, "automation", {"automation": content})
            assert hass.states.get(f"automation.{slugify(content['alias'])}").state == "on"
        case {"action": _}:
            # What it answers is handed on.
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
