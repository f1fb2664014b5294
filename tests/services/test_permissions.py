"""Who may call: a user may do with an action what the same user may do with the entities."""

from typing import Any, Final

from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.auth.models import Group
from homeassistant.auth.permissions import PermissionLookup
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from simulator import RecordedRequest
from tests.common import DAD, MUM, SimulatedService, recipient, set_up

LONG_AGO: Final = 1_700_000_000
AUNT: Final = "79161234567"
CONTROL: Final = {"control": True}
READ: Final = {"read": True}
READING: Final = ("get_messages", "get_message")


def policy(permission: dict[str, bool], *entity_ids: str) -> dict[str, Any]:
    """Return the policy of a user who may do something with single entities."""
    return {"entities": {"entity_ids": dict.fromkeys(entity_ids, permission)}}


async def add_user(hass: HomeAssistant, kind: str) -> MockUser:
    """Add a user of one of Home Assistant's own kinds; the first one of all would be the owner."""
    if kind == "owner":
        return MockUser(is_owner=True).add_to_hass(hass)
    group = await hass.auth.async_get_group(kind)
    assert group
    return MockUser(groups=[group]).add_to_hass(hass)


def add_user_with(hass: HomeAssistant, policy: dict[str, Any]) -> MockUser:
    """Add a user with a policy of its own."""
    user = MockUser(groups=[Group(name="Guests", policy=policy)]).add_to_hass(hass)
    # Policies of devices need the registries.
    user.perm_lookup = PermissionLookup(er.async_get(hass), dr.async_get(hass))
    return user


async def call(hass: HomeAssistant, user_id: str | None, action: str, **data: Any) -> Any:
    """Run an action as a user does, or as nobody."""
    return await hass.services.async_call(
        "gosms",
        action,
        data,
        blocking=True,
        context=Context(user_id=user_id),
        return_response=action != "delete_message",
    )


def own_entities(hass: HomeAssistant) -> list[str]:
    """Return the entities of the account itself."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), "the_account")
    return [entity.entity_id for entity in entities if entity.config_subentry_id is None]


@pytest.fixture
async def message_id(hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry) -> str:
    """The account is set up, and the service has a message that is old enough to be deleted."""
    message = service.account.add_message(message="Leak", phone_number=MUM, created=LONG_AGO)
    await set_up(hass, entry)
    return message.id


def data_of(action: str, message_id: str) -> dict[str, str]:
    """Return what an action needs that is about messages, or sends to a number."""
    return {
        "delete_message": {"message_id": message_id},
        "get_message": {"message_id": message_id},
        "get_messages": {},
        "preview": {"message": "Leak"},
        "send_sms": {"message": "Leak", "phone_numbers": AUNT},
    }[action]


def requests(service: SimulatedService) -> list[RecordedRequest]:
    """Return what the service was asked to do because of an action; it is polled all the time."""
    return [
        each for each in service.requests if each.endpoint in ("POST /sms/send", "POST /sms/get", "DELETE /sms/del")
    ]


# Everybody


@pytest.mark.parametrize("kind", ["owner", GROUP_ID_ADMIN, GROUP_ID_USER])
@pytest.mark.parametrize("action", ["delete_message", "get_message", "get_messages", "preview", "send_sms"])
async def test_users_who_may_control_everything_may_call_everything(
    hass: HomeAssistant, service: SimulatedService, message_id: str, kind: str, action: str
) -> None:
    user = await add_user(hass, kind)
    await call(hass, user.id, action, **data_of(action, message_id))


@pytest.mark.parametrize("action", ["delete_message", "get_message", "get_messages", "preview", "send_sms"])
async def test_an_automation_needs_no_permission(
    hass: HomeAssistant, service: SimulatedService, message_id: str, action: str
) -> None:
    await call(hass, None, action, **data_of(action, message_id))


@pytest.mark.parametrize("action", ["delete_message", "get_message", "get_messages", "send_sms"])
async def test_a_user_who_does_not_exist_may_nothing(
    hass: HomeAssistant, service: SimulatedService, message_id: str, action: str
) -> None:
    with pytest.raises(UnknownUser):
        await call(hass, "nobody", action, **data_of(action, message_id))
    assert requests(service) == []


async def test_a_target_of_a_user_who_does_not_exist_gets_nothing(
    hass: HomeAssistant, service: SimulatedService, message_id: str
) -> None:
    with pytest.raises(UnknownUser):
        await call(hass, "nobody", "send_sms", message="Leak", entity_id="notify.mum")
    assert requests(service) == []


async def test_a_preview_needs_no_permission(hass: HomeAssistant, service: SimulatedService, message_id: str) -> None:
    assert (await call(hass, add_user_with(hass, {}).id, "preview", message="Leak"))["text"] == "Leak"


# Sending


@pytest.mark.parametrize(
    "data",
    [{"entity_id": "notify.mum"}, {"entity_id": "group.family"}, {"phone_numbers": AUNT}, {"phone_numbers": MUM}],
)
async def test_a_user_who_may_only_read_sends_nothing(
    hass: HomeAssistant, service: SimulatedService, message_id: str, data: dict[str, str]
) -> None:
    hass.states.async_set("group.family", "on", {"entity_id": ["notify.mum"]})
    user = await add_user(hass, GROUP_ID_READ_ONLY)
    with pytest.raises(Unauthorized) as error:
        await call(hass, user.id, "send_sms", message="Leak", **data)
    assert (error.value.context.user_id, error.value.permission) == (user.id, "control")
    assert requests(service) == []


@pytest.mark.parametrize(
    "data",
    [
        {"entity_id": "notify.mum"},
        {"entity_id": "group.mum"},
        {"entity_id": ["notify.mum", "light.lamp", "notify.gone"]},
        {"phone_numbers": AUNT},
        {"phone_numbers": DAD},
        {"entity_id": "notify.mum", "phone_numbers": DAD},
    ],
)
async def test_a_user_may_send_to_the_recipients_of_a_policy_and_to_numbers(
    hass: HomeAssistant, service: SimulatedService, message_id: str, data: dict[str, Any]
) -> None:
    hass.states.async_set("group.mum", "on", {"entity_id": ["notify.mum"]})
    user = add_user_with(hass, policy(CONTROL, "notify.mum"))
    await call(hass, user.id, "send_sms", message="Leak", **data)
    assert requests(service) != []


@pytest.mark.parametrize(
    "target",
    [
        {"entity_id": "notify.dad"},
        {"entity_id": ["notify.mum", "notify.dad"]},
        {"entity_id": "group.family"},
        {"entity_id": "notify.mum", "label_id": "family"},
        {"device_id": "dad"},
        {"entity_id": "notify.dad", "phone_numbers": MUM},
        {"entity_id": ["notify.mum", "notify.mother"]},
    ],
)
async def test_one_recipient_whom_a_user_may_not_control_stops_the_whole_call(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, message_id: str, target: dict[str, Any]
) -> None:
    second = MockConfigEntry(
        domain="gosms",
        entry_id="the_second",
        title="Second",
        data=dict(entry.data),
        subentries_data=[recipient("Mother", MUM)],
    )
    second.add_to_hass(hass)
    await set_up(hass, second)
    dad = er.async_get(hass).async_update_entity("notify.dad", labels={"family"})
    hass.states.async_set("group.family", "on", {"entity_id": ["notify.mum", "notify.dad"]})
    user = add_user_with(hass, policy(CONTROL, "notify.mum"))
    ids = {"device_id": dad.device_id} if "device_id" in target else {}
    with pytest.raises(Unauthorized) as error:
        await call(hass, user.id, "send_sms", message="Leak", config_entry_id="the_account", **{**target, **ids})
    assert error.value.entity_id in ("notify.dad", "notify.mother")
    assert (error.value.context.user_id, error.value.permission) == (user.id, "control")
    assert requests(service) == []


@pytest.mark.parametrize("action", ["delete_message", "send_sms"])
@pytest.mark.parametrize(
    "allowed",
    [
        {},
        policy(READ, "notify.mum", "notify.dad"),
        policy(CONTROL, "notify.other", "event.mum_message", "sensor.mum_last_message_status"),
        # A recipient that is disabled can be sent to by nobody.
        policy(CONTROL, "notify.dad"),
    ],
)
async def test_without_any_recipient_to_control_the_account_is_not_to_be_used(
    hass: HomeAssistant, service: SimulatedService, message_id: str, action: str, allowed: dict[str, Any]
) -> None:
    er.async_get(hass).async_update_entity("notify.dad", disabled_by=er.RegistryEntryDisabler.USER)
    user = add_user_with(hass, allowed)
    with pytest.raises(Unauthorized) as error:
        await call(hass, user.id, action, **data_of(action, message_id))
    assert (error.value.config_entry_id, error.value.permission) == ("the_account", "control")
    assert (error.value.context.user_id, error.value.perm_category) == (user.id, "entities")
    assert requests(service) == []


@pytest.mark.parametrize("action", ["delete_message", "send_sms"])
async def test_control_of_one_recipient_is_control_of_the_account(
    hass: HomeAssistant, service: SimulatedService, message_id: str, action: str
) -> None:
    user = add_user_with(hass, policy(CONTROL, "notify.dad"))
    await call(hass, user.id, action, **data_of(action, message_id))
    assert len(requests(service)) == 1


@pytest.mark.parametrize("action", ["delete_message", "send_sms"])
async def test_an_account_without_recipients_is_for_those_who_control_everything(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, message_id: str, action: str
) -> None:
    for subentry in list(entry.subentries):
        hass.config_entries.async_remove_subentry(entry, subentry)
    await hass.async_block_till_done()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    user = add_user_with(hass, {"entities": {"domains": {"notify": CONTROL}}})
    with pytest.raises(Unauthorized):
        await call(hass, user.id, action, **data_of(action, message_id))
    assert requests(service) == []
    everything = add_user_with(hass, {"entities": {"all": CONTROL}})
    await call(hass, everything.id, action, **data_of(action, message_id))
    assert len(requests(service)) == 1


async def test_permissions_hold_for_an_account_that_is_not_loaded(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, message_id: str
) -> None:
    await hass.config_entries.async_unload(entry.entry_id)
    user = await add_user(hass, GROUP_ID_READ_ONLY)
    for data in ({"entity_id": "notify.mum"}, {"phone_numbers": AUNT}):
        with pytest.raises(Unauthorized):
            await call(hass, user.id, "send_sms", message="Leak", **data)


# Reading


@pytest.mark.parametrize("action", READING)
async def test_a_user_who_may_read_everything_reads_messages(
    hass: HomeAssistant, service: SimulatedService, message_id: str, action: str
) -> None:
    user = await add_user(hass, GROUP_ID_READ_ONLY)
    assert await call(hass, user.id, action, **data_of(action, message_id))


@pytest.mark.parametrize("action", READING)
async def test_a_user_who_may_read_the_accounts_entities_reads_messages(
    hass: HomeAssistant, service: SimulatedService, message_id: str, action: str
) -> None:
    user = add_user_with(hass, policy(READ, *own_entities(hass)))
    assert await call(hass, user.id, action, **data_of(action, message_id))


@pytest.mark.parametrize("action", READING)
async def test_a_user_who_may_read_the_accounts_device_reads_messages(
    hass: HomeAssistant, service: SimulatedService, message_id: str, action: str
) -> None:
    own = er.async_get(hass).async_get(own_entities(hass)[0])
    assert own
    user = add_user_with(hass, {"entities": {"device_ids": {own.device_id: READ}}})
    assert await call(hass, user.id, action, **data_of(action, message_id))


@pytest.mark.parametrize("action", READING)
async def test_a_user_who_may_not_read_all_of_the_accounts_entities_reads_none(
    hass: HomeAssistant, service: SimulatedService, message_id: str, action: str
) -> None:
    own = own_entities(hass)
    for allowed in (
        {},
        policy(CONTROL, *own),
        policy(READ, *own[1:]),
        policy(READ, *own[:-1]),
        policy(READ, "notify.mum", "event.mum_message", "sensor.mum_last_message_status"),
    ):
        user = add_user_with(hass, allowed)
        with pytest.raises(Unauthorized) as error:
            await call(hass, user.id, action, **data_of(action, message_id))
        assert (error.value.config_entry_id, error.value.permission) == ("the_account", "read")
        assert (error.value.context.user_id, error.value.perm_category) == (user.id, "entities")
    assert requests(service) == []


async def test_an_account_without_entities_is_for_those_who_read_everything(
    hass: HomeAssistant, service: SimulatedService, message_id: str
) -> None:
    for entity_id in own_entities(hass):
        er.async_get(hass).async_remove(entity_id)
    with pytest.raises(Unauthorized):
        await call(hass, add_user_with(hass, policy(READ, "notify.mum")).id, "get_messages")
    assert await call(hass, add_user_with(hass, {"entities": True}).id, "get_messages")
