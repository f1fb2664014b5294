"""The newest message to a recipient, if Home Assistant and the service know different ones."""

from dataclasses import replace
from types import MappingProxyType

from homeassistant.config_entries import ConfigSubentry
import pytest

from custom_components.gosms.api import Message, MessagePage, MessageStatus
from custom_components.gosms.outbox import OutgoingMessage, Part, State
from custom_components.gosms.sensor.recipient_status import RecipientStatus
from tests.common import MUM
from tests.outbox.messages import queued_message

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
    return queued_message(
        key, state=state, recipient="mum", created=created, expires=created + 60, queued_reported=True
    )


def page(*ids: str, statuses: tuple[int, ...] = (4,)) -> MessagePage:
    """Return a page of the service with messages to the recipient, newest first; one is delivered."""
    fields = {"phone_number": MUM, "message": "Fire!"}
    listed = [
        Message.from_api({**fields, "id": message_id, "status": status})
        for message_id, status in zip(ids, statuses, strict=True)
    ]
    return MessagePage(total=len(ids), messages=tuple(message for message in listed if message))


def restarted(status: RecipientStatus | None, *own: OutgoingMessage) -> RecipientStatus:
    """Return the status as the next run restores it, with the messages that its outbox knows."""
    next_run = RecipientStatus(RECIPIENT)
    next_run.restore(status.as_dict() if status else {}, own, NOTHING)
    return next_run


def on_server(key: str, created: float, message_id: str, state: State = State.ACCEPTED) -> OutgoingMessage:
    """Return a message to the recipient that the service has."""
    part = Part(text="Leak!", id=message_id * 24, status=MessageStatus.WAITING)
    return replace(message(key, created, state), parts=(part,))


def test_an_update_of_an_older_message_does_not_hide_the_newer_one() -> None:
    status = RecipientStatus(RECIPIENT)
    status.update(message("a", 1), NOTHING)
    status.update(message("b", 2, State.REFUSED), NOTHING)
    status.update(message("a", 1, State.EXPIRED), NOTHING)
    assert status.newest(NOTHING) == "refused"


def test_a_message_sent_after_the_clock_was_set_back_is_the_newest() -> None:
    status = RecipientStatus(RECIPIENT)
    noon, eleven = message("made at noon", 1, State.REFUSED), message("made at eleven", 2)
    status.update(noon, NOTHING)
    status.update(eleven, NOTHING)
    assert status.newest(NOTHING) == "queued"
    status = restarted(status, eleven, noon)
    assert status.newest(NOTHING) == "queued"
    status.update(replace(noon, state=State.EXPIRED), NOTHING)
    assert status.newest(NOTHING) == "queued"


@pytest.mark.parametrize("is_remembered", [True, False])
def test_an_older_message_does_not_hide_the_newest_after_a_restart(*, is_remembered: bool) -> None:
    """What ended more than a day ago is not remembered, but an older one may still be on its way."""
    status = RecipientStatus(RECIPIENT)
    older, newest = on_server("a", 1, "1"), message("b", 2, State.REFUSED)
    status.update(older, NOTHING)
    status.update(newest, NOTHING)
    status = restarted(status, older, *[newest] * is_remembered)
    assert status.newest(page("1" * 24)) == "refused"
    status.update(replace(older, state=State.DELIVERED), NOTHING)
    assert status.newest(page("1" * 24)) == "refused"


def test_a_kill_that_lost_the_status_leaves_that_of_the_outbox() -> None:
    messages = on_server("a", 1, "1", State.DELIVERED), message("b", 2, State.EXPIRED)
    assert restarted(None, *messages).newest(page("1" * 24)) == "expired"
    outdated = RecipientStatus(RECIPIENT)
    outdated.update(messages[0], NOTHING)
    assert restarted(outdated, *messages).newest(page("1" * 24)) == "expired"


def test_a_message_that_becomes_older_with_the_services_time_goes_on() -> None:
    status = restarted(None, message("a", 1))
    status.update(message("a", -3600, State.EXPIRED), NOTHING)
    assert status.newest(NOTHING) == "expired"


def test_an_older_message_accepted_later_does_not_hide_the_newest() -> None:
    status = RecipientStatus(RECIPIENT)
    status.update(message("b", 2, State.REFUSED), NOTHING)
    status.update(on_server("a", 1, "1"), NOTHING)
    assert status.newest(page("1" * 24)) == "refused"
    assert restarted(status).newest(page("1" * 24)) == "refused"
    assert status.newest(page("2" * 24)) == "delivered"


def test_the_page_that_lacks_the_newest_message_does_not_show_an_older_one() -> None:
    status = RecipientStatus(RECIPIENT)
    status.update(on_server("a", 1, "1"), NOTHING)
    status.update(message("b", 2), NOTHING)
    assert status.newest(page("1" * 24)) == "queued"


@pytest.mark.parametrize(
    ("newest", "listed", "needs_service"),
    [
        (None, NOTHING, True),
        (None, page("1" * 24), True),
        (message("a", 1), NOTHING, False),
        (message("a", 1, State.REFUSED), NOTHING, False),
        (message("a", 1, State.EXPIRED), NOTHING, False),
        (on_server("a", 1, "1", State.UNCONFIRMED), page("1" * 24), False),
        (on_server("a", 1, "1", State.DELIVERED), page("1" * 24), False),
        (on_server("a", 1, "1"), NOTHING, True),
        (on_server("a", 1, "1", State.SENT), page("1" * 24, statuses=(2,)), True),
        (message("a", 1, State.REFUSED), page("1" * 24), True),
    ],
)
def test_only_the_service_knows_how_messages_that_it_has_go_on(
    newest: OutgoingMessage | None, listed: MessagePage, *, needs_service: bool
) -> None:
    status = RecipientStatus(RECIPIENT)
    for each in [newest] if newest else []:
        status.update(each, NOTHING)
    assert status.needs_service(listed) is needs_service


def test_an_older_message_on_the_server_is_not_newer_after_a_restart() -> None:
    status = RecipientStatus(RECIPIENT)
    status.update(message("a", 1), page("0" * 24))
    status = restarted(status, message("a", 1))
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
