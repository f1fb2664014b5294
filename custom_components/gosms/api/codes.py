"""The vendor's error codes: their meaning for the request, and the keys of the texts that explain them.

This package shows no texts. It keeps their keys next to the codes, so that each code has one row in one table.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum, auto
from typing import Final, Self


class Endpoint(StrEnum):
    """The endpoints of the API, as method and path."""

    SEND = "POST /sms/send"
    GET = "POST /sms/get"
    DELETE = "DELETE /sms/del"
    LIST = "GET /sms"
    PHONE_INFO = "POST /devices/get/info"
    EDIT_PHONE = "POST /devices/edit"

    @property
    def method(self) -> str:
        """Return the HTTP method."""
        return self.partition(" ")[0]

    @property
    def path(self) -> str:
        """Return the path, which begins with a slash."""
        return self.partition(" ")[2]


class Meaning(Enum):
    """The meaning of an error response for the request."""

    REFUSED = auto()
    """Nothing was done, and a retry can't help."""
    TEMPORARY = auto()
    """Nothing was done, and a later retry may help."""
    UNKNOWN = auto()
    """The request may have been carried out all the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """The details of one code.

    Attributes:
        text: the key of the text that explains it.
        form_error: the key of the error text in a form.
        issue: the key of the repair that asks the user to fix the problem, or None if the user can't.
        resolved_by: the endpoint whose success proves that the problem is fixed, or None without an issue.
        meaning: the meaning for the request.
    """

    text: str
    form_error: str = "unknown"
    issue: str | None = None
    resolved_by: Endpoint | None = None
    meaning: Meaning = Meaning.REFUSED


# The vendor has two codes for this.
_UNKNOWN_PHONE: Final = Row(
    text="unknown_phone", form_error="unknown_device", issue="unknown_phone", resolved_by=Endpoint.PHONE_INFO
)


class ErrorCode(IntEnum):
    """All documented error codes, each with its row.

    Source: https://docs.gosms.ru
    """

    row: Row

    def __new__(cls, number: int, row: Row) -> Self:
        """Create a member whose value is the number."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.row = row
        return member

    UNKNOWN_ERROR = 1000, Row(text="service_error", meaning=Meaning.UNKNOWN)
    INVALID_JSON = 1001, Row(text="invalid_request")
    API_INACTIVE = (
        1002,
        Row(text="api_inactive", form_error="api_inactive", issue="api_inactive", resolved_by=Endpoint.LIST),
    )
    # The instance of the API that the token belongs to was deleted, and the token with it.
    TOKEN_DELETED = 1003, Row(text="invalid_auth", form_error="invalid_auth")
    NO_PHONE = 1004, Row(text="no_phone", issue="no_sending_phone", resolved_by=Endpoint.SEND)
    NO_SEND_PERMISSION = (
        1005,
        Row(text="no_send_permission", issue="no_send_permission", resolved_by=Endpoint.SEND),
    )
    QUOTA_REACHED = 1006, Row(text="quota_reached", issue="quota_reached", resolved_by=Endpoint.SEND)
    NO_READ_PERMISSION = (
        1007,
        Row(
            text="no_read_permission",
            form_error="no_read_permission",
            issue="no_read_permission",
            resolved_by=Endpoint.LIST,
        ),
    )
    UNKNOWN_MESSAGE = 1008, Row(text="unknown_message")
    NO_DELETE_PERMISSION = 1009, Row(text="no_delete_permission")
    MESSAGE_TOO_YOUNG = 1010, Row(text="message_too_young")
    NO_VIEW_PHONES_PERMISSION = (
        1011,
        Row(text="no_device_permission", issue="no_device_permission", resolved_by=Endpoint.PHONE_INFO),
    )
    UNKNOWN_PHONE = 1012, _UNKNOWN_PHONE
    NO_EDIT_PHONES_PERMISSION = (
        1013,
        Row(text="no_device_permission", issue="no_device_permission", resolved_by=Endpoint.EDIT_PHONE),
    )
    NO_DELETE_PHONES_PERMISSION = 1014, Row(text="no_device_permission")
    NO_ACTIVE_PHONE = 1015, Row(text="no_active_phone", issue="no_sending_phone", resolved_by=Endpoint.SEND)
    UNKNOWN_DEVICE_ID = 1016, _UNKNOWN_PHONE
    SIM_WITHOUT_PHONE = 1017, Row(text="sim_without_phone")
    INVALID_PHONE_NUMBER = 2001, Row(text="invalid_phone_number")
    INVALID_MESSAGE = 2002, Row(text="invalid_message")
    INVALID_ID = 2003, Row(text="unknown_message")
    INVALID_CALLBACK_ID = 2004, Row(text="invalid_callback_id")
    INVALID_DEVICE_ID = 2005, Row(text="invalid_device_id", form_error="invalid_device_id")
    INVALID_LIMIT = 2006, Row(text="invalid_request")
    INVALID_OFFSET = 2007, Row(text="invalid_request")
    INVALID_SIM = 2008, Row(text="invalid_sim")
    INVALID_IS_ACTIVE = 2009, Row(text="invalid_request")
    ACCOUNT_BLOCKED = (
        3000,
        Row(text="account_blocked", form_error="account_blocked", issue="account_blocked", resolved_by=Endpoint.LIST),
    )

    @classmethod
    def find(cls, number: int | None) -> ErrorCode | None:
        """Return the code with this number, or None if it is not documented."""
        return next((code for code in cls if code == number), None)
