"""What people see when something fails, and that calm returns: a message is sent, nobody looks for a while."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gosms.const import DOMAIN
from simulator import Account, Delivery, Fault, Permission, Status
from tests import API_TOKEN
from tests.common import PHONE, SimulatedService, add_phone, send, set_up
from tests.message_helpers import RecordedEvents, advance_time_in_steps, full_disk
from tests.restarts import FILE, start_again

PROBLEM: Final = "binary_sensor.gosms_ru_problem"
STATUS: Final = "sensor.mum_last_message_status"
LAST: Final = "sensor.gosms_ru_last_message"
QUEUED: Final = "sensor.gosms_ru_queued_messages"
MUM_EVENTS: Final = "event.mum_message"

MINUTE: Final = 60
# Messages stay where they are.
STILL: Final = Delivery(steps=((0.0, Status.WAITING),))

pytestmark = [pytest.mark.freeze_time("2026-11-24T01:00:00+00:00"), pytest.mark.usefixtures("no_rate_limit")]


@dataclass(kw_only=True)
class House:
    """What a trouble can happen to."""

    hass: HomeAssistant
    entry: MockConfigEntry
    service: SimulatedService
    # Closed when the trouble ends.
    stack: ExitStack

    @property
    def account(self) -> Account:
        """The account."""
        return self.service.account


type Step = Callable[[House], Awaitable[None]]


async def nothing(_house: House) -> None:
    """Do nothing."""


def fault(kind: Fault, *endpoints: str) -> Step:
    """Let the requests to these endpoints, or to all of them, fail until the trouble ends."""

    async def start(house: House) -> None:
        for endpoint in endpoints or (None,):
            house.service.faults.add(kind, endpoint=endpoint)
        house.stack.callback(house.service.faults.clear)

    return start


def account(**changes: object) -> Step:
    """Change the account until the trouble ends."""

    async def start(house: House) -> None:
        for name, value in changes.items():
            house.stack.callback(setattr, house.account, name, getattr(house.account, name))
            setattr(house.account, name, value)

    return start


async def phone_is_off(house: House) -> None:
    """Switch the phone off in the control panel."""
    phone = house.account.phones[PHONE]
    phone.is_active = False
    house.stack.callback(setattr, phone, "is_active", not phone.is_active)


async def phone_is_out_of_touch(house: House) -> None:
    """Let the phone lose its connection; it takes no message any more."""
    phone = house.account.phones[PHONE]
    phone.set_online(online=False, now=house.account.clock())
    house.account.delivery = STILL

    def end() -> None:
        phone.set_online(online=True, now=house.account.clock())
        house.account.delivery = Delivery.ending()
        for message in house.account.messages:
            house.account.set_status(message.id, Status.DELIVERED)

    house.stack.callback(end)


async def disk_is_full(house: House) -> None:
    """Let nothing be written."""
    house.stack.enter_context(full_disk())


async def store_is_damaged(house: House) -> None:
    """Restart with a damaged file."""
    await start_again(house.hass, house.entry, {FILE: b"[]"})


async def new_token(house: House) -> None:
    """Give Home Assistant a token, as it asked."""
    (flow,) = house.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    result = await house.hass.config_entries.flow.async_configure(flow["flow_id"], {"api_token": API_TOKEN})
    assert result["type"] is FlowResultType.ABORT
    await house.hass.async_block_till_done()


async def confirm_repair(house: House) -> None:
    """Submit the repair."""
    assert await async_setup_component(house.hass, "repairs", {})
    manager = repairs_flow_manager(house.hass)
    assert manager is not None
    form = await manager.async_init(DOMAIN, data={"issue_id": f"messages_lost_{house.entry.entry_id}"})
    assert form["step_id"] == "confirm"
    assert (await manager.async_configure(form["flow_id"], {}))["type"] is FlowResultType.CREATE_ENTRY


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What happens, and what people see a quarter of an hour after a message was sent.

    Attributes:
        start: what happens before the message is sent; it ends with the night.
        fix: what a person does then besides mending it.
        error: the translation key of the error that the action raises, or None.
        status: the recipient's status.
        reason: the reasons of *Problem*, which are the repairs.
        is_warning: whether nothing was refused.
        events: those of the recipient.
        listed: the status of the message in the list of *Last message*.
        queued: messages that wait.
        afterwards: the events of the message once all is well again.
    """

    start: Step
    fix: Step = nothing
    error: str | None = None
    status: str
    reason: tuple[str, ...] = ()
    is_warning: bool = False
    events: tuple[str, ...]
    listed: str
    queued: int = 0
    afterwards: tuple[str, ...] = ()


def refused(start: Step, error: str, reason: str, fix: Step = nothing) -> Trouble:
    """Return a trouble in which the message is refused."""
    return Trouble(
        start=start, fix=fix, error=error, status="refused", reason=(reason,), events=("refused",), listed="refused"
    )


# Nobody looks while it is "sent" only.
ARRIVES: Final = ("accepted", "delivered")

TROUBLES: Final = {
    "no internet": Trouble(
        start=fault(Fault.REFUSE),
        status="queued",
        reason=("service_unreachable",),
        is_warning=True,
        events=("queued",),
        listed="queued",
        queued=1,
        afterwards=ARRIVES,
    ),
    "messages are not taken": Trouble(
        start=fault(Fault.TOO_MANY_REQUESTS, "POST /sms/send"),
        status="queued",
        reason=("service_unreachable",),
        is_warning=True,
        events=("queued",),
        listed="queued",
        queued=1,
        afterwards=ARRIVES,
    ),
    "API off": refused(account(api_active=False), "api_inactive", "api_inactive"),
    "blocked": refused(account(blocked=True), "account_blocked", "account_blocked"),
    "token deleted": refused(account(token="another"), "invalid_auth", "reauth", new_token),
    "no permission": refused(
        account(permissions=set(Permission) - {Permission.SEND}), "no_send_permission", "no_send_permission"
    ),
    "quota reached": refused(account(quota=0), "quota_reached", "quota_reached"),
    "phone off": refused(phone_is_off, "no_active_phone", "no_sending_phone"),
    "phone out of touch": Trouble(
        start=phone_is_out_of_touch,
        status="waiting",
        reason=("phone_out_of_touch",),
        is_warning=True,
        events=("accepted", "delivery_timeout"),
        listed="waiting",
        afterwards=("delivered",),
    ),
    "phone could not send": Trouble(
        start=account(delivery=Delivery.ending(Status.SEND_ERROR)),
        status="send_failed",
        events=("accepted", "send_failed"),
        listed="send_failed",
    ),
    "disk full": Trouble(
        start=disk_is_full, status="delivered", reason=("storage_failed",), events=ARRIVES, listed="delivered"
    ),
    "damaged store": Trouble(
        start=store_is_damaged,
        fix=confirm_repair,
        status="delivered",
        reason=("messages_lost",),
        is_warning=True,
        events=ARRIVES,
        listed="delivered",
    ),
}


@pytest.fixture
def entry(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """An account with two recipients, and a phone that sends."""
    add_phone(hass, entry)
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone"})
    return entry


@pytest.fixture
def house(hass: HomeAssistant, entry: MockConfigEntry, service: SimulatedService) -> Iterator[House]:
    """A house in which all is well."""
    service.account.rate_limit = None
    service.account.delivery = Delivery.ending()
    with ExitStack() as stack:
        yield House(hass=hass, entry=entry, service=service, stack=stack)


async def send_and_get_error(hass: HomeAssistant, message: str) -> str | None:
    """Send a message to Mum, and return the key of the error, or None."""
    try:
        await send(hass, message)
    except HomeAssistantError as err:
        return err.translation_key
    return None


def severities(hass: HomeAssistant) -> set[ir.IssueSeverity | None]:
    """Return how serious the open repairs are."""
    return {issue.severity for issue in ir.async_get(hass).issues.values() if issue.active}


def seen(hass: HomeAssistant) -> dict[str, object]:
    """Return what people see."""
    problem = hass.states.get(PROBLEM)
    newest = hass.states.get(LAST).attributes["recent"][0]
    return {
        "status": hass.states.get(STATUS).state,
        "problem": problem.state,
        "reason": tuple(problem.attributes["reason"]),
        "listed": (newest["message"], newest["status"]),
        "queued": hass.states.get(QUEUED).state,
    }


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=list(TROUBLES))
async def test_what_is_shown_is_true_and_calm_returns(
    hass: HomeAssistant, house: House, freezer: FrozenDateTimeFactory, trouble: Trouble
) -> None:
    recorded = RecordedEvents(hass, MUM_EVENTS)
    await set_up(hass, house.entry)
    await send(hass, "Good night")
    await advance_time_in_steps(hass, freezer, MINUTE)
    recorded.attributes.clear()

    await trouble.start(house)
    assert await send_and_get_error(hass, "Water leak!") == trouble.error
    await advance_time_in_steps(hass, freezer, 17 * MINUTE, step=10)
    assert seen(hass) == {
        "status": trouble.status,
        "problem": "on" if trouble.reason else "off",
        "reason": trouble.reason,
        "listed": ("Water leak!", trouble.listed),
        "queued": str(trouble.queued),
    }
    if trouble.reason:
        assert severities(hass) == {ir.IssueSeverity.WARNING if trouble.is_warning else ir.IssueSeverity.ERROR}
    assert tuple(recorded.types) == trouble.events

    house.stack.close()
    await trouble.fix(house)
    await advance_time_in_steps(hass, freezer, 7 * MINUTE, step=10)
    assert tuple(recorded.types) == trouble.events + trouble.afterwards
    assert await send_and_get_error(hass, "All is well") is None
    await advance_time_in_steps(hass, freezer, 2 * MINUTE)
    assert seen(hass) == {
        "status": "delivered",
        "problem": "off",
        "reason": (),
        "listed": ("All is well", "delivered"),
        "queued": "0",
    }
