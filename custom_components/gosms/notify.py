"""Notify entities: one for each recipient."""

from typing import Final, override

# Newer versions do not list the feature in __all__, but 2026.8 has it nowhere else.
from homeassistant.components.notify import NotifyEntity, NotifyEntityDescription, NotifyEntityFeature  # type: ignore[attr-defined]
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_PHONE_NUMBER
from .entity import GoSmsEntity
from .outbox import Recipient, SendRequest
from .preparation import prepare_text
from .runtime_data import GoSmsConfigEntry
from .subentries import SENT, recipients

# Messages need not wait for each other here: the client limits the rate of requests.
PARALLEL_UPDATES = 0

_SMS: Final = NotifyEntityDescription(key="sms", translation_key="sms", name=None)


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the notify entities."""
    for recipient in recipients(entry):
        async_add_entities([GoSmsNotifyEntity(hass, entry, recipient)], config_subentry_id=recipient.subentry_id)


class GoSmsNotifyEntity(GoSmsEntity, NotifyEntity):
    """Sends an SMS to a recipient.

    It is always available, since Home Assistant skips an unavailable notify entity without an error, and the message
    would be lost silently.
    """

    _attr_supported_features = NotifyEntityFeature.TITLE

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, recipient: ConfigSubentry) -> None:
        """Initialize the entity of this recipient."""
        super().__init__(hass, entry, _SMS, recipient)
        self._entry = entry
        self._recipient = recipient

    @override
    async def async_added_to_hass(self) -> None:
        """Record the time of messages that were sent by other ways too."""
        signal = SENT.format(self._recipient.subentry_id)
        self.async_on_remove(async_dispatcher_connect(self.hass, signal, self._async_record_notification))

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Send an SMS. The title is put before the text, on a line of its own."""
        text = prepare_text(self._entry, message, title)
        to = Recipient(phone_number=self._recipient.data[CONF_PHONE_NUMBER], recipient=self._recipient.subentry_id)
        (result,) = await self._entry.runtime_data.outbox.async_send(
            SendRequest(to=(to,), text=text.text, parts=text.parts)
        )
        if result.failure:
            raise result.failure.error(self.hass)
