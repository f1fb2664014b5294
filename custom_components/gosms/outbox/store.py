"""The one way in which the messages of an account reach the disk, and those who are told."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
import logging
import secrets
import time
from typing import Any, Final, cast

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from ..api import Message
from .clock import Clock, ClockRecord
from .commits import GroupCommit
from .history import Counters
from .message import OutgoingMessage
from .messages import Messages, SavedListener
from .records import load_messages
from .storage import Changes, Storage, StorageError
from .usage import Usage

_LOGGER = logging.getLogger(__name__)

_DAY: Final = 24 * 60 * 60

# Seconds between two times that what was kept long enough is forgotten.
_PRUNING_PAUSE: Final = 60 * 60

type HealthListener = Callable[[StorageError | None], None]


class MessageStore(Messages):
    """The messages of one account.

    What changes is written soon, in one transaction with all that changes at the same moment. Only then do the
    listeners and those who wait learn of it: nobody is told what is not on disk. If the disk does not take it, they are
    told all the same, since it may be the only word of an alarm.

    Attributes:
        secret: what fingerprints are made with.
        persisted: the keys of the messages that the disk has, in whichever state.
        damaged: how many records of earlier runs could not be read.
        unreadable: why nothing was loaded, and nothing is stored in this run; else None.
        usage: how many SMS were sent.
        unix_now: returns the time in Unix seconds that counts for the bill.
        history_days: returns for how many days messages that ended are kept with text and number.
        on_health: called when the disk fails, and with None when it works.
        on_unsaved: called with messages that the disk did not take, before anybody is told of them.
    """

    def __init__(self, hass: HomeAssistant, storage: Storage, clock: Clock) -> None:
        """Make the store; nothing is read yet."""
        super().__init__()
        self.storage = storage
        self.clock = clock
        self.secret = secrets.token_hex(16)
        self.damaged = 0
        self.usage = Usage()
        self.is_closed = False
        self.unix_now: Callable[[], float] = time.time
        self.history_days: Callable[[], int] = lambda: 0
        self.unreadable: StorageError | None = None
        self.on_health: HealthListener = lambda _failure: None
        self.on_unsaved: SavedListener = lambda _messages: None
        self._hass = hass
        self._is_healthy: bool | None = None
        self._is_secret_stored = False
        self.persisted: set[str] = set()
        # What the disk does not have yet: the keys of messages, and those that ended.
        self._changed: dict[str, None] = {}
        self._finished: list[OutgoingMessage] = []
        self._is_history_outdated = False
        # What people were not told yet: the keys of messages.
        self._untold: dict[str, None] = {}
        self._commits = GroupCommit(hass, self._async_commit_and_tell)

    @property
    def is_failing(self) -> bool:
        """Return whether the disk did not take the last transaction."""
        return self._is_healthy is False

    def put(self, message: OutgoingMessage) -> OutgoingMessage:
        """Add a message, or the next state of one, and return it."""
        if not self.is_closed:
            before = self.messages.get(message.key)
            for part in message.parts[len(before.ids) if before else 0 : len(message.ids)]:
                self.usage.count(part.id or "", part.text, self.unix_now())
            message = message.add_steps(self._hass.loop.time())
            self.add(message)
            self._commit_soon(message.key)
        return message

    def count_others(self, listed: Collection[Message]) -> None:
        """Count what others sent, given a page of the newest messages."""
        if not self.is_closed:
            self.usage.count_others(listed, self.is_claimed, self.unix_now())
            if self.usage.is_counted:
                self._commits.async_request()

    def update(self, key: str, step: Callable[[OutgoingMessage], OutgoingMessage]) -> OutgoingMessage:
        """Change a message as it is now, and return it.

        After an `await` always use this: the message may have changed meanwhile, and a stale copy would undo that.
        """
        changed = step(self.messages[key])
        return changed if changed is self.messages[key] else self.put(changed)

    def archive(self, key: str) -> None:
        """Move a message that ended, and was reported, to the history."""
        if not self.is_closed:
            now = self._hass.loop.time()
            self._finished.append(self.history.finish(self.remove(key), now, dt_util.now().date()))
            self._is_history_outdated = True
            self.history.forget(now)
            self._commit_soon(key)

    def forget(self) -> float | None:
        """Forget what was kept long enough of messages that ended; return when there is more to forget, or None."""
        now, keep, before = self._hass.loop.time(), self.history_days() * _DAY, self.history.keep
        self.history.keep = keep
        if not self.is_closed and (self.history.forget(now) or keep != before):
            self._finished += self.history.strip()
            self._is_history_outdated = True
            self._commits.async_request()
        oldest = self.history.oldest
        # Not one by one.
        return None if oldest is None else max(oldest + self.history.keep, now + _PRUNING_PAUSE)

    @callback
    def async_anchor(self, server_time: float | None) -> None:
        """Learn the service's time; the first time, messages of earlier runs become as old as they are."""
        if server_time is None or self.is_closed:
            # A closed store does not write any more: another one has the file by now.
            return
        old = {message.key for message in self.messages.values() if self.clock.precedes_gap(message.created)}
        began, elapsed = self.clock.began, self.clock.anchor(server_time)
        if elapsed is None:
            return
        self.history.shift(elapsed, until=began)
        # All stored times change their meaning or their value, so all are stored anew, and that they are by this clock.
        self._finished = [*self.history]
        self._changed |= dict.fromkeys(self.messages)
        for message in [each for each in self.messages.values() if each.created < began]:
            shifted = message.shift(elapsed)
            # One of a run that did not know the time either may be younger, and must not expire too soon.
            keeps_expiry = message.can_be_queued and message.key not in old
            self.add(replace(shifted, expires=message.expires) if keeps_expiry else shifted)
        self._commits.async_request()

    async def async_load(self) -> None:
        """Take up what earlier runs left. What can't be read is counted.

        If the disk does not give it back, or a newer version wrote it, nothing is stored in this run: writing over it
        would lose messages.
        """
        try:
            contents = await self.storage.async_load(self._finished_after)
        except StorageError as err:
            _LOGGER.error("The stored messages can't be read; they are left alone, and nothing is stored: %s", err)  # noqa: TRY400
            self.unreadable = err
            self._report_health(err)
            return
        offset = self.clock.stored(0.0)
        messages = load_messages(contents.messages, offset)
        finished = load_messages(contents.finished, offset)
        records = len(contents.messages) + len(contents.finished)
        self.damaged = contents.damaged + records - len(messages) - len(finished)
        for message in messages:
            self.add(message)
            self._mark_saved(message)
        self.persisted = set(self.messages)
        self.history.remember(finished)
        # As the options are now.
        self._finished += self.history.strip()
        self._is_history_outdated = True
        self.history.forget(self._hass.loop.time())
        self.usage.load(contents.meta)
        self.history.counters = Counters(**cast("Any", contents.meta.get("counters", {})))
        if secret := contents.meta.get("secret"):
            self.secret, self._is_secret_stored = str(secret["secret"]), True
        if self.damaged:
            _LOGGER.error("%s stored records are damaged; they were set aside", self.damaged)
        # A disk that takes nothing is reported now, and not with the first alarm.
        self._commits.async_request()
        with suppress(StorageError):
            await self.async_save()

    def _finished_after(self, meta: Mapping[str, JsonObjectType]) -> float:
        """Return the stored time from which on messages that ended are remembered, by the clock of earlier runs."""
        self.history.keep = self.history_days() * _DAY
        if record := meta.get("clock"):
            self.clock.resume(ClockRecord(**cast("Any", record)))
        return self._forget_before

    @property
    def _forget_before(self) -> float:
        """Return the stored time before which nothing is remembered of messages that ended."""
        return self.clock.stored(self._hass.loop.time()) - self.history.retention

    async def async_save(self) -> None:
        """Return once everything is on disk as it is now.

        Raises:
            StorageError: it is not on disk.
        """
        await self._commits.async_wait()

    async def async_close(self) -> None:
        """Store what is not stored yet, and take no change any more."""
        await self._commits.async_close()
        self.is_closed = True

    def _commit_soon(self, key: str) -> None:
        """Commit a change of a message, then tell of it."""
        self._changed[key] = None
        self._untold[key] = None
        self._commits.async_request()

    async def _async_commit_and_tell(self) -> StorageError | None:
        """Store what changed, then tell those concerned; return why storing it failed, or None."""
        untold, self._untold = self._untold, {}
        is_counted = self.usage.is_counted
        told = self._existing(untold)
        failure = await self._async_commit()
        self._report_health(failure)
        if failure:
            # As they are by now: a request may have begun meanwhile.
            self.on_unsaved(self._existing(key for key in untold if key not in self.persisted))
            told = self._existing(untold)
        if untold or is_counted:
            await self._async_tell(told, are_all=len(told) == len(untold) and not is_counted)
        return failure

    def _existing(self, keys: Iterable[str]) -> list[OutgoingMessage]:
        """Return those of the messages that have not been archived."""
        return [self.messages[key] for key in keys if key in self.messages]

    async def _async_commit(self) -> StorageError | None:
        """Write what the disk does not have, and return why that failed, or None."""
        if self.unreadable:
            return self.unreadable
        changed, self._changed = self._changed, {}
        finished, self._finished = self._finished, []
        is_outdated, self._is_history_outdated = self._is_history_outdated, False
        usage = self.usage.take_changes()
        try:
            await self.storage.async_commit(self._changes(changed, finished, usage, forget=is_outdated))
        except StorageError as err:
            failure = err
        except Exception as err:
            # As long as it is not certain that it is on disk, it is not.
            _LOGGER.exception("Unexpected error while storing messages")
            failure = StorageError(type(err).__name__)
        else:
            self.persisted.update(key for key in changed if key in self.messages)
            self.persisted.difference_update(key for key in changed if key not in self.messages)
            self._is_secret_stored = True
            return None
        self._changed = changed | self._changed
        self._finished = finished + self._finished
        self._is_history_outdated |= is_outdated
        self.usage.put_back(usage)
        return failure

    def _changes(
        self,
        changed: Collection[str],
        finished: Collection[OutgoingMessage],
        usage: Mapping[str, object],
        *,
        forget: bool,
    ) -> Changes:
        """Return what one transaction writes."""
        offset = self.clock.stored(0.0)
        return Changes(
            messages={key: self.messages[key].shift(-offset) if key in self.messages else None for key in changed},
            finished={each.key: ((each.finished or 0.0) + offset, each.shift(-offset)) for each in finished},
            meta={
                "clock": self.clock.record(),
                **usage,
                **({"counters": self.history.counters} if finished else {}),
                **({} if self._is_secret_stored else {"secret": {"secret": self.secret}}),
            },
            forget_before=self._forget_before if forget else None,
        )

    def _report_health(self, failure: StorageError | None) -> None:
        """Report when the disk fails, each time, and when it works again."""
        was_healthy, self._is_healthy = self._is_healthy, failure is None
        if failure or not was_healthy:
            self.on_health(failure)
