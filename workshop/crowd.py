"""People and automations that send through a house, whatever happens to it, and remember what they were told."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
import random
from typing import Final

from aiohttp import ClientConnectorError, ClientError

from .home_assistant import HomeAssistant, Json, RefusedError

# How many call at the same time.
CALLERS: Final = 6
# Every so many messages one call is made three times, as by an automation that fires again.
TWINS_EVERY: Final = 20
TWINS: Final = 3
# The part of the calls that have a key, and of the texts that are too long for one message, and how long these are.
KEYED: Final = 0.2
LONG: Final = 1 / 6
PARTS: Final = (2, 3)
# Characters that a part has beside its number, such as "(1/3) ".
ROOM: Final = 294
PAUSE: Final = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One call: a text to a recipient.

    Attributes:
        recipient: the number.
        pieces: the text, as it has to be split: several pieces fill their parts.
        key: what makes a second call a repetition of the first one, or None if each call counts.
    """

    recipient: str
    pieces: tuple[str, ...]
    key: str | None = None

    @property
    def text(self) -> str:
        """Return what the caller says."""
        return " ".join(self.pieces)

    @property
    def parts(self) -> tuple[str, ...]:
        """Return what the service must get."""
        if len(self.pieces) == 1:
            return self.pieces
        return tuple(f"({number}/{len(self.pieces)}) {piece}" for number, piece in enumerate(self.pieces, 1))


class Answer(StrEnum):
    """What became of a call, as far as its caller knows."""

    TAKEN = auto()
    """The action succeeded."""
    FAILED = auto()
    """The action ended with an error."""
    CUT = auto()
    """The house died before it answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recalled:
    """What a call was answered that was made again when all was over."""

    ask: Ask
    status: str
    ids: tuple[str, ...]


def plan(chance: random.Random, count: int, recipients: Sequence[str]) -> list[Ask]:
    """Return calls for so many messages; the texts are numbered, and some calls are made three times."""
    numbers = range(1, count + 1)
    keyed = set(chance.sample(numbers, round(count * KEYED)))
    long = set(chance.sample(numbers, round(count * LONG)))
    asks: list[Ask] = []
    number = 1
    while number <= count:
        ask = Ask(
            recipient=chance.choice(recipients),
            pieces=_pieces(f"Message {number} of {count}", chance.choice(PARTS) if number in long else 1),
            key=f"key {number}" if number in keyed else None,
        )
        times = TWINS if number % TWINS_EVERY == 1 else 1
        # All calls with a key are one message.
        messages = 1 if ask.key else min(times, count - number + 1)
        asks += [ask] * (times if ask.key else messages)
        number += messages
    return asks


def _pieces(text: str, count: int) -> tuple[str, ...]:
    """Return a text, or so many that fill a part each."""
    if count == 1:
        return (text,)
    return tuple(f"{text}, piece {number} ".ljust(ROOM, ".") for number in range(1, count + 1))


class Crowd:
    """The callers: they call as fast as they are let, and make no call twice but for one with a key."""

    def __init__(self, home: HomeAssistant, asks: Sequence[Ask], entity_ids: Mapping[str, str]) -> None:
        """Get ready; entity_ids names the notify entity of each recipient."""
        self.answers: list[tuple[Ask, Answer]] = []
        self.up = asyncio.Event()
        self._home = home
        self._left = deque(asks)
        self._entity_ids = entity_ids
        self._queue: asyncio.Queue[Ask] = asyncio.Queue()

    def release(self, count: int, *, keep: int = 0, long: bool = False) -> None:
        """Let so many more calls be made, if so many are left beside those to keep; on request long ones first."""
        for _ in range(min(count, len(self._left) - keep)):
            places = (place for place, ask in enumerate(self._left) if long and len(ask.pieces) > 1)
            place = next(places, 0)
            self._queue.put_nowait(self._left[place])
            del self._left[place]
        if not self._left:
            self._queue.shutdown()

    async def call(self) -> None:
        """Make all calls, as they are released."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(self._call())

    async def recall(self) -> list[Recalled]:
        """Make all calls that have a key once more, and return what they are answered."""
        keyed = dict.fromkeys(ask for ask, _ in self.answers if ask.key)
        return [await self._recall(ask) for ask in keyed]

    async def _call(self) -> None:
        """Make one call after the other."""
        while True:
            try:
                ask = await self._queue.get()
            except asyncio.QueueShutDown:
                return
            self.answers.append((ask, answer := await self._answer(ask)))
            # Nobody knows what became of it. The key is for making it again.
            while ask.key and answer is Answer.CUT:
                self.answers.append((ask, answer := await self._answer(ask)))

    async def _answer(self, ask: Ask) -> Answer:
        """Make a call, once the house is there."""
        while True:
            await self.up.wait()
            try:
                await self._request(ask)
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

    async def _recall(self, ask: Ask) -> Recalled:
        """Make a call again."""
        answer = await self._request(ask, "?return_response")
        (message,) = answer["service_response"]["messages"]
        return Recalled(ask=ask, status=message["status"], ids=tuple(message["message_ids"]))

    async def _request(self, ask: Ask, query: str = "") -> Json:
        """Make a call: with a key by the integration's own action, which alone takes one."""
        data = {"entity_id": self._entity_ids[ask.recipient], "message": ask.text}
        action = "notify/send_message"
        if ask.key:
            action, data["idempotency_key"] = "gosms/send_sms", ask.key
        answer: Json = await self._home.request("POST", f"/api/services/{action}{query}", data)
        return answer
