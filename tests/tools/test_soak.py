"""A short soak test: after a warm-up, training does not use more and more memory."""

import pytest

from tools.soak import WORK, run


@pytest.mark.parametrize("work", WORK)
def test_training_leaves_nothing_behind(work):
    stretches = run(WORK[work](), 4000, 4)
    warm, *later = stretches[1:]
    assert max(stretch.blocks for stretch in later) < warm.blocks + 500, stretches
