"""The messages on their way and the ledger, in memory and on disk. No other module knows the files."""

import asyncio
from collections.abc import Callable
import logging
import os
from pathlib import Path
import secrets
from typing import Any, Final, override

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import DOMAIN
from .ledger import Ledger
from .message import OutgoingMessage
from .records import QUEUE, pack_ledger, pack_message, unpack_ledger, unpack_message

_LOGGER = logging.getLogger(__name__)

_VERSION: Final = 1


def _nothing(*_args: object) -> None:
    """Do nothing."""


class StorageError(Exception):
    """The disk did not take it."""


class _File(Store[dict[str, Any]]):
    """A file of Home Assistant's storage that tells when it could not be written, and writes during a stop too."""

    def __init__(self, hass: HomeAssistant, key: str) -> None:
        """Make the file's object; nothing is read or written yet."""
        super().__init__(hass, _VERSION, key, private=True, atomic_writes=True, serialize_in_event_loop=False)
        self._failure: Exception | None = None

    async def async_write(self, data: dict[str, Any]) -> None:
        """Write the data now.

        Raises:
            StorageError: they are not on disk.
        """
        self._data = {"version": self.version, "minor_version": self.minor_version, "key": self.key, "data": data}
        await self._async_handle_write_data()  # type: ignore[no-untyped-call]  # Home Assistant left it without types.
        if self._failure is not None:
            raise StorageError(type(self._failure).__name__) from self._failure

    @override
    async def _async_write_data(self, data: dict[str, Any]) -> None:
        """Keep the failure that the base class would only log."""
        self._failure = None
        try:
            await super()._async_write_data(data)
        except (HomeAssistantError, OSError) as err:
            self._failure = err


class OutboxStore:
    """The messages of one account: `messages` and `ledger` are the truth, the files follow.

    Times on disk are ages, so that a wrong clock can't make a message old or young; only the time between two runs
    is told by the wall clock, and a clock that went back makes it none.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Make the store; nothing is read yet.

        `on_change` is called after each change of a message, `on_health` after each write, with its failure.
        """
        self.on_change: Callable[[OutgoingMessage], None] = _nothing
        self.on_health: Callable[[StorageError | None], None] = _nothing
        self.messages: dict[str, OutgoingMessage] = {}
        self.ledger = Ledger()
        # What fingerprints are made with. It stands in the file of the messages: the ledger alone, which outlives them,
        # lets nobody try out texts and numbers.
        self.secret = secrets.token_hex(16)
        self._hass = hass
        self._queue_file = _File(hass, f"{DOMAIN}.{entry_id}.outbox")
        self._ledger_file = _File(hass, f"{DOMAIN}.{entry_id}.ledger")
        self.written: frozenset[str] = frozenset()
        self._readable = True
        self._sealed = False
        self._lock = asyncio.Lock()
        self._asked = 0
        self._settled = 0
        self._failure: StorageError | None = None
        self._new_ledger = False
        self._changes = 0
        self._written_changes = 0

    async def async_load(self) -> None:
        """Read the files. What can't be read is set aside or left alone, and reported in the log."""
        now = self._hass.loop.time()
        for file, unpack in ((self._ledger_file, self._unpack_ledger), (self._queue_file, self._unpack_queue)):
            try:
                await self._async_read(file, unpack, now)
            except HomeAssistantError, OSError, StorageError:
                # A newer version wrote it, or the disk does not give it back, or has no room for what is damaged:
                # writing over it would lose messages.
                self._readable = False
                _LOGGER.exception("Can't read %s, so it is left alone and nothing is stored", file.key)
        self.written = frozenset(self.messages)

    async def _async_read(self, file: _File, unpack: Callable[[dict[str, Any], float], list[Any]], now: float) -> None:
        """Take up a file, and set aside what of it is damaged."""
        aside = _File(self._hass, f"{file.key}.damaged.{dt_util.utcnow():%Y%m%d%H%M%S}")
        try:
            data = await file.async_load()
        except LookupError, TypeError, NotImplementedError:
            # JSON, but nothing that Home Assistant's storage ever wrote.
            await self._hass.async_add_executor_job(os.replace, file.path, aside.path)
            _LOGGER.error("%s is damaged; it was set aside as %s", file.key, aside.key)  # noqa: TRY400  # No news in it.
            return
        if damaged := unpack(data, now) if data is not None else []:
            await aside.async_write({"damaged": damaged})
            _LOGGER.error("Parts of %s are damaged; they were set aside as %s", file.key, aside.key)

    async def async_save(self) -> None:
        """Write the messages as they are now; calls at the same moment, or without a change between, share one write.

        Raises:
            StorageError: they are not on disk.
        """
        self._asked += 1
        # In a task of its own: a caller who is cancelled must not leave a write half done that others rely on.
        failure = await asyncio.shield(
            self._hass.async_create_task(self._async_settle(self._asked), "GoSMS.ru outbox on its way to disk")
        )
        if failure is not None:
            raise failure

    async def _async_settle(self, asked: int) -> StorageError | None:
        """Write what was asked for until then, unless another write did, and return that write's failure."""
        async with self._lock:
            if self._settled < asked:
                self._settled, self._failure = self._asked, None
                try:
                    await self._async_write()
                except StorageError as err:
                    self._failure = err
                except Exception as err:
                    # As long as it is not certain that they are on disk, they are not.
                    _LOGGER.exception("Unexpected error while writing %s", self._queue_file.key)
                    self._failure = StorageError(type(err).__name__)
                self.on_health(self._failure)
            return self._failure

    async def async_remove(self) -> None:
        """Remove the files, after a write that is running."""
        async with self._lock:
            await self._queue_file.async_remove()
            await self._ledger_file.async_remove()
            await self._hass.async_add_executor_job(self._remove_aside)

    def _remove_aside(self) -> None:
        """Remove what was set aside: it holds numbers and texts too."""
        for file in (self._queue_file, self._ledger_file):
            path = Path(file.path)
            for aside in path.parent.glob(f"{path.name}.*"):
                aside.unlink()

    @property
    def is_sealed(self) -> bool:
        """Tell if no message can be taken any more."""
        return self._sealed

    def seal(self) -> None:
        """Take no change any more: the next run owns the files from now on."""
        self._sealed = True

    def change(self, key: str, step: Callable[[OutgoingMessage], OutgoingMessage]) -> OutgoingMessage:
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
        if self._sealed:
            return
        self.messages[message.key] = message
        self._changes += 1
        self.on_change(message)

    def finish(self, message: OutgoingMessage) -> None:
        """Move a message that ended, and was told, to the ledger."""
        self.ledger.add(message, self._hass.loop.time(), dt_util.now().date())
        del self.messages[message.key]
        self._new_ledger = True
        self._changes += 1
        self.on_change(message)

    async def _async_write(self) -> None:
        """Write the ledger if it is new, then the queue: a message is never in neither."""
        if self._sealed or not self._readable:
            raise StorageError("the files must not be touched")
        if self._written_changes == (changes := self._changes):
            return
        now, saved = self._hass.loop.time(), dt_util.utcnow().timestamp()
        keys = frozenset(self.messages)
        messages = [pack_message(message, now) for message in self.messages.values()]
        queue = {"saved": saved, "secret": self.secret, "messages": messages}
        if self._new_ledger:
            self._new_ledger = False
            try:
                await self._ledger_file.async_write({"saved": saved, **pack_ledger(self.ledger, now)})
            except StorageError:
                self._new_ledger = True
                raise
        await self._queue_file.async_write(queue)
        self.written = keys
        self._written_changes = changes

    def _unpack_queue(self, data: dict[str, Any], now: float) -> list[Any]:
        """Take up the stored messages, and return what is damaged."""
        try:
            valid = QUEUE(data)
        except vol.Invalid:
            return [data]
        self.secret = valid.get("secret", self.secret)
        ended = {each.key for each in self.ledger.ended}
        damaged = []
        for record in valid["messages"]:
            try:
                message = unpack_message(record, now - _elapsed(valid["saved"]))
            except vol.Invalid, ValueError:
                damaged.append(record)
            else:
                # What the ledger has was told to its end, and the disk took the ledger alone, or the run was killed
                # before the queue was written.
                if message.key not in ended:
                    self.put(message)
        return damaged

    def _unpack_ledger(self, data: dict[str, Any], now: float) -> list[Any]:
        """Take up the stored ledger, and return what is damaged."""
        try:
            self.ledger = unpack_ledger(data, lambda saved: now - _elapsed(saved))
        except vol.Invalid:
            return [data]
        return []


def _elapsed(saved: float) -> float:
    """Return the seconds since a file was written in an earlier run; none if the clock went back since."""
    return max(0.0, dt_util.utcnow().timestamp() - saved)
