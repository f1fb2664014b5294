"""The actions `notify.<recipient>`, for what takes no entities."""

from typing import Any, Final

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.service import async_get_cached_service_description
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
import voluptuous as vol

from tests.common import DAD, MUM, SimulatedService, add_recipient, set_up
from tests.message_helpers import texts

pytestmark = [pytest.mark.freeze_time("2026-11-24T12:00:00+00:00"), pytest.mark.usefixtures("no_rate_limit")]

ENABLED: Final = {"notify_actions": True}


@pytest.fixture
async def enabled(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set the account up with the option."""
    hass.config_entries.async_update_entry(entry, options=ENABLED)
    await set_up(hass, entry)


def actions(hass: HomeAssistant) -> set[str]:
    """Return the names of notify actions beside Home Assistant's own."""
    own = {"notify", "persistent_notification", "send_message"}
    return set(hass.services.async_services_for_domain("notify")) - own


async def notify(hass: HomeAssistant, name: str, **data: Any) -> None:
    await hass.services.async_call("notify", name, {"message": "Hello", **data}, blocking=True)
    await hass.async_block_till_done()


async def change_options(hass: HomeAssistant, entry: MockConfigEntry, options: dict[str, Any]) -> None:
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.async_block_till_done()


async def test_there_are_no_actions_until_the_option_is_on(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    assert actions(hass) == set()
    await change_options(hass, entry, ENABLED)
    assert actions(hass) == {"mum", "dad"}
    await change_options(hass, entry, {})
    assert actions(hass) == set()


@pytest.mark.usefixtures("enabled")
async def test_an_action_sends_through_the_outbox(hass: HomeAssistant, service: SimulatedService) -> None:
    # `data` and `target` are meant for other kinds of notifications.
    await notify(hass, "mum", title="Alarm", data={"push": {"sound": "x"}}, target=["1"])
    await notify(hass, "dad")
    assert [(each.phone_number, each.message) for each in reversed(service.account.messages)] == [
        (MUM, "Alarm\nHello"),
        (DAD, "Hello"),
    ]
    assert hass.states.get("event.mum_message").attributes["event_type"] == "accepted"


@pytest.mark.usefixtures("enabled")
async def test_nothing_in_the_title_means_no_title(hass: HomeAssistant, service: SimulatedService) -> None:
    await notify(hass, "mum", title=None)
    await notify(hass, "mum", title="")
    assert texts(service) == ["Hello", "Hello"]


@pytest.mark.usefixtures("enabled")
async def test_a_refused_message_is_an_error_of_the_action(hass: HomeAssistant, service: SimulatedService) -> None:
    service.account.quota = 0
    with pytest.raises(HomeAssistantError) as error:
        await notify(hass, "mum")
    assert error.value.translation_key == "quota_reached"
    with pytest.raises(vol.Invalid):
        await hass.services.async_call("notify", "mum", {"title": "No message"}, blocking=True)


@pytest.mark.usefixtures("enabled")
async def test_a_user_needs_the_right_to_control_the_recipient(
    hass: HomeAssistant, service: SimulatedService, hass_read_only_user: MockUser
) -> None:
    context = Context(user_id=hass_read_only_user.id)
    with pytest.raises(Unauthorized):
        await hass.services.async_call("notify", "mum", {"message": "Hello"}, blocking=True, context=context)
    assert texts(service) == []


@pytest.mark.usefixtures("enabled")
async def test_an_action_comes_and_goes_with_its_recipient(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    add_recipient(hass, entry, "Aunt May", "79160000001")
    await hass.async_block_till_done()
    assert actions(hass) == {"aunt_may", "mum", "dad"}
    hass.config_entries.async_remove_subentry(entry, "the_recipient_mum")
    await hass.async_block_till_done()
    assert actions(hass) == {"aunt_may", "dad"}
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert actions(hass) == set()


@pytest.mark.usefixtures("enabled")
async def test_the_actions_of_an_unloaded_account_are_gone(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    for _ in range(2):
        assert await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()
        assert actions(hass) == set()
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert actions(hass) == {"mum", "dad"}
    await notify(hass, "mum")
    assert texts(service) == ["Hello"]


@pytest.mark.usefixtures("enabled")
async def test_an_action_is_named_like_the_entity_and_shown_with_the_name(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    er.async_get(hass).async_update_entity("notify.mum", new_entity_id="notify.mother")
    er.async_get(hass).async_update_entity("notify.dad", disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    assert actions(hass) == {"mother"}
    hass.config_entries.async_update_subentry(entry, entry.subentries["the_recipient_mum"], title="Mummy")
    await hass.async_block_till_done()
    description = async_get_cached_service_description(hass, "notify", "mother")
    assert description is not None
    assert description["name"] == "SMS: Mummy"
    assert description["fields"].keys() == {"message", "title"}
    await notify(hass, "mother")
    assert [message.phone_number for message in service.account.messages] == [MUM]


async def test_an_action_of_another_integration_keeps_its_name(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    calls: list[Any] = []
    for name in ("mum", "gosms_dad", "dad"):
        hass.services.async_register("notify", name, calls.append)
    await change_options(hass, entry, ENABLED)
    await set_up(hass, entry)
    assert actions(hass) == {"mum", "gosms_mum", "dad", "gosms_dad", "gosms_gosms_dad"}
    await notify(hass, "gosms_mum")
    assert (texts(service), calls) == (["Hello"], [])
    await change_options(hass, entry, {})
    assert actions(hass) == {"mum", "dad", "gosms_dad"}


async def test_recipients_with_one_name_have_actions_of_their_own(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await change_options(hass, entry, ENABLED)
    await set_up(hass, entry)
    add_recipient(hass, entry, "Mum ", "79160000001")
    await hass.async_block_till_done()
    assert actions(hass) == {"mum", "mum_2", "dad"}
    await notify(hass, "mum_2")
    await notify(hass, "mum")
    assert [message.phone_number for message in service.account.messages] == [MUM, "79160000001"]
