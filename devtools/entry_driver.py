"""Drives a config entry of the integration as a user does: through flows, actions and entity states."""

import asyncio
from dataclasses import dataclass
from typing import Self

from .hass_client import FlowType, HassApiError, HomeAssistantClient, Json

DOMAIN = "gosms"

READY_TIMEOUT = 60.0
POLL_INTERVAL = 0.2


class EntryDriverError(Exception):
    """The integration did not do what was requested; the message gives its own reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecentMessage:
    """A message in the attributes of the sensor `last_message`."""

    message_id: str
    recipient: str | None
    text: str
    status: str | None


class EntryDriver:
    """A config entry and its entities."""

    def __init__(self, client: HomeAssistantClient, entry_id: str) -> None:
        self.entry_id = entry_id
        self.client = client
        self._entity_ids: dict[str, str] = {}

    @classmethod
    async def add(
        cls, client: HomeAssistantClient, token: str, *, url: str | None = None, device_id: str | None = None
    ) -> tuple[Self, Json]:
        """Add the integration through its config flow; returns the entry and the recipient form that follows it."""
        form = await client.start_flow(FlowType.CONFIG, DOMAIN)
        user_input = {
            "api_token": token,
            "advanced": {"url": url} if url else {},
            **({"device_id": device_id} if device_id else {}),
        }
        result = await _submit(client, FlowType.CONFIG, form, user_input)
        _kind, flow_id = result["next_flow"]
        recipient_form = await client.get_flow(FlowType.SUBENTRY, flow_id)
        return cls(client, result["result"]["entry_id"]), recipient_form

    async def add_recipient(self, name: str, phone_number: str, *, form: Json | None = None) -> str:
        """Add a recipient through its flow, or through its form if that is open, and return the subentry's id."""
        form = form or await self.client.start_flow(FlowType.SUBENTRY, [self.entry_id, "recipient"])
        await _submit(self.client, FlowType.SUBENTRY, form, {"name": name, "phone_number": phone_number})
        return next(str(each["subentry_id"]) for each in reversed(await self.subentries()) if each["title"] == name)

    async def disable_hourly_limit(self, **others: int) -> None:
        """Turn off the hourly limit, since the tools send more than people do, and change others of that section."""
        form = await self.client.start_flow(FlowType.OPTIONS, self.entry_id)
        user_input: Json = {"sending": {}, "text": {}, "trust": {"hourly_limit": 0, **others}, "plan": {}}
        await _submit(self.client, FlowType.OPTIONS, form, user_input)

    async def reload(self) -> None:
        """Reload the entry."""
        await self.client.request("POST", f"/api/config/config_entries/entry/{self.entry_id}/reload")

    async def add_phone(self, device_id: str) -> None:
        """Add a phone through its flow, with the name that GoSMS.ru has for it."""
        form = await self.client.start_flow(FlowType.SUBENTRY, [self.entry_id, "phone"])
        await _submit(self.client, FlowType.SUBENTRY, form, {"device_id": device_id, "sim": "default"})

    async def subentries(self) -> list[Json]:
        """Return the recipients and phones."""
        subentries: list[Json] = await self.client.command("config_entries/subentries/list", entry_id=self.entry_id)
        return subentries

    async def wait_until_ready(self, subentry_id: str) -> None:
        """Wait for the recipient's entities and the first poll of the account."""
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                while not await self._has_state(f"{subentry_id}_sms"):
                    await asyncio.sleep(POLL_INTERVAL)
                while not (await self.state("total_messages")).isdecimal():
                    await asyncio.sleep(POLL_INTERVAL)
        except TimeoutError:
            raise EntryDriverError(f"no poll of the service succeeded within {READY_TIMEOUT:.0f} seconds") from None

    async def entity_id(self, key: str) -> str:
        """Return the id of the entity with a key (`total_messages`, or `<subentry id>_sms`)."""
        if key not in self._entity_ids:
            prefix = f"{self.entry_id}_"
            self._entity_ids = {
                entity["unique_id"].removeprefix(prefix): entity["entity_id"]
                for entity in await self.client.entities(self.entry_id)
            }
        if key not in self._entity_ids:
            raise EntryDriverError(f"the integration has no entity with the unique id …_{key}")
        return self._entity_ids[key]

    async def state(self, key: str) -> str:
        """Return the state of the entity with a key."""
        state = await self.client.state(await self.entity_id(key))
        return str(state["state"]) if state else "unavailable"

    async def recent_messages(self) -> list[RecentMessage]:
        """Return the messages in the sensor `last_message`, newest first."""
        state = await self.client.state(await self.entity_id("last_message"))
        messages: list[Json] = (state or {"attributes": {}})["attributes"].get("recent", [])
        return [
            RecentMessage(
                message_id=message["message_id"],
                recipient=message["recipient"],
                text=message["message"],
                status=message["status"],
            )
            for message in messages
        ]

    async def send(self, subentry_id: str, message: str) -> None:
        """Send a message to a recipient through its notify entity."""
        target = {"entity_id": await self.entity_id(f"{subentry_id}_sms")}
        try:
            await self.client.perform_action("notify.send_message", {"message": message}, target=target)
        except HassApiError as err:
            raise EntryDriverError(f"the message was refused: {err}") from err

    async def _has_state(self, key: str) -> bool:
        """Return whether an entity exists: the one of a new subentry is added a moment after it."""
        try:
            entity_id = await self.entity_id(key)
        except EntryDriverError:
            return False
        return await self.client.state(entity_id) is not None


async def _submit(client: HomeAssistantClient, flow_type: FlowType, form: Json, user_input: Json) -> Json:
    """Submit the last form of a flow and return its result; EntryDriverError with the flow's own text if it fails."""
    if form["type"] != "form":
        raise EntryDriverError(f"the flow started with {form}")
    result = await client.submit_flow(flow_type, form["flow_id"], user_input)
    if result["type"] == "form" and not result["errors"]:
        # The choice of a phone that sent recently, which may be left open.
        result = await client.submit_flow(flow_type, form["flow_id"], {})
    if result["type"] == "create_entry":
        return result
    section = "config_subentries" if flow_type is FlowType.SUBENTRY else flow_type.name.lower()
    response = await client.command("frontend/get_translations", language="en", category=section, integration=[DOMAIN])
    translations = response["resources"]
    reasons = [result["reason"]] if result["type"] == "abort" else list(result["errors"].values())
    prefix = f"component.{DOMAIN}.{section}."
    texts = [
        next(
            (text for key, text in translations.items() if key.startswith(prefix) and key.endswith(f".{reason}")),
            "no text",
        )
        for reason in reasons
    ]
    raise EntryDriverError("; ".join(f"{reason}: {text}" for reason, text in zip(reasons, texts, strict=True)))
