"""The messages of one account in memory: what can be looked up without going through all, and what people are told."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
import logging
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, callback

from .fingerprint import Fingerprint
from .history import History
from .index import MessageIndex
from .message import OutgoingMessage

_LOGGER = logging.getLogger(__name__)

# Turns of the event loop that an answer takes through the tasks in which Home Assistant performs an action.
_TURNS_OF_ANSWER: Final = 3

type SavedListener = Callable[[Collection[OutgoingMessage]], None]


class Messages(MessageIndex):
    """The messages that have not been archived, oldest first.

    Attributes:
        unsent: those of which the service does not have every part, oldest first.
        tracked: those that the service has and whose end is awaited, in the order of their acceptance.
        saved: all of them as people may be told of them.
        unreported: those with something to report, or that have to be archived.
        history: those that were archived.
        on_saved: called with all messages that are on disk now, or never will be, also where nothing is shown anew.
    """

    def __init__(self) -> None:
        """Start without messages."""
        super().__init__()
        self.unsent: dict[str, OutgoingMessage] = {}
        self.tracked: dict[str, OutgoingMessage] = {}
        self.saved: dict[str, OutgoingMessage] = {}
        self.unreported: dict[str, OutgoingMessage] = {}
        self.history = History()
        self.on_saved: SavedListener = lambda _messages: None
        self._listeners: list[SavedListener] = []
        self._waiters: dict[str, dict[asyncio.Future[OutgoingMessage], Callable[[OutgoingMessage], bool]]] = {}
        self._is_held = False
        self._is_released = False

    def latest(self, message: OutgoingMessage) -> OutgoingMessage:
        """Return what people may be told of a message by now."""
        key = message.key
        return self.saved.get(key) or self.history.messages.get(key) or self.messages.get(key, message)

    def is_claimed(self, message_id: str) -> bool:
        """Return whether an id of the service belongs to a message."""
        return self.has_id(message_id) or self.history.has_id(message_id)

    def is_untold(self, key: str) -> bool:
        """Return whether a message differs from what people may be told of it."""
        return self.messages.get(key) is not self.saved.get(key)

    async def async_wait(self, key: str, is_reached: Callable[[OutgoingMessage], bool]) -> OutgoingMessage:
        """Return a message once people may be told that it is in a state, or as it is when everybody is released."""
        message = self.saved.get(key) or self.history.messages.get(key)
        while not self._is_released and (self._is_held or message is None or not is_reached(message)):
            future: asyncio.Future[OutgoingMessage] = asyncio.get_running_loop().create_future()
            waiters = self._waiters.setdefault(key, {})
            waiters[future] = is_reached
            try:
                message = await future
            finally:
                del waiters[future]
                if not waiters:
                    self._waiters.pop(key, None)
        return message or self.messages[key]

    def hold(self) -> None:
        """Let nobody go who waits, until `resume` or `release`."""
        self._is_held = True

    def resume(self) -> None:
        """Let those go again whose messages are where they wait for."""
        self._is_held = False
        self._notify_waiters(self._awaited(self.saved))

    def release(self) -> None:
        """Let everybody go who waits, now and later."""
        self._is_held = False
        self._is_released = True
        self._notify_waiters(self._awaited(self.messages))

    def _awaited(self, messages: Mapping[str, OutgoingMessage]) -> list[OutgoingMessage]:
        """Return the messages that are waited for, of these and of those that were archived meanwhile."""
        found = [messages.get(key) or self.history.messages.get(key) for key in self._waiters]
        return [message for message in found if message]

    def _notify_waiters(self, messages: Iterable[OutgoingMessage]) -> bool:
        """Let those go on for whom one of these messages is where they wait for, and return whether there were any."""
        is_any = False
        for message in [] if self._is_held else messages:
            for future, is_reached in self._waiters.get(message.key, {}).items():
                if not future.done() and (self._is_released or is_reached(message)):
                    future.set_result(message)
                    is_any = True
        return is_any

    @callback
    def async_add_listener(self, listener: SavedListener) -> CALLBACK_TYPE:
        """Call a listener with messages of which people see something new, once that is on disk.

        It is called after those who wait for the messages have gone on, with none if some were only archived. Returns
        how to stop it.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def _async_tell(self, messages: Collection[OutgoingMessage], *, are_all: bool) -> None:
        """Tell those who wait, then the listeners of messages that are on disk now, or never will be.

        Args:
            messages: those of the messages that were not archived meanwhile.
            are_all: whether these are all.
        """
        news = [each for each in messages if each.key not in self.saved or each.shown != self.saved[each.key].shown]
        for message in messages:
            if message.key in self.messages:
                self._mark_saved(message)
        if self._notify_waiters(messages):
            # The answer comes first: events and states can follow it.
            for _ in range(_TURNS_OF_ANSWER):
                await asyncio.sleep(0)
        if news or not are_all:
            asyncio.get_running_loop().call_soon(self._show, news)
        self.on_saved(messages)

    def _show(self, messages: Collection[OutgoingMessage]) -> None:
        """Tell the listeners of messages of which people see something new."""
        for listener in list(self._listeners):
            try:
                listener(messages)
            except Exception:
                _LOGGER.exception("Unexpected error while showing messages that changed")

    def _mark_saved(self, message: OutgoingMessage) -> None:
        """Note that people may be told of a message as it is here."""
        self.saved[message.key] = message
        if message.pending_events or message.state.is_final:
            self.unreported[message.key] = message

    @override
    def of_call(self, fingerprint: Fingerprint) -> list[OutgoingMessage]:
        return [*self.history.of_call(fingerprint), *super().of_call(fingerprint)]

    @override
    def add(self, message: OutgoingMessage) -> None:
        super().add(message)
        for place, belongs_there in (
            (self.unsent, not (message.state.is_tracked or message.state.is_final)),
            (self.tracked, message.state.is_tracked),
        ):
            if belongs_there:
                place[message.key] = message
            else:
                place.pop(message.key, None)

    @override
    def remove(self, key: str) -> OutgoingMessage:
        del self.saved[key]
        self.unreported.pop(key, None)
        return super().remove(key)
