"""The words of the feed, in the language of whoever looks."""

from collections.abc import Mapping
from dataclasses import dataclass

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_cached_translations, async_get_translations

from ..const import DOMAIN
from ..errors import Failure, localize


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """Words for what the feed tells.

    Attributes:
        hass: Home Assistant.
        language: a language whose texts are loaded.
    """

    hass: HomeAssistant
    language: str

    def status(self, status: str | None) -> str | None:
        """Return a status in words, or None without one."""
        if status is None:
            return None
        return self._find("entity", f"entity.sensor.last_message_status.state.{status}", status)

    def event(self, kind: str) -> str:
        """Return the type of an event in words."""
        return self._find("entity", f"entity.event.message.state_attributes.event_type.state.{kind}", kind)

    def failure(self, failure: Failure) -> str:
        """Return what went wrong in words."""
        return localize(self.hass, failure.error(self.hass, self.language), self.language)

    def problem(self, key: str, placeholders: Mapping[str, str]) -> str:
        """Return what a problem of an account means for its messages in words."""
        title = self._find("issues", f"issues.{key}.title", key)
        return self._find("exceptions", f"exceptions.{key}.message", title).format_map(placeholders)

    def _find(self, category: str, path: str, default: str) -> str:
        """Return a text of the integration."""
        texts = async_get_cached_translations(self.hass, self.language, category, DOMAIN)
        return texts.get(f"component.{DOMAIN}.{path}", default)


async def async_load_texts(hass: HomeAssistant, language: str) -> Texts:
    """Return the words in a language; where there are none, they are in English."""
    for category in ("entity", "exceptions", "issues"):
        await async_get_translations(hass, language, category, [DOMAIN])
    return Texts(hass=hass, language=language)
