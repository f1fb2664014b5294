"""The rules of hassfest for translations/*.json and icons.json, checked locally."""

from collections.abc import Iterator, Mapping
from itertools import chain
import re
import string
from typing import Any, Final

from tests.translation_checks import flat

_FLOW: Final = (
    "flow_title",
    "step.*.title",
    "step.*.description",
    "step.*.data.*",
    "step.*.data_description.*",
    "step.*.menu_options.*",
    "step.*.menu_option_descriptions.*",
    "step.*.submit",
    "step.*.sections.*.name",
    "step.*.sections.*.description",
    "step.*.sections.*.data.*",
    "step.*.sections.*.data_description.*",
    "error.*",
    "abort.*",
    "progress.*",
    "create_entry.*",
)
# Where a text can stand; a star is any one key.
_PLACES: Final = (
    *(
        f"{flow}.{place}"
        for flow in ("config", "options", "config_subentries.*", "issues.*.fix_flow")
        for place in _FLOW
    ),
    "config.initiate_flow.*",
    "config_subentries.*.entry_type",
    "config_subentries.*.initiate_flow.*",
    "issues.*.title",
    "issues.*.description",
    "entity.*.*.name",
    "entity.*.*.state.*",
    "entity.*.*.state_attributes.*.name",
    "entity.*.*.state_attributes.*.state.*",
    "entity.*.*.unit_of_measurement",
    "device.*.name",
    "exceptions.*.message",
    "selector.*.options.*",
    "selector.*.choices.*",
    "selector.*.unit_of_measurement.*",
    "services.*.name",
    "services.*.description",
    "services.*.fields.*.name",
    "services.*.fields.*.description",
    "services.*.fields.*.example",
    "services.*.sections.*.name",
    "services.*.sections.*.description",
    *(
        f"{kind}.*.{place}"
        for kind in ("conditions", "triggers")
        for place in ("name", "description", "fields.*.name", "fields.*.description", "fields.*.example")
    ),
    "system_health.info.*",
    "title",
)
# Without those of a range, whose order is not checked here.
_ICON_PLACES: Final = (
    "conditions.*.condition",
    "entity.*.*.default",
    "entity.*.*.state.*",
    "entity.*.*.state_attributes.*.default",
    "entity.*.*.state_attributes.*.state.*",
    "services.*.service",
    "services.*.sections.*",
    "triggers.*.trigger",
)
# Nothing is filled in where the interface shows a state, an attribute's name or a unit.
_PLAIN: Final = re.compile(r"entity\..*\.(state\..*|unit_of_measurement|state_attributes\..*)")
_KEY: Final = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")


def _pattern(places: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(place).replace(r"\*", _KEY.pattern) for place in places))


_PLACE: Final = _pattern(_PLACES)
_ICON_PLACE: Final = _pattern(_ICON_PLACES)
_ICON: Final = re.compile(r"mdi:[a-z0-9-]+")

# What must not be in a text, and what hassfest says of it.
_FORBIDDEN: Final = {
    "HTML": re.compile(r"<[a-z].*?>", re.IGNORECASE),
    "a URL": re.compile(r"(\w+://|www\.)[\w-]+(\.[\w-]+)*\.[a-z]{2,5}", re.IGNORECASE),
    "a reference": re.compile(r"\[%|%\]"),
    "a placeholder in single quotes": re.compile(r"'{\w+}'"),
    "white space at an end": re.compile(r"^\s|\s$|^$"),
}


def problems_of_text(key: str, text: object) -> Iterator[str]:
    """Yield the problems of one text."""
    if not isinstance(text, str):
        yield f"{key} is no text"
        return
    yield from (f"{key} has {what} in it" for what, pattern in _FORBIDDEN.items() if pattern.search(text))
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError:
        yield f"{key} has a brace without its partner"
        return
    yield from (f"{key} has the placeholder {{{name}}}, no identifier" for name in names if not name.isidentifier())
    if names and _PLAIN.fullmatch(key):
        yield f"{key} has a placeholder where nothing is filled in"


def _problems_of_flow(place: str, flow: Mapping[str, Any]) -> Iterator[str]:
    if "step" not in flow:
        yield f"{place} lacks step"
    for name, step in flow.get("step", {}).items():
        parts = {name: step, **{f"{name}.{section}": part for section, part in step.get("sections", {}).items()}}
        for part, fields in parts.items():
            described = set(fields.get("data_description", {})) - set(fields.get("data", {}))
            yield from (f"{place}.step.{part} describes {field}, which is no field" for field in sorted(described))


def _lacking(place: str, tree: Mapping[str, Any], *keys: str) -> Iterator[str]:
    return (f"{place} lacks {key}" for key in keys if key not in tree)


def _problems_of_structure(tree: Mapping[str, Any]) -> Iterator[str]:
    for name in ("config", "options"):
        if name in tree:
            yield from _problems_of_flow(name, tree[name])
    for name, subentry in tree.get("config_subentries", {}).items():
        place = f"config_subentries.{name}"
        yield from _problems_of_flow(place, subentry)
        yield from _lacking(place, subentry, "entry_type", "initiate_flow")
        yield from _lacking(f"{place}.initiate_flow", subentry.get("initiate_flow", {}), "user")
    for name, issue in tree.get("issues", {}).items():
        place = f"issues.{name}"
        yield from _lacking(place, issue, "title")
        if ("description" in issue) is ("fix_flow" in issue):
            yield f"{place} needs a description or a fix_flow, one of the two"
        if "fix_flow" in issue:
            yield from _problems_of_flow(f"{place}.fix_flow", issue["fix_flow"])
    yield from _problems_of_descriptions(tree)


def _problems_of_descriptions(tree: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("conditions", "services", "triggers"):
        for name, described in tree.get(kind, {}).items():
            place = f"{kind}.{name}"
            yield from _lacking(place, described, "name", "description")
            # What a field of a trigger or a condition means may be clear from its name.
            wanted = ("name", "description") if kind == "services" else ("name",)
            for field, texts in described.get("fields", {}).items():
                yield from _lacking(f"{place}.fields.{field}", texts, *wanted)
            for section, texts in described.get("sections", {}).items():
                yield from _lacking(f"{place}.sections.{section}", texts, "name")


def problems_of_translations(tree: Mapping[str, Any]) -> list[str]:
    """Return everything that hassfest would reject in a translation file."""
    texts = flat(tree)
    misplaced = (f"{key} is in no place that Home Assistant knows" for key in texts if not _PLACE.fullmatch(key))
    wrong = (problem for key, text in texts.items() for problem in problems_of_text(key, text))
    return [*misplaced, *wrong, *_problems_of_structure(tree)]


def problems_of_icons(tree: Mapping[str, Any]) -> list[str]:
    """Return everything that hassfest would reject in icons.json."""
    icons = flat(tree)
    problems = [f"{key} is in no place that Home Assistant knows" for key in icons if not _ICON_PLACE.fullmatch(key)]
    problems += [f"{key} is no icon: {icon}" for key, icon in icons.items() if not _ICON.fullmatch(icon)]
    entities = chain.from_iterable(
        ((f"entity.{platform}.{key}", entity) for key, entity in keys.items())
        for platform, keys in tree.get("entity", {}).items()
    )
    for place, entity in entities:
        same = (state for state, icon in entity.get("state", {}).items() if icon == entity.get("default"))
        problems += [f"{place}.state.{state} is the default once more" for state in same]
    return problems
