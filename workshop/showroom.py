"""What `scripts/demo --serve` adds to a house: a dashboard, a form to send with, and messages that keep coming."""

import asyncio
from contextlib import suppress
import itertools
from pathlib import Path

from aiohttp import ClientError

from .account import Account, AccountError
from .child import ROOT
from .home_assistant import HomeAssistant, Json, RefusedError

DASHBOARD = "sms-dashboard"

# As docs/dashboard.yaml tells a user to make them.
FORM: Json = {
    "input_text": {"sms_text": {"name": "SMS text", "icon": "mdi:message-text-outline", "max": 255, "initial": ""}},
    "script": {
        "send_sms": {
            "alias": "Send SMS",
            "icon": "mdi:send",
            "sequence": [
                {
                    "condition": "template",
                    "value_template": "{{ states('input_text.sms_text') | trim not in ['', 'unknown'] }}",
                },
                {
                    "action": "notify.send_message",
                    "target": {"entity_id": "notify.mum"},
                    "data": {"message": "{{ states('input_text.sms_text') }}"},
                },
                {
                    "action": "input_text.set_value",
                    "target": {"entity_id": "input_text.sms_text"},
                    "data": {"value": ""},
                },
            ],
        }
    },
}

CONFIGURATION: Json = {
    **FORM,
    "history": {},
    "logbook": {},
    "lovelace": {
        "dashboards": {
            DASHBOARD: {"mode": "yaml", "title": "SMS", "icon": "mdi:message-text", "filename": "dashboard.yaml"}
        }
    },
}

# Seconds between two messages of the demo.
INTERVAL = 15.0

MESSAGES = (
    "The washing machine is done",
    "Water leak in the bathroom! The valve is closed, 21 °C, humidity 84 %",
    "The power is back after 12 minutes",
    "Протечка в ванной: кран перекрыт, 21 °C",
    "The front door has been open for 10 minutes",
    "Котёл №2 остановлен, в доме 17 °C",
    "Good morning! All windows are closed 🙂",
)


def furnish(folder: Path) -> None:
    """Put the dashboard into a house's folder, as a link: an edited file shows with the next reload of the page."""
    (folder / "dashboard.yaml").symlink_to(ROOT / "docs" / "dashboard.yaml")


async def open_at_dashboard(home: HomeAssistant) -> None:
    """Let the interface begin with the dashboard."""
    await home.command("frontend/set_system_data", key="core", value={"default_panel": DASHBOARD})


async def keep_sending(account: Account, subentry_id: str) -> None:
    """Send a message now and then, for ever."""
    for message in itertools.cycle(MESSAGES):
        await asyncio.sleep(INTERVAL)
        # A message that is refused is the dashboard's to show, and a house that restarts comes back.
        with suppress(AccountError, RefusedError, ClientError, OSError, TimeoutError):
            await account.send(subentry_id, message)
