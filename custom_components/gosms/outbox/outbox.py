"""The face of the outbox: what the rest of the integration sends with, and learns from what became of it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..api import GoSmsClient, MessagePage
from ..issues import STORAGE_FAILED, async_clear, async_raise
from ..options import Options
from .admission import Admission
from .dispatcher import Dispatcher
from .history import History
from .journal import StorageError
from .message import OutgoingMessage, State
from .publisher import EventListener, EventPublisher, MessageListener
from .reconciler import Reconciler
from .request import SendRequest, SendResult
from .routing import PhoneAvailability, Route, select_phone
from .store import OutboxStore
from .tracker import DeliveryTracker
from .waiter import StatusWaiter

_LOGGER = logging.getLogger(__name__)

# Those of all entries, by their ids. One that was unloaded stays until it is loaded again: its ids are nobody else's.
_OUTBOXES: HassKey[dict[str, Outbox]] = HassKey("gosms_outboxes")


class Outbox:
    """Sends the messages of one account, each of them once, and follows them to their end.

    Everything that was taken is on disk before it leaves, goes on after a restart, and ends in exactly one of the
    final events.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        client: GoSmsClient,
        poll: Callable[[], Awaitable[MessagePage | None]],
        can_send: PhoneAvailability = lambda _device_id: None,
    ) -> None:
        """Make the outbox.

        Args:
            hass: Home Assistant.
            entry: the account that sends.
            client: the client of that account.
            poll: fetches the newest messages of the account; None if that failed.
            can_send: tells what is known of a phone's ability to send.
        """
        options = Options.from_entry(entry)
        self._hass = hass
        self._entry = entry
        self._is_fit = can_send
        self._store = store = OutboxStore(hass, entry.entry_id)
        self._publisher = EventPublisher(hass, store)
        self._tracker = DeliveryTracker(
            hass,
            store,
            client,
            poll=poll,
            delivery_timeout=60 * options.delivery_timeout,
        )
        self._reconciler = Reconciler(
            hass, store, client, claimed=self._claimed_everywhere, has_duplicate=self._has_duplicate
        )
        self._dispatcher = Dispatcher(
            hass,
            store,
            client,
            route=self._route,
            claimed=self._claimed_everywhere,
            callback_id=options.callback_id,
        )
        self._admission = Admission(
            hass,
            store,
            self._dispatcher,
            limit=options.hourly_limit,
            expiry=60 * options.queue_expiry,
        )
        self._waiter = StatusWaiter()
        store.on_health = self._on_health

    @property
    def history(self) -> History:
        """Return what is remembered of messages that ended."""
        return self._store.history

    @property
    def messages(self) -> Collection[OutgoingMessage]:
        """Return the messages that have not ended, oldest first."""
        return self._store.messages.values()

    @property
    def in_transit(self) -> int:
        """Return how many messages the service has whose end is awaited."""
        return sum(message.state.is_tracked for message in self.messages)

    @property
    def queued(self) -> int:
        """Return how many messages wait; one that leaves at once never does."""
        return sum(message.is_waiting_for_retry for message in self.messages)

    @property
    def claimed(self) -> set[str]:
        """Return the ids of the service that belong to messages of this account."""
        return self._store.history.claimed.union(*(message.ids for message in self.messages))

    async def async_load(self) -> None:
        """Take up what an earlier run left."""
        await self._store.async_load()
        self._hass.data.setdefault(_OUTBOXES, {})[self._entry.entry_id] = self

    @staticmethod
    async def async_remove(hass: HomeAssistant, entry_id: str) -> None:
        """Remove everything that is known of the messages of an account."""
        hass.data.get(_OUTBOXES, {}).pop(entry_id, None)
        await OutboxStore(hass, entry_id).async_remove()

    @callback
    def async_start(self) -> None:
        """Begin to send, to follow and to tell: not earlier, or the first poll would come before the entities."""
        self._store.on_change = self._on_change
        self._publisher.async_start()
        for message in list(self.messages):
            self._on_change(message)
        self._dispatcher.async_start()

    @callback
    def async_pause_events(self) -> None:
        """Tell nothing for the moment, since nobody is there to hear it; nothing of it is lost."""
        self._publisher.async_pause_events()

    @callback
    def async_resume_events(self) -> None:
        """Tell again what happens."""
        self._publisher.async_start()

    async def async_close(self) -> None:
        """Stop: no new attempt begins, a running one ends, and everything is on disk.

        A message that is sent afterwards, such as an automation's last word when Home Assistant stops, is queued for
        the next run.
        """
        await self._dispatcher.async_close()
        self._reconciler.async_close()
        self._tracker.async_close()
        self._waiter.async_close()
        await self._publisher.async_close()

    async def async_unload(self) -> None:
        """Stop for good: another outbox takes the files over."""
        await self.async_close()
        self._store.close()

    @callback
    def async_add_event_listener(self, listener: EventListener) -> CALLBACK_TYPE:
        """SendRequest a listener with everything that is to be told of a message; returns how to stop it."""
        return self._publisher.async_add_event_listener(listener)

    @callback
    def async_add_message_listener(self, watcher: MessageListener) -> CALLBACK_TYPE:
        """SendRequest a watcher with the messages that changed, once that is saved; returns how to stop it."""
        return self._publisher.async_add_message_listener(watcher)

    @callback
    def async_take(self, page: MessagePage) -> None:
        """Take over what a poll that somebody else made tells of the messages."""
        self._tracker.async_take(page.messages)

    @callback
    def async_check(self, call: SendRequest) -> None:
        """Check a call before anything of it is sent.

        Raises:
            ServiceValidationError: its idempotency key stands for another call. Translated.
        """
        self._admission.async_find(call)

    async def async_send(self, call: SendRequest) -> list[SendResult]:
        """Send what a call asks for, each message once, also if this call is cancelled.

        Args:
            call: what to send to whom, and what to wait for.

        Returns:
            What has become of the messages, in the order of the call's numbers: no later than the call's time-out, or
            when the outbox closes.

        Raises:
            ServiceValidationError: see `async_check`. What goes wrong with a message is told in its result.
        """
        taken = self._admission.async_take(call)
        with self._waiter.subscribe(each for each in taken if isinstance(each, OutgoingMessage)) as watch:
            try:
                async with asyncio.timeout(call.timeout):
                    await self._dispatcher.async_wait_first_result(watch.messages)
                    if call.wait_for is not State.ACCEPTED:
                        await watch.wait_for(call.wait_for)
            except TimeoutError:
                self._dispatcher.async_abandon(watch.messages)
            latest = watch.messages
            return [SendResult.of(latest[each.key] if isinstance(each, OutgoingMessage) else each) for each in taken]

    def _route(self, message: OutgoingMessage) -> Route:
        """Return how a message leaves; where that is not as chosen, the log says why."""
        route = select_phone(message, self._entry, self._is_fit)
        if route.is_fallback and not message.attempts:
            _LOGGER.warning(
                "A message leaves with any phone: the one chosen for it is out of touch or switched off, another is fit"
            )
        return route

    def _claimed_everywhere(self) -> set[str]:
        """Return the ids that belong to messages of any entry: two tokens may belong to one account."""
        return set().union(*(outbox.claimed for outbox in self._hass.data[_OUTBOXES].values()))

    def _has_duplicate(self, message: OutgoingMessage) -> bool:
        """Tell if a request of a message's text to its number is under way, also from another entry."""
        return any(
            other.state is State.SENDING and (other.phone_number, other.part) == (message.phone_number, message.part)
            for outbox in self._hass.data[_OUTBOXES].values()
            for other in outbox.messages
        )

    def _on_change(self, message: OutgoingMessage) -> None:
        """Follow what changed, save, show and tell it."""
        self._tracker.async_on_message_changed(message)
        self._reconciler.async_on_message_changed(message)
        self._waiter.async_on_message_changed(message)
        self._publisher.async_on_message_changed(message)
        # At last: it may change the message at once, and everybody hears of changes in their order.
        self._dispatcher.async_on_message_changed(message)

    def _on_health(self, failure: StorageError | None) -> None:
        """Tell people that the disk does not take the queue, or that it does again."""
        if failure is None:
            async_clear(self._hass, self._entry, STORAGE_FAILED)
        else:
            async_raise(self._hass, self._entry, STORAGE_FAILED)
