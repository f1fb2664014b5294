"""The pictures of the documentation: all there, and small; made again only where there is a browser."""

from pathlib import Path

import pytest

from workshop.browser import VARIABLE
from workshop.pictures import FOLDER, LARGEST, main, pictures
from workshop.showroom import WORDS


def test_every_picture_is_there_in_every_language_and_small() -> None:
    names = {picture.name for picture in pictures(phone_id="", notify_id="", message="")}
    files = {f"{name}.png" for name in names} | {
        f"{name}.{language}.png" for name in names for language in WORDS.keys() - {"en"}
    }
    found = {file.name: file.stat().st_size for file in FOLDER.iterdir()}
    assert found.keys() == files
    assert max(found.values()) <= LARGEST


def test_without_a_browser_the_program_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, "no-such-browser")
    monkeypatch.setattr("sys.argv", ["pictures", "--folder", str(tmp_path)])
    assert main() == 1
    assert f"{VARIABLE} names no-such-browser, which is not there" in capsys.readouterr().out
