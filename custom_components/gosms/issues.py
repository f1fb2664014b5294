"""Repair issues: raised when a request fails for a reason that the user can fix, and cleared on proof of the fix."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import DOMAIN as HOMEASSISTANT_DOMAIN, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .api import Endpoint, GoSmsApiError, RequestOutcome
from .const import CONTROL_PANEL_URL, DOMAIN
from .subentries import find_phone, phones

MESSAGES_LOST: Final = "messages_lost"
PHONE_OUT_OF_TOUCH: Final = "phone_out_of_touch"
QUOTA_LOW: Final = "quota_low"
QUOTA_REACHED: Final = "quota_reached"
SERVICE_UNREACHABLE: Final = "service_unreachable"
STORAGE_FAILED: Final = "storage_failed"
UNKNOWN_PHONE: Final = "unknown_phone"

# The control panel can't fix them, so they have no link to it.
_OURS: Final = frozenset({MESSAGES_LOST, STORAGE_FAILED})

# They are fixed in a form of Home Assistant.
_FIXABLE: Final = frozenset({MESSAGES_LOST, UNKNOWN_PHONE})

# No message is refused because of them.
_WARNINGS: Final = frozenset(
    {MESSAGES_LOST, "no_device_permission", PHONE_OUT_OF_TOUCH, QUOTA_LOW, SERVICE_UNREACHABLE}
)

# The reason that the `problem` sensor shows for a rejected token. Home Assistant itself asks for a new one.
REAUTH: Final = "reauth"

# Only the user's next message or click calls these endpoints, so the issues that they resolve must survive a restart.
# The first poll raises the others again.
_NEEDS_USER_ACTION: Final = frozenset({Endpoint.SEND, Endpoint.EDIT_PHONE})

# The issues that they resolve concern only accounts with phones.
_OF_PHONES: Final = frozenset({Endpoint.PHONE_INFO, Endpoint.EDIT_PHONE})

# The page of the control panel where the problem can be fixed.
_FIX_PAGES: Final = {
    "account_blocked": "",
    "no_sending_phone": "/devices",
    PHONE_OUT_OF_TOUCH: "/devices",
    QUOTA_LOW: "",
    QUOTA_REACHED: "",
    SERVICE_UNREACHABLE: "",
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
    placeholders: Mapping[str, str] | None = None,
) -> str:
    """Raise an issue of an account, or of one of its phones, and return its id.

    Args:
        hass: Home Assistant.
        entry: the account.
        key: the issue's key in the translations.
        resolved_by: the endpoint whose success proves that the issue is resolved, or None if the caller clears it.
        phone: the phone that the issue concerns, or None.
        placeholders: what the text names besides the account, the phone and the page of the control panel.
    """
    issue_id = _issue_id(entry, key, phone)
    url = None if key in _OURS else f"{CONTROL_PANEL_URL}{_FIX_PAGES.get(key, '/api')}"
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data={
            "entry_id": entry.entry_id,
            "subentry_id": phone.subentry_id if phone else None,
            "resolved_by": resolved_by,
        },
        is_fixable=key in _FIXABLE,
        # Lost messages stay lost, and nothing would raise their issue again after a restart.
        is_persistent=resolved_by in _NEEDS_USER_ACTION or key == MESSAGES_LOST,
        learn_more_url=url,
        severity=ir.IssueSeverity.WARNING if key in _WARNINGS else ir.IssueSeverity.ERROR,
        translation_key=key,
        translation_placeholders={
            **(placeholders or {}),
            "account": entry.title,
            **({"phone": phone.title} if phone else {}),
            **({"url": url} if url else {}),
        },
    )
    return issue_id


@callback
def async_clear(hass: HomeAssistant, entry: ConfigEntry[Any], key: str, phone: ConfigSubentry | None = None) -> None:
    """Clear an issue of an account, or of one of its phones."""
    ir.async_delete_issue(hass, DOMAIN, _issue_id(entry, key, phone))


@callback
def async_clear_all(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Clear all issues of an account."""
    for issue in _open_issues(hass, entry):
        ir.async_delete_issue(hass, DOMAIN, issue.issue_id)


@callback
def async_update_issues(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Clear the issues of removed phones, with the last one all that concern phones; update the names in the others."""
    has_phones = bool(phones(entry))
    for issue in _open_issues(hass, entry):
        data = _issue_data(issue)
        resolved_by, subentry_id = data.get("resolved_by"), data.get("subentry_id")
        phone = entry.subentries.get(str(subentry_id))
        is_of_removed_phone = bool(subentry_id and not phone) or (resolved_by in _OF_PHONES and not has_phones)
        # A later version may know endpoints, and raise issues, that this one does not.
        if is_of_removed_phone or resolved_by not in {None, *Endpoint}:
            ir.async_delete_issue(hass, DOMAIN, issue.issue_id)
        else:
            async_raise(
                hass,
                entry,
                str(issue.translation_key),
                resolved_by=Endpoint(str(resolved_by)) if resolved_by else None,
                phone=phone,
                placeholders=issue.translation_placeholders,
            )


@callback
def async_get_problems(hass: HomeAssistant, entry: ConfigEntry[Any]) -> list[str]:
    """Return what needs the user's attention: the keys of an account's open issues, and `reauth` for a new token."""
    keys = {issue.translation_key for issue in _open_issues(hass, entry) if issue.translation_key}
    if _reauth_issue(hass, entry):
        keys.add(REAUTH)
    return sorted(keys)


@callback
def async_get_worst(hass: HomeAssistant, entry: ConfigEntry[Any]) -> ir.IssueEntry | None:
    """Return what needs the user's attention most: Home Assistant's request for a new token, else an error first."""
    if reauth := _reauth_issue(hass, entry):
        return reauth
    issues = _open_issues(hass, entry)
    return min(issues, key=lambda issue: (issue.severity != ir.IssueSeverity.ERROR, issue.issue_id), default=None)


class IssueManager:
    """Raises and clears the issues of one account, and starts reauthentication, by the outcomes of its requests."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], renews: Callable[[], date]) -> None:
        """Keep the issues of an earlier run, as far as they still apply.

        Args:
            hass: Home Assistant.
            entry: the account.
            renews: returns the day on which its plan renews.
        """
        self._hass = hass
        self._entry = entry
        self._renews = renews
        # When each issue was last raised: a request that began earlier proves nothing.
        self._raised: dict[str, float] = {}
        async_update_issues(hass, entry)

    @callback
    def async_handle_outcome(self, outcome: RequestOutcome) -> None:
        """Raise or clear issues by the outcome of a request."""
        if outcome.error is None:
            self._clear(outcome)
        elif isinstance(outcome.error, GoSmsApiError):
            if outcome.error.unauthorized:
                self._entry.async_start_reauth(self._hass)
            elif (row := outcome.error.row) and row.issue:
                self._raise(row.issue, row.resolved_by, find_phone(self._entry, outcome.device_id))

    def _raise(self, key: str, resolved_by: Endpoint | None, phone: ConfigSubentry | None) -> None:
        """Raise an issue, or replace the open one with the same id.

        One that only a user's action resolves is not replaced by one that a poll resolves.
        """
        if resolved_by in _OF_PHONES and phone is None:
            # The phone was removed meanwhile, or a call named one that is not configured: only its caller can fix that.
            return
        if key != UNKNOWN_PHONE:
            phone = None
        known = ir.async_get(self._hass).async_get_issue(DOMAIN, _issue_id(self._entry, key, phone))
        if (
            known is None
            or resolved_by in _NEEDS_USER_ACTION
            or _issue_data(known).get("resolved_by") not in _NEEDS_USER_ACTION
        ):
            placeholders = {"renews": self._renews().isoformat()} if key == QUOTA_REACHED else None
            issue_id = async_raise(
                self._hass, self._entry, key, resolved_by=resolved_by, phone=phone, placeholders=placeholders
            )
            self._raised[issue_id] = self._hass.loop.time()

    def _clear(self, outcome: RequestOutcome) -> None:
        """Clear the issues that a successful request proves to be resolved."""
        phone = find_phone(self._entry, outcome.device_id)
        for issue in _open_issues(self._hass, self._entry):
            is_proof = _issue_data(issue).get("resolved_by") == outcome.endpoint
            is_newer = outcome.begun >= self._raised.get(issue.issue_id, 0)
            if is_proof and is_newer and _issue_data(issue)["subentry_id"] in {None, phone and phone.subentry_id}:
                ir.async_delete_issue(self._hass, DOMAIN, issue.issue_id)


def _issue_id(entry: ConfigEntry[Any], key: str, phone: ConfigSubentry | None = None) -> str:
    """Return the id of an issue."""
    return f"{key}_{entry.entry_id}_{phone.subentry_id}" if phone else f"{key}_{entry.entry_id}"


def _issue_data(issue: ir.IssueEntry) -> dict[str, str | int | float | None]:
    """Return the data of an issue. One of an earlier run that was not raised again has no data."""
    return issue.data or {"entry_id": None}


def _reauth_issue(hass: HomeAssistant, entry: ConfigEntry[Any]) -> ir.IssueEntry | None:
    """Return Home Assistant's request for a new token of an account, or None."""
    issue_id = f"config_entry_reauth_{DOMAIN}_{entry.entry_id}"
    return ir.async_get(hass).async_get_issue(HOMEASSISTANT_DOMAIN, issue_id)


def _open_issues(hass: HomeAssistant, entry: ConfigEntry[Any]) -> list[ir.IssueEntry]:
    """Return the open issues of an account."""
    issues = ir.async_get(hass).issues.items()
    return [
        issue for (domain, _), issue in issues if domain == DOMAIN and _issue_data(issue)["entry_id"] == entry.entry_id
    ]
