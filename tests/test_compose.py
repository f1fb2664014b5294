"""Numbers that come back to the actions: from events, from sensors, from templates and from forms on a dashboard."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.common import MUM, SimulatedService, add_recipient, send, set_up
from tests.services.actions import send_sms


@pytest.fixture
async def entry(hass: HomeAssistant, entry: MockConfigEntry, home: str) -> MockConfigEntry:
    """A set-up account in a country, with recipients whose digits alone would be a number of that country too."""
    hass.config.country = home
    for name, number in (("Hanoi", "84912345678"), ("Munich", "4915123456789"), ("Bank", "900")):
        add_recipient(hass, entry, name, number)
    await set_up(hass, entry)
    return entry


@pytest.mark.parametrize("home", ["RU", "DE", "US"])
@pytest.mark.parametrize("written", ["{}", " {} ", "\u202a{}\u202c", "+{}", "tel:{}"])
@pytest.mark.parametrize(("name", "number"), [("Mum", MUM), ("Hanoi", "84912345678"), ("Munich", "4915123456789")])
async def test_digits_of_a_recipient_are_that_recipient(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, written: str, name: str, number: str
) -> None:
    (answer,) = await send_sms(hass, phone_numbers=written.format(number))
    assert (answer["recipient"], answer["phone_number"], answer["error"]) == (name, number, None)
    assert [message.phone_number for message in service.account.messages] == [number]


@pytest.mark.parametrize("home", ["RU", "DE", "US"])
async def test_a_short_number_of_a_recipient_is_that_recipient(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert [answer["recipient"] for answer in await send_sms(hass, phone_numbers=["\uff19\uff10\uff10"])] == ["Bank"]


@pytest.mark.parametrize("home", ["DE"])
@pytest.mark.parametrize("source", ["event.mum_message", "event.gosms_ru_message", "sensor.gosms_ru_last_message"])
async def test_a_number_of_an_event_or_sensor_can_be_sent_to(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, source: str
) -> None:
    await send(hass, "Hello")
    number = hass.states.get(source).attributes["phone_number"]
    (answer,) = await send_sms(hass, phone_numbers=[number])
    assert answer["recipient"] == "Mum"
    assert {message.phone_number for message in service.account.messages} == {MUM}


@pytest.mark.parametrize("home", ["DE"])
# A template makes a number of digits with a plus.
@pytest.mark.parametrize(
    ("number", "digits"), [(491711234567, "491711234567"), (79161234567, "79161234567"), ("+4930901820", "4930901820")]
)
async def test_a_number_without_recipient_keeps_its_country_code(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, number: int | str, digits: str
) -> None:
    (answer,) = await send_sms(hass, phone_numbers=number)
    assert (answer["recipient"], answer["phone_number"], answer["error"]) == (None, digits, None)
    assert [message.phone_number for message in service.account.messages] == [digits]


@pytest.mark.parametrize("home", ["RU"])
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (84913456789, "ambiguous_phone_number"),
        (1711234567.0, "invalid_phone_number"),
        ("89123456789 /x 89991112233", "invalid_phone_number"),
        ("8912345dada", "invalid_phone_number"),
        ("8" * 255, "phone_number_too_long"),
    ],
    ids=["ambiguous", "decimal", "two numbers", "letters", "too long"],
)
async def test_a_number_in_doubt_is_refused_before_anything_is_sent(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry, number: float | str, reason: str
) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await send_sms(hass, phone_numbers=number)
    assert error.value.translation_key == reason
    assert service.requests_to("POST /sms/send") == []
