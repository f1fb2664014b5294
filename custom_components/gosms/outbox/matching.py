"""Finds a message of unknown outcome among those that the service lists. Pure."""

from collections.abc import Callable, Collection, Iterable
import html
import re
from typing import Final
import unicodedata

from ..api import Message
from .message import OutgoingMessage

# The last digits of a number, which are the same in every notation.
COMMON_DIGITS: Final = 10

# Minimum length of a truncated text. Services truncate texts to 160 characters or a few less, some of which may be
# white space that is not compared.
_MIN_CUT: Final = 100

# Characters that services substitute for one another.
_ALIKE: Final = str.maketrans(
    {**dict.fromkeys("«»„“”‟″", '"'), **dict.fromkeys("‘’‚‛`´′", "'"), **dict.fromkeys("‐‑‒–—―−", "-"), "ё": "е"}
)
_SPACES: Final = re.compile(r"\s+")


class SearchResults:
    """What the service listed for a number. It may list messages to other numbers, too."""

    def __init__(self, found: Collection[Message], number: str) -> None:
        """Prepare the results for comparison.

        Args:
            found: the listed messages, newest first.
            number: the number that was searched for.
        """
        self._listed = comparable_texts(found, number)
        self._incomplete = [each for each in found if not (each.phone_number and each.text.strip())]

    def find_part(
        self, message: OutgoingMessage, window: tuple[float, float], is_claimed: Callable[[str], bool]
    ) -> str | None:
        """Return the id of the oldest listed message that can be the next part of a message, or None.

        Args:
            message: the message, in the state unknown.
            window: when it can have been created, in Unix seconds of the service's clock.
            is_claimed: returns whether an id already belongs to a message.
        """
        text = comparable(message.next_part)
        candidates = [
            found.id
            for found_text, found in self._listed
            if _is_same_text(found_text, text) and _can_be_new(found, window, is_claimed)
        ]
        return candidates[-1] if candidates else None

    def prove_absence(self, window: tuple[float, float], is_claimed: Callable[[str], bool]) -> bool:
        """Return whether a message that `find_part` does not find is absent.

        A listed message without a number or a text may be the one that is looked up.
        """
        return not any(_can_be_new(each, window, is_claimed) for each in self._incomplete)


def comparable_texts(listed: Iterable[Message], number: str) -> list[tuple[str, Message]]:
    """Return the listed messages to a number, each with its text in comparable form."""
    digits = number[-COMMON_DIGITS:]
    return [(comparable(each.text), each) for each in listed if each.phone_number[-COMMON_DIGITS:] == digits]


def comparable(text: str) -> str:
    """Return a text in comparable form: services modify texts, which must not cause a duplicate message."""
    unescaped = unicodedata.normalize("NFC", html.unescape(text)).casefold().translate(_ALIKE)
    return _SPACES.sub(" ", unescaped).strip()


def _can_be_new(listed: Message, window: tuple[float, float], is_claimed: Callable[[str], bool]) -> bool:
    """Return whether a listed message was created within the window, as far as known, and belongs to no other one."""
    is_within = listed.created is None or window[0] <= listed.created.timestamp() <= window[1]
    return is_within and not is_claimed(listed.id)


def _is_same_text(listed: str, text: str) -> bool:
    """Return whether a listed text equals a text, or is its beginning as truncated by the service."""
    return listed == text or (len(listed) >= _MIN_CUT and text.startswith(listed.rstrip("….")))
