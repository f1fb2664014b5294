"""Config flow of an account: setup, reauthentication and reconfiguration."""

from collections.abc import Mapping
from itertools import chain, count
import logging
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
from homeassistant.const import CONF_API_TOKEN, CONF_DEVICE_ID, CONF_NAME, CONF_URL
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import SelectOptionDict, TextSelector, TextSelectorConfig, TextSelectorType
from homeassistant.util.ulid import ulid_now
import voluptuous as vol

from .address import is_safe_address
from .api import DEFAULT_URL, GoSmsClient, GoSmsError
from .api_token import clean_token, token_error
from .const import CONF_ADVANCED, CONF_SIM, CONTROL_PANEL_URL, DOMAIN, SIM_DEFAULT, SUBENTRY_PHONE, SUBENTRY_RECIPIENT
from .errors import form_error
from .forms import (
    PHONES_LINK,
    async_is_other_account,
    async_recent_phones,
    async_validate_phone,
    clean_name,
    device_id_selector,
    normalize_vendor_id,
)
from .options import CONF_DEFAULT_PHONE
from .options_flow import GoSmsOptionsFlow
from .runtime_data import GoSmsConfigEntry, async_create_client
from .subentries import phones
from .subentry_flow import PhoneFlow, RecipientFlow
from .updates import async_try_again

_LOGGER = logging.getLogger(__name__)

# The title of an account without a name of its own.
_DEFAULT_NAME: Final = "GoSMS.ru"

_TOKEN_FIELD: Final[Mapping[vol.Marker, object]] = {
    vol.Required(CONF_API_TOKEN): TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")),
}
_ADVANCED_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_URL, default=DEFAULT_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL))}
)

# The fields of each step that are always the same.
_FIELDS: Final[Mapping[str, Mapping[vol.Marker, object]]] = {
    "user": {**_TOKEN_FIELD, vol.Optional(CONF_NAME): TextSelector(), vol.Optional(CONF_DEVICE_ID): TextSelector()},
    "phone": {},
    "reauth_confirm": _TOKEN_FIELD,
    "reconfigure": _TOKEN_FIELD,
}

# Links in each step to the pages of the control panel that show the values to enter.
_TOKEN_LINK: Final = {"token_url": f"{CONTROL_PANEL_URL}/api"}
_LINKS: Final = {
    "user": {**_TOKEN_LINK, **PHONES_LINK},
    "phone": PHONES_LINK,
    "reauth_confirm": _TOKEN_LINK,
    "reconfigure": _TOKEN_LINK,
}


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

    def __init__(self) -> None:
        """Initialize what the step `phone` needs from the step `user`."""
        self._data: dict[str, str] = {}
        self._name = ""
        self._phones: list[SelectOptionDict] = []

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the token, and validate it. Continue with the phone if none was given and some sent recently."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._data = _connection_data(user_input)
            self._name = clean_name(user_input.get(CONF_NAME, ""))
            errors = await self._async_validate(self._data)
            if not errors:
                if not normalize_vendor_id(user_input.get(CONF_DEVICE_ID, "")):
                    self._phones = await async_recent_phones(self._client(self._data), ())
                    if self._phones:
                        return await self.async_step_phone()
                return await self._async_create("user", user_input)
        return self._show_form("user", user_input, errors)

    async def async_step_phone(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Offer the phones that sent recently. Without a choice, any active phone sends."""
        if user_input is None:
            return self._show_form("phone", None, {})
        return await self._async_create("phone", user_input)

    async def _async_create(self, step_id: str, user_input: dict[str, Any]) -> ConfigFlowResult:
        """Create the account with the phone in a form, if there is one, or show the form again."""
        new_phones: list[ConfigSubentryDataWithId] = []
        if device_id := normalize_vendor_id(user_input.get(CONF_DEVICE_ID, "")):
            title, errors = await async_validate_phone(self._client(self._data), device_id)
            if errors:
                return self._show_form(step_id, user_input, errors)
            new_phones = [
                ConfigSubentryDataWithId(
                    data={CONF_DEVICE_ID: device_id, CONF_SIM: SIM_DEFAULT},
                    subentry_id=ulid_now(),
                    subentry_type=SUBENTRY_PHONE,
                    title=title,
                    unique_id=device_id,
                )
            ]
        # Another flow may have added it meanwhile.
        self._async_abort_entries_match(self._data)
        return self.async_create_entry(
            title=self._unused_title(),
            data=self._data,
            options={CONF_DEFAULT_PHONE: new_phones[0]["subentry_id"]} if new_phones else {},
            subentries=new_phones,
        )

    def _unused_title(self) -> str:
        """Return the name of the new account, with a number if another account has that name."""
        name = self._name or _DEFAULT_NAME
        used = {entry.title for entry in self._async_current_entries()}
        return next(title for title in chain([name], (f"{name} {n}" for n in count(2))) if title not in used)

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
        address = {CONF_ADVANCED: {CONF_URL: entry.data[CONF_URL]}}
        data = _connection_data({**user_input, **address}) if user_input else None
        return await self._async_update("reauth_confirm", entry, data, user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for another token or address, and validate them."""
        entry = self._get_reconfigure_entry()
        # The current token is not shown: a user who may change it need not be able to read it.
        shown = user_input or {CONF_ADVANCED: {CONF_URL: entry.data[CONF_URL]}}
        data = _connection_data(user_input) if user_input else None
        return await self._async_update("reconfigure", entry, data, shown)

    async def _async_update(
        self, step_id: str, entry: GoSmsConfigEntry, data: dict[str, str] | None, shown: Mapping[str, Any] | None
    ) -> ConfigFlowResult:
        """Show a form, or validate the new data of an entry and save it."""
        errors: dict[str, str] = {}
        if data:
            errors = await self._async_validate(data)
            if not errors and await self._async_is_other_account(entry, data):
                errors["base"] = "wrong_account"
            if not errors:
                return self._save(entry, data)
        return self._show_form(step_id, shown, errors)

    async def _async_is_other_account(self, entry: GoSmsConfigEntry, data: dict[str, str]) -> bool:
        """Return whether a new token certainly belongs to another account: it knows none of the phones."""
        if data[CONF_API_TOKEN] == entry.data[CONF_API_TOKEN]:
            return False
        return await async_is_other_account(self._client(data), [each.data[CONF_DEVICE_ID] for each in phones(entry)])

    async def _async_validate(self, data: dict[str, str]) -> dict[str, str]:
        """Validate token and address, and return the form's errors. Abort if another entry has them."""
        if not is_safe_address(data[CONF_URL]):
            # The frontend shows no error inside a section, so it is shown at the section itself.
            return {CONF_ADVANCED: "invalid_url"}
        if error := token_error(data[CONF_API_TOKEN]):
            return {"base": error}
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

    def _show_form(self, step_id: str, shown: Mapping[str, Any] | None, errors: dict[str, str]) -> ConfigFlowResult:
        """Show the form of a step with values, and with its errors."""
        fields = {**_FIELDS[step_id]}
        if step_id == "phone":
            fields[vol.Optional(CONF_DEVICE_ID)] = device_id_selector(self._phones)
        elif step_id != "reauth_confirm":
            url = shown[CONF_ADVANCED][CONF_URL] if shown else DEFAULT_URL
            fields[vol.Required(CONF_ADVANCED)] = section(_ADVANCED_SCHEMA, {"collapsed": url == DEFAULT_URL})
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(vol.Schema(fields), shown),
            errors=errors,
            description_placeholders=_LINKS[step_id],
        )


def _connection_data(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return token and address, without characters that were copied along with them."""
    return {
        CONF_API_TOKEN: clean_token(user_input[CONF_API_TOKEN]),
        CONF_URL: user_input[CONF_ADVANCED][CONF_URL].strip().rstrip("/"),
    }
