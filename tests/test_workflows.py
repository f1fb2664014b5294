"""The workflows at GitHub: what they may do, and whose code they run."""

from pathlib import Path
import re
from typing import Any, Final

from homeassistant.util.yaml import parse_yaml
import pytest

ROOT: Final = Path(__file__).parents[1]
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
def test_the_code_of_others_runs_only_as_it_was_looked_at(workflow: Path) -> None:
    used = re.findall(r"uses: *(.*)", workflow.read_text(encoding="utf-8"))
    assert used
    assert [action for action in used if not PINNED.fullmatch(action)] == []


def test_one_action_is_pinned_to_one_commit_everywhere() -> None:
    used = {use for workflow in WORKFLOWS for use in re.findall(r"uses: *(.*)", workflow.read_text(encoding="utf-8"))}
    assert len(used) == len({use.partition("@")[0] for use in used})


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.stem)
def test_a_workflow_may_read_at_most_and_knows_no_secret(workflow: Path) -> None:
    assert read(workflow)["permissions"] in ({}, {"contents": "read"})
    assert "secrets" not in workflow.read_text(encoding="utf-8")


def test_only_a_release_may_write_and_only_what_it_attaches_to() -> None:
    granted = {
        f"{workflow.stem}.{name}": job["permissions"]
        for workflow in WORKFLOWS
        for name, job in read(workflow)["jobs"].items()
        if "permissions" in job
    }
    assert granted == {"release.package": {"contents": "write"}}


@pytest.mark.parametrize("job", jobs())
def test_a_job_that_hangs_ends(job: dict[str, Any]) -> None:
    assert 0 < job["timeout-minutes"] <= 45


@pytest.mark.parametrize("job", jobs())
def test_a_job_runs_what_a_developer_runs(job: dict[str, Any]) -> None:
    programs = [step["run"].split()[0] for step in job["steps"] if "run" in step]
    scripts = [program for program in programs if program != "gh"]
    assert [script for script in scripts if not (ROOT / script).is_file() or not script.startswith("scripts/")] == []


@pytest.mark.parametrize("job", jobs())
def test_what_a_person_types_reaches_no_shell_as_code(job: dict[str, Any]) -> None:
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert [run for run in runs if "github." in run] == []
