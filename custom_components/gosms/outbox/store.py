"""The messages on their way and the ledger, in memory and on disk. No other module knows the files."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
import logging
import secrets

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from .history import FinishedMessage, History
from .journal import Journal, Line, StorageError
from .message import OutgoingMessage
from .serialization import dump_history, dump_queue, load_history, load_queue

_LOGGER = logging.getLogger(__name__)


def _nothing(*_args: object) -> None:
    """Do nothing."""


class OutboxStore:
    """The messages of one account: `messages` and `ledger` are the truth, the files follow.

    Times on disk are ages, so that a wrong clock can't make a message old or young; only the time between two runs
    is told by the wall clock, and a clock that went back makes it none.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Make the store; nothing is read yet.

        `on_change` is called after each change of a message; `on_health` with each failure to write, and with None once
        writing succeeds.
        """
        self.on_change: Callable[[OutgoingMessage], None] = _nothing
        self.on_health: Callable[[StorageError | None], None] = _nothing
        self.messages: dict[str, OutgoingMessage] = {}
        self.history = History()
        # What fingerprints are made with. It stands in the file of the messages: the ledger alone, which outlives them,
        # lets nobody try out texts and numbers.
        self.secret = secrets.token_hex(16)
        # Keys of messages of which a line could not be read: it may have told of any of their parts.
        self.keys_in_damaged_records: set[str] = set()
        # The keys of the messages that are in the file.
        self.persisted_keys: set[str] = set()
        self._hass = hass
        self._queue_file = Journal(hass, f"{DOMAIN}.{entry_id}.outbox")
        self._history_file = Journal(hass, f"{DOMAIN}.{entry_id}.ledger")
        self._readable = True
        self._closed = False
        self._writer: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[StorageError | None]] = []
        self._is_healthy = False
        # What the files do not say yet: keys of messages that changed or ended, and the ends. In their order.
        self._changed: dict[str, None] = {}
        self._ended: list[FinishedMessage] = []

    async def async_load(self) -> None:
        """Read the files. What can't be read is set aside or left alone, and reported in the log."""
        now, saved = self._now()
        for file, load, write in (
            (self._history_file, self._load_history, self.async_write_history),
            (self._queue_file, self._load_queue, self.async_write_queue),
        ):
            try:
                if damaged := load(await file.async_read(), now):
                    aside = await file.async_set_aside(damaged)
                    _LOGGER.error("Parts of %s are damaged; they were set aside as %s", file.key, aside)
                    with suppress(StorageError):
                        await write(now, saved)
            except StorageError:
                # A newer version wrote it, or the disk does not give it back, or has no room for what is damaged:
                # writing over it would lose messages.
                self._readable = False
                _LOGGER.exception("Can't read %s, so it is left alone and nothing is stored", file.key)
        # Not earlier: what the queue still has of them must be known to have ended.
        self.history.forget(now)
        self.persisted_keys = set(self.messages)
        if self._readable and self._changed.keys() - self.messages.keys():
            with suppress(StorageError):
                await self.async_write_queue(now, saved)

    async def async_save(self) -> None:
        """Write the messages as they are now; calls at the same moment, or without a change between, share one write.

        Raises:
            StorageError: they are not on disk.
        """
        waiter = self._hass.loop.create_future()
        self._waiting.append(waiter)
        if self._writer is None:
            # In a task of its own: a caller who is cancelled must not leave a write half done that others rely on.
            self._writer = self._hass.async_create_task(self._async_work(), "GoSMS.ru outbox on its way to disk")
            if self._writer.done():
                self._writer = None
        if (failure := await waiter) is not None:
            raise failure

    async def _async_work(self) -> None:
        """Write as long as somebody waits for it."""
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                failure = await self._async_try_to_write()
                for waiter in waiting:
                    if not waiter.done():
                        waiter.set_result(failure)
                if failure or not self._is_healthy:
                    self._is_healthy = failure is None
                    self.on_health(failure)
        finally:
            self._writer = None

    async def _async_try_to_write(self) -> StorageError | None:
        """Write what is new, and return why that failed, or None."""
        try:
            await self.async_write()
        except StorageError as err:
            return err
        except Exception as err:
            # As long as it is not certain that they are on disk, they are not.
            _LOGGER.exception("Unexpected error while writing %s", self._queue_file.key)
            return StorageError(type(err).__name__)
        return None

    async def async_remove(self) -> None:
        """Remove the files, after a write that is running."""
        if self._writer:
            await self._writer
        await self._queue_file.async_remove()
        await self._history_file.async_remove()

    @property
    def is_closed(self) -> bool:
        """Tell if no message can be taken any more."""
        return self._closed

    def close(self) -> None:
        """Take no change any more: the next run owns the files from now on."""
        self._closed = True

    def update(self, key: str, step: Callable[[OutgoingMessage], OutgoingMessage]) -> OutgoingMessage:
        """Change a message as it is now, and return it.

        Whoever waited for something must come back this way: the message may have changed meanwhile, and a copy from
        before would tell again what was told.
        """
        changed = step(self.messages[key])
        if changed is not self.messages[key]:
            self.put(changed)
        return changed

    def put(self, message: OutgoingMessage) -> None:
        """Add a message, or the next state of one."""
        if self._closed:
            return
        self.messages[message.key] = message
        self._changed[message.key] = None
        self.on_change(message)

    def archive(self, message: OutgoingMessage) -> None:
        """Move a message that ended, and was told, to the ledger."""
        self._ended.append(self.history.add(message, self._hass.loop.time(), dt_util.now().date()))
        # However long the disk takes nothing: what the ledger forgot need not be written.
        del self._ended[: -len(self.history.ended)]
        del self.messages[message.key]
        self._changed[message.key] = None
        self.on_change(message)

    async def async_write(self) -> None:
        """Write what is new in the ledger, then what is new in the queue: a message is never in neither."""
        if self._closed or not self._readable:
            raise StorageError("the files must not be touched")
        # What ends during the write of one end must not leave the queue before the ledger has it.
        while self._ended:
            await self.async_write_history(*self._now())
        if self._changed:
            await self.async_write_queue(*self._now())

    async def async_write_history(self, now: float, saved: float) -> None:
        """Add the ends to the ledger's file, or put the ledger in its place."""
        ended, self._ended = self._ended, []
        afresh = self._history_file.needs_compaction
        news = replace(self.history, ended=list(self.history.ended) if afresh else ended)
        write = self._history_file.async_compact if afresh else self._history_file.async_add
        try:
            await write(lambda: dump_history(news, now, saved=saved))
        except BaseException:
            self._ended = ended + self._ended
            raise

    async def async_write_queue(self, now: float, saved: float) -> None:
        """Add the changes to the file of the messages, or put the messages in its place.

        Once none is on its way nothing stays in the file by which a person is known.
        """
        changed, self._changed = self._changed, {}
        gone = [key for key in changed if key not in self.messages]
        afresh = self._queue_file.needs_compaction or not self.messages
        messages = [self.messages[key] for key in (self.messages if afresh else changed) if key in self.messages]
        write = self._queue_file.async_compact if afresh else self._queue_file.async_add
        secret = self.secret if afresh else None
        try:
            await write(lambda: dump_queue(messages, [] if afresh else gone, now, saved=saved, secret=secret))
        except BaseException:
            self._changed = changed | self._changed
            raise
        self.persisted_keys.update(message.key for message in messages)
        self.persisted_keys.difference_update(gone)

    def _now(self) -> tuple[float, float]:
        """Return the time by the run's clock and by the wall clock."""
        return self._hass.loop.time(), dt_util.utcnow().timestamp()

    def _load_queue(self, lines: list[Line], now: float) -> list[bytes]:
        """Take up the stored messages, and return what is damaged."""
        queue = load_queue(lines, lambda saved: now - _elapsed(saved))
        self.secret = queue.secret or self.secret
        ended = {each.key for each in self.history.ended}
        for message in queue.messages.values():
            # What the ledger has was told to its end, and the disk took the ledger alone, or the run was killed before
            # the queue was written.
            if message.key not in ended:
                self.put(message)
            else:
                self._changed[message.key] = None
        if queue.damaged:
            self.keys_in_damaged_records = set(self.messages)
        return queue.damaged

    def _load_history(self, lines: list[Line], now: float) -> list[bytes]:
        """Take up the stored ledger, and return what is damaged."""
        self.history, damaged = load_history(lines, lambda saved: now - _elapsed(saved))
        return damaged


def _elapsed(saved: float) -> float:
    """Return the seconds since a line was written in an earlier run; none if the clock went back since."""
    return max(0.0, dt_util.utcnow().timestamp() - saved)
