"""The GitHub workflows: their permissions, and the code that they run."""

from pathlib import Path
import re
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml
import pytest

from tests import ROOT

WORKFLOWS: Final = sorted((ROOT / ".github/workflows").iterdir())

# A commit cannot be changed as a tag can; the comment says to a person what it is.
PINNED: Final = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40}  # (v\d+\.\d+\.\d+|\w+ of \d{4}-\d\d-\d\d)")


def read(workflow: Path) -> dict[str, Any]:
    content = parse_yaml(workflow.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def jobs() -> list[Any]:
    return [
        pytest.param(job, id=f"{workflow.stem} {name}")
        for workflow in WORKFLOWS
        for name, job in read(workflow)["jobs"].items()
    ]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.stem)
def test_third_party_actions_are_pinned_to_a_commit(workflow: Path) -> None:
    used = re.findall(r"uses: *(.*)", workflow.read_text(encoding="utf-8"))
    assert used
    assert [action for action in used if not PINNED.fullmatch(action)] == []


def test_an_action_is_pinned_to_the_same_commit_everywhere() -> None:
    used = {use for workflow in WORKFLOWS for use in re.findall(r"uses: *(.*)", workflow.read_text(encoding="utf-8"))}
    assert len(used) == len({use.partition("@")[0] for use in used})


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.stem)
def test_a_workflow_has_at_most_read_permission_and_no_secrets(workflow: Path) -> None:
    assert read(workflow)["permissions"] in ({}, {"contents": "read"})
    assert "secrets" not in workflow.read_text(encoding="utf-8")


def test_only_the_release_job_may_write_contents() -> None:
    granted = {
        f"{workflow.stem}.{name}": job["permissions"]
        for workflow in WORKFLOWS
        for name, job in read(workflow)["jobs"].items()
        if "permissions" in job
    }
    assert granted == {"release.package": {"contents": "write"}}


@pytest.mark.parametrize("job", jobs())
def test_every_job_has_a_timeout(job: dict[str, Any]) -> None:
    assert 0 < job["timeout-minutes"] <= 45


@pytest.mark.parametrize("job", jobs())
def test_a_job_runs_only_the_repositorys_scripts(job: dict[str, Any]) -> None:
    programs = [step["run"].split()[0] for step in job["steps"] if "run" in step]
    scripts = [program for program in programs if program != "gh"]
    assert [script for script in scripts if not (ROOT / script).is_file() or not script.startswith("scripts/")] == []


@pytest.mark.parametrize("job", jobs())
def test_no_github_context_is_expanded_in_a_shell(job: dict[str, Any]) -> None:
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert [run for run in runs if "github." in run] == []
