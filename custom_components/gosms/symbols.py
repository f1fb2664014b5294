"""Which characters the service lets into a message, and what stands for the others."""

from collections.abc import Mapping
import re
from string import ascii_uppercase
from typing import Final
import unicodedata

# Beside letters and punctuation of any script. Of white space, only what the preparation of a text leaves.
_ALLOWED: Final = frozenset("0123456789+=$^<> \n")

# What is read as a word, in a Latin and in a Cyrillic text; it stands apart from the letters and digits around it.
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

# What is read as a sign, and keeps its place.
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

# White letters in black circles and squares, of which Unicode does not say what they are compatible with.
_LETTERS: Final = {
    chr(first + index): letter for first in (0x1F150, 0x1F170) for index, letter in enumerate(ascii_uppercase)
}

_CYRILLIC: Final = re.compile("[\u0400-\u052f]")

# From where a link is the same in any script to where it ends; its scheme needs no replacing.
_LINK: Final = re.compile(r"((?:://|\bwww\.)[^ \n]+)", re.IGNORECASE)

# A power would become a longer number, and a fraction too: 10³ is not 103, 1½ is not 11/2.
_SUPERSCRIPTS: Final = "\u00b2\u00b3\u00b9\u2070\u2074-\u207b"
_POWER: Final = re.compile(f"(?<=[0-9])(?=[{_SUPERSCRIPTS}])")
_FRACTION: Final = re.compile("(?<=[0-9])(?=[\u00bc-\u00be\u2150-\u215f])")

# What people take for a degree sign. A superscript zero is one before the letter of a scale, and alone after a number;
# only after a bare 10 it is rather a power. A circle is one between a number and the letter of a scale.
_CIRCLES: Final = "◦○⚬"
_AFTER_NUMBER: Final = "(?:(?<=[0-9])|(?<=[0-9] ))"
_BEFORE_SCALE: Final = r"(?= ?[CFС]\b)"
_DEGREE: Final = re.compile(
    f"(?<![{_SUPERSCRIPTS}])⁰{_BEFORE_SCALE}"
    f"|{_AFTER_NUMBER}⁰(?<!(?<![-\u22120-9.,+])10⁰)(?![{_SUPERSCRIPTS}])"
    f"|{_AFTER_NUMBER}[{_CIRCLES}]{_BEFORE_SCALE}"
)

# Categories of Unicode.
_INVISIBLE: Final = frozenset({"Cc", "Cf"})
_MARKS: Final = frozenset({"Mc", "Me", "Mn"})

# Where two neighbours may have to be kept apart: beside a word, and where a picture was. Being a control character it
# is in no text by then.
_GAP: Final = "\x1f"
# It begins at the first of the spaces before a gap, and looks at each space once.
_GAPS: Final = re.compile(f"(?<! ) *+{_GAP}[ {_GAP}]*")


def _by_character(groups: Mapping[str, str]) -> dict[str, str]:
    """Return the stand-in of each character."""
    return {character: stand_in for stand_in, characters in groups.items() for character in characters}


_STAND_INS: Final = tuple(
    _by_character({words[script]: characters for words, characters in _WORDS.items()})
    | _by_character(_SIGNS)
    | _LETTERS
    for script in range(2)
)
_IS_WORD: Final = frozenset("".join(_WORDS.values()))


def is_allowed(character: str) -> bool:
    """Return whether the service lets a character into a message."""
    return character in _ALLOWED or unicodedata.category(character)[0] in "LP"


def replace_symbols(text: str) -> tuple[str, dict[str, str]]:
    """Return a text of allowed characters only, and what stands for each of the others in it.

    What has no readable stand-in is dropped, and stands there as an empty text. In a link a character is
    percent-encoded; this is what stands for it if it is nowhere else in the text.
    """
    foreign = _foreign(text)
    if not foreign:
        return text, {}
    stand_ins = _STAND_INS[_CYRILLIC.search(text) is not None]
    # Links, and what stands before, between and after them.
    pieces = _LINK.split(text)
    links, others = pieces[1::2], [_DEGREE.sub("°", piece) for piece in pieces[::2]]
    in_links = {character: _in_link(character) for character in _foreign("".join(links))}
    elsewhere = {character: _stand_in(character, stand_ins) for character in _foreign("".join(others))}
    for_links = str.maketrans(in_links)
    for_others = str.maketrans({character: _with_gaps(character, to) for character, to in elsewhere.items()})
    pieces[1::2] = [link.translate(for_links) for link in links]
    pieces[::2] = [_FRACTION.sub(" ", _POWER.sub("^", piece)).translate(for_others) for piece in others]
    # A word that ends in a full stop ends a sentence with it as well.
    text = _GAPS.sub(_close, "".join(pieces).replace(f".{_GAP}.", "."))
    known = dict.fromkeys(f"⁰{_CIRCLES}", stand_ins["°"]) | in_links | elsewhere
    # Letters that a dropped mark held apart may belong together.
    return unicodedata.normalize("NFC", text), {character: known[character] for character in foreign}


def _foreign(text: str) -> list[str]:
    """Return the characters of a text that the service does not let into a message, each once."""
    return [character for character in dict.fromkeys(text) if not is_allowed(character)]


def _stand_in(character: str, stand_ins: Mapping[str, str]) -> str:
    """Return what stands for a character: what people write, else what Unicode calls compatible, else nothing."""
    if character in stand_ins:
        return stand_ins[character]
    compatible = unicodedata.normalize("NFKC", character)
    if compatible != character:
        return "".join(part if is_allowed(part) else _stand_in(part, stand_ins) for part in compatible).strip()
    # Digits of other scripts.
    number = unicodedata.numeric(character, 0.5)
    return str(int(number)) if number.is_integer() else ""


def _in_link(character: str) -> str:
    """Return what stands for a character in a link; what is invisible belongs to none, but for the two joiners."""
    if unicodedata.category(character) in _INVISIBLE and character not in "\u200c\u200d":
        return ""
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _with_gaps(character: str, stand_in: str) -> str:
    """Return a stand-in with the gaps that belong to it."""
    if character in _IS_WORD:
        return f"{_GAP}{stand_in}{_GAP}"
    # Marks and what is invisible stand within a word, pictures between words; pictures are also what Unicode left to
    # others, and what it had not assigned yet when this Python was made.
    return stand_in or ("" if unicodedata.category(character) in _INVISIBLE | _MARKS else _GAP)


def _close(gap: re.Match[str]) -> str:
    """Return the space that belongs into a gap, if any."""
    start, end = gap.span()
    before, after = gap.string[max(start - 1, 0) : start], gap.string[end : end + 1]
    if before in {"", "\n"} or after in {"", "\n"}:
        return ""
    apart = " " in gap[0] or ((before.isalnum() or before == ".") and after.isalnum())
    return " " if apart else ""
