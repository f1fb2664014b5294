"""The options flow of an account. The form has sections; the options are stored flat."""

from collections.abc import Callable
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_COUNTRY, UnitOfTime
from homeassistant.data_entry_flow import section
from homeassistant.generated.countries import COUNTRIES
from homeassistant.helpers.selector import (
    BooleanSelector,
    CountrySelector,
    CountrySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
)
import voluptuous as vol

from .forms import is_vendor_id, normalize_vendor_id, phone_selector, without_removed_phone
from .options import (
    CONF_BILLING_DAY,
    CONF_CALLBACK_ID,
    CONF_DEFAULT_PHONE,
    CONF_DELIVERY_TIMEOUT,
    CONF_HISTORY_DAYS,
    CONF_HOURLY_LIMIT,
    CONF_LONG_TEXT,
    CONF_NOTIFY_ACTIONS,
    CONF_PLAN_SEGMENTS,
    CONF_QUEUE_EXPIRY,
    CONF_REPLACE_SYMBOLS,
    Options,
)
from .preparation import DEFAULT_COUNTRY
from .subentries import phones

_DEFAULTS: Final = Options()

_SECTION_PLAN: Final = "plan"
_SECTION_SENDING: Final = "sending"
_SECTION_TEXT: Final = "text"
_SECTION_TRUST: Final = "trust"
_SECTIONS: Final = (_SECTION_SENDING, _SECTION_TEXT, _SECTION_TRUST, _SECTION_PLAN)

# Far more than a phone can send in an hour, and as many as the history can count.
_MAX_HOURLY_LIMIT: Final = 1000

# Minutes.
_MAX_WAIT: Final = 24 * 60

_MAX_PLAN: Final = 1_000_000


def _number(minimum: int, maximum: int, unit: UnitOfTime | None = None) -> Callable[[Any], int]:
    """Return a field for a whole number. The selector returns a float, which may be no number at all."""
    config = NumberSelectorConfig(min=minimum, max=maximum, step=1, mode=NumberSelectorMode.BOX)
    if unit:
        config |= {"unit_of_measurement": unit, "translation_key": "units"}
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _flatten(user_input: dict[str, Any]) -> dict[str, Any]:
    """Return the options to store: without sections and empty fields."""
    options: dict[str, Any] = {key: value for fields in user_input.values() for key, value in fields.items()}
    if callback_id := normalize_vendor_id(options.pop(CONF_CALLBACK_ID, "")):
        options[CONF_CALLBACK_ID] = callback_id
    return options


_TEXT_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_LONG_TEXT, default=_DEFAULTS.long_text): SelectSelector(
            SelectSelectorConfig(options=["split", "truncate", "reject"], translation_key=CONF_LONG_TEXT)
        ),
        vol.Required(CONF_REPLACE_SYMBOLS, default=_DEFAULTS.replace_symbols): BooleanSelector(),
    }
)

_TRUST_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_QUEUE_EXPIRY, default=_DEFAULTS.queue_expiry): _number(0, _MAX_WAIT, UnitOfTime.MINUTES),
        vol.Required(CONF_DELIVERY_TIMEOUT, default=_DEFAULTS.delivery_timeout): _number(
            1, _MAX_WAIT, UnitOfTime.MINUTES
        ),
        vol.Required(CONF_HOURLY_LIMIT, default=_DEFAULTS.hourly_limit): _number(0, _MAX_HOURLY_LIMIT),
        vol.Required(CONF_HISTORY_DAYS, default=_DEFAULTS.history_days): _number(0, 30, UnitOfTime.DAYS),
    }
)

_PLAN_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_PLAN_SEGMENTS, default=_DEFAULTS.plan_segments): _number(0, _MAX_PLAN),
        vol.Required(CONF_BILLING_DAY, default=_DEFAULTS.billing_day): _number(1, 28),
    }
)


class GoSmsOptionsFlow(OptionsFlow):
    """Changes the options. The entry's update listener applies them."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the form, or handle the input."""
        errors: dict[str, str] = {}
        if user_input is not None:
            # Who knows no plan, such as a script of an earlier version, changes none.
            options = _flatten({_SECTION_PLAN: self._stored_plan(), **user_input})
            callback_id = options.get(CONF_CALLBACK_ID)
            if callback_id is None or is_vendor_id(callback_id):
                return self.async_create_entry(data=options)
            # The frontend shows no error inside a section, so it is shown at the section itself.
            errors[_SECTION_SENDING] = "invalid_callback_id"
        options = without_removed_phone(self.config_entry.options, CONF_DEFAULT_PHONE, self.config_entry)
        current = dict.fromkeys(_SECTIONS, options)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(self._schema(), user_input or current),
            errors=errors,
            description_placeholders={"country": self.hass.config.country or DEFAULT_COUNTRY},
        )

    def _schema(self) -> vol.Schema:
        """Return the fields of the form. A phone can be chosen if there is one."""
        choices = phones(self.config_entry)
        return vol.Schema(
            {
                vol.Required(_SECTION_SENDING): section(
                    vol.Schema(
                        {
                            **({vol.Optional(CONF_DEFAULT_PHONE): phone_selector(choices)} if choices else {}),
                            vol.Optional(CONF_COUNTRY): CountrySelector(
                                CountrySelectorConfig(countries=sorted(COUNTRIES))
                            ),
                            vol.Optional(CONF_CALLBACK_ID): TextSelector(),
                            vol.Required(CONF_NOTIFY_ACTIONS, default=_DEFAULTS.notify_actions): BooleanSelector(),
                        }
                    )
                ),
                vol.Required(_SECTION_TEXT): section(_TEXT_SCHEMA),
                vol.Required(_SECTION_TRUST): section(_TRUST_SCHEMA),
                # No default: the interface would show it instead of what is stored.
                vol.Optional(_SECTION_PLAN): section(_PLAN_SCHEMA),
            }
        )

    def _stored_plan(self) -> dict[str, Any]:
        """Return the stored values of the section about the plan."""
        options = self.config_entry.options
        return {key: options[key] for key in (CONF_PLAN_SEGMENTS, CONF_BILLING_DAY) if key in options}
