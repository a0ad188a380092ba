"""NumPy's scalars become floats, or an error that shows what to do; none becomes another number."""

import numpy as np
import pytest

from tinygraph import Tensor, Value
from tinygraph.kernels.numbers import plain_number

KINDS = [np.bool_, np.int8, np.uint64, np.float16, np.float32, np.float64, np.longdouble]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_numpy_scalar_and_a_0d_array_are_numbers(kind):
    for number in (kind(1), np.array(1, dtype=kind), np.array(1, dtype=object)):
        assert plain_number(number) == 1.0
        assert (Value(2.0) * number).data == (number * Value(2.0)).data == 2.0
        assert (Tensor([2.0]) * number).data == (number * Tensor([2.0])).data == [2.0]
        assert (Value(2.0) > number) is True


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp <= 1024, reason="a long double is a float64 here")
@pytest.mark.parametrize("make", [Value, Tensor, lambda x: Value(2.0) * x, lambda x: Tensor([1.0, 2.0]) * x])
def test_a_long_double_beyond_the_floats_is_an_error(make):
    with pytest.raises(OverflowError, match="too large for a float"):
        make(np.longdouble("1e400"))
    assert np.all(np.isinf(make(np.longdouble("inf")).data))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.datetime64("2020-01-01", "ns"), "is not a real number; pass an int or a float"),
        (np.timedelta64(5, "ns"), "is not a real number; pass an int or a float"),
        (np.complex128(1.0), "imag part"),
        (np.str_("1"), "convert text"),
        (np.bytes_(b"1"), "convert text"),
        (np.void(b"1"), "is not a real number"),
        (np.ma.masked, r"fill it first with \.filled"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_other_numpy_scalars_are_refused(value, message):
    for use in (Value, lambda x: Value(2.0) * x, lambda x: Value(2.0) < x):
        with pytest.raises(TypeError, match=message):
            use(value)
    with pytest.raises(TypeError, match=r"is not an array of real numbers|masked array"):
        Tensor(value)


def test_a_masked_array_is_refused_and_not_cut():
    masked, t = np.ma.array([1.0, 2.0], mask=[False, True]), Tensor([1.0, 2.0])
    for use in (
        Tensor,
        lambda x: t * x,
        lambda x: np.add(x, t),
        lambda x: Tensor([x]),
        lambda x: setattr(t, "data", x),
    ):
        with pytest.raises(TypeError, match="masked array"):
            use(masked)
    with pytest.raises(TypeError):
        masked * t
    assert t.data.tolist() == [1.0, 2.0]
