"""Switches of the phones: whether a phone may send."""

from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import GoSmsPhoneDescription, GoSmsPhoneEntity, async_add_for_phones
from .runtime_data import GoSmsConfigEntry

# Run one call at a time, so that the last of several quick toggles wins.
PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class GoSmsPhoneSwitchDescription(GoSmsPhoneDescription[bool | None], SwitchEntityDescription):
    """Describes a switch of a phone."""


_SENDING: Final = GoSmsPhoneSwitchDescription(
    key="sending",
    translation_key="sending",
    entity_category=EntityCategory.CONFIG,
    value_fn=lambda phone: phone.data.is_active,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: GoSmsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the switches."""
    async_add_for_phones(
        hass, entry, async_add_entities, lambda phone: [GoSmsPhoneSwitch(hass, entry, _SENDING, phone)]
    )


class GoSmsPhoneSwitch(GoSmsPhoneEntity[bool | None], SwitchEntity):
    """Allows a phone to send, or forbids it."""

    entity_description: GoSmsPhoneSwitchDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether the phone may send."""
        return self.value

    @override
    async def async_turn_on(self, **_kwargs: Any) -> None:
        """Allow the phone to send."""
        await self.coordinator.async_set_active(active=True)

    @override
    async def async_turn_off(self, **_kwargs: Any) -> None:
        """Forbid the phone to send."""
        await self.coordinator.async_set_active(active=False)
