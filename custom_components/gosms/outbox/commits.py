"""Commits of all that changes at one moment, one after the other."""

import asyncio
from collections.abc import Awaitable, Callable
import logging
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .storage import StorageError

_LOGGER = logging.getLogger(__name__)

# Seconds until a disk that did not take a commit is tried again without a new reason.
_DISK_PAUSE: Final = 60.0


class GroupCommit:
    """Runs a commit soon after something changed; all who ask at one moment share it.

    It runs in a task of its own: a caller who is canceled must not leave a commit half done that others rely on.
    """

    def __init__(self, hass: HomeAssistant, commit: Callable[[], Awaitable[StorageError | None]]) -> None:
        """Make it; `commit` commits what changed, tells those concerned, and returns why it failed, or None."""
        self._hass = hass
        self._commit = commit
        self._is_needed = False
        self._is_requested = False
        self._task: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[StorageError | None]] = []
        self._cancel_retry: CALLBACK_TYPE = lambda: None

    @callback
    def async_request(self) -> None:
        """Commit soon, since something changed."""
        self._is_needed = True
        self._async_start()

    async def async_wait(self) -> None:
        """Return once everything is committed as it is now.

        Raises:
            StorageError: it is not on disk.
        """
        if self._is_needed or self._task:
            future: asyncio.Future[StorageError | None] = self._hass.loop.create_future()
            self._waiting.append(future)
            self._async_start()
            if failure := await future:
                raise failure

    async def async_close(self) -> None:
        """Commit what is not on disk yet, and nothing more."""
        if self._is_needed:
            self._async_start()
        while self._task:
            await asyncio.wait([self._task])
        self._cancel_retry()

    @callback
    def _async_start(self) -> None:
        """Begin a commit, or one more after that which is running."""
        self._is_requested = True
        self._cancel_retry()
        if self._task is None:
            self._task = self._hass.async_create_task(self._async_run(), "GoSMS.ru store", eager_start=False)

    async def _async_commit(self) -> StorageError | None:
        """Commit, and return why that failed; a mistake of those who are told must not leave anybody waiting."""
        try:
            return await self._commit()
        except Exception as err:
            _LOGGER.exception("Unexpected error during a commit")
            return StorageError(type(err).__name__)

    async def _async_run(self) -> None:
        """Commit until nobody asks for it any more."""
        failure: StorageError | None = None
        try:
            while self._is_requested:
                # What a worker does at this moment, such as beginning to send a message that just came, is part of it.
                await asyncio.sleep(0)
                self._is_requested = False
                waiting, self._waiting = self._waiting, []
                if self._is_needed:
                    self._is_needed = False
                    failure = await self._async_commit()
                    self._is_needed |= failure is not None
                for future in waiting:
                    if not future.done():
                        future.set_result(failure)
        finally:
            self._task = None
        if failure:
            self._cancel_retry = self._hass.loop.call_later(_DISK_PAUSE, self._async_start).cancel
