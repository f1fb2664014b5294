"""Actions `notify.<recipient>` for integrations that take no entities, such as `alert`. They are off by default."""

from typing import Final

from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.core import Event, HomeAssistant, ServiceCall, callback, split_entity_id
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.service import async_set_service_schema
from homeassistant.util.hass_dict import HassKey
import voluptuous as vol

from .const import DOMAIN
from .entity import async_notify_entities
from .options import Options
from .runtime_data import GoSmsConfigEntry

_MESSAGE: Final = "message"
_TITLE: Final = "title"

# Other fields that callers give, such as `data` and `target`, are for other kinds of notifications, and are ignored.
_SCHEMA: Final = vol.Schema(
    {vol.Required(_MESSAGE): cv.string, vol.Optional(_TITLE): vol.Maybe(cv.string)}, extra=vol.ALLOW_EXTRA
)
_FIELDS: Final = {
    _MESSAGE: {"required": True, "selector": {"text": {"multiline": True}}},
    _TITLE: {"selector": {"text": {}}},
}

# By the ids of the entries.
_ACTIONS: HassKey[dict[str, NotifyActions]] = HassKey("gosms_notify_actions")


@callback
def async_setup_notify_actions(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Register the actions of an account, and keep them up to date with its option and its recipients.

    Call it after the notify entities were added: an action has the name of an entity, which is unique and stays. Like
    these, the actions stay while the account is reloaded.
    """
    actions = hass.data.setdefault(_ACTIONS, {}).setdefault(entry.entry_id, NotifyActions(hass, entry))
    actions.async_update()
    entry.async_on_unload(entry.add_update_listener(actions.async_on_entry_updated))
    entry.async_on_unload(
        hass.bus.async_listen(
            er.EVENT_ENTITY_REGISTRY_UPDATED, actions.async_on_registry_updated, event_filter=_is_notify_entity
        )
    )


@callback
def async_remove_notify_actions(hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
    """Remove the actions of an account that is not reloaded."""
    if actions := hass.data.get(_ACTIONS, {}).pop(entry.entry_id, None):
        actions.async_remove_all()


class NotifyActions:
    """The actions of an account."""

    def __init__(self, hass: HomeAssistant, entry: GoSmsConfigEntry) -> None:
        """Initialize without any action."""
        self._hass = hass
        self._entry = entry
        # The names of the actions, by the entity and the name of the recipient.
        self._names: dict[tuple[str, str], str] = {}

    async def async_on_entry_updated(self, _hass: HomeAssistant, _entry: GoSmsConfigEntry) -> None:
        """Apply a change of the option."""
        self.async_update()

    @callback
    def async_on_registry_updated(self, _event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        """Apply a change of the recipients."""
        self.async_update()

    @callback
    def async_update(self) -> None:
        """Register and remove actions, so that each recipient has one if the option is on."""
        recipients = self._recipients()
        for recipient in self._names.keys() - recipients:
            self._remove(recipient)
        for recipient in sorted(recipients - self._names.keys()):
            self._register(*recipient)

    @callback
    def async_remove_all(self) -> None:
        """Remove all actions."""
        for recipient in list(self._names):
            self._remove(recipient)

    def _recipients(self) -> set[tuple[str, str]]:
        """Return the entities and names of the recipients that get an action."""
        if not Options.from_entry(self._entry).notify_actions:
            return set()
        return {
            (entity.entity_id, recipient.title)
            for entity in async_notify_entities(self._hass, self._entry)
            if (recipient := self._entry.subentries.get(entity.config_subentry_id or ""))
        }

    def _register(self, entity_id: str, title: str) -> None:
        """Register the action of a recipient, under another name if there is such an action already."""

        async def async_send(call: ServiceCall) -> None:
            texts = {field: call.data[field] for field in (_MESSAGE, _TITLE) if field in call.data}
            await self._hass.services.async_call(
                DOMAIN, "send_sms", {"entity_id": entity_id, **texts}, blocking=True, context=call.context
            )

        _, name = split_entity_id(entity_id)
        while self._hass.services.has_service(NOTIFY_DOMAIN, name):
            name = f"{DOMAIN}_{name}"
        self._names[entity_id, title] = name
        self._hass.services.async_register(NOTIFY_DOMAIN, name, async_send, _SCHEMA)
        async_set_service_schema(self._hass, NOTIFY_DOMAIN, name, {"name": f"SMS: {title}", "fields": _FIELDS})

    def _remove(self, recipient: tuple[str, str]) -> None:
        """Remove the action of a recipient."""
        self._hass.services.async_remove(NOTIFY_DOMAIN, self._names.pop(recipient))


@callback
def _is_notify_entity(event: er.EventEntityRegistryUpdatedData) -> bool:
    """Return whether an event is about a notify entity."""
    return split_entity_id(event["entity_id"])[0] == NOTIFY_DOMAIN
