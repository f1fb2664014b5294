"""What the fields of the actions take, whether a form, YAML or a template filled them in."""

from collections.abc import Collection, Mapping
from typing import Any, Final, override

from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import VolDictType
import voluptuous as vol

from ..api import join_surrogates
from ..text import MAX_CHARACTERS

# Code points of a field that is no message, and rows of a list. A message in the queue carries its tag to the disk and
# to every event, and the queue holds as many messages as this.
_MAX_LENGTH: Final = 255
_MAX_ROWS: Final = 1000

SHORT_TEXT: Final = vol.All(cv.string, vol.Length(max=_MAX_LENGTH))
SHORT_TEXTS: Final = vol.All(cv.ensure_list, vol.Length(max=_MAX_ROWS), [SHORT_TEXT])


class ActionSchema(vol.Schema):
    """The schema of an action: nothing in an optional field means that it was left out."""

    def __init__(self, fields: VolDictType, *, never_empty: Collection[str] = ()) -> None:
        """Make a schema.

        Args:
            fields: the fields, by their markers.
            never_empty: optional fields in which an empty text is an error.
        """
        super().__init__(fields)
        self._kept = {str(field) for field in fields if isinstance(field, vol.Required)}.union(never_empty)

    @override
    def __call__(self, data: Mapping[str, object], **options: Any) -> Any:
        """Return the data of a call as its action takes it."""
        joined = {field: _joined(value) for field, value in data.items()}
        return super().__call__(
            {
                field: value if field in self._kept else _without_empty_rows(value)
                for field, value in joined.items()
                if value is not None and (field in self._kept or not _is_empty(value))
            },
            **options,
        )


def _joined(value: object) -> object:
    """Return a value whose texts have no surrogates; a longer text than any may be is left to what refuses it."""
    if isinstance(value, list):
        return [_joined(row) for row in value]
    return join_surrogates(value) if isinstance(value, str) and len(value) <= MAX_CHARACTERS else value


def _without_empty_rows(value: object) -> object:
    """Return a value without the rows that nothing was entered in."""
    return [row for row in value if not _is_empty(row)] if isinstance(value, list) else value


def _is_empty(value: object) -> bool:
    """Return whether nothing was entered, or nothing but white space."""
    return value is None or (isinstance(value, str) and not value.strip())
