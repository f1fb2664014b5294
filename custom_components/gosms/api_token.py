"""The API token as people paste it. Pure."""

import re
from typing import Final

# The vendor's tokens contain no other characters, and a header can't.
_TOKEN: Final = re.compile(r"[!-~]+")

# The beginning of a key of the vendor's newer control panel. Its API is another one.
_NEW_PANEL_KEY: Final = "gosms_"

# A token that was copied from a web page, a chat or a program may include invisible characters, quotation marks and the
# beginning of its header.
_INVISIBLE: Final = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_QUOTES: Final = " \"'`´«»‘’‚“”„"
_HEADER_PREFIX: Final = re.compile(rf"^(authorization[{_QUOTES}]*:[{_QUOTES}]*)?(bearer[{_QUOTES}]+)?", re.IGNORECASE)


def clean_token(typed: str) -> str:
    """Return a token without characters that were copied along with it."""
    text = " ".join(_INVISIBLE.sub("", typed).split()).strip(_QUOTES)
    return _HEADER_PREFIX.sub("", text).strip(_QUOTES)


def token_error(token: str) -> str | None:
    """Return the key of a form's error text if a token can't be one of this API, or None."""
    if not _TOKEN.fullmatch(token):
        return "invalid_auth"
    return "new_panel_key" if token.startswith(_NEW_PANEL_KEY) else None
