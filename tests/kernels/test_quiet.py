"""NumPy's warnings are off inside of a call, and only there."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinygraph import Tensor
from tinygraph.kernels.quiet import calm, quietly


def test_quietly_is_quiet_only_inside():
    assert quietly(np.divide, 1.0, np.array([0.0])).tolist() == [math.inf]
    assert quietly(quietly, np.log, np.array([-1.0])) != 0.0
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.divide(1.0, np.array([0.0]))


def test_every_thread_is_quiet():
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: quietly(np.geterr), range(40)))
    assert found == [dict.fromkeys(("divide", "over", "under", "invalid"), "ignore")] * 40


@pytest.mark.skipif(calm is quietly, reason="without the global interpreter lock, calm is quietly")
def test_calm_is_quiet_and_runs_once_at_a_time():
    zeros, started, ended = np.zeros(2), threading.Event(), threading.Event()
    assert calm(np.geterr) == dict.fromkeys(("divide", "over", "under", "invalid"), "ignore")
    with pytest.raises(RuntimeError, match="already entered"):
        calm(calm, np.log, zeros)
    assert calm(quietly, np.log, zeros).tolist() == quietly(np.log, zeros).tolist()
    other = threading.Thread(target=calm, args=(lambda: started.set() or ended.wait(60),))
    other.start()
    try:
        assert started.wait(60)
        with pytest.raises(RuntimeError, match="already entered"):
            calm(np.log, zeros)
        assert (Tensor(zeros) / 0.0).data.tolist() == pytest.approx([math.nan] * 2, nan_ok=True)  # without a warning
    finally:
        ended.set()
        other.join()
