"""The repairs that a form solves: a phone that GoSMS does not know, and messages that may be lost."""

from typing import Any

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_API_TOKEN, CONF_DEVICE_ID, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import SelectOptionDict
import voluptuous as vol

from .api import GoSmsClient
from .forms import async_recent_phones, async_validate_phone, device_id_selector, normalize_vendor_id
from .runtime_data import GoSmsConfigEntry, async_create_client
from .updates import async_try_again


class UnknownPhoneRepairFlow(RepairsFlow):
    """Changes the id of a phone, or removes the phone."""

    def __init__(self, entry: GoSmsConfigEntry, subentry_id: str) -> None:
        """Initialize the flow for this phone."""
        self._entry = entry
        self._subentry_id = subentry_id
        self._choices: list[SelectOptionDict] | None = None

    async def async_step_init(self, _user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Show the menu."""
        if not self._phone():
            # It was removed on the integration's page while the account was not loaded.
            return self.async_create_entry(data={})
        return self.async_show_menu(menu_options=["correct", "remove"])

    async def async_step_correct(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Ask for the new id, and validate it."""
        errors: dict[str, str] = {}
        if user_input is not None and self._phone():
            device_id = normalize_vendor_id(user_input[CONF_DEVICE_ID])
            errors = await self._async_validate(device_id)
            if not errors:
                self._correct(device_id)
                return self.async_create_entry(data={})
        if (phone := self._phone()) is None:
            return self.async_create_entry(data={})
        if self._choices is None:
            self._choices = await async_recent_phones(self._client(), self._other_ids())
        return self.async_show_form(
            step_id="correct",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Required(CONF_DEVICE_ID): device_id_selector(self._choices)}),
                user_input or {CONF_DEVICE_ID: phone.data[CONF_DEVICE_ID]},
            ),
            errors=errors,
        )

    async def async_step_remove(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Remove the phone after a confirmation."""
        if user_input is None:
            return self.async_show_form(step_id="remove")
        if self._phone():
            self.hass.config_entries.async_remove_subentry(self._entry, self._subentry_id)
        return self.async_create_entry(data={})

    def _phone(self) -> ConfigSubentry | None:
        """Return the phone, or None if it or its account was removed."""
        is_known = self.hass.config_entries.async_get_entry(self._entry.entry_id) is not None
        return self._entry.subentries.get(self._subentry_id) if is_known else None

    def _correct(self, device_id: str) -> None:
        """Change the id of the phone, if it is still there."""
        if (phone := self._phone()) is None:
            return
        data = {**phone.data, CONF_DEVICE_ID: device_id}
        if not self.hass.config_entries.async_update_subentry(self._entry, phone, data=data, unique_id=device_id):
            # The id was right after all, so the update listener is not called.
            async_try_again(self.hass, self._entry)

    async def _async_validate(self, device_id: str) -> dict[str, str]:
        """Validate an id, and return the form's errors."""
        _, errors = await async_validate_phone(self._client(), device_id)
        # Check this last: another flow may have added the phone meanwhile.
        return {CONF_DEVICE_ID: "already_configured"} if device_id in self._other_ids() else errors

    def _other_ids(self) -> set[str | None]:
        """Return the unique ids of the account's other subentries."""
        return {each.unique_id for each in self._entry.subentries.values() if each.subentry_id != self._subentry_id}

    def _client(self) -> GoSmsClient:
        """Return a client for the account, which may not be loaded."""
        return async_create_client(self.hass, self._entry.data[CONF_API_TOKEN], self._entry.data[CONF_URL])


async def async_create_fix_flow(
    hass: HomeAssistant, _issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow of an unknown phone, or one that asks for a confirmation if the issue concerns no phone."""
    issue_data = data or {}
    if not issue_data.get("subentry_id"):
        return ConfirmRepairFlow()
    entry = hass.config_entries.async_get_known_entry(str(issue_data["entry_id"]))
    return UnknownPhoneRepairFlow(entry, str(issue_data["subentry_id"]))
