"""Days of messages in virtual time, on the real database: neither the memory nor the file grows with them.

`scripts/test --thorough` sends 20,000 messages over five days.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import gc
from pathlib import Path
import tracemalloc
from typing import Final, cast, override
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import ConfigEntries
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.storage import Store
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.api import GoSmsClient, Message, MessagePage, MessageStatus
from custom_components.gosms.outbox import Outbox, Recipient, SendRequest
from custom_components.gosms.outbox.clock import Boot
from tests import PACKAGE
from tests.common import MUM
from tests.outbox.virtual_time import VirtualTimeLoop

_START: Final = datetime(2026, 11, 26, tzinfo=UTC)
_DAY: Final = 24 * 60 * 60
# Seconds until the service tells that a message was delivered.
_DELIVERY: Final = 20.0
# Messages that the service tells of.
_PAGE: Final = 100


class InlineLoop(VirtualTimeLoop):
    """Runs the work of threads at once, since the virtual clock does not wait for them."""

    @override
    def run_in_executor[*Ts, T](
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as err:  # noqa: BLE001  # As a thread would.
            future.set_exception(err)
        return future


class DeliveringService:
    """Takes everything, delivers it after a while, and keeps the newest messages only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._accepted = 0
        self._messages: deque[tuple[float, Message]] = deque(maxlen=_PAGE)

    @property
    def server_time(self) -> float:
        """The service's clock."""
        return _START.timestamp() + self._loop.time()

    async def send(self, number: str, text: str, **_options: object) -> str:
        """Take a message."""
        await asyncio.sleep(0.05)
        self._accepted += 1
        message = Message(
            id=f"{self._accepted:024x}",
            phone_number=number,
            text=text,
            status_code=MessageStatus.WAITING,
            device_id=None,
            sim=None,
            callback_id=None,
            created=_START + timedelta(seconds=self._loop.time()),
        )
        self._messages.appendleft((self._loop.time(), message))
        return message.id

    async def list(self, **_options: object) -> MessagePage:
        """Return the newest messages."""
        await asyncio.sleep(0.05)
        delivered = self._loop.time() - _DELIVERY
        return MessagePage(
            total=self._accepted,
            messages=tuple(
                replace(message, status_code=MessageStatus.DELIVERED) if accepted < delivered else message
                for accepted, message in self._messages
            ),
        )


async def soak(folder: Path, loop: InlineLoop, days: int, messages: int) -> list[tuple[int, int]]:
    """Send so many messages, evenly over so many days; return bytes in memory and on disk after each day."""
    hass = HomeAssistant(str(folder))
    hass.config_entries = ConfigEntries(hass, {})
    hass.set_state(CoreState.running)
    entry = MockConfigEntry(domain="gosms", options={"hourly_limit": 0, "history_days": 0})
    service = DeliveringService(loop)

    async def poll() -> MessagePage:
        page = await service.list()
        outbox.async_apply(page)
        return page

    outbox = Outbox(hass, entry, cast("GoSmsClient", service), poll, boot=Boot(boot_id="the boot", clock=loop.time))
    await outbox.async_load()
    ends: list[str] = []
    outbox.async_add_event_listener(
        lambda _message, event: ends.append(event.type) if event.type == "delivered" else None
    )
    outbox.async_start()
    measured: list[tuple[int, int]] = []
    for _ in range(days):
        for number in range(messages // days):
            request = SendRequest(
                to=(Recipient(phone_number=MUM),), text="Leak", parts=("Leak",), idempotency_key=f"{loop.time()}"
            )
            (result,) = await outbox.async_send(request)
            assert result.status == "waiting", number
            await asyncio.sleep(_DAY / (messages // days))
        await hass.async_block_till_done()
        measured.append((_memory(), sum(file.stat().st_size for file in (folder / ".storage").iterdir())))
    await asyncio.sleep(_DAY)
    assert len(ends) == messages // days * days
    await outbox.async_unload()
    await hass.async_stop(force=True)
    return measured


def _memory() -> int:
    """Return the bytes that the package has allocated and not freed."""
    gc.collect()
    snapshot = tracemalloc.take_snapshot()
    own = snapshot.filter_traces([tracemalloc.Filter(inclusive=True, filename_pattern=f"{PACKAGE}/*")])
    return sum(statistic.size for statistic in own.statistics("filename"))


@pytest.mark.timeout(3600)
def test_days_of_messages_leave_memory_and_file_as_they_were(tmp_path: Path, *, thorough: bool) -> None:
    (tmp_path / ".storage").mkdir()
    loop = InlineLoop(60.0)
    tracemalloc.start()
    try:
        with patch.object(Store, "_async_write_data", AsyncMock()):
            measured = loop.run_until_complete(soak(tmp_path, loop, 5, 20_000 if thorough else 500))
    finally:
        tracemalloc.stop()
        loop.close()
    # What is remembered for a day is there after the first two. The SMS of a month are counted by quarters of an hour.
    _, (memory, size), *_, (last_memory, last_size) = measured
    assert last_memory < 1.1 * memory, measured
    assert last_size < 1.3 * size, measured
