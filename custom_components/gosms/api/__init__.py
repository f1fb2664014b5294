"""Asynchronous client of the GoSMS.ru API, v1. Knows nothing of Home Assistant."""

from .client import DEFAULT_URL, PAGE_SIZE, GoSmsClient, Pace
from .exceptions import GoSmsApiError, GoSmsConnectionError, GoSmsError
from .models import Message, MessagePage, MessageStatus, Phone, Sim

__all__ = [
    "DEFAULT_URL",
    "PAGE_SIZE",
    "GoSmsApiError",
    "GoSmsClient",
    "GoSmsConnectionError",
    "GoSmsError",
    "Message",
    "MessagePage",
    "MessageStatus",
    "Pace",
    "Phone",
    "Sim",
]
