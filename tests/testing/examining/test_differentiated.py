"""The names and the places of functions in messages."""

import inspect
from functools import partial

import numpy as np
import pytest

from tinygraph import Value
from tinygraph.testing import assert_gradient, assert_jvp, assert_value_and_grad, assert_vjp, gradient_test


class Loss:
    def __call__(self, w):
        return (w**2).sum(), 3.0 * w


def scaled(a, w):
    return (a * w**2).sum(), 3.0 * w


def cut(a, x):
    return a * x * float(x.data) if isinstance(x, Value) else a * x * x


CASES = {
    "Loss": lambda: assert_value_and_grad(Loss(), np.ones(2)),
    "scaled": lambda: assert_value_and_grad(partial(partial(scaled), 1.0), np.ones(2)),
    "power": lambda: assert_vjp(partial(np.power, 2.0), lambda g, x: g * x, np.ones(2)),
    "power ": lambda: assert_jvp(partial(np.power, 2.0), lambda at, v: v[0], np.ones(2)),
    "cut": lambda: assert_gradient(partial(cut, 2.0), 1.0),
    "Loss with w (1,)": gradient_test(Loss(), {"w": ("n",)}),
    "scaled with w (1,)": gradient_test(partial(scaled, 1.0), {"w": ("n",)}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_message_begins_with_the_name_of_the_class_or_of_the_function(name):
    with pytest.raises(AssertionError) as caught:
        CASES[name]()
    text = str(caught.value)
    assert text.startswith((name.strip() + ":", name.strip() + "\n"))
    assert "object at 0x" not in text
    if "with" in name:
        source = Loss.__call__ if "Loss" in name else scaled
        assert f"is at test_differentiated.py:{inspect.getsourcelines(source)[1]}" in text
