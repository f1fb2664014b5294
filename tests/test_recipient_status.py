"""The newest message to a recipient, if Home Assistant and the service know different ones."""

from dataclasses import replace
from types import MappingProxyType

from homeassistant.config_entries import ConfigSubentry
import pytest

from custom_components.gosms.api import Message, MessagePage, MessageStatus
from custom_components.gosms.outbox import OutgoingMessage, Part, State
from custom_components.gosms.sensor.recipient_status import RecipientStatus
from tests.common import MUM

RECIPIENT = ConfigSubentry(
    data=MappingProxyType({"phone_number": MUM}),
    subentry_id="mum",
    subentry_type="recipient",
    title="Mum",
    unique_id=MUM,
)
NOTHING = MessagePage()


def message(key: str, created: float, state: State = State.QUEUED) -> OutgoingMessage:
    """Return a message to the recipient."""
    return OutgoingMessage(
        key=key,
        phone_number=MUM,
        text="Leak!",
        parts=(Part(text="Leak!"),),
        recipient="mum",
        created=created,
        expires=created + 60,
        state=state,
        queued_reported=True,
    )


def page(*ids: str, statuses: tuple[int, ...] = (4,)) -> MessagePage:
    """Return a page of the service with messages to the recipient, newest first; one is delivered."""
    fields = {"phone_number": MUM, "message": "Fire!"}
    listed = [
        Message.from_api({**fields, "id": message_id, "status": status})
        for message_id, status in zip(ids, statuses, strict=True)
    ]
    return MessagePage(total=len(ids), messages=tuple(message for message in listed if message))


def restarted(status: RecipientStatus) -> RecipientStatus:
    """Return the status as the next run restores it."""
    next_run = RecipientStatus(RECIPIENT)
    next_run.restore(status.as_dict())
    return next_run


def test_an_update_of_an_older_message_does_not_hide_the_newer_one() -> None:
    status = RecipientStatus(RECIPIENT)
    status.update(message("a", 1), NOTHING)
    status.update(message("b", 2, State.REFUSED), NOTHING)
    status.update(message("a", 1, State.EXPIRED), NOTHING)
    assert status.newest(NOTHING) == "refused"


def test_a_message_sent_after_the_clock_was_set_back_is_the_newest() -> None:
    status = RecipientStatus(RECIPIENT)
    status.update(message("made at noon", 1, State.REFUSED), NOTHING)
    status.update(message("made at eleven", 2), NOTHING)
    assert status.newest(NOTHING) == "queued"
    status = restarted(status)
    status.update(message("an earlier one by its key", 1), NOTHING)
    assert status.newest(NOTHING) == "queued"


def test_a_restored_message_does_not_hide_a_newer_finished_one() -> None:
    status = RecipientStatus(RECIPIENT)
    status.update(message("a", 1), NOTHING)
    status.update(message("b", 2, State.REFUSED), NOTHING)
    status = restarted(status)
    status.restore_message(message("a", 1), NOTHING)
    assert status.newest(NOTHING) == "refused"


def test_an_older_message_on_the_server_is_not_newer_after_a_restart() -> None:
    status = RecipientStatus(RECIPIENT)
    status.update(message("a", 1), page("0" * 24))
    status = restarted(status)
    status.restore_message(message("a", 1), NOTHING)
    assert status.newest(page("0" * 24)) == "queued"
    assert status.newest(page("1" * 24)) == "delivered"


@pytest.mark.parametrize(
    ("state", "statuses", "shown"),
    [
        (State.DELIVERY_FAILED, (4, 4), "delivered"),
        (State.DELIVERED, (4, 5), "delivery_failed"),
        (State.DELIVERED, (3, 5), "delivery_failed"),
        (State.DELIVERY_FAILED, (4, 2), "sent"),
        # What the service did not get, or a status that is not documented, changes nothing.
        (State.DELIVERY_FAILED, (4, 42), "delivery_failed"),
        (State.REFUSED, (4, 4), "refused"),
        (State.UNCONFIRMED, (4, 4), "unconfirmed"),
    ],
)
def test_the_service_can_correct_the_end_of_a_message(state: State, statuses: tuple[int, ...], shown: str) -> None:
    ids = ("1" * 24, "2" * 24)
    parts = tuple(Part(text="Leak!", id=part, status=MessageStatus.SENT) for part in reversed(ids))
    status = RecipientStatus(RECIPIENT)
    status.update(replace(message("a", 1, state), parts=parts), NOTHING)
    assert restarted(status).newest(page(*ids, statuses=statuses)) == shown


def test_a_part_that_left_the_page_keeps_the_end_of_its_message() -> None:
    parts = tuple(Part(text="Leak!", id=each * 24, status=MessageStatus.SENT) for each in "12")
    status = RecipientStatus(RECIPIENT)
    status.update(replace(message("a", 1, State.DELIVERY_FAILED), parts=parts), NOTHING)
    assert status.newest(page("2" * 24)) == "delivery_failed"
