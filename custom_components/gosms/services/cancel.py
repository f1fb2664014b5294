"""The action `cancel_messages`."""

from dataclasses import dataclass, field
from typing import Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..errors import invalid_input, no_recipient
from ..outbox import OutgoingMessage
from ..runtime_data import GoSmsConfigEntry
from .accounts import async_entry_failure, async_get_loaded_entry
from .fields import NOT_BLANK, SHORT_TEXTS, ActionSchema
from .permissions import async_require_account_control
from .recipients import ResolvedRecipient
from .send import async_resolve_recipients

_KEYS: Final = "keys"
_PHONE_NUMBERS: Final = "phone_numbers"
_TAG: Final = "tag"

CANCEL_MESSAGES_SCHEMA: Final = ActionSchema(
    {
        **cv.ENTITY_SERVICE_FIELDS,
        vol.Optional(ATTR_CONFIG_ENTRY_ID): NOT_BLANK,
        vol.Optional(_KEYS): vol.All(SHORT_TEXTS, vol.Length(min=1), [NOT_BLANK]),
        vol.Optional(_PHONE_NUMBERS): vol.All(SHORT_TEXTS, vol.Length(min=1), [NOT_BLANK]),
        vol.Optional(_TAG): NOT_BLANK,
    },
    # An empty field is the result of a failed template. Without it, everything would be canceled.
    never_empty=[ATTR_CONFIG_ENTRY_ID, _KEYS, _PHONE_NUMBERS, _TAG, *map(str, cv.ENTITY_SERVICE_FIELDS)],
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Selection:
    """Which messages a call selects. None in a field means that the call does not select by it.

    Attributes:
        receivers: numbers in digits, and ids of recipients' subentries. Not shown by repr.
        tag: the tag of the messages.
        keys: the keys of the messages.
    """

    receivers: set[str] | None = field(repr=False)
    tag: str | None
    keys: list[str] | None

    def includes(self, message: OutgoingMessage) -> bool:
        """Return whether the call selects a message. A call that selects by nothing means all that were not sent."""
        if self.receivers is None and self.tag is None and self.keys is None:
            return not message.state.is_tracked
        return (
            (self.receivers is None or bool(self.receivers & {message.phone_number, message.recipient or ""}))
            and self.tag in (None, message.tag)
            and (self.keys is None or message.key in self.keys)
        )


async def async_cancel_messages(call: ServiceCall) -> ServiceResponse:
    """Cancel messages that were not sent. Return how many were canceled, and for how many it was too late.

    Raises:
        ServiceValidationError: a target is no recipient, or an account is not loaded; nothing was canceled. Translated.
        Unauthorized: the caller may not send to one of the recipients; nothing was canceled.
    """
    cancelled = too_late = 0
    for entry, receivers in await _async_receivers(call):
        selection = _Selection(receivers=receivers, tag=call.data.get(_TAG), keys=call.data.get(_KEYS))
        counts = await entry.runtime_data.outbox.async_cancel(selection.includes)
        cancelled, too_late = cancelled + counts[0], too_late + counts[1]
    return {"cancelled": cancelled, "too_late": too_late} if call.return_response else None


async def _async_receivers(call: ServiceCall) -> list[tuple[GoSmsConfigEntry, set[str] | None]]:
    """Return the accounts of a call with the numbers and subentries that it names, or None where it names none."""
    if call.data.keys().isdisjoint({_PHONE_NUMBERS, *map(str, cv.ENTITY_SERVICE_FIELDS)}):
        entry = async_get_loaded_entry(call)
        await async_require_account_control(call, entry)
        return [(entry, None)]
    recipients = await async_resolve_recipients(call)
    if not recipients:
        raise no_recipient()
    failures = [each.failure or (async_entry_failure(each.entry) if each.entry else None) for each in recipients]
    if failure := next(filter(None, failures), None):
        raise invalid_input(failure.key, failure.placeholders)
    entries = {each.entry.entry_id: each.entry for each in recipients if each.entry}
    return [
        (entry, {name for each in recipients if each.entry is entry for name in _names(each)})
        for entry in entries.values()
    ]


def _names(recipient: ResolvedRecipient) -> set[str]:
    """Return the number of a recipient, and the id of the subentry, which stays if the number is changed."""
    return {recipient.phone_number, *([recipient.subentry.subentry_id] if recipient.subentry else [])}
