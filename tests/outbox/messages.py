"""Messages of the outbox from which tests start."""

from dataclasses import replace
from typing import Any

from custom_components.gosms.outbox import OutgoingMessage, Part
from tests.common import MUM


def queued_message(key: str = "the key", *, text: str = "Leak!", **changes: Any) -> OutgoingMessage:
    """Return a new message to Mum that expires after a minute, with these changes."""
    message = OutgoingMessage(key=key, phone_number=MUM, text=text, parts=(Part(text=text),), created=0.0, expires=60.0)
    return replace(message, **changes)
