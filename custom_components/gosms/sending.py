"""Sending to one recipient, as its entities do it."""

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant

from .const import CONF_PHONE_NUMBER
from .errors import account_not_loaded
from .outbox import Recipient, SendRequest
from .preparation import prepare_text
from .runtime_data import GoSmsConfigEntry, async_wait_for_reload


async def async_send_to_recipient(
    hass: HomeAssistant, entry: GoSmsConfigEntry, recipient: ConfigSubentry, message: str, title: str | None = None
) -> None:
    """Send a message to a recipient, after a reload that is in progress.

    The title is put before the text, on a line of its own.

    Raises:
        ServiceValidationError: the text can't be sent. Translated.
        HomeAssistantError: the message was refused, or could not be queued, or the account is not loaded. Translated.
    """
    await async_wait_for_reload(entry)
    if entry.state not in {ConfigEntryState.LOADED, ConfigEntryState.FAILED_UNLOAD}:
        raise account_not_loaded(entry.title).error(hass)
    text = prepare_text(entry, message, title)
    to = Recipient(phone_number=recipient.data[CONF_PHONE_NUMBER], recipient=recipient.subentry_id)
    (result,) = await entry.runtime_data.outbox.async_send(SendRequest(to=(to,), text=text.text, parts=text.parts))
    if result.failure:
        raise result.failure.error(hass)
