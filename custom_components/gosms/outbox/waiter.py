"""Waits until messages have got so far. It asks nobody: what the others see of the messages wakes it."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from homeassistant.core import callback

from .message import OutgoingMessage, State


class Subscription:
    """The messages of one call, as they stand, while somebody looks at them."""

    def __init__(self, messages: Iterable[OutgoingMessage]) -> None:
        """Look at these messages."""
        self.messages = {message.key: message for message in messages}
        self._changed = asyncio.Event()
        self._closed = False

    def notice(self, message: OutgoingMessage) -> None:
        """Take note of a message that changed."""
        if message.key in self.messages:
            self.messages[message.key] = message
            self._changed.set()

    def close(self) -> None:
        """Wait no more."""
        self._closed = True
        self._changed.set()

    async def wait_for(self, state: State) -> None:
        """Return once every message has reached a state, or can't any more."""
        while not self._closed and not all(message.has_reached(state) for message in self.messages.values()):
            self._changed.clear()
            await self._changed.wait()


class StatusWaiter:
    """Tells those who look at messages of every change."""

    def __init__(self) -> None:
        """Start with nobody looking."""
        self._subscriptions: list[Subscription] = []
        self._closed = False

    @contextmanager
    def subscribe(self, messages: Iterable[OutgoingMessage]) -> Iterator[Subscription]:
        """Look at messages; who is cancelled meanwhile leaves nothing behind."""
        watch = Subscription(messages)
        self._subscriptions.append(watch)
        if self._closed:
            watch.close()
        try:
            yield watch
        finally:
            self._subscriptions.remove(watch)

    @callback
    def async_on_message_changed(self, message: OutgoingMessage) -> None:
        """Take note of a message that changed."""
        for watch in self._subscriptions:
            watch.notice(message)

    @callback
    def async_close(self) -> None:
        """Let everybody go with what they saw last."""
        self._closed = True
        for watch in self._subscriptions:
            watch.close()
