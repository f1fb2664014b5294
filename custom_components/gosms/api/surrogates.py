"""UTF-16 surrogates: JSON and templates can contain them, but UTF-8 can't encode them, so no file or request can."""


def join_surrogates(text: str) -> str:
    """Return the text with each surrogate pair as the character that it encodes, and each lone surrogate as U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
