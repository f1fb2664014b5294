"""The poll of the account's messages, which feeds the sensors."""

from datetime import timedelta
import logging
from typing import TYPE_CHECKING, Final, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .api import GoSmsClient, MessagePage
from .errors import update_errors

if TYPE_CHECKING:
    from .runtime_data import GoSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

# While a message is under way the outbox polls more often.
_INTERVAL: Final = timedelta(seconds=60)


class GoSmsCoordinator(DataUpdateCoordinator[MessagePage]):
    """Polls the newest messages of the account."""

    config_entry: GoSmsConfigEntry

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, client: GoSmsClient) -> None:
        """Start with an empty page: entities exist before the first poll."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name="GoSMS.ru messages",
            update_interval=_INTERVAL,
            always_update=False,
        )
        self._client = client
        self.data = MessagePage()

    @override
    async def _async_update_data(self) -> MessagePage:
        """Fetch the newest messages."""
        with update_errors(self.hass, self.config_entry):
            return await self._client.list()
