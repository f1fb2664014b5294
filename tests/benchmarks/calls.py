"""Counts the calls of the integration's functions for a message, from the action to its delivery.

    .venv/bin/python -m pytest tests/benchmarks/calls.py -sq --no-cov

The account has two recipients, and its entities are the ones that are enabled by default. What a message causes by
itself is counted: sending it, the poll that follows, and a poll that finds it delivered.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import sys
from types import CodeType
from typing import Any, Final

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

PACKAGE: Final = str(Path(__file__).parents[2] / "custom_components" / "gosms")

MESSAGES: Final = 5
# Seconds after a poll in which the integration makes no other one.
COOLDOWN: Final = 2.1


@contextmanager
def counted_calls(calls: Counter[str]) -> Iterator[None]:
    """Count the calls of the package's functions; generators and lambdas are functions, comprehensions are none."""
    monitoring = sys.monitoring

    def count(code: CodeType, _offset: int) -> object:
        if not code.co_filename.startswith(PACKAGE) or code.co_name == "<genexpr>":
            return monitoring.DISABLE
        calls[f"{code.co_filename.removeprefix(PACKAGE)[1:]}: {code.co_qualname}"] += 1
        return None

    monitoring.use_tool_id(monitoring.PROFILER_ID, "calls")
    monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.PY_START, count)
    monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.PY_START)
    try:
        yield
    finally:
        monitoring.set_events(monitoring.PROFILER_ID, 0)
        monitoring.free_tool_id(monitoring.PROFILER_ID)


async def test_calls_of_a_message(hass: HomeAssistant, service: Any, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    stages: dict[str, Counter[str]] = {"send": Counter(), "delivery": Counter()}
    for number in range(MESSAGES):
        with counted_calls(stages["send"]):
            data = {"entity_id": "notify.mum", "message": f"Number {number}"}
            await hass.services.async_call("notify", "send_message", data, blocking=True)
            await hass.async_block_till_done()
        await asyncio.sleep(COOLDOWN)
        service.account.set_status(service.account.messages[0].id, 4)
        with counted_calls(stages["delivery"]):
            await entry.runtime_data.coordinator.async_refresh()
            await hass.async_block_till_done()
        await asyncio.sleep(COOLDOWN)
        assert hass.states.get("event.mum_message").attributes["event_type"] == "delivered"
    for stage, calls in stages.items():
        lines = [f"  {count / MESSAGES:6g}  {name}\n" for name, count in calls.most_common()]
        sys.stdout.write(f"\n{stage}: {calls.total() / MESSAGES:g} calls of {len(calls)} functions\n{''.join(lines)}")
