"""The interface of the outbox to the rest of the integration."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import suppress
import logging
import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..api import GoSmsClient, MessagePage
from ..const import DOMAIN
from ..errors import Failure, account_removed
from ..issues import MESSAGES_LOST, STORAGE_FAILED, async_clear, async_raise
from .account import STORES, Account
from .admission import Admission
from .clock import Boot, Clock
from .dispatcher import Dispatcher
from .history import History
from .message import OutgoingMessage
from .messages import SavedListener
from .publisher import EventListener, EventPublisher
from .reconciler import Reconciler
from .request import SendRequest, SendResult
from .routing import PhoneAvailability
from .state import State
from .storage import SqliteStorage, Storage, StorageError
from .store import MessageStore
from .tracker import DeliveryTracker

_LOGGER = logging.getLogger(__name__)

_FILE_NAME: Final = f"{DOMAIN}.{{}}.db"


class Outbox:
    """Sends each message of one account once, and tracks it until it is finished.

    Every admitted message is on disk before it is sent, survives restarts, and ends in exactly one of the final events.
    Results and events are reported only once they are on disk.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        client: GoSmsClient,
        poll: Callable[[], Awaitable[MessagePage | None]],
        can_send: PhoneAvailability = lambda _device_id: None,
        *,
        storage: Storage | None = None,
        boot: Boot | None = None,
    ) -> None:
        """Initialize the outbox.

        Args:
            hass: Home Assistant.
            entry: the config entry of the account.
            client: the client of the account.
            poll: fetches the newest messages of the account and passes them to `async_apply`; returns None if that
                failed.
            can_send: returns whether a phone can send, or None if unknown.
            storage: keeps the messages; a file of the account if omitted.
            boot: the boot of the machine; that of this machine if omitted.
        """
        self._hass = hass
        self._entry = entry
        self._boot = boot
        self._is_removed = False
        storage = storage or SqliteStorage(hass, _FILE_NAME.format(entry.entry_id))
        self._store = store = MessageStore(hass, storage, Clock(hass.loop.time))
        self._account = account = Account(
            hass=hass, entry=entry, client=client, store=store, poll=poll, can_send=can_send
        )
        self._publisher = EventPublisher(hass, store)
        self._tracker = DeliveryTracker(account)
        self._reconciler = Reconciler(account)
        self._dispatcher = Dispatcher(account)
        self._admission = Admission(account, self._dispatcher)
        self._workers = (self._dispatcher, self._reconciler, self._tracker, self._publisher)
        store.unix_now = self.unix_now
        store.history_days = lambda: account.options.history_days
        store.on_health = self._on_health
        store.on_unsaved = self._dispatcher.async_keep_unsaved

    @property
    def history(self) -> History:
        """Return the history of finished messages."""
        return self._store.history

    @property
    def messages(self) -> Collection[OutgoingMessage]:
        """Return the messages that have not been archived, oldest first, as they are on disk."""
        return self._store.saved.values()

    @property
    def ended(self) -> Iterator[OutgoingMessage]:
        """Return the finished messages that are kept with text and number, last finished first."""
        return (message for message in reversed(self._store.history.messages.values()) if message.text)

    def unix_now(self) -> float:
        """Return the time in Unix seconds by the service's clock, or by the wall clock until that is known."""
        return self._account.client.server_time or time.time()

    def segments_since(self, unix_time: float) -> int:
        """Return how many SMS are known to have been sent since a time in Unix seconds, at most 32 days ago."""
        return self._store.usage.counts.since(unix_time)

    @property
    def counted_segments(self) -> int:
        """Return how many SMS were counted in this run; it changes whenever `segments_since` does."""
        return self._store.usage.counts.added

    # Both are counted each time: a full queue takes half a millisecond, and a count that is kept can get out of step.

    @property
    def in_transit(self) -> int:
        """Return how many messages the service has that are not finished."""
        return sum(message.state.is_tracked for message in self.messages)

    @property
    def queued(self) -> int:
        """Return how many messages are queued."""
        return sum(message.is_waiting_for_retry for message in self.messages)

    def unix_time(self, loop_time: float) -> float:
        """Convert a time of the event loop's clock to Unix seconds, by the service's clock as far as it is known."""
        return self._store.clock.stored(loop_time)

    async def async_load(self) -> None:
        """Load what an earlier run stored."""
        stores = self._hass.data.setdefault(STORES, {})
        clock = self._store.clock
        if (previous := stores.get(self._entry.entry_id)) and not previous.unreadable:
            # The event loop's clock has continued since then.
            clock.continue_from(previous.clock)
        else:
            clock.boot = await self._hass.async_add_executor_job(Boot.read) if self._boot is None else self._boot
        await self._store.async_load()
        if self._store.damaged:
            async_raise(self._hass, self._entry, MESSAGES_LOST)
        stores[self._entry.entry_id] = self._store

    @staticmethod
    async def async_remove(hass: HomeAssistant, entry_id: str) -> None:
        """Remove everything that is stored about the messages of an account."""
        store = hass.data.get(STORES, {}).pop(entry_id, None)
        storage = store.storage if store else SqliteStorage(hass, _FILE_NAME.format(entry_id))
        try:
            await storage.async_remove()
        except StorageError as err:
            _LOGGER.error("The stored messages of an account can't be removed: %s", err)  # noqa: TRY400

    @callback
    def async_start(self) -> None:
        """Start sending, tracking and publishing, once the entities are added: the first poll must not come before."""
        self._store.on_saved = self._async_on_saved
        self._dispatcher.async_take_over()
        self._async_start_workers()

    @callback
    def async_retry_now(self) -> None:
        """Retry queued messages now, since the cause of an outage may be over."""
        self._dispatcher.async_retry_now()

    async def async_pause(self) -> None:
        """Wait for requests in progress, publish their outcomes, and save everything.

        New messages are queued. Callers wait until `async_resume` or `async_unload`: if the account is being removed,
        any earlier result would be wrong.
        """
        self._store.hold()
        await self._async_close_workers()
        # Its listeners are about to be removed. The next run publishes what is queued in the meantime.
        self._publisher.async_pause()

    @callback
    def async_resume(self) -> None:
        """Continue after `async_pause`."""
        self._store.resume()
        self._async_start_workers()

    async def async_close(self) -> None:
        """Start no request, wait for those in progress, and save everything. New messages wait for the next run."""
        await self._async_close_workers()
        self._store.release()

    async def async_unload(self) -> None:
        """Close permanently: another outbox takes over the file, or the account is being removed."""
        await self._async_close_workers()
        await self._store.async_close()
        with suppress(StorageError):
            await self._store.storage.async_close()
        self._hass.async_create_task(self._async_release(), "GoSMS.ru callers", eager_start=False)

    def _async_start_workers(self) -> None:
        """Start the workers and the publishing of events."""
        for worker in self._workers:
            worker.async_start()
        self._publisher.async_resume()

    async def _async_close_workers(self) -> None:
        """Close the workers and save their changes. The publisher is last, to publish what the others did."""
        for workers in (self._workers[:-1], self._workers[-1:]):
            await asyncio.gather(*(worker.async_close() for worker in workers))
            with suppress(StorageError):
                await self._store.async_save()

    async def _async_release(self) -> None:
        """Release all waiting callers once it is known whether the account is being removed."""
        async with self._entry.setup_lock:
            self._is_removed = self._hass.config_entries.async_get_entry(self._entry.entry_id) is None
        self._store.release()

    async def async_begin_backup(self) -> None:
        """Keep copies of the file consistent until the end of the backup. A failing disk is not an error here."""
        await self._store.storage.async_begin_backup()

    @callback
    def async_end_backup(self) -> None:
        """End the backup."""
        self._store.storage.async_end_backup()

    @callback
    def async_prune_history(self) -> None:
        """Forget what the current options no longer allow the history to keep."""
        self._publisher.async_wake()

    @callback
    def async_add_event_listener(self, listener: EventListener) -> CALLBACK_TYPE:
        """Add a listener for the events of all messages, and return a function that removes it."""
        return self._publisher.async_add_listener(listener)

    @callback
    def async_add_message_listener(self, listener: SavedListener) -> CALLBACK_TYPE:
        """Add a listener for changes that users see; see `MessageStore.async_add_listener`."""
        return self._store.async_add_listener(listener)

    @callback
    def async_apply(self, page: MessagePage) -> None:
        """Apply the page of messages that a poll returned, regardless of who polled."""
        self._store.async_anchor(self._account.client.server_time)
        self._tracker.async_apply(page.messages)
        self._store.count_others(page.messages)
        self._reconciler.async_retry_failed()

    @callback
    def async_check(self, request: SendRequest) -> None:
        """Check a request before any of it is sent.

        Raises:
            ServiceValidationError: its idempotency key belongs to another request. Translated.
        """
        self._admission.async_find(request)

    async def async_send(self, request: SendRequest) -> list[SendResult]:
        """Send the messages of a request, each once, even if the caller is canceled.

        Returns:
            The results, in the order of the request's numbers: at the latest after its timeout, but while the outbox
            closes, not before that is done.

        Raises:
            ServiceValidationError: see `async_check`. The failure of a message is part of its result.
        """
        admitted = self._admission.async_admit(request)
        keys = [each.key for each in admitted if isinstance(each, OutgoingMessage)]
        try:
            async with asyncio.timeout(request.timeout):
                for key in keys:
                    await self._store.async_wait(key, request.is_answered_by)
        except TimeoutError:
            for key in keys:
                self._dispatcher.async_give_up(key)
                # While callers are held, wait: if the account is being removed, the current result would be wrong.
                await self._store.async_wait(key, lambda _message: True)
        if any(self._store.is_unsaved(key) for key in keys):
            with suppress(StorageError):
                # A caller that learns that a message is queued can rely on the disk, even if Home Assistant is
                # stopping.
                await self._store.async_save()
        return [self._result(each) for each in admitted]

    async def async_cancel(self, is_meant: Callable[[OutgoingMessage], bool]) -> tuple[int, int]:
        """Cancel unfinished messages. Return how many were canceled, and for how many it was too late.

        Args:
            is_meant: returns whether to cancel a message.
        """
        meant = [
            message for message in self._store.messages.values() if is_meant(message) and not message.state.is_final
        ]
        waiting = [message for message in meant if message.can_be_cancelled]
        for message in waiting:
            self._store.put(message.cancel(self._hass.loop.time()))
        with suppress(StorageError):
            await self._store.async_save()
        return len(waiting), len(meant) - len(waiting)

    def _result(self, admitted: OutgoingMessage | Failure) -> SendResult:
        """Return the result for a message, or for the failure to create one."""
        if isinstance(admitted, Failure):
            return SendResult.of(admitted)
        latest = self._store.latest(admitted)
        return SendResult.of(account_removed() if self._is_removed and not latest.ids else latest)

    @callback
    def _async_on_saved(self, messages: Collection[OutgoingMessage]) -> None:
        """Wake the workers that may have something to do for these messages."""
        states = {message.state for message in messages}
        if self._store.unreported:
            self._publisher.async_wake()
        if State.UNKNOWN in states:
            self._reconciler.async_wake()
        if any(state.is_tracked for state in states):
            # One transaction may combine several transitions: a message may already be past its acceptance.
            self._tracker.async_wake()
        if self._store.unsent and states - {State.SENDING}:
            # A message was queued again, or one that others waited for was settled.
            self._dispatcher.async_wake()

    def _on_health(self, failure: StorageError | None) -> None:
        """Raise or clear the repair about the failing disk."""
        (async_raise if failure else async_clear)(self._hass, self._entry, STORAGE_FAILED)
