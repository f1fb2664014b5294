"""Config flow of an account: setup, reauthentication and reconfiguration."""

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
from .forms import async_validate_phone, normalize_vendor_id
from .options import CONF_DEFAULT_PHONE
from .options_flow import GoSmsOptionsFlow
from .runtime_data import GoSmsConfigEntry, async_create_client
from .subentry_flow import PhoneFlow, RecipientFlow
from .updates import async_try_again

_LOGGER = logging.getLogger(__name__)

# The vendor's tokens contain no other characters, and a header can't.
_TOKEN: Final = re.compile(r"[!-~]+")

# A token that was copied from a web page, a chat or a program may include invisible characters, quotation marks and the
# beginning of its header.
_INVISIBLE: Final = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_QUOTES: Final = " \"'`´«»‘’‚“”„"
_HEADER_PREFIX: Final = re.compile(rf"^(authorization[{_QUOTES}]*:[{_QUOTES}]*)?(bearer[{_QUOTES}]+)?", re.IGNORECASE)

_TOKEN_FIELD: Final[Mapping[vol.Marker, object]] = {
    vol.Required(CONF_API_TOKEN): TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")),
}
_PHONE_FIELD: Final[Mapping[vol.Marker, object]] = {vol.Optional(CONF_DEVICE_ID): TextSelector()}
_ADVANCED_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_URL, default=DEFAULT_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL))}
)

# Links in the forms to the pages of the control panel that show the values to enter.
_LINKS: Final = {"token_url": f"{CONTROL_PANEL_URL}/api"}
_USER_LINKS: Final = {**_LINKS, "phones_url": f"{CONTROL_PANEL_URL}/devices"}


class GoSmsConfigFlow(ConfigFlow, domain=DOMAIN):
    """Sets up an account, and changes its token and address."""

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: GoSmsConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the flows of the subentries."""
        return {SUBENTRY_RECIPIENT: RecipientFlow, SUBENTRY_PHONE: PhoneFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: GoSmsConfigEntry) -> GoSmsOptionsFlow:
        """Return the options flow."""
        return GoSmsOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the token, validate it and create the account."""
        errors: dict[str, str] = {}
        if user_input is not None:
            data = _connection_data(user_input)
            errors = await self._async_validate(data)
            phones: list[ConfigSubentryDataWithId] = []
            if not errors and (device_id := normalize_vendor_id(user_input.get(CONF_DEVICE_ID, ""))):
                title, errors = await async_validate_phone(self._client(data), device_id)
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
        return self._show_form(
            "user", {**_TOKEN_FIELD, **_PHONE_FIELD, **_advanced_section(errors)}, user_input, errors
        )

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Continue with the first recipient, since an account needs one to be useful."""
        recipient_flow = await self.hass.config_entries.subentries.async_init(
            (result["result"].entry_id, SUBENTRY_RECIPIENT), context=SubentryFlowContext(source=SOURCE_USER)
        )
        result["next_flow"] = (FlowType.CONFIG_SUBENTRIES_FLOW, recipient_flow["flow_id"])
        return result

    async def async_step_reauth(self, _entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Start reauthentication: the service rejected the token."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a new token, and validate it."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            data = _connection_data({**user_input, CONF_ADVANCED: {CONF_URL: entry.data[CONF_URL]}})
            errors = await self._async_validate(data)
            if not errors:
                return self._save(entry, data)
        return self._show_form("reauth_confirm", _TOKEN_FIELD, user_input, errors)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for another token or address, and validate them."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            data = _connection_data(user_input)
            errors = await self._async_validate(data)
            if not errors:
                return self._save(entry, data)
        # The current token is not shown: a user who may change it need not be able to read it.
        suggested = user_input or {CONF_ADVANCED: {CONF_URL: entry.data[CONF_URL]}}
        return self._show_form("reconfigure", {**_TOKEN_FIELD, **_advanced_section(errors)}, suggested, errors)

    async def _async_validate(self, data: dict[str, str]) -> dict[str, str]:
        """Validate token and address, and return the form's errors. Abort if another entry has them."""
        if not is_safe_address(data[CONF_URL]):
            # The frontend shows no error inside a section, so it is shown at the section itself.
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
        """Return a client for the input."""
        return async_create_client(self.hass, data[CONF_API_TOKEN], data[CONF_URL])

    def _save(self, entry: GoSmsConfigEntry, data: dict[str, str]) -> ConfigFlowResult:
        """Save the new data. The update listener applies a change."""
        if not entry.update_listeners or data.items() <= entry.data.items():
            async_try_again(self.hass, entry)
        return self.async_update_and_abort(entry, data_updates=data)

    def _show_form(
        self,
        step_id: str,
        fields: Mapping[vol.Marker, object],
        suggested: Mapping[str, Any] | None,
        errors: dict[str, str],
    ) -> ConfigFlowResult:
        """Show a form with suggested values."""
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(vol.Schema(fields), suggested),
            errors=errors,
            description_placeholders=_USER_LINKS if step_id == "user" else _LINKS,
        )


def _advanced_section(errors: Mapping[str, str]) -> dict[vol.Marker, object]:
    """Return the section for rare settings. It is open if it has an error."""
    return {vol.Required(CONF_ADVANCED): section(_ADVANCED_SCHEMA, {"collapsed": CONF_ADVANCED not in errors})}


def _connection_data(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return token and address, without characters that were copied along with them."""
    return {
        CONF_API_TOKEN: _clean_token(user_input[CONF_API_TOKEN]),
        CONF_URL: user_input[CONF_ADVANCED][CONF_URL].strip().rstrip("/"),
    }


def _clean_token(typed: str) -> str:
    """Return a token without characters that were copied along with it."""
    text = " ".join(_INVISIBLE.sub("", typed).split()).strip(_QUOTES)
    return _HEADER_PREFIX.sub("", text).strip(_QUOTES)
