"""The newest message to a recipient, if Home Assistant and the service know different ones."""

from types import MappingProxyType

from homeassistant.config_entries import ConfigSubentry

from custom_components.gosms.api import Message, MessagePage
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


def page(message_id: str) -> MessagePage:
    """Return a page of the service with one delivered message to the recipient."""
    delivered = Message.from_api({"id": message_id, "phone_number": MUM, "message": "Fire!", "status": 4})
    assert delivered is not None
    return MessagePage(total=1, messages=(delivered,))


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
