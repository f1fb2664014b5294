"""The help of the scripts: printed at once, without installing anything, and complete."""

from collections.abc import Callable
from pathlib import Path
import re
import shutil
import subprocess
from typing import Final

import pytest

from benchmarks import __main__ as benchmark
from devtools import demo, develop, screenshots
from devtools.chaos import __main__ as chaos
from tests import ROOT

SCRIPTS: Final = sorted(path.name for path in (ROOT / "scripts").iterdir())


def help_of(script: str) -> str:
    """Return the comment at the head of a script."""
    _, *lines = (ROOT / "scripts" / script).read_text().splitlines()
    head = lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))]
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in head)


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_printed_without_installing_anything(tmp_path: Path, script: str) -> None:
    for folder in ("scripts", "devtools"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    run = subprocess.run(
        [tmp_path / "scripts" / script, "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout == f"{help_of(script)}\n"
    assert run.stderr == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["devtools", "scripts"]


@pytest.mark.parametrize(
    ("script", "main"),
    [
        ("benchmark", benchmark.main),
        ("chaos", chaos.main),
        ("demo", demo.main),
        ("develop", develop.main),
        ("screenshots", screenshots.main),
    ],
)
def test_help_names_every_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], script: str, main: Callable[[], int]
) -> None:
    monkeypatch.setattr("sys.argv", [script, "--help"])
    with pytest.raises(SystemExit):
        main()
    options = set(re.findall(r"--[a-z]+", capsys.readouterr().out)) - {"--help"}
    assert set(re.findall(r"--[a-z]+", help_of(script))) == options


@pytest.mark.parametrize(
    ("main", "option"),
    [(chaos.main, "--keep"), (develop.main, "--folder"), (screenshots.main, "--folder")],
    ids=["chaos", "develop", "screenshots"],
)
def test_a_folder_that_cannot_be_written_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    main: Callable[[], int],
    option: str,
) -> None:
    # Nothing can be created in a file, whoever runs the test.
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "folder"
    monkeypatch.setattr("sys.argv", ["script", option, str(folder)])
    assert main() == 1
    output = "".join(capfd.readouterr())
    assert f"the folder {folder} cannot be written" in output
    assert "Traceback" not in output


def test_chaos_keeps_the_files_of_an_earlier_run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.argv", ["chaos", "--keep", str(tmp_path)])
    assert chaos.main() == 1
    assert f"{tmp_path} exists already" in "".join(capfd.readouterr())
