"""Failures of the client, as Home Assistant tells them: in actions, in polls and in forms.

No other module names the translation key of an error that the service caused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.update_coordinator import UpdateFailed

from .api import GoSmsApiError, GoSmsError
from .const import DOMAIN

if TYPE_CHECKING:
    from .runtime_data import GoSmsConfigEntry

# The vendor's error codes, as keys under "exceptions" in the translations.
_KEYS: Final = {
    1000: "service_error",
    1001: "invalid_request",
    1002: "api_inactive",
    1003: "invalid_auth",
    1004: "no_phone",
    1005: "no_send_permission",
    1006: "quota_reached",
    1007: "no_read_permission",
    1008: "unknown_message",
    1009: "no_delete_permission",
    1010: "message_too_young",
    1011: "no_device_permission",
    1012: "unknown_phone",
    1013: "no_device_permission",
    1014: "no_device_permission",
    1015: "no_active_phone",
    1016: "unknown_phone",
    1017: "sim_without_phone",
    2001: "invalid_phone_number",
    2002: "invalid_message",
    2003: "unknown_message",
    2004: "invalid_callback_id",
    2005: "invalid_device_id",
    2006: "invalid_request",
    2007: "invalid_request",
    2008: "invalid_sim",
    2009: "invalid_request",
    3000: "account_blocked",
}

# What the caller of an action causes, and another call can mend.
_INPUT: Final = frozenset({"invalid_message", "invalid_phone_number", "message_too_young", "unknown_message"})

# The texts that end in what exactly happened, for the log and the vendor's support.
_DETAILED: Final = frozenset(
    {"cannot_connect", "invalid_request", "no_answer", "not_confirmed", "refused", "service_error"}
)

# Seconds. A service that asks for less would be asked without end, one that asks for more would keep the sensors in the
# dark for longer than an outage does.
_SHORTEST_PAUSE: Final = 5
_LONGEST_PAUSE: Final = 600

# The codes that a form has a text for, as keys under "config.error" in the translations.
_FORM_KEYS: Final = {
    1002: "api_inactive",
    1003: "invalid_auth",
    1007: "no_read_permission",
    1012: "unknown_device",
    1016: "unknown_device",
    2005: "invalid_device_id",
    3000: "account_blocked",
}


@contextmanager
def action_errors() -> Iterator[None]:
    """Tell failures to the caller of an action."""
    try:
        yield
    except GoSmsError as err:
        key = "not_confirmed" if err.maybe_accepted else error_key(err)
        kind = ServiceValidationError if key in _INPUT else HomeAssistantError
        raise kind(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=_placeholders(key, err),
        ) from err


@contextmanager
def edit_errors() -> Iterator[None]:
    """Tell failures to whoever changes a setting at the service, which can be done again without harm."""
    try:
        yield
    except GoSmsError as err:
        key = _repeatable_key(err)
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=_placeholders(key, err),
        ) from err


@contextmanager
def update_errors(hass: HomeAssistant, entry: GoSmsConfigEntry) -> Iterator[None]:
    """Tell failures to a coordinator; a refused token starts reauthentication, and polling goes on."""
    try:
        yield
    except GoSmsError as err:
        if isinstance(err, GoSmsApiError) and err.unauthorized:
            entry.async_start_reauth(hass)
        key = _repeatable_key(err)
        pause = err.retry_after if isinstance(err, GoSmsApiError) else None
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=_placeholders(key, err),
            retry_after=None if pause is None else min(max(pause, _SHORTEST_PAUSE), _LONGEST_PAUSE),
        ) from err


def queue_full() -> HomeAssistantError:
    """Return the error for a message that the outbox has no room for."""
    return HomeAssistantError(translation_domain=DOMAIN, translation_key="queue_full")


def form_error(err: GoSmsError) -> str:
    """Return the key of a form's error text."""
    if not isinstance(err, GoSmsApiError):
        return "cannot_connect"
    if err.unauthorized:
        return "invalid_auth"
    if err.code is None:
        # An answer without the vendor's code is not the API speaking: a proxy, an outage, a wrong address.
        return "cannot_connect"
    return _FORM_KEYS.get(err.code, "unknown")


def error_key(err: GoSmsError) -> str:
    """Return the key of the text that names the cause."""
    if not isinstance(err, GoSmsApiError):
        return "no_answer" if err.maybe_accepted else "cannot_connect"
    if err.unauthorized:
        return "invalid_auth"
    if err.code in _KEYS:
        return _KEYS[err.code]
    if err.status == HTTPStatus.TOO_MANY_REQUESTS:
        return "too_many_requests"
    return "service_error" if err.maybe_accepted else "refused"


def _repeatable_key(err: GoSmsError) -> str:
    """Return the key of the text for a request that can be repeated, so that it is all one whether it arrived."""
    return error_key(err) if isinstance(err, GoSmsApiError) else "no_answer"


def _placeholders(key: str, err: GoSmsError) -> dict[str, str] | None:
    """Return what the text of this key is filled with."""
    return {"error": str(err)} if key in _DETAILED else None
