"""Preparation of texts from people and templates into texts that the service accepts. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
import re
from typing import Final
import unicodedata

from .api import join_surrogates
from .symbols import disallowed, replace_symbols as _replace_symbols

# Code points of a text and its title: far more than can be sent, and few enough to be prepared in the event loop.
MAX_CHARACTERS: Final = 10_000

# Code points in one message of the service, and messages that a text can be split into.
_MAX_PART_LENGTH: Final = 300
_MAX_PARTS: Final = 10

# The white space that is sent, and replacements for all other white space.
_SPACES: Final = " \n"
_WHITE_SPACE: Final = str.maketrans(
    {
        **dict.fromkeys("\t\u00a0\u1680\u202f\u205f\u3000", " "),
        **{chr(code): " " for code in range(0x2000, 0x200B)},
        **dict.fromkeys("\r\v\f\u0085\u2028\u2029", "\n"),
    }
)

# 3GPP TS 23.038, 6.2.1: the characters of the GSM 7-bit alphabet, and those of its extension, which count twice.
_GSM: Final = (
    "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION: Final = frozenset("^{}\\[~]|€")
_GSM7: Final = _GSM_EXTENSION.union(_GSM)
# Characters in a single SMS, and in each SMS of a concatenated message.
_GSM_SIZES: Final = (160, 153)
_UCS2_SIZES: Final = (70, 67)
_BEYOND_BMP: Final = 0x10000

# Letters that form a grapheme with the letter before them, by Unicode's rules. Marks do so too, but are not sent. These
# are vowels of Thai and Lao, the voicing of half-width Katakana, old letters of Hangul, and letters of Indian scripts
# that precede the letter they belong to.
_ATTACHED: Final = re.compile(
    "[\u0e33\u0eb3\uff9e\uff9f\u1160-\u11ff\ud7b0-\ud7fb]"
    "|(?<=[\u1100-\u115f\ua960-\ua97c\u0d4e\U000111c2\U000111c3\U000113d1\U0001193f\U00011941\U00011a3a"
    "\U00011a84-\U00011a89\U00011f02])."
)

# Characters that an error lists.
_MAX_NAMED: Final = 10


class InvalidTextError(ValueError):
    """A text can't be sent. The error does not quote it.

    Attributes:
        reason: the translation key of the reason.
        placeholders: the values for the text of that key.
    """

    def __init__(self, reason: str, **placeholders: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.placeholders = placeholders


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedText:
    """A text that can be sent.

    Attributes:
        text: the whole text. Not shown by repr.
        parts: the text in messages, numbered if there are several. Not shown by repr.
        characters: code points of all parts.
        segments: SMS that the phone will send for all parts.
        encoding: the encoding of the SMS: `gsm7`, or `ucs2` if any part needs it.
        replaced: the replacement of each character that can't be sent, empty if it was dropped.
    """

    text: str = field(repr=False)
    parts: tuple[str, ...] = field(repr=False)
    characters: int
    segments: int
    encoding: str
    replaced: dict[str, str]


def prepare(message: str, title: str | None, *, long_text: str, replace_symbols: bool) -> PreparedText:
    """Prepare a text.

    Args:
        message: the text.
        title: put before the text, on a line of its own.
        long_text: how to handle a text of more than 300 characters: `split`, `truncate` or `reject`.
        replace_symbols: whether characters that the service does not accept are replaced or dropped.

    Raises:
        InvalidTextError: the text is empty or too long, or it contains characters that the service does not accept and
            that may not be replaced.
    """
    if (characters := len(message) + len(title or "")) > MAX_CHARACTERS:
        raise InvalidTextError("too_many_characters", characters=str(characters))
    title = _normalize(title or "").replace("\n", " ")
    text = "\n".join(filter(None, (title, _normalize(message))))
    replaced: dict[str, str] = {}
    if replace_symbols:
        text, replaced = _replace_symbols(text)
        text = text.strip(_SPACES)
    elif forbidden := disallowed(text):
        raise InvalidTextError("forbidden_symbols", symbols=_format_characters(forbidden))
    if not text:
        raise InvalidTextError("empty_text")
    if long_text == "truncate" and len(text) > _MAX_PART_LENGTH:
        text = _truncate(text)
    if long_text == "reject" and len(text) > _MAX_PART_LENGTH:
        raise InvalidTextError("text_too_long", characters=str(len(text)))
    parts = _split(text)
    return PreparedText(
        text=text,
        parts=parts,
        characters=sum(map(len, parts)),
        segments=sum(map(count_segments, parts)),
        encoding="gsm7" if all(map(_is_gsm7, parts)) else "ucs2",
        replaced=replaced,
    )


def _normalize(text: str) -> str:
    """Return a text in composed characters, whose white space is only spaces and line feeds, with none at its ends."""
    text = unicodedata.normalize("NFC", join_surrogates(text))
    return text.replace("\r\n", "\n").translate(_WHITE_SPACE).strip(_SPACES)


def _format_characters(characters: list[str]) -> str:
    """Return characters in a form that a person can recognize: invisible ones as code points."""
    names = [
        character if unicodedata.category(character)[0] in "NS" else f"U+{ord(character):04X}"
        for character in characters[:_MAX_NAMED]
    ]
    return " ".join([*names, "…"] if len(characters) > _MAX_NAMED else names)


def _truncate(text: str) -> str:
    """Return the beginning of a text that is too long for one message, with an ellipsis."""
    # A single character outside of GSM 7-bit more than doubles the number of SMS.
    ending = "..." if _is_gsm7(text[: _MAX_PART_LENGTH - 3]) else "…"
    return f"{text[: _boundary(text, 0, _MAX_PART_LENGTH - len(ending))].rstrip(_SPACES)}{ending}"


def _split(text: str) -> tuple[str, ...]:
    """Return the parts of a text, numbered if there are several."""
    if len(text) <= _MAX_PART_LENGTH:
        return (text,)
    # Up to 9 parts, the numbers are shorter.
    for max_parts in (_MAX_PARTS - 1, _MAX_PARTS):
        pieces = list(islice(_pieces(text, max_parts), max_parts + 1))
        if len(pieces) <= max_parts:
            return tuple(f"{_part_number(index, len(pieces))}{piece}" for index, piece in enumerate(pieces, 1))
    raise InvalidTextError("too_many_parts", characters=str(len(text)))


def _pieces(text: str, max_parts: int) -> Iterator[str]:
    """Yield the pieces of a text, each with room for its number, without the white space between them."""
    start, index = 0, 1
    while len(text) - start > (room := _MAX_PART_LENGTH - len(_part_number(index, max_parts))):
        end = start + room
        cut = max(text.rfind(space, start, end + 1) for space in _SPACES)
        if cut < 0:
            # The word is longer than a part.
            cut = _boundary(text, start, end)
        yield text[start:cut].rstrip(_SPACES)
        start = cut
        while text[start] in _SPACES:
            start += 1
        index += 1
    yield text[start:]


def _part_number(index: int, parts: int) -> str:
    return f"({index}/{parts}) "


def _boundary(text: str, start: int, end: int) -> int:
    """Return the last position up to the end that does not split a grapheme."""
    boundary = end
    while boundary > start and _ATTACHED.match(text, boundary):
        boundary -= 1
    return boundary if boundary > start else end


def _is_gsm7(part: str) -> bool:
    """Return whether a part can be encoded in GSM 7-bit."""
    return _GSM7.issuperset(part)


def count_segments(part: str) -> int:
    """Return how many SMS a phone sends for a part. No character is split between two of them."""
    if _is_gsm7(part):
        wide, (single, joined) = _GSM_EXTENSION.intersection(part), _GSM_SIZES
    else:
        wide, (single, joined) = frozenset(each for each in part if ord(each) >= _BEYOND_BMP), _UCS2_SIZES
    widths = [1 + (character in wide) for character in part] if wide else [1] * len(part)
    if sum(widths) <= single:
        return 1
    if not wide:
        return -(-len(part) // joined)
    segments, room = 1, joined
    for width in widths:
        if width > room:
            segments, room = segments + 1, joined
        room -= width
    return segments
