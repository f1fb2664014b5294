"""Subentry flows: recipients, and the phones that send."""

from abc import abstractmethod
from typing import Any, override

from homeassistant.config_entries import ConfigSubentry, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_API_TOKEN, CONF_DEVICE_ID, CONF_NAME, CONF_URL
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .const import CONF_PHONE, CONF_PHONE_NUMBER, CONF_SIM, SIM_DEFAULT, SIM_SLOTS
from .forms import async_validate_phone, device_id_selector, normalize_vendor_id, phone_selector
from .phone_number import InvalidPhoneNumberError, with_plus
from .preparation import async_normalize_number
from .runtime_data import async_create_client
from .subentries import phones


class _SubentryFlow(ConfigSubentryFlow):
    """Base of the flows: one form to add and to change a subentry with a unique id."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Add a subentry."""
        return await self._async_form("user", None, user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Change a subentry."""
        return await self._async_form("reconfigure", self._get_reconfigure_subentry(), user_input)

    @abstractmethod
    async def _async_form(
        self, step_id: str, subentry: ConfigSubentry | None, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        """Show the form, or handle the input."""

    @abstractmethod
    def _schema(self) -> vol.Schema:
        """Return the fields of the form."""

    def _show_form(
        self,
        step_id: str,
        subentry: ConfigSubentry | None,
        user_input: dict[str, Any] | None,
        errors: dict[str, str],
    ) -> SubentryFlowResult:
        """Show the form with the last input, or the current values."""
        current = self._current_values(subentry) if subentry else None
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(self._schema(), user_input or current),
            errors=errors,
        )

    def _current_values(self, subentry: ConfigSubentry) -> dict[str, Any]:
        """Return the values of the fields before a change."""
        return {CONF_NAME: subentry.title, **subentry.data}

    def _save(
        self, subentry: ConfigSubentry | None, *, title: str, data: dict[str, Any], unique_id: str
    ) -> SubentryFlowResult:
        """Add or change the subentry. The entry's update listener applies it."""
        entry = self._get_entry()
        if any(other.unique_id == unique_id and other is not subentry for other in entry.subentries.values()):
            return self.async_abort(reason="already_configured")
        if subentry is None:
            return self.async_create_entry(title=title, data=data, unique_id=unique_id)
        return self.async_update_and_abort(entry, subentry, title=title, data=data, unique_id=unique_id)


class RecipientFlow(_SubentryFlow):
    """Adds and changes a recipient."""

    @override
    async def _async_form(
        self, step_id: str, subentry: ConfigSubentry | None, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        """Show the form, or handle the input."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                number = await async_normalize_number(self.hass, self._get_entry(), user_input[CONF_PHONE_NUMBER])
            except InvalidPhoneNumberError as err:
                errors[CONF_PHONE_NUMBER] = err.reason
            else:
                data = {CONF_PHONE_NUMBER: number}
                if phone := user_input.get(CONF_PHONE):
                    data[CONF_PHONE] = phone
                return self._save(subentry, title=user_input[CONF_NAME].strip() or number, data=data, unique_id=number)
        return self._show_form(step_id, subentry, user_input, errors)

    @override
    def _current_values(self, subentry: ConfigSubentry) -> dict[str, Any]:
        """Return the values of the fields before a change."""
        return {**super()._current_values(subentry), CONF_PHONE_NUMBER: with_plus(subentry.data[CONF_PHONE_NUMBER])}

    @override
    def _schema(self) -> vol.Schema:
        """Return the fields of the form. A phone can be chosen if there is one."""
        fields: dict[vol.Marker, object] = {
            vol.Required(CONF_NAME): TextSelector(),
            vol.Required(CONF_PHONE_NUMBER): TextSelector(TextSelectorConfig(type=TextSelectorType.TEL)),
        }
        if choices := phones(self._get_entry()):
            fields[vol.Optional(CONF_PHONE)] = phone_selector(choices)
        return vol.Schema(fields)


class PhoneFlow(_SubentryFlow):
    """Adds and changes a phone."""

    @override
    async def _async_form(
        self, step_id: str, subentry: ConfigSubentry | None, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        """Show the form, or handle the input."""
        errors: dict[str, str] = {}
        if user_input is not None:
            device_id = normalize_vendor_id(user_input[CONF_DEVICE_ID])
            if subentry is not None and subentry.unique_id == device_id:
                # Do not validate the id again, so that the rest can be changed during an outage too.
                title = subentry.title
            else:
                data = self._get_entry().data
                client = async_create_client(self.hass, data[CONF_API_TOKEN], data[CONF_URL])
                title, errors = await async_validate_phone(client, device_id)
            if not errors:
                return self._save(
                    subentry,
                    title=user_input.get(CONF_NAME, "").strip() or title,
                    data={CONF_DEVICE_ID: device_id, CONF_SIM: user_input[CONF_SIM]},
                    unique_id=device_id,
                )
        return self._show_form(step_id, subentry, user_input, errors)

    @override
    def _schema(self) -> vol.Schema:
        """Return the fields of the form."""
        return vol.Schema(
            {
                vol.Required(CONF_DEVICE_ID): device_id_selector(self._get_entry()),
                vol.Optional(CONF_NAME): TextSelector(),
                vol.Required(CONF_SIM, default=SIM_DEFAULT): SelectSelector(
                    SelectSelectorConfig(options=[SIM_DEFAULT, *SIM_SLOTS], translation_key="sim")
                ),
            }
        )
