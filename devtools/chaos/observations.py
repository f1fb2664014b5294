"""What a chaos run leaves behind: the events that were fired, and the messages on the server."""

from collections.abc import Sequence
from dataclasses import dataclass

from custom_components.gosms.api import MessageStatus

from ..hass_client import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedEvent:
    """One event of an event entity.

    Attributes:
        key: identifies the message, and is in none of its attributes.
        entity_id: the entity.
        type: the type of the event.
        ids: the ids of the parts.
        recipient: the phone number.
        text: the whole text.
        is_stored: whether the disk took that it was fired, so that no kill may repeat it.
        is_at_risk: whether a kill, or a restored backup, may have forgotten that it was fired.
    """

    key: str
    entity_id: str
    type: str
    ids: tuple[str, ...]
    recipient: str
    text: str
    is_stored: bool = True
    is_at_risk: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerMessage:
    """One message as the service has stored it."""

    id: str
    recipient: str
    text: str
    status: MessageStatus = MessageStatus.DELIVERED


def recorded_events(events: Sequence[Json], at_risk: Sequence[range]) -> list[RecordedEvent]:
    """Return the events that the crash injector recorded; those in the ranges may have been forgotten."""
    return [
        RecordedEvent(
            key=event["key"],
            entity_id=event["entity_id"],
            type=event["type"],
            ids=tuple(event["ids"]),
            recipient=event["phone_number"],
            text=event["text"],
            is_stored=event["is_stored"],
            is_at_risk=any(place in each for each in at_risk),
        )
        for place, event in enumerate(events)
    ]


def server_messages(state: Json) -> list[ServerMessage]:
    """Return the messages in the state of the simulator."""
    return [
        ServerMessage(
            id=message["id"],
            recipient=message["phone_number"],
            text=message["message"],
            status=MessageStatus(message["status"]),
        )
        for message in state["messages"]["list"]
    ]
