"""What the service tells of the messages under way. Pure: time comes in, as for messages."""

from collections.abc import Iterable
from typing import Final

from ..api import PAGE_SIZE, Message, MessagePage
from ..const import POLL_INTERVAL
from .message import OutgoingMessage

# Seconds after acceptance. What has not ended by then never will: the service keeps no promise for longer.
_GIVE_UP: Final = 72 * 60 * 60

# Seconds between two polls: short for fresh messages, longer as they age. The longest is a second under the interval of
# the poll that is always made, and takes its place: that one's timer runs up to a second ahead, and both would ask.
_SHORTEST: Final = 5.0
_LONGEST: Final = POLL_INTERVAL - 1.0
_SHARE_OF_AGE: Final = 0.1


def follow(message: OutgoingMessage, told: Iterable[Message], now: float, delivery_timeout: float) -> OutgoingMessage:
    """Return a tracked message as it is after the service told of some messages; the same object if nothing changed.

    Args:
        message: a message that the service has.
        told: messages as the service tells of them, in any order.
        now: the time.
        delivery_timeout: seconds after which a missing delivery is told.
    """
    statuses = {each.id: each.status for each in told if each.id in message.ids and each.status is not None}
    message = message.progress(statuses, now)
    if not message.state.is_tracked or message.accepted is None:
        return message
    age = now - message.accepted
    if age >= delivery_timeout and not message.timed_out:
        message = message.time_out(now)
    return message.give_up(now) if age >= _GIVE_UP else message


def missing(messages: Iterable[OutgoingMessage], page: MessagePage, requested: float) -> list[str]:
    """Return the ids under way that a page should tell of but does not, those of the oldest messages first.

    Args:
        messages: the messages under way.
        page: the newest messages of the account.
        requested: when the page was asked for; what was accepted later can't be on it.
    """
    there = {message.id for message in page.messages}
    return [
        message_id
        for message in messages
        if message.accepted is not None and message.accepted < requested
        for message_id, status in zip(message.ids, message.statuses, strict=True)
        if message_id not in there and not status.is_final
    ]


def pause(messages: Iterable[OutgoingMessage], now: float) -> float:
    """Return the seconds to wait until the next poll for these messages."""
    youngest = min(now - message.accepted for message in messages if message.accepted is not None)
    return min(max(youngest * _SHARE_OF_AGE, _SHORTEST), _LONGEST)


def find(message: OutgoingMessage, page: MessagePage, *, earliest: float, claimed: Iterable[str]) -> str | None:
    """Look for the part whose fate is unknown.

    Args:
        message: the message, in the state unknown.
        page: what the service found for its number.
        earliest: Unix seconds by the service's clock; nothing older is it.
        claimed: ids that belong to other messages.

    Returns:
        The id of the oldest message that it can be, or None if there is none.
    """
    taken = set(claimed)
    # White space is compared loosely: a service that tidies it up must not cost the receiver a second message.
    words = message.part.split()
    candidates = [
        found.id
        for found in page.messages
        if found.phone_number == message.phone_number
        and found.text.split() == words
        and found.id not in taken
        and (found.created is None or found.created.timestamp() >= earliest)
    ]
    return candidates[-1] if candidates else None


def ends(page: MessagePage, earliest: float) -> bool:
    """Tell if no later page can have a message that was created at a time or after it, in Unix seconds."""
    if len(page.messages) < PAGE_SIZE:
        return True
    created = page.messages[-1].created
    return created is not None and created.timestamp() < earliest
