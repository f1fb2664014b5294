"""Which characters the service lets into a message, and what stands for the others."""

from collections.abc import Mapping
import re
from typing import Final
import unicodedata

# Beside letters and punctuation of any script. Of white space, only what the preparation of a text leaves.
_ALLOWED: Final = frozenset("0123456789+=$^<> \n")

# What is read as a word, in a Latin and in a Cyrillic text; it stands apart from the letters and digits around it.
_WORDS: Final = {
    ("deg.", "град."): "°˚",
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

_CYRILLIC: Final = re.compile("[\u0400-\u052f]")

# A power would become a longer number, and a fraction too: 10³ is not 103, 1½ is not 11/2.
_POWER: Final = re.compile("(?<=[0-9])(?=[\u00b2\u00b3\u00b9\u2070\u2074-\u207b])")
_FRACTION: Final = re.compile("(?<=[0-9])(?=[\u00bc-\u00be\u2150-\u215f])")

# Where two neighbours may have to be kept apart: beside a word, and where a picture was. Being a control character it
# is in no text by then.
_GAP: Final = "\x1f"
_GAPS: Final = re.compile(f"[ {_GAP}]*{_GAP}[ {_GAP}]*")


def _by_character(groups: Mapping[str, str]) -> dict[str, str]:
    """Return the stand-in of each character."""
    return {character: stand_in for stand_in, characters in groups.items() for character in characters}


_STAND_INS: Final = tuple(
    _by_character({words[script]: characters for words, characters in _WORDS.items()}) | _by_character(_SIGNS)
    for script in range(2)
)
_IS_WORD: Final = frozenset("".join(_WORDS.values()))


def is_allowed(character: str) -> bool:
    """Tell if the service lets a character into a message."""
    return character in _ALLOWED or unicodedata.category(character)[0] in "LP"


def replace_symbols(text: str) -> tuple[str, dict[str, str]]:
    """Return a text of allowed characters only, and what stands for each of the others in it.

    What has no readable stand-in is dropped, and stands there as an empty text.
    """
    outside = [character for character in dict.fromkeys(text) if not is_allowed(character)]
    if not outside:
        return text, {}
    stand_ins = _STAND_INS[_CYRILLIC.search(text) is not None]
    replaced = {character: _stand_in(character, stand_ins) for character in outside}
    text = _FRACTION.sub(" ", _POWER.sub("^", text))
    text = text.translate({ord(character): _with_gaps(character, to) for character, to in replaced.items()})
    # A word that ends in a full stop ends a sentence with it as well.
    text = _GAPS.sub(_close, text.replace(f".{_GAP}.", "."))
    # Letters that a dropped mark held apart may belong together.
    return unicodedata.normalize("NFC", text), replaced


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


def _with_gaps(character: str, stand_in: str) -> str:
    """Return a stand-in with the gaps that belong to it."""
    if character in _IS_WORD:
        return f"{_GAP}{stand_in}{_GAP}"
    # Marks and what is invisible stand within a word, pictures between words; pictures are also what Unicode left to
    # others, and what it had not assigned yet when this Python was made.
    is_within = unicodedata.category(character) in {"Cc", "Cf", "Mc", "Me", "Mn"}
    return stand_in or ("" if is_within else _GAP)


def _close(gap: re.Match[str]) -> str:
    """Return the space that belongs into a gap, if any."""
    start, end = gap.span()
    before, after = gap.string[max(start - 1, 0) : start], gap.string[end : end + 1]
    if before in {"", "\n"} or after in {"", "\n"}:
        return ""
    apart = " " in gap[0] or ((before.isalnum() or before == ".") and after.isalnum())
    return " " if apart else ""
