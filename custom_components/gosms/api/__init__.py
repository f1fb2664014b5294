"""Asynchronous client of the GoSMS.ru API, v1. Knows nothing of Home Assistant."""

from .client import DEFAULT_URL, PAGE_SIZE, GoSmsClient, RateLimiter
from .codes import Endpoint, ErrorCode, Meaning, Row
from .exceptions import GoSmsApiError, GoSmsConnectionError, GoSmsError
from .ids import read_message_id, read_vendor_id
from .models import Message, MessagePage, MessageStatus, Phone, Sim
from .outcome import RequestOutcome
from .statistics import EndpointStatistics, LastError, Outcome, Statistics
from .surrogates import join_surrogates

__all__ = [
    "DEFAULT_URL",
    "PAGE_SIZE",
    "Endpoint",
    "EndpointStatistics",
    "ErrorCode",
    "GoSmsApiError",
    "GoSmsClient",
    "GoSmsConnectionError",
    "GoSmsError",
    "LastError",
    "Meaning",
    "Message",
    "MessagePage",
    "MessageStatus",
    "Outcome",
    "Phone",
    "RateLimiter",
    "RequestOutcome",
    "Row",
    "Sim",
    "Statistics",
    "join_surrogates",
    "read_message_id",
    "read_vendor_id",
]
