"""Persistence of the messages of an account: the only path to the disk, to listeners and to waiting callers."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
import logging
import secrets
import time
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from ..api import Message
from .clock import Clock, ClockRecord
from .commits import GroupCommit
from .history import Counters
from .message import OutgoingMessage
from .messages import Messages, SavedListener
from .records import load_messages, load_value
from .storage import Changes, Storage, StorageError
from .usage import Usage

_LOGGER = logging.getLogger(__name__)

_DAY: Final = 24 * 60 * 60

# Minimum seconds until finished messages that were kept long enough are forgotten again.
_PRUNING_PAUSE: Final = 60 * 60

type HealthListener = Callable[[StorageError | None], None]


class MessageStore(Messages):
    """The messages of one account.

    A change is committed soon, in one transaction with all other changes of the same moment. Only then are listeners
    and waiting callers notified, so that they never see what is not on disk. If the commit fails, they are notified all
    the same: for an alarm this may be the only notification.

    Attributes:
        secret: the key of the digests in fingerprints.
        persisted: the keys of the messages on disk, in any state.
        damaged: how many records of earlier runs could not be read.
        unreadable: the error because of which nothing was loaded and nothing is stored in this run, or None.
        usage: counts the sent SMS.
        unix_now: returns the time in Unix seconds that is used for billing.
        history_days: returns for how many days finished messages are kept with text and number.
        on_health: called with the error when the disk fails, and with None when it works.
        on_unsaved: called with messages that a failed commit kept off the disk, before others are notified of them.
    """

    def __init__(self, hass: HomeAssistant, storage: Storage, clock: Clock) -> None:
        """Initialize the store; nothing is read yet."""
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
        # Not on disk yet: the keys of changed messages, and finished messages.
        self._changed: dict[str, None] = {}
        self._finished: list[OutgoingMessage] = []
        self._is_history_outdated = False
        # The keys of messages with changes that listeners and callers have not been notified of.
        self._unnotified: dict[str, None] = {}
        self._commits = GroupCommit(hass, self._async_commit_and_notify)

    @property
    def is_failing(self) -> bool:
        """Return whether the last commit failed."""
        return self._is_healthy is False

    def put(self, message: OutgoingMessage) -> OutgoingMessage:
        """Add a message, or replace it by its next state, and return it."""
        if not self.is_closed:
            before = self.messages.get(message.key)
            for part in message.parts[len(before.ids) if before else 0 : len(message.ids)]:
                self.usage.count(part.id or "", part.text, self.unix_now())
            message = message.add_steps(self._hass.loop.time())
            self.add(message)
            self._commit_soon(message.key)
        return message

    def count_others(self, listed: Collection[Message]) -> None:
        """Count SMS that were not sent from here, given a page of the newest messages."""
        if not self.is_closed:
            self.usage.count_others(listed, self.is_claimed, self.unix_now())
            if self.usage.is_counted:
                self._commits.async_request()

    def update(self, key: str, step: Callable[[OutgoingMessage], OutgoingMessage]) -> OutgoingMessage:
        """Change the current state of a message, and return it.

        Always use this after an `await`: the message may have changed in the meantime, and a stale copy would undo
        that.
        """
        changed = step(self.messages[key])
        return changed if changed is self.messages[key] else self.put(changed)

    def archive(self, key: str) -> None:
        """Move a finished message whose events have been published to the history."""
        if not self.is_closed:
            now = self._hass.loop.time()
            self._finished.append(self.history.finish(self.remove(key), now, dt_util.now().date()))
            self._is_history_outdated = True
            self.history.forget(now)
            self._commit_soon(key)

    def forget(self) -> float | None:
        """Forget finished messages that were kept long enough; return when to do so next, or None."""
        now, keep, before = self._hass.loop.time(), self.history_days() * _DAY, self.history.keep
        self.history.keep = keep
        if not self.is_closed and (self.history.forget(now) or keep != before):
            self._finished += self.history.strip()
            self._is_history_outdated = True
            self._commits.async_request()
        oldest = self.history.oldest
        # Forget several at once, not each at its own time.
        return None if oldest is None else max(oldest + self.history.keep, now + _PRUNING_PAUSE)

    @callback
    def async_anchor(self, server_time: float | None) -> None:
        """Anchor the clock to the service's time, which corrects the age of messages from earlier runs."""
        if server_time is None or self.is_closed:
            # A closed store no longer writes: another one has the file by now.
            return
        old = {message.key for message in self.messages.values() if self.clock.precedes_gap(message.created)}
        began, elapsed = self.clock.began, self.clock.anchor(server_time)
        if elapsed is None:
            return
        self.history.shift(elapsed, until=began)
        # All stored times change in meaning or in value, so everything is written again, together with the clock's
        # record.
        self._finished = [*self.history]
        self._changed |= dict.fromkeys(self.messages)
        for message in [each for each in self.messages.values() if each.created < began]:
            shifted = message.shift(elapsed)
            # A message of a run that did not know the time either may be younger, and must not expire too early.
            keeps_expiry = message.can_be_queued and message.key not in old
            self.add(replace(shifted, expires=message.expires) if keeps_expiry else shifted)
        self._commits.async_request()

    async def async_load(self) -> None:
        """Load what earlier runs stored, and count what can't be read.

        If the disk fails, or a newer version wrote the file, nothing is stored in this run: overwriting it would lose
        messages.
        """
        try:
            contents = await self.storage.async_load(self._finished_after)
        except StorageError as err:
            _LOGGER.error("The stored messages can't be read; the file stays unchanged, and nothing is stored: %s", err)  # noqa: TRY400
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
        # The options may have changed since.
        self._finished += self.history.strip()
        self._is_history_outdated = True
        self.history.forget(self._hass.loop.time())
        self.usage.load(contents.meta)
        self.history.counters = load_value(Counters, contents.meta.get("counters", {}))
        if secret := contents.meta.get("secret"):
            self.secret, self._is_secret_stored = str(secret["secret"]), True
        if self.damaged:
            _LOGGER.error("%s stored records are damaged; they were set aside", self.damaged)
        # A disk that can't be written to is reported now, not at the first alarm.
        self._commits.async_request()
        with suppress(StorageError):
            await self.async_save()

    def _finished_after(self, meta: Mapping[str, JsonObjectType]) -> float:
        """Resume the clock, and return the stored time from which on finished messages are loaded."""
        self.history.keep = self.history_days() * _DAY
        if record := meta.get("clock"):
            self.clock.resume(load_value(ClockRecord, record))
        return self._forget_before

    @property
    def _forget_before(self) -> float:
        """Return the stored time before which finished messages are forgotten."""
        return self.clock.stored(self._hass.loop.time()) - self.history.retention

    async def async_save(self) -> None:
        """Wait until everything is on disk in its current state.

        Raises:
            StorageError: the commit failed.
        """
        await self._commits.async_wait()

    async def async_close(self) -> None:
        """Store what is not on disk yet, and accept no more changes."""
        await self._commits.async_close()
        self.is_closed = True

    def _commit_soon(self, key: str) -> None:
        """Request a commit for a changed message; listeners and callers are notified after it."""
        self._changed[key] = None
        self._unnotified[key] = None
        self._commits.async_request()

    async def _async_commit_and_notify(self) -> StorageError | None:
        """Store what changed, then notify listeners and callers; return the error or None."""
        unnotified, self._unnotified = self._unnotified, {}
        is_counted = self.usage.is_counted
        notified = self._existing(unnotified)
        failure = await self._async_commit()
        self._report_health(failure)
        if failure:
            # In their current state: a request may have started in the meantime.
            self.on_unsaved(self._existing(key for key in unnotified if key not in self.persisted))
            notified = self._existing(unnotified)
        if unnotified or is_counted:
            await self._async_notify(notified, are_all=len(notified) == len(unnotified) and not is_counted)
        return failure

    def _existing(self, keys: Iterable[str]) -> list[OutgoingMessage]:
        """Return the messages with these keys that have not been archived."""
        return [self.messages[key] for key in keys if key in self.messages]

    async def _async_commit(self) -> StorageError | None:
        """Write what is not on disk yet; return the error or None."""
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
            # Unless the changes are certainly on disk, treat them as not stored.
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
        """Return the changes for one transaction."""
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
        """Report each failure of the disk, and that it works at first or again."""
        was_healthy, self._is_healthy = self._is_healthy, failure is None
        if failure or not was_healthy:
            self.on_health(failure)
