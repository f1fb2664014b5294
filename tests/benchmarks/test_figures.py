"""A figure is judged by its bar, and the table says so."""

from typing import Any

import pytest

from benchmarks.figures import Figure, table


@pytest.mark.parametrize(
    ("bar", "good"),
    [
        ({}, True),
        ({"at_most": 2}, True),
        ({"at_most": 1.99}, False),
        ({"at_least": 2}, True),
        ({"at_least": 2.01}, False),
    ],
)
def test_a_figure_keeps_or_misses_its_bar(bar: dict[str, Any], good: bool) -> None:
    assert Figure(name="A send", ours="2 ms", value=2, **bar).is_good is good


@pytest.mark.parametrize(
    ("figure", "cells"),
    [
        ({"value": 2.5, "at_most": 2}, ["2.50 ×", "≤ 2.00 ×", "MISSED"]),
        ({"value": 95.2, "unit": "percent", "at_least": 90}, ["95 %", "≥ 90 %", "kept"]),
        ({"value": 0, "unit": "rows", "at_most": 0}, ["0 rows", "0 rows", "kept"]),
        ({"value": 3, "unit": "MiB"}, ["3 MiB", "", ""]),
    ],
)
def test_the_table_shows_the_result_the_bar_and_the_verdict(figure: dict[str, Any], cells: list[str]) -> None:
    head, rule, row = table([Figure(name="It", ours="1 ms", by_hand="2 ms", **figure)]).splitlines()
    assert len(head) == len(rule) == len(row)
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["It", "1 ms", "2 ms", *cells]
