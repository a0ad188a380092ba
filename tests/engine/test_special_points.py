"""At every special point, Value and Tensor have the same bits, in the value and in derivatives up to the third.

Special points are zeros of both signs, 1, infinities, NaN, subnormal numbers, the largest floats, and the neighbors of
1. Where mpmath finds a limit, it is the value or derivative.
"""

import itertools
import math
import struct
from math import inf, nan

import numpy as np
import pytest

from tests.oracles.limits import is_close, limit
from tests.oracles.references import HUGE, OPTIONS, ROWS, TINY, power_reference
from tinygraph import Tensor, Value, grad
from tinygraph.engine import ops
from tinygraph.engine.more_ops.activations import nan_to_num_of
from tinygraph.engine.more_ops.table import TABLE

MANY = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, inf, -inf, nan, TINY, -TINY, 2.0**-1022, -(2.0**-1022), HUGE, -HUGE]
MANY += [1000.0, -1000.0, 1.0 - 2.0**-53, 1.0 + 2.0**-52, -1.0 + 2.0**-53, -1.0 - 2.0**-52]
FEW = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, inf, -inf, nan, TINY, -TINY, HUGE, -HUGE, 1000.0, 1.0 - 2.0**-53]
EXPONENTS = [0.0, 1.0, 2.0, 3.0, 4.0, -1.0, -2.0, -3.0, 0.5, -0.5, 1.5, 2.5, -1.5, 2.7, 1 / 3]
EXTREME = [1e-20, 1e300, inf, -inf, nan, TINY]
PUBLIC = [op for op in TABLE.values() if op.public and not op.variadic]
OPS = [*PUBLIC, *map(ops.power, EXPONENTS), *[op for op, _ in OPTIONS]]
every_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
LABELED = {"binary_cross_entropy", "binary_cross_entropy_with_logits"}

# NumPy and the C library can round other functions to different neighbors, depending on the machine.
ARITHMETIC = ["add", "sub", "mul", "div", "neg", "sqrt", "abs", "sign", "relu", "heaviside", "maximum", "minimum"]
ARITHMETIC += ["squared_error", "power(0.0)", "power(1.0)", "power(2.0)"]


def bits(x):
    return "nan" if x != x else struct.pack("d", x).hex()


def same(op, x, y):
    """Return whether two floats have the same bits, or are finite, not 0, and differ by the rounding of a function."""
    if bits(x) == bits(y) or op.name in ARITHMETIC:
        return bits(x) == bits(y)
    finite = math.isfinite(x) and math.isfinite(y)
    return finite and x and y and (x > 0) is (y > 0) and abs(x - y) <= 4 * math.ulp(max(abs(x), abs(y)))


def grid_of(op, numbers):
    return list(itertools.product(numbers, repeat=op.arity))


def derivatives(op, leaves, order, seed):
    """Return the nodes of the value and of all derivatives up to an order, by the slots of the operands."""
    layer = {(): op(*leaves)}
    found = dict(layer)
    for _ in range(order):
        layer = {
            (*slots, slot): derivative
            for slots, node in layer.items()
            for slot, derivative in enumerate(grad(node, leaves, seed=seed, create_graph=True))
        }
        found |= layer
    return found


@pytest.mark.parametrize("op", [*OPS, *map(ops.power, EXTREME)], ids=lambda op: op.name)
def test_value_and_tensor_agree_in_value_and_derivatives_of_order_1_to_3(op):
    grid = grid_of(op, MANY if op.arity == 1 else FEW)
    arrays = derivatives(op, [Tensor(np.array(xs)) for xs in zip(*grid, strict=True)], 3, np.ones(len(grid)))
    wrong = []
    for i, point in enumerate(grid):
        for slots, node in derivatives(op, list(map(Value, point)), 3, None).items():
            if not same(op, node.data, float(arrays[slots].data[i])):
                wrong.append((point, slots, node.data, float(arrays[slots].data[i])))
    assert not wrong


@every_op
def test_every_way_to_a_first_derivative_gives_the_same_bits(op):
    grid = grid_of(op, MANY if op.arity == 1 else FEW)
    leaves = [Tensor(np.array(xs)) for xs in zip(*grid, strict=True)]
    seed = np.ones(len(grid))
    y = op(*leaves)
    y.backward(seed=seed)
    ways = [[leaf.grad for leaf in leaves], grad(y, leaves, seed=seed)]
    ways.append([node.data for node in grad(y, leaves, seed=seed, create_graph=True)])
    for i, point in enumerate(grid):
        values = list(map(Value, point))
        v = op(*values)
        v.backward()
        numbers = [[value.grad for value in values], grad(v, values)]
        numbers.append([node.data for node in grad(v, values, create_graph=True)])
        for slot in range(op.arity):
            assert len({bits(way[slot]) for way in numbers}) == 1, point
            assert len({bits(float(way[slot][i])) for way in ways}) == 1, point
            assert same(op, numbers[0][slot], float(ways[0][slot][i])), point


def test_a_zero_keeps_its_sign_on_every_way_through_a_graph():
    for kind in (Value, Tensor):
        x, y = kind(-0.0), kind(3.0)
        shared = x * y
        root = shared * y + shared * y
        for node in (root, x * y, (x * y) * 1.0):
            node.backward()
            assert bits(float(y.grad)) == bits(-0.0)


UNARY = [0.0, -0.0, 1.0, -1.0, inf, -inf, TINY, -TINY, HUGE, -HUGE]
BINARY = [0.0, -0.0, 1.0, -1.0, inf, -inf, 2.0]


def has_a_limit(op, point, slots):
    if op.domain.kink is not None and op.domain.kink(*point) == 0:
        return False  # a kink or a pole: the derivative there is defined, and is not a limit
    if op.name in LABELED and not 0.0 <= point[1] <= 1.0:
        return False
    if op.name == "pow" and (bits(point[1]) == bits(-0.0) or (bits(point[0]) == bits(-0.0) and 1 in slots)):
        return False  # an exponent of 0 has no sign, and a negative base has no derivative by the exponent
    if op.maker is nan_to_num_of and not math.isfinite(point[0]):
        return False  # replaced by a constant
    return not (len(slots) > 1 and HUGE in map(abs, point))  # the references clip exp(HUGE)


@every_op
def test_values_and_derivatives_are_the_limits_that_mpmath_finds(op):
    truth = dict([*ROWS.values()]).get(op) or power_reference(op.parameters[0])
    still = (1,) if op.name in LABELED else ()
    wrong, found = [], 0
    for point in grid_of(op, UNARY if op.arity == 1 else BINARY):
        limits = {}
        for slots, node in derivatives(op, list(map(Value, point)), 3 if op.arity == 1 else 2, None).items():
            key = tuple(sorted(slots))
            if key not in limits:
                limits[key] = limit(truth, point, key, still) if has_a_limit(op, point, slots) else None
            found += limits[key] is not None
            # the mixed derivative of atan2 is exactly 0 at (2, 2), where the difference of mpmath is 1e-82
            scale = 1e-60 if op.name == "atan2" else 0.0
            if limits[key] is not None and not is_close(node.data, limits[key], scale):
                wrong.append((point, slots, node.data, float(limits[key])))
    assert not wrong
    assert found >= 8
