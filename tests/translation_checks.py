"""Checks that every text in a test exists in every language, with exactly the given placeholders.

Home Assistant's own tests have such a check, but not the test plugin. The files are read directly, because Home
Assistant would replace missing Russian texts by English ones.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
import contextlib
from functools import cache
import json
import re
from typing import Any, Final
from unittest.mock import patch

from homeassistant.components.repairs.issue_handler import RepairsFlowManager
from homeassistant.config_entries import ConfigEntriesFlowManager, ConfigSubentryFlowManager, OptionsFlowManager
from homeassistant.core import DOMAIN as HOMEASSISTANT_DOMAIN, ServiceRegistry
from homeassistant.data_entry_flow import FlowManager, FlowResultType, section
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.selector import SelectSelector
import pytest

from tests import PACKAGE

DOMAIN: Final = "gosms"
TRANSLATIONS: Final = PACKAGE / "translations"
LANGUAGES: Final = ("en", "ru")


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the texts of a translation file by their full keys."""
    texts: dict[str, str] = {}
    for key, value in tree.items():
        texts |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return texts


def placeholders_in(texts: Iterable[str]) -> set[str]:
    """Return the names in braces."""
    return {name for text in texts for name in re.findall(r"{([^{}]*)}", text)}


class TranslationChecker:
    """Collects missing texts: an immediate failure could be caught before it reaches the test."""

    def __init__(self, texts_of: Callable[[str], Mapping[str, str]]) -> None:
        self._texts_of = texts_of
        self.problems: list[str] = []

    def check(self, required: Iterable[str], given: Iterable[str] = (), *, below: str | None = None) -> None:
        """Check that texts exist and, with those below a prefix, use exactly the placeholders given."""
        wanted, given = list(required), set(given)
        for language in LANGUAGES:
            texts = self._texts_of(language)
            self.problems += [f"{language}: no text {key}" for key in wanted if key not in texts]
            said = [text for key, text in texts.items() if key in wanted or (below and key.startswith(below))]
            used = placeholders_in(said)
            if said and used != given:
                where = below or ", ".join(wanted)
                self.problems.append(f"{language}: {where} uses {sorted(used)}, is given {sorted(given)}")

    def check_form(self, prefix: str, result: Mapping[str, Any], given: Iterable[str]) -> None:
        """Check a form: its errors, its fields with their descriptions, the choices of its fields."""
        step = f"{prefix}step.{result['step_id']}."
        schema = result.get("data_schema")
        required, choices = _keys_of_fields(step, schema.schema if schema else {})
        required += [f"{prefix}error.{error}" for error in (result.get("errors") or {}).values()]
        self.check(required, given, below=step)
        self.check(choices)

    def check_result(self, manager: object, flow: Any, result: Mapping[str, Any]) -> None:
        """Check the result of a step if the flow belongs to the integration."""
        prefix, given = _place_of(manager, flow)
        if prefix is None:
            return
        given |= result.get("description_placeholders") or {}
        if result["type"] is FlowResultType.FORM:
            # Home Assistant itself gives every reauth form the name of the entry.
            texts = self._texts_of("en").items()
            step = f"{prefix}step.{result['step_id']}."
            if "name" not in placeholders_in(text for key, text in texts if key.startswith(step)):
                given.pop("name", None)
            self.check_form(prefix, result, given)
        # Some reasons are Home Assistant's own from 2026.10 on.
        if result["type"] is FlowResultType.ABORT and result.get("translation_domain") != HOMEASSISTANT_DOMAIN:
            self.check([f"{prefix}abort.{result['reason']}"], given)

    def check_error(self, error: HomeAssistantError) -> None:
        """Check an error with a translation key of the integration."""
        if error.translation_domain == DOMAIN:
            self.check([f"exceptions.{error.translation_key}.message"], error.translation_placeholders or {})


def _keys_of_fields(step: str, fields: Mapping[Any, Any]) -> tuple[list[str], list[str]]:
    """Return the keys of the fields of a form, and those of their options."""
    required: list[str] = []
    choices: list[str] = []
    for field, kind in fields.items():
        if isinstance(kind, section):
            inner, inner_choices = _keys_of_fields(f"{step}sections.{field}.", kind.schema.schema)
            required += [f"{step}sections.{field}.name", *inner]
            choices += inner_choices
            continue
        required += [f"{step}data.{field}", f"{step}data_description.{field}"]
        if isinstance(kind, SelectSelector) and (key := kind.config.get("translation_key")):
            options = (o if isinstance(o, str) else o["value"] for o in kind.config["options"])
            choices += [f"selector.{key}.options.{option}" for option in options]
    return required, choices


def _place_of(manager: object, flow: Any) -> tuple[str | None, dict[str, str]]:
    """Return the prefix of a flow's texts, and the placeholders that the interface provides."""
    prefix: str | None = None
    given: dict[str, str] = {}
    entries = flow.hass.config_entries
    match manager:
        case ConfigEntriesFlowManager() if flow.handler == DOMAIN:
            prefix = "config."
        case OptionsFlowManager() if entries.async_get_known_entry(flow.handler).domain == DOMAIN:
            prefix = "options."
        case ConfigSubentryFlowManager() if entries.async_get_known_entry(flow.handler[0]).domain == DOMAIN:
            prefix = f"config_subentries.{flow.handler[1]}."
        case RepairsFlowManager() if issue := ir.async_get(flow.hass).async_get_issue(DOMAIN, flow.issue_id):
            prefix = f"issues.{issue.translation_key}.fix_flow."
            given = dict(issue.translation_placeholders or {})
    return prefix, given


@cache
def texts_of(language: str) -> dict[str, str]:
    """Return the texts of one language by their full keys."""
    return flat(json.loads((TRANSLATIONS / f"{language}.json").read_text(encoding="utf-8")))


@contextlib.contextmanager
def checking(checker: TranslationChecker) -> Generator[None]:
    """Let the checker check every flow result, error and issue."""
    handle_step = FlowManager._async_handle_step
    async_call = ServiceRegistry.async_call
    get_or_create = ir.IssueRegistry.async_get_or_create
    init = HomeAssistantError.__init__

    async def _handle_step(self: Any, flow: Any, *args: Any) -> Any:
        result = await handle_step(self, flow, *args)
        checker.check_result(self, flow, result)
        return result

    async def _async_call(self: ServiceRegistry, domain: str, service: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return await async_call(self, domain, service, *args, **kwargs)
        except HomeAssistantError as err:
            # That somebody may not do something, Home Assistant says in its own words.
            if err.translation_domain is None and not isinstance(err, Unauthorized):
                checker.problems.append(f"{domain}.{service} fails without a translated error: {err!r}")
            raise

    def _get_or_create(self: ir.IssueRegistry, domain: str, issue_id: str, **kwargs: Any) -> ir.IssueEntry:
        if domain == DOMAIN:
            issue = f"issues.{kwargs['translation_key']}."
            checker.check([f"{issue}title"], kwargs.get("translation_placeholders") or {}, below=issue)
        return get_or_create(self, domain, issue_id, **kwargs)

    def _init(self: HomeAssistantError, *args: object, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        checker.check_error(self)

    with (
        patch.object(FlowManager, "_async_handle_step", _handle_step),
        patch.object(ServiceRegistry, "async_call", _async_call),
        patch.object(ir.IssueRegistry, "async_get_or_create", _get_or_create),
        # When it is created: many errors are caught by a coordinator or end in an action's response.
        patch.object(HomeAssistantError, "__init__", _init),
    ):
        yield


@pytest.fixture(autouse=True)
def translations_exist() -> Generator[None]:
    """Fail a test in which a text is missing."""
    # Read before the event loop is protected: in a test this would be reported as a blocking call of the integration.
    for language in LANGUAGES:
        texts_of(language)
    checker = TranslationChecker(texts_of)
    with checking(checker):
        yield
    if checker.problems:
        pytest.fail("\n".join(dict.fromkeys(checker.problems)))
