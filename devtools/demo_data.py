"""What `scripts/demo --serve` adds to Home Assistant: a dashboard, and a stream of messages."""

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
    messages: Sequence[str]

    @property
    def first_recipient(self) -> str:
        """The name of the recipient that is added first."""
        return next(iter(self.recipients))


DEMO_DATA: Final = {
    "en": DemoData(
        dashboard="dashboard.yaml",
        recipients={"Mum": "8 (912) 345-67-89", "Neighbor": "8 (912) 345-67-80"},
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


def configuration(language: str) -> Json:
    """Return the part of configuration.yaml with the dashboard."""
    return {
        # So that automations of the editor run.
        "automation": f"!include {AUTOMATIONS}",
        "history": {},
        "logbook": {},
        "lovelace": {
            "dashboards": {
                DASHBOARD: {
                    "mode": "yaml",
                    "title": "SMS",
                    "icon": "mdi:message-text",
                    "filename": DEMO_DATA[language].dashboard,
                }
            }
        },
    }


def add_included_files(folder: Path, language: str) -> None:
    """Add the files that the configuration names to a configuration folder, unless they are there.

    The dashboard is a link, so that an edited file appears when the page is reloaded.
    """
    if not (automations := folder / AUTOMATIONS).exists():
        automations.write_text("[]")
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
