"""Generates calls from people and automations, whatever happens to Home Assistant, and records their outcomes."""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from http import HTTPStatus
import json
import random
from typing import Final

from aiohttp import ClientConnectorError, ClientError

from ..hass_client import HassApiError, HomeAssistantClient, Json
from ..process import ROOT

# Calls at the same time.
CONCURRENCY: Final = 6
# Every so many messages, one call is made three times, as by an automation that is triggered again.
DUPLICATES_EVERY: Final = 20
DUPLICATES: Final = 3
# Every so many messages, that many with the same text to the same number, at once.
BURST_EVERY: Final = 75
BURST: Final = 8
# The share of calls with an idempotency key, the share of texts in several parts, and how many parts these have.
KEYED_SHARE: Final = 0.2
MULTIPART_SHARE: Final = 1 / 6
PART_COUNTS: Final = (2, 3)
# Characters of a part without its number, such as "(1/3) ".
PART_LENGTH: Final = 294
RETRY_DELAY: Final = 0.1

# Home Assistant 2026.8 does not say why an action failed.
WITHOUT_REASON: Final = "Server got itself in trouble"

# The beginning of the error that leaves open whether the message was sent.
NOT_CONFIRMED: Final = json.loads(
    (ROOT / "custom_components" / "gosms" / "translations" / "en.json").read_text(encoding="utf-8")
)["exceptions"]["not_confirmed"]["message"].partition(",")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedCall:
    """One call: a text to a recipient.

    Attributes:
        recipient: the phone number.
        pieces: the text, as it has to be split: several pieces fill one part each.
        key: the idempotency key that makes a second call a repetition of the first one, or None.
    """

    recipient: str
    pieces: tuple[str, ...]
    key: str | None = None

    @property
    def text(self) -> str:
        """The text that is passed to the action."""
        return " ".join(self.pieces)

    @property
    def parts(self) -> tuple[str, ...]:
        """The texts that the service must receive."""
        if len(self.pieces) == 1:
            return self.pieces
        return tuple(f"({number}/{len(self.pieces)}) {piece}" for number, piece in enumerate(self.pieces, 1))


class CallOutcome(StrEnum):
    """The outcome of a call, as far as its caller knows."""

    SUCCEEDED = auto()
    FAILED = auto()
    """The action raised an error."""
    UNCERTAIN = auto()
    """The action raised an error that says that the message may have been sent."""
    DISCONNECTED = auto()
    """Home Assistant was killed before it answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RepeatedCall:
    """The response to a call that was repeated at the end of the run."""

    call: PlannedCall
    status: str
    ids: tuple[str, ...]


def plan(chance: random.Random, count: int, recipients: Sequence[str]) -> list[PlannedCall]:
    """Return calls that make up so many messages; their texts are numbered, and some calls are planned three times."""
    numbers = range(1, count + 1)
    keyed = set(chance.sample(numbers, round(count * KEYED_SHARE)))
    multipart = set(chance.sample(numbers, round(count * MULTIPART_SHARE)))
    calls: list[PlannedCall] = []
    number = 1
    while number <= count:
        call = PlannedCall(
            recipient=chance.choice(recipients),
            pieces=_pieces(f"Message {number} of {count}", chance.choice(PART_COUNTS) if number in multipart else 1),
            key=f"key {number}" if number in keyed else None,
        )
        times = DUPLICATES if number % DUPLICATES_EVERY == 1 else 1
        if number % BURST_EVERY == BURST_EVERY // 3 and not call.key:
            times = BURST
        # All calls with the same key are one message.
        messages = 1 if call.key else min(times, count - number + 1)
        calls += [call] * (times if call.key else messages)
        number += messages
    return calls


def _pieces(text: str, count: int) -> tuple[str, ...]:
    """Return the text itself, or so many pieces that fill one part each."""
    if count == 1:
        return (text,)
    return tuple(f"{text}, piece {number} ".ljust(PART_LENGTH, ".") for number in range(1, count + 1))


class LoadGenerator:
    """Makes the planned calls as they are released; only calls with a key are ever repeated."""

    def __init__(
        self, client: HomeAssistantClient, calls: Sequence[PlannedCall], entity_ids: Mapping[str, str]
    ) -> None:
        """Prepare the calls; entity_ids has the notify entity of each recipient."""
        self.outcomes: list[tuple[PlannedCall, CallOutcome]] = []
        # Set while Home Assistant is running.
        self.is_up = asyncio.Event()
        # How many of the calls with several parts `release` keeps back.
        self.kept_multipart = 0
        # The calls of which a kill may leave nothing, since the disk is full or a backup is restored.
        self.at_risk: set[PlannedCall] = set()
        self._is_risky = False
        self._in_progress: Counter[PlannedCall] = Counter()
        self._client = client
        self._remaining = deque(calls)
        self._entity_ids = entity_ids
        self._queue: asyncio.Queue[PlannedCall] = asyncio.Queue()

    @property
    def is_risky(self) -> bool:
        """Whether the calls in progress, and those that follow, are at risk."""
        return self._is_risky

    @is_risky.setter
    def is_risky(self, is_risky: bool) -> None:
        self._is_risky = is_risky
        if is_risky:
            self.at_risk.update(+self._in_progress)

    def release(self, count: int, *, reserve: int = 0, multipart_first: bool = False) -> None:
        """Release up to count more calls, but leave a reserve; prefer those with several parts if requested."""
        for _ in range(min(count, len(self._remaining) - reserve)):
            multipart = [index for index, call in enumerate(self._remaining) if len(call.pieces) > 1]
            kept = set(multipart[-self.kept_multipart :] if self.kept_multipart else ())
            preferred = multipart if multipart_first else []
            index = next((index for index in (*preferred, *range(len(self._remaining))) if index not in kept), None)
            if index is None:
                break
            self._queue.put_nowait(self._remaining[index])
            del self._remaining[index]
        if not self._remaining:
            self._queue.shutdown()

    async def run(self) -> None:
        """Make all calls as they are released."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(self._work())

    async def repeat(self) -> list[RepeatedCall]:
        """Repeat each call that has a key, and return the responses."""
        keyed = dict.fromkeys(call for call, _ in self.outcomes if call.key)
        return [await self._repeat(call) for call in keyed]

    async def _work(self) -> None:
        """Make one call after another."""
        while True:
            try:
                call = await self._queue.get()
            except asyncio.QueueShutDown:
                return
            self.outcomes.append((call, outcome := await self._make(call)))
            # The outcome is unknown, and the key makes it safe to repeat the call.
            while call.key and outcome is CallOutcome.DISCONNECTED:
                self.outcomes.append((call, outcome := await self._make(call)))

    async def _make(self, call: PlannedCall) -> CallOutcome:
        """Make a call once Home Assistant is running."""
        while True:
            await self.is_up.wait()
            if self.is_risky:
                self.at_risk.add(call)
            self._in_progress[call] += 1
            try:
                await self._request(call)
            except HassApiError as err:
                if err.code != HTTPStatus.SERVICE_UNAVAILABLE:
                    is_uncertain = any(text in str(err) for text in (NOT_CONFIRMED, WITHOUT_REASON))
                    return CallOutcome.UNCERTAIN if is_uncertain else CallOutcome.FAILED
                # Home Assistant is stopping, and did not make the call.
                await asyncio.sleep(RETRY_DELAY)
            except ClientConnectorError:
                # Home Assistant was killed before the call was made.
                await asyncio.sleep(RETRY_DELAY)
            except ClientError, TimeoutError:
                return CallOutcome.DISCONNECTED
            except ConnectionError:
                await asyncio.sleep(RETRY_DELAY)
            else:
                return CallOutcome.SUCCEEDED
            finally:
                self._in_progress[call] -= 1

    async def _repeat(self, call: PlannedCall) -> RepeatedCall:
        """Repeat a call and return its response."""
        response = await self._request(call, "?return_response")
        (message,) = response["service_response"]["messages"]
        return RepeatedCall(call=call, status=message["status"], ids=tuple(message["message_ids"]))

    async def _request(self, call: PlannedCall, query: str = "") -> Json:
        """Perform the action of a call: only the integration's own action accepts a key."""
        data = {"entity_id": self._entity_ids[call.recipient], "message": call.text}
        action = "notify/send_message"
        if call.key:
            action, data["idempotency_key"] = "gosms/send_sms", call.key
        response: Json = await self._client.request("POST", f"/api/services/{action}{query}", data)
        return response
