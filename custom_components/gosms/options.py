"""The options of an account as one value, with their defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final
from weakref import WeakKeyDictionary

from homeassistant.config_entries import ConfigEntry

CONF_BILLING_DAY: Final = "billing_day"
CONF_CALLBACK_ID: Final = "callback_id"
CONF_DEFAULT_PHONE: Final = "default_phone"
CONF_DELIVERY_TIMEOUT: Final = "delivery_timeout"
CONF_HISTORY_DAYS: Final = "history_days"
CONF_HOURLY_LIMIT: Final = "hourly_limit"
CONF_LONG_TEXT: Final = "long_text"
CONF_NOTIFY_ACTIONS: Final = "notify_actions"
CONF_PLAN_SEGMENTS: Final = "plan_segments"
CONF_QUEUE_EXPIRY: Final = "queue_expiry"
CONF_REPLACE_SYMBOLS: Final = "replace_symbols"


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How an account sends. The fields are named as they are stored in the config entry.

    Attributes:
        billing_day: the day of a month on which the plan renews.
        callback_id: the webhook that receives the callbacks of the messages, or None for all.
        country: the country of numbers without a country code, ISO 3166-1 alpha-2, or None for that of Home Assistant.
        default_phone: the id of the phone subentry that sends messages without a phone of their own, or None for any.
        delivery_timeout: minutes after acceptance until a missing delivery is reported.
        history_days: days for which a message that ended is kept with text and number, or 0 to keep nothing of it.
        hourly_limit: messages in any 60 minutes, or 0 for no limit.
        long_text: how to handle a text of more than 300 characters: `split`, `truncate` or `reject`.
        notify_actions: whether each recipient also gets an action `notify.<recipient>`.
        plan_segments: SMS in a month that the plan includes, or 0 if it is not known.
        queue_expiry: minutes that a message may be queued, or 0 if messages must not be queued.
        replace_symbols: whether characters that GoSMS does not accept are replaced or dropped.
    """

    billing_day: int = 1
    callback_id: str | None = None
    country: str | None = None
    default_phone: str | None = None
    delivery_timeout: int = 10
    history_days: int = 7
    hourly_limit: int = 100
    long_text: str = "split"
    notify_actions: bool = False
    plan_segments: int = 0
    queue_expiry: int = 60
    replace_symbols: bool = True

    @staticmethod
    def from_entry(entry: ConfigEntry[Any]) -> Options:
        """Return the options of a config entry."""
        # They are read several times for each message. An entry whose options change gets another mapping.
        stored, options = _cache.get(entry, (None, _DEFAULTS))
        if stored is not entry.options:
            names = {field.name for field in fields(Options)}
            options = Options(**{name: value for name, value in entry.options.items() if name in names})
            _cache[entry] = entry.options, options
        return options


_DEFAULTS: Final = Options()

# The stored options of each entry and their value, as last read.
_cache: Final[WeakKeyDictionary[ConfigEntry[Any], tuple[Mapping[str, Any], Options]]] = WeakKeyDictionary()
