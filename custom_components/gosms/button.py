"""Buttons of the recipients: each sends a short test message."""

from functools import partial
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_translations

from .const import CONF_PHONE_NUMBER, DOMAIN
from .entity import GoSmsEntity, async_find_entity
from .phone_number import may_be_emergency_number
from .runtime_data import SENT, UPDATED, GoSmsConfigEntry
from .sending import async_send_to_recipient
from .subentries import recipients

# Messages need not wait for each other here: the client limits the rate of requests.
PARALLEL_UPDATES = 0

_TEST_MESSAGE: Final = ButtonEntityDescription(
    key="test_message", translation_key="test_message", entity_category=EntityCategory.DIAGNOSTIC
)

# Translations have no category for texts that are sent, so this one is stored as the option of a selector.
_TEXT: Final = f"component.{DOMAIN}.selector.test_message.options.text"


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the buttons, now and after each change. A recipient with an emergency number has none."""
    present: set[str] = set()

    @callback
    def async_update() -> None:
        for recipient in recipients(entry):
            subentry_id = recipient.subentry_id
            if not may_be_emergency_number(recipient.data[CONF_PHONE_NUMBER]):
                if subentry_id not in present:
                    present.add(subentry_id)
                    button = GoSmsTestButton(hass, entry, recipient)
                    button.async_on_remove(partial(present.discard, subentry_id))
                    async_add_entities([button], config_subentry_id=subentry_id)
            elif entity := async_find_entity(hass, entry, Platform.BUTTON, _TEST_MESSAGE.key, recipient):
                er.async_get(hass).async_remove(entity.entity_id)

    async_update()
    entry.async_on_unload(async_dispatcher_connect(hass, UPDATED.format(entry.entry_id), async_update))


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
        async_dispatcher_send(self.hass, SENT.format(self._recipient.subentry_id))
