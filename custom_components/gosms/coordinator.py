"""The poll of the account's messages, which feeds the sensors."""

from datetime import UTC, datetime, timedelta
import logging
from typing import TYPE_CHECKING, Final, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .api import GoSmsClient, MessagePage
from .errors import update_errors

if TYPE_CHECKING:
    from .runtime_data import GoSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

_IDLE: Final = timedelta(seconds=60)
_BUSY: Final = timedelta(seconds=5)

# A message under way is asked for again after this share of its age, so that polls get rarer the longer it takes.
_SHARE_OF_AGE: Final = 0.1

# Seconds. Long enough that a burst of sends costs few extra polls, short enough that a single send shows at once.
_REFRESH_COOLDOWN: Final = 2.0


class GoSmsCoordinator(DataUpdateCoordinator[MessagePage]):
    """Polls the newest messages of the account: more often while one is under way."""

    config_entry: GoSmsConfigEntry

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry, client: GoSmsClient) -> None:
        """Start with an empty page: entities exist before the first poll."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name="GoSMS.ru messages",
            update_interval=_IDLE,
            request_refresh_debouncer=Debouncer(hass, _LOGGER, cooldown=_REFRESH_COOLDOWN, immediate=True),
            always_update=False,
        )
        self._client = client
        self.data = MessagePage()

    @override
    async def _async_update_data(self) -> MessagePage:
        """Fetch the newest messages."""
        # Taken up when the next poll is planned, right after this one; a failed one leaves nothing to be quick for.
        self.update_interval = _IDLE
        with update_errors(self.hass, self.config_entry):
            page = await self._client.list()
        self.update_interval = poll_interval(page, dt_util.utcnow())
        return page


def poll_interval(page: MessagePage, now: datetime) -> timedelta:
    """Return how long to wait until the next poll: 5 s for fresh messages under way, up to 60 s as they age."""
    under_way = [
        message.created or datetime.min.replace(tzinfo=UTC)
        for message in page.messages
        if message.status is not None and not message.status.is_final
    ]
    if not under_way:
        return _IDLE
    return min(max((now - max(under_way)) * _SHARE_OF_AGE, _BUSY), _IDLE)
