"""How the account's things look in HTTP and JSON, and the keys under which the application keeps its parts."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
import json
from typing import Final

from aiohttp import web

from .account import Account
from .faults import Faults
from .models import Chance, Generation, Message, Page, Phone
from .refusal import TOO_MANY_REQUESTS, UNAUTHORIZED, Refusal

type JsonObject = dict[str, object]
type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

API: Final = "/v1"

# The vendor documents which HTTP statuses exist, not which of them goes with which code: this is a plausible choice.
HTTP_STATUSES: Final[dict[int, int]] = {
    UNAUTHORIZED: 401,
    TOO_MANY_REQUESTS: 429,
    1000: 500,
    1002: 403,
    1003: 401,
    1005: 403,
    1006: 403,
    1007: 403,
    1008: 404,
    1009: 403,
    1011: 403,
    1012: 404,
    1013: 403,
    1014: 403,
    1016: 404,
    3000: 403,
}
_BAD_REQUEST: Final = 400
_FIRST_VENDOR_CODE: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRequest:
    """A request as it came over the wire; `time` by the account's clock, `arrived` by the machine's monotonic one."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    # The parsed body; None where there was none, or none that is JSON.
    json: object
    time: float
    arrived: float

    @property
    def endpoint(self) -> str:
        """The method and the path below the base, like `POST /sms/send`."""
        return f"{self.method} {self.path.removeprefix(API)}"


ACCOUNT: Final = web.AppKey("account", Account)
FAULTS: Final = web.AppKey("faults", Faults)
REQUESTS: Final = web.AppKey("requests", deque[RecordedRequest])
STOPPING: Final = web.AppKey("stopping", asyncio.Event)
# The faults that are being played at this moment.
RUNNING: Final = web.AppKey("running", set[asyncio.Task[web.StreamResponse]])
HASHES: Final = web.AppKey("hashes", Chance)
# Seconds by which the `Date` header of one answer is wrong.
DATE_OFFSET: Final = web.RequestKey("date_offset", float)


def endpoint_of(request: web.Request) -> str:
    """The method and the path below the base, like `POST /sms/send`."""
    return f"{request.method} {request.path.removeprefix(API)}"


def parse_json(raw: bytes) -> object:
    """The parsed body, or a refusal with 1001."""
    try:
        parsed: object = json.loads(raw)
    except ValueError, RecursionError:
        raise Refusal(1001) from None
    return parsed


def answer(told: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer in plain UTF-8, as the service writes it."""
    # Half a surrogate pair, which a recorded request may hold, is no UTF-8: it is told in JSON's own escape.
    body = json.dumps(told, ensure_ascii=False).encode(errors="backslashreplace")
    return web.Response(body=body, status=status, headers=headers, content_type="application/json", charset="utf-8")


def error_response(app: web.Application, refusal: Refusal, *, status: int | None = None) -> web.Response:
    """The service's error body with the HTTP status that goes with the code, or the given one."""
    code = refusal.code
    errors: JsonObject = {"code": code} if code >= _FIRST_VENDOR_CODE else {}
    errors |= {"message": refusal.text, "hash": f"{app[HASHES].getrandbits(48):012x}"}
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    http_status = status or HTTP_STATUSES.get(code, _BAD_REQUEST)
    if code == UNAUTHORIZED and not app[ACCOUNT].explains_unauthorized:
        return web.Response(status=http_status, headers=headers)
    return answer({"errors": errors}, status=http_status, headers=headers)


def message_json(message: Message, generation: Generation) -> JsonObject:
    """A message as the vendor's page shows it."""
    told: JsonObject = {
        "id": message.id,
        "message": message.message,
        "status": int(message.status),
        "callback_id": message.callback_id,
        "device_id": message.device_id,
        "phone_number": message.phone_number,
        "message_status": message.message_status,
        "time_create": message.time_create,
    }
    if generation.tells_sim:
        told["to_sim"] = message.to_sim
    return told


def page_json(page: Page, generation: Generation) -> JsonObject:
    """A page of messages as the vendor's page shows it."""
    return {
        "pagination": {"total_records": page.total, "limit": page.limit, "offset": page.offset},
        "sms_list": [message_json(message, generation) for message in page.messages],
    }


def phone_json(phone: Phone, generation: Generation, now: float) -> JsonObject:
    """A phone as the vendor tells it."""
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
