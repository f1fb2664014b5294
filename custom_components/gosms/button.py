"""Buttons of the recipients: each sends a short message to try out whether messages arrive."""

from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_translations

from .const import CONF_PHONE_NUMBER, DOMAIN
from .entity import GoSmsEntity
from .phone_number import may_be_emergency_number
from .runtime_data import GoSmsConfigEntry
from .sending import async_send_to_recipient
from .subentries import recipients

# Messages need not wait for each other here: the client limits the rate of requests.
PARALLEL_UPDATES = 0

_TEST_MESSAGE: Final = ButtonEntityDescription(
    key="test_message", translation_key="test_message", entity_category=EntityCategory.DIAGNOSTIC
)

# Home Assistant has no place of its own for texts that are sent, so this one is the option of a selector.
_TEXT: Final = f"component.{DOMAIN}.selector.test_message.options.text"


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the buttons. Nobody should send a test to an emergency number."""
    for recipient in recipients(entry):
        if not may_be_emergency_number(recipient.data[CONF_PHONE_NUMBER]):
            async_add_entities([GoSmsTestButton(hass, entry, recipient)], config_subentry_id=recipient.subentry_id)


class GoSmsTestButton(GoSmsEntity, ButtonEntity):
    """Sends a test message to a recipient, in the language of Home Assistant. Always available."""

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, recipient: ConfigSubentry) -> None:
        """Initialize the entity of this recipient."""
        super().__init__(hass, entry, _TEST_MESSAGE, recipient)
        self._entry = entry
        self._recipient = recipient

    @override
    async def async_press(self) -> None:
        """Send the message."""
        texts = await async_get_translations(self.hass, self.hass.config.language, "selector", [DOMAIN])
        await async_send_to_recipient(self.hass, self._entry, self._recipient, texts[_TEXT])
