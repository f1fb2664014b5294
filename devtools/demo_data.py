"""What `scripts/demo --serve` adds to Home Assistant: a dashboard, a form for sending, and a stream of messages."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
import itertools
from pathlib import Path
from typing import Final

from aiohttp import ClientError

from custom_components.gosms.api import MessageStatus

from .entry_driver import EntryDriver, EntryDriverError
from .hass_client import HassApiError, HomeAssistantClient, Json
from .process import ROOT
from .simulator_process import SimulatorProcess

DASHBOARD: Final = "sms-dashboard"
AUTOMATIONS: Final = "automations.yaml"

# Seconds between two messages, and the length of an outage.
INTERVAL: Final = 15.0
OUTAGE: Final = 8.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoData:
    """The data of one language; the names are those of its dashboard in docs/."""

    dashboard: str
    recipients: Mapping[str, str]
    recipient_helper: tuple[str, str]
    text_helper: tuple[str, str]
    script: tuple[str, str]
    messages: Sequence[str]

    @property
    def first_recipient(self) -> str:
        """The name of the recipient that is added first."""
        return next(iter(self.recipients))


DEMO_DATA: Final = {
    "en": DemoData(
        dashboard="dashboard.yaml",
        recipients={"Mum": "8 (912) 345-67-89", "Neighbor": "8 (912) 345-67-80"},
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
    "ru": DemoData(
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
    """Return the part of configuration.yaml with the dashboard and its form, for all recipients or the first."""
    data = DEMO_DATA[language]
    return {
        **form_configuration(language, only_first=only_first),
        # So that automations of the editor run.
        "automation": f"!include {AUTOMATIONS}",
        "history": {},
        "logbook": {},
        "lovelace": {
            "dashboards": {
                DASHBOARD: {"mode": "yaml", "title": "SMS", "icon": "mdi:message-text", "filename": data.dashboard}
            }
        },
    }


def form_configuration(language: str, *, only_first: bool = False) -> Json:
    """Return the helpers and the script of the form, as the dashboard's comments describe them."""
    data = DEMO_DATA[language]
    names = [data.first_recipient] if only_first else list(data.recipients)
    recipient, recipient_name = data.recipient_helper
    text, text_name = data.text_helper
    entity = f"input_text.{text}"
    script, alias = data.script
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
                        "action": "notify.send_message",
                        "target": {"entity_id": f"notify.{{{{ states('input_select.{recipient}') | slugify }}}}"},
                        "data": {"message": f"{{{{ states({entity!r}) if has_value({entity!r}) else '' }}}}"},
                    },
                    {
                        "action": "input_text.set_value",
                        "target": {"entity_id": entity},
                        "data": {"value": ""},
                    },
                ],
            }
        },
    }


def link_dashboard(folder: Path, language: str) -> None:
    """Link the dashboard into a configuration folder, so that an edited file appears when the page is reloaded."""
    (folder / AUTOMATIONS).write_text("[]")
    name = DEMO_DATA[language].dashboard
    if not (link := folder / name).is_symlink():
        link.symlink_to(ROOT / "docs" / name)


async def set_default_dashboard(client: HomeAssistantClient) -> None:
    """Let the interface open at the dashboard."""
    await client.command("frontend/set_system_data", key="core", value={"default_panel": DASHBOARD})


async def add_recipients_and_phone(entry: EntryDriver, simulator: SimulatorProcess, language: str) -> list[str]:
    """Add the missing recipients and the simulated phone, and return the subentry ids of the recipients."""
    known = {each["title"]: str(each["subentry_id"]) for each in await entry.subentries()}
    subentries = [
        known.get(name) or await entry.add_recipient(name, number)
        for name, number in DEMO_DATA[language].recipients.items()
    ]
    [phone] = (await simulator.control("GET", "state"))["phones"]
    await entry.add_phone(phone["device_id"])
    for subentry_id in subentries:
        await entry.wait_until_ready(subentry_id)
    return subentries


async def send_continuously(
    entry: EntryDriver, simulator: SimulatorProcess, subentries: Sequence[str], language: str
) -> None:
    """Send messages forever; every fifth is not delivered, and every seventh is sent during an outage."""
    messages = itertools.cycle(DEMO_DATA[language].messages)
    for number, subentry_id in enumerate(itertools.cycle(subentries), start=1):
        await asyncio.sleep(INTERVAL)
        status = MessageStatus.DELIVERY_FAILED if number % 5 == 0 else MessageStatus.DELIVERED
        await simulator.control("POST", "account", {"delivery": {"status": status}})
        is_outage = number % 7 == 0
        if is_outage:
            await simulator.control("POST", "faults", {"fault": "too_many_requests", "endpoint": "POST /sms/send"})
        # The dashboard shows a message that was refused, and Home Assistant may be restarting.
        with suppress(EntryDriverError, HassApiError, ClientError, OSError, TimeoutError):
            await entry.send(subentry_id, next(messages))
        if is_outage:
            await asyncio.sleep(OUTAGE)
            await simulator.control("DELETE", "faults")
