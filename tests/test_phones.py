"""What a phone shows: its charge, whether it is in touch, whether it may send."""

from datetime import UTC, datetime
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import NEW, OLD, Account, Fault, Generation, Phone, Sim
from tests.service import PHONE, Service, add_phone, set_up

INFO: Final = "POST /devices/get/info"
EDIT: Final = "POST /devices/edit"
SEND: Final = "POST /sms/send"
UUID: Final = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"

BATTERY: Final = "sensor.pixel_8_battery"
LAST_SEEN: Final = "sensor.pixel_8_last_seen"
SIM: Final = "sensor.pixel_8_sim_card"
CHARGING: Final = "binary_sensor.pixel_8_charging"
ONLINE: Final = "binary_sensor.pixel_8_online"
SENDING: Final = "switch.pixel_8_sending"
TOTAL: Final = "sensor.gosms_ru_total_messages"

MINUTE: Final = 60
NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)

pytestmark = [pytest.mark.freeze_time(NOON), pytest.mark.usefixtures("unpaced")]


@pytest.fixture
def pixel(account: Account) -> Phone:
    """The account's phone, which reported just now."""
    return account.phones[PHONE]


@pytest.fixture
def entry(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """An account with two recipients and a phone, not set up yet."""
    add_phone(hass, entry)
    return entry


def states(hass: HomeAssistant, *entity_ids: str) -> list[str]:
    """Return the states of some entities."""
    return [hass.states.get(entity_id).state for entity_id in entity_ids or (BATTERY, CHARGING, ONLINE, SENDING)]


@pytest.mark.usefixtures("all_entities_enabled")
@pytest.mark.parametrize("generation", [OLD, NEW], ids=["old", "new"])
@pytest.mark.parametrize("device_id", [PHONE, UUID], ids=["hex", "uuid"])
async def test_a_phone_shows_itself_in_every_form_that_the_vendor_speaks(
    hass: HomeAssistant, entry: MockConfigEntry, service: Service, generation: Generation, device_id: str
) -> None:
    service.account.generation = generation
    service.account.add_phone(UUID, battery=17, is_charging=True, to_sim=1)
    subentry = entry.subentries["the_phone"]
    hass.config_entries.async_update_subentry(entry, subentry, data={"device_id": device_id, "sim": "default"})
    await set_up(hass, entry)

    expected = {PHONE: ["80", "off", "on", "on", "default"], UUID: ["17", "on", "on", "on", "Beeline"]}
    assert states(hass, BATTERY, CHARGING, ONLINE, SENDING, SIM) == expected[device_id]
    assert hass.states.get(LAST_SEEN).state == NOON.isoformat()


async def test_the_device_of_a_phone_is_described_by_what_gosms_tells(
    hass: HomeAssistant, entry: MockConfigEntry, service: Service, pixel: Phone
) -> None:
    pixel.name, pixel.name_type = "Xiaomi Mi Note 10 Lite", "Mobile phone"
    await set_up(hass, entry)
    registry = dr.async_get(hass)
    devices = {device.name: device for device in dr.async_entries_for_config_entry(registry, entry.entry_id)}
    device = devices["Pixel 8"]
    assert device.via_device_id == devices["GoSMS.ru"].id
    assert (device.name, device.model, device.model_id) == ("Pixel 8", "Mobile phone", "Xiaomi Mi Note 10 Lite")
    assert (device.manufacturer, device.hw_version, device.entry_type) == (None, "MTS, Beeline", None)
    assert device.configuration_url == "https://cms.gosms.ru/devices"

    # A dead service after a restart takes nothing away again; a SIM card that is new shows.
    service.faults.add(Fault.BAD_GATEWAY)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert registry.async_get(device.id).model_id == "Xiaomi Mi Note 10 Lite"
    service.faults.clear()
    pixel.sims = (Sim(slot_index=0, display_name="T2"),)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert registry.async_get(device.id).hw_version == "T2"
