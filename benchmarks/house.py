"""A house with a stopwatch in it, accounts to measure, and beside them what is configured by hand."""

import asyncio
from pathlib import Path
from typing import Final, Self, override

from workshop.account import PAUSE, READY_TIMEOUT, Account
from workshop.child import ROOT
from workshop.home_assistant import Flow, Json
from workshop.house import LOGS, House
from workshop.service import Service

from . import by_hand

STOPWATCH: Final = ROOT / "benchmarks" / "stopwatch"

PLATFORMS: Final = ["binary_sensor", "config_flow", "event", "notify", "sensor", "switch"]

ANNA: Final = "79123456701"
BORIS: Final = "79123456702"

PHONE: Final = "6654a4e8f1527149588c89f2"

# More than are ever under way at the same time.
_UNDER_WAY: Final = 300

_HAND: Final = {"phone_number": ANNA}


class TimedHouse(House):
    """A house in which the stopwatch lives beside the integration; it logs as one does that nobody looks into."""

    def __init__(self, folder: Path, service: Service) -> None:
        """Plan a house whose configuration by hand uses this service."""
        logs = {name: level for name, level in LOGS.items() if name != "custom_components.gosms"}
        configuration = {
            "recorder": {},
            "stopwatch": {},
            "logger": {"default": "warning", "logs": logs},
            **by_hand.configuration(service, [ANNA, BORIS]),
        }
        super().__init__(folder, configuration=configuration)

    async def stopwatch(self, name: str, /, **data: object) -> Json:
        """Let the stopwatch do something, and return what it measured."""
        return await self.home.act(f"stopwatch.{name}", data, response=True) or {}

    async def pass_time(self, seconds: float, step: float) -> None:
        """Let time pass in the house. It must not happen on the websocket, which waits for an answer meanwhile."""
        await self.home.hang_up()
        path = "/api/services/stopwatch/pass_time?return_response"
        await self.home.request("POST", path, {"seconds": seconds, "step": step})

    @override
    def _furnish(self) -> None:
        super()._furnish()
        (self.folder / "custom_components" / STOPWATCH.name).symlink_to(STOPWATCH, target_is_directory=True)


class Server:
    """A simulated service, and what can be asked of it and done to it beside its API."""

    def __init__(self, service: Service) -> None:
        """Speak to a service that runs."""
        self.service = service

    async def state(self, limit: int) -> Json:
        """Return what it knows, with so many of the newest messages and requests."""
        return await self.service.control("GET", f"state?limit={limit}")

    async def change(self, **changes: object) -> None:
        """Change the account."""
        await self.service.control("POST", "account", changes)

    async def deliver(self) -> None:
        """Deliver all messages that are under way."""
        messages = (await self.state(_UNDER_WAY))["messages"]["list"]
        await self.change(
            set_status=[{"id": message["id"], "status": 4} for message in messages if message["status"] < 3]
        )


class Home:
    """An account with two recipients in a house, and its service."""

    def __init__(self, house: TimedHouse, server: Server, account: Account, entity_id: str, total: str) -> None:
        """Take what was set up."""
        self.house = house
        self.server = server
        self.account = account
        self._entity_id = entity_id
        self.total = total

    @classmethod
    async def set_up(cls, house: TimedHouse, server: Server) -> Self:
        """Add the account as a user does it, without a limit to what may be sent in an hour."""
        service = server.service
        account, form = await Account.add(house.home, service.token, url=service.url)
        anna = await account.add_recipient("Anna", ANNA, form=form)
        boris = await account.add_recipient("Boris", BORIS)
        await account.send_without_limit()
        await account.ready(boris)
        return cls(
            house, server, account, await account.entity_id(f"{anna}_sms"), await account.entity_id("total_messages")
        )

    async def send(self, message: str, times: int, pause: float) -> Json:
        """Send with the notify entity."""
        data = {"entity_id": self._entity_id}
        return await self.house.stopwatch(
            "perform", action="notify.send_message", data=data, message=message, times=times, pause=pause
        )

    async def send_by_hand(self, message: str, times: int, pause: float) -> Json:
        """Send with the action that was configured by hand."""
        return await self.house.stopwatch(
            "perform", action=by_hand.ACTION, data=_HAND, message=message, times=times, pause=pause
        )

    async def burst(self, message: str, times: int) -> Json:
        """Send many at once with the notify entity."""
        data = {"entity_id": self._entity_id}
        return await self.house.stopwatch(
            "perform_at_once", action="notify.send_message", data=data, message=message, times=times
        )

    async def burst_by_hand(self, message: str, times: int) -> Json:
        """Send many at once with the action that was configured by hand."""
        return await self.house.stopwatch(
            "perform_at_once", action=by_hand.ACTION, data=_HAND, message=message, times=times
        )

    async def add_phone(self) -> None:
        """Add a phone as a user does it, and wait until the house knows how it is."""
        handler = [self.account.entry_id, "phone"]
        form = await self.house.home.start_flow(Flow.SUBENTRY, handler)
        answer = {"device_id": PHONE, "name": "Pixel", "sim": "default"}
        await self.house.home.answer_flow(Flow.SUBENTRY, form["flow_id"], answer)
        await self.house.stopwatch("settle")
        *_, phone = await self.house.home.command("config_entries/subentries/list", entry_id=self.account.entry_id)
        async with asyncio.timeout(READY_TIMEOUT):
            while not (await self.account.state(f"{phone['subentry_id']}_battery")).isdecimal():
                await asyncio.sleep(PAUSE)
