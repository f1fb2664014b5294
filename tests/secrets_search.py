"""A search for what must not get out, in every form that it may take on its way."""

from collections.abc import Iterable, Iterator
from itertools import islice, product
import json
import logging
import re
from typing import Final, override
from urllib.parse import quote, quote_plus

# What stands between the digits of a number when people or libraries write it.
_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)[\s().\-\u2011\u00a0]+(?=\d)")

# A number is recognised without its country code too, and with the prefix of calls within the country.
_LOCAL_DIGITS: Final = 10

# Characters around a find, for whoever has to mend it.
_CONTEXT: Final = 100


def forms_of(secret: str) -> set[str]:
    """Return how a secret may be written: as it is, and as JSON, Python and addresses write it."""
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
    # Ids of the vendor, with and without their hyphens.
    forms.add(secret.replace("-", ""))
    return {form.casefold() for form in forms}


def search(place: str, secrets: Iterable[str]) -> Iterator[str]:
    """Yield each secret that is in a place, with what is around it."""
    # The second is for numbers as people write them.
    texts = place.casefold(), _BETWEEN_DIGITS.sub("", place.casefold())
    for secret in secrets:
        found = (text[max(0, at - _CONTEXT) : at + _CONTEXT] for text, at in _places_of(secret, texts))
        yield from (f"{secret!r} in …{around}…" for around in islice(found, 1))


def _places_of(secret: str, texts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield where a secret stands."""
    for text, form in product(texts, forms_of(secret)):
        if (at := text.find(form)) >= 0:
            yield text, at


class Records(logging.Handler):
    """Keeps every line of the log, tracebacks included, by the logger that wrote it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[tuple[str, str]] = []

    def text(self, logger: str) -> str:
        """Return what a logger and those below it wrote."""
        return "\n".join(dict.fromkeys(line for name, line in self.lines if name.startswith(logger)))

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.name, self.format(record)))
