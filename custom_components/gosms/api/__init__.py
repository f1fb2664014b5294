"""Asynchronous client for the GoSMS.ru API, v1. Independent of Home Assistant."""

from .client import DEFAULT_URL, PAGE_SIZE, GoSmsClient
from .codes import Endpoint, ErrorCode, Meaning, Row
from .exceptions import GoSmsApiError, GoSmsConnectionError, GoSmsError
from .ids import parse_message_id, parse_vendor_id
from .models import Message, MessagePage, MessageStatus, Phone, Sim, known_statuses
from .outcome import OutcomeKind, RequestOutcome
from .statistics import EndpointStatistics, LastError, Statistics
from .surrogates import join_surrogates
from .transport import RateLimiter

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
    "OutcomeKind",
    "Phone",
    "RateLimiter",
    "RequestOutcome",
    "Row",
    "Sim",
    "Statistics",
    "join_surrogates",
    "known_statuses",
    "parse_message_id",
    "parse_vendor_id",
]
