"""The op that cuts the graph: its value is its operand, and no gradient flows."""

import numpy as np
import pytest

import tinygraph
from tinygraph import Tensor
from tinygraph.tensor.more_ops.cuts import cut


def test_the_value_flows_and_the_gradient_does_not():
    x = Tensor([2.0, 3.0], "x")
    y = (x * cut(x)).sum()
    y.backward()
    assert y.item() == 13.0
    assert x.grad.tolist() == [2.0, 3.0]
    x.data = [5.0, 1.0]
    assert y.forward().item() == 26.0  # the cut part is recomputed


def test_derivatives_in_forward_mode_and_of_second_order_stop_too():
    x = Tensor([2.0, 3.0], "x")
    y = (x * cut(x)).sum()
    np.testing.assert_array_equal(tinygraph.hessian(y, x), np.zeros((2, 2)))
    assert tinygraph.jvp(y, {x: [1.0, 10.0]}) == 32.0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_upstream_gradient_that_is_not_finite_stops_too(bad):
    x = Tensor([2.0], "x")
    (cut(x) * bad + x).sum().backward()
    assert x.grad.tolist() == [1.0]


def test_it_is_saved_by_name(tmp_path):
    x = Tensor([2.0], "x")
    loaded = tinygraph.load(tinygraph.save((cut(x) * x).sum(), tmp_path / "cut.json"), verify=True)
    loaded.backward()
    assert "cut" in tinygraph.draw(loaded).source
