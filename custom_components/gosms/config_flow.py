"""The flows of an account: set-up, a new token, other connection settings."""

from collections.abc import Mapping
import logging
import re
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryDataWithId,
    ConfigSubentryFlow,
    FlowType,
    SubentryFlowContext,
)
from homeassistant.const import CONF_API_TOKEN, CONF_DEVICE_ID, CONF_URL
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType
from homeassistant.util.ulid import ulid_now
import voluptuous as vol

from .address import is_safe_address
from .api import DEFAULT_URL, GoSmsClient, GoSmsError
from .const import CONF_ADVANCED, CONF_SIM, CONTROL_PANEL_URL, DOMAIN, SIM_DEFAULT, SUBENTRY_PHONE, SUBENTRY_RECIPIENT
from .errors import form_error
from .forms import async_check_phone, normalize_vendor_id
from .options import CONF_DEFAULT_PHONE
from .options_flow import GoSmsOptionsFlow
from .runtime_data import GoSmsConfigEntry, async_create_client
from .subentry_flow import PhoneFlow, RecipientFlow

_LOGGER = logging.getLogger(__name__)

# Anything else can't travel in a header, and the vendor's tokens have nothing else in them.
_TOKEN: Final = re.compile(r"[!-~]+")

# What a token brings along from a web page, a chat or somebody's program: marks that nobody sees, quotation marks, and
# the words of its header.
_INVISIBLE: Final = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_QUOTES: Final = " \"'`´«»‘’‚“”„"
_HEADER: Final = re.compile(rf"^(authorization[{_QUOTES}]*:[{_QUOTES}]*)?(bearer[{_QUOTES}]+)?", re.IGNORECASE)

_TOKEN_FIELD: Final[Mapping[vol.Marker, object]] = {
    vol.Required(CONF_API_TOKEN): TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")),
}
_PHONE_FIELD: Final[Mapping[vol.Marker, object]] = {vol.Optional(CONF_DEVICE_ID): TextSelector()}
_ADVANCED_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_URL, default=DEFAULT_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL))}
)

# Where the forms send people for what they ask for.
_LINKS: Final = {"token_url": f"{CONTROL_PANEL_URL}/api"}
_USER_LINKS: Final = {**_LINKS, "phones_url": f"{CONTROL_PANEL_URL}/devices"}


class GoSmsConfigFlow(ConfigFlow, domain=DOMAIN):
    """Sets up an account and changes how it is reached."""

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: GoSmsConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to an account."""
        return {SUBENTRY_RECIPIENT: RecipientFlow, SUBENTRY_PHONE: PhoneFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: GoSmsConfigEntry) -> GoSmsOptionsFlow:
        """Return the flow of the options."""
        return GoSmsOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the token, prove it, and make the account."""
        errors: dict[str, str] = {}
        if user_input is not None:
            data = _connection(user_input)
            errors = await self._async_check(data)
            phones: list[ConfigSubentryDataWithId] = []
            if not errors and (device_id := normalize_vendor_id(user_input.get(CONF_DEVICE_ID, ""))):
                title, errors = await async_check_phone(self._client(data), device_id)
                phones = [
                    ConfigSubentryDataWithId(
                        data={CONF_DEVICE_ID: device_id, CONF_SIM: SIM_DEFAULT},
                        subentry_id=ulid_now(),
                        subentry_type=SUBENTRY_PHONE,
                        title=title,
                        unique_id=device_id,
                    )
                ]
            if not errors:
                return self.async_create_entry(
                    title="GoSMS.ru",
                    data=data,
                    options={CONF_DEFAULT_PHONE: phones[0]["subentry_id"]} if phones else {},
                    subentries=phones,
                )
        return self._show("user", {**_TOKEN_FIELD, **_PHONE_FIELD, **_advanced(errors)}, user_input, errors)

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Go on with the first recipient: an account alone sends nothing."""
        recipient_flow = await self.hass.config_entries.subentries.async_init(
            (result["result"].entry_id, SUBENTRY_RECIPIENT), context=SubentryFlowContext(source=SOURCE_USER)
        )
        result["next_flow"] = (FlowType.CONFIG_SUBENTRIES_FLOW, recipient_flow["flow_id"])
        return result

    async def async_step_reauth(self, _entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Start to ask for a new token: the service refused the one in use."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a new token, and prove it."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            data = _connection({**user_input, CONF_ADVANCED: {CONF_URL: entry.data[CONF_URL]}})
            errors = await self._async_check(data)
            if not errors:
                return self._save(entry, data)
        return self._show("reauth_confirm", _TOKEN_FIELD, user_input, errors)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for another token or address, and prove them."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            data = _connection(user_input)
            errors = await self._async_check(data)
            if not errors:
                return self._save(entry, data)
        # The token in use is not shown: whoever may change it need not be able to read it.
        suggested = user_input or {CONF_ADVANCED: {CONF_URL: entry.data[CONF_URL]}}
        return self._show("reconfigure", {**_TOKEN_FIELD, **_advanced(errors)}, suggested, errors)

    async def _async_check(self, data: dict[str, str]) -> dict[str, str]:
        """Prove token and address, and return the form's errors; abort if another entry has them."""
        if not is_safe_address(data[CONF_URL]):
            # The interface shows no error inside a section, so it stands at the section itself.
            return {CONF_ADVANCED: "invalid_url"}
        if not _TOKEN.fullmatch(data[CONF_API_TOKEN]):
            return {"base": "invalid_auth"}
        self._async_abort_entries_match(data)
        try:
            await self._client(data).list(limit=1)
        except GoSmsError as err:
            return {"base": form_error(err)}
        except Exception:
            _LOGGER.exception("Unexpected error while checking the token")
            return {"base": "unknown"}
        return {}

    def _client(self, data: dict[str, str]) -> GoSmsClient:
        """Return a client for what was filled in."""
        return async_create_client(self.hass, data[CONF_API_TOKEN], data[CONF_URL])

    def _save(self, entry: GoSmsConfigEntry, data: dict[str, str]) -> ConfigFlowResult:
        """Put the new settings in force."""
        # The update listener reloads an entry that is loaded and changed; the others are reloaded here.
        if not entry.update_listeners or data.items() <= entry.data.items():
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_update_and_abort(entry, data_updates=data)

    def _show(
        self,
        step_id: str,
        fields: Mapping[vol.Marker, object],
        suggested: Mapping[str, Any] | None,
        errors: dict[str, str],
    ) -> ConfigFlowResult:
        """Show a form, with what was filled in before."""
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(vol.Schema(fields), suggested),
            errors=errors,
            description_placeholders=_USER_LINKS if step_id == "user" else _LINKS,
        )


def _advanced(errors: Mapping[str, str]) -> dict[vol.Marker, object]:
    """Return the section that few people need; it is open if something in it is wrong."""
    return {vol.Required(CONF_ADVANCED): section(_ADVANCED_SCHEMA, {"collapsed": CONF_ADVANCED not in errors})}


def _connection(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return token and address without what slips in when they are copied."""
    return {
        CONF_API_TOKEN: _bare_token(user_input[CONF_API_TOKEN]),
        CONF_URL: user_input[CONF_ADVANCED][CONF_URL].strip().rstrip("/"),
    }


def _bare_token(typed: str) -> str:
    """Return a token without what comes along when it is copied."""
    text = " ".join(_INVISIBLE.sub("", typed).split()).strip(_QUOTES)
    return _HEADER.sub("", text).strip(_QUOTES)
