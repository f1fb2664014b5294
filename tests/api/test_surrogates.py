"""Texts with surrogates, as JSON and templates write them."""

from hypothesis import given, strategies as st
import pytest

from custom_components.gosms.api import join_surrogates

SURROGATES = st.characters(categories=["Cs"])


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("", ""),
        ("Leak 💧\0\ufeff\uffff", "Leak 💧\0\ufeff\uffff"),
        ("\ud83d\udca7", "💧"),
        ("a\ud83d\udca7b\ud83d\udca7", "a💧b💧"),
        ("\ud83d", "\ufffd"),
        ("a\udca7", "a\ufffd"),
        ("a\ud83db", "a\ufffdb"),
        ("\udca7\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\udca7\udca7", "\ufffd💧\ufffd"),
        ("\udbff\udfff", "\U0010ffff"),
    ],
)
def test_pairs_are_joined_and_halves_are_replaced(text: str, joined: str) -> None:
    assert join_surrogates(text) == joined


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_without_surrogates_stays_as_it_is(text: str) -> None:
    assert join_surrogates(text) == text


@given(st.text(SURROGATES | st.characters()))
def test_every_text_can_be_written_as_utf8(text: str) -> None:
    joined = join_surrogates(text)
    assert joined.encode().decode() == joined
    assert join_surrogates(joined) == joined


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_in_utf16_code_units_is_read_as_it_was_meant(text: str) -> None:
    units = text.encode("utf-16-le")
    halves = "".join(chr(int.from_bytes(units[at : at + 2], "little")) for at in range(0, len(units), 2))
    assert join_surrogates(halves) == text
