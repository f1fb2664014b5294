"""Repair issues: raised by whatever request meets what the user can mend, and gone on proof that it is mended."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import DOMAIN as HOMEASSISTANT_DOMAIN, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .api import Endpoint, GoSmsApiError, RequestOutcome
from .const import CONTROL_PANEL_URL, DOMAIN
from .subentries import find_phone

MESSAGES_LOST: Final = "messages_lost"
STORAGE_FAILED: Final = "storage_failed"
UNKNOWN_PHONE: Final = "unknown_phone"

# The control panel has no cure for them.
_OURS: Final = frozenset({MESSAGES_LOST, STORAGE_FAILED})

# What `problem` calls a token that was refused; Home Assistant itself asks for a new one.
REAUTH: Final = "reauth"


# Only the user's next message or click reaches these endpoints, so the issues that they resolve must outlive a restart.
# The others are raised again by the first poll.
_NEEDS_USER_ACTION: Final = frozenset({Endpoint.SEND, Endpoint.EDIT_PHONE})

# Where in the control panel the cure is.
_PAGES: Final = {
    "account_blocked": "",
    "no_sending_phone": "/devices",
    "quota_reached": "",
    UNKNOWN_PHONE: "/devices",
}


@callback
def async_raise(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    key: str,
    *,
    resolved_by: Endpoint | None = None,
    phone: ConfigSubentry | None = None,
) -> str:
    """Raise an issue of an account, or of one of its phones, and return its id.

    Args:
        hass: Home Assistant.
        entry: the account.
        key: the issue's key in the translations.
        resolved_by: the endpoint whose success proves that it is solved, or None if whoever raised it knows.
        phone: the phone that it is about.
    """
    issue_id = _issue_id(entry, key, phone)
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data={
            "entry_id": entry.entry_id,
            "subentry_id": phone.subentry_id if phone else None,
            "resolved_by": resolved_by,
        },
        is_fixable=key == UNKNOWN_PHONE,
        is_persistent=resolved_by in _NEEDS_USER_ACTION,
        learn_more_url=None if key in _OURS else f"{CONTROL_PANEL_URL}{_PAGES.get(key, '/api')}",
        severity=ir.IssueSeverity.WARNING if key == MESSAGES_LOST else ir.IssueSeverity.ERROR,
        translation_key=key,
        translation_placeholders={"account": entry.title, **({"phone": phone.title} if phone else {})},
    )
    return issue_id


@callback
def async_clear(hass: HomeAssistant, entry: ConfigEntry[Any], key: str) -> None:
    """Clear an issue of an account."""
    ir.async_delete_issue(hass, DOMAIN, _issue_id(entry, key))


@callback
def async_remove(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Remove all issues of an account that is removed itself."""
    for issue in _issues_of(hass, entry):
        ir.async_delete_issue(hass, DOMAIN, issue.issue_id)


@callback
def async_open_issues(hass: HomeAssistant, entry: ConfigEntry[Any]) -> list[str]:
    """Return the keys of what waits for the user: the open issues of an account, and a token that was refused."""
    keys = {issue.translation_key for issue in _issues_of(hass, entry) if issue.translation_key}
    asks_for_token = f"config_entry_reauth_{DOMAIN}_{entry.entry_id}"
    if ir.async_get(hass).async_get_issue(HOMEASSISTANT_DOMAIN, asks_for_token):
        keys.add(REAUTH)
    return sorted(keys)


class IssueManager:
    """Raises and clears the issues of one account, and asks for a new token, as its requests end."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Start with what an earlier run left, except for phones that were removed since."""
        self._hass = hass
        self._entry = entry
        # When each was raised last: a request that began before that proves nothing.
        self._raised: dict[str, float] = {}
        for issue in _issues_of(hass, entry):
            if _data(issue)["subentry_id"] not in {None, *entry.subentries}:
                ir.async_delete_issue(hass, DOMAIN, issue.issue_id)

    @callback
    def async_handle_outcome(self, outcome: RequestOutcome) -> None:
        """Learn from a request that outcome."""
        if outcome.error is None:
            self._clear(outcome)
        elif isinstance(outcome.error, GoSmsApiError):
            if outcome.error.unauthorized:
                self._entry.async_start_reauth(self._hass)
            elif (row := outcome.error.row) and row.issue:
                self._raise(row.issue, row.resolved_by, self._phone_of(outcome))

    def _raise(self, key: str, resolved_by: Endpoint | None, phone: ConfigSubentry | None) -> None:
        """Raise an issue, or leave it as it is if only the user's next action can prove it solved."""
        if key != UNKNOWN_PHONE:
            phone = None
        elif phone is None:
            # A call named a phone that is none of the account's settings: only the caller can mend that.
            return
        known = ir.async_get(self._hass).async_get_issue(DOMAIN, _issue_id(self._entry, key, phone))
        if (
            known is None
            or resolved_by in _NEEDS_USER_ACTION
            or _data(known).get("resolved_by") not in _NEEDS_USER_ACTION
        ):
            issue_id = async_raise(self._hass, self._entry, key, resolved_by=resolved_by, phone=phone)
            self._raised[issue_id] = self._hass.loop.time()

    def _clear(self, outcome: RequestOutcome) -> None:
        """Clear the issues that this success proves to be solved."""
        phone = self._phone_of(outcome)
        for issue in _issues_of(self._hass, self._entry):
            is_proof = _data(issue).get("resolved_by") == outcome.endpoint
            is_newer = outcome.begun >= self._raised.get(issue.issue_id, 0)
            if is_proof and is_newer and _data(issue)["subentry_id"] in {None, phone and phone.subentry_id}:
                ir.async_delete_issue(self._hass, DOMAIN, issue.issue_id)

    def _phone_of(self, outcome: RequestOutcome) -> ConfigSubentry | None:
        """Return the phone that a request named, if it is one of the account's settings."""
        return find_phone(self._entry, outcome.device_id)


def _issue_id(entry: ConfigEntry[Any], key: str, phone: ConfigSubentry | None = None) -> str:
    """Return the id of an issue."""
    return f"{key}_{entry.entry_id}_{phone.subentry_id}" if phone else f"{key}_{entry.entry_id}"


def _data(issue: ir.IssueEntry) -> dict[str, str | int | float | None]:
    """Return what an issue was raised with; an earlier run's that comes again by itself has nothing."""
    return issue.data or {"entry_id": None}


def _issues_of(hass: HomeAssistant, entry: ConfigEntry[Any]) -> list[ir.IssueEntry]:
    """Return the open issues of an account."""
    issues = ir.async_get(hass).issues.items()
    return [issue for (domain, _), issue in issues if domain == DOMAIN and _data(issue)["entry_id"] == entry.entry_id]
