"""Validation of the fields of actions, whose values come from forms, YAML or templates."""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, Final, override

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import VolDictType
import voluptuous as vol

from ..api import join_surrogates
from ..text import MAX_CHARACTERS

# Code points of a field other than a message, and rows of a list. The tag of a message is stored, and part of its
# events, and the queue holds as many messages as a list has rows.
_MAX_LENGTH: Final = 255
_MAX_ROWS: Final = 1000

SHORT_TEXT: Final = vol.All(cv.string, vol.Length(max=_MAX_LENGTH))
NOT_BLANK: Final = vol.All(SHORT_TEXT, vol.Match(r"\s*\S", msg="it is empty"))
SHORT_TEXTS: Final = vol.All(cv.ensure_list, vol.Length(max=_MAX_ROWS), [SHORT_TEXT])


def _entity_ids(value: Any) -> Any:  # noqa: ANN401  # Whatever stands in the field.
    """Return ids of entities. Home Assistant's own validator fails on a number with another error."""
    try:
        return cv.comp_entity_ids(value)
    except TypeError as err:
        raise vol.Invalid("expected entity IDs") from err


TARGET_FIELDS: Final[VolDictType] = {**cv.ENTITY_SERVICE_FIELDS, vol.Optional(ATTR_ENTITY_ID): _entity_ids}


def whole_number(maximum: int) -> Callable[[Any], int]:
    """Return the validator of a whole number from 1 to the maximum."""
    return vol.All(_integer, vol.Range(min=1, max=maximum))


def _integer(value: Any) -> int:  # noqa: ANN401  # Whatever stands in the field.
    """Return a whole number. In Home Assistant 2026.8, `vol.Coerce` fails on infinity with another error."""
    try:
        return int(value)
    except (OverflowError, TypeError, ValueError) as err:
        raise vol.Invalid("expected int") from err


def time_period(longest: timedelta) -> Callable[[Any], timedelta]:
    """Return the validator of a duration: seconds, `"00:05:00"` or `{"minutes": 5}`, from 0 to the longest."""
    return vol.All(_duration, vol.Range(max=longest))


def _duration(value: Any) -> timedelta:  # noqa: ANN401  # Whatever stands in the field.
    """Return a duration."""
    try:
        return cv.positive_time_period(value)
    except OverflowError as err:
        raise vol.Invalid("it is too long") from err


class ActionSchema(vol.Schema):
    """The schema of an action. An empty optional field is treated as if it was omitted."""

    def __init__(self, fields: VolDictType, *, never_empty: Collection[str] = ()) -> None:
        """Initialize the schema.

        Args:
            fields: the validators by marker.
            never_empty: optional fields that are validated also if they are empty.
        """
        super().__init__(fields)
        self._never_empty = {str(field) for field in fields if isinstance(field, vol.Required)}.union(never_empty)

    @override
    def __call__(self, data: Mapping[str, object], **options: Any) -> Any:
        """Return the validated data of a call."""
        joined = {field: _join_surrogates(value) for field, value in data.items()}
        return super().__call__(
            {
                field: value if field in self._never_empty else _without_empty_rows(value)
                for field, value in joined.items()
                if field in self._never_empty or not _is_empty(value)
            },
            **options,
        )


def _join_surrogates(value: object) -> object:
    """Return a value whose texts have no surrogates. A text beyond any limit is left for its validator to refuse."""
    if isinstance(value, list):
        # A list in a list is refused by every validator.
        return [_join_in_text(row) for row in value]
    return _join_in_text(value)


def _join_in_text(value: object) -> object:
    """Return a value without surrogates, if it is a text."""
    return join_surrogates(value) if isinstance(value, str) and len(value) <= MAX_CHARACTERS else value


def _without_empty_rows(value: object) -> object:
    """Return a value without empty rows."""
    return [row for row in value if not _is_empty(row)] if isinstance(value, list) else value


def _is_empty(value: object) -> bool:
    """Return whether a value is missing, or only white space."""
    return value is None or (isinstance(value, str) and not value.strip())
