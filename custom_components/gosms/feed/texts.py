"""The texts of the feed, in the language of the user."""

from collections.abc import Mapping
from dataclasses import dataclass

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_cached_translations, async_get_translations

from ..const import DOMAIN
from ..errors import Failure, localize


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """The integration's texts in one language.

    Attributes:
        hass: Home Assistant.
        language: a language whose texts are loaded.
    """

    hass: HomeAssistant
    language: str

    def status(self, status: str | None) -> str | None:
        """Return the text of a status, or None without one."""
        if status is None:
            return None
        return self._find("entity", f"entity.sensor.last_message_status.state.{status}", status)

    def event(self, kind: str) -> str:
        """Return the text of an event type."""
        return self._find("entity", f"entity.event.message.state_attributes.event_type.state.{kind}", kind)

    def failure(self, failure: Failure) -> str:
        """Return the text of a failure."""
        return localize(self.hass, failure.error(self.hass, self.language), self.language)

    def problem(self, key: str, placeholders: Mapping[str, str]) -> str:
        """Return what a problem of an account means for its messages: the text of an error, else a repair's title.

        The problem of a phone has the title, which names the phone.
        """
        title = self._find("issues", f"issues.{key}.title", key)
        text = title if "phone" in placeholders else self._find("exceptions", f"exceptions.{key}.message", title)
        return text.format_map(placeholders)

    def _find(self, category: str, path: str, default: str) -> str:
        """Return a text of the integration, or the default if there is none."""
        texts = async_get_cached_translations(self.hass, self.language, category, DOMAIN)
        return texts.get(f"component.{DOMAIN}.{path}", default)


async def async_load_texts(hass: HomeAssistant, language: str) -> Texts:
    """Return the texts in a language. Those that it lacks are in English."""
    for category in ("entity", "exceptions", "issues"):
        await async_get_translations(hass, language, category, [DOMAIN])
    return Texts(hass=hass, language=language)
