"""The face of the outbox: what the rest of the integration sends with, and learns from what became of it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from functools import partial
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..api import GoSmsClient, MessagePage
from ..const import DOMAIN
from ..errors import Failure, account_removed
from ..issues import MESSAGES_LOST, STORAGE_FAILED, async_clear, async_raise
from ..options import Options
from .admission import Admission
from .clock import Boot, Clock
from .dispatcher import Dispatcher
from .history import FinishedMessage, History
from .message import OutgoingMessage, State
from .publisher import EventListener, EventPublisher
from .reconciler import Reconciler
from .request import SendRequest, SendResult
from .routing import PhoneAvailability, Route, select_phone
from .storage import SqliteStorage, StorageError
from .store import MessageStore, SavedListener
from .tracker import DeliveryTracker

_LOGGER = logging.getLogger(__name__)

# Those of all entries, by their ids. One that was unloaded stays until it is loaded again: its ids are nobody else's.
_OUTBOXES: HassKey[dict[str, Outbox]] = HassKey("gosms_outboxes")


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
        storage: SqliteStorage | None = None,
        boot: Boot | None = None,
    ) -> None:
        """Make the outbox.

        Args:
            hass: Home Assistant.
            entry: the account that sends.
            client: the client of that account.
            poll: fetches the newest messages of the account and hands them to `async_apply`; None if that failed.
            can_send: returns what is known of a phone's ability to send.
            storage: keeps the messages; a file of the account if left out.
            boot: the boot of the machine; that of this machine if left out.
        """
        options = partial(Options.from_entry, entry)
        self._hass = hass
        self._entry = entry
        self._can_send = can_send
        self._client = client
        self._boot = boot
        self._is_removed = False
        self._storage = storage or SqliteStorage(hass, _file_name(entry.entry_id))
        self._clock = Clock(hass.loop.time)
        self._store = store = MessageStore(hass, self._storage, self._clock)
        self._publisher = EventPublisher(hass, store)
        self._tracker = DeliveryTracker(hass, store, client, poll=poll, options=options)
        self._reconciler = Reconciler(
            hass, store, client, self._clock, is_claimed=self._is_claimed, has_duplicate=self._has_duplicate
        )
        self._dispatcher = Dispatcher(
            hass,
            store,
            client,
            self._clock,
            route=self._route,
            is_claimed=self._is_claimed,
            options=options,
        )
        self._admission = Admission(hass, store, self._dispatcher, options)
        self._workers = (self._dispatcher, self._reconciler, self._tracker, self._publisher)
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
    def in_transit(self) -> int:
        """Return how many messages the service has whose end is awaited."""
        return sum(message.state.is_tracked for message in self.messages)

    @property
    def queued(self) -> int:
        """Return how many messages wait for the service."""
        return sum(message.is_waiting_for_retry for message in self.messages)

    def unix_time(self, loop_time: float) -> float:
        """Return a time of the event loop's clock in Unix seconds, by the service's clock as far as that is known."""
        return self._clock.stored(loop_time)

    async def async_load(self) -> None:
        """Take up what an earlier run left."""
        outboxes = self._hass.data.setdefault(_OUTBOXES, {})
        if previous := outboxes.get(self._entry.entry_id):
            # The clock of the event loop has gone on since.
            self._clock.continue_from(previous._clock)  # noqa: SLF001  # Another one of this class.
        else:
            self._clock.boot = await self._hass.async_add_executor_job(Boot.read) if self._boot is None else self._boot
        await self._store.async_load()
        if self._store.damaged:
            async_raise(self._hass, self._entry, MESSAGES_LOST)
        outboxes[self._entry.entry_id] = self

    @staticmethod
    async def async_remove(hass: HomeAssistant, entry_id: str) -> None:
        """Remove everything that is known of the messages of an account."""
        outbox = hass.data.get(_OUTBOXES, {}).pop(entry_id, None)
        storage = outbox._storage if outbox else SqliteStorage(hass, _file_name(entry_id))  # noqa: SLF001
        try:
            await storage.async_remove()
        except StorageError as err:
            _LOGGER.error("The stored messages of an account can't be removed: %s", err)  # noqa: TRY400

    @callback
    def async_start(self) -> None:
        """Begin to send, to track and to report: not earlier, or the first poll would come before the entities."""
        self._store.async_add_listener(self._async_on_saved)
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
        self._store.async_hold()
        await self._async_close_workers()
        # Its listeners are about to go. The next run reports what is queued meanwhile.
        self._publisher.async_pause()
        with suppress(StorageError):
            await self._store.async_save()

    @callback
    def async_resume(self) -> None:
        """Go on after `async_pause`."""
        self._store.async_resume()
        self._async_start_workers()

    async def async_close(self) -> None:
        """Stop: no new request begins, a running one ends, and everything is on disk.

        A message that is sent afterwards, such as an automation's last one when Home Assistant stops, is queued for the
        next run.
        """
        await self._async_close_workers()
        with suppress(StorageError):
            await self._store.async_save()
        self._store.async_release()

    async def async_unload(self) -> None:
        """Stop for good: another outbox takes the file over, or the account is being removed."""
        await self._async_close_workers()
        await self._store.async_close()
        with suppress(StorageError):
            await self._storage.async_close()
        self._hass.async_create_task(self._async_release(), "GoSMS.ru callers", eager_start=False)

    def _async_start_workers(self) -> None:
        """Let the workers look at the messages."""
        for worker in self._workers:
            worker.async_start()
        self._publisher.async_resume()

    async def _async_close_workers(self) -> None:
        """Let the running work end; the publisher is the last, so that it reports what the others did."""
        for worker in self._workers:
            if worker is self._publisher:
                with suppress(StorageError):
                    await self._store.async_save()
            await worker.async_close()

    async def _async_release(self) -> None:
        """Let those go on who wait for a message, once it is known whether the account is being removed."""
        while self._entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS and self._store.has_waiters:  # noqa: ASYNC110  # Nothing tells the end of it.
            await asyncio.sleep(0)
        self._is_removed = self._hass.config_entries.async_get_entry(self._entry.entry_id) is None
        self._store.async_release()

    async def async_begin_backup(self) -> None:
        """Let copies of the file be consistent until the end of the backup; a failing disk is no error here."""
        await self._storage.async_begin_backup()

    @callback
    def async_end_backup(self) -> None:
        """End the backup."""
        self._storage.async_end_backup()

    @callback
    def async_add_event_listener(self, listener: EventListener) -> CALLBACK_TYPE:
        """Call a listener with everything that is to be reported of a message; returns how to stop it."""
        return self._publisher.async_add_listener(listener)

    @callback
    def async_add_message_listener(self, listener: SavedListener) -> CALLBACK_TYPE:
        """Call a listener with the messages that changed, once that is on disk; returns how to stop it."""
        return self._store.async_add_listener(listener)

    @callback
    def async_apply(self, page: MessagePage) -> None:
        """Apply what a poll tells of the messages, whoever made it."""
        self._store.async_anchor(self._client.server_time)
        self._tracker.async_apply(page.messages)
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

        Args:
            request: what to send to whom, and what to wait for.

        Returns:
            What has become of the messages, in the order of the request's numbers: no later than its time-out, or when
            the outbox closes.

        Raises:
            ServiceValidationError: see `async_check`. What goes wrong with a message is told in its result.
        """
        admitted = self._admission.async_admit(request)
        keys = [each.key for each in admitted if isinstance(each, OutgoingMessage)]
        try:
            async with asyncio.timeout(request.timeout):
                await asyncio.gather(*(self._store.async_wait(key, request.is_answered_by) for key in keys))
        except TimeoutError:
            for key in keys:
                self._dispatcher.async_give_up(key)
            with suppress(StorageError):
                # Whoever is told that a message is queued can rely on the disk.
                await self._store.async_save()
        return [self._result(each) for each in admitted]

    def _result(self, admitted: OutgoingMessage | FinishedMessage | Failure) -> SendResult:
        """Return what has become of a message, or of what did not become one."""
        if isinstance(admitted, OutgoingMessage):
            latest = self._store.latest(admitted)
            if self._is_removed and not latest.ids:
                return SendResult.of(account_removed())
            return SendResult.of(latest)
        return SendResult.of(admitted)

    def _route(self, message: OutgoingMessage) -> Route:
        """Return how a message is sent; where that is not as chosen, the log says why."""
        route = select_phone(message, self._entry, self._can_send)
        if route.is_fallback and not message.attempts:
            _LOGGER.warning(
                "A message is sent with any phone: the chosen one is out of touch or switched off, and another can send"
            )
        return route

    def _is_claimed(self, message_id: str) -> bool:
        """Return whether an id belongs to a message of any entry: two tokens may belong to one account."""
        return any(outbox._store.is_claimed(message_id) for outbox in self._hass.data[_OUTBOXES].values())  # noqa: SLF001

    def _has_duplicate(self, message: OutgoingMessage) -> bool:
        """Return whether a request of a message's text to its number is in progress, also from another entry."""
        return any(
            other.state is State.SENDING and other.content == message.content
            for outbox in self._hass.data[_OUTBOXES].values()
            for other in outbox._store.unsent.values()  # noqa: SLF001
        )

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
        if failure is None:
            async_clear(self._hass, self._entry, STORAGE_FAILED)
        else:
            async_raise(self._hass, self._entry, STORAGE_FAILED)


def _file_name(entry_id: str) -> str:
    """Return the name of the file of an account."""
    return f"{DOMAIN}.{entry_id}.db"
