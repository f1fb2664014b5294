"""A GoSMS API on localhost, for tests, demonstrations and benchmarks; never shipped."""

from .account import Account
from .app import create_app
from .faults import ENDPOINTS, Fault, Faults, Rule
from .models import NEW, OLD, Delivery, Generation, Message, Page, Permission, Phone, Sim, Status
from .refusal import TEXTS, Refusal
from .wire import ACCOUNT, API, FAULTS, HTTP_STATUSES, REQUESTS, RecordedRequest

__all__ = [
    "ACCOUNT",
    "API",
    "ENDPOINTS",
    "FAULTS",
    "HTTP_STATUSES",
    "NEW",
    "OLD",
    "REQUESTS",
    "TEXTS",
    "Account",
    "Delivery",
    "Fault",
    "Faults",
    "Generation",
    "Message",
    "Page",
    "Permission",
    "Phone",
    "RecordedRequest",
    "Refusal",
    "Rule",
    "Sim",
    "Status",
    "create_app",
]
