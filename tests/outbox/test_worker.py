"""The loop of the workers."""

import asyncio
from collections.abc import Callable
from typing import override
from unittest.mock import AsyncMock, patch

from homeassistant.core import CoreState, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.gosms.outbox.worker import Worker


class RecordingWorker(Worker):
    """A worker that notes when it works.

    Attributes:
        works: how often it worked.
        step: what it does, which returns when there is more to do.
    """

    def __init__(self, hass: HomeAssistant, step: Callable[[float], float | None] = lambda _now: None) -> None:
        super().__init__(hass, "GoSMS.ru test worker")
        self.works = 0
        self.step = step

    @override
    async def _async_work(self, now: float) -> float | None:
        self.works += 1
        await asyncio.sleep(0)
        return self.step(now)


async def test_many_wakes_at_one_moment_are_one_look(hass: HomeAssistant) -> None:
    worker = RecordingWorker(hass)
    worker.async_start()
    for _ in range(10):
        worker.async_wake()
    await hass.async_block_till_done()
    assert worker.works == 1


async def test_a_wake_during_the_work_is_another_look(hass: HomeAssistant) -> None:
    worker = RecordingWorker(hass)
    worker.async_start()
    await asyncio.sleep(0)
    assert worker.works == 1
    worker.async_wake()
    await hass.async_block_till_done()
    assert worker.works == 2


async def test_a_worker_rests_until_it_is_started(hass: HomeAssistant) -> None:
    worker = RecordingWorker(hass)
    worker.async_wake()
    await hass.async_block_till_done()
    assert (worker.works, worker.is_running) == (0, False)
    worker.async_start()
    await hass.async_block_till_done()
    assert (worker.works, worker.is_running) == (1, True)


async def test_the_start_of_home_assistant_does_not_wait_for_work(hass: HomeAssistant) -> None:
    hass.set_state(CoreState.not_running)
    worker, answer = RecordingWorker(hass), asyncio.Event()
    with patch.object(worker, "_async_work", AsyncMock(side_effect=answer.wait)) as work:
        worker.async_start()
        await asyncio.sleep(0)
        await hass.async_block_till_done()
        work.assert_awaited_once()
        assert not answer.is_set()
        answer.set()
        await worker.async_close()
    hass.set_state(CoreState.running)


async def test_work_that_is_due_at_once_does_not_become_a_busy_loop(hass: HomeAssistant) -> None:
    worker = RecordingWorker(hass, lambda now: now - 1)
    worker.async_start()
    await asyncio.sleep(0.05)
    assert worker.works == 1
    await worker.async_close()


async def test_a_worker_works_again_when_it_is_due(hass: HomeAssistant) -> None:
    worker = RecordingWorker(hass, lambda now: now + 30)
    worker.async_start()
    await hass.async_block_till_done()
    worker.step = lambda _now: None
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done()
    assert worker.works == 2


async def test_an_unexpected_error_is_logged_and_the_work_tried_again(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_now: float) -> None:
        raise RuntimeError

    worker = RecordingWorker(hass, fail)
    worker.async_start()
    await hass.async_block_till_done()
    assert "Unexpected error in GoSMS.ru test worker" in caplog.text
    worker.step = lambda _now: None
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done()
    assert worker.works == 2


async def test_closing_lets_the_work_end_and_nothing_follows(hass: HomeAssistant) -> None:
    worker = RecordingWorker(hass, lambda now: now + 1)
    worker.async_start()
    await asyncio.sleep(0)
    await worker.async_close()
    worker.async_wake()
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done()
    assert worker.works == 1


async def test_closing_a_worker_that_rests_forgets_its_time(hass: HomeAssistant) -> None:
    worker = RecordingWorker(hass, lambda now: now + 30)
    worker.async_start()
    await hass.async_block_till_done()
    await worker.async_close()
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done()
    assert worker.works == 1
