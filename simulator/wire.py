"""The HTTP and JSON representation of an account, and the keys of the application."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
import json
from typing import Final

from aiohttp import web

from .account import Account
from .errors import HTTP_STATUSES, UNAUTHORIZED, ApiError
from .faults import Faults
from .models import Generation, Message, Page, Phone, SeededRandom

type JsonObject = dict[str, object]
type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

API: Final = "/v1"

_BAD_REQUEST: Final = 400
_FIRST_VENDOR_CODE: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRequest:
    """A request as it was received; `time` is of the account's clock, `arrived` of the monotonic clock."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    # The parsed body; None if it is not JSON.
    json: object
    time: float
    arrived: float

    @property
    def endpoint(self) -> str:
        """The method and the path without the base, such as `POST /sms/send`."""
        return f"{self.method} {self.path.removeprefix(API)}"


ACCOUNT: Final = web.AppKey("account", Account)
FAULTS: Final = web.AppKey("faults", Faults)
REQUESTS: Final = web.AppKey("requests", deque[RecordedRequest])
HASHES: Final = web.AppKey("hashes", SeededRandom)
# Seconds by which the `Date` header of one response is wrong.
DATE_OFFSET: Final = web.RequestKey("date_offset", float)


def endpoint_of(request: web.Request) -> str:
    """Return the method and the path without the base, such as `POST /sms/send`."""
    return f"{request.method} {request.path.removeprefix(API)}"


def parse_json(raw: bytes) -> object:
    """Return the parsed body; ApiError 1001 if it is not JSON."""
    try:
        parsed: object = json.loads(raw)
    except ValueError, RecursionError:
        raise ApiError(1001) from None
    return parsed


def json_response(data: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return JSON in UTF-8 without escapes, as the service does."""
    # A lone surrogate, which a recorded request may contain, is not valid UTF-8 and is escaped as in JSON.
    body = json.dumps(data, ensure_ascii=False).encode(errors="backslashreplace")
    return web.Response(body=body, status=status, headers=headers, content_type="application/json", charset="utf-8")


def error_response(app: web.Application, error: ApiError, *, status: int | None = None) -> web.Response:
    """Return an error response, with the HTTP status of the code or the given one."""
    code = error.code
    errors: JsonObject = {"code": code} if code >= _FIRST_VENDOR_CODE else {}
    errors |= {"message": error.text, "hash": f"{app[HASHES].getrandbits(48):012x}"}
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    http_status = status or HTTP_STATUSES.get(code, _BAD_REQUEST)
    if code == UNAUTHORIZED and not app[ACCOUNT].unauthorized_has_body:
        return web.Response(status=http_status, headers=headers)
    return json_response({"errors": errors}, status=http_status, headers=headers)


def message_json(message: Message, generation: Generation) -> JsonObject:
    """Return a message in the format of the vendor's documentation."""
    fields: JsonObject = {
        "id": message.id,
        "message": message.message,
        "status": int(message.status),
        "callback_id": message.callback_id,
        "device_id": message.device_id,
        "phone_number": message.phone_number,
        "message_status": message.message_status,
        "time_create": message.time_create,
    }
    if generation.includes_sim:
        fields["to_sim"] = message.to_sim
    return fields


def page_json(page: Page, generation: Generation) -> JsonObject:
    """Return a page of messages in the format of the vendor's documentation."""
    return {
        "pagination": {"total_records": page.total, "limit": page.limit, "offset": page.offset},
        "sms_list": [message_json(message, generation) for message in page.messages],
    }


def phone_json(phone: Phone, generation: Generation, now: float) -> JsonObject:
    """Return a phone in the format of the vendor's documentation."""
    online = datetime.fromtimestamp(phone.last_online(now), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "device_id": phone.device_id,
        "device_name": phone.name,
        "device_name_type": phone.name_type,
        "device_battery_state": str(phone.battery) if generation.battery_as_text else phone.battery,
        "is_active": phone.is_active,
        "is_charging": phone.is_charging,
        "last_online_date": online,
        "low_battery_alert": phone.low_battery_alert,
        "to_sim": phone.to_sim,
        "sim_list": [{"slot_index": sim.slot_index, "display_name": sim.display_name} for sim in phone.sims],
    }
