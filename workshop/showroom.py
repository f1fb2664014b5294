"""What `scripts/demo --serve` adds to a house: a dashboard, a form to send with, and messages that keep coming."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
import itertools
from pathlib import Path
from typing import Final

from aiohttp import ClientError

from .account import Account, AccountError
from .child import ROOT
from .home_assistant import HomeAssistant, Json, RefusedError
from .service import Service

DASHBOARD: Final = "sms-dashboard"
AUTOMATIONS: Final = "automations.yaml"

# Seconds between two messages of the demo, and of an outage in which they wait.
INTERVAL: Final = 15.0
OUTAGE: Final = 8.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """A showroom in one language; the names are those of its dashboard in docs/."""

    dashboard: str
    recipients: Mapping[str, str]
    recipient_helper: tuple[str, str]
    text_helper: tuple[str, str]
    script: tuple[str, str]
    messages: Sequence[str]

    @property
    def first(self) -> str:
        """The name of the recipient that is there from the start."""
        return next(iter(self.recipients))


WORDS: Final = {
    "en": Words(
        dashboard="dashboard.yaml",
        recipients={"Mum": "8 (912) 345-67-89", "Neighbour": "8 (912) 345-67-80"},
        recipient_helper=("sms_recipient", "SMS recipient"),
        text_helper=("sms_text", "SMS text"),
        script=("send_sms", "Send SMS"),
        messages=(
            "Good morning! All windows are closed, it is 21 degrees inside",
            "The washing machine is done",
            "The front door has been open for 10 minutes",
            "The power is out, the house runs on its battery",
            "The power is back after 12 minutes",
            "Water leak in the bathroom! The valve is closed, please call the plumber: +7 495 123-45-67",
        ),
    ),
    "ru": Words(
        dashboard="dashboard.ru.yaml",
        recipients={"Мама": "8 (912) 345-67-89", "Сосед": "8 (912) 345-67-80"},
        recipient_helper=("poluchatel_sms", "Получатель SMS"),
        text_helper=("tekst_sms", "Текст SMS"),
        script=("otpravit_sms", "Отправить SMS"),
        messages=(
            "Доброе утро! Все окна закрыты, в доме 21 градус",
            "Стирка закончена",
            "Входная дверь открыта уже 10 минут",
            "Отключили свет, дом работает от батареи",
            "Свет дали, его не было 12 минут",
            "Протечка в ванной! Кран перекрыт, вызовите сантехника: +7 495 123-45-67",
        ),
    ),
}


def configuration(language: str, *, only_first: bool = False) -> Json:
    """Return what a house's configuration.yaml needs: the dashboard and its form, for all recipients or the first."""
    words = WORDS[language]
    return {
        **form(language, only_first=only_first),
        # What is built in the automation editor runs.
        "automation": f"!include {AUTOMATIONS}",
        "history": {},
        "logbook": {},
        "lovelace": {
            "dashboards": {
                DASHBOARD: {"mode": "yaml", "title": "SMS", "icon": "mdi:message-text", "filename": words.dashboard}
            }
        },
    }


def form(language: str, *, only_first: bool = False) -> Json:
    """Return the helpers and the script as the dashboard tells a user to make them."""
    words = WORDS[language]
    names = [words.first] if only_first else list(words.recipients)
    recipient, recipient_name = words.recipient_helper
    text, text_name = words.text_helper
    script, alias = words.script
    return {
        "input_select": {
            recipient: {"name": recipient_name, "icon": "mdi:account", "options": names},
        },
        "input_text": {text: {"name": text_name, "icon": "mdi:message-text-outline", "max": 255, "initial": ""}},
        "script": {
            script: {
                "alias": alias,
                "icon": "mdi:send",
                "sequence": [
                    {
                        "condition": "template",
                        "value_template": f"{{{{ states('input_text.{text}') | trim not in ['', 'unknown'] }}}}",
                    },
                    {
                        "action": "notify.send_message",
                        "target": {"entity_id": f"notify.{{{{ states('input_select.{recipient}') | slugify }}}}"},
                        "data": {"message": f"{{{{ states('input_text.{text}') }}}}"},
                    },
                    {
                        "action": "input_text.set_value",
                        "target": {"entity_id": f"input_text.{text}"},
                        "data": {"value": ""},
                    },
                ],
            }
        },
    }


def furnish(folder: Path, language: str) -> None:
    """Put the dashboard into a house's folder, as a link: an edited file shows with the next reload of the page."""
    (folder / AUTOMATIONS).write_text("[]")
    name = WORDS[language].dashboard
    if not (link := folder / name).is_symlink():
        link.symlink_to(ROOT / "docs" / name)


async def open_at_dashboard(home: HomeAssistant) -> None:
    """Let the interface begin with the dashboard."""
    await home.command("frontend/set_system_data", key="core", value={"default_panel": DASHBOARD})


async def people(account: Account, service: Service, language: str) -> list[str]:
    """Add the missing recipients, and the phone of the simulated account; returns the recipients' subentries."""
    words = WORDS[language]
    known = {each["title"]: str(each["subentry_id"]) for each in await account.subentries()}
    subentries = [
        known.get(name) or await account.add_recipient(name, number) for name, number in words.recipients.items()
    ]
    [phone] = (await service.control("GET", "state"))["phones"]
    await account.add_phone(phone["device_id"])
    for subentry_id in subentries:
        await account.ready(subentry_id)
    return subentries


async def keep_sending(account: Account, service: Service, subentries: Sequence[str], language: str) -> None:
    """Send a message now and then, for ever; every fifth is not delivered, every seventh waits for an outage's end."""
    messages = itertools.cycle(WORDS[language].messages)
    for number, subentry_id in enumerate(itertools.cycle(subentries), start=1):
        await asyncio.sleep(INTERVAL)
        await service.control("POST", "account", {"delivery": {"status": 5 if number % 5 == 0 else 4}})
        outage = number % 7 == 0
        if outage:
            await service.control("POST", "faults", {"fault": "too_many_requests", "endpoint": "POST /sms/send"})
        # A message that is refused is the dashboard's to show, and a house that restarts comes back.
        with suppress(AccountError, RefusedError, ClientError, OSError, TimeoutError):
            await account.send(subentry_id, next(messages))
        if outage:
            await asyncio.sleep(OUTAGE)
            await service.control("DELETE", "faults")
