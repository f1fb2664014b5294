"""What a repeated call is recognized by."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
import hmac
import json
from typing import Final, Self

# Half of the digest: enough to tell calls apart, in half the room.
_DIGITS: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Fingerprint:
    """Keyed digests of a call, which tell nobody a key, a text or a number who does not know the secret.

    Attributes:
        key: of the idempotency key of the call.
        content: of everything that the call sends, and of all its numbers.
        index: which of its numbers, counted from 0 in their order, so that no digest of a lone number is needed.
    """

    key: str
    content: str
    index: int

    @classmethod
    def of(cls, secret: str, key: str, parts: Sequence[str], numbers: Sequence[str]) -> Self:
        """Return the fingerprint of the first message of a call; the numbers are in their order."""

        def digest(text: str) -> str:
            return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()[:_DIGITS]

        return cls(key=digest(key), content=digest(json.dumps([parts, numbers])), index=0)
