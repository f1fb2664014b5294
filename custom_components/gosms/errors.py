"""Conversion of failures into the errors of Home Assistant: in actions, updates and forms.

No other module names the translation key of an error.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final, Self

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.translation import async_get_cached_translations
from homeassistant.helpers.update_coordinator import UpdateFailed

from .api import GoSmsApiError, GoSmsError
from .const import DOMAIN

# Errors that the caller of an action causes, and can fix with another call.
_INPUT_ERRORS: Final = frozenset({"invalid_message", "invalid_phone_number", "message_too_young", "unknown_message"})

# Errors whose texts end with the details, for the log and the vendor's support.
_DETAILED_ERRORS: Final = frozenset(
    {"cannot_connect", "invalid_request", "no_answer", "not_confirmed", "refused", "service_error"}
)

# Seconds. The lower limit keeps polls from running without a pause. The upper limit keeps the sensors from being stale
# for longer than in an ordinary outage.
_MIN_RETRY_AFTER: Final = 5
_MAX_RETRY_AFTER: Final = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a message failed, in a form that can be stored. Contains nothing of the message.

    Attributes:
        key: the key under "exceptions" in the translations.
        code: the vendor's error code, or None.
        placeholders: the values for the text of the key.
        part: the part that failed after others had been accepted, counted from 1, or None.
        parts: the number of parts of that message, or None.
    """

    key: str
    code: int | None = None
    placeholders: Mapping[str, str] = field(default_factory=dict)
    part: int | None = None
    parts: int | None = None

    @classmethod
    def of(cls, err: GoSmsError) -> Self:
        """Return the failure of a message whose request failed: `not_confirmed` if it may have been accepted."""
        key = "not_confirmed" if err.maybe_accepted else error_key(err)
        code = err.code if isinstance(err, GoSmsApiError) else None
        return cls(key=key, code=code, placeholders=_placeholders(key, err))

    def error(self, hass: HomeAssistant, language: str | None = None) -> HomeAssistantError:
        """Return the error to raise; a language, if it is not the configured one, is that of its text."""
        kind = ServiceValidationError if self.key in _INPUT_ERRORS else HomeAssistantError
        error = kind(
            translation_domain=DOMAIN,
            translation_key=self.key,
            translation_placeholders=dict(self.placeholders) or None,
        )
        if self.part is None:
            return error
        return HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="part_failed",
            translation_placeholders={
                "part": str(self.part),
                "parts": str(self.parts),
                "error": localize(hass, error, language),
            },
        )


def localize(hass: HomeAssistant, error: HomeAssistantError, language: str | None = None) -> str:
    """Return the text of an error in the configured language, or another one that is loaded.

    `str(error)` is in English.
    """
    texts = async_get_cached_translations(hass, language or hass.config.language, "exceptions", DOMAIN)
    text = texts.get(f"component.{DOMAIN}.exceptions.{error.translation_key}.message")
    return text.format(**error.translation_placeholders or {}) if text else str(error)


@contextmanager
def action_errors(hass: HomeAssistant) -> Iterator[None]:
    """Convert errors of the client for the caller of an action. Only for requests that can be repeated safely."""
    try:
        yield
    except GoSmsError as err:
        key = _idempotent_error_key(err)
        raise Failure(key=key, placeholders=_placeholders(key, err)).error(hass) from err


@contextmanager
def update_errors() -> Iterator[None]:
    """Convert errors of the client for a coordinator. A rejected token is like any other error: polling goes on."""
    try:
        yield
    except GoSmsError as err:
        key = _idempotent_error_key(err)
        retry_after = err.retry_after
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=_placeholders(key, err) or None,
            retry_after=None if retry_after is None else min(max(retry_after, _MIN_RETRY_AFTER), _MAX_RETRY_AFTER),
        ) from err


def invalid_input(key: str, placeholders: Mapping[str, str] | None = None) -> ServiceValidationError:
    """Return the error for a call with invalid input, such as a text that can't be sent."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=dict(placeholders) if placeholders else None,
    )


def invalid_message_id() -> ServiceValidationError:
    """Return the error for an invalid message id."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="invalid_message_id")


def invalid_phone() -> ServiceValidationError:
    """Return the error for a phone that does not belong to the account."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="invalid_phone")


def no_recipient() -> ServiceValidationError:
    """Return the error for a call without any recipient."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="no_recipient")


def several_accounts() -> ServiceValidationError:
    """Return the error for a call that has to name one of several accounts."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="several_accounts")


def account_not_loaded(account: str) -> Failure:
    """Return the failure of a message whose account is not loaded."""
    return Failure(key="account_not_loaded", placeholders={"account": account})


def account_removed() -> Failure:
    """Return the failure of a message whose account was removed before it was sent."""
    return Failure(key="account_removed")


def not_a_recipient() -> Failure:
    """Return the failure of a target that is not a recipient."""
    return Failure(key="not_a_recipient")


def recipient_disabled() -> Failure:
    """Return the failure of a recipient whose entity is disabled."""
    return Failure(key="recipient_disabled")


def unknown_target() -> Failure:
    """Return the failure of a target that does not exist."""
    return Failure(key="unknown_target")


def not_all_arrived(hass: HomeAssistant, errors: Iterable[tuple[str, HomeAssistantError]]) -> HomeAssistantError:
    """Return the error for a call that sent to several recipients, with the failures."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="not_all_arrived",
        translation_placeholders={"failures": _format_failures(hass, errors)},
    )


def not_deleted(hass: HomeAssistant, errors: Iterable[tuple[str, HomeAssistantError]]) -> HomeAssistantError:
    """Return the error for a call that deleted several messages, with the failures."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="not_deleted",
        translation_placeholders={"failures": _format_failures(hass, errors)},
    )


def _format_failures(hass: HomeAssistant, errors: Iterable[tuple[str, HomeAssistantError]]) -> str:
    """Return a text with the names of all failures, grouped by their reasons."""
    names_by_reason: dict[str, list[str]] = {}
    for name, error in errors:
        names_by_reason.setdefault(localize(hass, error), []).append(name)
    return " ".join(f"{', '.join(names)}: {reason}" for reason, names in names_by_reason.items())


def queue_full() -> Failure:
    """Return the failure of a message that does not fit into the queue."""
    return Failure(key="queue_full")


def hourly_limit(limit: int, opens: datetime) -> Failure:
    """Return the failure of a message over the limit.

    Args:
        limit: messages in any 60 minutes.
        opens: the local time from which on it could be sent.
    """
    return Failure(key="hourly_limit", placeholders={"limit": str(limit), "time": f"{opens:%H:%M}"})


def not_queued(reason: str) -> Failure:
    """Return the failure of a message that was not sent and could not be queued."""
    return Failure(key="cannot_connect", placeholders={"error": reason})


def idempotency_conflict() -> ServiceValidationError:
    """Return the error for an idempotency key that a different call has used."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="idempotency_conflict")


def form_error(err: GoSmsError) -> str:
    """Return the key of a form's error text."""
    if not isinstance(err, GoSmsApiError):
        return "cannot_connect"
    if err.unauthorized:
        return "invalid_auth"
    if err.code is None:
        # A response without a code is not from the API, but from a proxy, during an outage or at a wrong address.
        return "cannot_connect"
    return err.row.form_error if err.row else "unknown"


def error_key(err: GoSmsError) -> str:
    """Return the key of the text that explains an error."""
    if not isinstance(err, GoSmsApiError):
        return "no_answer" if err.maybe_accepted else "cannot_connect"
    if err.unauthorized:
        return "invalid_auth"
    if err.row:
        return err.row.text
    if err.status == HTTPStatus.TOO_MANY_REQUESTS:
        return "too_many_requests"
    if err.maybe_accepted:
        return "service_error"
    # What is temporary without a code is not from the API, but from a proxy or a portal.
    return "cannot_connect" if err.is_temporary else "refused"


def _idempotent_error_key(err: GoSmsError) -> str:
    """Return the key of the text for an idempotent request: no message was to be sent, and it may be repeated."""
    key = error_key(err)
    return "no_answer" if key == "cannot_connect" else key


def _placeholders(key: str, err: GoSmsError) -> dict[str, str]:
    """Return the values for the text of a key."""
    return {"error": str(err)} if key in _DETAILED_ERRORS else {}
