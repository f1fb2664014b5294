"""Automations in a real Home Assistant, with the triggers and conditions of the integration."""

from pathlib import Path

import pytest

from .programs import running


@pytest.mark.timeout(240)
def test_every_trigger_fires_once_and_none_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path, "devtools.automation_check") as check:
        output, _ = check.communicate()
    assert check.returncode == 0, output
    assert list(tmp_path.iterdir()) == []
