"""What can be wrong with the service while a form is filled in, and what the form says of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from simulator import Fault, Permission
from tests.service import Service

# The token that the account has when the trouble is over.
NEW_TOKEN: Final = "dGhlLW5ldy1oZWFkZXI.dGhlLW5ldy1jbGFpbXM.dGhlLW5ldy1zaWduYXR1cmU"
UNUSABLE: Final = {"base": "cannot_connect"}


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something wrong with the service, and what the form says of it."""

    begin: Callable[[Service], object]
    end: Callable[[Service], object]
    errors: dict[str, str]
    fault: Fault | None = None


def _fault(fault: Fault, errors: dict[str, str], **options: Any) -> Trouble:
    """Trouble on the way to the service or back."""
    return Trouble(
        begin=lambda service: service.faults.add(fault, **options),
        end=lambda service: service.faults.clear(),
        errors=errors,
        fault=fault,
    )


def _switch(name: str, errors: dict[str, str], *, bad: object, good: object) -> Trouble:
    """Trouble with the account, mended in the control panel."""
    return Trouble(
        begin=lambda service: setattr(service.account, name, bad),
        end=lambda service: setattr(service.account, name, good),
        errors=errors,
    )


TROUBLES: Final = {
    "wrong token": _switch("token", {"base": "invalid_auth"}, bad="another", good=NEW_TOKEN),
    "401 without a code": _fault(Fault.UNAUTHORIZED, {"base": "invalid_auth"}),
    "API deleted": _switch("api_deleted", {"base": "invalid_auth"}, bad=True, good=False),
    "API switched off": _switch("api_active", {"base": "api_inactive"}, bad=False, good=True),
    "account blocked": _switch("blocked", {"base": "account_blocked"}, bad=True, good=False),
    "may not read": _switch("permissions", {"base": "no_read_permission"}, bad={Permission.SEND}, good=set(Permission)),
    "unlisted code": _fault(Fault.CODE, {"base": "unknown"}, code=4711, status=400),
    "code of another request": _fault(Fault.CODE, {"base": "unknown"}, code=1006),
    "code 1000": _fault(Fault.UNKNOWN_ERROR, {"base": "unknown"}),
    "429": _fault(Fault.TOO_MANY_REQUESTS, UNUSABLE),
    "403 of a proxy": _fault(Fault.FORBIDDEN, UNUSABLE),
    "408": _fault(Fault.REQUEST_TIMEOUT, UNUSABLE),
    "500": _fault(Fault.ERROR_AFTER, UNUSABLE),
    "502": _fault(Fault.BAD_GATEWAY, UNUSABLE),
    "HTML": _fault(Fault.CAPTIVE_PORTAL, UNUSABLE),
    "redirect": _fault(Fault.REDIRECT, UNUSABLE),
    "truncated": _fault(Fault.TRUNCATED, UNUSABLE),
    "not an object": _fault(Fault.NOT_AN_OBJECT, UNUSABLE),
    "no list": _fault(Fault.LIST_AS_TEXT, UNUSABLE),
    "oversized": _fault(Fault.OVERSIZED, UNUSABLE),
    "oversized in chunks": _fault(Fault.OVERSIZED_CHUNKED, UNUSABLE),
    "cut before": _fault(Fault.CUT_BEFORE, UNUSABLE),
    "cut after": _fault(Fault.CUT_AFTER, UNUSABLE),
    "cut within": _fault(Fault.CUT_WITHIN, UNUSABLE),
    "refused": _fault(Fault.REFUSE, UNUSABLE),
    "silent before": _fault(Fault.HANG_BEFORE, UNUSABLE),
    "silent after": _fault(Fault.HANG_AFTER, UNUSABLE),
}
# These spoil nothing that a form needs.
HARMLESS: Final = (
    Fault.SLOW,
    Fault.ID_AS_NUMBER,
    Fault.MALFORMED_ID,
    Fault.REPEATED_ID,
    Fault.MISSING_FIELDS,
    Fault.UNKNOWN_STATUS,
    Fault.WRONG_DATE,
)
