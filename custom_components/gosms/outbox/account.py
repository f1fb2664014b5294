"""What the parts of an outbox share: the account, its messages, and what other entries of the same service know."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from ..api import GoSmsClient, MessagePage
from ..const import DOMAIN
from ..options import Options
from .clock import Clock
from .message import OutgoingMessage
from .routing import PhoneAvailability
from .state import State
from .store import MessageStore

# By the ids of the entries. The store of an unloaded entry stays until the entry is loaded again, so that its ids
# remain claimed.
STORES: HassKey[dict[str, MessageStore]] = HassKey("gosms_outboxes")

_NOT_LOADED_YET: Final = frozenset({ConfigEntryState.NOT_LOADED, ConfigEntryState.SETUP_IN_PROGRESS})


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What the parts of the outbox of one account share.

    Attributes:
        poll: fetches the newest messages of the account and applies them; returns None if that failed.
        can_send: returns whether a phone can send, or None if unknown; see `PhoneAvailability`.
    """

    hass: HomeAssistant
    entry: ConfigEntry[Any]
    client: GoSmsClient
    store: MessageStore
    poll: Callable[[], Awaitable[MessagePage | None]]
    can_send: PhoneAvailability

    @property
    def clock(self) -> Clock:
        """Return the clock that converts between times of a run and stored times."""
        return self.store.clock

    @property
    def options(self) -> Options:
        """Return the current options."""
        return Options.from_entry(self.entry)

    # The tokens of several entries may belong to one account of the service.

    def is_claimed(self, message_id: str) -> bool:
        """Return whether an id of the service belongs to a message of any entry."""
        return any(store.is_claimed(message_id) for store in self.hass.data[STORES].values())

    def has_duplicate(self, message: OutgoingMessage) -> bool:
        """Return whether any entry has a request in progress with the same text to the same number."""
        return any(
            other.state is State.SENDING and other.content == message.content
            for store in self.hass.data[STORES].values()
            for other in store.unsent.values()
        )

    def knows_all_ids(self) -> bool:
        """Return whether the messages of every entry have been loaded."""
        entries = self.hass.config_entries.async_entries(DOMAIN, include_disabled=False)
        stores = self.hass.data[STORES]
        return all(entry.entry_id in stores or entry.state not in _NOT_LOADED_YET for entry in entries)
