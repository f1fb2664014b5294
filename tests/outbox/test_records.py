"""Messages as the storage keeps them."""

from dataclasses import replace
from typing import Any, Final

from homeassistant.helpers.json import json_bytes
from homeassistant.util.json import json_loads_object
import pytest

from custom_components.gosms.api import MessageStatus
from custom_components.gosms.errors import Failure
from custom_components.gosms.outbox.fingerprint import Fingerprint
from custom_components.gosms.outbox.message import OutgoingMessage
from custom_components.gosms.outbox.records import load_message
from custom_components.gosms.outbox.state import MessageEvent, Part, State

MESSAGE: Final = OutgoingMessage(
    key="the key",
    phone_number="79123456789",
    text="Leak 🚰",
    parts=(Part(text="(1/2) Leak", id="a", status=MessageStatus.SENT), Part(text="(2/2) 🚰")),
    recipient="mum",
    tag="leak",
    phone_id="phone",
    sim="sim2",
    fingerprint=Fingerprint(key="of the key", content="of the content", index=3),
    created=1_800_000_000.25,
    expires=1_800_003_600.25,
    state=State.UNKNOWN,
    attempts=3,
    last_attempt=1_800_000_005.5,
    is_restored=True,
    device_id="phone",
    queued_reported=True,
    failure=Failure(key="invalid_message", code=2002, placeholders={"error": "no"}, part=2, parts=2),
    pending_events=(MessageEvent(type="queued", seconds=None), MessageEvent(type="sent", seconds=1.5)),
    reported_events=1,
)
NEW: Final = OutgoingMessage(
    key="new", phone_number="900", text="Leak!", parts=(Part(text="Leak!"),), created=1.0, expires=61.0
)
FINISHED: Final = replace(
    MESSAGE,
    parts=(Part(text="Leak!", id="a", status=MessageStatus.DELIVERED),),
    state=State.DELIVERED,
    accepted=1_800_000_007.5,
    pending_events=(),
).finish(1_800_000_100.5)


def stored(value: object) -> dict[str, Any]:
    """Return a record as it is read from the disk."""
    return json_loads_object(json_bytes(value))


@pytest.mark.parametrize("message", [MESSAGE, NEW, replace(NEW, state=State.EXPIRED), FINISHED])
def test_a_message_is_the_same_after_it_was_stored(message: OutgoingMessage) -> None:
    assert load_message(stored(message)) == message


def test_times_are_read_by_the_clock_of_this_run() -> None:
    message = MESSAGE.add_steps(1_800_000_200.5).finish(1_800_000_300.5)
    assert message.steps
    assert load_message(stored(message), 1_800_000_000.0) == message.shift(1_800_000_000.0)


@pytest.mark.parametrize(
    "damage",
    [
        {"state": "lost"},
        {"state": None},
        {"parts": None},
        {"parts": [{"text": "Leak!"}]},
        {"parts": [{"text": "Leak!", "id": "a", "status": 42}]},
        {"pending_events": [{"type": "sent"}]},
        {"fingerprint": {"key": "a"}},
        {"failure": {"code": 1006}},
        {"something new": 1},
    ],
)
def test_a_record_of_another_form_is_none(damage: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        load_message(stored(MESSAGE) | damage)


def test_a_record_that_lacks_what_it_needs_is_none() -> None:
    with pytest.raises(KeyError):
        load_message({"key": "the key"})
