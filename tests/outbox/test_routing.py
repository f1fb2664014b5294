"""The choice of the sending phone."""

from typing import Any, Final

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.outbox.routing import Route, select_phone
from tests.common import MUM, phone, recipient
from tests.outbox.messages import queued_message

HALL: Final = "6654a4e8f1527149588c89f2"
CELLAR: Final = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"
ANOTHER: Final = "6654a4e8f1527149588c89ff"


def route(
    message: dict[str, Any] | None = None,
    *,
    recipients: str | None = None,
    default: str | None = None,
    fit: dict[str, bool] | None = None,
) -> Route:
    """Return the route of a message, with the states of the phones in the hall (SIM 2) and in the cellar."""
    entry = MockConfigEntry(
        domain="gosms",
        options={"default_phone": default} if default else {},
        subentries_data=[
            recipient("Mum", MUM, **({"phone": recipients} if recipients else {})),
            phone("hall", HALL, sim="sim2"),
            phone("cellar", CELLAR),
        ],
    )
    asked = queued_message(**{"recipient": "the_recipient_mum", **(message or {})})
    return select_phone(asked, entry, (fit or {}).get)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, Route()),
        ({"default": "hall"}, Route(device_id=HALL, sim=1)),
        ({"default": "cellar"}, Route(device_id=CELLAR)),
        ({"default": "removed since"}, Route()),
        ({"recipients": "hall", "default": "cellar"}, Route(device_id=HALL, sim=1)),
        ({"recipients": "removed since", "default": "cellar"}, Route()),
        ({"message": {"recipient": None}, "recipients": "hall", "default": "cellar"}, Route(device_id=CELLAR)),
        ({"message": {"phone_id": CELLAR}, "recipients": "hall"}, Route(device_id=CELLAR)),
        ({"message": {"phone_id": HALL}}, Route(device_id=HALL, sim=1)),
        ({"message": {"phone_id": HALL, "sim": "default"}}, Route(device_id=HALL)),
        ({"message": {"phone_id": ANOTHER}, "default": "hall"}, Route(device_id=ANOTHER)),
        ({"message": {"phone_id": ANOTHER, "sim": "sim1"}}, Route(device_id=ANOTHER, sim=0)),
        ({"message": {"sim": "sim1"}, "default": "hall"}, Route(device_id=HALL, sim=0)),
        ({"message": {"sim": "sim1"}}, Route()),
    ],
)
def test_the_phone_is_taken_from_request_then_recipient_then_account(asked: dict[str, Any], expected: Route) -> None:
    assert route(**asked) == expected


@pytest.mark.parametrize("asked", [{"message": {"phone_id": HALL}}, {"recipients": "hall"}, {"default": "hall"}])
@pytest.mark.parametrize(
    ("fit", "is_fallback"),
    [
        ({}, False),
        ({HALL: True, CELLAR: True}, False),
        ({HALL: True, CELLAR: False}, False),
        ({HALL: False}, False),
        ({HALL: False, CELLAR: False}, False),
        ({CELLAR: True}, False),
        ({HALL: False, CELLAR: True}, True),
    ],
)
def test_fallback_needs_an_unavailable_phone_and_another_available_one(
    asked: dict[str, Any], fit: dict[str, bool], *, is_fallback: bool
) -> None:
    assert route(**asked, fit=fit) == (Route(is_fallback=True) if is_fallback else Route(device_id=HALL, sim=1))


def test_there_is_no_fallback_without_a_chosen_phone() -> None:
    assert route(fit={HALL: False, CELLAR: True}) == Route()
