"""Validation of the fields of actions, whose values come from forms, YAML or templates."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, override

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


class ActionSchema(vol.Schema):
    """The schema of an action. An empty optional field is treated as if it was omitted."""

    def __init__(self, fields: VolDictType, *, never_empty: Collection[str] = ()) -> None:
        """Initialize the schema.

        Args:
            fields: the validators by marker.
            never_empty: optional fields that are validated also if they are empty.
        """
        super().__init__({field: _refuse_on_error(validator) for field, validator in fields.items()})
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


def _refuse_on_error(validator: Any) -> Callable[[Any], Any]:  # noqa: ANN401  # Whatever voluptuous takes.
    """Return a validator that refuses a value on which the given one fails with another error than its own.

    Home Assistant's validators do so for numbers as entity IDs, and for infinity.
    """
    validate_value = vol.Schema(validator)

    def validate(value: Any) -> Any:  # noqa: ANN401  # Whatever stands in the field.
        """Validate a value."""
        try:
            return validate_value(value)
        except (OverflowError, TypeError) as err:
            raise vol.Invalid("the value can't be used here") from err

    return validate


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
