"""What a user may post in public: settings, counts, ages and errors.

Built from what is safe alone; nothing is taken over whole and made unreadable afterwards. Names of people and phones,
numbers, texts, tags, the token and all ids of GoSMS.ru stay out, and so does an address that is not the vendor's.
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
    """Return what is known of an account."""
    diagnostics = {"account": _account(hass, entry), "options": _options(entry)}
    if entry.state is ConfigEntryState.LOADED:
        data = entry.runtime_data
        diagnostics["requests"] = _requests(data.client)
        diagnostics["messages"] = _poll(data.coordinator) | _page(data.coordinator.data)
        diagnostics["outbox"] = _outbox(data.outbox) | _under_way(hass, data.outbox.messages)
    return diagnostics


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: GoSmsConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return what is known of an account, and of the recipient or the phone that a device stands for."""
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    if subentry := subentry_of_device(entry, device.identifiers):
        diagnostics[subentry.subentry_type] = _subentry(hass, entry, subentry)
    return diagnostics


def _account(hass: HomeAssistant, entry: GoSmsConfigEntry) -> dict[str, Any]:
    """Return how an account is set up, and what is wrong with it."""
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
    """Return the options in force; of those that name something, whether they do."""
    options = Options.from_entry(entry)
    return {
        **asdict(options),
        CONF_CALLBACK_ID: options.callback_id is not None,
        CONF_DEFAULT_PHONE: options.default_phone in entry.subentries,
    }


def _requests(client: GoSmsClient) -> dict[str, Any]:
    """Return how the requests of this run ended, how long they took, and how far apart the clocks are."""
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


def _poll(coordinator: DataUpdateCoordinator[Any]) -> dict[str, Any]:
    """Return how the polls go."""
    error = coordinator.last_exception
    return {
        "last_update_success": coordinator.last_update_success,
        # An error's own text may say anything; its key says which text the user was shown.
        "last_exception": error and (getattr(error, "translation_key", None) or type(error).__name__),
        "update_interval": coordinator.update_interval and round(coordinator.update_interval.total_seconds()),
    }


def _page(page: MessagePage) -> dict[str, Any]:
    """Return what the last good poll told."""
    return {"total": page.total, **_newest(page.messages)}


def _newest(messages: Iterable[Message]) -> dict[str, Any]:
    """Return what the service tells of the newest messages, or of some of them."""
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
    """Return how much waits, and how what Home Assistant sent lately ended."""
    delivered, failed = outbox.history.today(dt_util.now().date())
    return {
        "queued": outbox.queued,
        "in_transit": outbox.in_transit,
        "ended_lately": len(outbox.history.ended),
        "delivered_today": delivered,
        "failed_today": failed,
        "delivery_time": outbox.history.delivery_time,
    }


def _under_way(hass: HomeAssistant, messages: Iterable[OutgoingMessage]) -> dict[str, Any]:
    """Return what is known of messages that have not ended, or of some of them; ages are in seconds."""
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
    """Return how a recipient or a phone is set up, and what became of its messages."""
    is_recipient = subentry.subentry_type == SUBENTRY_RECIPIENT
    settings = (_recipient if is_recipient else _phone)(entry, subentry)
    if entry.state is not ConfigEntryState.LOADED:
        return settings
    data = entry.runtime_data
    # Messages call it as subentries do.
    belongs_to = attrgetter(CONF_PHONE_NUMBER if is_recipient else CONF_DEVICE_ID)
    newest = (message for message in data.coordinator.data.messages if belongs_to(message) == subentry.unique_id)
    under_way = (message for message in data.outbox.messages if belongs_to(message) == subentry.unique_id)
    told = {} if is_recipient else {"state": _reported(data.client, data.phones[subentry.subentry_id])}
    return settings | told | {"messages": _newest(newest), "outbox": _under_way(hass, under_way)}


def _recipient(entry: GoSmsConfigEntry, recipient: ConfigSubentry) -> dict[str, Any]:
    """Return how a person who receives messages is set up."""
    return {
        # A short code, or a number with its country code.
        "digits": len(recipient.data[CONF_PHONE_NUMBER]),
        CONF_PHONE: recipient.data.get(CONF_PHONE) in entry.subentries,
    }


def _phone(entry: GoSmsConfigEntry, phone: ConfigSubentry) -> dict[str, Any]:
    """Return how a phone that sends messages is set up."""
    return {
        CONF_SIM: phone.data[CONF_SIM],
        CONF_DEFAULT_PHONE: Options.from_entry(entry).default_phone == phone.subentry_id,
        "recipients": sum(recipient.data.get(CONF_PHONE) == phone.subentry_id for recipient in recipients(entry)),
    }


def _reported(client: GoSmsClient, phone: GoSmsPhoneCoordinator) -> dict[str, Any]:
    """Return what GoSMS knows of a phone. Its model stays out: people give phones names of their own there."""
    now = client.server_time or dt_util.utcnow().timestamp()
    return {
        **_poll(phone),
        "online": phone.online,
        "can_send": phone.can_send,
        "is_active": phone.data.is_active,
        "is_charging": phone.data.is_charging,
        "battery": phone.data.battery,
        "last_online_age": phone.data.last_online and round(now - phone.data.last_online.timestamp()),
        "default_sim": phone.data.sim,
        "sims": len(phone.data.sims),
    }
