"""The Home Assistant in which the benchmarks run, with the probe, the accounts and the baseline."""

import asyncio
from pathlib import Path
from typing import Final, Self, override

from custom_components.gosms.api import MessageStatus
from devtools.entry_driver import POLL_INTERVAL, READY_TIMEOUT, EntryDriver
from devtools.hass_client import FlowType, Json
from devtools.hass_process import LOGS, HomeAssistantProcess
from devtools.process import ROOT
from devtools.server_process import ServerProcess
from devtools.simulator_process import SimulatorProcess

from . import baseline

PROBE: Final = ROOT / "benchmarks" / "probe"

PLATFORMS: Final = ["binary_sensor", "config_flow", "event", "notify", "sensor", "switch"]

ANNA: Final = "79123456701"
BORIS: Final = "79123456702"

PHONE: Final = "6654a4e8f1527149588c89f2"

# More messages than are ever in transit at the same time.
_MAX_IN_TRANSIT: Final = 300

# Seconds that the calls of a storm wait for their answers.
_STORM_TIMEOUT: Final = 5

_BASELINE_DATA: Final = {"phone_number": ANNA}


class ProbedProcess(HomeAssistantProcess):
    """A Home Assistant in which the probe runs beside the integration, with the log levels of a normal user."""

    def __init__(self, folder: Path, simulator: SimulatorProcess) -> None:
        """Prepare a Home Assistant whose baseline uses this simulator."""
        logs = {name: level for name, level in LOGS.items() if name != "custom_components.gosms"}
        configuration = {
            "recorder": {},
            PROBE.name: {},
            "logger": {"default": "warning", "logs": logs},
            **baseline.configuration(simulator, [ANNA, BORIS]),
        }
        super().__init__(folder, configuration=configuration)

    async def probe(self, action: str, /, **data: object) -> Json:
        """Perform an action of the probe and return what it measured."""
        return await self.client.perform_action(f"{PROBE.name}.{action}", data, response=True) or {}

    async def advance_time(self, seconds: float, step: float) -> None:
        """Advance the clocks of Home Assistant, through HTTP: the websocket would time out waiting for the response."""
        await self.client.close_websocket()
        path = f"/api/services/{PROBE.name}/advance_time?return_response"
        await self.client.request("POST", path, {"seconds": seconds, "step": step})

    @override
    def _write_files(self) -> None:
        super()._write_files()
        (self.folder / "custom_components" / PROBE.name).symlink_to(PROBE, target_is_directory=True)


class Service:
    """The simulated service of one account, through its controls."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        """Use a running simulator."""
        self.simulator = simulator

    async def state(self, limit: int) -> Json:
        """Return the state, with at most limit of the newest messages and requests."""
        return await self.simulator.control("GET", f"state?limit={limit}")

    async def change(self, **changes: object) -> None:
        """Change the account."""
        await self.simulator.control("POST", "account", changes)

    async def deliver(self) -> None:
        """Deliver all messages in transit."""
        messages = (await self.state(_MAX_IN_TRANSIT))["messages"]["list"]
        in_transit = [message["id"] for message in messages if not MessageStatus(message["status"]).is_final]
        await self.change(set_status=[{"id": each, "status": MessageStatus.DELIVERED} for each in in_transit])


class Account:
    """An account with two recipients in Home Assistant, and its service."""

    def __init__(
        self, hass: ProbedProcess, service: Service, entry: EntryDriver, notify_id: str, total_id: str
    ) -> None:
        """Keep what was set up; notify_id and total_id are entity ids."""
        self.hass = hass
        self.service = service
        self.entry = entry
        self.total_id = total_id
        self._notify_id = notify_id

    @classmethod
    async def set_up(cls, hass: ProbedProcess, service: Service) -> Self:
        """Add the account as a user does, without an hourly limit."""
        simulator = service.simulator
        entry, form = await EntryDriver.add(hass.client, simulator.token, url=simulator.url)
        await entry.disable_hourly_limit()
        anna = await entry.add_recipient("Anna", ANNA, form=form)
        boris = await entry.add_recipient("Boris", BORIS)
        await entry.wait_until_ready(boris)
        return cls(hass, service, entry, await entry.entity_id(f"{anna}_sms"), await entry.entity_id("total_messages"))

    async def send(self, message: str, times: int, pause: float) -> Json:
        """Send messages one after another through the notify entity."""
        data = {"entity_id": self._notify_id}
        return await self.hass.probe(
            "perform", action="notify.send_message", data=data, message=message, times=times, pause=pause
        )

    async def send_baseline(self, message: str, times: int, pause: float) -> Json:
        """Send messages one after another through the action of the baseline."""
        return await self.hass.probe(
            "perform", action=baseline.ACTION, data=_BASELINE_DATA, message=message, times=times, pause=pause
        )

    async def burst(self, message: str, times: int) -> Json:
        """Send messages concurrently through the notify entity."""
        data = {"entity_id": self._notify_id}
        return await self.hass.probe(
            "perform_concurrently", action="notify.send_message", data=data, message=message, times=times
        )

    async def burst_baseline(self, message: str, times: int) -> Json:
        """Send messages concurrently through the action of the baseline."""
        return await self.hass.probe(
            "perform_concurrently", action=baseline.ACTION, data=_BASELINE_DATA, message=message, times=times
        )

    async def storm(self, message: str, times: int) -> Json:
        """Send messages as fast as Home Assistant begins the calls, which wait a few seconds for their answers."""
        data = {"entity_id": self._notify_id, "timeout": _STORM_TIMEOUT}
        return await self.hass.probe("storm", action="gosms.send_sms", data=data, message=message, times=times)

    async def disable(self) -> None:
        """Disable the account."""
        await self.hass.client.command("config_entries/disable", entry_id=self.entry.entry_id, disabled_by="user")

    async def add_phone(self) -> None:
        """Add a phone as a user does, and wait until its state is known."""
        handler = [self.entry.entry_id, "phone"]
        form = await self.hass.client.start_flow(FlowType.SUBENTRY, handler)
        user_input = {"device_id": PHONE, "name": "Pixel", "sim": "default"}
        await self.hass.client.submit_flow(FlowType.SUBENTRY, form["flow_id"], user_input)
        await self.hass.probe("settle")
        *_, phone = await self.entry.subentries()
        async with asyncio.timeout(READY_TIMEOUT):
            while not (await self.entry.state(f"{phone['subentry_id']}_battery")).isdecimal():
                await asyncio.sleep(POLL_INTERVAL)


class Ntfy:
    """Home Assistant's own ntfy integration with one topic: the same way through Home Assistant, nothing saved."""

    def __init__(self, hass: ProbedProcess, entry_id: str, notify_id: str) -> None:
        """Keep what was set up."""
        self._hass = hass
        self._entry_id = entry_id
        self._notify_id = notify_id

    @classmethod
    async def set_up(cls, hass: ProbedProcess, server: ServerProcess) -> Self:
        """Add it as a user does."""
        flow = await hass.client.start_flow(FlowType.CONFIG, "ntfy")
        user_input = {"url": server.url, "verify_ssl": True, "auth": {}}
        added = await hass.client.submit_flow(FlowType.CONFIG, flow["flow_id"], user_input)
        _, flow_id = added["next_flow"]
        await hass.client.submit_flow(FlowType.SUBENTRY, flow_id, {"next_step_id": "add_topic"})
        await hass.client.submit_flow(FlowType.SUBENTRY, flow_id, {"topic": "benchmark", "filter": {}})
        entry_id = added["result"]["entry_id"]
        async with asyncio.timeout(READY_TIMEOUT):
            while not (notify_ids := await cls._notify_ids(hass, entry_id)):
                await asyncio.sleep(POLL_INTERVAL)
        return cls(hass, entry_id, notify_ids[0])

    @staticmethod
    async def _notify_ids(hass: ProbedProcess, entry_id: str) -> list[str]:
        """Return the ids of the notify entities that have a state."""
        ids = [entity["entity_id"] for entity in await hass.client.entities(entry_id)]
        return [each for each in ids if each.startswith("notify.") and await hass.client.state(each)]

    async def send(self, message: str, times: int, pause: float) -> Json:
        """Send messages one after another through the notify entity."""
        data = {"entity_id": self._notify_id}
        return await self._hass.probe(
            "perform", action="notify.send_message", data=data, message=message, times=times, pause=pause
        )

    async def disable(self) -> None:
        """Disable it: its subscription is a task that never ends, so nothing else could wait for all tasks."""
        await self._hass.client.command("config_entries/disable", entry_id=self._entry_id, disabled_by="user")
