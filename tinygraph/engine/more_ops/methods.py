"""The methods of nodes: one per op with one operand, and those that NumPy calls for arrays of nodes."""

from __future__ import annotations

from tinygraph.engine import more_ops, ops
from tinygraph.engine.more_ops import functions
from tinygraph.support.messages import described

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
    method.__name__ = op.name
    return method


def _method_of_two(op: Op) -> Callable[[S, object], S]:
    """Return a node method that records the given op, which has two operands. The node is the first one."""

    def method(self: S, y: object) -> S:
        return op(self, y)  # type: ignore[no-any-return]

    method.__doc__ = f"""Return `tinygraph.{op.name}` of this node and another operand.

    Args:
        y: The second operand: node, number or array.
    """
    method.__name__ = op.name
    return method


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
        for name, option in numpy.items():
            if option is not None:
                raise TypeError(f"clip: {name}={described(option)} is not supported here: use min and max")
        low, high = functions.numpy_bound("min", a_min, min), functions.numpy_bound("max", a_max, max)
        return functions.clip(self, low, high)

    # Users of micrograd and PyTorch call ops as methods. So does NumPy, for each element of an array of Values.

    exp = _method(ops.exp)
    expm1 = _method(ops.expm1)
    log = _method(ops.log)
    log1p = _method(ops.log1p)
    sqrt = _method(ops.sqrt)
    exp2 = _method(more_ops.exp2)
    log2 = _method(more_ops.log2)
    log10 = _method(more_ops.log10)
    cbrt = _method(more_ops.cbrt)
    square = _method(more_ops.square)
    reciprocal = _method(more_ops.reciprocal)
    positive = _method(more_ops.positive)
    sin = _method(ops.sin)
    cos = _method(ops.cos)
    tan = _method(ops.tan)
    asin = arcsin = _method(ops.asin)
    acos = arccos = _method(ops.acos)
    atan = arctan = _method(ops.atan)
    asinh = arcsinh = _method(more_ops.asinh)
    acosh = arccosh = _method(more_ops.acosh)
    atanh = arctanh = _method(more_ops.atanh)
    atan2 = arctan2 = _method_of_two(more_ops.atan2)
    hypot = _method_of_two(more_ops.hypot)
    deg2rad = radians = _method(more_ops.deg2rad)
    rad2deg = degrees = _method(more_ops.rad2deg)
    sinh = _method(ops.sinh)
    cosh = _method(ops.cosh)
    tanh = _method(ops.tanh)
    sigmoid = _method(ops.sigmoid)
    log_sigmoid = _method(ops.log_sigmoid)
    softplus = _method(ops.softplus)
    logit = _method(ops.logit)
    silu = _method(more_ops.silu)
    leaky_relu = functions.leaky_relu
    elu = functions.elu
    nan_to_num = functions.nan_to_num
    relu = _method(ops.relu)
    heaviside = _method(ops.heaviside)
    abs = _method(ops.abs)
    sign = _method(ops.sign)
    floor = _method(more_ops.floor)
    ceil = _method(more_ops.ceil)
    rint = _method(more_ops.rint)
    trunc = _method(more_ops.trunc)
    erf = _method(more_ops.erf)
    erfc = _method(more_ops.erfc)
    gelu = _method(more_ops.gelu)
    lgamma = _method(more_ops.lgamma)
    digamma = _method(more_ops.digamma)
    sinc = _method(more_ops.sinc)
    fmod = _method_of_two(more_ops.fmod)
