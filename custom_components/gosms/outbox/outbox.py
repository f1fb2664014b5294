"""The face of the outbox: what the rest of the integration sends with, and learns from what became of it."""

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
    """Sends the messages of one account, each of them once, and follows them to their end.

    Everything that was accepted is on disk before it is sent, goes on after a restart, and ends in exactly one of the
    final events. Nobody is told what is not on disk.
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
        """Make the outbox.

        Args:
            hass: Home Assistant.
            entry: the account that sends.
            client: its client.
            poll: fetches the newest messages of the account and hands them to `async_apply`; None if that failed.
            can_send: returns what is known of a phone's ability to send.
            storage: keeps the messages; a file of the account if left out.
            boot: the boot of the machine; that of this machine if left out.
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
        """Return what is remembered of messages that ended."""
        return self._store.history

    @property
    def messages(self) -> Collection[OutgoingMessage]:
        """Return the messages that have not ended, oldest first, as they are on disk."""
        return self._store.saved.values()

    @property
    def ended(self) -> Iterator[OutgoingMessage]:
        """Return the messages that ended and are kept with text and number, newest end first."""
        return (message for message in reversed(self._store.history.messages.values()) if message.text)

    def unix_now(self) -> float:
        """Return the time in Unix seconds by the service's clock, or by that of this machine before it has told."""
        return self._account.client.server_time or time.time()

    def segments_since(self, unix_time: float) -> int:
        """Return how many SMS were sent since a time of the last 32 days, in Unix seconds, as far as is known."""
        return self._store.usage.counts.since(unix_time)

    @property
    def counted_segments(self) -> int:
        """Return how many SMS were counted in this run: `segments_since` changes with it."""
        return self._store.usage.counts.added

    @property
    def in_transit(self) -> int:
        """Return how many messages the service has whose end is awaited."""
        return sum(message.state.is_tracked for message in self.messages)

    @property
    def queued(self) -> int:
        """Return how many messages wait for the service."""
        return sum(message.is_waiting_for_retry for message in self.messages)

    def unix_time(self, loop_time: float) -> float:
        """Return a time of the event loop's clock in Unix seconds, by the service's clock as far as that is known."""
        return self._store.clock.stored(loop_time)

    async def async_load(self) -> None:
        """Take up what an earlier run left."""
        stores = self._hass.data.setdefault(STORES, {})
        clock = self._store.clock
        if (previous := stores.get(self._entry.entry_id)) and not previous.unreadable:
            # The clock of the event loop has gone on since.
            clock.continue_from(previous.clock)
        else:
            clock.boot = await self._hass.async_add_executor_job(Boot.read) if self._boot is None else self._boot
        await self._store.async_load()
        if self._store.damaged:
            async_raise(self._hass, self._entry, MESSAGES_LOST)
        stores[self._entry.entry_id] = self._store

    @staticmethod
    async def async_remove(hass: HomeAssistant, entry_id: str) -> None:
        """Remove everything that is known of the messages of an account."""
        store = hass.data.get(STORES, {}).pop(entry_id, None)
        storage = store.storage if store else SqliteStorage(hass, _FILE_NAME.format(entry_id))
        try:
            await storage.async_remove()
        except StorageError as err:
            _LOGGER.error("The stored messages of an account can't be removed: %s", err)  # noqa: TRY400

    @callback
    def async_start(self) -> None:
        """Begin to send, to track and to report: not earlier, or the first poll would come before the entities."""
        self._store.on_saved = self._async_on_saved
        self._dispatcher.async_take_over()
        self._async_start_workers()

    @callback
    def async_retry_now(self) -> None:
        """Send what is queued at once: what kept it from the service may be over."""
        self._dispatcher.async_retry_now()

    async def async_pause(self) -> None:
        """Let the running requests end, report what became of them, and have everything on disk.

        What is sent from now on is queued. Callers wait until `async_resume` or `async_unload`: if the account is being
        removed, nothing of what they would be told would come true.
        """
        self._store.hold()
        await self._async_close_workers()
        # Its listeners are about to go. The next run reports what is queued meanwhile.
        self._publisher.async_pause()

    @callback
    def async_resume(self) -> None:
        """Go on after `async_pause`."""
        self._store.resume()
        self._async_start_workers()

    async def async_close(self) -> None:
        """Stop: no request begins, a running one ends, all is on disk; what is sent later waits for the next run."""
        await self._async_close_workers()
        self._store.release()

    async def async_unload(self) -> None:
        """Stop for good: another outbox takes the file over, or the account is being removed."""
        await self._async_close_workers()
        await self._store.async_close()
        with suppress(StorageError):
            await self._store.storage.async_close()
        self._hass.async_create_task(self._async_release(), "GoSMS.ru callers", eager_start=False)

    def _async_start_workers(self) -> None:
        """Let the workers look at the messages."""
        for worker in self._workers:
            worker.async_start()
        self._publisher.async_resume()

    async def _async_close_workers(self) -> None:
        """Let the running work end, and have it on disk; the publisher is the last, to report what the others did."""
        for workers in (self._workers[:-1], self._workers[-1:]):
            await asyncio.gather(*(worker.async_close() for worker in workers))
            with suppress(StorageError):
                await self._store.async_save()

    async def _async_release(self) -> None:
        """Let those go on who wait for a message, once it is known whether the account is being removed."""
        async with self._entry.setup_lock:
            self._is_removed = self._hass.config_entries.async_get_entry(self._entry.entry_id) is None
        self._store.release()

    async def async_begin_backup(self) -> None:
        """Let copies of the file be consistent until the end of the backup; a failing disk is no error here."""
        await self._store.storage.async_begin_backup()

    @callback
    def async_end_backup(self) -> None:
        """End the backup."""
        self._store.storage.async_end_backup()

    @callback
    def async_prune_history(self) -> None:
        """Forget what the options do not let it keep any more."""
        self._publisher.async_wake()

    @callback
    def async_add_event_listener(self, listener: EventListener) -> CALLBACK_TYPE:
        """Call a listener with everything that is to be reported of a message; returns how to stop it."""
        return self._publisher.async_add_listener(listener)

    @callback
    def async_add_message_listener(self, listener: SavedListener) -> CALLBACK_TYPE:
        """Call a listener with messages of which people see something new; see `MessageStore.async_add_listener`."""
        return self._store.async_add_listener(listener)

    @callback
    def async_apply(self, page: MessagePage) -> None:
        """Apply what a poll tells of the messages, whoever made it."""
        self._store.async_anchor(self._account.client.server_time)
        self._tracker.async_apply(page.messages)
        self._store.count_others(page.messages)
        self._reconciler.async_retry_failed()

    @callback
    def async_check(self, request: SendRequest) -> None:
        """Check a request before anything of it is sent.

        Raises:
            ServiceValidationError: its idempotency key stands for another request. Translated.
        """
        self._admission.async_find(request)

    async def async_send(self, request: SendRequest) -> list[SendResult]:
        """Send what is asked for, each message once, also if the caller is canceled.

        Returns:
            What has become of the messages, in the order of the request's numbers: no later than its time-out, but
            while the outbox closes, no sooner than that is done.

        Raises:
            ServiceValidationError: see `async_check`. What goes wrong with a message is told in its result.
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
                # If the account is being removed, nothing of what is known now will come true.
                await self._store.async_wait(key, lambda _message: True)
        if any(self._store.is_untold(key) for key in keys):
            with suppress(StorageError):
                # Whoever is told that a message is queued can rely on the disk, also as Home Assistant stops.
                await self._store.async_save()
        return [self._result(each) for each in admitted]

    async def async_cancel(self, is_meant: Callable[[OutgoingMessage], bool]) -> tuple[int, int]:
        """Cancel messages that have not ended. Return how many were canceled, and for how many it was too late.

        Args:
            is_meant: returns whether a message should be canceled.
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
        """Return what has become of a message, or of what did not become one."""
        if isinstance(admitted, Failure):
            return SendResult.of(admitted)
        latest = self._store.latest(admitted)
        return SendResult.of(account_removed() if self._is_removed and not latest.ids else latest)

    @callback
    def _async_on_saved(self, messages: Collection[OutgoingMessage]) -> None:
        """Let those workers look at the messages that may have something to do."""
        states = {message.state for message in messages}
        if self._store.unreported:
            self._publisher.async_wake()
        if State.UNKNOWN in states:
            self._reconciler.async_wake()
        if any(state.is_tracked for state in states):
            # One transaction may take a message past its acceptance.
            self._tracker.async_wake()
        if self._store.unsent and states - {State.SENDING}:
            # Something is queued again, or was settled that others waited for.
            self._dispatcher.async_wake()

    def _on_health(self, failure: StorageError | None) -> None:
        """Tell people that the disk does not take the messages, or that it does again."""
        (async_raise if failure else async_clear)(self._hass, self._entry, STORAGE_FAILED)
