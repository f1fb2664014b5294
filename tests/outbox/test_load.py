"""How long the event loop is held by many messages at once."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
import time
from typing import Any, Final, cast, override
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import ConfigEntries
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util.json import JsonObjectType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.api import GoSmsClient, GoSmsConnectionError, MessagePage
from custom_components.gosms.outbox import Outbox, Recipient, SendRequest
from custom_components.gosms.outbox.clock import Boot
from custom_components.gosms.outbox.storage import Changes, Contents, Storage
from tests.common import MUM
from tests.outbox.virtual_time import VirtualTimeLoop

# Seconds that the event loop may be held at once.
MAX_BLOCK: Final = 0.1


class NullStorage(Storage):
    """A storage that keeps nothing: what the real one does, it does in a thread."""

    @override
    async def async_load(self, finished_after: Callable[[Mapping[str, JsonObjectType]], float]) -> Contents:
        """Return nothing."""
        finished_after({})
        return Contents()

    @override
    async def async_commit(self, changes: Changes) -> None:
        """Take a moment."""
        await asyncio.sleep(0.001)

    @override
    async def async_close(self) -> None:
        """Close nothing."""

    @override
    async def async_remove(self) -> None:
        """Remove nothing."""

    @override
    async def async_begin_backup(self) -> None:
        """Keep nothing still."""

    @override
    def async_end_backup(self) -> None:
        """Keep nothing still."""


class CountingClient:
    """A service that takes everything, or cannot be reached."""

    server_time = 1_800_000_000.0

    def __init__(self, *, is_down: bool) -> None:
        self._errors = [GoSmsConnectionError("no connection", maybe_accepted=False)] * is_down
        self._ids = count()

    async def send(self, _number: str, _text: str, **_options: object) -> str:
        """Take a message."""
        await asyncio.sleep(0.01)
        for error in self._errors:
            raise error
        return f"{next(self._ids):024x}"

    async def list(self, **_options: object) -> MessagePage:
        """Tell of no message."""
        return MessagePage(total=0)


class Stopwatch:
    """Measures the longest single step of the event loop."""

    def __init__(self) -> None:
        self.longest = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure each step in this context."""
        run = asyncio.Handle._run

        def measure(handle: asyncio.Handle) -> None:
            before = time.perf_counter()
            run(handle)
            self.longest = max(self.longest, time.perf_counter() - before)

        with patch.object(asyncio.Handle, "_run", measure):
            yield


async def send_many(outbox: Outbox, calls: int) -> list[str | None]:
    """Send so many messages at once, and return what went wrong with each."""
    requests = [
        SendRequest(
            to=(Recipient(phone_number=MUM),), text=f"{number}", parts=(f"{number}",), idempotency_key=f"{number}"
        )
        for number in range(calls)
    ]
    results = await asyncio.gather(*(outbox.async_send(request) for request in requests))
    return [result.failure.key if result.failure else None for (result,) in results]


def measure(calls: int, *, is_down: bool) -> tuple[float, list[str | None]]:
    """Return the longest step with so many calls after 1,000 others, and what went wrong with the calls."""
    loop = VirtualTimeLoop(60.0)
    stopwatch = Stopwatch()

    async def run() -> list[str | None]:
        hass = HomeAssistant("/nowhere")
        hass.config_entries = ConfigEntries(hass, {})
        hass.set_state(CoreState.running)
        entry = MockConfigEntry(domain="gosms", options={"hourly_limit": 0})
        client = CountingClient(is_down=is_down)
        outbox = Outbox(
            hass,
            entry,
            cast("GoSmsClient", client),
            AsyncMock(return_value=None),
            storage=NullStorage(),
            boot=Boot(boot_id="one", clock=loop.time),
        )
        await outbox.async_load()
        outbox.async_start()
        await send_many(outbox, 1000)
        with stopwatch.running():
            failures = await send_many(outbox, calls)
            await asyncio.sleep(1)
        await outbox.async_unload()
        await hass.async_stop(force=True)
        return failures

    with patch.object(Store, "_async_write_data", AsyncMock()):
        failures = loop.run_until_complete(run())
    loop.close()
    return stopwatch.longest, failures


@pytest.mark.parametrize(
    ("is_down", "outcome"),
    [
        # The first thousand calls are repetitions.
        (False, {None: 2000, "queue_full": 3000}),
        (True, {None: 1000, "queue_full": 4000}),
    ],
    ids=["up", "down"],
)
def test_5000_calls_at_once_do_not_hold_the_event_loop(outcome: dict[Any, int], *, is_down: bool) -> None:
    # What else the machine does takes its time, too: the best of three counts.
    measured = [measure(5000, is_down=is_down) for _ in range(3)]
    assert [Counter(failures) for _, failures in measured] == [outcome] * 3
    assert min(block for block, _ in measured) < MAX_BLOCK
