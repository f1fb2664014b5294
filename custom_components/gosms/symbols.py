"""The characters that the service accepts, and replacements for the others. Pure."""

from collections.abc import Mapping
import re
from string import ascii_uppercase
from typing import Final
import unicodedata

# In addition to letters and punctuation of any script. White space is only what the preparation of a text leaves.
_ALLOWED: Final = frozenset("0123456789+=$^<> \n")

# Replacements that are words, in a Latin and in a Cyrillic text. They are set apart from adjacent letters and digits.
_WORDS: Final = {
    ("deg.", "град."): "°˚∘",
    ("deg. C", "град. C"): "℃",
    ("deg. F", "град. F"): "℉",
    ("about", "около"): "~≈≃≅≋∼˜",
    ("up", "вверх"): "↑⇑⇧⬆▲△↗⬈",
    ("down", "вниз"): "↓⇓⇩⬇▼▽↘⬊",
    ("root", "корень"): "√",
    ("infinity", "бесконечность"): "∞",
    ("руб.", "руб."): "₽",
    ("EUR", "EUR"): "€",
    ("GBP", "GBP"): "£₤",
    ("JPY", "JPY"): "¥",
    ("UAH", "UAH"): "₴",
    ("KZT", "KZT"): "₸",
    ("AMD", "AMD"): "֏",
    ("AZN", "AZN"): "₼",
    ("GEL", "GEL"): "₾",
    ("MNT", "MNT"): "₮",
    ("TRY", "TRY"): "₺",
    ("ILS", "ILS"): "₪",
    ("INR", "INR"): "₹",
    ("KRW", "KRW"): "₩",
    ("VND", "VND"): "₫",
    ("THB", "THB"): "฿",
    ("PHP", "PHP"): "₱",
    ("BTC", "BTC"): "₿",
    **{
        (word, word): sign
        for word, sign in zip(
            ("IC", "PA", "SA", "AB", "WC", "CL", "COOL", "FREE", "ID", "NEW", "NG", "OK", "SOS", "UP!", "VS", "10"),
            "🆋🆌🆍🆎🆏🆑🆒🆓🆔🆕🆖🆗🆘🆙🆚🔟",
            strict=True,
        )
    },
}

# Replacements that are signs. No space is added around them.
_SIGNS: Final = {
    "N": "№",
    "'": "`´",
    "/": "|¦÷⁄∕∣│┃",
    "\\": "∖",
    "-": "−─━",
    "=": "═≡",
    "x": "×⨯",
    "+/-": "±",
    ">=": "≥⩾≧",
    "<=": "≤⩽≦⇐",
    "!=": "≠",
    "=>": "⇒⟹⇨",
    "<=>": "⇔⟺",
    "->": "→⟶➔➙➛➜➝➞➟➠➡➢➣➤⮕▶►▸▷",
    "<-": "←⟵⬅⇦◀◄◂◁",
    "<->": "↔⟷⇄⇆⬌",
    "*": "∙⋅∗●○◦▪▫■□◆◇★☆",
    ":": "∶",
    "…": "⋯",
    "#": "♯",
    "(c)": "©",
    "(R)": "®",
    "(P)": "℗",
    "Δ": "∆",
    "Σ": "∑",
    "Π": "∏",
    "Ø": "∅⌀",
    "c": "¢",
}

# White letters in black circles and squares, which have no compatible characters in Unicode.
_LETTERS: Final = {
    chr(first + index): letter for first in (0x1F150, 0x1F170) for index, letter in enumerate(ascii_uppercase)
}

_CYRILLIC: Final = re.compile("[\u0400-\u052f]")

# A link from "://" or "www." to its end. The scheme before it never needs a replacement.
_LINK: Final = re.compile(r"((?:://|\bwww\.)[^ \n]+)", re.IGNORECASE)

# Powers and fractions must not turn into longer numbers: 10³ is not 103, 1½ is not 11/2.
_SUPERSCRIPTS: Final = "\u00b2\u00b3\u00b9\u2070\u2074-\u207b"
_POWER: Final = re.compile(f"(?<=[0-9])(?=[{_SUPERSCRIPTS}])")
_FRACTION: Final = re.compile("(?<=[0-9])(?=[\u00bc-\u00be\u2150-\u215f])")

# Characters that people use as a degree sign. A superscript zero is one before the letter of a scale, and by itself
# after a number, but not after a bare 10, where it is more likely a power. A circle is one between a number and the
# letter of a scale.
_CIRCLES: Final = "◦○⚬"
_AFTER_NUMBER: Final = "(?:(?<=[0-9])|(?<=[0-9] ))"
_BEFORE_SCALE: Final = r"(?= ?[CFС]\b)"
_DEGREE: Final = re.compile(
    f"(?<![{_SUPERSCRIPTS}])⁰{_BEFORE_SCALE}"
    f"|{_AFTER_NUMBER}⁰(?<!(?<![-\u22120-9.,+])10⁰)(?![{_SUPERSCRIPTS}])"
    f"|{_AFTER_NUMBER}[{_CIRCLES}]{_BEFORE_SCALE}"
)

# Unicode categories.
_INVISIBLE: Final = frozenset({"Cc", "Cf"})
_MARKS: Final = frozenset({"Mc", "Me", "Mn"})

# Marks a place where a space may be needed: next to a word, and where a picture was. It is a control character, so the
# text contains none by then.
_GAP: Final = "\x1f"
# A match begins at the first of the spaces before a gap, so that each space is looked at only once.
_GAPS: Final = re.compile(f"(?<! ) *+{_GAP}[ {_GAP}]*")


def _by_character(groups: Mapping[str, str]) -> dict[str, str]:
    """Return the replacement of each character."""
    return {character: replacement for replacement, characters in groups.items() for character in characters}


_REPLACEMENTS: Final = tuple(
    _by_character({words[script]: characters for words, characters in _WORDS.items()})
    | _by_character(_SIGNS)
    | _LETTERS
    for script in range(2)
)
_IS_WORD: Final = frozenset("".join(_WORDS.values()))


def disallowed(text: str) -> list[str]:
    """Return the characters of a text that the service does not accept, each once."""
    return [character for character in dict.fromkeys(text) if not _is_allowed(character)]


def replace_symbols(text: str) -> tuple[str, dict[str, str]]:
    """Return a text of only allowed characters, and the replacement of each other character.

    A character without a readable replacement is dropped; its replacement is empty. In a link a character is
    percent-encoded, which is its replacement if it occurs only in links.
    """
    found = disallowed(text)
    if not found:
        return text, {}
    replacements = _REPLACEMENTS[_CYRILLIC.search(text) is not None]
    # Texts and links alternate; a text comes first.
    pieces = _LINK.split(text)
    links, others = pieces[1::2], [_DEGREE.sub("°", piece) for piece in pieces[::2]]
    in_links = {character: _encode_for_link(character) for character in disallowed("".join(links))}
    elsewhere = {character: _replacement(character, replacements) for character in disallowed("".join(others))}
    for_links = str.maketrans(in_links)
    for_others = str.maketrans({character: _with_gaps(character, to) for character, to in elsewhere.items()})
    pieces[1::2] = [link.translate(for_links) for link in links]
    pieces[::2] = [_FRACTION.sub(" ", _POWER.sub("^", piece)).translate(for_others) for piece in others]
    # A word that ends with a period also ends a sentence.
    text = _GAPS.sub(_close_gap, "".join(pieces).replace(f".{_GAP}.", "."))
    known = dict.fromkeys(f"⁰{_CIRCLES}", replacements["°"]) | in_links | elsewhere
    # Characters may compose after a mark between them was dropped.
    return unicodedata.normalize("NFC", text), {character: known[character] for character in found}


def _is_allowed(character: str) -> bool:
    """Return whether the service accepts a character."""
    return character in _ALLOWED or unicodedata.category(character)[0] in "LP"


def _replacement(character: str, replacements: Mapping[str, str]) -> str:
    """Return the replacement of a character: that of the table, else of Unicode, else an empty text."""
    if character in replacements:
        return replacements[character]
    compatible = unicodedata.normalize("NFKC", character)
    if compatible != character:
        return "".join(part if _is_allowed(part) else _replacement(part, replacements) for part in compatible).strip()
    # A digit of another script. The default stands for "no number".
    number = unicodedata.numeric(character, 0.5)
    return str(int(number)) if number.is_integer() else ""


def _encode_for_link(character: str) -> str:
    """Return a character percent-encoded. An invisible one is not part of a link, except for the two joiners."""
    if unicodedata.category(character) in _INVISIBLE and character not in "\u200c\u200d":
        return ""
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _with_gaps(character: str, replacement: str) -> str:
    """Return a replacement with the gaps around it."""
    if character in _IS_WORD:
        return f"{_GAP}{replacement}{_GAP}"
    # Marks and invisible characters occur within a word, pictures between words. Private-use characters count as
    # pictures, and so do unassigned ones, which a newer Unicode than that of Python may have assigned.
    return replacement or ("" if unicodedata.category(character) in _INVISIBLE | _MARKS else _GAP)


def _close_gap(gap: re.Match[str]) -> str:
    """Return the space for a gap, or an empty text if it needs none."""
    start, end = gap.span()
    before, after = gap.string[max(start - 1, 0) : start], gap.string[end : end + 1]
    if before in {"", "\n"} or after in {"", "\n"}:
        return ""
    apart = " " in gap[0] or ((before.isalnum() or before == ".") and after.isalnum())
    return " " if apart else ""
