"""Recording, passes and errors leave nothing behind: a short run of each kind of work."""

import os

import pytest

from tools.reference_counts import SLACK, WORK, growth

KEPT = []


@pytest.mark.parametrize("name", WORK)
def test_work_leaves_nothing_behind(name):
    work, cost = WORK[name]
    count = max(3, 400 // cost)
    assert max(growth(work, count).values()) < max(SLACK, count), name


@pytest.mark.skipif(os.environ.get("PYTHONMALLOC") == "malloc", reason="Python does not count the blocks of malloc")
def test_work_that_leaves_something_behind_is_found():
    assert growth(lambda: KEPT.append([1.5]), 400)["blocks"] > max(SLACK, 400)
