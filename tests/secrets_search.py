"""Searches texts for secrets in every spelling."""

from collections.abc import Iterable, Iterator
from itertools import islice, product
import json
import logging
import re
from typing import Final, override
from urllib.parse import quote, quote_plus

# The separators between the digits of a formatted number.
_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)[\s().\-\u2011\u00a0]+(?=\d)")

# A number is also recognized without its country code, or with a national prefix.
_LOCAL_DIGITS: Final = 10

# Characters of context around a match.
_CONTEXT: Final = 100


def spellings_of(secret: str) -> set[str]:
    """Return the spellings of a secret: as it is, and escaped as in JSON, Python and URLs."""
    if secret.isdigit():
        return {secret[-_LOCAL_DIGITS:]}
    forms = {
        secret,
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
    }
    # Ids of the vendor, with and without hyphens.
    forms.add(secret.replace("-", ""))
    return {form.casefold() for form in forms}


def search(place: str, secrets: Iterable[str]) -> Iterator[str]:
    """Yield each secret that is in a text, with its context."""
    # The second is for formatted numbers.
    texts = place.casefold(), _BETWEEN_DIGITS.sub("", place.casefold())
    for secret in secrets:
        found = (text[max(0, at - _CONTEXT) : at + _CONTEXT] for text, at in _places_of(secret, texts))
        yield from (f"{secret!r} in …{around}…" for around in islice(found, 1))


def _places_of(secret: str, texts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield the positions of a secret."""
    for text, form in product(texts, spellings_of(secret)):
        if (at := text.find(form)) >= 0:
            yield text, at


class LogRecords(logging.Handler):
    """Collects all log lines with their tracebacks, by logger."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[tuple[str, str]] = []

    def text(self, logger: str) -> str:
        """Return the lines of a logger and its children."""
        return "\n".join(dict.fromkeys(line for name, line in self.lines if name.startswith(logger)))

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.name, self.format(record)))
