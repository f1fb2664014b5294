"""The loop of the four workers: derive the work from the state of the messages, do it, and sleep until due or woken."""

from abc import ABC, abstractmethod
import asyncio
import logging
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

_LOGGER = logging.getLogger(__name__)

# Seconds. A persistent error must not become a busy loop.
_PAUSE_AFTER_ERROR: Final = 5.0
# Seconds. A due time in the past must not become one either.
_MIN_PAUSE: Final = 0.5


class Worker(ABC):
    """A level-triggered worker: each time, it derives its work from the state of the messages, and keeps no list of it.

    While there is nothing to do there is only a timer and no task, since Home Assistant waits for tasks.
    """

    def __init__(self, hass: HomeAssistant, name: str) -> None:
        """Initialize the worker; it does nothing before it is started."""
        self._hass = hass
        self._name = name
        self._is_running = False
        self._is_woken = False
        self._task: asyncio.Task[None] | None = None
        self._cancel_timer: CALLBACK_TYPE = lambda: None

    @abstractmethod
    async def _async_work(self, now: float) -> float | None:
        """Do what is due, and return when to continue, by the event loop's clock, or None to wait until woken."""

    @property
    def is_running(self) -> bool:
        """Return whether the worker has been started and not been closed."""
        return self._is_running

    @callback
    def async_start(self) -> None:
        """Start working."""
        self._is_running = True
        self.async_wake()

    @callback
    def async_wake(self) -> None:
        """Check the messages soon; calls at the same moment share one check."""
        self._is_woken = True
        if self._is_running and self._task is None:
            # The start of Home Assistant waits for tasks, except for those in the background.
            hass = self._hass
            create = hass.async_create_task if hass.is_running else hass.async_create_background_task
            self._task = create(self._async_run(), self._name, eager_start=False)

    async def async_close(self) -> None:
        """Start nothing more, and wait for the work in progress."""
        self._is_running = False
        self._cancel_timer()
        while self._task:
            await asyncio.wait([self._task])

    async def _async_run(self) -> None:
        """Work until there is no further wake-up, then schedule the next time."""
        self._cancel_timer()
        due: float | None = None
        try:
            while self._is_woken and self._is_running:
                self._is_woken = False
                due = await self._async_work(self._hass.loop.time())
        except Exception:
            _LOGGER.exception("Unexpected error in %s", self._name)
            due = self._hass.loop.time() + _PAUSE_AFTER_ERROR
        finally:
            self._task = None
        if due is not None and self._is_running:
            when = max(due, self._hass.loop.time() + _MIN_PAUSE)
            self._cancel_timer = self._hass.loop.call_at(when, self.async_wake).cancel
