"""Gradients in dicts by the names of the inputs, and what is reported about other keys."""

import numpy as np
import pytest

from tinygraph.testing import assert_value_and_grad, gradient_test


def both(keys):
    def f(w, b):
        return (w**2).sum() + 3.0 * b, dict(zip(keys, (2.0 * w, 3.0), strict=False))

    return f


@pytest.mark.parametrize("prefix", ["", "d", "grad_"])
def test_gradients_may_have_the_names_of_the_inputs_as_keys(prefix):
    f = both((f"{prefix}w", f"{prefix}b"))
    assert_value_and_grad(f, np.ones(2), 1.0)
    assert_value_and_grad(lambda w: ((w**2).sum(), {f"{prefix}w": 2.0 * w}), np.ones(2))
    gradient_test(f, {"w": ("n",), "b": ()}, max_examples=10)()
    with pytest.raises(AssertionError, match="the gradient of b is wrong"):
        assert_value_and_grad(lambda w, b: (f(w, b)[0], f(w, b)[1] | {f"{prefix}b": 2.0}), np.ones(2), 1.0)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("dw", "dx"), "unknown key 'dx'; use 'b' or 'db'"),
        (("x", "db"), "unknown key 'x'; use 'w' or 'dw'"),
        (("w",), "no key 'b' or 'db'"),
        (("w", "db"), "must have one prefix, but they are 'w', 'db'"),
        ((1, 2), "unknown key 1; use 'w' or 'dw', 'b' or 'db'"),
    ],
)
def test_other_keys_are_named(keys, message):
    with pytest.raises(AssertionError, match=message):
        assert_value_and_grad(both(keys), np.ones(2), 1.0)
    with pytest.raises(AssertionError, match=message):
        gradient_test(both(keys), {"w": ("n",), "b": ()})()


def test_a_wrong_key_for_one_input_is_named():
    with pytest.raises(AssertionError, match="the dict of gradients has the unknown key 'dx'; use 'w' or 'dw'"):
        assert_value_and_grad(lambda w: ((w**2).sum(), {"dx": 2 * w}), np.ones(2))
