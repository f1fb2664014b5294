"""The messages of one account in memory, their listeners, and the callers that wait for them."""

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

# Iterations of the event loop that a result takes through the tasks in which Home Assistant performs an action.
_TURNS_OF_ANSWER: Final = 3

type SavedListener = Callable[[Collection[OutgoingMessage]], None]


class Messages(MessageIndex):
    """The messages that have not been archived, oldest first.

    Attributes:
        unsent: those of which the service does not have every part, oldest first.
        tracked: those that the service has and that are not finished, in the order of their acceptance.
        saved: all of them in the state that listeners and callers may see: the one on disk, unless the disk failed.
        unreported: those that have events to publish or have to be archived.
        history: those that were archived.
        on_saved: called with changed messages once they are on disk, or can't be, even if users see no difference.
    """

    def __init__(self) -> None:
        """Initialize without messages."""
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
        """Return the latest state of a message that callers may see."""
        key = message.key
        return self.saved.get(key) or self.history.messages.get(key) or self.messages.get(key, message)

    def is_claimed(self, message_id: str) -> bool:
        """Return whether an id of the service belongs to a message."""
        return self.has_id(message_id) or self.history.has_id(message_id)

    def is_unsaved(self, key: str) -> bool:
        """Return whether a message has changes that listeners and callers may not see yet."""
        return self.messages.get(key) is not self.saved.get(key)

    async def async_wait(self, key: str, is_reached: Callable[[OutgoingMessage], bool]) -> OutgoingMessage:
        """Wait until a saved message meets a condition, or until callers are released; return the message."""
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
        """Keep all callers waiting until `resume` or `release`."""
        self._is_held = True

    def resume(self) -> None:
        """Stop holding callers, and wake those whose conditions are met."""
        self._is_held = False
        self._notify_waiters(self._awaited(self.saved))

    def release(self) -> None:
        """Wake all waiting callers; from now on no caller waits."""
        self._is_held = False
        self._is_released = True
        self._notify_waiters(self._awaited(self.messages))

    def _awaited(self, messages: Mapping[str, OutgoingMessage]) -> list[OutgoingMessage]:
        """Return the messages that callers wait for, from these messages or else from the history."""
        found = [messages.get(key) or self.history.messages.get(key) for key in self._waiters]
        return [message for message in found if message]

    def _notify_waiters(self, messages: Iterable[OutgoingMessage]) -> bool:
        """Wake the callers whose conditions these messages meet, and return whether there were any."""
        is_any = False
        for message in [] if self._is_held else messages:
            for future, is_reached in self._waiters.get(message.key, {}).items():
                if not future.done() and (self._is_released or is_reached(message)):
                    future.set_result(message)
                    is_any = True
        return is_any

    @callback
    def async_add_listener(self, listener: SavedListener) -> CALLBACK_TYPE:
        """Add a listener for changes that users see, and return a function that removes it.

        It is called once the changes are on disk, after the waiting callers have continued. It gets no messages if some
        were only archived, or only the number of sent SMS changed.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def _async_notify(self, messages: Collection[OutgoingMessage], *, are_all: bool) -> None:
        """Notify waiting callers, then listeners, of changes that are on disk now, or can't be.

        Args:
            messages: the changed messages that have not been archived.
            are_all: whether nothing else changed, such as an archived message.
        """
        news = [each for each in messages if each.key not in self.saved or each.shown != self.saved[each.key].shown]
        for message in messages:
            if message.key in self.messages:
                self._mark_saved(message)
        if self._notify_waiters(messages):
            # The caller gets its result first; events and states follow.
            for _ in range(_TURNS_OF_ANSWER):
                await asyncio.sleep(0)
        if news or not are_all:
            asyncio.get_running_loop().call_soon(self._notify_listeners, news)
        self.on_saved(messages)

    def _notify_listeners(self, messages: Collection[OutgoingMessage]) -> None:
        """Notify the listeners of messages with changes that users see."""
        for listener in list(self._listeners):
            try:
                listener(messages)
            except Exception:
                _LOGGER.exception("Unexpected error while showing messages that changed")

    def _mark_saved(self, message: OutgoingMessage) -> None:
        """Record that listeners and callers may see a message in this state."""
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
