"""Failures, as Home Assistant tells them: in actions, in polls and in forms.

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

# What the caller of an action causes, and another call can mend.
_INPUT: Final = frozenset({"invalid_message", "invalid_phone_number", "message_too_young", "unknown_message"})

# The texts that end in what exactly happened, for the log and the vendor's support.
_DETAILED: Final = frozenset(
    {"cannot_connect", "invalid_request", "no_answer", "not_confirmed", "refused", "service_error"}
)

# Seconds. A service that asks for less would be asked without end, one that asks for more would keep the sensors in the
# dark for longer than an outage does.
_MIN_PAUSE: Final = 5
_MAX_PAUSE: Final = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What went wrong with a message, as it can be kept in a file. Holds nothing of the message.

    Attributes:
        key: the key under "exceptions" in the translations.
        code: the vendor's error code, or None.
        placeholders: what the text of the key is filled with.
        part: the part of a message that it befell when others had been accepted, counted from 1, or None.
        parts: the number of parts of that message, or None.
    """

    key: str
    code: int | None = None
    placeholders: Mapping[str, str] = field(default_factory=dict)
    part: int | None = None
    parts: int | None = None

    @classmethod
    def of(cls, err: GoSmsError) -> Self:
        """Return what an error of the client means for what was asked for."""
        key = "not_confirmed" if err.maybe_accepted else error_key(err)
        code = err.code if isinstance(err, GoSmsApiError) else None
        return cls(key=key, code=code, placeholders=_placeholders(key, err) or {})

    def error(self, hass: HomeAssistant) -> HomeAssistantError:
        """Return the error to raise."""
        kind = ServiceValidationError if self.key in _INPUT else HomeAssistantError
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
                "error": localize(hass, error),
            },
        )


def localize(hass: HomeAssistant, error: HomeAssistantError) -> str:
    """Return the text of an error in the language of the home; Home Assistant itself would say it in English."""
    texts = async_get_cached_translations(hass, hass.config.language, "exceptions", DOMAIN)
    text = texts.get(f"component.{DOMAIN}.exceptions.{error.translation_key}.message")
    return text.format(**error.translation_placeholders or {}) if text else str(error)


@contextmanager
def action_errors(hass: HomeAssistant) -> Iterator[None]:
    """Tell failures to whoever asked for something that can be asked for again without harm."""
    try:
        yield
    except GoSmsError as err:
        key = _repeatable_key(err)
        raise Failure(key=key, placeholders=_placeholders(key, err) or {}).error(hass) from err


@contextmanager
def update_errors() -> Iterator[None]:
    """Tell failures to a coordinator. A refused token is one like any other here, so that polling goes on."""
    try:
        yield
    except GoSmsError as err:
        key = _repeatable_key(err)
        pause = err.retry_after if isinstance(err, GoSmsApiError) else None
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=_placeholders(key, err),
            retry_after=None if pause is None else min(max(pause, _MIN_PAUSE), _MAX_PAUSE),
        ) from err


def invalid_input(key: str, placeholders: Mapping[str, str] | None = None) -> ServiceValidationError:
    """Return the error for a call that can't be carried out, such as with a text that can't be sent."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=dict(placeholders) if placeholders else None,
    )


def invalid_message_id() -> ServiceValidationError:
    """Return the error for what can't be the id of a message."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="invalid_message_id")


def invalid_phone() -> ServiceValidationError:
    """Return the error for what names no phone of the account."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="invalid_phone")


def no_recipient() -> ServiceValidationError:
    """Return the error for a call that names nobody."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="no_recipient")


def several_accounts() -> ServiceValidationError:
    """Return the error for a call that has to name an account, and names none."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="several_accounts")


def account_not_loaded(account: str) -> Failure:
    """Return the failure of whatever needs an account that is not loaded."""
    return Failure(key="account_not_loaded", placeholders={"account": account})


def account_removed() -> Failure:
    """Return the failure of a message whose account was removed before it was sent."""
    return Failure(key="account_removed")


def not_a_recipient() -> Failure:
    """Return the failure of a target that is something else than a recipient."""
    return Failure(key="not_a_recipient")


def recipient_disabled() -> Failure:
    """Return the failure of a recipient whose entity is disabled."""
    return Failure(key="recipient_disabled")


def unknown_target() -> Failure:
    """Return the failure of a target that does not exist."""
    return Failure(key="unknown_target")


def not_all_arrived(hass: HomeAssistant, errors: Iterable[tuple[str, HomeAssistantError]]) -> HomeAssistantError:
    """Return the error for a call of which some or all messages failed."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="not_all_arrived",
        translation_placeholders={"failures": _listed(hass, errors)},
    )


def not_deleted(hass: HomeAssistant, errors: Iterable[tuple[str, HomeAssistantError]]) -> HomeAssistantError:
    """Return the error for messages of which some or all could not be deleted."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="not_deleted",
        translation_placeholders={"failures": _listed(hass, errors)},
    )


def _listed(hass: HomeAssistant, errors: Iterable[tuple[str, HomeAssistantError]]) -> str:
    """Return what failed and why, each reason once."""
    names: dict[str, list[str]] = {}
    for name, error in errors:
        names.setdefault(localize(hass, error), []).append(name)
    return " ".join(f"{', '.join(of_reason)}: {reason}" for reason, of_reason in names.items())


def queue_full() -> Failure:
    """Return the failure of a message that the outbox has no room for."""
    return Failure(key="queue_full")


def hourly_limit(limit: int, opens: datetime) -> Failure:
    """Return the failure of a message beyond the limit, which can be sent again at a time of the home."""
    return Failure(key="hourly_limit", placeholders={"limit": str(limit), "time": f"{opens:%H:%M}"})


def not_queued(reason: str) -> Failure:
    """Return the failure of a message that had to wait, and might not or could not."""
    return Failure(key="cannot_connect", placeholders={"error": reason})


def other_content() -> ServiceValidationError:
    """Return the error for an idempotency key that stands for another call."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="idempotency_conflict")


def form_error(err: GoSmsError) -> str:
    """Return the key of a form's error text."""
    if not isinstance(err, GoSmsApiError):
        return "cannot_connect"
    if err.unauthorized:
        return "invalid_auth"
    if err.code is None:
        # An answer without the vendor's code is not the API speaking: a proxy, an outage, a wrong address.
        return "cannot_connect"
    return err.row.form_error if err.row else "unknown"


def error_key(err: GoSmsError) -> str:
    """Return the key of the text that names the cause."""
    if not isinstance(err, GoSmsApiError):
        return "no_answer" if err.maybe_accepted else "cannot_connect"
    if err.unauthorized:
        return "invalid_auth"
    if err.row:
        return err.row.text
    if err.status == HTTPStatus.TOO_MANY_REQUESTS:
        return "too_many_requests"
    return "service_error" if err.maybe_accepted else "refused"


def _repeatable_key(err: GoSmsError) -> str:
    """Return the key of the text for a request that can be repeated, so that it is all one whether it arrived."""
    return error_key(err) if isinstance(err, GoSmsApiError) else "no_answer"


def _placeholders(key: str, err: GoSmsError) -> dict[str, str] | None:
    """Return what the text of this key is filled with."""
    return {"error": str(err)} if key in _DETAILED else None
