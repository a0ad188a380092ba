"""At special points, the ops of NumPy's elementwise functions have NumPy's values, including the signs of zeros."""

import itertools
import math
import sys

import numpy as np
import pytest

import tinygraph
from tinygraph import Tensor, Value
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.more_ops.ufuncs import UFUNCS

POINTS = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 7.25, 1e-310, 5e-324, 1e300, sys.float_info.max, math.inf]
POINTS = [*POINTS, *[-x for x in POINTS], math.nan]
NAMES = [
    *("square", "reciprocal", "cbrt", "exp2", "log2", "log10", "arcsinh", "arccosh", "arctanh", "arctan2", "hypot"),
    *("logaddexp2", "remainder", "fmod", "floor_divide", "fmax", "fmin", "deg2rad", "rad2deg", "positive", "floor"),
    *("ceil", "trunc", "rint", "radians", "degrees", "fabs"),
]
ORDERED = ("fmax", "fmin")  # NumPy does not say which of two zeros is larger


def bits(x):
    return "nan" if math.isnan(x) else (x, math.copysign(1.0, x))


@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_numpy(name):
    ufunc, op = getattr(np, name), UFUNCS[name]
    wrong = []
    for point in itertools.product(POINTS, repeat=ufunc.nin):
        with np.errstate(all="ignore"):
            expected = float(ufunc(*map(np.float64, point)))
        found = op(*point)
        close = found == expected if name in ORDERED else bits(found) == bits(expected)
        if math.isfinite(expected) and expected and math.isfinite(found):
            size = max(1.0, *map(abs, point)) if name == "logaddexp2" else expected  # its terms cancel near 0
            close = abs(found - expected) <= 3 * math.ulp(size)
        if not (close or (math.isnan(found) and math.isnan(expected))):
            wrong.append((point, found, expected))
    assert not wrong


@pytest.mark.parametrize("name", NAMES)
def test_a_ufunc_records_the_op(name):
    ufunc, op = getattr(np, name), UFUNCS[name]
    point = (1.5, 0.75)[: ufunc.nin]
    v, t = ufunc(*map(Value, point)), ufunc(*[Tensor([x]) for x in point])
    assert v.op is t.op is op is TABLE[op.name]
    assert bits(v.data) == bits(op(*point))
    mixed = ufunc(np.array([point[0]] * 2), *[Tensor(x) for x in point[1:]]) if ufunc.nin == 2 else t
    assert mixed.op is op


def test_operators_of_python():
    for x, y in itertools.product((5.5, -5.5), (2.0, -2.0)):
        assert (Value(x) % Value(y)).data == (x % Value(y)).data == (Value(x) % y).data == x % y
        assert (Value(x) // Value(y)).data == (x // Value(y)).data == (Value(x) // y).data == x // y
        assert (Tensor([x]) % y).data.tolist() == (np.array([x]) % Tensor(y)).data.tolist() == [x % y]
        assert (Tensor([x]) // y).data.tolist() == [x // y]
    assert tinygraph.mod(-7, 3) == 2.0
    assert tinygraph.fmod(-7, 3) == -1.0


def test_extrema_that_ignore_nan_give_it_no_gradient():
    x, y = Tensor([np.nan, 1.0, 2.0, np.nan]), Tensor([1.0, np.nan, 2.0, np.nan])
    for function in (np.fmax, np.fmin):
        z = function(x, y)
        z.backward(seed=np.ones(4))
        assert np.array_equal(x.grad, [0.0, 1.0, 0.5, np.nan], equal_nan=True)
        assert np.array_equal(y.grad, [1.0, 0.0, 0.5, np.nan], equal_nan=True)


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200, 5e-324, sys.float_info.max / 8])
def test_polar_coordinates_keep_their_digits_at_every_size(scale):
    x, y = Value(3.0 * scale), Value(4.0 * scale)
    r, angle = tinygraph.hypot(x, y), tinygraph.atan2(y, x)
    r.backward()
    assert (x.grad, y.grad) == pytest.approx((0.6, 0.8), rel=1e-15)
    angle.backward()
    assert x.grad * scale == pytest.approx(-0.16, rel=1e-14) or math.isinf(x.grad)
    t = [Tensor([z.data, 1.0]) for z in (x, y)]
    np.hypot(*t).sum().backward()
    assert (t[0].grad[0], t[1].grad[0]) == pytest.approx((0.6, 0.8), rel=1e-15)
