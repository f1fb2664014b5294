"""A GoSMS account in a house: added, given recipients and read as a user does it, through Home Assistant alone."""

import asyncio
from dataclasses import dataclass
from typing import Self

from .home_assistant import Flow, HomeAssistant, Json, RefusedError

DOMAIN = "gosms"

READY_TIMEOUT = 20.0
PAUSE = 0.2


class AccountError(Exception):
    """The integration did not do what the user wanted; the text says why, in the integration's own words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A message as the sensor `last_message` tells of it."""

    message_id: str
    recipient: str | None
    text: str
    status: str | None


class Account:
    """The config entry of an account and its entities."""

    def __init__(self, home: HomeAssistant, entry_id: str) -> None:
        self.entry_id = entry_id
        self.home = home
        self._entity_ids: dict[str, str] = {}

    @classmethod
    async def add(
        cls, home: HomeAssistant, token: str, *, url: str | None = None, device_id: str | None = None
    ) -> tuple[Self, Json]:
        """Add the integration through its config flow; returns the account and the recipient's form it goes on with."""
        form = await home.start_flow(Flow.CONFIG, DOMAIN)
        answer = {
            "api_token": token,
            "advanced": {"url": url} if url else {},
            **({"device_id": device_id} if device_id else {}),
        }
        result = await _finish(home, Flow.CONFIG, form, answer)
        _kind, flow_id = result["next_flow"]
        recipient_form = await home.look_at_flow(Flow.SUBENTRY, flow_id)
        return cls(home, result["result"]["entry_id"]), recipient_form

    async def add_recipient(self, name: str, phone_number: str, *, form: Json | None = None) -> str:
        """Add a recipient through its flow, which form is the first step of, and return the subentry's id."""
        form = form or await self.home.start_flow(Flow.SUBENTRY, [self.entry_id, "recipient"])
        await _finish(self.home, Flow.SUBENTRY, form, {"name": name, "phone_number": phone_number})
        return next(str(each["subentry_id"]) for each in reversed(await self.subentries()) if each["title"] == name)

    async def send_without_limit(self) -> None:
        """Lift the guard against a runaway automation, in the options: programs send more in an hour than people do."""
        form = await self.home.start_flow(Flow.OPTIONS, self.entry_id)
        answer: Json = {"sending": {}, "text": {}, "trust": {"hourly_limit": 0}}
        await _finish(self.home, Flow.OPTIONS, form, answer)

    async def add_phone(self, device_id: str) -> None:
        """Add a phone through its flow, under the name that GoSMS knows."""
        form = await self.home.start_flow(Flow.SUBENTRY, [self.entry_id, "phone"])
        await _finish(self.home, Flow.SUBENTRY, form, {"device_id": device_id, "sim": "default"})

    async def subentries(self) -> list[Json]:
        """Return the recipients and phones."""
        subentries: list[Json] = await self.home.command("config_entries/subentries/list", entry_id=self.entry_id)
        return subentries

    async def ready(self, subentry_id: str) -> None:
        """Wait until the recipient's entities are there and the account was polled."""
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                while not await self._has_state(f"{subentry_id}_sms"):
                    await asyncio.sleep(PAUSE)
                while not (await self.state("total_messages")).isdecimal():
                    await asyncio.sleep(PAUSE)
        except TimeoutError:
            raise AccountError(f"no poll of the service succeeded within {READY_TIMEOUT:.0f} seconds") from None

    async def entity_id(self, key: str) -> str:
        """Return the id of the entity of a key (`total_messages`, or `<subentry id>_sms`)."""
        if key not in self._entity_ids:
            prefix = f"{self.entry_id}_"
            self._entity_ids = {
                entity["unique_id"].removeprefix(prefix): entity["entity_id"]
                for entity in await self.home.entities(self.entry_id)
            }
        if key not in self._entity_ids:
            raise AccountError(f"the integration made no entity with the unique id …_{key}")
        return self._entity_ids[key]

    async def state(self, key: str) -> str:
        """Return the state of the entity of a key."""
        state = await self.home.state(await self.entity_id(key))
        return str(state["state"]) if state else "unavailable"

    async def recent(self) -> list[Sent]:
        """Return the newest messages, newest first, as the sensor `last_message` tells them."""
        state = await self.home.state(await self.entity_id("last_message"))
        messages: list[Json] = (state or {"attributes": {}})["attributes"].get("recent", [])
        return [
            Sent(
                message_id=message["message_id"],
                recipient=message["recipient"],
                text=message["message"],
                status=message["status"],
            )
            for message in messages
        ]

    async def send(self, subentry_id: str, message: str) -> None:
        """Send a message to a recipient by the action of their notify entity."""
        target = {"entity_id": await self.entity_id(f"{subentry_id}_sms")}
        try:
            await self.home.act("notify.send_message", {"message": message}, target=target)
        except RefusedError as err:
            raise AccountError(f"the message was refused: {err}") from err

    async def _has_state(self, key: str) -> bool:
        """Tell whether an entity is there: it comes with the reload that follows a new subentry."""
        try:
            entity_id = await self.entity_id(key)
        except AccountError:
            return False
        return await self.home.state(entity_id) is not None


async def _finish(home: HomeAssistant, kind: Flow, form: Json, answer: Json) -> Json:
    """Answer a form and return the entry made by it."""
    if form["type"] != "form":
        raise AccountError(f"the flow began with {form}")
    result = await home.answer_flow(kind, form["flow_id"], answer)
    if result["type"] == "create_entry":
        return result
    section = "config_subentries" if kind is Flow.SUBENTRY else kind.name.lower()
    texts = (await home.command("frontend/get_translations", language="en", category=section, integration=[DOMAIN]))[
        "resources"
    ]
    reasons = [result["reason"]] if result["type"] == "abort" else list(result["errors"].values())
    place = f"component.{DOMAIN}.{section}."
    told = [
        next((text for key, text in texts.items() if key.startswith(place) and key.endswith(f".{reason}")), "no text")
        for reason in reasons
    ]
    raise AccountError("; ".join(f"{reason}: {text}" for reason, text in zip(reasons, told, strict=True)))
