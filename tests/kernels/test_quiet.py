"""NumPy's warnings are off inside of a call, and only there."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinygraph.kernels.quiet import calm, quietly


def test_quietly_is_quiet_only_inside():
    assert quietly(np.divide, 1.0, np.array([0.0])).tolist() == [math.inf]
    assert quietly(quietly, np.log, np.array([-1.0])) != 0.0
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.divide(1.0, np.array([0.0]))


def test_each_thread_is_quiet_and_calm_runs_once_at_a_time():
    zeros = np.zeros(2)
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: (threading.get_ident(), calm.run, calm.run(np.geterr)), range(40)))
    assert all(found == dict.fromkeys(("divide", "over", "under", "invalid"), "ignore") for _, _, found in runs)
    assert len({id(run.__self__) for _, run, _ in runs}) == len({thread for thread, _, _ in runs})
    with pytest.raises(RuntimeError, match="already entered"):
        calm.run(calm.run, np.log, zeros)
    assert calm.run(quietly, np.log, zeros).tolist() == quietly(np.log, zeros).tolist()
