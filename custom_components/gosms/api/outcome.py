"""How each request outcome, for whoever must learn from all of them."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from .codes import Endpoint
from .exceptions import GoSmsError
from .models import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestOutcome:
    """A request that outcome, whoever asked for it.

    Attributes:
        endpoint: what it asked for.
        device_id: the phone that it named, or None.
        begun: when it left, in seconds of the event loop's clock.
        error: why it failed, or None if the service did what was asked for.
    """

    endpoint: Endpoint
    device_id: str | None
    begun: float
    error: GoSmsError | None


type Listener = Callable[[RequestOutcome], None]


@contextmanager
def report_outcome(listener: Listener | None, endpoint: Endpoint, body: Mapping[str, Json] | None) -> Iterator[None]:
    """Tell a listener how a request outcome; one that was given up tells nothing."""
    begun = asyncio.get_running_loop().time()
    device_id = (body or {}).get("device_id")

    def tell(error: GoSmsError | None) -> None:
        if listener:
            phone = device_id if isinstance(device_id, str) else None
            listener(RequestOutcome(endpoint=endpoint, device_id=phone, begun=begun, error=error))

    try:
        yield
    except GoSmsError as err:
        tell(err)
        raise
    tell(None)
