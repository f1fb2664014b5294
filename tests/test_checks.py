"""The checks that run beside every test detect their problems."""

import ast
import asyncio
import logging
import time
from typing import Any, Final
from unittest.mock import Mock

from homeassistant.config_entries import ConfigEntriesFlowManager
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig
import pytest
import voluptuous as vol

from tests import API_TOKEN
from tests.code_texts import CodeTexts
from tests.log_checks import LogWatcher, problems_in_line
from tests.translation_checks import DOMAIN, LANGUAGES, TranslationChecker, checking

TEXTS: Final = {
    "config.abort.done": "Done",
    "config.error.bad": "Bad",
    "config.step.user.description": "Look at {page}",
    "config.step.user.data.token": "Token",
    "config.step.user.data_description.token": "From the panel",
    "config.step.user.sections.more.name": "More",
    "config.step.user.sections.more.data.url": "Address",
    "config.step.user.sections.more.data_description.url": "Rarely changed",
    "exceptions.refused.message": "Refused: {error}",
    "issues.quota.title": "Used up",
    "issues.quota.description": "Since {since}",
    "selector.sim.options.one": "One",
}


@pytest.fixture
def translations_exist() -> None:
    """Disable the check that runs beside every test: here texts are missing on purpose."""


@pytest.fixture
def checker() -> TranslationChecker:
    """A checker of a small integration with one text missing in Russian."""
    languages = {"en": TEXTS, "ru": {key: text for key, text in TEXTS.items() if key != "config.abort.done"}}
    return TranslationChecker(languages.__getitem__)


def in_both(problem: str) -> list[str]:
    return [f"{language}: {problem}" for language in LANGUAGES]


def flow(**result: Any) -> tuple[object, Any, dict[str, Any]]:
    """Return a step's result with the manager and the flow it comes from."""
    return Mock(spec=ConfigEntriesFlowManager), Mock(handler=DOMAIN), result


def form(fields: dict[Any, Any], page: str | None = "https://…", **result: Any) -> tuple[object, Any, dict[str, Any]]:
    """Return a form's result."""
    schema = vol.Schema(fields)
    placeholders = {"page": page} if page else {}
    return flow(
        type=FlowResultType.FORM,
        step_id="user",
        data_schema=schema,
        description_placeholders=placeholders,
        **result,
    )


def test_a_form_with_all_its_texts_passes(checker: TranslationChecker) -> None:
    fields = {vol.Required("token"): str, "more": section(vol.Schema({vol.Optional("url"): str}))}
    checker.check_result(*form(fields, errors={"base": "bad"}))
    assert checker.problems == []


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (form({}, errors={"base": "worse"}), "no text config.error.worse"),
        (form({}, page=None), "config.step.user. uses ['page'], is given []"),
    ],
)
def test_a_form_with_missing_texts_is_found(
    checker: TranslationChecker, result: tuple[object, Any, dict[str, Any]], problem: str
) -> None:
    checker.check_result(*result)
    assert checker.problems == in_both(problem)


def test_a_field_without_texts_is_found(checker: TranslationChecker) -> None:
    checker.check_result(*form({vol.Required("name"): str}))
    assert checker.problems == [
        f"{language}: no text config.step.user.{kind}.name"
        for language in LANGUAGES
        for kind in ("data", "data_description")
    ]


def test_an_option_without_a_text_is_found(checker: TranslationChecker) -> None:
    choice = SelectSelector(SelectSelectorConfig(options=["one", "two"], translation_key="sim"))
    checker.check_result(*form({vol.Required("token"): choice}))
    assert checker.problems == in_both("no text selector.sim.options.two")


def test_an_abort_without_a_russian_text_is_found(checker: TranslationChecker) -> None:
    checker.check_result(*flow(type=FlowResultType.ABORT, reason="done"))
    assert checker.problems == ["ru: no text config.abort.done"]


def test_an_abort_translated_by_home_assistant_needs_no_text(checker: TranslationChecker) -> None:
    checker.check_result(*flow(type=FlowResultType.ABORT, reason="x", translation_domain="homeassistant"))
    assert checker.problems == []


@pytest.mark.parametrize(
    ("key", "placeholders", "problem"),
    [
        ("unknown", {}, "no text exceptions.unknown.message"),
        ("refused", {}, "exceptions.refused.message uses ['error'], is given []"),
        (
            "refused",
            {"error": "1", "code": "2"},
            "exceptions.refused.message uses ['error'], is given ['code', 'error']",
        ),
    ],
)
def test_an_error_without_a_matching_text_is_found(
    checker: TranslationChecker, key: str, placeholders: dict[str, str], problem: str
) -> None:
    with checking(checker):
        HomeAssistantError(translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders)
    assert checker.problems == in_both(problem)


async def test_an_action_that_fails_without_a_translation_is_found(
    hass: HomeAssistant, checker: TranslationChecker
) -> None:
    async def fail(call: ServiceCall) -> None:
        raise HomeAssistantError("Oops")

    hass.services.async_register("test", "fail", fail)
    with checking(checker), pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call("test", "fail", blocking=True)
    assert checker.problems == [f"test.fail fails without a translated error: {caught.value!r}"]


async def test_an_issue_with_wrong_placeholders_is_found(hass: HomeAssistant, checker: TranslationChecker) -> None:
    with checking(checker):
        ir.async_create_issue(
            hass, DOMAIN, "quota_1", is_fixable=False, severity=ir.IssueSeverity.ERROR, translation_key="quota"
        )
    assert checker.problems == in_both("issues.quota. uses ['since'], is given []")


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        ("Detected that custom integration 'gosms' calls something old", 1),
        ("Detected blocking call to open with args () inside the event loop by custom integration 'gosms'", 1),
        (f"Authorization: Bearer {API_TOKEN}", 1),
        (f"claims {API_TOKEN.split('.')[1]}", 1),
        ("Poll of GoSMS.ru done", 0),
    ],
)
def test_a_bad_log_line_is_found(line: str, problems: int) -> None:
    assert len(problems_in_line(line)) == problems


def test_a_token_in_a_traceback_is_found() -> None:
    watcher = LogWatcher()
    error = ValueError(API_TOKEN)
    watcher.handle(logging.LogRecord("a", logging.DEBUG, "a.py", 1, "No", (), (ValueError, error, None)))
    assert len(watcher.problems) == 1


async def test_blocking_calls_in_the_event_loop_are_detected(hass: HomeAssistant) -> None:
    assert asyncio.get_running_loop() is hass.loop
    with pytest.raises(RuntimeError, match="blocking call to sleep"):
        time.sleep(0)  # noqa: ASYNC251  # To be caught.


def test_translation_keys_in_the_code_are_found() -> None:
    texts = CodeTexts()
    texts.read(
        "errors",
        ast.parse(
            '''
"""Not a text."""
TABLE = Row(text="from_table", form_error="form_error_of_a_row", issue="issue_of_a_row")
def key(err):
    return "one" if err.code else "other"
'''
        ),
    )
    texts.read(
        "sensor",
        ast.parse(
            """
raise HomeAssistantError(translation_domain=DOMAIN, translation_key="raised" if a else "raised_too")
ir.async_create_issue(hass, DOMAIN, "id", translation_key="issue")
SelectSelectorConfig(translation_key="choice")
GoSmsSensorEntityDescription(key="battery")
class Flow:
    async def async_step_user(self): return self.async_abort(reason="end")
    async def async_step_init(self): raise AbortFlow("other_end")
    def show(self):
        errors["base"] = "wrong"
        self.async_show_form(errors={"base": "bad"})
"""
        ),
    )
    assert texts.error_keys == {"from_table", "one", "other"}
    assert texts.exceptions == {"raised", "raised_too"}
    assert texts.issues == {"issue", "issue_of_a_row"}
    assert texts.selectors == {"choice"}
    assert texts.entities == {"sensor.battery"}
    assert texts.steps == {"user", "init"}
    assert texts.aborts == {"end", "other_end"}
    assert texts.form_errors == {"form_error_of_a_row", "wrong", "bad"}
    assert {"from_table", "id", "wrong"} <= texts.constants
    assert "Not a text." not in texts.constants
