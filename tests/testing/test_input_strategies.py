"""Inputs for the functions of users: their shapes, the numbers that occur, and small failing examples."""

from collections import namedtuple

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from tinygraph import Tensor, Value
from tinygraph.testing import arrays_like

Layer = namedtuple("Layer", "W b")
FIRST = settings(max_examples=3000, phases=[Phase.generate])


@given(drawn=arrays_like({"w": ("n", 1), "X": ("n", "m"), "Y": (1, "m"), "b": ()}, max_side=4))
def test_equal_names_are_equal_lengths(drawn):
    n, m = drawn["X"].shape
    assert drawn["w"].shape == (n, 1)
    assert drawn["Y"].shape == (1, m)
    assert 1 <= n <= 4
    assert type(drawn["b"]) is float


@given(drawn=arrays_like([(...,), (..., "n"), (..., 2, "n")], max_dims=2))
def test_leading_axes_broadcast_together(drawn):
    x, y, z = map(np.shape, drawn)
    assert y[-1:] == z[-1:]
    assert z[-2] == 2
    np.broadcast_shapes(x, y[:-1], z[:-2])


def test_leading_axes_differ():
    assert find(arrays_like([(...,), (...,)]), lambda p: 1 < np.size(p[0]) < np.size(p[1]), settings=FIRST)


EXAMPLES = {
    "a number": (0.5, ()),
    "an array": (np.ones((2, 3)), (2, 3)),
    "a Tensor": (Tensor([1.0, 2.0]), (2,)),
    "a Value": (Value(1.0), ()),
    "a list of numbers is no shape": ([1.0, 2.0], None),
}


@pytest.mark.parametrize("name", EXAMPLES)
@given(data=st.data())
def test_an_example_gives_the_shape(name, data):
    example, shape = EXAMPLES[name]
    drawn = data.draw(arrays_like(example))
    if shape is None:
        assert [type(x) for x in drawn] == [float, float]
    else:
        assert np.shape(drawn) == shape


@given(drawn=arrays_like({"layers": [Layer(("n", "m"), ("n",)), Layer((1, "n"), (1,))], "at": np.zeros(2)}))
def test_the_structure_is_kept(drawn):
    first, second = drawn["layers"]
    assert type(first) is type(second) is Layer
    assert first.W.shape[:1] == first.b.shape == second.W.shape[1:]
    assert drawn["at"].shape == (2,)


@given(data=st.data())
@settings(max_examples=10)
def test_large_arrays_are_drawn_from_the_same_numbers(data):
    """Hypothesis would refuse a strategy that draws each of a thousand numbers."""
    labels = data.draw(arrays_like((1, 3000), elements=st.sampled_from([0.0, 1.0])))
    assert labels.shape == (1, 3000)
    assert set(labels.ravel().tolist()) <= {0.0, 1.0}
    integers = data.draw(arrays_like((40, 50), kinds=["integers"]))
    assert set(integers.ravel().tolist()) <= {-2.0, -1.0, 0.0, 1.0, 2.0}


def test_a_large_array_can_have_different_elements():
    found = find(arrays_like((500,), kinds=["integers", "ordinary"]), lambda x: len(set(x.tolist())) > 400)
    assert abs(found).max() <= 2.0
    assert not find(arrays_like((500,)), lambda x: True).any()


OCCURRING = {
    "zeros": lambda x: not x.any(),
    "a zero with a sign": lambda x: (np.signbit(x) & (x == 0.0)).any(),
    "ties beside others": lambda x: 1 < len(set(x.tolist())) < 4 and abs(x).max() < 3.0 and x[0] % 0.5,
    "both signs": lambda x: x.min() < 0.0 < x.max(),
    "beside a kink": lambda x: ((abs(x) > 0.0) & (abs(x) < 1e-2)).any() and abs(x).max() <= 2.0,
    "beside 1": lambda x: ((abs(x) != 1.0) & (abs(abs(x) - 1.0) < 1e-2)).any() and abs(x).max() <= 2.0,
    "small magnitudes": lambda x: ((abs(x) > 0.0) & (abs(x) < 1e-5)).any() and 2.0 < abs(x).max() <= 1000.0,
    "large magnitudes": lambda x: 100.0 < abs(x).max() <= 1000.0,
    "an overflow of exp": lambda x: 709.0 < x.max() < 1000.0,
    "an overflow of a square": lambda x: 1e154 < x.max() < 1e200,
    "an overflow of a sum": lambda x: x.max() > 1.5e308,
    "an underflow": lambda x: ((abs(x) > 0.0) & (abs(x) < 1e-300)).any(),
}


@pytest.mark.parametrize("name", OCCURRING)
def test_every_kind_of_number_occurs(name):
    assert find(arrays_like((4,)), OCCURRING[name], settings=FIRST).dtype == np.float64


@given(x=arrays_like((3,), kinds=["integers", "ties"]), y=arrays_like((3,), elements=st.just(0.25)))
def test_the_numbers_can_be_chosen(x, y):
    assert set(x.tolist()) <= {-2.0, -1.0, 0.0, 1.0, 2.0}
    assert y.tolist() == [0.25] * 3


@pytest.mark.parametrize(
    ("condition", "smallest"),
    [
        (lambda p: p["X"].sum() > 0.5, {"w": [0.0], "X": [[1.0]]}),
        (lambda p: p["X"].shape[1] > 1 and p["X"].any(), {"w": [0.0], "X": [[0.0, 1.0]]}),
        (lambda p: p["w"].min() < 0.0, {"w": [-1.0], "X": [[0.0]]}),
    ],
)
def test_failing_examples_shrink_to_small_ones(condition, smallest):
    found = find(arrays_like({"w": ("n",), "X": ("n", "m")}), condition, settings=settings(max_examples=2000))
    assert {name: x.tolist() for name, x in found.items()} == smallest


def test_what_the_arguments_must_be():
    with pytest.raises(ValueError, match=r"kinds must contain at least one of integers, .*, not only"):
        arrays_like((2,), kinds=["ties"])
    with pytest.raises(ValueError, match="kinds"):
        arrays_like((2,), kinds=["large"])
    with pytest.raises(TypeError, match=r"an example must be a number or an array, .*, not 'n'"):
        arrays_like({"w": "n"})
    with pytest.raises(ValueError, match="must be its first element"):
        arrays_like(("n", ...))
    with pytest.raises(TypeError, match="elements must be a strategy"):
        arrays_like((2,), elements=[1.0])
