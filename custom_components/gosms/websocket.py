"""The websocket command of the card: subscribes to the messages of an account."""

from dataclasses import replace
from typing import Any, Final

from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.const import ERR_NOT_FOUND, ERR_UNAUTHORIZED
from homeassistant.components.websocket_api.decorators import async_response, websocket_command
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntryState
from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import voluptuous as vol

from .const import DOMAIN
from .feed import Feed, View, async_load_texts
from .permissions import Rights
from .runtime_data import GoSmsConfigEntry

_LANGUAGE: Final = "language"
_LIMIT: Final = "limit"
_MAX_LENGTH: Final = 255


@callback
def async_setup_websocket(hass: HomeAssistant) -> None:
    """Register the command."""
    async_register_command(hass, async_subscribe_messages)


@websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/messages/subscribe",
        vol.Optional(ATTR_CONFIG_ENTRY_ID): vol.All(str, vol.Length(max=_MAX_LENGTH)),
        vol.Optional(_LIMIT, default=50): vol.All(int, vol.Range(min=1, max=200)),
        vol.Optional(_LANGUAGE): vol.All(str, vol.Match(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}\Z")),
    }
)
@async_response
async def async_subscribe_messages(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """Send the newest messages of an account, then every change of them."""
    texts = await async_load_texts(hass, msg.get(_LANGUAGE) or hass.config.language)
    entry = _find_entry(hass, msg.get(ATTR_CONFIG_ENTRY_ID))
    if entry is None:
        connection.send_error(msg["id"], ERR_NOT_FOUND, "No such account, or it is not loaded")
        return
    feed = Feed(Rights(hass=hass, entry=entry, user=connection.user), texts, msg[_LIMIT])
    if not feed.may_look:
        connection.send_error(msg["id"], ERR_UNAUTHORIZED, "Unauthorized")
        return
    subscription = _Subscription(hass, connection, msg["id"], entry, feed)
    connection.subscriptions[msg["id"]] = subscription.async_close
    connection.send_result(msg["id"])
    subscription.async_start()


def _find_entry(hass: HomeAssistant, entry_id: str | None) -> GoSmsConfigEntry | None:
    """Return the account with an id, or the only one; None unless it is loaded."""
    entries: list[GoSmsConfigEntry] = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
    found = [entry for entry in entries if entry_id in (None, entry.entry_id)]
    return found[0] if len(found) == 1 and found[0].state is ConfigEntryState.LOADED else None


class _Subscription:
    """Sends a browser all messages once, then only what changed. It survives a reload of the account."""

    def __init__(
        self,
        hass: HomeAssistant,
        connection: ActiveConnection,
        message_id: int,
        entry: GoSmsConfigEntry,
        feed: Feed,
    ) -> None:
        """Initialize the subscription to a feed. The message id is that of the command."""
        self._hass = hass
        self._connection = connection
        self._message_id = message_id
        self._entry = entry
        self._feed = feed
        self._sent = View()
        self._is_planned = False
        self._cancel_planned: CALLBACK_TYPE = lambda: None
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._unsubscribe_account: list[CALLBACK_TYPE] = []

    @callback
    def async_start(self) -> None:
        """Send everything, and then what changes."""
        hass = self._hass
        self._unsubscribe = [
            self._entry.async_on_state_change(self._async_follow),
            async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_plan),
            hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._async_plan),
            hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, self._async_plan),
        ]
        self._async_follow()
        self._sent = view = self._feed.look()
        self._send({"account": view.account, "messages": [*view.rows.values()], "has_more": view.has_more})

    @callback
    def async_close(self) -> None:
        """Stop sending."""
        self._ignore_account()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._cancel_planned()

    @callback
    def _async_follow(self) -> None:
        """Follow the account as it is loaded now."""
        self._ignore_account()
        if self._entry.state is ConfigEntryState.LOADED:
            data = self._entry.runtime_data
            self._unsubscribe_account = [
                data.outbox.async_add_message_listener(self._async_plan),
                data.coordinator.async_add_listener(self._async_plan),
            ]
        self._async_plan()

    def _ignore_account(self) -> None:
        """Stop following the account."""
        for unsubscribe in self._unsubscribe_account:
            unsubscribe()
        self._unsubscribe_account = []

    @callback
    def _async_plan(self, *_reason: object) -> None:
        """Look for changes in the next iteration of the event loop, once for all that happens in this one."""
        if not self._is_planned:
            self._is_planned = True
            self._cancel_planned = self._hass.loop.call_soon(self._async_send_changes).cancel

    @callback
    def _async_send_changes(self) -> None:
        """Send what changed."""
        self._is_planned = False
        before = self._sent
        if self._entry.state is ConfigEntryState.LOADED:
            view = self._feed.look()
        else:
            # The messages are kept, and the card shows that the account is not available.
            view = replace(before, account={**before.account, "available": False})
        self._sent = view
        changes: dict[str, Any] = {
            "messages": [row for key, row in view.rows.items() if before.rows.get(key) != row],
            "removed": [key for key in before.rows if key not in view.rows],
        }
        changes = {name: keys for name, keys in changes.items() if keys}
        if view.account != before.account:
            changes["account"] = view.account
        if view.has_more != before.has_more:
            changes["has_more"] = view.has_more
        if changes:
            self._send(changes)

    def _send(self, event: dict[str, Any]) -> None:
        """Send an event."""
        self._connection.send_message(event_message(self._message_id, event))
