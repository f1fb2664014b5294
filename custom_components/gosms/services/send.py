"""The action `send_sms`."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from ..const import CONF_PHONE, CONF_SIM, SIM_DEFAULT, SIM_SLOTS
from ..errors import Failure, invalid_input, localize, no_recipient, not_all_arrived
from ..outbox import Recipient, SendRequest, SendResult, State
from ..preparation import prepare_text
from ..runtime_data import SENT, GoSmsConfigEntry, async_wait_for_reload
from ..text import PreparedText
from .accounts import async_get_entry
from .fields import NOT_BLANK, SHORT_TEXT, SHORT_TEXTS, ActionSchema
from .permissions import async_require_account_control, async_require_control
from .recipients import (
    ResolvedRecipient,
    async_deduplicate,
    async_resolve_numbers,
    async_resolve_targets,
    resolve_phone_id,
)

_EXPIRE_AFTER: Final = "expire_after"
_IDEMPOTENCY_KEY: Final = "idempotency_key"
_MESSAGE: Final = "message"
_PHONE_NUMBERS: Final = "phone_numbers"
_TAG: Final = "tag"
_TIMEOUT: Final = "timeout"
_TITLE: Final = "title"
_WAIT_FOR: Final = "wait_for"

# The status of a recipient for whom no message was created.
_FAILED: Final = "failed"

SEND_SMS_SCHEMA: Final = ActionSchema(
    {
        **cv.ENTITY_SERVICE_FIELDS,
        vol.Optional(ATTR_CONFIG_ENTRY_ID): SHORT_TEXT,
        vol.Optional(_EXPIRE_AFTER): vol.All(cv.positive_time_period, vol.Range(max=timedelta(days=1))),
        vol.Optional(_IDEMPOTENCY_KEY): vol.Maybe(NOT_BLANK),
        vol.Required(_MESSAGE): cv.string,
        vol.Optional(CONF_PHONE): SHORT_TEXT,
        vol.Optional(_PHONE_NUMBERS, default=list): SHORT_TEXTS,
        vol.Optional(CONF_SIM): vol.In([SIM_DEFAULT, *SIM_SLOTS]),
        vol.Optional(_TAG): SHORT_TEXT,
        vol.Optional(_TIMEOUT, default=timedelta(seconds=60)): vol.All(
            cv.positive_time_period, vol.Range(max=timedelta(minutes=10))
        ),
        vol.Optional(_TITLE): cv.string,
        vol.Optional(_WAIT_FOR, default=State.ACCEPTED.value): vol.In(
            [State.ACCEPTED.value, State.SENT.value, State.DELIVERED.value]
        ),
    },
    # An empty key is the result of a failed template. Without a key, the message could be sent twice.
    never_empty=[_IDEMPOTENCY_KEY],
)


async def async_send_sms(call: ServiceCall) -> ServiceResponse:
    """Send a text to all recipients of a call, and return or raise the results.

    Every recipient is tried. The response, if requested, contains all failures; otherwise one error names them.

    Raises:
        ServiceValidationError: the call is invalid, or no recipient can be reached; nothing was sent. Translated.
        Unauthorized: the caller may not send to one of the recipients; nothing was sent.
        HomeAssistantError: one or more messages failed, and no response was requested. Translated.
    """
    hass = call.hass
    recipients = async_deduplicate(await async_resolve_recipients(call))
    if all(recipient.failure for recipient in recipients):
        raise _unreachable_error(recipients)
    entries = {recipient.entry.entry_id: recipient.entry for recipient in recipients if recipient.entry}
    texts = {
        entry_id: prepare_text(entry, call.data[_MESSAGE], call.data.get(_TITLE)) for entry_id, entry in entries.items()
    }
    results = await _async_send(call, entries, recipients, texts)
    for recipient, result in zip(recipients, results, strict=True):
        if recipient.subentry and not result.failure:
            async_dispatcher_send(hass, SENT.format(recipient.subentry.subentry_id))
    if call.return_response:
        return {
            "messages": [
                _to_response(hass, recipient, texts[recipient.entry.entry_id] if recipient.entry else None, result)
                for recipient, result in zip(recipients, results, strict=True)
            ]
        }
    _raise_failures(hass, recipients, results)
    return None


async def async_resolve_recipients(call: ServiceCall) -> list[ResolvedRecipient]:
    """Return the recipients of a call that its caller may send to, first those in targets, then those with numbers.

    Raises:
        ServiceValidationError: the account that sends to the numbers is not known. Translated.
        Unauthorized: the caller may not send to one of the recipients.
    """
    by_number: list[ResolvedRecipient] = []
    if numbers := call.data.get(_PHONE_NUMBERS):
        entry = async_get_entry(call)
        await async_require_account_control(call, entry)
        by_number = await async_resolve_numbers(call.hass, entry, numbers)
    by_target = async_resolve_targets(call)
    await async_require_control(
        call, [recipient.target for recipient in by_target if recipient.target and recipient.subentry]
    )
    resolved = [*by_target, *by_number]
    for recipient in resolved:
        if recipient.entry:
            await async_wait_for_reload(recipient.entry)
    return resolved


def _unreachable_error(recipients: Iterable[ResolvedRecipient]) -> ServiceValidationError:
    """Return the error for a call that reaches no recipient: the first failure that is not just a wrong target."""
    failure = next((recipient.failure for recipient in recipients if recipient.entry and recipient.failure), None)
    return invalid_input(failure.key, failure.placeholders) if failure else no_recipient()


async def _async_send(
    call: ServiceCall,
    entries: dict[str, GoSmsConfigEntry],
    recipients: list[ResolvedRecipient],
    texts: dict[str, PreparedText],
) -> list[SendResult]:
    """Send to each recipient with the recipient's account, and return the results in the order of the recipients."""
    requests = {
        entry_id: _build_request(
            call, entry, texts[entry_id], [recipient for recipient in recipients if recipient.entry is entry]
        )
        for entry_id, entry in entries.items()
    }
    # An account that is not loaded has no outbox, and all of its recipients have failed already.
    sending = [(entries[entry_id].runtime_data.outbox, request) for entry_id, request in requests.items() if request.to]
    for outbox, request in sending:
        outbox.async_check(request)
    sent = await asyncio.gather(*(outbox.async_send(request) for outbox, request in sending))
    by_number = {
        recipient.phone_number: result
        for (_, request), results in zip(sending, sent, strict=True)
        for recipient, result in zip(request.to, results, strict=True)
    }
    return [
        SendResult(failure=recipient.failure) if recipient.failure else by_number[recipient.phone_number]
        for recipient in recipients
    ]


def _build_request(
    call: ServiceCall, entry: GoSmsConfigEntry, text: PreparedText, recipients: Iterable[ResolvedRecipient]
) -> SendRequest:
    """Return the request of a call to the outbox of one account."""
    phone, expire_after = call.data.get(CONF_PHONE), call.data.get(_EXPIRE_AFTER)
    return SendRequest(
        to=tuple(
            Recipient(
                phone_number=recipient.phone_number,
                recipient=recipient.subentry.subentry_id if recipient.subentry else None,
            )
            for recipient in recipients
            if not recipient.failure
        ),
        text=text.text,
        parts=text.parts,
        tag=call.data.get(_TAG),
        phone_id=resolve_phone_id(call.hass, entry, phone) if phone else None,
        sim=call.data.get(CONF_SIM),
        expire_after=None if expire_after is None else expire_after.total_seconds(),
        idempotency_key=call.data.get(_IDEMPOTENCY_KEY),
        wait_for=State(call.data[_WAIT_FOR]),
        timeout=call.data[_TIMEOUT].total_seconds(),
    )


def _to_response(
    hass: HomeAssistant, recipient: ResolvedRecipient, text: PreparedText | None, result: SendResult
) -> JsonObjectType:
    """Return the result for one recipient. A target that is not a recipient has no text."""
    return {
        "phone_number": recipient.phone_number or None,
        "recipient": recipient.title,
        "message_ids": list(result.message_ids),
        "status": result.status or _FAILED,
        "queued": result.status == State.QUEUED,
        "segments": text.segments if text else 0,
        "encoding": text.encoding if text else None,
        "parts": len(text.parts) if text else 0,
        "replaced": dict(text.replaced) if text else {},
        "error": _error(hass, result.failure) if result.failure else None,
    }


def _error(hass: HomeAssistant, failure: Failure) -> JsonObjectType:
    """Return a failure with its text in the configured language."""
    return {"key": failure.key, "code": failure.code, "message": localize(hass, failure.error(hass))}


def _raise_failures(hass: HomeAssistant, recipients: list[ResolvedRecipient], results: list[SendResult]) -> None:
    """Raise one error that names all failures, if there are any."""
    failures = [
        (recipient.name_in_errors, result.failure.error(hass))
        for recipient, result in zip(recipients, results, strict=True)
        if result.failure
    ]
    if failures:
        raise failures[0][1] if len(recipients) == 1 else not_all_arrived(hass, failures)
