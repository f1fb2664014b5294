"""What people write, a text or a number, as the service takes it by the options of an account."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from homeassistant.const import CONF_COUNTRY
from homeassistant.core import HomeAssistant

from .const import (
    CONF_LONG_TEXT,
    CONF_PHONE_NUMBER,
    CONF_REPLACE_SYMBOLS,
    DEFAULT_LONG_TEXT,
    DEFAULT_REPLACE_SYMBOLS,
    SUBENTRY_RECIPIENT,
)
from .errors import invalid_input
from .phone_number import clean, normalize, with_plus
from .text import InvalidTextError, PreparedText, prepare

if TYPE_CHECKING:
    from .runtime_data import GoSmsConfigEntry

# Where numbers without a country code belong if neither the options nor the home say: the service is Russian.
_DEFAULT_COUNTRY: Final = "RU"


def compose(entry: GoSmsConfigEntry, message: str, title: str | None) -> PreparedText:
    """Return a text as the account sends it.

    Raises:
        ServiceValidationError: it can't be sent. Translated.
    """
    options: Mapping[str, object] = entry.options
    try:
        return prepare(
            message,
            title,
            long_text=str(options.get(CONF_LONG_TEXT, DEFAULT_LONG_TEXT)),
            replace_symbols=bool(options.get(CONF_REPLACE_SYMBOLS, DEFAULT_REPLACE_SYMBOLS)),
        )
    except InvalidTextError as err:
        raise invalid_input(err.reason, err.placeholders) from None


async def async_normalize(hass: HomeAssistant, entry: GoSmsConfigEntry, number: str) -> str:
    """Return a phone number as digits.

    What equals the number of a recipient is that number: it was read when the recipient was saved, and comes back from
    events, sensors and forms.

    Raises:
        InvalidPhoneNumberError: it is no phone number, or may be one of two.
    """
    cleaned = clean(number)
    for recipient in entry.get_subentries_of_type(SUBENTRY_RECIPIENT):
        digits: str = recipient.data[CONF_PHONE_NUMBER]
        if cleaned in {digits, with_plus(digits)}:
            return digits
    country = entry.options.get(CONF_COUNTRY) or hass.config.country or _DEFAULT_COUNTRY
    return await hass.async_add_executor_job(normalize, cleaned, country)
