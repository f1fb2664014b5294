"""What people write, a text or a number, as the service takes it by the options of an account."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .const import CONF_PHONE_NUMBER
from .errors import invalid_input
from .options import Options
from .phone_number import clean, normalize, with_plus
from .subentries import recipients
from .text import InvalidTextError, PreparedText, prepare

# Where numbers without a country code belong if neither the options nor the home say: the service is Russian.
_DEFAULT_COUNTRY: Final = "RU"


def prepare_text(entry: ConfigEntry[Any], message: str, title: str | None) -> PreparedText:
    """Return a text as the account sends it.

    Raises:
        ServiceValidationError: it can't be sent. Translated.
    """
    options = Options.from_entry(entry)
    try:
        return prepare(message, title, long_text=options.long_text, replace_symbols=options.replace_symbols)
    except InvalidTextError as err:
        raise invalid_input(err.reason, err.placeholders) from None


async def async_normalize_number(hass: HomeAssistant, entry: ConfigEntry[Any], number: str) -> str:
    """Return a phone number as digits.

    What equals the number of a recipient is that number: it was read when the recipient was saved, and comes back from
    events, sensors and forms.

    Raises:
        InvalidPhoneNumberError: it is no phone number, or may be one of two.
    """
    cleaned = clean(number)
    for recipient in recipients(entry):
        digits: str = recipient.data[CONF_PHONE_NUMBER]
        if cleaned in {digits, with_plus(digits)}:
            return digits
    country = Options.from_entry(entry).country or hass.config.country or _DEFAULT_COUNTRY
    return await hass.async_add_executor_job(normalize, cleaned, country)
