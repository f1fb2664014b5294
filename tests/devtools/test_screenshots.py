"""The screenshots of the documentation: complete and small. Taking them needs a browser."""

from pathlib import Path

import pytest

from devtools.browser import VARIABLE
from devtools.demo_data import DEMO_DATA
from devtools.screenshots import FOLDER, MAX_SIZE, main, screenshots


def test_every_screenshot_exists_in_every_language_and_is_small() -> None:
    names = {screenshot.name for screenshot in screenshots(phone_id="", notify_id="", message="")}
    files = {f"{name}.png" for name in names} | {
        f"{name}.{language}.png" for name in names for language in DEMO_DATA.keys() - {"en"}
    }
    found = {file.name: file.stat().st_size for file in FOLDER.iterdir()}
    assert found.keys() == files
    assert max(found.values()) <= MAX_SIZE


def test_a_missing_browser_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, "no-such-browser")
    monkeypatch.setattr("sys.argv", ["screenshots", "--folder", str(tmp_path)])
    assert main() == 1
    assert f"{VARIABLE} is set to no-such-browser, which does not exist" in capsys.readouterr().out
