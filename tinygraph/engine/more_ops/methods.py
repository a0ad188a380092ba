"""The methods of nodes: one per op with one operand, and those that NumPy calls for arrays of nodes."""

from __future__ import annotations

from tinygraph.engine import more_ops, ops
from tinygraph.support.messages import described
from tinygraph.support.naming import renamed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from tinygraph.engine.op import Op

    S = TypeVar("S", bound="OpMethods")


def _method(op: Op) -> Callable[[S], S]:
    """Return a node method that records the given op, which has one operand."""

    def method(self: S) -> S:
        return op(self)  # type: ignore[no-any-return]  # an op on a node returns a node

    method.__doc__ = f"Return `tinygraph.{op.name}` of this node."
    return renamed(method, op.name)


def _later(name: str) -> Callable[[S], S]:
    """Return a node method that records the op with this name in `more_ops`, which is loaded on the first call."""

    def method(self: S) -> S:
        return getattr(more_ops, name)(self)  # type: ignore[no-any-return]

    method.__doc__ = f"Return `tinygraph.{name}` of this node."
    return renamed(method, name)


def _later_of_two(name: str) -> Callable[[S, object], S]:
    """Return a node method that records the op with this name, which has two operands. The node is the first one."""

    def method(self: S, y: object) -> S:
        return getattr(more_ops, name)(self, y)  # type: ignore[no-any-return]

    method.__doc__ = f"""Return `tinygraph.{name}` of this node and another operand.

    Args:
        y: The second operand: node, number or array.
    """
    return renamed(method, name)


class OpMethods:
    """The methods that compute an op of a node. For example, `x.exp()` records the op `exp`."""

    __slots__ = ()

    def clip(
        self, min: object = None, max: object = None, *, a_min: object = None, a_max: object = None, **numpy: object
    ) -> Any:
        """Return `tinygraph.clip` of this node.

        Args:
            min: Lower bound: node, number, array or None. Defaults to None.
            max: Upper bound. Defaults to None.
            a_min: Another name of the lower bound.
            a_max: Another name of the upper bound.
            **numpy: NumPy's other arguments, which must be None.

        Returns:
            A node of the graph.

        Examples:
            >>> from tinygraph import Value
            >>> Value(1.5).clip(max=1.0)
            Value(1.0, op='minimum')
        """
        from tinygraph.engine.more_ops import functions

        for name, option in numpy.items():
            if option is not None:
                raise TypeError(f"clip: {name}={described(option)} is not supported here: use min and max")
        low, high = functions.numpy_bound("min", a_min, min), functions.numpy_bound("max", a_max, max)
        return functions.clip(self, low, high)

    def leaky_relu(self, negative_slope: float = 0.01) -> Any:
        """Return `tinygraph.leaky_relu` of this node.

        Args:
            negative_slope: Derivative for negative numbers. Defaults to 0.01.
        """
        return more_ops.leaky_relu(self, negative_slope)

    def elu(self, alpha: float = 1.0) -> Any:
        """Return `tinygraph.elu` of this node.

        Args:
            alpha: Distance of the lower limit from 0. Defaults to 1.
        """
        return more_ops.elu(self, alpha)

    def nan_to_num(self, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
        """Return `tinygraph.nan_to_num` of this node.

        Args:
            nan: Number that replaces NaN. Defaults to 0.
            posinf: Number that replaces infinity, or None for the largest float.
            neginf: Number that replaces -infinity, or None for the smallest float.
        """
        return more_ops.nan_to_num(self, nan, posinf, neginf)

    # Users of micrograd and PyTorch call ops as methods. So does NumPy, for each element of an array of Values.

    exp = _method(ops.exp)
    expm1 = _method(ops.expm1)
    log = _method(ops.log)
    log1p = _method(ops.log1p)
    sqrt = _method(ops.sqrt)
    exp2 = _later("exp2")
    log2 = _later("log2")
    log10 = _later("log10")
    cbrt = _later("cbrt")
    square = _later("square")
    reciprocal = _later("reciprocal")
    positive = _later("positive")
    sin = _method(ops.sin)
    cos = _method(ops.cos)
    tan = _method(ops.tan)
    asin = arcsin = _method(ops.asin)
    acos = arccos = _method(ops.acos)
    atan = arctan = _method(ops.atan)
    asinh = arcsinh = _later("asinh")
    acosh = arccosh = _later("acosh")
    atanh = arctanh = _later("atanh")
    atan2 = arctan2 = _later_of_two("atan2")
    hypot = _later_of_two("hypot")
    deg2rad = radians = _later("deg2rad")
    rad2deg = degrees = _later("rad2deg")
    sinh = _method(ops.sinh)
    cosh = _method(ops.cosh)
    tanh = _method(ops.tanh)
    sigmoid = _method(ops.sigmoid)
    log_sigmoid = _method(ops.log_sigmoid)
    softplus = _method(ops.softplus)
    logit = _method(ops.logit)
    silu = _later("silu")
    relu = _method(ops.relu)
    heaviside = _method(ops.heaviside)
    abs = _method(ops.abs)
    sign = _method(ops.sign)
    floor = _later("floor")
    ceil = _later("ceil")
    rint = _later("rint")
    trunc = _later("trunc")
    erf = _later("erf")
    erfc = _later("erfc")
    gelu = _later("gelu")
    lgamma = _later("lgamma")
    digamma = _later("digamma")
    sinc = _later("sinc")
    fmod = _later_of_two("fmod")
