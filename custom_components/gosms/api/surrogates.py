"""Surrogates: JSON and templates can write them, but UTF-8 can't, so no file and no response could hold such a text."""


def join_surrogates(text: str) -> str:
    """Return a text in which a pair of surrogates is the character that it encodes, and half of a pair is U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
