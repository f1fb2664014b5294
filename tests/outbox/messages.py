"""Messages from which tests start: of the outbox, and as the service lists them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from custom_components.gosms.api import Message
from custom_components.gosms.outbox import OutgoingMessage, Part
from tests.common import MUM


def queued_message(key: str = "the key", *, text: str = "Leak!", **changes: Any) -> OutgoingMessage:
    """Return a new message to Mum that expires after a minute, with these changes."""
    message = OutgoingMessage(key=key, phone_number=MUM, text=text, parts=(Part(text=text),), created=0.0, expires=60.0)
    return replace(message, **changes)


def listed_message(
    message_id: str = "a",
    status: int | None = 0,
    *,
    number: str = MUM,
    text: str = "Leak!",
    created: float | None = None,
) -> Message:
    """Return a message as the service lists it; `created` in Unix seconds."""
    return Message(
        id=message_id,
        phone_number=number,
        text=text,
        status_code=status,
        device_id=None,
        sim=None,
        callback_id=None,
        created=None if created is None else datetime.fromtimestamp(created, UTC),
    )
