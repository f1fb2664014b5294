"""People and automations that send through a house, whatever happens to it, and remember what they were told."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
import random
from typing import Final

from aiohttp import ClientConnectorError, ClientError

from .home_assistant import HomeAssistant, RefusedError

# How many call at the same time.
CALLERS: Final = 6
# Every so many messages one is sent three times, as an automation does that fires again: each of them counts.
TWINS_EVERY: Final = 20
TWINS: Final = 3
PAUSE: Final = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One call: a text to a recipient."""

    recipient: str
    text: str


class Answer(StrEnum):
    """What became of a call, as far as its caller knows."""

    TAKEN = auto()
    """The action succeeded."""
    FAILED = auto()
    """The action ended with an error."""
    CUT = auto()
    """The house died before it answered."""


def plan(chance: random.Random, count: int, recipients: Sequence[str]) -> list[Ask]:
    """Return so many calls; the texts are numbered, and some calls are made three times."""
    asks: list[Ask] = []
    while len(asks) < count:
        number = len(asks) + 1
        times = TWINS if number % TWINS_EVERY == 1 else 1
        asks += [Ask(recipient=chance.choice(recipients), text=f"Message {number} of {count}")] * times
    return asks[:count]


class Crowd:
    """The callers: they call as fast as they are let, and never make one call twice."""

    def __init__(self, home: HomeAssistant, asks: Sequence[Ask], entity_ids: Mapping[str, str]) -> None:
        """Get ready; entity_ids names the notify entity of each recipient."""
        self.answers: list[tuple[Ask, Answer]] = []
        self.up = asyncio.Event()
        self._home = home
        self._left = deque(asks)
        self._entity_ids = entity_ids
        self._queue: asyncio.Queue[Ask] = asyncio.Queue()

    def release(self, count: int) -> None:
        """Let so many more calls be made, if so many are left."""
        for _ in range(min(count, len(self._left))):
            self._queue.put_nowait(self._left.popleft())
        if not self._left:
            self._queue.shutdown()

    async def call(self) -> None:
        """Make all calls, as they are released."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(self._call())

    async def _call(self) -> None:
        """Make one call after the other."""
        while True:
            try:
                ask = await self._queue.get()
            except asyncio.QueueShutDown:
                return
            self.answers.append((ask, await self._answer(ask)))

    async def _answer(self, ask: Ask) -> Answer:
        """Make a call, once the house is there."""
        data = {"entity_id": self._entity_ids[ask.recipient], "message": ask.text}
        while True:
            await self.up.wait()
            try:
                await self._home.request("POST", "/api/services/notify/send_message", data)
            except RefusedError:
                return Answer.FAILED
            except ClientConnectorError:
                # The house was gone before the call could be made.
                await asyncio.sleep(PAUSE)
            except ClientError, TimeoutError:
                return Answer.CUT
            except ConnectionError:
                await asyncio.sleep(PAUSE)
            else:
                return Answer.TAKEN
