"""A result meets or misses its target, and the table says so."""

from typing import Any

import pytest

from benchmarks.results import Result, table


@pytest.mark.parametrize(
    ("target", "met"),
    [
        ({}, True),
        ({"maximum": 2}, True),
        ({"maximum": 1.99}, False),
        ({"minimum": 2}, True),
        ({"minimum": 2.01}, False),
    ],
)
def test_a_figure_meets_or_misses_its_target(target: dict[str, Any], met: bool) -> None:
    assert Result(name="Send", integration="2 ms", value=2, **target).meets_target is met


@pytest.mark.parametrize(
    ("result", "cells"),
    [
        ({"value": 2.5, "maximum": 2}, ["2.50 ×", "≤ 2.00 ×", "MISSED"]),
        ({"value": 95.2, "unit": "percent", "minimum": 90}, ["95 %", "≥ 90 %", "met"]),
        ({"value": 0, "unit": "rows", "maximum": 0}, ["0 rows", "0 rows", "met"]),
        ({"value": 3, "unit": "MiB"}, ["3 MiB", "", ""]),
    ],
)
def test_the_table_shows_the_result_the_target_and_the_verdict(result: dict[str, Any], cells: list[str]) -> None:
    header, rule, row = table([Result(name="Send", integration="1 ms", baseline="2 ms", **result)]).splitlines()
    assert len(header) == len(rule) == len(row)
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["Send", "1 ms", "2 ms", *cells]
