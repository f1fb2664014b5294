"""Texts as people and templates write them, as texts that the service takes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
import re
from typing import Final
import unicodedata

from .api import join_surrogates
from .symbols import is_allowed, replace_symbols as _replace_symbols

# Code points that come in, with the title: far more than are ever sent, and few enough to be prepared at once.
MAX_CHARACTERS: Final = 10_000

# Code points in one message of the service, and messages that one text may become.
_LIMIT: Final = 300
_MAX_PARTS: Final = 10

# The white space that is sent, and what becomes of other kinds.
_SPACES: Final = " \n"
_WHITE_SPACE: Final = str.maketrans(
    {
        **dict.fromkeys("\t\u00a0\u1680\u202f\u205f\u3000", " "),
        **{chr(code): " " for code in range(0x2000, 0x200B)},
        **dict.fromkeys("\r\v\f\u0085\u2028\u2029", "\n"),
    }
)

# 3GPP TS 23.038, 6.2.1: what an SMS of 7 bits a character can say, and what takes two of them.
_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION: Final = frozenset("^{}\\[~]|€")
# Characters of one SMS, and of each of several that the phone joins.
_GSM_SIZES: Final = (160, 153)
_UCS2_SIZES: Final = (70, 67)
_BEYOND_BMP: Final = 0x10000

# Letters that are one sign with the one before them by Unicode's rules for graphemes; marks, which are so too, are not
# sent. The vowels of Thai and Lao, the voicing of half-width Katakana, the old letters of Hangul, and the letters of
# Indian scripts that stand before the one they belong to.
_ATTACHED: Final = re.compile(
    "[\u0e33\u0eb3\uff9e\uff9f\u1160-\u11ff\ud7b0-\ud7fb]"
    "|(?<=[\u1100-\u115f\ua960-\ua97c\u0d4e\U000111c2\U000111c3\U000113d1\U0001193f\U00011941\U00011a3a"
    "\U00011a84-\U00011a89\U00011f02])."
)

# Characters that are named in an error.
_MAX_NAMED: Final = 10


class InvalidTextError(ValueError):
    """A text that can't be sent. Does not quote it.

    Attributes:
        reason: the translation key of what is wrong with it.
        placeholders: what that text is filled with.
    """

    def __init__(self, reason: str, **placeholders: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.placeholders = placeholders


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedText:
    """A text that can be sent.

    Attributes:
        text: all of it. Not shown by repr.
        parts: what is sent, message by message, each with its number if there are several. Not shown by repr.
        characters: code points of all parts.
        segments: SMS that the phone will send for all parts.
        encoding: of the SMS: `gsm7`, or `ucs2` if any part needs it.
        replaced: what stands for each character that could not be sent; nothing where it was dropped.
    """

    text: str = field(repr=False)
    parts: tuple[str, ...] = field(repr=False)
    characters: int
    segments: int
    encoding: str
    replaced: dict[str, str]


def prepare(message: str, title: str | None, *, long_text: str, replace_symbols: bool) -> PreparedText:
    """Return a text as it is sent.

    Args:
        message: the text.
        title: stands before it on a line of its own.
        long_text: what becomes of a text of more than 300 characters: `split`, `truncate` or `reject`.
        replace_symbols: whether characters that the service does not take are replaced or dropped.

    Raises:
        InvalidTextError: nothing would be left to send, the text is too long, or it has characters that the service
            does not take and that may not be replaced.
    """
    if (characters := len(message) + len(title or "")) > MAX_CHARACTERS:
        raise InvalidTextError("too_many_characters", characters=str(characters))
    title = _tidy(title or "").replace("\n", " ")
    text = "\n".join(filter(None, (title, _tidy(message))))
    replaced: dict[str, str] = {}
    if replace_symbols:
        text, replaced = _replace_symbols(text)
        text = text.strip(_SPACES)
    elif forbidden := [character for character in dict.fromkeys(text) if not is_allowed(character)]:
        raise InvalidTextError("forbidden_symbols", symbols=_named(forbidden))
    if not text:
        raise InvalidTextError("empty_text")
    if long_text == "truncate" and len(text) > _LIMIT:
        text = _truncated(text)
    if long_text == "reject" and len(text) > _LIMIT:
        raise InvalidTextError("text_too_long", characters=str(len(text)))
    parts = _split(text)
    return PreparedText(
        text=text,
        parts=parts,
        characters=sum(map(len, parts)),
        segments=sum(map(_segments, parts)),
        encoding="gsm7" if all(map(_is_gsm, parts)) else "ucs2",
        replaced=replaced,
    )


def _tidy(text: str) -> str:
    """Return a text in composed characters, with no white space but spaces and line ends, and none around it."""
    text = unicodedata.normalize("NFC", join_surrogates(text))
    return text.replace("\r\n", "\n").translate(_WHITE_SPACE).strip(_SPACES)


def _named(characters: list[str]) -> str:
    """Return characters as a person can recognise them, the invisible ones by their numbers."""
    names = [
        character if unicodedata.category(character)[0] in "NS" else f"U+{ord(character):04X}"
        for character in characters[:_MAX_NAMED]
    ]
    return " ".join([*names, "…"] if len(characters) > _MAX_NAMED else names)


def _truncated(text: str) -> str:
    """Return the beginning of a text that is too long for one message."""
    # One character of another kind would more than double the SMS of a text of 7 bits a character.
    ending = "..." if _is_gsm(text[: _LIMIT - 3]) else "…"
    return f"{text[: _boundary(text, 0, _LIMIT - len(ending))].rstrip(_SPACES)}{ending}"


def _split(text: str) -> tuple[str, ...]:
    """Return a text in numbered parts, or as it is if one part is enough."""
    if len(text) <= _LIMIT:
        return (text,)
    # The numbers take the less room the fewer the parts are.
    for most in (_MAX_PARTS - 1, _MAX_PARTS):
        pieces = list(islice(_pieces(text, most), most + 1))
        if len(pieces) <= most:
            return tuple(f"{_number(index, len(pieces))}{piece}" for index, piece in enumerate(pieces, 1))
    raise InvalidTextError("too_many_parts", characters=str(len(text)))


def _pieces(text: str, most: int) -> Iterator[str]:
    """Yield a text in pieces that leave room for their numbers; the white space between two of them is left out."""
    start, index = 0, 1
    while len(text) - start > (room := _LIMIT - len(_number(index, most))):
        end = start + room
        cut = max(text.rfind(space, start, end + 1) for space in _SPACES)
        if cut < 0:
            # A word that is longer than a part.
            cut = _boundary(text, start, end)
        yield text[start:cut].rstrip(_SPACES)
        start = cut
        while text[start] in _SPACES:
            start += 1
        index += 1
    yield text[start:]


def _number(index: int, parts: int) -> str:
    return f"({index}/{parts}) "


def _boundary(text: str, start: int, end: int) -> int:
    """Return the last place up to an end where no sign is cut in two."""
    boundary = end
    while boundary > start and _ATTACHED.match(text, boundary):
        boundary -= 1
    return boundary if boundary > start else end


def _is_gsm(part: str) -> bool:
    """Tell if an SMS of 7 bits a character can say a part."""
    return _GSM.union(_GSM_EXTENSION).issuperset(part)


def _segments(part: str) -> int:
    """Return how many SMS a phone makes of a part; no character is cut in two by them."""
    if _is_gsm(part):
        widths, (alone, joined) = [1 + (character in _GSM_EXTENSION) for character in part], _GSM_SIZES
    else:
        widths, (alone, joined) = [1 + (ord(character) >= _BEYOND_BMP) for character in part], _UCS2_SIZES
    if sum(widths) <= alone:
        return 1
    segments, room = 1, joined
    for width in widths:
        if width > room:
            segments, room = segments + 1, joined
        room -= width
    return segments
