"""The check of commit subjects accepts imperatives of at most 72 characters, and nothing else."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.subjects import faults


@pytest.mark.parametrize(
    "subject",
    [
        "Fix stale branch in Tensor.forward",
        "Bring back the time limit",
        "Pass the seed on",
        "Speed up recording",
        "Embed the player in a notebook",
        "Add " + "x" * 68,
    ],
)
def test_an_imperative_is_accepted(subject):
    assert faults(subject) == []


@pytest.mark.parametrize(
    ("subject", "fault"),
    [
        ("Fixed a stale branch", "imperative"),
        ("Fixes a stale branch", "imperative"),
        ("Fixing a stale branch", "imperative"),
        ("The branch is not stale", "imperative"),
        ("fix a stale branch", "capital letter"),
        ("Fix a stale branch.", "period"),
        ("Add " + "x" * 69, "73 characters"),
    ],
)
def test_anything_else_gets_one_fault(subject, fault):
    (found,) = faults(subject)
    assert fault in found


@pytest.fixture
def clone(tmp_path):
    """A clone with a branch beside `main`, and an environment in `.venv`, as CONTRIBUTING.md describes it."""
    root = Path(__file__).parents[2]
    (tmp_path / "tools").mkdir()
    for name in ("__init__.py", "subjects.py"):
        (tmp_path / "tools" / name).write_text((root / "tools" / name).read_text("utf-8"), "utf-8")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, "an old subject of the main branch, which is not checked")
    git(tmp_path, "switch", "-q", "-c", "topic")
    return tmp_path


def git(folder, *arguments):
    settings = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True)


def commit(folder, subject):
    git(folder, "commit", "-q", "--allow-empty", "-m", subject)


def check(folder):
    """Run the command of CONTRIBUTING.md as it is written."""
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text("utf-8")
    (command,) = re.findall(r"^.*-m tools\.subjects.*$", text, re.MULTILINE)
    return subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True)


def test_the_command_of_contributing_accepts_good_subjects(clone):
    commit(clone, "Fix stale branch in Tensor.forward")
    done = check(clone)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 subject checked in main..HEAD\n", "")


def test_the_command_of_contributing_reports_a_subject_that_is_too_long(clone):
    commit(clone, "Fix stale branch in Tensor.forward")
    commit(clone, "Add " + "x" * 69)
    done = check(clone)
    assert done.returncode == 1
    assert "it has 73 characters, at most 72 are allowed" in done.stderr
    assert "Fix stale" not in done.stderr


def test_a_branch_that_does_not_exist_is_named(clone):
    git(clone, "branch", "-q", "-D", "main")
    done = check(clone)
    assert done.returncode == 1
    assert done.stderr.startswith("git cannot list main..HEAD: ")
