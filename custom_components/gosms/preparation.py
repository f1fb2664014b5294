"""Preparation of texts and phone numbers for the service, by the options of an account."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .const import CONF_PHONE_NUMBER
from .errors import invalid_input
from .options import Options
from .phone_number import clean, normalize, with_plus
from .subentries import recipients
from .text import InvalidTextError, PreparedText, prepare

# The country of numbers without a country code, if neither the options nor Home Assistant name one: the service is
# Russian.
DEFAULT_COUNTRY: Final = "RU"


def prepare_text(entry: ConfigEntry[Any], message: str, title: str | None) -> PreparedText:
    """Return a message as the account sends it.

    Raises:
        ServiceValidationError: the text can't be sent. Translated.
    """
    options = Options.from_entry(entry)
    try:
        return prepare(message, title, long_text=options.long_text, replace_symbols=options.replace_symbols)
    except InvalidTextError as err:
        raise invalid_input(err.reason, err.placeholders) from None


async def async_normalize_number(hass: HomeAssistant, entry: ConfigEntry[Any], number: str) -> str:
    """Return a phone number as digits.

    The number of a recipient is not parsed again: it was parsed when the recipient was saved, and events, sensors and
    forms contain it in this form.

    Raises:
        InvalidPhoneNumberError: it is not a valid phone number, or it is ambiguous.
    """
    cleaned = clean(number)
    for recipient in recipients(entry):
        digits: str = recipient.data[CONF_PHONE_NUMBER]
        if cleaned in {digits, with_plus(digits)}:
            return digits
    country = Options.from_entry(entry).country or hass.config.country or DEFAULT_COUNTRY
    return await hass.async_add_executor_job(normalize, cleaned, country)
