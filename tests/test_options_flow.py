"""The options of an account."""

from dataclasses import fields
import math
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_schema_suggested_value
import voluptuous as vol

from custom_components.gosms.options import Options
from tests.common import MUM, PHONE, SimulatedService, add_phone, phone, recipient, send, set_up

TEXT: Final = {"long_text": "split", "replace_symbols": True}
TRUST: Final = {"queue_expiry": 60, "delivery_timeout": 10, "hourly_limit": 100, "history_days": 7}
PLAN: Final = {"plan_segments": 0, "billing_day": 1}
WEBHOOK: Final = "0191f2a4-aaaa-4bbb-8ccc-1234567890ab"


@pytest.fixture
def entry(hass: HomeAssistant, service: SimulatedService) -> MockConfigEntry:
    """An account with a recipient and a phone."""
    entry = MockConfigEntry(
        domain="gosms",
        data={"api_token": service.account.token, "url": service.url},
        subentries_data=[recipient("Mum", MUM), phone("the_phone")],
    )
    entry.add_to_hass(hass)
    return entry


async def submit(hass: HomeAssistant, flow: ConfigFlowResult, **sections: dict[str, Any]) -> ConfigFlowResult:
    """Submit the form, and wait for everything that follows."""
    answer = {"sending": {}, "text": TEXT, "trust": TRUST, "plan": PLAN} | sections
    result = await hass.config_entries.options.async_configure(flow["flow_id"], answer)
    await hass.async_block_till_done()
    return result


async def test_all_options_are_stored_flat_and_applied_immediately(
    hass: HomeAssistant, service: SimulatedService, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert (form["type"], form["step_id"], form["errors"]) == (FlowResultType.FORM, "init", {})

    result = await submit(
        hass,
        form,
        sending={
            "default_phone": "the_phone",
            "country": "DE",
            "callback_id": f" {WEBHOOK.upper()} ",
            "notify_actions": True,
        },
        text={"long_text": "reject", "replace_symbols": False},
        trust={"queue_expiry": 0, "delivery_timeout": 1440, "hourly_limit": 0, "history_days": 30},
        plan={"plan_segments": 1000, "billing_day": 28},
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "default_phone": "the_phone",
        "country": "DE",
        "callback_id": WEBHOOK,
        "notify_actions": True,
        "long_text": "reject",
        "replace_symbols": False,
        "queue_expiry": 0,
        "delivery_timeout": 1440,
        "hourly_limit": 0,
        "history_days": 30,
        "plan_segments": 1000,
        "billing_day": 28,
    }
    assert {type(entry.options[key]) for key in {**TRUST, **PLAN}} == {int}
    await send(hass, "Hello")
    (request,) = service.requests_to("POST /sms/send")
    assert request.json == {"message": "Hello", "phone_number": MUM, "device_id": PHONE, "callback_id": WEBHOOK}


async def test_the_form_has_a_field_for_every_option(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    form = await hass.config_entries.options.async_init(entry.entry_id)
    sections = form["data_schema"].schema.values()
    assert {str(key) for section in sections for key in section.schema.schema} == {
        each.name for each in fields(Options)
    }


async def test_current_options_are_shown_and_can_be_cleared(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    options = {"default_phone": "the_phone", "country": "DE", "callback_id": WEBHOOK, "hourly_limit": 5}
    hass.config_entries.async_update_entry(entry, options=options)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    sections = form["data_schema"].schema
    sending = sections["sending"].schema.schema
    shown = {key: get_schema_suggested_value(sending, key) for key in ("default_phone", "country", "callback_id")}
    assert shown == {"default_phone": "the_phone", "country": "DE", "callback_id": WEBHOOK}
    assert get_schema_suggested_value(sections["trust"].schema.schema, "hourly_limit") == 5

    await submit(hass, form, sending={"callback_id": ""})
    assert entry.options == {**TEXT, **TRUST, **PLAN, "notify_actions": False}


async def test_a_default_phone_that_was_removed_is_not_shown(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    hass.config_entries.async_update_entry(entry, options={"default_phone": "the_phone", "country": "DE"})
    add_phone(hass, entry, device_id=WEBHOOK)
    hass.config_entries.async_remove_subentry(entry, "the_phone")
    form = await hass.config_entries.options.async_init(entry.entry_id)
    sending = form["data_schema"].schema["sending"].schema.schema
    # The interface submits what it is told to show, and a phone that is not among the choices is refused.
    assert get_schema_suggested_value(sending, "default_phone") is None
    assert get_schema_suggested_value(sending, "country") == "DE"


@pytest.mark.parametrize(("home", "shown"), [("DE", "DE"), (None, "RU")])
async def test_the_form_says_which_country_the_home_is_in(
    hass: HomeAssistant, entry: MockConfigEntry, home: str | None, shown: str
) -> None:
    hass.config.country = home
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["description_placeholders"] == {"country": shown}


async def test_durations_have_a_unit(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    form = await hass.config_entries.options.async_init(entry.entry_id)
    fields = form["data_schema"].schema["trust"].schema.schema
    units = {key: fields[key].validators[0].config.get("unit_of_measurement") for key in TRUST}
    assert units == {"queue_expiry": "min", "delivery_timeout": "min", "hourly_limit": None, "history_days": "d"}


async def test_an_account_without_phones_has_no_default_phone_field(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_remove_subentry(entry, "the_phone")
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert "default_phone" not in form["data_schema"].schema["sending"].schema.schema


async def test_an_invalid_webhook_shows_an_error_and_can_be_corrected(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    form = await hass.config_entries.options.async_init(entry.entry_id)
    form = await submit(hass, form, sending={"callback_id": "my webhook"})
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, {"sending": "invalid_callback_id"})
    assert entry.options == {}

    result = await submit(hass, form, sending={"callback_id": WEBHOOK})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_options_without_the_section_of_the_plan_keep_the_plan(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={"plan_segments": 500, "billing_day": 15})
    form = await hass.config_entries.options.async_init(entry.entry_id)
    result = await hass.config_entries.options.async_configure(
        form["flow_id"], {"sending": {}, "text": {}, "trust": {"hourly_limit": 7}}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert {key: entry.options[key] for key in ("plan_segments", "billing_day", "hourly_limit")} == {
        "plan_segments": 500,
        "billing_day": 15,
        "hourly_limit": 7,
    }


async def test_no_default_of_a_section_hides_what_is_stored(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The interface fills in a section from its default, if it has one, instead of the values of its fields."""
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["data_schema"]
    sections = form["data_schema"].schema
    assert list(sections) == ["sending", "text", "trust", "plan"]
    assert [str(name) for name in sections if name.default is not vol.UNDEFINED] == []


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("sending", "default_phone", "another"),
        ("sending", "country", "Atlantis"),
        ("text", "long_text", "shout"),
        ("trust", "queue_expiry", -1),
        ("trust", "queue_expiry", 1441),
        ("trust", "delivery_timeout", 0),
        ("trust", "delivery_timeout", 1441),
        ("trust", "history_days", -1),
        ("trust", "history_days", 31),
        ("plan", "plan_segments", -1),
        ("plan", "billing_day", 0),
        ("plan", "billing_day", 29),
        ("trust", "hourly_limit", -1),
        ("trust", "hourly_limit", 10_001),
        ("trust", "hourly_limit", math.nan),
        ("trust", "queue_expiry", "nan"),
    ],
)
async def test_an_out_of_range_value_is_rejected(
    hass: HomeAssistant, entry: MockConfigEntry, section: str, key: str, value: object
) -> None:
    form = await hass.config_entries.options.async_init(entry.entry_id)
    valid: dict[str, dict[str, Any]] = {"sending": {}, "text": TEXT, "trust": TRUST, "plan": PLAN}
    with pytest.raises(InvalidData):
        await submit(hass, form, **{section: {**valid[section], key: value}})
    assert entry.options == {}
