"""The buttons that send a test message."""

from homeassistant.const import STATE_UNKNOWN, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import Permission
from tests.common import MUM, SimulatedService, add_recipient, entity_id, set_up
from tests.translation_checks import texts_of

TEXT = "selector.test_message.options.text"


async def press(hass: HomeAssistant) -> None:
    """Press the button of Mum, and wait for everything that follows."""
    button = entity_id(hass, "button", "the_account_the_recipient_mum_test_message")
    try:
        await hass.services.async_call("button", "press", {"entity_id": button}, blocking=True)
    finally:
        await hass.async_block_till_done()


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "en"), ("ru", "ru"), ("en-GB", "en"), ("de", "en")], ids=lambda value: value
)
async def test_a_test_message_is_sent_in_the_language_of_the_home(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, language: str, expected: str
) -> None:
    hass.config.language = language
    await set_up(hass, entry)
    await press(hass)
    (message,) = service.account.messages
    assert (message.phone_number, message.message) == (MUM, texts_of(expected)[TEXT])
    # The time of the last message shows there.
    assert hass.states.get("notify.mum").state != STATE_UNKNOWN


async def test_a_test_message_needs_no_replaced_symbols(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    hass.config.language = "ru"
    hass.config_entries.async_update_entry(entry, options={"replace_symbols": False, "long_text": "reject"})
    await set_up(hass, entry)
    await press(hass)
    assert len(service.account.messages) == 1


async def test_a_refused_test_message_raises_its_reason(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    service.account.permissions.remove(Permission.SEND)
    with pytest.raises(HomeAssistantError) as error:
        await press(hass)
    assert error.value.translation_key == "no_send_permission"


async def test_a_number_of_three_digits_has_no_test_button(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    add_recipient(hass, entry, "Emergency", "112")
    add_recipient(hass, entry, "Taxi", "1122")
    await set_up(hass, entry)
    registry = er.async_get(hass)
    buttons = {
        entity.unique_id: entity.entity_category
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
        if entity.domain == "button"
    }
    assert buttons == {
        f"the_account_the_recipient_{name}_test_message": EntityCategory.DIAGNOSTIC for name in ("mum", "dad", "taxi")
    }


async def test_the_button_comes_and_goes_with_the_number(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    mum = entry.subentries["the_recipient_mum"]
    for number in ("112", "79123456780", "113"):
        hass.config_entries.async_update_subentry(entry, mum, data={"phone_number": number}, unique_id=number)
        await hass.async_block_till_done()
        assert (hass.states.get("button.mum_send_a_test_message") is None) == (len(number) == 3)
    hass.config_entries.async_update_subentry(entry, mum, data={"phone_number": "79123456780"}, unique_id="79123456780")
    await hass.async_block_till_done()
    await press(hass)
    (message,) = service.account.messages
    assert message.phone_number == "79123456780"


async def test_a_new_recipient_has_a_button_at_once(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    add_recipient(hass, entry, "Aunt", "79123456780")
    await hass.async_block_till_done()
    assert hass.states.get("button.aunt_send_a_test_message")
    hass.config_entries.async_remove_subentry(entry, "the_recipient_aunt")
    await hass.async_block_till_done()
    assert hass.states.get("button.aunt_send_a_test_message") is None


async def test_the_end_of_a_changed_number_is_the_model(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    mum = entry.subentries["the_recipient_mum"]
    hass.config_entries.async_update_subentry(entry, mum, data={"phone_number": "79123456780"}, unique_id="79123456780")
    await hass.async_block_till_done()
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert {device.name: device.model for device in devices} == {"GoSMS.ru": None, "Mum": "…67-80", "Dad": "…22-33"}
