"""The release file that HACS installs."""

import json
from pathlib import Path
import subprocess
from typing import Any
from zipfile import ZipFile

import pytest

from tests import ROOT


def git(*arguments: str) -> bytes:
    # The folder may belong to another user, as in a container.
    command = ["git", "-c", "safe.directory=*", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=30).stdout


def package(version: str, archive: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts/package", version, archive], capture_output=True, text=True, check=False, timeout=30
    )


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    archive = tmp_path_factory.mktemp("release") / "gosms.zip"
    done = package("v12.3.4b5", archive)
    assert done.returncode == 0, done.stderr
    with ZipFile(archive) as content:
        names = [name for name in content.namelist() if not name.endswith("/")]
        assert len(names) == len(set(names))
        return {name: content.read(name) for name in names}


def test_the_manifest_of_a_release_differs_only_in_the_tagged_version(release: dict[str, bytes]) -> None:
    manifest: dict[str, Any] = json.loads(release["manifest.json"])
    committed = json.loads(git("show", "HEAD:custom_components/gosms/manifest.json"))
    assert manifest == committed | {"version": "12.3.4b5"}
    assert list(manifest) == list(committed)


def test_a_release_contains_only_committed_files(release: dict[str, bytes]) -> None:
    committed = git("ls-tree", "-r", "--name-only", "HEAD:custom_components/gosms").decode().splitlines()
    assert set(release) == set(committed)
    assert {name: release[name] for name in release if name != "manifest.json"} == {
        name: git("show", f"HEAD:custom_components/gosms/{name}") for name in committed if name != "manifest.json"
    }


def test_hacs_downloads_the_file_that_the_workflow_attaches() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text(encoding="utf-8"))
    workflow = (ROOT / ".github/workflows/release.yaml").read_text(encoding="utf-8")
    assert hacs["zip_release"]
    assert f'gh release upload "$TAG" {hacs["filename"]} ' in workflow


@pytest.mark.parametrize("tag", ["", "1.2", "latest", "v1.2.3-rc1", "1.2.3\n4", '1.2.3"'])
def test_a_tag_that_is_not_a_version_makes_no_release(tag: str, tmp_path: Path) -> None:
    done = package(tag, tmp_path / "gosms.zip")
    assert done.returncode == 2
    assert "v1.2.3" in done.stderr or "Usage" in done.stderr
    assert list(tmp_path.iterdir()) == []
