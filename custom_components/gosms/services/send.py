"""The action that sends."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from ..const import CONF_PHONE, CONF_SIM, SIM_DEFAULT, SIM_SLOTS
from ..errors import Failure, invalid_input, localize, no_recipient, not_all_arrived
from ..outbox import Recipient, SendRequest, SendResult, State
from ..preparation import prepare_text
from ..runtime_data import GoSmsConfigEntry
from ..text import PreparedText
from .accounts import async_account
from .fields import SHORT_TEXT, SHORT_TEXTS, ActionSchema
from .permissions import async_require_control, async_require_control_of_account
from .recipients import ResolvedRecipient, async_once, async_targeted, async_typed, resolve_phone_id

_EXPIRE_AFTER: Final = "expire_after"
_IDEMPOTENCY_KEY: Final = "idempotency_key"
_MESSAGE: Final = "message"
_PHONE_NUMBERS: Final = "phone_numbers"
_TAG: Final = "tag"
_TIMEOUT: Final = "timeout"
_TITLE: Final = "title"
_WAIT_FOR: Final = "wait_for"

# What did not become a message has no state.
_FAILED: Final = "failed"

SEND_SMS_SCHEMA: Final = ActionSchema(
    {
        **cv.ENTITY_SERVICE_FIELDS,
        vol.Optional(ATTR_CONFIG_ENTRY_ID): SHORT_TEXT,
        vol.Optional(_EXPIRE_AFTER): vol.All(cv.positive_time_period, vol.Range(max=timedelta(days=1))),
        vol.Optional(_IDEMPOTENCY_KEY): vol.All(SHORT_TEXT, vol.Match(r"\s*\S", msg="the key is empty")),
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
    # An empty key comes from a template that failed, and sending without a key could send the message twice.
    never_empty=[_IDEMPOTENCY_KEY],
)


async def async_send_sms(call: ServiceCall) -> ServiceResponse:
    """Send a text to everybody whom a call names, and tell what became of it.

    All are tried. With a response asked for, it tells what went wrong; without, one error does.

    Raises:
        ServiceValidationError: the call itself is wrong, or nobody can be sent to; nothing was sent. Translated.
        Unauthorized: the caller may not send to one of them; nothing was sent.
        HomeAssistantError: see above. Translated.
    """
    hass = call.hass
    named = await _async_named(call)
    if all(each.failure for each in named):
        raise _nobody_left(named)
    accounts = {each.entry.entry_id: each.entry for each in named if each.entry}
    texts = {
        entry_id: prepare_text(entry, call.data[_MESSAGE], call.data.get(_TITLE))
        for entry_id, entry in accounts.items()
    }
    results = await _async_send(call, accounts, named, texts)
    if call.return_response:
        messages = zip(named, results, strict=True)
        return {
            "messages": [
                _to_response(hass, each, texts[each.entry.entry_id] if each.entry else None, result)
                for each, result in messages
            ]
        }
    _raise_failures(hass, named, results)
    return None


async def _async_named(call: ServiceCall) -> list[ResolvedRecipient]:
    """Return everybody whom a call names and its caller may send to, by targets first, then by numbers.

    Raises:
        ServiceValidationError: the account that has to send to the numbers is unknown. Translated.
        Unauthorized: the caller may not send to one of them.
    """
    typed: list[ResolvedRecipient] = []
    if numbers := call.data[_PHONE_NUMBERS]:
        account = async_account(call)
        await async_require_control_of_account(call, account)
        typed = await async_typed(call.hass, account, numbers)
    targeted = async_targeted(call)
    await async_require_control(call, [each.target for each in targeted if each.target and each.recipient])
    return async_once([*targeted, *typed])


def _nobody_left(named: Iterable[ResolvedRecipient]) -> ServiceValidationError:
    """Return the error for a call that can send to nobody: the first reason that is not just a wrong target."""
    failure = next((each.failure for each in named if each.entry and each.failure), None)
    return invalid_input(failure.key, failure.placeholders) if failure else no_recipient()


async def _async_send(
    call: ServiceCall,
    accounts: dict[str, GoSmsConfigEntry],
    named: list[ResolvedRecipient],
    texts: dict[str, PreparedText],
) -> list[SendResult]:
    """Send to everybody by their own accounts, and return the results in the order of their names."""
    calls = {
        entry_id: _call(call, entry, texts[entry_id], [each for each in named if each.entry is entry])
        for entry_id, entry in accounts.items()
    }
    # An account that is not loaded has nobody to send to, and no outbox.
    sending = [
        (accounts[entry_id].runtime_data.outbox, of_account) for entry_id, of_account in calls.items() if of_account.to
    ]
    for outbox, of_account in sending:
        outbox.async_check(of_account)
    sent = await asyncio.gather(*(outbox.async_send(of_account) for outbox, of_account in sending))
    by_number = {
        addressee.phone_number: result
        for (_, of_account), results in zip(sending, sent, strict=True)
        for addressee, result in zip(of_account.to, results, strict=True)
    }
    return [SendResult(failure=each.failure) if each.failure else by_number[each.phone_number] for each in named]


def _call(
    call: ServiceCall, entry: GoSmsConfigEntry, text: PreparedText, named: Iterable[ResolvedRecipient]
) -> SendRequest:
    """Return what a call asks of one account."""
    phone, expire_after = call.data.get(CONF_PHONE), call.data.get(_EXPIRE_AFTER)
    return SendRequest(
        to=tuple(
            Recipient(phone_number=each.phone_number, recipient=each.recipient.subentry_id if each.recipient else None)
            for each in named
            if not each.failure
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
    hass: HomeAssistant, named: ResolvedRecipient, text: PreparedText | None, result: SendResult
) -> JsonObjectType:
    """Return what became of one message; a target that leads to nobody has no text."""
    return {
        "phone_number": named.phone_number or None,
        "recipient": named.title,
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
    """Return what went wrong, in the language of the home."""
    return {"key": failure.key, "code": failure.code, "message": localize(hass, failure.error(hass))}


def _raise_failures(hass: HomeAssistant, named: list[ResolvedRecipient], results: list[SendResult]) -> None:
    """Raise one error that names all that failed."""
    failures = [
        (each.name, result.failure.error(hass)) for each, result in zip(named, results, strict=True) if result.failure
    ]
    if failures:
        raise failures[0][1] if len(named) == 1 else not_all_arrived(hass, failures)
