"""A simulated GoSMS.ru API on localhost, for tests, demos and benchmarks; never shipped."""

from .account import Account
from .app import create_app
from .errors import ERROR_TEXTS, HTTP_STATUSES, ApiError
from .faults import ENDPOINTS, Fault, Faults
from .models import NEW, OLD, Delivery, Generation, Permission, Phone, Sim, Status
from .wire import FAULTS, REQUESTS, RecordedRequest

__all__ = [
    "ENDPOINTS",
    "ERROR_TEXTS",
    "FAULTS",
    "HTTP_STATUSES",
    "NEW",
    "OLD",
    "REQUESTS",
    "Account",
    "ApiError",
    "Delivery",
    "Fault",
    "Faults",
    "Generation",
    "Permission",
    "Phone",
    "RecordedRequest",
    "Sim",
    "Status",
    "create_app",
]
