"""The faults of the service that a form can meet, and the errors that it shows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from simulator import Fault, Permission
from tests.common import SimulatedService

# The token of the account after the fault.
NEW_TOKEN: Final = "dGhlLW5ldy1oZWFkZXI.dGhlLW5ldy1jbGFpbXM.dGhlLW5ldy1zaWduYXR1cmU"
CANNOT_CONNECT: Final = {"base": "cannot_connect"}


@dataclass(frozen=True, kw_only=True)
class ServiceFault:
    """A fault of the service, and the errors of the form."""

    start: Callable[[SimulatedService], object]
    stop: Callable[[SimulatedService], object]
    errors: dict[str, str]
    fault: Fault | None = None


def _fault(fault: Fault, errors: dict[str, str], **options: Any) -> ServiceFault:
    """Return a fault of the connection or of a response."""
    return ServiceFault(
        start=lambda service: service.faults.add(fault, **options),
        stop=lambda service: service.faults.clear(),
        errors=errors,
        fault=fault,
    )


def _switch(name: str, errors: dict[str, str], *, bad: object, good: object) -> ServiceFault:
    """Return a fault of the account that is fixed in the control panel."""
    return ServiceFault(
        start=lambda service: setattr(service.account, name, bad),
        stop=lambda service: setattr(service.account, name, good),
        errors=errors,
    )


SERVICE_FAULTS: Final = {
    "wrong token": _switch("token", {"base": "invalid_auth"}, bad="another", good=NEW_TOKEN),
    "401 without a code": _fault(Fault.UNAUTHORIZED, {"base": "invalid_auth"}),
    "API deleted": _switch("api_deleted", {"base": "invalid_auth"}, bad=True, good=False),
    "API switched off": _switch("api_active", {"base": "api_inactive"}, bad=False, good=True),
    "account blocked": _switch("blocked", {"base": "account_blocked"}, bad=True, good=False),
    "may not read": _switch("permissions", {"base": "no_read_permission"}, bad={Permission.SEND}, good=set(Permission)),
    "unlisted code": _fault(Fault.CODE, {"base": "unknown"}, code=4711, status=400),
    "code of another request": _fault(Fault.CODE, {"base": "unknown"}, code=1006),
    "code 1000": _fault(Fault.UNKNOWN_ERROR, {"base": "unknown"}),
    "429": _fault(Fault.TOO_MANY_REQUESTS, CANNOT_CONNECT),
    "429 with a date": _fault(Fault.TOO_MANY_REQUESTS_UNTIL, CANNOT_CONNECT),
    "403 of a proxy": _fault(Fault.FORBIDDEN, CANNOT_CONNECT),
    "408": _fault(Fault.REQUEST_TIMEOUT, CANNOT_CONNECT),
    "500": _fault(Fault.ERROR_AFTER, CANNOT_CONNECT),
    "502": _fault(Fault.BAD_GATEWAY, CANNOT_CONNECT),
    "HTML": _fault(Fault.CAPTIVE_PORTAL, CANNOT_CONNECT),
    "redirect": _fault(Fault.REDIRECT, CANNOT_CONNECT),
    "truncated": _fault(Fault.TRUNCATED, CANNOT_CONNECT),
    "not an object": _fault(Fault.NOT_AN_OBJECT, CANNOT_CONNECT),
    "no list": _fault(Fault.LIST_AS_TEXT, CANNOT_CONNECT),
    "oversized": _fault(Fault.OVERSIZED, CANNOT_CONNECT),
    "oversized in chunks": _fault(Fault.OVERSIZED_CHUNKED, CANNOT_CONNECT),
    "cut before": _fault(Fault.CUT_BEFORE, CANNOT_CONNECT),
    "cut after": _fault(Fault.CUT_AFTER, CANNOT_CONNECT),
    "cut within": _fault(Fault.CUT_WITHIN, CANNOT_CONNECT),
    "refused": _fault(Fault.REFUSE, CANNOT_CONNECT),
    "many objects": _fault(Fault.MANY_OBJECTS, CANNOT_CONNECT),
    "silent before": _fault(Fault.HANG_BEFORE, CANNOT_CONNECT),
    "silent after": _fault(Fault.HANG_AFTER, CANNOT_CONNECT),
}
# These do not affect a form.
HARMLESS: Final = (
    Fault.SLOW,
    Fault.ID_AS_NUMBER,
    Fault.MALFORMED_ID,
    Fault.REPEATED_ID,
    Fault.MISSING_FIELDS,
    Fault.UNKNOWN_STATUS,
    Fault.WRONG_DATE,
    Fault.UPPERCASE_ID,
    Fault.EMPTY_LIST,
    Fault.LIST_AS_NULL,
    Fault.FIRST_PAGE_ONLY,
    Fault.UNASKED_RESPONSE,
)
