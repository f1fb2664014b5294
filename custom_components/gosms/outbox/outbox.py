"""The face of the outbox: what the rest of the integration sends with."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_DEVICE_ID
from homeassistant.core import HomeAssistant

from ..api import GoSmsClient
from ..const import (
    CONF_CALLBACK_ID,
    CONF_DEFAULT_PHONE,
    CONF_PHONE,
    CONF_PHONE_NUMBER,
    CONF_SIM,
    SIM_SLOTS,
    SUBENTRY_PHONE,
)
from ..errors import action_errors

if TYPE_CHECKING:
    from ..runtime_data import GoSmsConfigEntry


class Outbox:
    """Sends the messages of one account."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: GoSmsConfigEntry,
        client: GoSmsClient,
        on_accepted: Callable[[], None],
    ) -> None:
        """Make the outbox.

        Args:
            hass: Home Assistant.
            entry: the account that sends.
            client: the client of that account.
            on_accepted: called after the service took a message, so that its status can be shown.
        """
        self._hass = hass
        self._entry = entry
        self._client = client
        self._on_accepted = on_accepted

    async def async_send(self, recipient: ConfigSubentry, text: str) -> None:
        """Send a text to a recipient; done when the service has taken it.

        Args:
            recipient: a subentry of type recipient.
            text: 1 to 300 characters of those that the service allows.

        Raises:
            HomeAssistantError: the service refused it, or it is not known whether it took it. Translated.
        """
        device_id, sim = self._sender(recipient)
        with action_errors(self._hass, self._entry):
            await self._client.send(
                recipient.data[CONF_PHONE_NUMBER],
                text,
                device_id=device_id,
                sim=sim,
                callback_id=self._entry.options.get(CONF_CALLBACK_ID),
            )
        self._on_accepted()

    def _sender(self, recipient: ConfigSubentry) -> tuple[str | None, int | None]:
        """Return the id of the phone to send with and its SIM slot: the recipient's, else the account's, else any."""
        phone_id = recipient.data.get(CONF_PHONE) or self._entry.options.get(CONF_DEFAULT_PHONE)
        phone = self._entry.subentries.get(phone_id or "")
        # A phone that was removed since means any phone.
        if phone is None or phone.subentry_type != SUBENTRY_PHONE:
            return None, None
        return phone.data[CONF_DEVICE_ID], SIM_SLOTS.get(phone.data[CONF_SIM])
