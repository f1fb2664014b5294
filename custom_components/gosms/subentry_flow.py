"""Subentry flows: recipients, and the phones that send."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.config_entries import ConfigSubentry, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_API_TOKEN, CONF_DEVICE_ID, CONF_NAME, CONF_URL
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .const import CONF_PHONE, CONF_PHONE_NUMBER, CONF_SIM, DOMAIN, SIM_DEFAULT, SIM_SLOTS
from .forms import (
    PHONES_LINK,
    async_recent_phones,
    async_validate_phone,
    clean_name,
    device_id_selector,
    normalize_vendor_id,
    phone_selector,
    without_removed_phone,
)
from .phone_number import InvalidPhoneNumberError, ending, may_be_emergency_number, with_plus
from .preparation import async_normalize_number
from .runtime_data import async_create_client
from .subentries import phones, recipients

# The path of the page in Home Assistant that lists the recipients.
_INTEGRATION_URL: Final = f"/config/integrations/integration/{DOMAIN}"


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
        placeholders: Mapping[str, str],
    ) -> SubentryFlowResult:
        """Show the form with the last input, or the current values."""
        current = self._current_values(subentry) if subentry else None
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(self._schema(), user_input or current),
            errors=errors,
            description_placeholders=placeholders,
        )

    def _current_values(self, subentry: ConfigSubentry) -> dict[str, Any]:
        """Return the values of the fields before a change."""
        return {CONF_NAME: subentry.title, **subentry.data}

    def _find_owner(self, subentry: ConfigSubentry | None, unique_id: str) -> ConfigSubentry | None:
        """Return the other subentry that has a unique id, or None."""
        others = self._get_entry().subentries.values()
        return next((each for each in others if each.unique_id == unique_id and each is not subentry), None)

    def _save(
        self,
        subentry: ConfigSubentry | None,
        *,
        title: str,
        data: dict[str, Any],
        unique_id: str,
        description: str | None = None,
    ) -> SubentryFlowResult:
        """Add or change the subentry. The entry's update listener applies it."""
        if subentry is None:
            return self.async_create_entry(
                title=title,
                data=data,
                unique_id=unique_id,
                description=description,
                description_placeholders={"name": title, "integration_url": _INTEGRATION_URL} if description else None,
            )
        return self.async_update_and_abort(self._get_entry(), subentry, title=title, data=data, unique_id=unique_id)


class RecipientFlow(_SubentryFlow):
    """Adds and changes a recipient."""

    def __init__(self) -> None:
        """Initialize without warnings."""
        self._warnings: set[tuple[str, str]] = set()

    @override
    async def _async_form(
        self, step_id: str, subentry: ConfigSubentry | None, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        """Show the form, or handle the input."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            name = clean_name(user_input[CONF_NAME])
            if error := self._name_error(subentry, name, placeholders):
                errors[CONF_NAME] = error
            try:
                number = await async_normalize_number(self.hass, self._get_entry(), user_input[CONF_PHONE_NUMBER])
            except InvalidPhoneNumberError as err:
                errors[CONF_PHONE_NUMBER] = err.reason
            else:
                if error := self._number_error(subentry, number, placeholders):
                    errors[CONF_PHONE_NUMBER] = error
                if not errors:
                    return self._save_recipient(subentry, name, number, user_input.get(CONF_PHONE))
        return self._show_form(step_id, subentry, user_input, errors, placeholders)

    def _name_error(self, subentry: ConfigSubentry | None, name: str, placeholders: dict[str, str]) -> str | None:
        """Return the error or the warning of a name, or None."""
        if not name:
            return "blank_name"
        if subentry is None or subentry.title != name:
            others = [each for each in recipients(self._get_entry()) if each is not subentry]
            namesake = next((each for each in others if each.title.casefold() == name.casefold()), None)
            if namesake and self._must_warn(CONF_NAME, name):
                placeholders["phone_number"] = ending(namesake.data[CONF_PHONE_NUMBER])
                return "same_name"
        return None

    def _number_error(self, subentry: ConfigSubentry | None, number: str, placeholders: dict[str, str]) -> str | None:
        """Return the error or the warning of a valid number, or None."""
        if owner := self._find_owner(subentry, number):
            placeholders["owner"] = owner.title
            return "already_configured"
        is_new = subentry is None or subentry.unique_id != number
        if is_new and may_be_emergency_number(number) and self._must_warn(CONF_PHONE_NUMBER, number):
            return "short_number"
        return None

    def _must_warn(self, field: str, value: str) -> bool:
        """Return whether to warn of a value: only once, since submitting it again confirms it."""
        if (field, value) in self._warnings:
            return False
        self._warnings.add((field, value))
        return True

    def _save_recipient(
        self, subentry: ConfigSubentry | None, name: str, number: str, phone: str | None
    ) -> SubentryFlowResult:
        """Add or change the recipient. The last page of the flow explains how to send the first message."""
        return self._save(
            subentry,
            title=name,
            data={CONF_PHONE_NUMBER: number, **({CONF_PHONE: phone} if phone else {})},
            unique_id=number,
            description="no_button" if may_be_emergency_number(number) else "test_button",
        )

    @override
    def _current_values(self, subentry: ConfigSubentry) -> dict[str, Any]:
        """Return the values of the fields before a change."""
        values = without_removed_phone(super()._current_values(subentry), CONF_PHONE, self._get_entry())
        return {**values, CONF_PHONE_NUMBER: with_plus(subentry.data[CONF_PHONE_NUMBER])}

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

    _choices: list[SelectOptionDict] | None = None

    @override
    async def _async_form(
        self, step_id: str, subentry: ConfigSubentry | None, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        """Show the form, or handle the input."""
        errors: dict[str, str] = {}
        placeholders = {**PHONES_LINK}
        entry = self._get_entry()
        client = async_create_client(self.hass, entry.data[CONF_API_TOKEN], entry.data[CONF_URL])
        if user_input is not None:
            device_id = normalize_vendor_id(user_input[CONF_DEVICE_ID])
            if subentry is not None and subentry.unique_id == device_id:
                # Do not validate the id again, so that the rest can be changed during an outage too.
                title = subentry.title
            else:
                title, errors = await async_validate_phone(client, device_id)
            # Check this last: another flow may have added the phone meanwhile.
            if owner := self._find_owner(subentry, device_id):
                placeholders["owner"] = owner.title
                errors = {CONF_DEVICE_ID: "already_configured"}
            if not errors:
                return self._save(
                    subentry,
                    title=clean_name(user_input.get(CONF_NAME, "")) or title,
                    data={CONF_DEVICE_ID: device_id, CONF_SIM: user_input[CONF_SIM]},
                    unique_id=device_id,
                )
        if self._choices is None:
            others = {phone.unique_id for phone in phones(entry) if phone is not subentry}
            self._choices = await async_recent_phones(client, others)
        return self._show_form(step_id, subentry, user_input, errors, placeholders)

    @override
    def _schema(self) -> vol.Schema:
        """Return the fields of the form."""
        return vol.Schema(
            {
                vol.Required(CONF_DEVICE_ID): device_id_selector(self._choices or []),
                vol.Optional(CONF_NAME): TextSelector(),
                vol.Required(CONF_SIM, default=SIM_DEFAULT): SelectSelector(
                    SelectSelectorConfig(options=[SIM_DEFAULT, *SIM_SLOTS], translation_key="sim")
                ),
            }
        )
