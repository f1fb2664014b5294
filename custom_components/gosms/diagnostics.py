"""Diagnostics that a user can post in public: settings, counts, ages and errors.

Each value is known to be safe; no object is copied as a whole and redacted afterwards. Names of people and phones,
numbers, texts, tags, the token and all ids of GoSMS.ru are left out, and so is an address that is not the vendor's.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from operator import attrgetter
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import CONF_DEVICE_ID, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .api import DEFAULT_URL, GoSmsClient, Message, MessagePage
from .const import CONF_PHONE, CONF_PHONE_NUMBER, CONF_SIM, SUBENTRY_RECIPIENT
from .coordinator import GoSmsPhoneCoordinator
from .device import subentry_of_device
from .issues import async_get_problems
from .options import CONF_CALLBACK_ID, CONF_DEFAULT_PHONE, Options
from .outbox import Outbox, OutgoingMessage
from .runtime_data import GoSmsConfigEntry
from .subentries import phones, recipients


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: GoSmsConfigEntry) -> dict[str, Any]:
    """Return the diagnostics of an account."""
    diagnostics = {"account": _account(hass, entry), "options": _options(entry)}
    if entry.state is ConfigEntryState.LOADED:
        data = entry.runtime_data
        diagnostics["requests"] = _requests(data.client)
        diagnostics["messages"] = _coordinator(data.coordinator) | _page(data.coordinator.data)
        diagnostics["outbox"] = _outbox(data.outbox) | _pending_messages(hass, data.outbox.messages)
    return diagnostics


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: GoSmsConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return the diagnostics of an account, and of the recipient or the phone that a device represents."""
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    if subentry := subentry_of_device(entry, device.identifiers):
        diagnostics[subentry.subentry_type] = _subentry(hass, entry, subentry)
    return diagnostics


def _account(hass: HomeAssistant, entry: GoSmsConfigEntry) -> dict[str, Any]:
    """Return the settings and problems of an account."""
    return {
        "version": f"{entry.version}.{entry.minor_version}",
        "state": entry.state.value,
        "url": DEFAULT_URL if entry.data[CONF_URL] == DEFAULT_URL else REDACTED,
        "polling": not entry.pref_disable_polling,
        "recipients": len(recipients(entry)),
        "phones": len(phones(entry)),
        "problems": async_get_problems(hass, entry),
    }


def _options(entry: GoSmsConfigEntry) -> dict[str, Any]:
    """Return the options. The webhook and the phone are reduced to whether there is one."""
    options = Options.from_entry(entry)
    return {
        **asdict(options),
        CONF_CALLBACK_ID: options.callback_id is not None,
        CONF_DEFAULT_PHONE: options.default_phone in entry.subentries,
    }


def _requests(client: GoSmsClient) -> dict[str, Any]:
    """Return the statistics of the requests since the setup, and the difference of the clocks."""
    ahead = None if client.server_time is None else client.server_time - dt_util.utcnow().timestamp()
    return {
        "since": client.statistics.since.isoformat(),
        "server_clock_ahead": None if ahead is None else round(ahead),
        "endpoints": {
            name: {
                "outcomes": dict(endpoint.outcomes),
                "milliseconds": {
                    "mean": round(endpoint.mean),
                    "longest": round(endpoint.longest),
                    "last": round(endpoint.last),
                },
                "last_error": endpoint.last_error
                and {
                    "time": endpoint.last_error.time.isoformat(),
                    "outcome": endpoint.last_error.outcome,
                    "error": endpoint.last_error.error,
                },
            }
            for name, endpoint in client.statistics.endpoints.items()
        },
    }


def _coordinator(coordinator: DataUpdateCoordinator[Any]) -> dict[str, Any]:
    """Return the state of a coordinator."""
    error = coordinator.last_exception
    return {
        "last_update_success": coordinator.last_update_success,
        # The text of an error may contain anything. The translation key names the text that the user was shown.
        "last_exception": error and (getattr(error, "translation_key", None) or type(error).__name__),
        "update_interval": coordinator.update_interval and round(coordinator.update_interval.total_seconds()),
    }


def _page(page: MessagePage) -> dict[str, Any]:
    """Return the results of the last successful poll."""
    return {"total": page.total, **_newest_messages(page.messages)}


def _newest_messages(messages: Iterable[Message]) -> dict[str, Any]:
    """Return a summary of messages on the server."""
    messages = list(messages)
    created = [message.created.isoformat() for message in messages if message.created]
    return {
        "newest_messages": len(messages),
        "statuses": Counter(message.status_name or f"unknown ({message.status_code})" for message in messages),
        "with_a_phone": sum(message.device_id is not None for message in messages),
        "with_a_sim": sum(message.sim is not None for message in messages),
        "first_created": min(created, default=None),
        "last_created": max(created, default=None),
    }


def _outbox(outbox: Outbox) -> dict[str, Any]:
    """Return a summary of the outbox and its history."""
    delivered, failed = outbox.history.counters.on(dt_util.now().date())
    return {
        "queued": outbox.queued,
        "in_transit": outbox.in_transit,
        "ended_lately": len(outbox.history),
        "delivered_today": delivered,
        "failed_today": failed,
        "delivery_time": outbox.history.counters.delivery_time,
    }


def _pending_messages(hass: HomeAssistant, messages: Iterable[OutgoingMessage]) -> dict[str, Any]:
    """Return a summary of messages that have not ended. Ages are in seconds."""
    messages = list(messages)
    now = hass.loop.time()
    return {
        "states": Counter(message.state for message in messages),
        "errors": Counter(message.error for message in messages if message.error),
        "parts": sum(len(message.parts) for message in messages),
        "most_attempts": max((message.attempts for message in messages), default=0),
        "oldest_age": max((round(now - message.created) for message in messages), default=None),
        "pending_events": sum(len(message.pending_events) for message in messages),
    }


def _subentry(hass: HomeAssistant, entry: GoSmsConfigEntry, subentry: ConfigSubentry) -> dict[str, Any]:
    """Return the settings of a recipient or a phone, and a summary of its messages."""
    is_recipient = subentry.subentry_type == SUBENTRY_RECIPIENT
    settings = (_recipient if is_recipient else _phone)(entry, subentry)
    if entry.state is not ConfigEntryState.LOADED:
        return settings
    data = entry.runtime_data
    # Messages have attributes of the same names.
    belongs_to = attrgetter(CONF_PHONE_NUMBER if is_recipient else CONF_DEVICE_ID)
    on_server = (message for message in data.coordinator.data.messages if belongs_to(message) == subentry.unique_id)
    pending = (message for message in data.outbox.messages if belongs_to(message) == subentry.unique_id)
    state = {} if is_recipient else {"state": _phone_state(data.client, data.phone_coordinators[subentry.subentry_id])}
    return settings | state | {"messages": _newest_messages(on_server), "outbox": _pending_messages(hass, pending)}


def _recipient(entry: GoSmsConfigEntry, recipient: ConfigSubentry) -> dict[str, Any]:
    """Return the settings of a recipient."""
    return {
        # Shows whether it is a short number or one with a country code.
        "digits": len(recipient.data[CONF_PHONE_NUMBER]),
        CONF_PHONE: recipient.data.get(CONF_PHONE) in entry.subentries,
    }


def _phone(entry: GoSmsConfigEntry, phone: ConfigSubentry) -> dict[str, Any]:
    """Return the settings of a phone."""
    return {
        CONF_SIM: phone.data[CONF_SIM],
        CONF_DEFAULT_PHONE: Options.from_entry(entry).default_phone == phone.subentry_id,
        "recipients": sum(recipient.data.get(CONF_PHONE) == phone.subentry_id for recipient in recipients(entry)),
    }


def _phone_state(client: GoSmsClient, phone: GoSmsPhoneCoordinator) -> dict[str, Any]:
    """Return the state of a phone. The model is left out, since it may be a name that the user chose."""
    now = client.server_time or dt_util.utcnow().timestamp()
    return {
        **_coordinator(phone),
        "online": phone.online,
        "can_send": phone.can_send,
        "is_active": phone.data.is_active,
        "is_charging": phone.data.is_charging,
        "battery": phone.data.battery,
        "last_online_age": phone.data.last_online and round(now - phone.data.last_online.timestamp()),
        "default_sim": phone.data.sim,
        "sims": len(phone.data.sims),
    }
