"""Fields and validation that the flows share: names, ids of phones and webhooks, and the choice of a phone."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_DEVICE_ID
from homeassistant.helpers.selector import (
    SelectOptionDict,
    Selector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.util import dt as dt_util

from .api import ErrorCode, GoSmsApiError, GoSmsClient, GoSmsError, Phone, parse_vendor_id
from .const import CONTROL_PANEL_URL
from .errors import form_error

# Errors that the id itself causes.
_DEVICE_ERRORS: Final = frozenset({"invalid_device_id", "unknown_device"})

# Seconds that a form may take to ask about phones, all of them together, and how many are asked about at a time.
_LOOKUP_TIMEOUT: Final = 10
_PARALLEL_LOOKUPS: Final = 3

# A link in the forms to the page of the control panel that shows the ids of the phones.
PHONES_LINK: Final = {"phones_url": f"{CONTROL_PANEL_URL}/devices"}


def clean_name(typed: str) -> str:
    """Return a name without white space around it, or an empty text if it has no visible character."""
    return typed.strip() if any(each.isprintable() and not each.isspace() for each in typed) else ""


def normalize_vendor_id(typed: str) -> str:
    """Return the id of a phone or a webhook in the vendor's notation."""
    return typed.strip().lower()


def is_vendor_id(typed: str) -> bool:
    """Return whether a text can be the id of a phone or a webhook."""
    return parse_vendor_id(typed) is not None


async def async_validate_phone(client: GoSmsClient, device_id: str) -> tuple[str, dict[str, str]]:
    """Return the name of a phone, and the form's errors if the phone can't be used.

    The name is the id if GoSMS has no name, or if the token has no permission to view phones, which is not an error.
    """
    if not is_vendor_id(device_id):
        return device_id, {CONF_DEVICE_ID: "invalid_device_id"}
    try:
        phone = await client.phone_info(device_id)
    except GoSmsError as err:
        if isinstance(err, GoSmsApiError) and err.code == ErrorCode.NO_VIEW_PHONES_PERMISSION:
            return device_id, {}
        error = form_error(err)
        return device_id, {CONF_DEVICE_ID if error in _DEVICE_ERRORS else "base": error}
    return phone.name or device_id, {}


async def async_recent_phones(client: GoSmsClient, known: Collection[str | None]) -> list[SelectOptionDict]:
    """Return the phones that were named in recent messages, without those with known ids, to choose from.

    The list is empty in an outage. A phone whose name is not known in time is shown by the end of its id; one that the
    account no longer has is left out.
    """
    recent: dict[str, Phone | GoSmsError | None] = {}
    with suppress(GoSmsError, TimeoutError):
        async with asyncio.timeout(_LOOKUP_TIMEOUT):
            page = await client.list()
            used = (message.device_id for message in page.messages)
            recent.update({device_id: None for device_id in used if device_id and device_id not in known})
            await _async_look_up(client, recent)
    return [
        SelectOptionDict(value=device_id, label=_describe(device_id, answer))
        for device_id, answer in recent.items()
        if not _is_unknown(answer)
    ]


async def async_is_other_account(client: GoSmsClient, device_ids: Iterable[str]) -> bool:
    """Return whether the client's account certainly has none of these phones. False if there are none."""
    answers: dict[str, Phone | GoSmsError | None] = dict.fromkeys(device_ids)
    with suppress(TimeoutError):
        async with asyncio.timeout(_LOOKUP_TIMEOUT):
            await _async_look_up(client, answers)
    return bool(answers) and all(_is_unknown(answer) for answer in answers.values())


async def _async_look_up(client: GoSmsClient, answers: dict[str, Phone | GoSmsError | None]) -> None:
    """Ask about the phones with these ids, a few at a time, and store each answer as soon as it arrives."""
    free = asyncio.Semaphore(_PARALLEL_LOOKUPS)

    async def ask(device_id: str) -> None:
        async with free:
            try:
                answers[device_id] = await client.phone_info(device_id)
            except GoSmsError as err:
                answers[device_id] = err

    await asyncio.gather(*(ask(device_id) for device_id in answers))


def _is_unknown(answer: Phone | GoSmsError | None) -> bool:
    """Return whether the service answered that the account has no such phone."""
    return isinstance(answer, GoSmsError) and form_error(answer) == "unknown_device"


def _describe(device_id: str, answer: Phone | GoSmsError | None) -> str:
    """Return a phone's name, its model and when it last reported, as far as they are known."""
    end_of_id = f"…{device_id[-6:]}"
    if not isinstance(answer, Phone):
        return end_of_id
    reported = f"{dt_util.as_local(answer.last_online):%Y-%m-%d %H:%M}" if answer.last_online else None
    return " · ".join(filter(None, (answer.name or end_of_id, answer.model, reported)))


def device_id_selector(choices: list[SelectOptionDict]) -> Selector[Any]:
    """Return a field for the id of a phone, with a list if there are choices."""
    if not choices:
        return TextSelector()
    return SelectSelector(SelectSelectorConfig(options=choices, custom_value=True, mode=SelectSelectorMode.DROPDOWN))


def without_removed_phone(values: Mapping[str, Any], field: str, entry: ConfigEntry[Any]) -> dict[str, Any]:
    """Return the values of a form, without a phone that was removed: the form could not be submitted with it."""
    return {key: value for key, value in values.items() if key != field or value in entry.subentries}


def phone_selector(choices: Iterable[ConfigSubentry]) -> SelectSelector:
    """Return a field to choose one of the account's phones."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[SelectOptionDict(value=phone.subentry_id, label=phone.title) for phone in choices],
            mode=SelectSelectorMode.DROPDOWN,
        )
    )
