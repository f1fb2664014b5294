"""No token, number, text or name is exposed: after every operation and failure, all outputs are searched."""

import asyncio
from collections.abc import Generator, Iterable
from contextlib import suppress
from http import HTTPStatus
import logging
from typing import Any, Final

from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.db_schema import Base
from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.recorder import session_scope
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    RecorderInstanceContextManager,
    WebSocketGenerator,
)
from sqlalchemy import select
import voluptuous as vol

from custom_components.gosms.const import DOMAIN
from simulator import ERROR_TEXTS as VENDORS_TEXTS, Account, Delivery, Fault, Permission, Sim, Status
from tests import API_TOKEN
from tests.common import SimulatedService, send, wait_until
from tests.message_helpers import advance_time_in_steps
from tests.secrets_search import LogRecords, search

NEW_TOKEN: Final = "bmV3LWhlYWRlcg.bmV3LWNsYWltcw.bmV3LXNpZ25hdHVyZQ"
SERAFIMA: Final = "79161234567"
ARCHIBALD: Final = "447911123456"
STRANGER: Final = "79265554433"
PHONE: Final = "6654a4e8f1527149588c89f2"
OTHER_PHONE: Final = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"
UNKNOWN_MESSAGE: Final = "0123456789abcdef01234567"
UNKNOWN_PHONE: Final = "0191f2a4-bbbb-4bbb-8ccc-1234567890ab"
WEBHOOK: Final = "6654a4e8f1527149588c89aa"

# Each has a word that stands nowhere else, so that a part of it is found too.
ACCEPTED: Final = "Код сейфа Хризантема & 4417"
REFUSED: Final = "Пароль Гиацинт, скидка 50 %"
UNCLEAR: Final = "Ключ под ковриком Настурция"
QUEUED: Final = 'Поливать Бегония "дважды"'
TITLE: Final = "Тревога Орхидея"
FAILED: Final = "Дом пуст до пятницы Азалия"
OTHERS: Final = "Чужое сообщение Магнолия"
LONG: Final = " ".join(["Список покупок Ромашка"] * 40)
TAG: Final = "метка-пион"
KEY: Final = "ключ-жасмин"
FLOWERS: Final = ("Хризантема", "Гиацинт", "Настурция", "Бегония", "Орхидея", "Азалия", "Магнолия", "Ромашка")
WORDS: Final = (*FLOWERS, TAG, KEY)

# Names of people and phones. Home Assistant itself makes entity ids and names of entities of them, so they are in its
# database and in its own log, but the integration adds none, and diagnostics can be posted.
PEOPLE: Final = ("Серафима", "Serafima", "Archibald")
PHONES: Final = ("Пиксель Аркадия", "Redmi of Arkadi", "Tele2 of Arkadi")

SECRETS: Final = (*API_TOKEN.split("."), *NEW_TOKEN.split("."), SERAFIMA, ARCHIBALD, STRANGER, *WORDS)
IDS: Final = (PHONE, OTHER_PHONE, UNKNOWN_PHONE, UNKNOWN_MESSAGE, WEBHOOK)

SEND: Final = "POST /sms/send"
NOTIFY: Final = "notify.serafima"

# What tells everything at the finest level, for all integrations alike, and stays at the level that it has usually.
LEVELS: Final = {
    # Every event with its data.
    "homeassistant.core": logging.INFO,
    # What goes into the database, which is searched itself.
    "homeassistant.components.recorder": logging.INFO,
    "sqlalchemy": logging.WARNING,
    "sqlalchemy.engine": logging.WARNING,
    # What the interface shows and what is typed there.
    "homeassistant.components.websocket_api": logging.INFO,
    # The simulated service's requests.
    "aiohttp.access": logging.INFO,
}

pytestmark = [pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"), pytest.mark.usefixtures("no_rate_limit")]


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Do not simulate the storage: the test plugin logs everything that is stored."""
    return {}


@pytest.fixture
def mock_recorder_before_hass(async_test_recorder: RecorderInstanceContextManager) -> None:
    """Prepare the database before Home Assistant."""


@pytest.fixture
def recorder_config() -> dict[str, Any]:
    """The recorder configuration that the README recommends."""
    return {"exclude": {"event_types": ["call_service"]}}


@pytest.fixture
def records() -> Generator[LogRecords]:
    """All log records, at the lowest levels."""
    records = LogRecords()
    root = logging.getLogger()
    levels = {"": logging.DEBUG, **LEVELS}
    before = {name: logging.getLogger(name).level for name in levels}
    handlers = root.handlers[:]
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    # Alone, since there are so many lines that each other handler would take its time too.
    root.handlers[:] = [records]
    yield records
    root.handlers[:] = handlers
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def account(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account with a history, whose error texts quote the request."""
    account.phones[PHONE].name = PHONES[1]
    account.phones[PHONE].sims = (Sim(slot_index=0, display_name=PHONES[2]),)
    account.add_phone(OTHER_PHONE)
    account.add_message(message=OTHERS, phone_number=STRANGER, callback_id=WEBHOOK, device_id=PHONE)
    account.rate_limit = None
    account.delivery = Delivery.ending()
    for code in VENDORS_TEXTS:
        monkeypatch.setitem(VENDORS_TEXTS, code, f"{REFUSED} {SERAFIMA} {API_TOKEN}")
    return account


@pytest.fixture
async def default_integrations(hass: HomeAssistant, recorder_mock: Recorder) -> None:
    """A Home Assistant with a database and an automation that logs the errors of its actions."""
    hass.config.country = "RU"
    # The loop tells of each step that takes time, with all that it knows of it.
    hass.loop.slow_callback_duration = 0
    actions: list[dict[str, Any]] = [
        {"action": "notify.send_message", "target": {"entity_id": NOTIFY}, "data": {"message": REFUSED}},
        {"action": "gosms.send_sms", "data": {"message": LONG, "phone_numbers": [STRANGER, ARCHIBALD], "tag": TAG}},
        {"action": "gosms.send_sms", "data": {"message": REFUSED, "phone_numbers": f"{STRANGER}{STRANGER}"}},
        {"action": "gosms.get_messages", "data": {"search": SERAFIMA}, "response_variable": "found"},
    ]
    # Each goes on after an error, which is then a line of the log.
    actions = [action | {"continue_on_error": True} for action in actions]
    automation = {"alias": "Tell", "triggers": {"trigger": "event", "event_type": "tell"}, "actions": actions}
    assert await async_setup_component(hass, "automation", {"automation": automation})
    for component in ("diagnostics", "notify", "system_health", "websocket_api"):
        assert await async_setup_component(hass, component, {})


async def fill_in(flows: Any, flow: Any, answers: Iterable[dict[str, Any]]) -> Any:
    """Submit a form repeatedly until it is accepted, and return the result."""
    for answer in answers:
        assert flow["type"] is FlowResultType.FORM
        flow = await flows.async_configure(flow["flow_id"], answer)
        await flows.hass.async_block_till_done()
    assert flow["type"] is not FlowResultType.FORM
    return flow


async def set_up(hass: HomeAssistant, service: SimulatedService) -> ConfigEntry:
    """Set up an account with two recipients and two phones, with typical mistakes."""
    flows: Any = hass.config_entries.flow
    right = {"api_token": API_TOKEN, "advanced": {"url": service.url}}
    mistakes = (
        {"advanced": {"url": f"{service.url}?token={API_TOKEN}"}},
        {"advanced": {"url": "http://127.0.0.1:1/v1"}},
        {"api_token": NEW_TOKEN},
        {"api_token": f"{API_TOKEN} {NEW_TOKEN}"},
        {"device_id": UNKNOWN_PHONE},
    )
    form = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    made = await fill_in(flows, form, [right | mistake for mistake in (*mistakes, {"device_id": PHONE})])
    entry: ConfigEntry = made["result"]
    flows = hass.config_entries.subentries
    for kind, *answers in (
        ("recipient", {"name": PEOPLE[0], "phone_number": "8 916 1"}, {"name": PEOPLE[0], "phone_number": SERAFIMA}),
        ("recipient", {"name": PEOPLE[2], "phone_number": "+44 7911 123456"}),
        (
            "phone",
            {"device_id": UNKNOWN_PHONE, "name": PHONES[0], "sim": "sim2"},
            {"device_id": OTHER_PHONE, "name": PHONES[0], "sim": "sim2"},
        ),
    ):
        await fill_in(flows, await flows.async_init((entry.entry_id, kind), context={"source": SOURCE_USER}), answers)
    return entry


async def send_in_every_way(hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory) -> None:
    """Send messages that are accepted, refused, lost and queued, with all their events."""
    await send(hass, ACCEPTED, to=NOTIFY, title=TITLE)
    for fault in (Fault.CUT_AFTER, Fault.CUT_BEFORE, Fault.ERROR_AFTER, Fault.TRUNCATED, Fault.CAPTIVE_PORTAL):
        service.faults.add(fault, endpoint=SEND, times=1)
        await send(hass, f"{UNCLEAR} {fault}", to=NOTIFY)
    service.faults.add(Fault.TOO_MANY_REQUESTS, endpoint=SEND, times=2)
    await send(hass, QUEUED, to="notify.archibald")
    await advance_time_in_steps(hass, freezer, 300, step=15)
    service.account.delivery = Delivery.ending(Status.DELIVERY_ERROR)
    await send(hass, FAILED, to="notify.archibald")
    await advance_time_in_steps(hass, freezer, 30)


async def call(hass: HomeAssistant, action: str, **data: Any) -> None:
    """Perform an action of the integration with and without a response, and ignore errors."""
    for return_response in (True, False):
        with suppress(HomeAssistantError, vol.Invalid):
            await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=return_response)
    await hass.async_block_till_done()


async def act_in_every_way(hass: HomeAssistant, service: SimulatedService) -> None:
    """Perform every action with valid and with invalid data."""
    everybody = {"entity_id": "all", "phone_numbers": ["8 (926) 555-44-33", "8 916 1", ARCHIBALD]}
    for message in (ACCEPTED, LONG, f"{QUEUED} 🌸 21 °C", LONG * 10, " "):
        await call(hass, "send_sms", message=message, title=TITLE, tag=TAG, **everybody)
        await call(hass, "preview", message=message, title=TITLE)
    for code in (1004, 1006, 2001, 2002):
        service.faults.add(Fault.CODE, endpoint=SEND, code=code, status=400, times=3)
        await call(hass, "send_sms", message=LONG, tag=TAG, **everybody)
    for fault in (Fault.CUT_AFTER, Fault.ERROR_AFTER, Fault.TOO_MANY_REQUESTS):
        service.faults.add(fault, endpoint=SEND, times=3)
        await call(hass, "send_sms", message=UNCLEAR, tag=TAG, **everybody)
    for message in (ACCEPTED, REFUSED):
        await call(hass, "send_sms", message=message, idempotency_key=KEY, phone_numbers=SERAFIMA)
    for phone in (PHONE, OTHER_PHONE, UNKNOWN_PHONE, PHONES[0]):
        await call(hass, "send_sms", message=FAILED, phone=phone, sim="sim2", phone_numbers=SERAFIMA)
    known = service.account.messages[0].id
    for message_id in (known, UNKNOWN_MESSAGE, SERAFIMA):
        await call(hass, "get_message", message_id=message_id)
        await call(hass, "delete_message", message_id=[message_id, known])
    for fault in (Fault.CUT_BEFORE, Fault.CAPTIVE_PORTAL, Fault.FORBIDDEN):
        service.faults.add(fault, times=2)
        await call(hass, "get_messages", search=SERAFIMA)
    service.account.phones[OTHER_PHONE].is_active = False
    for state in ("on", "off"):
        service.faults.add(Fault.CODE, endpoint="POST /devices/edit", code=1013, status=400, times=1)
        with pytest.raises(HomeAssistantError):
            await hass.services.async_call("switch", f"turn_{state}", {"entity_id": "all"}, blocking=True)


async def fail_in_every_way(hass: HomeAssistant, service: SimulatedService, websocket: Any) -> None:
    """Send in every way with every error response, and with invalid calls."""
    # 1000 says nothing of what became of the message, which is then looked for.
    for code in set(VENDORS_TEXTS) - {1000}:
        service.faults.add(Fault.CODE, endpoint=SEND, code=code, status=400, times=1)
        with pytest.raises(HomeAssistantError):
            await send(hass, REFUSED, to=NOTIFY)
    service.faults.add(Fault.CODE, endpoint=SEND, code=2001, times=6)
    service.faults.add(Fault.CODE, endpoint="GET /sms", code=1007, times=6)
    hass.bus.async_fire("tell")
    await hass.async_block_till_done()
    for data in ({"message": REFUSED}, {"message": [REFUSED, SERAFIMA]}, {"text": REFUSED}):
        call = {"type": "call_service", "domain": "notify", "service": "send_message", "service_data": data}
        await websocket.send_json_auto_id(call | {"target": {"entity_id": NOTIFY}})
        assert not (await websocket.receive_json())["success"]


async def poll_in_every_way(hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory) -> None:
    """Let polls fail with every fault."""
    for fault in Fault:
        service.faults.add(fault, seconds=0, code=1002)
        await advance_time_in_steps(hass, freezer, 61, step=61)
        service.faults.clear()
    service.account.permissions = {Permission.SEND}
    await advance_time_in_steps(hass, freezer, 310, step=62)
    service.account.permissions = set(Permission)
    del service.account.phones[PHONE]
    service.account.token = NEW_TOKEN
    await advance_time_in_steps(hass, freezer, 310, step=62)


async def come_and_go(
    hass: HomeAssistant, service: SimulatedService, freezer: FrozenDateTimeFactory, entry: ConfigEntry
) -> str:
    """Change the token and options, reload during a request, and return the tasks that were running."""
    flows: Any = hass.config_entries.flow
    (reauth,) = flows.async_progress_by_handler(DOMAIN, match_context={"source": "reauth"})
    form = await flows.async_configure(reauth["flow_id"])
    await fill_in(flows, form, [{"api_token": API_TOKEN}, {"api_token": NEW_TOKEN}])
    flows = hass.config_entries.options
    form = await flows.async_init(entry.entry_id)
    trust = {"queue_expiry": 5, "delivery_timeout": 10, "hourly_limit": 100}
    text = {"long_text": "split", "replace_symbols": True}
    answers = [{"sending": {"callback_id": webhook}, "text": text, "trust": trust} for webhook in (SERAFIMA, WEBHOOK)]
    await fill_in(flows, form, answers)
    before = len(service.requests_to(SEND))
    service.faults.add(Fault.HANG_BEFORE, endpoint=SEND, seconds=5, times=1)
    data = {"entity_id": NOTIFY, "message": UNCLEAR}
    sending = asyncio.create_task(hass.services.async_call("notify", "send_message", data, blocking=True))
    await wait_until(lambda: len(service.requests_to(SEND)) > before)
    tasks = repr(asyncio.all_tasks())
    reloading = asyncio.create_task(hass.config_entries.async_reload(entry.entry_id))
    while not reloading.done():
        freezer.tick(0.1)
        await asyncio.sleep(0)
    await asyncio.gather(sending, reloading)
    return tasks


class Downloads:
    """The downloaded diagnostics of an account and of all its devices."""

    def __init__(self, hass: HomeAssistant, client: TestClient[Any, Any], user: MockUser) -> None:
        self._hass = hass
        self._client = client
        self._user = user
        self.files: list[str] = []

    async def add(self, entry: ConfigEntry) -> None:
        """Download the current diagnostics."""
        # A login does not hold as long as this story.
        (login,) = self._user.refresh_tokens.values()
        headers = {"Authorization": f"Bearer {self._hass.auth.async_create_access_token(login)}"}
        address = f"/api/diagnostics/config_entry/{entry.entry_id}"
        devices = dr.async_entries_for_config_entry(dr.async_get(self._hass), entry.entry_id)
        for place in (address, *(f"{address}/device/{device.id}" for device in devices)):
            answer = await self._client.get(place, headers=headers)
            assert answer.status == HTTPStatus.OK
            self.files.append(await answer.text())


@pytest.fixture
async def downloads(
    hass: HomeAssistant,
    default_integrations: None,
    hass_client_no_auth: ClientSessionGenerator,
    hass_admin_user: MockUser,
    hass_access_token: str,
) -> Downloads:
    """Download and collect all diagnostics as a logged-in user."""
    return Downloads(hass, await hass_client_no_auth(), hass_admin_user)


async def recorded(hass: HomeAssistant, recorder: Recorder) -> str:
    """Return all rows of the database."""

    def dump() -> str:
        with session_scope(hass=hass, read_only=True) as session:
            tables = Base.metadata.sorted_tables
            return "\n".join(repr(row) for table in tables for row in session.execute(select(table)))

    await async_wait_recording_done(hass)
    return await recorder.async_add_executor_job(dump)


# Seconds. It is a long story, and on a busy machine it takes its time.
@pytest.mark.timeout(240)
async def test_no_secret_leaks(
    hass: HomeAssistant,
    recorder_mock: Recorder,
    records: LogRecords,
    downloads: Downloads,
    service: SimulatedService,
    freezer: FrozenDateTimeFactory,
    hass_ws_client: WebSocketGenerator,
) -> None:
    entry = await set_up(hass, service)
    await send_in_every_way(hass, service, freezer)
    await act_in_every_way(hass, service)
    await advance_time_in_steps(hass, freezer, 60, step=15)
    await fail_in_every_way(hass, service, await hass_ws_client())
    await downloads.add(entry)
    await poll_in_every_way(hass, service, freezer)
    await downloads.add(entry)
    repairs = repr(list(ir.async_get(hass).issues.values()))
    tasks = await come_and_go(hass, service, freezer, entry)
    await advance_time_in_steps(hass, freezer, 120, step=30)
    await downloads.add(entry)
    await hass.config_entries.async_unload(entry.entry_id)

    ids = (*IDS, *(message.id for message in service.account.messages))
    names = (*PEOPLE, *PHONES)
    # Where to look, what must not be there, and what must, since there would be nothing to search without it.
    places = {
        "diagnostics": ("\n".join(downloads.files), (*SECRETS, *ids, *names, service.url), "last_error"),
        "the integration's log": (records.text("custom_components.gosms"), (*SECRETS, *ids, *names), "Error fetching"),
        "any log": (records.text(""), (*SECRETS, *ids), "Executing <Handle"),
        "tasks": (tasks, (*SECRETS, *ids, *names), "GoSMS.ru request to send"),
        "repairs": (repairs, (*SECRETS, *ids), "IssueEntry"),
        "the database": (await recorded(hass, recorder_mock), (*SECRETS, *ids), "friendly_name"),
    }
    assert {place: list(search(text, secrets)) for place, (text, secrets, _) in places.items()} == {
        place: [] for place in places
    }
    assert [place for place, (text, _, proof) in places.items() if proof not in text] == []


@pytest.mark.parametrize(
    ("secret", "place"),
    [
        (SERAFIMA, "to 79161234567."),
        (SERAFIMA, "to +7 (916) 123-45-67"),
        (SERAFIMA, "to 8 916 123\u201145\u201167"),
        (OTHER_PHONE, '{"device_id": "0191F2A4-AAAA-4BBB-8CCC-1234567890AB"}'),
        (OTHER_PHONE, "0191f2a4aaaa4bbb8ccc1234567890ab"),
        ("Гиацинт", "пароль: гиацинт"),
        ("Гиацинт", r'{"message": "\u0413\u0438\u0430\u0446\u0438\u043d\u0442"}'),
        ("Гиацинт", "/sms?search=%D0%93%D0%B8%D0%B0%D1%86%D0%B8%D0%BD%D1%82"),
        (PHONES[0], "q=%D0%9F%D0%B8%D0%BA%D1%81%D0%B5%D0%BB%D1%8C+%D0%90%D1%80%D0%BA%D0%B0%D0%B4%D0%B8%D1%8F"),
        (ACCEPTED, r"код сейфа хризантема & 4417"),
    ],
)
def test_a_secret_is_found_however_it_is_written(secret: str, place: str) -> None:
    assert len(list(search(f"before {place} after", [secret, "absent"]))) == 1


def test_similar_looking_values_are_not_secrets() -> None:
    assert list(search("at 1795524136.0, 2026-11-24 12:00, GoSMS.ru", (*SECRETS, *IDS, *PEOPLE))) == []
