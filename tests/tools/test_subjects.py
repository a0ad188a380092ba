"""The check of commit subjects accepts imperatives of at most 72 characters, and nothing else."""

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
