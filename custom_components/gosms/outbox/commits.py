"""Group commit: all changes of one moment are committed together, and commits run one at a time."""

import asyncio
from collections.abc import Awaitable, Callable
import logging
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .storage import StorageError

_LOGGER = logging.getLogger(__name__)

# Seconds before a failed commit is retried, unless another one is requested first.
_DISK_PAUSE: Final = 60.0


class GroupCommit:
    """Runs a commit soon after a change. Requests made at the same moment share one commit.

    Commits run in a task of their own: if a caller is canceled, others still rely on the commit.
    """

    def __init__(self, hass: HomeAssistant, commit: Callable[[], Awaitable[StorageError | None]]) -> None:
        """Initialize; `commit` commits the changes, notifies those concerned, and returns the error or None."""
        self._hass = hass
        self._commit = commit
        self._is_needed = False
        self._is_requested = False
        self._task: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[StorageError | None]] = []
        self._cancel_retry: CALLBACK_TYPE = lambda: None

    @callback
    def async_request(self) -> None:
        """Request a commit, since something changed."""
        self._is_needed = True
        self._async_start()

    async def async_wait(self) -> None:
        """Wait until everything is committed in its current state.

        Raises:
            StorageError: the commit failed.
        """
        if self._is_needed or self._task:
            future: asyncio.Future[StorageError | None] = self._hass.loop.create_future()
            self._waiting.append(future)
            self._async_start()
            if failure := await future:
                raise failure

    async def async_close(self) -> None:
        """Commit what is not on disk yet, then stop."""
        if self._is_needed:
            self._async_start()
        while self._task:
            await asyncio.wait([self._task])
        self._cancel_retry()

    @callback
    def _async_start(self) -> None:
        """Start a commit, or another one after the one in progress."""
        self._is_requested = True
        self._cancel_retry()
        if self._task is None:
            self._task = self._hass.async_create_task(self._async_run(), "GoSMS.ru store", eager_start=False)

    async def _async_commit(self) -> StorageError | None:
        """Commit, and return the error or None. An error in a listener must not leave callers waiting."""
        try:
            return await self._commit()
        except Exception as err:
            _LOGGER.exception("Unexpected error during a commit")
            return StorageError(type(err).__name__)

    async def _async_run(self) -> None:
        """Commit until no further commit is requested."""
        failure: StorageError | None = None
        try:
            while self._is_requested:
                # Include what workers do at this moment, such as starting an attempt for a new message.
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
