"""Preparation of texts from users and Home Assistant."""

from collections.abc import Callable
from contextlib import suppress
from itertools import accumulate
import time
from typing import Any, Final
import unicodedata

from hypothesis import example, given, reject, settings, strategies as st
import pytest
import regex

from custom_components.gosms.text import InvalidTextError, PreparedText, prepare
from tests.data import table

TEXTS: Final[dict[str, Any]] = table("texts")
READABLE: Final = [row for rows in TEXTS["readable"].values() for row in rows]

# What the vendor lets into a message, in the vendor's own terms, as an engine reads them that knows Unicode's classes.
ALLOWED: Final = regex.compile(r"[\p{L}0-9\p{P}\s+=$^<>]")
GRAPHEME: Final = regex.compile(r"\X")
# A part has room for at least so much of a word.
ROOM: Final = 300 - len("(10/10) ")

# Any characters at all, with many of those that are replaced, belong together or come in numbers.
MESSAGES: Final = st.lists(
    st.characters()
    | st.text(st.sampled_from(" \t\n\u00a0°№₽€½²³→↑~💧👨🏽🇷🇺\u200d\ufe0f\u0301\u0306aeив019.,"), max_size=20)
    | st.text(st.sampled_from("\ud83d\udca7⁰○10 C~|"), max_size=20)
    | st.text(st.sampled_from("\u1100\u1161\u11a8가ｶﾞนำ\u0d4e\u0d15"), max_size=20)
    | st.sampled_from(["Температура ", "temperature ", "x" * 70, "ｶﾞ" * 40, "👨‍👩‍👧 ", "1️⃣ ", "\r\n", "://", " www."]),
    max_size=100,
).map("".join)


def any_message(test: Callable[[str], None]) -> Callable[[], None]:
    """Run a test with random messages, without a deadline for each."""
    return settings(deadline=None)(given(MESSAGES)(test))


def prepared(message: str, title: str | None = None, **options: Any) -> PreparedText:
    """Prepare a text with the options of a new account."""
    return prepare(message, title, **{"long_text": "split", "replace_symbols": True, **options})


def prepared_if_possible(message: str) -> PreparedText:
    """Prepare a text, or reject the example if it is empty or too long."""
    try:
        return prepared(message)
    except InvalidTextError:
        reject()


def spelled(pieces: str | list[Any]) -> str:
    """Return a text from a table, which is given as it is or as pieces with their number of repetitions."""
    return pieces if isinstance(pieces, str) else "".join(map(str.__mul__, pieces[::2], pieces[1::2], strict=True))


def pieces_of(text: PreparedText) -> list[str]:
    """Return the parts without their numbers."""
    return [part.removeprefix(f"({index}/{len(text.parts)}) ") for index, part in enumerate(text.parts, 1)]


@pytest.mark.parametrize(("written", "sent"), READABLE)
def test_unsupported_characters_are_replaced_readably(written: str, sent: str) -> None:
    text = prepared(written)
    assert (text.text, text.parts, text.characters) == (sent, (sent,), len(sent))


@pytest.mark.parametrize(("written", "sent"), READABLE)
def test_every_character_that_is_not_sent_is_reported_with_its_stand_in(written: str, sent: str) -> None:
    foreign = {character for character in unicodedata.normalize("NFC", written) if not ALLOWED.fullmatch(character)}
    replaced = prepared(written).replaced
    assert replaced.keys() == foreign
    assert [stand_in for stand_in in replaced.values() if stand_in not in sent] == []


@pytest.mark.parametrize(
    ("written", "replaced"),
    [
        ("21 °C, №5, 100 ₽", {"°": "deg.", "№": "N", "₽": "руб."}),
        ("Дома 21 °C", {"°": "град."}),
        ("1½ м², 10² ℃", {"½": "1/2", "²": "2", "℃": "град. C"}),
        ("👋🏽 `\u0301", {"👋": "", "🏽": "", "`": "'", "\u0301": ""}),
        ("Plain text\u00a0with a\ttab", {}),
        ("21⁰C", {"⁰": "deg."}),
        ("21 ○C", {"○": "deg."}),
        # As what is no degree sign, if it stands there as both.
        ("21⁰C, 10⁰", {"⁰": "0"}),
        ("https://example.org/~a|\u200e", {"~": "%7E", "|": "%7C", "\u200e": ""}),
        # As in the text, if it stands in a link as well.
        ("~5 min: https://example.org/~a", {"~": "about"}),
        ("https://example.org/💧 💧", {"💧": ""}),
        ("Leak \ud83d\udca7", {"💧": ""}),
        ("Leak \udca7\ud83d", {"\ufffd": ""}),
    ],
)
def test_a_replacement_is_reported_without_spaces_added_around_it(written: str, replaced: dict[str, str]) -> None:
    assert prepared(written).replaced == replaced


@pytest.mark.parametrize(("title", "message", "sent"), TEXTS["titles"])
def test_a_title_precedes_the_text_on_its_own_line(title: str, message: str, sent: str) -> None:
    assert prepared(message, title).text == sent


@pytest.mark.parametrize(("message", "options", "reason", "placeholders"), TEXTS["refused"])
def test_an_unsendable_text_is_rejected_with_a_reason(
    message: str, options: dict[str, Any], reason: str, placeholders: dict[str, str]
) -> None:
    with pytest.raises(InvalidTextError) as error:
        prepared(message, **options)
    assert (error.value.reason, error.value.placeholders, str(error.value)) == (reason, placeholders, reason)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Протечка:\u00a0«кухня» — 5 + 2 < 10\r\n", "Протечка: «кухня» — 5 + 2 < 10"),
        ("Cafe\u0301", "Café"),
    ],
)
def test_a_text_of_supported_characters_needs_no_replacement(written: str, sent: str) -> None:
    text = prepared(written, replace_symbols=False)
    assert (text.text, text.replaced) == (sent, {})


@pytest.mark.parametrize(("written", "encoding", "segments"), TEXTS["counted"])
def test_segments_are_counted_as_the_phone_sends_them(written: list[Any], encoding: str, segments: int) -> None:
    text = prepared(spelled(written))
    assert (len(text.parts), text.encoding, text.segments) == (1, encoding, segments)


@pytest.mark.parametrize("row", [row for row in TEXTS["long"] if "sent" in row])
def test_a_long_text_is_sent_as_configured(row: dict[str, Any]) -> None:
    text = prepared(spelled(row["written"]), **row.get("options", {}))
    assert text.parts == tuple(map(spelled, row["sent"]))


@pytest.mark.parametrize("row", [row for row in TEXTS["long"] if "refused" in row])
def test_a_text_that_is_too_long_is_rejected_with_its_length(row: dict[str, Any]) -> None:
    with pytest.raises(InvalidTextError) as error:
        prepared(spelled(row["written"]), **row.get("options", {}))
    assert (error.value.reason, error.value.placeholders) == (row["refused"], row["names"])


def test_the_counts_are_of_all_parts_and_one_cyrillic_part_makes_ucs2() -> None:
    text = prepared("a" * 294 + " Привет")
    assert text.parts == ("(1/2) " + "a" * 294, "(2/2) Привет")
    assert (text.characters, text.segments, text.encoding) == (312, 3, "ucs2")


@pytest.mark.parametrize(
    ("title", "message", "sent"),
    [
        ("\ud83d\udca7", "Leak", "Leak"),
        ("A\ud83d", "\udca7Leak", "A\nLeak"),
        ("", "\ud840\udc00", "𠀀"),
        ("", "https://example.org/\ud83d\udca7", "https://example.org/%F0%9F%92%A7"),
    ],
)
def test_surrogates_are_read_as_characters(title: str, message: str, sent: str) -> None:
    assert prepared(message, title).text == sent


def test_a_lone_surrogate_is_named_as_what_it_became() -> None:
    with pytest.raises(InvalidTextError) as error:
        prepared("\ud83d\udca7 \ud83d", replace_symbols=False)
    assert error.value.placeholders == {"symbols": "💧 \ufffd"}


@pytest.mark.parametrize(("title", "message"), [(None, "💧" * 9_995 + "Leak!"), ("💧" * 5_000, "💧" * 4_995 + "Leak!")])
def test_ten_thousand_characters_are_taken(title: str | None, message: str) -> None:
    assert prepared(message, title).text == "Leak!"


@pytest.mark.parametrize(("title", "message"), [(None, "a" * 10_001), ("a" * 5_000, "a" * 5_001)])
@pytest.mark.parametrize("long_text", ["split", "truncate", "reject"])
def test_more_than_ten_thousand_characters_are_refused(title: str | None, message: str, long_text: str) -> None:
    with pytest.raises(InvalidTextError) as error:
        prepared(message, title, long_text=long_text)
    assert (error.value.reason, error.value.placeholders) == ("too_many_characters", {"characters": "10001"})


def seconds_to_prepare(message: str, options: dict[str, Any]) -> float:
    """Return the seconds of the processor that a text takes, whatever becomes of it."""
    before = time.thread_time()
    with suppress(InvalidTextError):
        prepared(message, **options)
    return time.thread_time() - before


@pytest.mark.parametrize("options", [{}, {"long_text": "truncate"}, {"replace_symbols": False}], ids=str)
@pytest.mark.parametrize("written", TEXTS["laborious"], ids=ascii)
def test_no_text_takes_long_to_prepare(written: list[Any], options: dict[str, Any]) -> None:
    message = spelled(written)[:10_000]
    assert min(seconds_to_prepare(message, options) for _ in range(3)) < 0.05


@pytest.mark.parametrize("first", [0x00A0, 0x2190, 0xF900, 0x1F000, 0xE0000, 0x10D8EF])
def test_no_alphabet_takes_long_to_prepare(first: int) -> None:
    message = "".join(map(chr, range(first, first + 10_000)))
    assert min(seconds_to_prepare(message, {}) for _ in range(3)) < 0.05


@pytest.mark.parametrize("character", ["a", "°", "\ud83d"])
def test_a_text_that_is_far_too_long_is_refused_at_once(character: str) -> None:
    message = character * 5_000_000
    assert min(seconds_to_prepare(message, {}) for _ in range(3)) < 0.01


def test_repr_does_not_show_the_text() -> None:
    shown = repr(prepared("My secret ° text"))
    assert "secret" not in shown
    assert "segments=1" in shown


@any_message
def test_only_characters_that_the_vendor_allows_are_sent(message: str) -> None:
    text = prepared_if_possible(message)
    sent = "".join(text.parts)
    assert [character for character in sent if not ALLOWED.fullmatch(character)] == []
    assert {character for character in sent if character.isspace()} <= {" ", "\n"}


@any_message
def test_every_part_has_an_allowed_length(message: str) -> None:
    text = prepared_if_possible(message)
    assert [part for part in text.parts if not 1 <= len(part) <= 300] == []
    assert 1 <= len(text.parts) <= 10
    assert text.characters == sum(map(len, text.parts))


@any_message
def test_joined_parts_equal_the_text_except_whitespace_at_the_cuts(message: str) -> None:
    text = prepared_if_possible(message)
    assert regex.fullmatch(r"\s*".join(map(regex.escape, pieces_of(text))), text.text)


# The second word begins with a letter that would belong to the one before it, without the space.
@example("0" * 18 + " \u0e33" + "\u0d15" * 400)
@any_message
def test_no_part_splits_a_grapheme_or_a_word_that_would_fit(message: str) -> None:
    text = prepared_if_possible(message)
    cuts = set(accumulate(len("".join(piece.split())) for piece in pieces_of(text)))
    assert cuts <= set(accumulate(len("".join(each.split())) for each in GRAPHEME.findall(text.text)))
    word_ends = set(accumulate(len(word) for word in text.text.split()))
    long_words = [word for word in text.text.split() if len(word) > ROOM]
    assert cuts <= word_ends or long_words


@any_message
def test_preparing_a_text_is_idempotent(message: str) -> None:
    text = prepared_if_possible(message)
    again = prepared(text.text)
    assert (again.text, again.parts, again.replaced) == (text.text, text.parts, {})
    assert prepared(text.text, replace_symbols=False) == again


@any_message
def test_a_truncated_text_is_one_message_that_begins_as_the_whole_does(message: str) -> None:
    whole = prepared_if_possible(message).text
    text = prepared(message, long_text="truncate")
    assert text.parts == (text.text,)
    assert len(text.text) <= 300
    assert whole.startswith(text.text.removesuffix("…").removesuffix("..."))


@any_message
def test_an_error_does_not_quote_the_text(message: str) -> None:
    with pytest.raises(InvalidTextError) as error:
        prepared(f"My secret {message} °", replace_symbols=False)
    assert "secret" not in f"{error.value} {error.value.placeholders}"
