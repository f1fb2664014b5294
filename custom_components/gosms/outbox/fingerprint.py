"""The fingerprint by which a repeated call is recognized."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
import hmac
import json
from typing import Final, Self

# Half of the digest: enough to tell calls apart, in half the space.
_DIGITS: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Fingerprint:
    """Keyed digests of a call. Without the secret, they reveal no key, text or number.

    Attributes:
        key: digest of the call's idempotency key.
        content: digest of everything that the call sends, and of all its numbers.
        index: position of the message's number among those of the call, counted from 0, so that no digest of a single
            number is needed.
    """

    key: str
    content: str
    index: int

    @classmethod
    def of(cls, secret: str, key: str, parts: Sequence[str], numbers: Sequence[str]) -> Self:
        """Return the fingerprint of the first message of a call; the numbers must be sorted."""

        def digest(text: str) -> str:
            return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()[:_DIGITS]

        return cls(key=digest(key), content=digest(json.dumps([parts, numbers])), index=0)
