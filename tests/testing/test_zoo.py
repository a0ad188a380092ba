"""The kit finds every planted bug at every point and names its place, and no correct twin fails."""

import importlib

import numpy as np
import pytest

from tests.testing.zoo import ZOO
from tests.testing.zoo_tinygraph import ZOO_TINYGRAPH
from tinygraph.testing import assert_gradient, assert_value_and_grad


def points(shapes, seed):
    """Return random inputs of the given shapes."""
    random = np.random.default_rng(seed)
    return [random.normal(size=shape) if shape else float(random.normal()) for shape in shapes]


def examine(check, case):
    """Check five points for the bug, and twenty for the twin."""
    for seed in range(5):
        with pytest.raises(AssertionError, match=case.message):
            check(case.make(), *points(case.shapes, seed))
    for seed in range(20):
        check(case.right, *points(case.shapes, seed))


@pytest.fixture
def float64_in_jax():
    """JAX with float64, which is restored after the test."""
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("name", ZOO)
def test_bugs_in_numpy(name):
    examine(assert_value_and_grad, ZOO[name])


@pytest.mark.parametrize("name", ZOO_TINYGRAPH)
def test_bugs_in_tinygraph(name):
    examine(assert_gradient, ZOO_TINYGRAPH[name])


@pytest.mark.parametrize("part", range(4))
def test_bugs_in_torch(part):
    pytest.importorskip("torch")
    zoo = importlib.import_module("tests.testing.zoo_torch").ZOO_TORCH
    assert len(zoo) > 15
    for case in list(zoo.values())[part::4]:
        examine(assert_value_and_grad, case)


@pytest.mark.parametrize("part", range(4))
def test_bugs_in_jax(float64_in_jax, part):
    zoo = importlib.import_module("tests.testing.zoo_jax").ZOO_JAX
    assert len(zoo) > 10
    for case in list(zoo.values())[part::4]:
        examine(assert_value_and_grad, case)
