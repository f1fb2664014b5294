"""The messages of one account in memory, and the one way in which they reach the disk and those who are told."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
import logging
import secrets
from typing import Any, cast

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from .clock import Clock, ClockRecord
from .group_commit import GroupCommit
from .history import RETENTION, Counters, FinishedMessage
from .message import OutgoingMessage
from .messages import Messages
from .records import load_finished, load_message
from .storage import Changes, Storage, StorageError

_LOGGER = logging.getLogger(__name__)

type SavedListener = Callable[[Collection[OutgoingMessage]], None]
type HealthListener = Callable[[StorageError | None], None]


class MessageStore(Messages):
    """The messages of one account.

    What changes is written soon, in one transaction with all that changes at the same moment. Only then do the
    listeners and those who wait learn of it: nobody is told what is not on disk. If the disk does not take it, they are
    told all the same, since it may be the only word of an alarm.

    Attributes:
        secret: what fingerprints are made with.
        damaged: how many records of earlier runs could not be read.
        on_health: called when the disk fails, and with None when it works.
        on_unsaved: called with messages that the disk did not take, before anybody is told of them.
    """

    def __init__(self, hass: HomeAssistant, storage: Storage, clock: Clock) -> None:
        """Make the store; nothing is read yet."""
        super().__init__()
        self.secret = secrets.token_hex(16)
        self.damaged = 0
        self.on_health: HealthListener = lambda _failure: None
        self.on_unsaved: SavedListener = lambda _messages: None
        self._hass = hass
        self._storage = storage
        self._clock = clock
        self._is_closed = False
        self._is_released = False
        self._is_held = False
        # What those who are held would have been told: a message may be archived before they go on.
        self._held: dict[str, OutgoingMessage] = {}
        self._failure: StorageError | None = None
        self._is_healthy = False
        self._is_secret_stored = False
        self._listeners: list[SavedListener] = []
        self._waiters: dict[str, set[asyncio.Future[OutgoingMessage]]] = {}
        self._persisted: set[str] = set()
        # What the disk does not have yet: the keys of messages, those that ended, and whether there is a new clock.
        self._changed: dict[str, None] = {}
        self._finished: list[FinishedMessage] = []
        self._is_clock_changed = False
        # What people were not told yet: the keys of messages.
        self._untold: dict[str, None] = {}
        self._group_commit = GroupCommit(hass, self._async_save_and_tell, lambda: self._is_dirty)

    @property
    def is_closed(self) -> bool:
        """Return whether no message is taken any more."""
        return self._is_closed

    @property
    def _is_dirty(self) -> bool:
        """Return whether there is something that the disk does not have."""
        return bool(self._changed or self._finished or self._is_clock_changed)

    @property
    def is_failing(self) -> bool:
        """Return whether the disk did not take the last transaction."""
        return self._failure is not None

    @callback
    def async_add_listener(self, listener: SavedListener) -> CALLBACK_TYPE:
        """Call a listener with messages that changed, once that is on disk; returns how to stop it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def is_persisted(self, key: str) -> bool:
        """Return whether the disk has a message, in whichever state."""
        return key in self._persisted

    # Changes

    def put(self, message: OutgoingMessage) -> OutgoingMessage:
        """Add a message, or the next state of one, and return it."""
        if self._is_closed:
            return message
        self._index(message)
        self._changed[message.key] = None
        self._untold[message.key] = None
        self._group_commit.async_request()
        return message

    def update(self, key: str, step: Callable[[OutgoingMessage], OutgoingMessage]) -> OutgoingMessage:
        """Change a message as it is now, and return it.

        After an `await` always use this: the message may have changed meanwhile, and a stale copy would undo that.
        """
        changed = step(self.messages[key])
        return changed if changed is self.messages[key] else self.put(changed)

    def archive(self, key: str) -> None:
        """Move a message that ended, and was reported, to the history."""
        if self._is_closed:
            return
        now = self._hass.loop.time()
        self._finished.append(self.history.finish(self._remove(key), now, dt_util.now().date()))
        self.history.forget(now)
        self._changed[key] = None
        self._untold[key] = None
        self._group_commit.async_request()

    # Waiting

    async def async_wait(self, key: str, is_reached: Callable[[OutgoingMessage], bool]) -> OutgoingMessage:
        """Return a message once people may be told that it is in a state, or as it is when the store closes."""
        message = self.saved.get(key)
        while not self._is_released and (self._is_held or message is None or not is_reached(message)):
            future: asyncio.Future[OutgoingMessage] = self._hass.loop.create_future()
            waiters = self._waiters.setdefault(key, set())
            waiters.add(future)
            try:
                message = await future
            finally:
                waiters.discard(future)
                if not waiters:
                    self._waiters.pop(key, None)
        return message or self.messages[key]

    @property
    def has_waiters(self) -> bool:
        """Return whether anybody waits for a message."""
        return bool(self._waiters)

    @callback
    def async_hold(self) -> None:
        """Let nobody go who waits, until `async_resume` or `async_release`."""
        self._is_held = True

    @callback
    def async_resume(self) -> None:
        """Let those go again whose messages are where they wait for."""
        self._is_held = False
        self._release([*self._held.values(), *self.saved.values()])
        self._held = {}

    @callback
    def async_release(self) -> None:
        """Let everybody go who waits, now and later."""
        self._is_held = False
        self._is_released = True
        latest = self._held | self.messages
        self._release([latest[key] for key in self._waiters if key in latest])

    def _release(self, messages: Iterable[OutgoingMessage]) -> None:
        """Let those go on who wait for one of these messages, unless they are held."""
        if self._is_held:
            self._held |= {message.key: message for message in messages}
            return
        for message in messages:
            for future in self._waiters.get(message.key, ()):
                if not future.done():
                    future.set_result(message)

    # The disk

    async def async_load(self) -> None:
        """Take up what earlier runs left. What can't be read is counted.

        If the disk does not give it back, or a newer version wrote it, nothing is stored in this run: writing over it
        would lose messages.
        """
        try:
            contents = await self._storage.async_load(self._finished_after)
        except StorageError as err:
            _LOGGER.error("The stored messages can't be read; they are left alone, and nothing is stored: %s", err)  # noqa: TRY400
            self._report_health(err)
            return
        offset = self._clock.stored(0.0)
        messages = _loaded(contents.messages, load_message)
        finished = _loaded(contents.finished, load_finished)
        self.damaged = contents.damaged + sum(
            len(records) - len(loaded)
            for records, loaded in ((contents.messages, messages), (contents.finished, finished))
        )
        for message in messages:
            self._index(message.shift(offset))
            self._mark_saved(self.messages[message.key])
        self._persisted = set(self.messages)
        self.history.remember(each.shift(offset) for each in finished)
        self.history.counters = Counters(**cast("Any", contents.meta.get("counters", {})))
        if secret := contents.meta.get("secret"):
            self.secret, self._is_secret_stored = str(secret["secret"]), True
        if self.damaged:
            _LOGGER.error("%s stored records are damaged; they were set aside", self.damaged)
        # A disk that takes nothing is reported now, and not with the first alarm.
        self._is_clock_changed = True
        with suppress(StorageError):
            await self.async_save()

    def _finished_after(self, meta: Mapping[str, JsonObjectType]) -> float:
        """Return the stored time from which on messages that ended are remembered, by the clock of earlier runs."""
        if record := meta.get("clock"):
            self._clock.resume(ClockRecord(**cast("Any", record)))
        return self._clock.stored(self._hass.loop.time()) - RETENTION

    @callback
    def async_anchor(self, server_time: float | None) -> None:
        """Learn the service's time; the first time, messages of earlier runs become as old as they are."""
        if server_time is None or self._is_closed:
            # A closed store does not write any more: another one has the file by now.
            return
        old = {message.key for message in self.messages.values() if self._clock.precedes_gap(message.created)}
        began, elapsed = self._clock.began, self._clock.anchor(server_time)
        if elapsed is None:
            return
        self.history.shift(elapsed, until=began)
        # All stored times change their meaning or their value, so all are stored anew, and that they are by this clock.
        self._is_clock_changed = True
        self._finished = [*self.history]
        for message in list(self.messages.values()):
            if message.created < began:
                shifted = message.shift(elapsed)
                # One of a run that did not know the time either may be younger, and must not expire too soon.
                keeps_expiry = message.can_be_queued and message.key not in old
                self._index(replace(shifted, expires=message.expires) if keeps_expiry else shifted)
            self._changed[message.key] = None
        self._group_commit.async_request()

    async def async_save(self) -> None:
        """Return once everything is on disk as it is now.

        Raises:
            StorageError: it is not on disk.
        """
        await self._group_commit.async_wait()

    async def async_close(self) -> None:
        """Store what is not stored yet, and take no change any more."""
        await self._group_commit.async_close()
        self._is_closed = True

    async def _async_save_and_tell(self) -> StorageError | None:
        """Store what changed, then tell those concerned; return why storing it failed, or None."""
        untold, self._untold = self._untold, {}
        told = self._existing(untold)
        failure = await self._async_commit()
        self._report_health(failure)
        if failure:
            # As they are by now: a request may have begun meanwhile.
            self.on_unsaved(self._existing(key for key in untold if key not in self._persisted))
            told = self._existing(untold)
        self._tell(untold, told)
        return failure

    def _existing(self, keys: Iterable[str]) -> list[OutgoingMessage]:
        """Return those of the messages that have not been archived."""
        return [self.messages[key] for key in keys if key in self.messages]

    async def _async_commit(self) -> StorageError | None:
        """Write what the disk does not have, and return why that failed, or None."""
        changed, self._changed = self._changed, {}
        finished, self._finished = self._finished, []
        is_clock_changed, self._is_clock_changed = self._is_clock_changed, False
        try:
            await self._storage.async_commit(self._changes(changed, finished))
        except StorageError as err:
            failure = err
        except Exception as err:
            # As long as it is not certain that it is on disk, it is not.
            _LOGGER.exception("Unexpected error while storing messages")
            failure = StorageError(type(err).__name__)
        else:
            for key in changed:
                if key in self.messages:
                    self._persisted.add(key)
                else:
                    self._persisted.discard(key)
            self._is_secret_stored = True
            return None
        self._changed = changed | self._changed
        self._finished = finished + self._finished
        self._is_clock_changed |= is_clock_changed
        return failure

    def _changes(self, changed: Collection[str], finished: Collection[FinishedMessage]) -> Changes:
        """Return what one transaction writes."""
        offset = self._clock.stored(0.0)
        return Changes(
            messages={key: self.messages[key].shift(-offset) if key in self.messages else None for key in changed},
            finished={each.key: (each.finished + offset, each.shift(-offset)) for each in finished},
            meta={
                "clock": self._clock.record(),
                **({"counters": self.history.counters} if finished else {}),
                **({} if self._is_secret_stored else {"secret": {"secret": self.secret}}),
            },
            forget_before=self._clock.stored(self._hass.loop.time()) - RETENTION if finished else None,
        )

    def _tell(self, keys: Collection[str], messages: list[OutgoingMessage]) -> None:
        """Tell the listeners and those who wait of messages that are on disk now, or never will be."""
        for message in messages:
            if message.key in self.messages:
                self._mark_saved(message)
        if not keys:
            return
        self._release(messages)
        for listener in list(self._listeners):
            try:
                listener(messages)
            except Exception:
                _LOGGER.exception("Unexpected error while showing messages that changed")

    def _report_health(self, failure: StorageError | None) -> None:
        """Report when the disk fails, each time, and when it works again."""
        self._failure = failure
        if failure or not self._is_healthy:
            self._is_healthy = failure is None
            self.on_health(failure)


def _loaded[T](records: Iterable[JsonObjectType], load: Callable[[JsonObjectType], T]) -> list[T]:
    """Return the records that can be loaded."""
    loaded: list[T] = []
    for record in records:
        try:
            loaded.append(load(record))
        except KeyError, TypeError, ValueError:
            _LOGGER.debug("A stored record is none of this version")
    return loaded
